/* test_events.c - files for TensorBoard: the bytes that its own messages and records come to (make_events.py). */
#include "mmi_build.h"

#include "store/files.h"
#include "train/events.h"

#include "../rig/store_rig.h"

#include <math.h>

static const unsigned char png[] = { 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
	                                 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x02,
	                                 0x08, 0x02, 0x00, 0x00, 0x00, 0x12, 0x4d, 0x4e, 0x5f, 0x00, 0x00, 0x00,
	                                 0x0e, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0,
	                                 0x1f, 0x8a, 0x01, 0x19, 0xee, 0x03, 0xfd, 0x5e, 0xe0, 0xa4, 0xcb, 0x00,
	                                 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82 };

static void write_all(mmi_events *f, mm_error *e)
{
	const mmi_scalar some[] = {
		{ "elbo", -123.456 }, { "lost", NAN }, { "gap", 1e-30 }, { "lost too", INFINITY }, { "u_end", 3e38 }
	};
	const mmi_scalar zero = { "elbo", 0 };
	assert_ok(mmi_events_scalars(f, 1.5e9 + 0.25, 40, some, MMI_COUNT(some), e), *e);
	assert_ok(mmi_events_picture(f, 1.5e9 + 0.5, 300, "samples", png, sizeof png, e), *e);
	assert_ok(mmi_events_scalars(f, 1.5e9 + 2, (uint64_t)1 << 40, &zero, 1, e), *e);
}

static void bytes_are_those_of_tensorboard(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_events *f;
	size_t bytes, expected_bytes;
	char path[1024];
	const char *source = getenv("srcdir");
	assert_ok(mmi_events_open(rig_path(*state, "run/tensorboard"), 1.5e9, 21, &f, &e), e);
	write_all(f, &e);
	char *found = rig_read(mmi_events_path(f), &bytes);
	snprintf(path, sizeof path, "%s/tests/reference/events.bin", source ? source : ".");
	char *expected = rig_read(path, &expected_bytes);
	assert_int_equal(bytes, expected_bytes);
	assert_memory_equal(found, expected, bytes);
	mmi_events_close(f);
	free(found);
	free(expected);
}

static void files_of_one_second_have_names_of_their_own(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_events *a, *b;
	size_t bytes;
	const char *folder = rig_path(*state, "run");
	assert_ok(mmi_events_open(folder, 1.5e9, 0, &a, &e), e);
	assert_non_null(strstr(mmi_events_path(a), "/events.out.tfevents.1500000000."));
	assert_ok(mmi_events_open(rig_path(*state, "run"), 1.5e9, 0, &b, &e), e);
	assert_string_not_equal(mmi_events_path(a), mmi_events_path(b));
	char *begun = rig_read(mmi_events_path(b), &bytes);
	assert_int_equal(bytes, 8 + 4 + 24 + 4); /* the version alone: nothing is taken back */
	free(begun);
	mmi_events_close(a);
	mmi_events_close(b);
}

static void a_file_that_cannot_be_made_is_told(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_events *f;
	assert_ok(mmi_write_file_atomic(rig_path(*state, "file"), "", 0, &e), e);
	assert_fails(mmi_events_open(rig_path(*state, "file/tensorboard"), 1.5e9, 0, &f, &e), MM_EIO, e, "file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_those_of_tensorboard),
		TEST(files_of_one_second_have_names_of_their_own),
		TEST(a_file_that_cannot_be_made_is_told),
	};
	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
