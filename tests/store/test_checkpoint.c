/* test_checkpoint.c - checkpoints: the same bits come back, another architecture is refused, nothing is lost by a kill
 * or a full disk. */
#include "mmi_build.h"

#include "store/checkpoint.h"
#include "store/crc32.h"
#include "store/files.h"

#include "../rig/store_rig.h"

#include <math.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>

/* ---------------------------------------------------------------- a small state to save */

enum { WEIGHTS = 6, BIAS = 3 };

typedef struct {
	float weight[WEIGHTS], bias[BIAS], moment[WEIGHTS];
	int64_t iteration;
	double step;
} state_values;

typedef struct {
	state_values v;
	mmi_tensor_item item[5];
} run_state;

static run_state *state_create(float seed)
{
	run_state *s = calloc(1, sizeof *s);
	const mm_shape matrix = { 2, { 2, 3 } }, vector = { 1, { 3 } };

	for (int i = 0; i < WEIGHTS; i++)
		s->v.weight[i] = seed + (float)i;
	s->v.moment[0] = seed;
	s->v.iteration = (int64_t)seed;
	s->v.step = 0.1 * (double)seed;
	s->item[0] = mmi_item_f32("generator.weight", matrix, s->v.weight);
	s->item[1] = mmi_item_f32("generator.bias", vector, s->v.bias);
	s->item[2] = mmi_item_f32_flat("adam.moment", WEIGHTS, s->v.moment);
	s->item[3] = mmi_item_counter("counter.iteration", &s->v.iteration);
	s->item[4] = mmi_item_double("learner.step", &s->v.step);
	return s;
}

static void state_save(const char *path, float seed)
{
	mm_error e = MM_ERROR_INIT;
	run_state *s = state_create(seed);
	const mmi_text_pair meta = { "likelihood.m0", "gaussian(0.7)" };

	assert_ok(mmi_checkpoint_save(path, s->item, 5, &meta, 1, &e), e);
	free(s);
}

/* Tries to restore; when refused, the state must be as it was. */
static mm_status state_restore(const char *path, run_state *s, size_t n, mm_error *e)
{
	mmi_checkpoint *ck;
	state_values before = s->v;

	assert_ok(mmi_checkpoint_open(path, &ck, e), *e);
	mm_status status = mmi_checkpoint_restore(ck, s->item, n, e);
	if (status != MM_OK)
		assert_memory_equal(&before, &s->v, sizeof before);
	mmi_checkpoint_close(ck);
	return status;
}

/* ---------------------------------------------------------------- checkpoints */

static void a_checkpoint_restores_the_same_bits(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "a.safetensors");
	run_state *s = state_create(7), *t = state_create(0);
	mmi_checkpoint *ck;
	int64_t iteration = 0;
	const uint32_t odd[3] = { 0x7f7fffff /* the largest */, 0x80000000 /* -0 */, 1 /* denormal */ };

	memcpy(s->v.bias, odd, sizeof odd);
	const mmi_text_pair meta = { "plugin.m0", "org.example.digit" };
	assert_ok(mmi_checkpoint_save(path, s->item, 5, &meta, 1, &e), e);
	assert_ok(state_restore(path, t, 5, &e), e);
	assert_memory_equal(&s->v, &t->v, sizeof s->v);
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	assert_string_equal(mmi_checkpoint_meta(ck, "plugin.m0"), "org.example.digit");
	assert_ok(mmi_checkpoint_counter(ck, "counter.iteration", &iteration, &e), e);
	assert_int_equal(iteration, 7);
	assert_fails(mmi_checkpoint_counter(ck, "counter.nothing", &iteration, &e), MM_ESHAPE, e,
	             "'counter.nothing' (I64 []) is missing");
	mmi_checkpoint_close(ck);
	free(s);
	free(t);
}

/* The file as another writer would make it: what is wrong with it is the numbers alone. */
static void write_unchecked(const char *path, run_state *s)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_text_pair format = { "mmcore.checkpoint", "1" };
	assert_ok(mmi_safetensors_write(path, s->item, 5, &format, 1, &e), e);
}

