/* test_safetensors.c - safetensors files: what is written, and what the reader makes of files nobody vouches for. */
#include "mmi_build.h"

#include "store/safetensors.h"

#include "../rig/store_rig.h"

#include <inttypes.h>

/* ---------------------------------------------------------------- building files by hand */

static size_t build_file(char *out, uint64_t length, const char *header, size_t data_bytes)
{
	size_t bytes = strlen(header);

	memcpy(out, &length, 8);
	memcpy(out + 8, header, bytes);
	for (size_t i = 0; i < data_bytes; i++)
		out[8 + bytes + i] = (char)i;
	return 8 + bytes + data_bytes;
}

static const char *write_by_hand(rig *r, const char *header, size_t data_bytes)
{
	char file[4096];
	const char *path = rig_path(r, "hand.safetensors");
	size_t bytes = build_file(file, strlen(header), header, data_bytes);

	rig_write(path, file, bytes);
	return path;
}

static void write_sample(const char *path)
{
	mm_error e = MM_ERROR_INIT;
	float weights[6] = { 1, -2, 3.5f, 0, -0.0f, 1e-30f };
	int64_t step = 1234567890123;
	uint8_t bytes[3] = { 7, 8, 9 };
	double scale = 0.1;
	const mmi_tensor_item items[] = {
		{ .name = "bytes", .dtype = MMI_U8, .rank = 1, .dim = { 3 }, .data = bytes },
		{ .name = "weights", .dtype = MMI_F32, .rank = 2, .dim = { 2, 3 }, .data = weights },
		{ .name = "step", .dtype = MMI_I64, .data = &step },
		{ .name = "empty", .dtype = MMI_F32, .rank = 2, .dim = { 0, 4 }, .data = NULL },
		{ .name = "scale", .dtype = MMI_F64, .data = &scale },
	};
	const mmi_text_pair meta[] = { { "likelihood", "laplace(1.5)" }, { "note", "quote \" and \xc3\xa4" } };

	assert_ok(mmi_safetensors_write(path, items, MMI_COUNT(items), meta, MMI_COUNT(meta), &e), e);
}

static mm_status try_open(const char *path, mm_error *e)
{
	mmi_safetensors *s = NULL;
	mm_status status = mmi_safetensors_open(path, &s, e);

	if (status == MM_OK)
		mmi_safetensors_close(s);
	else
		assert_null(s);
	return status;
}

/* ---------------------------------------------------------------- writing and reading back */

static void tensors_and_texts_come_back_as_written(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	const char *path = rig_path(*state, "a.safetensors");
	float weights[6];
	int64_t step;

	write_sample(path);
	assert_ok(mmi_safetensors_open(path, &s, &e), e);
	assert_int_equal(mmi_safetensors_count(s), 5);
	const mmi_tensor_info *t = mmi_safetensors_find(s, "weights");
	assert_non_null(t);
	assert_int_equal(t->dtype, MMI_F32);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->dim[0], 2);
	assert_int_equal(t->dim[1], 3);
	assert_ok(mmi_safetensors_read(s, t, weights, sizeof weights, &e), e);
	assert_memory_equal(weights, ((float[]){ 1, -2, 3.5f, 0, -0.0f, 1e-30f }), sizeof weights);
	assert_ok(mmi_safetensors_read(s, mmi_safetensors_find(s, "step"), &step, 8, &e), e);
	assert_int_equal(step, 1234567890123);
	assert_null(mmi_safetensors_find(s, "nothing"));
	assert_string_equal(mmi_safetensors_meta(s, "likelihood"), "laplace(1.5)");
	assert_string_equal(mmi_safetensors_meta(s, "note"), "quote \" and \xc3\xa4");
	assert_null(mmi_safetensors_meta(s, "nothing"));
	assert_int_equal(mmi_safetensors_meta_count(s), 3);
	assert_fails(mmi_safetensors_read(s, t, weights, 8, &e), MM_EARG, e,
	             "tensor 'weights': room for 8 bytes, but it has 24");
	mmi_safetensors_close(s);
}

