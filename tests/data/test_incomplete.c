/* test_incomplete.c - training data with modalities missing: keys that only some hold, and modalities hidden at random.
 */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include "../rig/data_rig.h"

/* m1 holds the first 60 of m0's 100 keys, m2 the last 60. */
static mmi_tuples *open_gaps(world *w, bool keep)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_log log = { .line = hear, .ctx = w };
	mmi_tuples *t = NULL;
	w->instance[1].count = 60;
	w->instance[2].count = 60;
	w->instance[2].first = 40;
	assert_int_equal((keep ? mmi_tuples_open_incomplete : mmi_tuples_open)(w->modality, MODALITIES, MMI_PART_TRAIN, 0,
	                                                                       1, &log, &t, &e),
	                 MM_OK);
	return t;
}

static void incomplete_tuples_are_kept_when_asked_for(void **state)
{
	world *w = *state;
	mmi_tuples *t = open_gaps(w, false);
	assert_int_equal(mmi_tuples_count(t), 20);
	assert_true(mmi_tuples_complete(t));
	mmi_tuples_close(t);
	t = open_gaps(w, true);
	assert_int_equal(mmi_tuples_count(t), 100);
	assert_false(mmi_tuples_complete(t));
	for (uint32_t i = 0; i < 100; i++) {
		assert_true(mmi_tuples_has(t, i, 0));
		assert_true(mmi_tuples_has(t, i, 1) == (i < 60));
		assert_true(mmi_tuples_has(t, i, 2) == (i >= 40));
		assert_int_equal(mmi_tuples_label(t, i), (int)(i % 10));
	}
	assert_non_null(strstr(w->heard[2], "kept without it"));
	mmi_tuples_close(t);
}

/* Opens what three or two modalities hold, as sections in any order; `lacks` holds 40 to 79 only, the others 0 to 99.
 */
static mmi_tuples *open_in_order(world *w, const int *order, size_t n, int lacks, mmi_modality *modality)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t = NULL;
	for (int m = 0; m < MODALITIES; m++) {
		w->instance[m].count = m == lacks ? 40 : 100;
		w->instance[m].first = m == lacks ? 40 : 0;
	}
	for (size_t i = 0; i < n; i++)
		modality[i] = w->modality[order[i]];
	assert_int_equal(mmi_tuples_open_incomplete(modality, n, MMI_PART_TRAIN, 0, 1, NULL, &t, &e), MM_OK);
	return t;
}

static void whatever_is_lacking_all_tuples_are_kept_in_one_order(void **state)
{
	static const int orders[][MODALITIES] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	world *w = *state;
	for (size_t n = 2; n <= MODALITIES; n++)
		for (size_t o = 0; o < MMI_COUNT(orders); o++)
			for (size_t k = 0; k < n; k++) {
				const int lacks = orders[o][k];
				mmi_modality modality[MODALITIES];
				mmi_tuples *t = open_in_order(w, orders[o], n, lacks, modality);
				assert_int_equal(mmi_tuples_count(t), 100);
				for (uint32_t i = 0; i < 100; i++) {
					assert_int_equal(atoi(mmi_tuples_key(t, i) + 1), i);
					assert_int_equal(mmi_tuples_label(t, i), i % 10);
					for (size_t m = 0; m < n; m++)
						assert_true(mmi_tuples_has(t, i, m) == (m != k || (i >= 40 && i < 80)));
				}
				mmi_tuples_close(t);
			}
}

/* Every tuple lacks one of three, and every modality has keys of its own: nothing is complete, all of it is data. */
static void keys_that_no_modality_shares_with_all_are_kept(void **state)
{
	static const int orders[][MODALITIES] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t = NULL;
	char first[150][8];
	for (size_t o = 0; o < MMI_COUNT(orders); o++) {
		mmi_modality modality[MODALITIES];
		for (int m = 0; m < MODALITIES; m++) {
			w->instance[m].count = 60;
			w->instance[m].first = 45 * m; /* 0 to 59, 45 to 104, 90 to 149 */
		}
		for (int m = 0; m < MODALITIES; m++)
			modality[m] = w->modality[orders[o][m]];
		assert_int_equal(mmi_tuples_open_incomplete(modality, MODALITIES, MMI_PART_TRAIN, 0, 1, NULL, &t, &e), MM_OK);
		assert_int_equal(mmi_tuples_count(t), 150);
		for (uint32_t i = 0; i < 150; i++) {
			if (o)
				assert_string_equal(first[i], mmi_tuples_key(t, i));
			snprintf(first[i], sizeof first[i], "%s", mmi_tuples_key(t, i));
		}
		mmi_tuples_drop_incomplete(t);
		assert_int_equal(mmi_tuples_count(t), 0);
		mmi_tuples_close(t);
	}
	w->instance[1].prefix = "other";
	assert_int_equal(mmi_tuples_open_incomplete(w->modality, MODALITIES, MMI_PART_TRAIN, 0, 1, NULL, &t, &e),
	                 MM_EFORMAT);
	assert_non_null(strstr(e.message, "no key of m0 (like 'k0') is in any other modality"));
}