static void numbers_that_are_not_finite_are_neither_written_nor_read(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "a.safetensors"), *foreign = rig_path(*state, "b.safetensors");
	run_state *s = state_create(7), *t = state_create(0);

	s->v.moment[2] = INFINITY;
	assert_fails(mmi_checkpoint_save(path, s->item, 5, NULL, 0, &e), MM_ENUMERIC, e,
	             "a.safetensors is not written: tensor 'adam.moment' holds inf at index 2");
	assert_int_equal(access(path, F_OK), -1);
	write_unchecked(foreign, s);
	assert_fails(state_restore(foreign, t, 5, &e), MM_ENUMERIC, e,
	             "b.safetensors: tensor 'adam.moment' holds inf at index 2; expected finite numbers");
	s->v.moment[2] = 1;
	s->v.step = (double)NAN;
	assert_fails(mmi_checkpoint_save(path, s->item, 5, NULL, 0, &e), MM_ENUMERIC, e,
	             "'learner.step' holds nan at index 0");
	write_unchecked(foreign, s);
	assert_fails(state_restore(foreign, t, 5, &e), MM_ENUMERIC, e, "'learner.step' holds nan");
	free(s);
	free(t);
}

static void a_run_goes_back_before_a_checkpoint_that_is_not_finite(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	run_state *s = state_create(7);
	mmi_checkpoint *ck;

	state_save(rig_path(r, "checkpoint-00000001.safetensors"), 1);
	s->v.weight[0] = NAN;
	write_unchecked(rig_path(r, "checkpoint-00000002.safetensors"), s);
	assert_ok(mmi_checkpoint_latest(r->folder, NULL, &ck, &e), e);
	assert_non_null(strstr(mmi_checkpoint_path(ck), "checkpoint-00000001"));
	mmi_checkpoint_close(ck);
	free(s);
}

static void another_architecture_is_refused_by_its_first_difference(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "a.safetensors");
	run_state *s = state_create(0);

	state_save(path, 7);
	s->item[0].dim[1] = 4;
	s->item[1].name = "generator.shift";
	assert_fails(state_restore(path, s, 5, &e), MM_ESHAPE, e,
	             "tensor 'generator.weight' is F32 [2, 3], expected F32 [2, 4]");
	s->item[0].dim[1] = 3;
	assert_fails(state_restore(path, s, 5, &e), MM_ESHAPE, e, "tensor 'generator.shift' (F32 [3]) is missing");
	s->item[1].name = "generator.bias";
	s->item[1].dtype = MMI_I32;
	assert_fails(state_restore(path, s, 5, &e), MM_ESHAPE, e, "'generator.bias' is F32 [3], expected I32 [3]");
	s->item[1].dtype = MMI_F32;
	s->item[0].rank = 1;
	s->item[0].dim[0] = 6;
	assert_fails(state_restore(path, s, 5, &e), MM_ESHAPE, e, "is F32 [2, 3], expected F32 [6]");
	free(s);
}

static void a_tensor_too_many_is_refused_unless_excused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	const char *path = rig_path(*state, "a.safetensors");
	static const char *const others[] = { "adam.", "counter.", "learner." };
	run_state *s = state_create(0);

	state_save(path, 7);
	assert_fails(state_restore(path, s, 2, &e), MM_ESHAPE, e, "tensor 'counter.iteration' (I64 []) has no place here");
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	assert_fails(mmi_checkpoint_restore_part(ck, s->item, 1, others, 3, &e), MM_ESHAPE, e,
	             "tensor 'generator.bias' (F32 [3]) has no place");
	assert_true(s->v.weight[0] == 0);
	assert_ok(mmi_checkpoint_restore_part(ck, s->item, 2, others, 3, &e), e);
	assert_true(s->v.weight[0] == 7 && s->v.moment[0] == 0);
	mmi_checkpoint_close(ck);
	free(s);
}