static void bytes_are_those_of_the_format(void **state)
{
	static const char header[] = "{\"__metadata__\":{\"k\":\"v\",\"mmcore.crc32.tensors\":\"96b27d27\"},"
								 "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	mm_error e = MM_ERROR_INIT;
	float a[2] = { 1, 2 };
	const mmi_tensor_item item = { .name = "a", .dtype = MMI_F32, .rank = 1, .dim = { 2 }, .data = a };
	const mmi_text_pair meta = { "k", "v" };
	const char *path = rig_path(*state, "a.safetensors");
	size_t bytes, padded = (sizeof header - 1 + 7) / 8 * 8;

	assert_ok(mmi_safetensors_write(path, &item, 1, &meta, 1, &e), e);
	char *file = rig_read(path, &bytes);
	uint64_t length;
	memcpy(&length, file, 8);
	assert_int_equal(length, padded);
	assert_int_equal(bytes, 8 + padded + 8);
	assert_memory_equal(file + 8, header, sizeof header - 1);
	for (size_t i = sizeof header - 1; i < padded; i++)
		assert_int_equal(file[8 + i], ' ');
	assert_memory_equal(file + 8 + padded, a, 8);
	free(file);
}

static void wide_elements_come_first_and_all_are_aligned(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	const char *path = rig_path(*state, "a.safetensors");

	write_sample(path);
	assert_ok(mmi_safetensors_open(path, &s, &e), e);
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		assert_int_equal(t->begin % mmi_dtype_size(t->dtype), 0);
	}
	assert_string_equal(mmi_safetensors_at(s, 4)->name, "bytes");
	mmi_safetensors_close(s);
}

static void a_file_of_the_python_package_is_read(void **state)
{
	/* As safetensors.numpy.save_file wrote it: sorted by width, then name, padded with spaces. */
	static const char header[] = "{\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
								 "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]}}       ";
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;

	assert_ok(mmi_safetensors_open(write_by_hand(*state, header, 16), &s, &e), e);
	assert_int_equal(mmi_safetensors_count(s), 2);
	assert_int_equal(mmi_safetensors_find(s, "a")->begin, 8);
	assert_ok(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e),
	          e); /* no checksum of ours: passes */
	mmi_safetensors_close(s);
}

static void names_that_clash_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	float x = 1;
	const mmi_tensor_item twice[2] = { { .name = "x", .dtype = MMI_F32, .data = &x },
		                               { .name = "x", .dtype = MMI_F32, .data = &x } };
	const mmi_tensor_item reserved = { .name = "__metadata__", .dtype = MMI_F32, .data = &x };
	const char *path = rig_path(*state, "a.safetensors");

	assert_fails(mmi_safetensors_write(path, twice, 2, NULL, 0, &e), MM_EARG, e, "two tensors are called 'x'");
	assert_fails(mmi_safetensors_write(path, &reserved, 1, NULL, 0, &e), MM_EARG, e, "__metadata__");
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_without_tensors_is_whole(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	const char *path = rig_path(*state, "none.safetensors");

	assert_ok(mmi_safetensors_write(path, NULL, 0, NULL, 0, &e), e);
	assert_ok(mmi_safetensors_open(path, &s, &e), e);
	assert_int_equal(mmi_safetensors_count(s), 0);
	assert_null(mmi_safetensors_find(s, "a"));
	assert_ok(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e), e);
	mmi_safetensors_close(s);
}

/* ---------------------------------------------------------------- hostile files */