/* Of data sorted by class, a few of each: and the same few whoever asks. */
static void a_pick_is_of_all_the_data(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *a = open_gaps(w, true), *b = open_gaps(w, true);
	bool seen[100] = { false };
	int late = 0, moved = 0;
	assert_int_equal(mmi_tuples_pick(a, 30, 7, &e), MM_OK);
	assert_int_equal(mmi_tuples_pick(b, 1000, 7, &e), MM_OK);
	assert_int_equal(mmi_tuples_count(a), 30);
	assert_int_equal(mmi_tuples_count(b), 100);
	for (uint32_t i = 0; i < 100; i++) {
		const int number = atoi(mmi_tuples_key(b, i) + 1);
		assert_false(seen[number]);
		seen[number] = true;
		late += i < 30 && number >= 50;
		moved += number != (int)i;
		assert_int_equal(mmi_tuples_label(b, i), number % 10);
		assert_true(mmi_tuples_has(b, i, 1) == (number < 60) && mmi_tuples_has(b, i, 2) == (number >= 40));
		if (i < 30)
			assert_string_equal(mmi_tuples_key(a, i), mmi_tuples_key(b, i));
	}
	assert_in_range(late, 6, 24);
	assert_true(moved > 80);
	mmi_tuples_close(a);
	mmi_tuples_close(b);
}

/* Of both parts together nothing is there twice, and validation keeps its place when incomplete tuples go. */
static void complete_validation_tuples_are_none_of_training_s(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *train = NULL, *validation = NULL;
	bool seen[100] = { false };
	mmi_tuples_close(open_gaps(w, true));
	assert_int_equal(mmi_tuples_open_incomplete(w->modality, MODALITIES, MMI_PART_TRAIN, 50, 1, NULL, &train, &e),
	                 MM_OK);
	assert_int_equal(
		mmi_tuples_open_incomplete(w->modality, MODALITIES, MMI_PART_VALIDATION, 50, 1, NULL, &validation, &e), MM_OK);
	mmi_tuples_drop_incomplete(validation);
	assert_true(mmi_tuples_complete(validation));
	assert_in_range(mmi_tuples_count(validation), 1, 19);
	for (uint32_t i = 0; i < mmi_tuples_count(train); i++)
		seen[atoi(mmi_tuples_key(train, i) + 1)] = true;
	for (uint32_t i = 0; i < mmi_tuples_count(validation); i++) {
		int number = atoi(mmi_tuples_key(validation, i) + 1);
		assert_true(number >= 40 && number < 60 && !seen[number]);
		assert_int_equal(mmi_tuples_label(validation, i), number % 10);
	}
	mmi_tuples_close(train);
	mmi_tuples_close(validation);
}

static void what_is_missing_reads_as_zeros_and_is_not_read_from_the_plugin(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	float x[MODALITIES][FLOATS], *const out[MODALITIES] = { x[0], x[1], x[2] };
	mmi_tuples *t = open_gaps(w, true);
	memset(x, 0xff, sizeof x);
	assert_int_equal(mmi_tuples_read(t, 70, out, &e), MM_OK);
	for (int i = 0; i < FLOATS; i++)
		assert_true(x[0][i] == 70 && x[1][i] == 0 && x[2][i] == 2070);
	assert_int_equal(atomic_load(&w->instance[1].reads), 0);
	mmi_tuples_close(t);
}