static void one_reading_loads_what_two_restore(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	const char *path = rig_path(*state, "a.safetensors");
	static const char *const others[] = { "adam.", "counter.", "learner." };
	run_state *s = state_create(0);

	state_save(path, 7);
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	assert_fails(mmi_checkpoint_load_part(ck, s->item, 1, others, 3, &e), MM_ESHAPE, e,
	             "tensor 'generator.bias' (F32 [3]) has no place");
	assert_ok(mmi_checkpoint_load_part(ck, s->item, 2, others, 3, &e), e);
	for (int i = 0; i < WEIGHTS; i++)
		assert_true(s->v.weight[i] == 7 + (float)i);
	assert_true(s->v.moment[0] == 0);
	mmi_checkpoint_close(ck);
	free(s);
}

static void damage(const char *path, long from_end)
{
	FILE *f = fopen(path, "r+b");

	assert_non_null(f);
	assert_int_equal(fseek(f, from_end, SEEK_END), 0);
	int c = fgetc(f);
	assert_int_equal(fseek(f, from_end, SEEK_END), 0);
	fputc(c ^ 1, f);
	fclose(f);
}

static void damaged_data_is_refused_and_nothing_touched(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "a.safetensors");
	run_state *s = state_create(0);

	state_save(path, 7);
	damage(path, -1);
	assert_fails(state_restore(path, s, 5, &e), MM_EFORMAT, e, "it is damaged");
	free(s);
}

/* The bits that are damaged may be those that nobody asked for. */
static void one_reading_finds_damage_anywhere(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "a.safetensors");
	static const char *const others[] = { "adam.", "counter.", "learner." };

	for (long from_end = -1; from_end >= -(long)(sizeof(float) * (2 * WEIGHTS + BIAS) + 16); from_end--) {
		mmi_checkpoint *ck;
		run_state *s = state_create(0);
		state_save(path, 7);
		damage(path, from_end);
		assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
		assert_fails(mmi_checkpoint_load_part(ck, s->item, 2, others, 3, &e), MM_EFORMAT, e, "it is damaged");
		mmi_checkpoint_close(ck);
		free(s);
	}
}

static void checksums_are_those_of_zlib(void **state)
{
	unsigned char data[1500];
	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * i * 31 + i / 7);
	for (size_t first = 0; first < 20; first++)
		for (size_t n = 0; n < 700; n += n < 260 ? 1 : 61) {
			const uint32_t begun = (uint32_t)(first * 0x9E3779B9u);
			assert_int_equal(mmi_crc32(begun, data + first, n), crc32(begun, data + first, (uInt)n));
		}
	assert_int_equal(mmi_crc32(0, "123456789", 9), 0xCBF43926);
	assert_int_equal(mmi_crc32(5, NULL, 0), 5);
}

static void what_is_not_a_checkpoint_is_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	const char *path = rig_path(*state, "a.safetensors");
	const mmi_text_pair future = { "mmcore.checkpoint", "2" };

	assert_ok(mmi_safetensors_write(path, NULL, 0, NULL, 0, &e), e);
	assert_fails(mmi_checkpoint_open(path, &ck, &e), MM_EFORMAT, e, "but not a checkpoint");
	assert_ok(mmi_safetensors_write(path, NULL, 0, &future, 1, &e), e);
	assert_fails(mmi_checkpoint_open(path, &ck, &e), MM_EFORMAT, e, "format 2, this program reads format 1");
}

/* ---------------------------------------------------------------- folders of checkpoints */

static void save_in(const char *folder, uint64_t iteration)
{
	char *path = mmi_checkpoint_file(folder, iteration);

	state_save(path, (float)iteration);
	mmi_free(path);
}

static void assert_list(const char *folder, const uint64_t *expected, size_t n_expected)
{
	mm_error e = MM_ERROR_INIT;
	uint64_t *list;
	size_t n;

	assert_ok(mmi_checkpoint_list(folder, &list, &n, &e), e);
	assert_int_equal(n, n_expected);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i], expected[i]);
	mmi_free(list);
}