#define F32_2 "\"dtype\":\"F32\",\"shape\":[2],"
static const struct {
	const char *header;
	size_t data;
	const char *message;
} hostile[] = {
	{ "[1,2]", 0, "expected '{': this is not a safetensors file" },
	{ "  {}", 0, "header starts with byte 0x20" },
	{ "{\"a\":", 0, "not valid JSON near byte" },
	{ "{} x", 0, "goes on behind its JSON object at byte 3 of 4" },
	{ "{\"a\":{\"dtype\":[[[[]]]]}}", 0, "nested deeper than 3 levels" },
	{ "{\"a\\u0000b\":{}}", 0, "NUL in a string" },
	{ "{\"a\nb\":{}}", 0, "control character 10 in a string" },
	{ "{\"a\":1}", 0, "tensor 'a': entry is not an object" },
	{ "{\"a\":{}}", 0, "tensor 'a': dtype is missing" },
	{ "{\"a\":{\"dtype\":\"F32\"}}", 0, "shape is missing" },
	{ "{\"a\":{" F32_2 "\"x\":0}}", 0, "data_offsets is missing" },
	{ "{\"a\":{\"dtype\":\"F32\"," F32_2 "\"data_offsets\":[0,8]}}", 8, "tensor 'a': dtype is given twice" },
	{ "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype 'F33' is not known" },
	{ "{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype is not a text" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "shape is not an array" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
	  "a dimension is -2, expected a whole number" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}", 8, "a dimension is 2.5" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,8]}}", 8, "a dimension is 1" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", 8, "a dimension is not a number" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
	  "9 dimensions, expected at most 8" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
	  "[4294967296, 4294967296] overflows" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0, "a dimension is 4.611" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0]}}", 8, "data_offsets is not an array of two numbers" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[8,0]}}", 8, "data_offsets [8, 0] end before they begin" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[-8,0]}}", 8, "the first of data_offsets is -8" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,12]}}", 12, "F32 [2] needs 8 bytes, but data_offsets [0, 12] hold 12" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[8,16]}}", 8, "reach beyond the file, which holds 8 bytes" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,8]}}", 7, "reach beyond the file, which holds 7 bytes" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,8]}}", 9, "9 bytes of data, but the tensors take 8" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[4,12]}}", 12, "tensor 'a': data begins at byte 4, expected 0: a gap" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,8]},\"b\":{" F32_2 "\"data_offsets\":[4,12]}}", 12,
	  "tensor 'b': data begins at byte 4, expected 8: it overlaps 'a'" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,8]},\"b\":{" F32_2 "\"data_offsets\":[12,20]}}", 20,
	  "tensor 'b': data begins at byte 12, expected 8: a gap after 'a'" },
	{ "{\"a\":{" F32_2 "\"data_offsets\":[0,8]},\"a\":{" F32_2 "\"data_offsets\":[8,16]}}", 16,
	  "tensor 'a' is given twice" },
	{ "{\"__metadata__\":[]}", 0, "__metadata__ is not an object" },
	{ "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ 'k' is not a text" },
	{ "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "__metadata__ 'k' is given twice" },
	{ "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is given twice" },
};

static void each_flaw_has_its_own_message(void **state)
{
	for (size_t i = 0; i < MMI_COUNT(hostile); i++) {
		mm_error e = MM_ERROR_INIT;
		const char *path = write_by_hand(*state, hostile[i].header, hostile[i].data);
		assert_fails(try_open(path, &e), MM_EFORMAT, e, hostile[i].message);
		assert_non_null(strstr(e.message, "hand.safetensors"));
	}
}

static void impossible_header_lengths_are_refused(void **state)
{
	static const struct {
		uint64_t length;
		const char *message;
	} cases[] = { { 0, "header of 0 bytes, expected 2 to 11" },
		          { 1, "header of 1 bytes" },
		          { 12, "expected 2 to 11 in a file of 19" },
		          { 100000001, "expected at most 100000000" },
		          { UINT64_MAX,
		            "not a safetensors file: its first 8 bytes would be the length of a header, 18446744073709551615" },
		          { UINT64_MAX - 7, "expected at most" } };
	char file[64];

	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		const char *path = rig_path(*state, "length.safetensors");
		rig_write(path, file, build_file(file, cases[i].length, "{\"a\": null}", 0));
		assert_fails(try_open(path, &e), MM_EFORMAT, e, cases[i].message);
	}
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
	enum { DEPTH = 1 << 20 };
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "deep.safetensors");
	char *file = malloc(8 + 5 + DEPTH);
	uint64_t length = 5 + DEPTH;

	memcpy(file, &length, 8);
	memcpy(file + 8, "{\"a\":", 5);
	memset(file + 13, '[', DEPTH);
	rig_write(path, file, 8 + (size_t)length);
	free(file);
	assert_fails(try_open(path, &e), MM_EFORMAT, e, "nested deeper than 3 levels at byte 7");
}

