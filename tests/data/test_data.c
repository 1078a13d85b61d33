/* test_data.c - tuples joined by key, and batches that depend on seed and iteration alone; with modalities made here.
 */
#include "mmi_build.h"

#include "data/keys.h"

#include "../rig/store_rig.h"

#include "../rig/data_rig.h"

static mmi_tuples *open_part(world *w, mmi_part part, uint32_t holdout, uint64_t seed)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_log log = { .line = hear, .ctx = w };
	mmi_tuples *t = NULL;

	assert_ok(mmi_tuples_open(w->modality, MODALITIES, part, holdout, seed, &log, &t, &e), e);
	return t;
}

static mm_status try_part(world *w, mmi_part part, uint32_t holdout, mm_error *e)
{
	mmi_tuples *t = NULL;
	mm_status status = mmi_tuples_open(w->modality, MODALITIES, part, holdout, 1, NULL, &t, e);

	assert_null(t);
	return status;
}

/* The number behind a tuple, from its key. */
static int64_t tuple_number(const mmi_tuples *t, uint32_t i)
{
	return strtoll(mmi_tuples_key(t, i) + 1, NULL, 10);
}

/* ---------------------------------------------------------------- keys */

static void keys_are_found_by_text_and_numbered_in_order(void **state)
{
	(void)state;
	enum { N = 5000 };
	mm_error e = MM_ERROR_INIT;
	mmi_keys *k;
	char text[32];
	uint32_t number;

	assert_ok(mmi_keys_create(N, &k, &e), e);
	for (uint32_t i = 0; i < N; i++) {
		snprintf(text, sizeof text, "%u", i * 7);
		assert_ok(mmi_keys_add(k, text, &number, &e), e);
		assert_int_equal(number, i);
	}
	assert_ok(mmi_keys_add(k, "7", &number, &e), e);
	assert_int_equal(number, MMI_NO_KEY);
	assert_int_equal(mmi_keys_count(k), N);
	assert_int_equal(mmi_keys_find(k, "34993"), 4999);
	assert_int_equal(mmi_keys_find(k, "1"), MMI_NO_KEY);
	assert_string_equal(mmi_keys_text(k, 3), "21");
	assert_int_equal(mmi_keys_add(k, "new", &number, &e), MM_EINTERNAL);
	mmi_keys_destroy(k);
}

/* ---------------------------------------------------------------- joining */

static void samples_meet_by_key_in_the_first_modality_s_order(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	float x[MODALITIES][FLOATS];
	float *out[MODALITIES] = { x[0], x[1], x[2] };

	w->instance[1].first = 99; /* the same keys, backwards */
	w->instance[1].step = -1;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	assert_int_equal(mmi_tuples_count(t), 100);
	assert_int_equal(mmi_tuples_modalities(t), 3);
	assert_int_equal(mmi_tuples_floats(t, 2), FLOATS);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(tuple_number(t, i), i);
		assert_int_equal(mmi_tuples_label(t, i), i % 10);
		assert_ok(mmi_tuples_read(t, i, out, &e), e);
		for (int m = 0; m < MODALITIES; m++)
			assert_true(x[m][0] == (float)(i + 1000u * (unsigned)m) && x[m][FLOATS - 1] == x[m][0]);
	}
	out[1] = NULL;
	x[1][0] = -7;
	assert_ok(mmi_tuples_read(t, 5, out, &e), e);
	assert_true(x[1][0] == -7); /* skipped */
	assert_int_equal(w->lines, 0);
	mmi_tuples_close(t);
}

static void the_test_part_reads_the_test_split(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	float x[FLOATS], *out[MODALITIES] = { x };
	mmi_tuples *t = open_part(w, MMI_PART_TEST, 10, 1);

	assert_int_equal(mmi_tuples_count(t), 100);
	assert_ok(mmi_tuples_read(t, 3, out, &e), e);
	assert_true(x[0] == 3.5f);
	mmi_tuples_close(t);
}