static void pruning_keeps_the_newest_and_what_is_not_ours(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;

	assert_list(rig_path(r, "absent"), NULL, 0);
	save_in(r->folder, 1200);
	save_in(r->folder, 400);
	save_in(r->folder, 123456789012);
	save_in(r->folder, 800);
	rig_write(rig_path(r, "checkpoint-best.safetensors"), "x", 1);
	rig_write(rig_path(r, "checkpoint-00000001.safetensors.bak"), "x", 1);
	rig_write(rig_path(r, "checkpoint-1.safetensors"), "x", 1);
	rig_write(rig_path(r, ".checkpoint-00001200.safetensors.tmp-99-0"), "x", 1);
	rig_write(rig_path(r, ".mine.tmp-draft"), "x", 1);
	assert_list(r->folder, (uint64_t[]){ 400, 800, 1200, 123456789012 }, 4);
	assert_ok(mmi_checkpoint_prune(r->folder, 2, NULL, 0, &e), e);
	assert_list(r->folder, (uint64_t[]){ 1200, 123456789012 }, 2);
	assert_int_equal(rig_entries(r->folder), 6);
	assert_ok(mmi_checkpoint_prune(r->folder, 0, NULL, 0, &e), e);
	assert_list(r->folder, (uint64_t[]){ 123456789012 }, 1);
}

typedef struct {
	int lines;
	char last[1024];
} heard;

static void hear(void *ctx, int level, const char *text)
{
	heard *h = ctx;

	assert_int_equal(level, MM_LOG_WARNING);
	h->lines++;
	snprintf(h->last, sizeof h->last, "%s", text);
}

static void a_broken_newest_checkpoint_gives_way_to_the_one_before(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	heard h = { 0 };
	const mmi_log log = { .line = hear, .ctx = &h };
	mmi_checkpoint *ck = NULL;
	char *newest = mmi_checkpoint_file(r->folder, 1200), *middle = mmi_checkpoint_file(r->folder, 800);

	assert_ok(mmi_checkpoint_latest(r->folder, &log, &ck, &e), e);
	assert_null(ck);
	save_in(r->folder, 400);
	save_in(r->folder, 800);
	save_in(r->folder, 1200);
	damage(middle, -1);
	assert_int_equal(truncate(newest, 100), 0);
	assert_ok(mmi_checkpoint_latest(r->folder, &log, &ck, &e), e);
	assert_non_null(strstr(mmi_checkpoint_path(ck), "checkpoint-00000400.safetensors"));
	assert_int_equal(h.lines, 2);
	assert_non_null(strstr(h.last, "checkpoint-00000800.safetensors: the data has checksum"));
	assert_non_null(strstr(h.last, "going back to the checkpoint before it"));
	mmi_checkpoint_close(ck);
	assert_int_equal(unlink(middle), 0);
	char *oldest = mmi_checkpoint_file(r->folder, 400);
	damage(oldest, -1);
	assert_fails(mmi_checkpoint_latest(r->folder, &log, &ck, &e), MM_EFORMAT, e, "none of the 2 checkpoints");
	mmi_free(newest);
	mmi_free(middle);
	mmi_free(oldest);
}

/* ---------------------------------------------------------------- kill -9 */

enum { KILLS = 50, FLOATS = 1 << 16 };

/* Saves for ever, all values equal to the iteration; tells the parent after each. */
static void save_for_ever(const char *folder, int64_t iteration, int report)
{
	float *values = malloc(FLOATS * sizeof *values);
	const mmi_tensor_item items[] = { mmi_item_f32_flat("values", FLOATS, values),
		                              mmi_item_counter("iteration", &iteration) };

	for (;; iteration++) {
		for (int i = 0; i < FLOATS; i++)
			values[i] = (float)iteration;
		char *path = mmi_checkpoint_file(folder, (uint64_t)iteration);
		if (mmi_checkpoint_save(path, items, 2, NULL, 0, NULL) != MM_OK ||
		    mmi_checkpoint_prune(folder, 2, NULL, 0, NULL) != MM_OK)
			_exit(1);
		mmi_free(path);
		if (write(report, "s", 1) != 1)
			_exit(2);
	}
}