static mmi_tuples *open_hidden(world *w, double hide, uint64_t seed)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t = NULL;
	for (int m = 0; m < MODALITIES; m++)
		w->instance[m].count = 3000;
	assert_int_equal(mmi_tuples_open(w->modality, MODALITIES, MMI_PART_TRAIN, 0, 1, NULL, &t, &e), MM_OK);
	assert_int_equal(mmi_tuples_hide(t, hide, seed, &e), MM_OK);
	return t;
}

/* Hidden independently with probability 1/2, and one of a tuple that lost all comes back: 1/2 + 1/8 * 1/3 of each are
 * left. */
static void the_share_asked_for_is_hidden_but_never_a_whole_tuple(void **state)
{
	world *w = *state;
	int there[MODALITIES] = { 0 };
	mmi_tuples *t = open_hidden(w, 0.5, 7);
	for (uint32_t i = 0; i < 3000; i++) {
		int left = 0;
		for (size_t m = 0; m < MODALITIES; m++) {
			left += mmi_tuples_has(t, i, m);
			there[m] += mmi_tuples_has(t, i, m);
		}
		assert_true(left > 0);
	}
	for (int m = 0; m < MODALITIES; m++)
		assert_true(fabs(there[m] / 3000.0 - (0.5 + 0.125 / 3)) < 4.5 * sqrt(0.25 / 3000));
	mmi_tuples_close(t);
}

static void what_is_hidden_depends_on_the_seed_alone(void **state)
{
	world *w = *state;
	int same = 0, differ = 0;
	mmi_tuples *a = open_hidden(w, 0.3, 7), *b = open_hidden(w, 0.3, 7), *c = open_hidden(w, 0.3, 8);
	for (uint32_t i = 0; i < 3000; i++)
		for (size_t m = 0; m < MODALITIES; m++) {
			same += mmi_tuples_has(a, i, m) == mmi_tuples_has(b, i, m);
			differ += mmi_tuples_has(a, i, m) != mmi_tuples_has(c, i, m);
		}
	assert_int_equal(same, 3000 * MODALITIES);
	assert_true(differ > 3000);
	mmi_tuples_close(a);
	mmi_tuples_close(b);
	mmi_tuples_close(c);
}

static void batches_say_what_each_sample_has(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_batches *b;
	const mmi_batch *batch;
	mmi_tuples *t = open_gaps(w, true);
	assert_int_equal(mmi_batches_create(t, mmi_whole(25), 3, 0, false, &b, &e), MM_OK);
	for (int k = 0; k < 4; k++) {
		assert_int_equal(mmi_batches_next(b, &batch, &e), MM_OK);
		for (size_t i = 0; i < batch->size; i++)
			for (size_t m = 0; m < MODALITIES; m++) {
				bool has = mmi_tuples_has(t, batch->index[i], m);
				assert_true(batch->observed[m][i] == (has ? 1.0f : 0.0f));
				assert_true((batch->x[m][i * FLOATS] == 0) == (!has || (m == 0 && batch->index[i] == 0)));
			}
	}
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

static void complete_data_have_nothing_to_say(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_batches *b;
	const mmi_batch *batch;
	mmi_tuples *t = NULL;
	assert_int_equal(mmi_tuples_open_incomplete(w->modality, MODALITIES, MMI_PART_TRAIN, 0, 1, NULL, &t, &e), MM_OK);
	assert_int_equal(mmi_batches_create(t, mmi_whole(25), 3, 0, false, &b, &e), MM_OK);
	assert_int_equal(mmi_batches_next(b, &batch, &e), MM_OK);
	assert_null(batch->observed);
	mmi_batches_destroy(b);
	mmi_tuples_close(t);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		ONE(incomplete_tuples_are_kept_when_asked_for),
		ONE(whatever_is_lacking_all_tuples_are_kept_in_one_order),
		ONE(keys_that_no_modality_shares_with_all_are_kept),
		ONE(a_pick_is_of_all_the_data),
		ONE(complete_validation_tuples_are_none_of_training_s),
		ONE(what_is_missing_reads_as_zeros_and_is_not_read_from_the_plugin),
		ONE(the_share_asked_for_is_hidden_but_never_a_whole_tuple),
		ONE(what_is_hidden_depends_on_the_seed_alone),
		ONE(batches_say_what_each_sample_has),
		ONE(complete_data_have_nothing_to_say),
	};

	return cmocka_run_group_tests_name("incomplete data", tests, NULL, NULL);
}
