/* test_select.c - selecting the best checkpoint: the validation figure against one made by hand, that measuring leaves
 * no trace, and which checkpoints are kept whatever happens to a run. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/store_rig.h"

#include <inttypes.h>
#include <math.h>

#include "train/best.h"
#include "train/select.h"
#include "store/files.h"

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---------------------------------------------------------------- tuples of the rig's modalities */

enum { TUPLES = 21, LACKING = 4 /* every so many-th sample of the last modality is absent */ };

struct mm_dataset {
	learner_rig *r;
	bool lacks;
};

static mm_dataset sets[RIG_MODALITIES];

static mm_status fake_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	(void)split;
	(void)e;
	*out = &sets[*(const int *)(const void *)i]; /* the rig's instances begin with their kind */
	return MM_OK;
}

static void fake_close(mm_dataset *d)
{
	(void)d;
}

static uint64_t fake_count(const mm_dataset *d)
{
	return d->lacks ? TUPLES - (TUPLES + LACKING - 1) / LACKING : TUPLES;
}

/* Which tuple a dataset's sample belongs to. */
static uint64_t tuple_of(const mm_dataset *d, uint64_t index)
{
	return d->lacks ? index + index / (LACKING - 1) + 1 : index;
}

static mm_status fake_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	(void)e;
	snprintf(out, size, "k%" PRIu64, tuple_of(d, index));
	return MM_OK;
}

static int32_t fake_label(const mm_dataset *d, uint64_t index)
{
	(void)d;
	(void)index;
	return -1;
}

/* Tuple i is row i mod 16 of the rig's batch 1000 + i / 16. */
static mm_status fake_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	uint64_t i = tuple_of(d, index);
	size_t m = (size_t)(d - sets), count = (size_t)d->r->modality[m].count;
	(void)e;
	rig_batch(d->r, 1000 + i / 16);
	memcpy(out, d->r->x[m] + i % 16 * count, count * sizeof *out);
	return MM_OK;
}

static mm_modality_desc descs[RIG_MODALITIES];

static mmi_tuples *open_tuples(learner_rig *r, mmi_modality *own, bool lacking)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tuples *t;
	for (int m = 0; m < RIG_MODALITIES; m++) {
		sets[m] = (mm_dataset){ r, lacking && m == RIG_MODALITIES - 1 };
		own[m] = r->modality[m];
		descs[m] = *own[m].desc;
		descs[m].open = fake_open;
		descs[m].close = fake_close;
		descs[m].count = fake_count;
		descs[m].key = fake_key;
		descs[m].label = fake_label;
		descs[m].read = fake_read;
		own[m].desc = &descs[m];
	}
	assert_ok((lacking ? mmi_tuples_open_incomplete : mmi_tuples_open)(own, RIG_MODALITIES, MMI_PART_TEST, 0, 1, NULL,
	                                                                   &t, &e),
	          e);
	return t;
}

static mmi_select *open_select(learner_rig *r, bool lacking)
{
	mm_error e = MM_ERROR_INIT;
	mmi_modality own[RIG_MODALITIES];
	mmi_select *s;
	mmi_tuples *t = open_tuples(r, own, lacking);
	assert_ok(mmi_select_create(r->learner, t, &s, &e), e);
	mmi_tuples_close(t);
	return s;
}

/* ---------------------------------------------------------------- the figure */

static double nll(const mmi_modality *m, const float *x, const float *mean)
{
	double sum = 0, scale = (double)m->info.likelihood_scale;
	for (int64_t k = 0; k < m->count; k++) {
		double d = (double)x[k] - (double)mean[k];
		if (m->info.likelihood == MM_LIKELIHOOD_GAUSSIAN)
			sum += 0.5 * d * d / (scale * scale) + log(scale) + 0.91893853320467274;
		else if (m->info.likelihood == MM_LIKELIHOOD_LAPLACE)
			sum += fabs(d) / scale + log(2 * scale);
		else
			sum -= (double)x[k] * log((double)mean[k]);
	}
	return (double)m->info.likelihood_weight * sum;
}