static void control_characters_in_names_do_not_reach_the_terminal(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = write_by_hand(*state, "{\"\\u001b[31mred\":1}", 0);

	assert_fails(try_open(path, &e), MM_EFORMAT, e, "tensor '?[31mred'");
}

static void every_truncation_is_noticed(void **state)
{
	const char *whole = rig_path(*state, "a.safetensors"), *cut = rig_path(*state, "cut.safetensors");
	size_t bytes;

	write_sample(whole);
	char *file = rig_read(whole, &bytes);
	for (size_t keep = 0; keep < bytes; keep++) {
		mm_error e = MM_ERROR_INIT;
		rig_write(cut, file, keep);
		assert_fails(try_open(cut, &e), MM_EFORMAT, e, "cut");
	}
	free(file);
}

/* Everything an opened file offers can be used without leaving the file. */
static void use_everything(const char *path)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	uint64_t total = 0;

	if (mmi_safetensors_open(path, &s, &e) != MM_OK) {
		assert_true(e.message[0]);
		return;
	}
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		size_t bytes = (size_t)(t->end - t->begin);
		void *data = malloc(bytes + 1);
		assert_ok(mmi_safetensors_read(s, t, data, bytes, &e), e);
		assert_ptr_equal(mmi_safetensors_find(s, t->name), t);
		total += bytes;
		free(data);
	}
	for (size_t i = 0; i < mmi_safetensors_meta_count(s); i++)
		assert_non_null(mmi_safetensors_meta(s, mmi_safetensors_meta_at(s, i).key));
	assert_in_range(total, 0, 64);
	mmi_safetensors_close(s);
}

static void no_flipped_bit_of_the_header_does_harm(void **state)
{
	const char *whole = rig_path(*state, "a.safetensors"), *flipped = rig_path(*state, "flipped.safetensors");
	size_t bytes;
	uint64_t length;

	write_sample(whole);
	char *file = rig_read(whole, &bytes);
	memcpy(&length, file, 8);
	for (size_t bit = 0; bit < 8 * (8 + length); bit++) {
		file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
		rig_write(flipped, file, bytes);
		use_everything(flipped);
		file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
	}
	free(file);
}

static char *checksum_of(const char *path)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	assert_ok(mmi_safetensors_open(path, &s, &e), e);
	assert_ok(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e), e);
	char *sum = mmi_strdup(mmi_safetensors_meta(s, MMI_SAFETENSORS_CRC));
	mmi_safetensors_close(s);
	return sum;
}

/* Programs that rewrite a checkpoint sort its tensors their own way. */
static void the_checksum_is_the_same_in_any_order_of_tensors(void **state)
{
	mm_error e = MM_ERROR_INIT;
	float a[2] = { 1, 2 }, b[3] = { 3, 4, 5 };
	const mmi_tensor_item items[] = { { .name = "a", .dtype = MMI_F32, .rank = 1, .dim = { 2 }, .data = a },
		                              { .name = "b", .dtype = MMI_F32, .rank = 1, .dim = { 3 }, .data = b } };
	const mmi_tensor_item turned[] = { items[1], items[0] };
	const mmi_tensor_item renamed[] = { { .name = "b", .dtype = MMI_F32, .rank = 1, .dim = { 2 }, .data = a },
		                                { .name = "a", .dtype = MMI_F32, .rank = 1, .dim = { 3 }, .data = b } };
	const char *path = rig_path(*state, "a.safetensors");
	assert_ok(mmi_safetensors_write(path, items, 2, NULL, 0, &e), e);
	char *straight = checksum_of(path);
	assert_ok(mmi_safetensors_write(path, turned, 2, NULL, 0, &e), e);
	char *other = checksum_of(path);
	assert_ok(mmi_safetensors_write(path, renamed, 2, NULL, 0, &e), e);
	char *wrong = checksum_of(path);
	assert_string_equal(straight, other);
	assert_string_not_equal(straight, wrong); /* data under another tensor's name is damage */
	mmi_free(straight);
	mmi_free(other);
	mmi_free(wrong);
}

