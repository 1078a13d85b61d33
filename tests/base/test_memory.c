/* test_memory.c - memory that ends is told as that: the n-th allocation fails, or all beyond a number of bytes,
 * libraries' included. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include <errno.h>
#include <malloc.h>

#include "base/slabs.h"
#include "config/config.h"
#include "run/settings.h"
#include "eval/report.h"
#include "store/checkpoint.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(MMCORE_SANITIZED)
#define SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)
#define OURS 1
#endif

static bool armed;
static long calls, fail_at; /* 0: by bytes */
static size_t in_use, limit;

#ifdef OURS

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static bool refuse(size_t bytes)
{
	if (!armed)
		return false;
	calls++;
	if (fail_at ? calls == fail_at : in_use + bytes > limit) {
		errno = ENOMEM;
		return true;
	}
	return false;
}

static void *taken(void *block)
{
	if (armed && block)
		in_use += malloc_usable_size(block);
	return block;
}

static void given_back(void *block)
{
	size_t bytes = armed && block ? malloc_usable_size(block) : 0;
	in_use -= bytes < in_use ? bytes : in_use;
}

void *malloc(size_t bytes)
{
	return refuse(bytes) ? NULL : taken(__libc_malloc(bytes));
}

void *calloc(size_t n, size_t size)
{
	return refuse(n * size) ? NULL : taken(__libc_calloc(n, size));
}