static bool has(bool lacking, uint32_t m, uint32_t i)
{
	return !lacking || m + 1 < RIG_MODALITIES || i % LACKING;
}

/* All pairs, one block of the batch's size after the other; what is missing is zero. */
static double by_hand(learner_rig *r, bool lacking)
{
	mm_error e = MM_ERROR_INIT;
	mmi_experts experts;
	mmi_latents z;
	float *x[RIG_MODALITIES], *mean[RIG_MODALITIES], alone[RIG_MODALITIES][16];
	double sum = 0, pairs = 0;
	assert_ok(mmi_experts_create(r->model, 16, &experts, &e), e);
	assert_ok(mmi_latents_create(r->model, 16, &z, &e), e);
	for (int m = 0; m < RIG_MODALITIES; m++) {
		x[m] = mmi_alloc(16 * (size_t)r->modality[m].count, sizeof(float));
		mean[m] = mmi_alloc(16 * (size_t)r->modality[m].count, sizeof(float));
	}
	for (uint32_t first = 0; first < TUPLES; first += 16) {
		rig_batch(r, 1000 + first / 16);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++)
			for (uint32_t i = 0; i < 16; i++) {
				size_t count = (size_t)r->modality[m].count;
				bool there = first + i < TUPLES && has(lacking, m, first + i);
				memset(x[m] + i * count, 0, count * sizeof(float));
				if (there)
					memcpy(x[m] + i * count, r->x[m] + i * count, count * sizeof(float));
			}
		mmi_sampler_encode(r->learner->sampler, (const float *const *)x, 16, &experts);
		for (uint32_t s = 0; s < RIG_MODALITIES; s++) {
			uint32_t expert[16];
			const float *given[RIG_MODALITIES];
			for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
				given[m] = alone[m];
				for (int i = 0; i < 16; i++)
					alone[m][i] = m == s;
			}
			for (int i = 0; i < 16; i++)
				expert[i] = s;
			mmi_start_args a = {
				.iteration = first, .chain = s, .expert = expert, .observed = given, .temperature = 1
			};
			mmi_sampler_reseed(r->learner->sampler, UINT64_C(1) << 32);
			mmi_sampler_start(r->learner->sampler, &a, &experts, mmi_whole(16), &z);
			mmi_sampler_decode(r->learner->sampler, &z, 16, mean);
			for (uint32_t i = 0; i < 16 && first + i < TUPLES; i++)
				for (uint32_t t = 0; t < RIG_MODALITIES; t++) {
					size_t at = i * (size_t)r->modality[t].count;
					if (t == s || !has(lacking, s, first + i) || !has(lacking, t, first + i))
						continue;
					sum += nll(&r->modality[t], x[t] + at, mean[t] + at);
					pairs++;
				}
		}
	}
	mmi_sampler_reseed(r->learner->sampler, (uint64_t)r->learner->state.rollbacks);
	for (int m = 0; m < RIG_MODALITIES; m++) {
		mmi_free(x[m]);
		mmi_free(mean[m]);
	}
	mmi_experts_clear(&experts);
	mmi_latents_clear(&z);
	return sum / pairs;
}

static void compare(const char *const *with, bool lacking)
{
	learner_rig r;
	rig_open(&r, with);
	mmi_select *s = open_select(&r, lacking);
	for (int round = 0; round < 2; round++) {
		double found = mmi_select_nll(s), expected = by_hand(&r, lacking);
		if (!(fabs(found - expected) < 1e-5 * fabs(expected)))
			fail_msg("round %d: %.9g, by hand %.9g", round, found, expected);
		rig_run(&r, 3);
	}
	mmi_select_destroy(s);
	rig_close(&r);
}