/* A file of mmcore 0.1: one CRC-32 of all data. */
static void the_checksum_of_older_files_is_still_checked(void **state)
{
	static const char good[] = "{\"__metadata__\":{\"mmcore.crc32\":\"2e3fa576\"},"
							   "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	const char *path = rig_path(*state, "old.safetensors");
	const float data[2] = { 1, 2 }, damaged[2] = { 1, 3 };
	for (int i = 0; i < 2; i++) {
		char file[8 + sizeof good + 8];
		mm_error e = MM_ERROR_INIT;
		mmi_safetensors *s;
		const uint64_t length = sizeof good - 1;
		memcpy(file, &length, 8);
		memcpy(file + 8, good, sizeof good - 1);
		memcpy(file + 8 + sizeof good - 1, i ? damaged : data, 8);
		rig_write(path, file, 8 + sizeof good - 1 + 8);
		assert_ok(mmi_safetensors_open(path, &s, &e), e);
		if (i)
			assert_fails(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e), MM_EFORMAT, e,
			             "expected 2e3fa576: it is damaged");
		else
			assert_ok(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e), e);
		mmi_safetensors_close(s);
	}
}

static void each_flipped_bit_of_the_data_breaks_the_checksum(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	const char *whole = rig_path(*state, "a.safetensors"), *flipped = rig_path(*state, "flipped.safetensors");
	size_t bytes;
	uint64_t length;

	write_sample(whole);
	char *file = rig_read(whole, &bytes);
	memcpy(&length, file, 8);
	for (size_t bit = 8 * (8 + length); bit < 8 * bytes; bit++) {
		file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
		rig_write(flipped, file, bytes);
		assert_ok(mmi_safetensors_open(flipped, &s, &e), e);
		assert_fails(mmi_safetensors_walk(s, &(mmi_safetensors_visit){ .ctx = NULL }, &e), MM_EFORMAT, e,
		             "the data has checksum");
		mmi_safetensors_close(s);
		file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
	}
	free(file);
}

static void a_file_that_shrinks_while_open_is_an_error(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_safetensors *s;
	const char *path = rig_path(*state, "a.safetensors");
	float weights[6];
	size_t bytes;

	write_sample(path);
	free(rig_read(path, &bytes));
	assert_ok(mmi_safetensors_open(path, &s, &e), e);
	assert_int_equal(truncate(path, (off_t)bytes - 20), 0);
	assert_fails(mmi_safetensors_read(s, mmi_safetensors_find(s, "weights"), weights, 24, &e), MM_EIO, e,
	             "it changed while open");
	mmi_safetensors_close(s);
}

static void what_is_no_file_is_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	const char *fifo = rig_path(r, "fifo");

	assert_fails(try_open(rig_path(r, "absent"), &e), MM_EIO, e, "No such file");
	assert_fails(try_open(r->folder, &e), MM_EFORMAT, e, "not a regular file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_fails(try_open(fifo, &e), MM_EFORMAT, e, "not a regular file");
	rig_write(rig_path(r, "void"), "", 0);
	assert_fails(try_open(rig_path(r, "void"), &e), MM_EFORMAT, e, "0 bytes, expected at least 10");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tensors_and_texts_come_back_as_written),
		TEST(bytes_are_those_of_the_format),
		TEST(wide_elements_come_first_and_all_are_aligned),
		TEST(a_file_of_the_python_package_is_read),
		TEST(names_that_clash_are_refused),
		TEST(a_file_without_tensors_is_whole),
		TEST(each_flaw_has_its_own_message),
		TEST(impossible_header_lengths_are_refused),
		TEST(deep_nesting_is_refused_before_it_is_parsed),
		TEST(control_characters_in_names_do_not_reach_the_terminal),
		TEST(every_truncation_is_noticed),
		TEST(no_flipped_bit_of_the_header_does_harm),
		TEST(the_checksum_is_the_same_in_any_order_of_tensors),
		TEST(the_checksum_of_older_files_is_still_checked),
		TEST(each_flipped_bit_of_the_data_breaks_the_checksum),
		TEST(a_file_that_shrinks_while_open_is_an_error),
		TEST(what_is_no_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