static void pause_for(long microseconds)
{
	const struct timespec t = { microseconds / 1000000, microseconds % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

/* Waits for one whole save, so that every round gets on, then kills somewhere in the next two. */
static void kill_while_saving(const char *folder, int64_t iteration, unsigned round)
{
	int report[2], status;
	char byte;
	struct timespec from, to;

	assert_int_equal(pipe(report), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		save_for_ever(folder, iteration, report[1]);
	close(report[1]);
	assert_int_equal(read(report[0], &byte, 1), 1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	long save = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
	pause_for((save < 20000 ? save : 20000) * (long)(round * 37 % KILLS) / KILLS * 2);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(report[0]);
}

static int64_t load_latest(const char *folder)
{
	mm_error e = MM_ERROR_INIT;
	heard h = { 0 };
	const mmi_log log = { .line = hear, .ctx = &h };
	mmi_checkpoint *ck = NULL;
	int64_t iteration = -1;
	float *values = malloc(FLOATS * sizeof *values);
	const mmi_tensor_item items[] = { mmi_item_f32_flat("values", FLOATS, values),
		                              mmi_item_counter("iteration", &iteration) };

	assert_ok(mmi_checkpoint_latest(folder, &log, &ck, &e), e);
	assert_non_null(ck);
	assert_int_equal(h.lines, 0); /* not even the newest is broken */
	assert_ok(mmi_checkpoint_restore(ck, items, 2, &e), e);
	for (int i = 0; i < FLOATS; i++)
		assert_true(values[i] == (float)iteration);
	mmi_checkpoint_close(ck);
	free(values);
	return iteration;
}

static void killed_at_any_moment_leaves_a_loadable_checkpoint(void **state)
{
	rig *r = *state;
	int64_t iteration = 0;

	for (unsigned round = 0; round < KILLS; round++) {
		kill_while_saving(r->folder, iteration + 1, round);
		int64_t reached = load_latest(r->folder);
		assert_true(reached > iteration);
		iteration = reached;
		assert_in_range(rig_entries(r->folder), 1, 4); /* at most three checkpoints and one temporary */
	}
	mmi_temporaries_remove(r->folder);
	assert_in_range(rig_entries(r->folder), 1, 3);
}

/* ---------------------------------------------------------------- full disk */

static void a_full_disk_leaves_the_old_file_and_no_temporary(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	const char *path = rig_path(r, "a.safetensors");
	run_state *s = state_create(8);
	const mmi_text_pair meta = { "likelihood.m0", "gaussian(0.8)" };
	size_t bytes, bytes_after;

	state_save(path, 7);
	char *before = rig_read(path, &bytes);
	for (rlim_t room = 0; room < bytes; room += 37) {
		rig_limit_files(room);
		mm_status status = mmi_checkpoint_save(path, s->item, 5, &meta, 1, &e);
		rig_limit_files(RLIM_INFINITY);
		assert_int_equal(status, MM_EIO);
		assert_non_null(strstr(e.message, "a.safetensors: File too large; nothing was changed"));
		char *after = rig_read(path, &bytes_after);
		assert_int_equal(bytes, bytes_after);
		assert_memory_equal(before, after, bytes);
		assert_int_equal(rig_entries(r->folder), 1);
		free(after);
	}
	free(before);
	free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_checkpoint_restores_the_same_bits),
		TEST(numbers_that_are_not_finite_are_neither_written_nor_read),
		TEST(a_run_goes_back_before_a_checkpoint_that_is_not_finite),
		TEST(another_architecture_is_refused_by_its_first_difference),
		TEST(a_tensor_too_many_is_refused_unless_excused),
		TEST(damaged_data_is_refused_and_nothing_touched),
		TEST(one_reading_loads_what_two_restore),
		TEST(one_reading_finds_damage_anywhere),
		TEST(checksums_are_those_of_zlib),
		TEST(what_is_not_a_checkpoint_is_refused),
		TEST(pruning_keeps_the_newest_and_what_is_not_ours),
		TEST(a_broken_newest_checkpoint_gives_way_to_the_one_before),
		TEST(killed_at_any_moment_leaves_a_loadable_checkpoint),
		TEST(a_full_disk_leaves_the_old_file_and_no_temporary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