static void keys_without_partners_are_left_out_and_told(void **state)
{
	world *w = *state;

	w->instance[1].count = 90; /* k0 to k89 */
	w->instance[2] = w->instance[0];
	w->instance[2].first = 5; /* k5 to k104 */
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	assert_int_equal(mmi_tuples_count(t), 85);
	assert_int_equal(tuple_number(t, 0), 5);
	assert_int_equal(mmi_tuples_join(t, 1).absent, 10);
	assert_int_equal(mmi_tuples_join(t, 1).extra, 0);
	assert_int_equal(mmi_tuples_join(t, 2).absent, 5);
	assert_int_equal(mmi_tuples_join(t, 2).extra, 5);
	assert_int_equal(mmi_tuples_join(t, 2).count, 100);
	assert_int_equal(w->lines, 3);
	assert_string_equal(w->heard[0], "training data: m1 lacks 10 of 100 keys of m0 (first: 'k90'); they are left out");
	assert_string_equal(w->heard[2],
	                    "training data: 5 of 100 keys of m2 are not in m0 (first: 'k100'); they are left out");
	mmi_tuples_close(t);
}

static void nothing_in_common_is_an_error_that_shows_keys(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;

	w->instance[1].prefix = "img_";
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e,
	             "no key is present in all 3 modalities: m1 shares 0 of the 100 "
	             "keys of m0 (like 'k0'), its own are like 'img_0'; do they read the same data set?");
	w->instance[1].prefix = "k0#"; /* as where one section takes pictures, the other each of their captions */
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e,
	             "its own are like 'k0#0'; they differ by #K, the number of a caption: set "
	             "`captions` alike in both sections");
	w->instance[1].prefix = "k";
	w->instance[1].count = 40;
	w->instance[2].first = 60;
	w->instance[2].count = 40; /* each shares with m0, but not the same */
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e,
	             "m2 shares 40 of the 100 keys of m0 (like 'k0'); do they");
}

static void labels_that_disagree_are_an_error_with_the_key(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;

	w->instance[2].odd_label = 42;
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e, "key 'k42' has label 2 in m0, but 3 in m2");
	w->modality[2].info.n_classes = 0; /* a modality without labels has nothing to disagree with */
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	assert_int_equal(mmi_tuples_label(t, 42), 2);
	mmi_tuples_close(t);
	w->modality[1].info.n_classes = 5;
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e,
	             "[m1] label: key 'k5' has label 5, expected 0 to 4");
}

static void a_key_twice_and_data_that_do_not_open_are_errors(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;

	w->instance[0].twin = 9;
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e, "m0: key 'k0' occurs twice");
	w->instance[0].twin = NEVER;
	w->instance[1].twin = 9;
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e, "m1: key 'k0' occurs twice");
	w->instance[1].count = -1;
	assert_fails(try_part(w, MMI_PART_TEST, 0, &e), MM_EIO, e, "[m1] open (test data): no such folder");
	w->instance[1].count = 0;
	assert_fails(try_part(w, MMI_PART_TRAIN, 0, &e), MM_EFORMAT, e, "m1: the training data is empty");
}

static void unreadable_and_infinite_samples_are_named(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	float x[MODALITIES][FLOATS];
	float *out[MODALITIES] = { x[0], x[1], x[2] };

	w->instance[1].broken = 7;
	w->instance[2].infinite = 8;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	assert_fails(mmi_tuples_read(t, 7, out, &e), MM_EFORMAT, e, "[m1] read of sample 'k7': picture is cut off");
	assert_fails(mmi_tuples_read(t, 8, out, &e), MM_EFORMAT, e,
	             "[m2] read: sample 'k8': value 3 is inf, expected a number");
	assert_ok(mmi_tuples_read(t, 9, out, &e), e);
	w->modality[0].info.support = MM_SUPPORT_BOX;
	w->modality[0].info.lo = -1;
	w->modality[0].info.hi = 9;
	assert_ok(mmi_tuples_read(t, 9, out, &e), e);
	assert_fails(mmi_tuples_read(t, 10, out, &e), MM_EFORMAT, e,
	             "[m0] read: sample 'k10': value 0 is 10, expected a number from -1 to 9");
	mmi_tuples_close(t);
}

/* ---------------------------------------------------------------- validation */