void *realloc(void *block, size_t bytes)
{
	if (refuse(bytes))
		return NULL;
	given_back(block);
	return taken(__libc_realloc(block, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return refuse(bytes) ? NULL : taken(__libc_memalign(alignment, bytes));
}

void free(void *block)
{
	given_back(block);
	__libc_free(block);
}

#endif

static void arm(long nth, size_t bytes)
{
	calls = 0;
	in_use = 0;
	fail_at = nth;
	limit = bytes;
	armed = true;
}

static void needs_the_allocator(void)
{
#ifndef OURS
	print_message("the allocator of this build cannot be made to fail\n");
	skip();
#endif
}

/* ---------------------------------------------------------------- checkpoints */

static void save(const char *folder, uint64_t iteration)
{
	mm_error e = MM_ERROR_INIT;
	float x[4] = { 1, 2, 3, 4 };
	int64_t n = (int64_t)iteration;
	const mmi_tensor_item items[] = { mmi_item_f32_flat("x", 4, x), mmi_item_counter("n", &n) };
	char *path = mmi_checkpoint_file(folder, iteration);
	assert_ok(mmi_checkpoint_save(path, items, 2, NULL, 0, &e), e);
	mmi_free(path);
}

static void count_line(void *ctx, int level, const char *text)
{
	(void)level;
	(void)text;
	++*(int *)ctx;
}

static void want_of_memory_is_not_taken_for_a_damaged_checkpoint(void **state)
{
	rig *r = *state;
	int lines = 0;
	const mmi_log log = { .line = count_line, .ctx = &lines };
	needs_the_allocator();
	save(r->folder, 1);
	save(r->folder, 2);
	for (long nth = 1;; nth++) {
		mm_error e = MM_ERROR_INIT;
		mmi_checkpoint *ck = NULL;
		arm(nth, 0);
		mm_status status = mmi_checkpoint_latest(r->folder, &log, &ck, &e);
		armed = false;
		if (status == MM_OK) {
			assert_non_null(ck);
			assert_non_null(strstr(mmi_checkpoint_path(ck), "00000002"));
			mmi_checkpoint_close(ck);
			if (calls < nth)
				break;
			continue;
		}
		if (status != MM_ENOMEM)
			fail_msg("allocation %ld: %s: %s", nth, mmi_status_name(status), e.message);
		assert_true(nth < 1000);
	}
	assert_int_equal(lines, 0);
}

/* ---------------------------------------------------------------- settings */

static void want_of_memory_ends_the_reading_of_settings_with_an_error(void **state)
{
	char text[8192] = "[a]\n";
	const char *path = rig_path(*state, "a.ini");
	bool refused = false;
	needs_the_allocator();
	for (int i = 0; i < 300; i++)
		sprintf(text + strlen(text), "key%d = value %d\n", i, i);
	rig_write(path, text, strlen(text));
	for (size_t bytes = 0;; bytes += 997) {
		mm_error e = MM_ERROR_INIT;
		mmi_config *c = NULL;
		arm(0, bytes);
		mm_status status = mmi_config_load(path, &c, &e);
		armed = false;
		if (status == MM_OK) {
			assert_true(mmi_config_has(c, "a", "key299"));
			mmi_config_destroy(c);
			break;
		}
		if (status != MM_ENOMEM)
			fail_msg("%zu bytes: %s: %s", bytes, mmi_status_name(status), e.message);
		refused = true;
		assert_true(bytes < (size_t)16 << 20);
	}
	assert_true(refused);
}

/* A checkpoint's settings go the same way. */
static void sizes_in_settings_have_bounds(void **state)
{
	static const char *const sets[][2] = {
		{ "run.chunk=1000000", "an integer from 1 to 1024" },
		{ "run.grid_columns=1000000", "an integer from 1 to 1024" },
		{ "learner.batch=1000000", "an integer from 1 to 65536" },
		{ "learner.x_buffer=1000000000", "an integer from 1 to 1048576" },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(sets); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_config *c;
		mmi_settings s;
		assert_ok(mmi_config_create(&c, &e), e);
		assert_ok(mmi_config_set(c, sets[i][0], &e), e);
		assert_fails(mmi_settings_read(c, &s, &e), MM_ECONFIG, e, sets[i][1]);
		mmi_config_destroy(c);
	}
}

static void what_the_machine_cannot_hold_is_not_promised(void **state)
{
	(void)state;
	const size_t all = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
	assert_null(mmi_alloc(all + 1, 1));
	assert_null(mmi_alloc(SIZE_MAX, 1));
}

/* ---------------------------------------------------------------- sizes that files claim */

/* Two bytes of text for each value, which takes some hundred in memory. */
static void json_of_very_many_values_is_refused(void **state)
{
	enum { BYTES = 8 << 20 };
	mm_error e = MM_ERROR_INIT;
	mmi_report report = { 0 };
	const char *path = rig_path(*state, "report.json");
	char *text = malloc(BYTES);

	assert_non_null(text);
	for (size_t i = 0; i < BYTES; i++)
		text[i] = "0,"[i % 2];
	memcpy(text, "{\"figures\":[", 12);
	memcpy(text + BYTES - 4, " 0]}", 4);
	rig_write(path, text, BYTES);
	free(text);
	assert_fails(mmi_report_read(path, &report, &e), MM_EFORMAT, e, "report of more than 1048576 values");
}

/* Large pages of 2 MiB; the system cannot give any to a block that begins within one. */
static void long_arrays_begin_on_large_pages(void **state)
{
	const size_t bytes = 9 << 20;
	unsigned char *block = mmi_alloc(bytes, 1);
	(void)state;
	assert_non_null(block);
	assert_int_equal((uintptr_t)block % (2 << 20), 0);
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(block[i], 0);
	mmi_free(block);
}

static bool is_zero(const unsigned char *block, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (block[i])
			return false;
	return true;
}

/* Of all lengths, also of more than a slab's; each is filled, so that whoever overlaps it finds no zeros. */
static void blocks_of_slabs_are_zero_and_apart(void **state)
{
	static const size_t bytes[] = { 1, 64, 65, 5 << 20, 3 << 20, 100000, 13 << 20, 5 << 20, 1 << 20, 6 << 20, 1 };
	(void)state;
	for (int round = 0; round < 2; round++) { /* the second one in memory that was used */
		mmi_slabs s = { .n = 0 };
		const unsigned char *block[sizeof bytes / sizeof *bytes];
		for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
			unsigned char *b = mmi_slabs_take(&s, bytes[i]);
			assert_non_null(b);
			assert_int_equal((uintptr_t)b % 64, 0);
			assert_true(is_zero(b, bytes[i]));
			memset(b, (int)i + 1, bytes[i]);
			block[i] = b;
		}
		for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
			for (size_t k = 0; k < bytes[i]; k++)
				assert_int_equal(block[i][k], i + 1);
		assert_int_equal((uintptr_t)s.slabs[0].at % (2 << 20), 0);
		assert_int_equal(s.n, 3); /* one of them the long block's */
		mmi_slabs_clear(&s);
		assert_int_equal(s.n, 0);
	}
}

static void a_block_that_the_machine_cannot_hold_is_no_slab(void **state)
{
	mmi_slabs s = { .n = 0 };
	(void)state;
	for (int slabs = 0; slabs < 2; slabs++) {
		assert_null(mmi_slabs_take(&s, SIZE_MAX / 4));
		assert_null(mmi_slabs_take(&s, SIZE_MAX - 100));
		assert_null(mmi_slabs_take(&s, SIZE_MAX));
		assert_non_null(mmi_slabs_take(&s, 100));
	}
	assert_int_equal(s.n, 1);
	mmi_slabs_clear(&s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(want_of_memory_is_not_taken_for_a_damaged_checkpoint),
		cmocka_unit_test(sizes_in_settings_have_bounds),
		cmocka_unit_test(what_the_machine_cannot_hold_is_not_promised),
		TEST(want_of_memory_ends_the_reading_of_settings_with_an_error),
		TEST(json_of_very_many_values_is_refused),
		cmocka_unit_test(long_arrays_begin_on_large_pages),
		cmocka_unit_test(blocks_of_slabs_are_zero_and_apart),
		cmocka_unit_test(a_block_that_the_machine_cannot_hold_is_no_slab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