static void the_figure_is_what_a_count_by_hand_gives(void **state)
{
	(void)state;
	compare(SETS("learner.experts=one"), false);
	compare(SETS("learner.private_dim=2"), false);
	compare(SETS("learner.private_dim=2", "learner.prior=laplace"), true);
	compare(SETS("learner.objective=mvae"), true);
	compare(SETS("learner.objective=mopoe"), false);
}

static void it_is_of_the_moving_average(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.generator_ema=0.9"));
	rig_run(&r, 5);
	mmi_select *s = open_select(&r, false);
	double raw = by_hand(&r, false), found = mmi_select_nll(s);
	memcpy(r.model->generator->raw.at, r.learner->generator.ema.at, r.model->generator->count * sizeof(float));
	mmi_params_update(r.model->generator, 0);
	double average = by_hand(&r, false);
	assert_true(fabs(found - average) < 1e-5 * fabs(average));
	assert_true(fabs(found - raw) > 1e-3);
	mmi_select_destroy(s);
	rig_close(&r);
}

/* Asked before every iteration, or never. */
static void measuring_leaves_no_trace(void **state)
{
	static const char *const threads[] = { "run.threads=1", "run.threads=2" };
	learner_rig asked, plain;
	double last[2];
	mm_error e = MM_ERROR_INIT;
	(void)state;
	for (int k = 0; k < 2; k++) {
		rig_open(&asked, SETS(threads[k], "learner.generator_ema=0.9", "learner.private_dim=2", "data.hide=0.2"));
		rig_open(&plain, SETS("learner.generator_ema=0.9", "learner.private_dim=2", "data.hide=0.2"));
		mmi_select *s = open_select(&asked, false);
		for (int i = 0; i < 6; i++) {
			double once = mmi_select_nll(s);
			assert_true(once == mmi_select_nll(s));
			if (i == 3) {
				assert_ok(mmi_learner_rollback(asked.learner, 0, &e), e);
				assert_ok(mmi_learner_rollback(plain.learner, 0, &e), e);
				mmi_select_nll(s);
			}
			rig_run(&asked, 1);
			rig_run(&plain, 1);
		}
		last[k] = mmi_select_nll(s);
		rig_assert_same(&asked, &plain);
		mmi_select_destroy(s);
		rig_close(&asked);
		rig_close(&plain);
	}
	assert_true(last[0] == last[1]);
}

static void selecting_needs_tuples_held_out(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_config *c;
	mmi_settings s;
	(void)state;
	assert_ok(mmi_config_create(&c, &e), e);
	assert_ok(mmi_config_set(c, "run.select=nll", &e), e);
	assert_fails(mmi_settings_read(c, &s, &e), MM_ECONFIG, e, "no validation tuples");
	assert_ok(mmi_config_set(c, "data.holdout=5", &e), e);
	assert_ok(mmi_settings_read(c, &s, &e), e);
	assert_true(s.select_nll);
	mmi_config_destroy(c);
}

/* ---------------------------------------------------------------- which checkpoints are kept */

enum { COURSE = 4000, EVERY = 3, SNAPSHOT = 20, KEEP = 2 };

/* A run that learns nothing: its values are drawn, its iterations counted. */
typedef struct fake_run {
	mmi_runfolder *folder;
	mmi_best best;
	double value[COURSE + 1]; /* of the present course; NaN where nothing was measured */
	int64_t iteration;
	uint64_t snapshot, seed;
} fake_run;

static uint32_t below(fake_run *r, uint32_t n)
{
	r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(r->seed >> 33) % n;
}

static void save(fake_run *r)
{
	mm_error e = MM_ERROR_INIT;
	char text[32];
	const mmi_best_record *record = mmi_best_at(&r->best, (uint64_t)r->iteration);
	const mmi_tensor_item item = mmi_item_counter("state.iteration", &r->iteration);
	char *path = mmi_checkpoint_file(mmi_runfolder_checkpoints(r->folder), (uint64_t)r->iteration);
	const mmi_text_pair meta = { MMI_BEST_META, text };
	snprintf(text, sizeof text, "%.17g", record ? record->value : 0);
	assert_ok(mmi_checkpoint_save(path, &item, 1, &meta, record != NULL, &e), e);
	mmi_free(path);
}