static void training_and_validation_divide_the_data(void **state)
{
	world *w = *state;
	bool seen[100] = { false };
	mmi_tuples *train = open_part(w, MMI_PART_TRAIN, 30, 1), *held = open_part(w, MMI_PART_VALIDATION, 30, 1);

	assert_int_equal(mmi_tuples_count(train), 70);
	assert_int_equal(mmi_tuples_count(held), 30);
	for (uint32_t i = 0; i < 100; i++) {
		const mmi_tuples *t = i < 70 ? train : held;
		uint32_t at = i < 70 ? i : i - 70;
		int64_t number = tuple_number(t, at);
		assert_false(seen[number]);
		seen[number] = true;
		assert_int_equal(mmi_tuples_label(t, at), number % 10);
		if (at)
			assert_true(number > tuple_number(t, at - 1)); /* the order of the first modality */
	}
	mmi_tuples_close(train);
	mmi_tuples_close(held);
}

static void the_reserve_depends_on_the_seed_alone(void **state)
{
	world *w = *state;
	mmi_tuples *a = open_part(w, MMI_PART_VALIDATION, 30, 1), *b = open_part(w, MMI_PART_VALIDATION, 30, 1),
			   *c = open_part(w, MMI_PART_VALIDATION, 30, 2), *d = open_part(w, MMI_PART_VALIDATION, 20, 1);
	uint32_t differ = 0, inside = 0;

	for (uint32_t i = 0; i < 30; i++) {
		assert_int_equal(tuple_number(a, i), tuple_number(b, i));
		differ += tuple_number(a, i) != tuple_number(c, i);
		for (uint32_t j = 0; j < 20; j++)
			inside += tuple_number(a, i) == tuple_number(d, j);
	}
	assert_true(differ > 20);
	assert_int_equal(inside, 20); /* a larger reserve only adds */
	mmi_tuples_close(a);
	mmi_tuples_close(b);
	mmi_tuples_close(c);
	mmi_tuples_close(d);
}

static void a_reserve_of_everything_is_refused(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;

	assert_fails(try_part(w, MMI_PART_TRAIN, 100, &e), MM_ECONFIG, e,
	             "100 samples are to be held out for validation, expected 1 to 99");
	assert_fails(try_part(w, MMI_PART_VALIDATION, 0, &e), MM_ECONFIG, e, "0 samples are to be held out");
}

/* Groups of one modality are of 10 in a row, those of another of 15: 0-9, 10-19 and so on, bound to each other by 0-14,
 * 15-29 and so on, are 0-29, 30-59, 60-89 and 90-99. */
static void groups_of_any_modality_are_not_parted(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *part[2] = { NULL, NULL };
	uint32_t of[2][4] = { { 0 } };

	w->instance[0].group_size = 10;
	w->instance[2].group_size = 15;
	w->modality[0].group = w->modality[2].group = &fake_groups;
	for (uint64_t seed = 1; seed < 8; seed++) {
		memset(of, 0, sizeof of);
		for (int p = 0; p < 2; p++) {
			assert_ok(mmi_tuples_open(w->modality, MODALITIES, p ? MMI_PART_VALIDATION : MMI_PART_TRAIN, 25, seed, NULL,
			                          &part[p], &e),
			          e);
			for (uint32_t i = 0; i < mmi_tuples_count(part[p]); i++)
				of[p][tuple_number(part[p], i) / 30]++;
			mmi_tuples_close(part[p]);
		}
		for (int g = 0; g < 4; g++) {
			assert_true(!of[0][g] || !of[1][g]);
			assert_int_equal(of[0][g] + of[1][g], g < 3 ? 30 : 10);
		}
		assert_in_range(of[1][0] + of[1][1] + of[1][2] + of[1][3], 25, 40);
	}
	assert_fails(try_part(w, MMI_PART_TRAIN, 95, &e), MM_ECONFIG, e,
	             "groups (of one speaker or recording, say) are not parted");
}

/* Groups of one sample each are no groups: the reserve is the one without. */
static void groups_of_one_change_nothing(void **state)
{
	world *w = *state;
	mmi_tuples *without = open_part(w, MMI_PART_VALIDATION, 30, 1);
	w->instance[1].group_size = 1;
	w->modality[1].group = &fake_groups;
	mmi_tuples *with = open_part(w, MMI_PART_VALIDATION, 30, 1);

	assert_int_equal(mmi_tuples_count(with), 30);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(tuple_number(with, i), tuple_number(without, i));
	mmi_tuples_close(with);
	mmi_tuples_close(without);
}

/* ---------------------------------------------------------------- batches */

enum { BATCH = 16, PER_EPOCH = 6 };

static mmi_batches *start(mmi_tuples *t, uint64_t seed, uint64_t first)
{
	mm_error e = MM_ERROR_INIT;
	mmi_batches *b;

	assert_ok(mmi_batches_create(t, mmi_whole(BATCH), seed, first, true, &b, &e), e);
	return b;
}

static const mmi_batch *next(mmi_batches *b)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_batch *batch = NULL;

	assert_ok(mmi_batches_next(b, &batch, &e), e);
	return batch;
}

static void a_batch_holds_the_samples_its_index_names(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *b = start(t, 1, 0);

	for (uint64_t it = 0; it < 20; it++) {
		const mmi_batch *batch = next(b);
		assert_int_equal(batch->iteration, it);
		assert_int_equal(batch->epoch, it / PER_EPOCH);
		assert_int_equal(batch->size, BATCH);
		for (size_t i = 0; i < BATCH; i++) {
			assert_int_equal(batch->label[i], batch->index[i] % 10);
			for (int m = 0; m < MODALITIES; m++)
				for (int f = 0; f < FLOATS; f++)
					assert_true(batch->x[m][i * FLOATS + (size_t)f] == (float)(batch->index[i] + 1000u * (unsigned)m));
		}
		for (int m = 0; m < MODALITIES; m++)
			assert_int_equal((uintptr_t)batch->x[m] % 64, 0);
	}
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

/* With the number of the draw, which a run that goes on later knows as well; never where a batch is not to be varied.
 */
static void encoders_see_variations_in_training_alone(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *plain;
	w->modality[1].variation = &fake_variation;
	w->instance[1].vary = 0.25f;
	mmi_batches *b = start(t, 1, 3);
	for (uint64_t it = 3; it < 9; it++) {
		const mmi_batch *batch = next(b);
		for (size_t i = 0; i < BATCH; i++)
			for (int m = 0; m < MODALITIES; m++) {
				float as_read = (float)(batch->index[i] + 1000u * (unsigned)m),
					  varied = as_read + 0.25f * (float)(it * BATCH + i + 1);
				assert_true(batch->x[m][i * FLOATS + 2] == as_read);
				assert_true(batch->seen[m][i * FLOATS + 2] == (m == 1 ? varied : as_read));
			}
	}
	mmi_batches_destroy(b);
	assert_ok(mmi_batches_create(t, mmi_whole(BATCH), 1, 3, false, &plain, &e), e);
	const mmi_batch *batch = next(plain);
	assert_null(batch->seen);
	for (size_t i = 0; i < BATCH; i++)
		assert_true(batch->x[1][i * FLOATS] == (float)(batch->index[i] + 1000u));
	mmi_batches_destroy(plain);
	mmi_tuples_close(t);
}

/* Two loaders of half of every batch, with variations as the whole's. */
static void halves_of_a_batch_have_its_rows(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1), *own[2];
	mmi_batches *halves[2], *whole;
	w->modality[1].variation = &fake_variation;
	w->instance[1].vary = 0.25f;
	whole = start(t, 1, 3);
	for (uint32_t h = 0; h < 2; h++) {
		const mmi_span span = { .first = h * BATCH / 2, .rows = BATCH / 2, .of = BATCH };
		own[h] = open_part(w, MMI_PART_TRAIN, 0, 1);
		assert_ok(mmi_batches_create(own[h], span, 1, 3, true, &halves[h], &e), e);
	}
	for (uint64_t it = 3; it < 9; it++) {
		const mmi_batch *all = next(whole);
		for (size_t h = 0; h < 2; h++) {
			const mmi_batch *half = next(halves[h]);
			const size_t first = h * BATCH / 2;
			assert_int_equal(half->size, BATCH / 2);
			assert_memory_equal(half->index, all->index + first, half->size * sizeof *half->index);
			for (int m = 0; m < MODALITIES; m++) {
				assert_memory_equal(half->x[m], all->x[m] + first * FLOATS, half->size * FLOATS * sizeof(float));
				assert_memory_equal(half->seen[m], all->seen[m] + first * FLOATS, half->size * FLOATS * sizeof(float));
			}
		}
	}
	mmi_batches_destroy(whole);
	for (int h = 0; h < 2; h++) {
		mmi_batches_destroy(halves[h]);
		mmi_tuples_close(own[h]);
	}
	mmi_tuples_close(t);
}