/* The best one of the present course, by looking at all of it; 0: none. */
static uint64_t truly_best(const fake_run *r)
{
	uint64_t best = 0;
	for (int64_t i = 1; i <= r->iteration; i++)
		if (!isnan(r->value[i]) && (!best || r->value[i] < r->value[best]))
			best = (uint64_t)i;
	return best;
}

static void check_best(const fake_run *r, bool linked)
{
	mm_error e = MM_ERROR_INIT;
	uint64_t expected = truly_best(r);
	const mmi_best_record *last = mmi_best_last(&r->best);
	mmi_checkpoint *ck;
	int64_t found;
	assert_int_equal(last ? last->iteration : 0, expected);
	if (!linked)
		return;
	assert_int_equal(access(mmi_runfolder_best(r->folder), F_OK) == 0, expected != 0);
	if (!expected)
		return;
	assert_ok(mmi_checkpoint_open(mmi_runfolder_best(r->folder), &ck, &e), e);
	assert_ok(mmi_checkpoint_counter(ck, "state.iteration", &found, &e), e);
	assert_int_equal(found, expected);
	mmi_checkpoint_close(ck);
}

static void walk(fake_run *r)
{
	mm_error e = MM_ERROR_INIT;
	r->iteration++;
	r->value[r->iteration] = NAN;
	if (r->iteration % EVERY)
		return;
	/* Falls for a while, then rises: the best one is soon an old one. */
	r->value[r->iteration] = fabs((double)r->iteration - 60) + below(r, 30);
	assert_ok(mmi_best_add(&r->best, (uint64_t)r->iteration, r->value[r->iteration], &e), e);
	save(r);
	if (below(r, 8)) { /* else killed before */
		assert_ok(mmi_best_link(&r->best, r->folder, &e), e);
		assert_ok(mmi_best_prune(&r->best, mmi_runfolder_checkpoints(r->folder), KEEP, r->snapshot, &e), e);
		check_best(r, true);
	}
}

static void roll_back(fake_run *r)
{
	mm_error e = MM_ERROR_INIT;
	r->iteration = (int64_t)r->snapshot;
	mmi_best_back(&r->best, r->snapshot);
	save(r);
	assert_ok(mmi_best_link(&r->best, r->folder, &e), e);
	assert_ok(mmi_checkpoint_drop_after(mmi_runfolder_checkpoints(r->folder), r->snapshot, &e), e);
	check_best(r, true);
}

static void resume(fake_run *r, bool damaged)
{
	mm_error e = MM_ERROR_INIT;
	const char *folder = mmi_runfolder_checkpoints(r->folder);
	uint64_t *list;
	size_t n;
	assert_ok(mmi_checkpoint_list(folder, &list, &n, &e), e);
	if (damaged && n > 1) {
		char *path = mmi_checkpoint_file(folder, list[--n]);
		assert_int_equal(unlink(path), 0);
		mmi_free(path);
	}
	r->iteration = n ? (int64_t)list[n - 1] : 0;
	r->snapshot = (uint64_t)r->iteration;
	mmi_free(list);
	mmi_best_clear(&r->best);
	assert_ok(mmi_best_read(folder, (uint64_t)r->iteration, &r->best, &e), e);
	assert_ok(mmi_best_link(&r->best, r->folder, &e), e);
	check_best(r, true);
}

static size_t files_in(const char *folder)
{
	mm_error e = MM_ERROR_INIT;
	uint64_t *list;
	size_t n;
	assert_ok(mmi_checkpoint_list(folder, &list, &n, &e), e);
	mmi_free(list);
	return n;
}