/* A plugin that leaves its own range is found out. */
static void a_variation_out_of_range_is_refused(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	const mmi_batch *batch;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	w->modality[2].variation = &fake_variation;
	w->instance[2].vary = NAN;
	mmi_batches *b = start(t, 1, 0);
	assert_fails(mmi_batches_next(b, &batch, &e), MM_EFORMAT, e, "[m2] vary: sample 'k");
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void an_epoch_is_a_new_permutation_without_repeats(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *b = start(t, 1, 0);
	bool ever[100] = { false };
	uint32_t first[2][BATCH];

	assert_int_equal(mmi_batches_per_epoch(b), PER_EPOCH);
	for (int epoch = 0; epoch < 20; epoch++) {
		bool seen[100] = { false };
		for (int k = 0; k < PER_EPOCH; k++) {
			const mmi_batch *batch = next(b);
			for (size_t i = 0; i < BATCH; i++) {
				assert_false(seen[batch->index[i]]);
				seen[batch->index[i]] = ever[batch->index[i]] = true;
			}
			if (epoch < 2 && !k)
				memcpy(first[epoch], batch->index, sizeof first[0]);
		}
	}
	assert_true(memcmp(first[0], first[1], sizeof first[0]) != 0);
	for (int i = 0; i < 100; i++)
		assert_true(ever[i]); /* the four left over in one epoch come up in another */
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void a_batch_depends_on_seed_and_iteration_alone(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	static uint32_t index[25][BATCH];
	mmi_batches *b = start(t, 5, 0);

	for (int it = 0; it < 25; it++)
		memcpy(index[it], next(b)->index, sizeof index[0]);
	mmi_batches_destroy(b);
	for (int first = 1; first < 25; first += 4) { /* resume anywhere, inside an epoch or at its start */
		b = start(t, 5, (uint64_t)first);
		for (int it = first; it < 25; it++) {
			const mmi_batch *batch = next(b);
			assert_int_equal(batch->iteration, it);
			assert_memory_equal(batch->index, index[it], sizeof index[0]);
			assert_true(batch->x[0][0] == (float)index[it][0]);
		}
		mmi_batches_destroy(b);
	}
	b = start(t, 6, 0);
	assert_true(memcmp(next(b)->index, index[0], sizeof index[0]) != 0);
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void wait_for_reads(world *w, int expected)
{
	for (int i = 0; i < 5000 && atomic_load(&w->instance[2].reads) < expected; i++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL); /* time to read too much */
	assert_int_equal(atomic_load(&w->instance[2].reads), expected);
}

static void three_buffers_are_read_ahead_and_used_in_turn(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *b = start(t, 1, 0);
	const float *buffer[3];

	wait_for_reads(w, 3 * BATCH);
	for (int i = 0; i < 3; i++)
		buffer[i] = next(b)->x[1];
	wait_for_reads(w, 5 * BATCH); /* two ahead of the one in use */
	assert_true(buffer[0] != buffer[1] && buffer[1] != buffer[2] && buffer[0] != buffer[2]);
	for (int i = 0; i < 30; i++)
		assert_ptr_equal(next(b)->x[1], buffer[i % 3]);
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void the_batch_in_use_is_not_overwritten(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *b = start(t, 1, 0);
	float copy[BATCH * FLOATS];

	for (int it = 0; it < 10; it++) {
		const mmi_batch *batch = next(b);
		memcpy(copy, batch->x[0], sizeof copy);
		wait_for_reads(w, (it + 3) * BATCH);
		assert_memory_equal(copy, batch->x[0], sizeof copy);
	}
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void a_sample_that_cannot_be_read_fails_its_own_batch(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	const mmi_batch *batch = NULL;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);
	mmi_batches *b = start(t, 1, 0);
	uint32_t culprit = 0;

	for (int it = 0; it < 5; it++)
		culprit = next(b)->index[3]; /* of batch 4: no earlier one of this epoch has it */
	mmi_batches_destroy(b);
	w->instance[1].broken = culprit;
	b = start(t, 1, 0);
	for (int it = 0; it < 4; it++)
		next(b);
	char expected[64];
	snprintf(expected, sizeof expected, "[m1] read of sample 'k%u': picture is cut off", culprit);
	for (int again = 0; again < 3; again++)
		assert_fails(mmi_batches_next(b, &batch, &e), MM_EFORMAT, e, expected);
	assert_null(batch);
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void the_loader_stops_at_once_whatever_it_does(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);

	for (int taken = 0; taken < 5; taken++)
		for (int pause = 0; pause < 4; pause++) {
			mmi_batches *b = start(t, 1, 0);
			for (int i = 0; i < taken; i++)
				next(b);
			nanosleep(&(struct timespec){ 0, pause * 50000L }, NULL);
			mmi_batches_destroy(b);
		}
	mmi_batches_destroy(NULL);
	w->instance[0].slow_us = 20000; /* a batch takes 320 ms: the loader is in the middle of one */
	atomic_store(&w->instance[0].reads, 0);
	mmi_batches *b = start(t, 1, 0);
	nanosleep(&(struct timespec){ 0, 3000000 }, NULL);
	mmi_batches_destroy(b);
	assert_in_range(atomic_load(&w->instance[0].reads), 0, BATCH - 1);
	mmi_tuples_close(t);
}

static void batches_that_cannot_be_filled_are_refused(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_batches *b = NULL;
	mmi_tuples *t = open_part(w, MMI_PART_TRAIN, 0, 1);

	assert_fails(mmi_batches_create(t, mmi_whole(101), 1, 0, false, &b, &e), MM_ECONFIG, e,
	             "a batch of 101 samples, expected 1 to 100");
	assert_fails(mmi_batches_create(t, mmi_whole(0), 1, 0, false, &b, &e), MM_ECONFIG, e, "a batch of 0 samples");
	assert_null(b);
	assert_ok(mmi_batches_create(t, mmi_whole(100), 1, 0, false, &b, &e), e);
	assert_int_equal(mmi_batches_per_epoch(b), 1);
	next(b);
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_found_by_text_and_numbered_in_order),
		TEST(samples_meet_by_key_in_the_first_modality_s_order),
		TEST(the_test_part_reads_the_test_split),
		TEST(keys_without_partners_are_left_out_and_told),
		TEST(nothing_in_common_is_an_error_that_shows_keys),
		TEST(labels_that_disagree_are_an_error_with_the_key),
		TEST(a_key_twice_and_data_that_do_not_open_are_errors),
		TEST(unreadable_and_infinite_samples_are_named),
		TEST(training_and_validation_divide_the_data),
		TEST(groups_of_any_modality_are_not_parted),
		TEST(groups_of_one_change_nothing),
		TEST(the_reserve_depends_on_the_seed_alone),
		TEST(a_reserve_of_everything_is_refused),
		TEST(a_batch_holds_the_samples_its_index_names),
		TEST(encoders_see_variations_in_training_alone),
		TEST(halves_of_a_batch_have_its_rows),
		TEST(a_variation_out_of_range_is_refused),
		TEST(an_epoch_is_a_new_permutation_without_repeats),
		TEST(a_batch_depends_on_seed_and_iteration_alone),
		TEST(three_buffers_are_read_ahead_and_used_in_turn),
		TEST(the_batch_in_use_is_not_overwritten),
		TEST(a_sample_that_cannot_be_read_fails_its_own_batch),
		TEST(the_loader_stops_at_once_whatever_it_does),
		TEST(batches_that_cannot_be_filled_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