/* Rollbacks, kills and damaged checkpoints at random, against a look at the whole course. */
static void whatever_happens_the_best_checkpoint_is_there(void **state)
{
	mm_error e = MM_ERROR_INIT;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		fake_run *r = calloc(1, sizeof *r);
		char name[16];
		int back = 0;
		assert_non_null(r);
		r->seed = seed;
		snprintf(name, sizeof name, "run%" PRIu64, seed);
		assert_ok(mmi_runfolder_open(rig_path(*state, name), false, &r->folder, &e), e);
		save(r);
		while (r->iteration < 150) {
			if (r->iteration % SNAPSHOT == 0)
				r->snapshot = (uint64_t)r->iteration;
			walk(r);
			uint32_t luck = below(r, 60);
			if (luck == 0)
				resume(r, false);
			else if (luck == 1)
				resume(r, true);
			else if (luck == 2)
				roll_back(r);
			back += luck < 3;
		}
		assert_true(back > 3);
		assert_in_range(files_in(mmi_runfolder_checkpoints(r->folder)), KEEP, KEEP + 1 + SNAPSHOT / EVERY + 1);
		mmi_best_clear(&r->best);
		mmi_runfolder_close(r->folder);
		free(r);
	}
}

static void ties_and_what_is_no_number_are_no_improvement(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_best b = { 0 };
	(void)state;
	assert_null(mmi_best_last(&b));
	assert_ok(mmi_best_add(&b, 1, NAN, &e), e);
	assert_ok(mmi_best_add(&b, 2, INFINITY, &e), e);
	assert_null(mmi_best_last(&b));
	assert_ok(mmi_best_add(&b, 3, 5, &e), e);
	assert_ok(mmi_best_add(&b, 4, 5, &e), e);
	assert_ok(mmi_best_add(&b, 5, 6, &e), e);
	assert_int_equal(mmi_best_last(&b)->iteration, 3);
	assert_ok(mmi_best_add(&b, 6, -1, &e), e);
	assert_int_equal(mmi_best_last(&b)->iteration, 6);
	mmi_best_back(&b, 5);
	assert_int_equal(mmi_best_last(&b)->iteration, 3);
	mmi_best_back(&b, 2);
	assert_null(mmi_best_last(&b));
	mmi_best_clear(&b);
}

static void a_second_name_is_replaced_and_leaves_nothing_behind(void **state)
{
	mm_error e = MM_ERROR_INIT;
	size_t bytes;
	char one[400], two[400], name[400];
	snprintf(one, sizeof one, "%s", rig_path(*state, "one"));
	snprintf(two, sizeof two, "%s", rig_path(*state, "two"));
	snprintf(name, sizeof name, "%s", rig_path(*state, "name"));
	assert_ok(mmi_write_file_atomic(one, "1", 1, &e), e);
	assert_ok(mmi_write_file_atomic(two, "2", 1, &e), e);
	for (int i = 0; i < 6; i++) {
		assert_ok(mmi_link_atomic(i < 3 ? one : two, name, &e), e);
		char *text = rig_read(name, &bytes);
		assert_int_equal(text[0], i < 3 ? '1' : '2');
		free(text);
	}
	assert_int_equal(mmi_temporaries_remove(((rig *)*state)->folder), 0);
	assert_int_equal(unlink(one), 0);
	assert_fails(mmi_link_atomic(one, name, &e), MM_EIO, e, name);
	char *text = rig_read(name, &bytes);
	assert_int_equal(text[0], '2');
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_figure_is_what_a_count_by_hand_gives),
		cmocka_unit_test(it_is_of_the_moving_average),
		cmocka_unit_test(measuring_leaves_no_trace),
		cmocka_unit_test(selecting_needs_tuples_held_out),
		cmocka_unit_test_setup_teardown(whatever_happens_the_best_checkpoint_is_there, rig_setup, rig_teardown),
		cmocka_unit_test(ties_and_what_is_no_number_are_no_improvement),
		cmocka_unit_test_setup_teardown(a_second_name_is_replaced_and_leaves_nothing_behind, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
