/* test_matching.c - the contrastive loss, counting of retrieval, and the judge's matcher on made-up pictures with
 * captions. */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include <math.h>

#include "contrast_values.h"
#include "eval/evaluate.h"
#include "judge/judge.h"
#include "judge/retrieval.h"
#include "run/saved.h"
#include "train/train.h"
#include "../rig/contrast_rig.h"

/* ---------------------------------------------------------------- the loss */

static void numbers(uint32_t seed, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		seed = 1664525u * seed + 1013904223u;
		out[i] = (float)(seed / 4294967296.0 - 0.5);
	}
}

static void the_loss_and_its_gradient_are_pytorchs(void **state)
{
	enum { N = CONTRAST_ROWS * CONTRAST_DIM };
	float a[N], b[N], da[N] = { 0 }, db[N] = { 0 };
	(void)state;
	numbers(1, a, N);
	numbers(2, b, N);
	double loss = contrast_loss_of(a, b, CONTRAST_ROWS, CONTRAST_DIM, contrast_temperature, contrast_weight, da, db);
	assert_true(fabs(loss - contrast_loss) < 1e-9);
	for (int i = 0; i < N; i++) {
		assert_true(fabs((double)da[i] - contrast_grad_a[i]) < 1e-6);
		assert_true(fabs((double)db[i] - contrast_grad_b[i]) < 1e-6);
	}
}

static void the_gradient_is_that_of_central_differences(void **state)
{
	enum { ROWS = 7, DIM = 4, N = ROWS * DIM };
	float x[2][N], grad[2][N] = { { 0 } };
	const float step = 1.0f / 1024;
	(void)state;
	numbers(5, x[0], N);
	numbers(6, x[1], N);
	contrast_loss_of(x[0], x[1], ROWS, DIM, 0.3, 1, grad[0], grad[1]);
	for (int s = 0; s < 2; s++)
		for (int i = 0; i < N; i++) {
			float keep = x[s][i];
			x[s][i] = keep + step;
			double up = contrast_loss_of(x[0], x[1], ROWS, DIM, 0.3, 1, NULL, NULL);
			x[s][i] = keep - step;
			double down = contrast_loss_of(x[0], x[1], ROWS, DIM, 0.3, 1, NULL, NULL);
			x[s][i] = keep;
			double slope = (up - down) / (2 * (double)step);
			assert_true(fabs(slope - (double)grad[s][i]) < 1e-4 * (1 + fabs(slope)));
		}
}

static void rows_without_direction_get_no_gradient(void **state)
{
	const float a[4] = { 0, 0, 1, 0 }, b[4] = { 1, 0, 0, 1 };
	float da[4] = { 0 }, db[4] = { 0 }, unit[4] = { 0, 0, 3, 4 };
	(void)state;
	assert_true(isfinite(contrast_loss_of(a, b, 2, 2, 0.1, 1, da, db)));
	assert_true(da[0] == 0 && da[1] == 0);
	for (int i = 0; i < 4; i++)
		assert_true(isfinite(da[i]) && isfinite(db[i]));
	mmi_matcher_normalise(unit, 2, 2);
	assert_true(unit[0] == 0 && unit[1] == 0 && fabsf(unit[2] - 0.6f) < 1e-6f && fabsf(unit[3] - 0.8f) < 1e-6f);
}

/* ---------------------------------------------------------------- counting */

static void assert_near(double found, double expected)
{
	if (!(fabs(found - expected) < 1e-12))
		fail_msg("%.15g, expected %.15g", found, expected);
}

static void hits_are_counted_and_ties_shared(void **state)
{
	const float clear[5] = { 0.1f, 0.9f, 0.5f, 0.3f, 0.2f }, flat[5] = { 1, 1, 1, 1, 1 },
				some[5] = { 0.9f, 0.5f, 0.5f, 0.5f, 0.1f };
	const uint8_t third[5] = { 0, 0, 0, 1, 0 }, two[5] = { 0, 0, 1, 1, 0 }, none[5] = { 0 }, all[5] = { 1, 1, 1, 1, 1 };
	(void)state;
	assert_near(mmi_retrieval_hit(clear, third, 5, 1), 0); /* 0.3 is third: 0.9, 0.5, 0.3 */
	assert_near(mmi_retrieval_hit(clear, third, 5, 2), 0);
	assert_near(mmi_retrieval_hit(clear, third, 5, 3), 1);
	assert_near(mmi_retrieval_hit(clear, two, 5, 2), 1); /* the best of the right ones counts */
	assert_near(mmi_retrieval_hit(flat, third, 5, 1), 0.2);
	assert_near(mmi_retrieval_hit(flat, third, 5, 4), 0.8);
	assert_near(mmi_retrieval_hit(flat, two, 5, 2), 1 - 3.0 / 10); /* both places wrong: C(3,2) of C(5,2) */
	assert_near(mmi_retrieval_hit(some, third, 5, 2), 1.0 / 3);    /* one is better; three share places 2 to 4 */
	assert_near(mmi_retrieval_hit(some, third, 5, 3), 2.0 / 3);
	assert_near(mmi_retrieval_hit(some, third, 5, 1), 0);
	assert_near(mmi_retrieval_hit(flat, third, 5, 10), 1); /* more places than candidates */
	assert_true(isnan(mmi_retrieval_hit(flat, none, 5, 1)));
	assert_near(mmi_retrieval_chance(355, 1, 5), 5.0 / 355);
	assert_near(mmi_retrieval_chance(5, 2, 2), 0.7);
	assert_near(mmi_retrieval_area(clear, third, 5), 0.5); /* better than 2 of 4 */
	assert_near(mmi_retrieval_area(some, third, 5), (0 + 0.5 + 0.5 + 1) / 4);
	assert_near(mmi_retrieval_area(flat, two, 5), 0.5);
	assert_true(isnan(mmi_retrieval_area(flat, all, 5)));
}

static void equal_contents_are_one_kind(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const uint64_t hash[6] = { 9, 4, 9, 7, 4, 9 };
	const uint32_t expected[6] = { 0, 1, 0, 3, 1, 0 };
	uint32_t kind[6];
	(void)state;
	assert_ok(mmi_retrieval_kinds(hash, 6, kind, &e), e);
	assert_memory_equal(kind, expected, sizeof kind);
}

/* Four tuples on a circle of directions. Items 1 and 2 are the same thing; queries 0 and 3 are the same question. */
static void recall_is_what_a_count_by_hand_gives(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_pool *pool;
	mmi_recall found;
	const float item[8] = { 1, 0, 0, 1, 0, 1, -1, 0 };
	const uint32_t item_kind[4] = { 0, 1, 1, 3 }, answers[4] = { 0, 1, 2, 0 };
	/* 0: nearest is item 3, right (tuple 3 asks the same). 1: nearest is item 1, right. 2: nearest is item 0, wrong;
	 * its item, kind 1, is second. 3: at right angles to nothing but equally far from 0 and 3, both right; item 1 is
	 * nearest. */
	const float query[8] = { -1, 0, 0.6f, 0.8f, 0.8f, 0.6f, 0, 1 };
	const mmi_retrieval r = { .n = 4,
		                      .d = 2,
		                      .item = item,
		                      .item_kind = item_kind,
		                      .n_queries = 4,
		                      .query = query,
		                      .query_kind = answers,
		                      .answers = answers };
	(void)state;
	assert_ok(mmi_pool_create(2, &pool, &e), e);
	assert_ok(mmi_retrieve(&r, pool, &found, &e), e);
	assert_int_equal(found.queries, 4);
	assert_int_equal(found.candidates, 3);
	assert_near(found.at[0], (1 + 1 + 0 + 0) / 4.0);
	assert_near(found.at[1], 1); /* five places for three candidates */
	assert_near(found.chance[0], (2.0 / 3 + 1.0 / 3 + 1.0 / 3 + 2.0 / 3) / 4);
	/* areas: 0: items 0 and 3 against 1: (0 + 1) / 2; 1: 1; 2: 1 against 0 and 3: 1 of 2; 3: 0. */
	assert_near(found.area, (0.5 + 1 + 0.5 + 0) / 4);
	mmi_pool_destroy(pool);
}

/* ---------------------------------------------------------------- pictures and captions */

static void open_setup(rig *r, const char *const *sets, size_t n_sets, mmi_setup *out)
{
	static const char ini[] =
		"[run]\nthreads = 1\nlog_interval = 1\ngrid_interval = 1000\ngrid_columns = 3\ncheckpoint_interval = "
		"6\n[data]\nroot = d\n"
		"[learner]\niterations = 6\nwarmup = 2\nbatch = 8\nlatent_dim = 8\nx_steps = 2\nz_steps = 2\n"
		"[energy]\nnef = 4\nblocks = 2\nenergy_l2 = 0.01\n[img]\nplugin = img.so\nsize = 32\nwidth = "
		"4\nenergy_channels = 3\n"
		"[txt]\nplugin = txt.so\nmin_count = 3\nlength = 8\nwidth = 4\nenergy_width = 8\n";
	mm_error e = MM_ERROR_INIT;
	media_text(r, "run.ini", ini);
	const mmi_setup_request request = { .ini = rig_path(r, "run.ini"), .sets = sets, .n_sets = n_sets };
	assert_ok(mmi_setup_open(&request, out, &e), e);
}

static const mmi_judge_training quick = { .epochs = 15, .batch = 32, .rate = 4e-3 };
static const mmi_judge_hooks quiet = { .ctx = NULL };

static const char *save_judge(rig *r, mmi_judge *j, const mmi_setup *setup)
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(mmi_judge_save(j, setup, rig_path(r, "judge.safetensors"), &e), e);
	return rig_path(r, "judge.safetensors");
}

static void assert_same_params(const mmi_params *a, const mmi_params *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->raw.at, b->raw.at, a->count * sizeof(float));
}

static void training_finds_what_belongs_together_on_any_number_of_threads(void **state)
{
	static const char *const two[] = { "run.threads=2" };
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup[2];
	mmi_judge *j[2];
	media_cub(*state, "d");
	for (int i = 0; i < 2; i++) {
		open_setup(*state, two, i ? 1 : 0, &setup[i]);
		assert_ok(mmi_judge_train(&setup[i], &quick, &quiet, &j[i], &e), e);
		assert_non_null(j[i]->matcher); /* by itself: captions are given in words */
	}
	assert_same_params(j[0]->matcher->params, j[1]->matcher->params);
	assert_same_params(j[0]->params, j[1]->params);
	for (uint32_t a = 0; a < 2; a++) {
		const mmi_recall *found = &j[0]->matcher->recall[a][1 - a];
		print_message("recall at 1: %.3f, chance %.3f, area %.3f, %u queries, %u candidates\n", found->at[0],
		              found->chance[0], found->area, found->queries, found->candidates);
		assert_int_equal(found->queries, MEDIA_CLASSES * MEDIA_TEST_PER_CLASS * 2);
		assert_true(found->at[0] > 2 * found->chance[0]);
		assert_true(found->area > 0.8);
		assert_memory_equal(found, &j[1]->matcher->recall[a][1 - a], sizeof *found);
		assert_true(j[0]->member[a].accuracy > 0.7); /* 0.25 is chance */
	}
	for (int i = 0; i < 2; i++) {
		mmi_judge_destroy(j[i]);
		mmi_setup_close(&setup[i]);
	}
}

static void a_matcher_can_be_left_out_or_asked_for(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	mmi_judge_training how = { .epochs = 1, .batch = 16, .rate = 1e-3, .wish = MMI_MATCHER_NO };
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	assert_ok(mmi_judge_train(&setup, &how, &quiet, &j, &e), e);
	assert_null(j->matcher);
	mmi_judge_destroy(j);
	how.wish = MMI_MATCHER_YES;
	assert_ok(mmi_judge_train(&setup, &how, &quiet, &j, &e), e);
	assert_non_null(j->matcher);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void note_matcher(void *ctx, uint64_t done, uint64_t total, const char *what, double loss)
{
	(void)total;
	*(bool *)ctx = !strcmp(what, "contrastive loss") && done == 2 && isfinite(loss);
}

static bool noted(void *ctx)
{
	return *(bool *)ctx;
}

static void training_a_matcher_can_be_stopped(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	bool second = false;
	const mmi_judge_hooks hooks = { &second, noted, note_matcher, NULL };
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	assert_fails(
		mmi_judge_train(&setup, &(mmi_judge_training){ .epochs = 2, .batch = 32, .rate = 1e-3 }, &hooks, &j, &e),
		MM_ECANCELLED, e, "interrupted after 2 of 4 batches");
	assert_null(j);
	mmi_setup_close(&setup);
}

static void passes_follow_the_number_of_tuples(void **state)
{
	(void)state;
	assert_int_equal(mmi_judge_epochs(60000, 128, false), 4); /* 468 batches a pass */
	assert_int_equal(mmi_judge_epochs(60000, 128, true), 2);
	assert_int_equal(mmi_judge_epochs(3278, 128, false), 60);
	assert_int_equal(mmi_judge_epochs(3278, 128, true), 30);
	assert_int_equal(mmi_judge_epochs(128, 128, false), 100);
	assert_int_equal(mmi_judge_epochs(10000000, 128, false), 2);
}

static void embeddings_survive_a_file_and_do_not_depend_on_neighbours(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j, *read;
	mmi_tuples *tuples;
	mmi_embedded x[2];
	float alone[MMI_MATCHER_DIM], sample[32 * 32 * 3];
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	assert_ok(mmi_judge_train(&setup, &(mmi_judge_training){ .epochs = 1, .batch = 32, .rate = 1e-3 }, &quiet, &j, &e),
	          e);
	assert_ok(mmi_judge_open(save_judge(*state, j, &setup), cpu_device(), setup.modalities, 2, setup.pool, &read, &e),
	          e);
	assert_memory_equal(read->matcher->recall[1], j->matcher->recall[1], sizeof(mmi_recall));
	assert_ok(mmi_setup_tuples(&setup, MMI_PART_TEST, NULL, &tuples, &e), e);
	assert_ok(mmi_matcher_embed(j->matcher, tuples, 1000, NULL, NULL, &x[0], &e), e);
	assert_ok(mmi_matcher_embed(read->matcher, tuples, 1000, NULL, NULL, &x[1], &e), e);
	assert_int_equal(x[0].n, mmi_tuples_count(tuples));
	for (int m = 0; m < 2; m++)
		assert_memory_equal(x[0].of[m], x[1].of[m], x[0].n * sizeof alone);
	uint32_t pictures = 0;
	for (uint32_t i = 0; i < x[0].n; i++)
		pictures += x[0].kind[0][i] == i;
	assert_int_equal(2 * pictures, x[0].n); /* each with two captions */
	assert_ok(mmi_tuples_read(tuples, 5, (float *[]){ sample, NULL }, &e), e);
	mmi_judge_as_saved(&setup.modalities[0], sample, 1);
	mmi_matcher_run(read->matcher, 0, sample, 1, alone);
	assert_memory_equal(alone, x[0].of[0] + 5 * MMI_MATCHER_DIM, sizeof alone);
	for (int i = 0; i < 2; i++)
		mmi_embedded_clear(&x[i]);
	mmi_tuples_close(tuples);
	mmi_judge_destroy(j);
	mmi_judge_destroy(read);
	mmi_setup_close(&setup);
}

static void matchers_of_other_modalities_are_refused(void **state)
{
	static const char *const longer[] = { "txt.length=16", "txt.dim=8" }, *const larger[] = { "img.size=64" },
							 *const wider[] = { "txt.window=1" };
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup, other;
	mmi_judge *j, *read = NULL;
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	assert_ok(mmi_judge_create(cpu_device(), setup.modalities, 2, true, 1, setup.pool, &j, &e), e);
	const char *path = save_judge(*state, j, &setup);
	open_setup(*state, longer, 2, &other); /* other vectors */
	assert_fails(mmi_judge_open(path, cpu_device(), other.modalities, 2, other.pool, &read, &e), MM_ESHAPE, e,
	             "judge.txt.word");
	mmi_setup_close(&other);
	open_setup(*state, wider, 1, &other); /* the same words in another language: shapes say nothing */
	assert_fails(mmi_judge_open(path, cpu_device(), other.modalities, 2, other.pool, &read, &e), MM_ECONFIG, e,
	             "make a judge for this data");
	mmi_setup_close(&other);
	open_setup(*state, larger, 1, &other);
	assert_fails(mmi_judge_open(path, cpu_device(), other.modalities, 2, other.pool, &read, &e), MM_ESHAPE, e, "img.");
	mmi_setup_close(&other);
	snprintf(setup.modalities[1].name, sizeof setup.modalities[1].name, "words");
	assert_fails(mmi_judge_open(path, cpu_device(), setup.modalities, 2, setup.pool, &read, &e), MM_ESHAPE, e,
	             "does not know the modality \"words\"");
	assert_null(read);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

/* ---------------------------------------------------------------- evaluation */

static void make_run(rig *r, mmi_setup *setup, char *checkpoint, size_t size)
{
	mm_error e = MM_ERROR_INIT;
	mmi_train_result result;
	const mmi_train_hooks hooks = { .log = NULL };
	assert_ok(mmi_train(setup, rig_path(r, "run"), false, &hooks, &result, &e), e);
	snprintf(checkpoint, size, "%s", result.checkpoint);
}

static double value(const mmi_report *f, const char *name, const char *of, const char *variant)
{
	const mmi_report_item *x = mmi_report_find(f, name, of, variant);
	if (!x)
		fail_msg("no figure %s of %s, %s", name, of, variant);
	return x->value;
}

static double mean_cosine(const mmi_embedded *x)
{
	double sum = 0;
	for (uint32_t r = 0; r < x->n; r++)
		for (int k = 0; k < MMI_MATCHER_DIM; k++)
			sum += (double)x->of[0][r * MMI_MATCHER_DIM + (uint32_t)k] *
			       (double)x->of[1][r * MMI_MATCHER_DIM + (uint32_t)k];
	return sum / x->n;
}

static void assert_alignment(const mmi_report *f, const mmi_embedded *real)
{
	static const struct {
		const char *name, *of;
	} both[] = {
		{ "alignment of samples", "img with txt" },
		{ "alignment of samples", "mean" },
		{ "alignment of translations", "img -> txt" },
		{ "alignment of translations", "txt -> img" },
		{ "alignment of translations, z revised", "img -> txt" },
		{ "alignment of translations, z revised", "mean" },
	};
	for (size_t i = 0; i < MMI_COUNT(both); i++)
		for (int v = 0; v < 2; v++)
			assert_true(fabs(value(f, both[i].name, both[i].of, v ? "revised" : "generator")) <= 1);
	assert_near(value(f, "alignment of data", "img with txt", "real"), mean_cosine(real));
	assert_true(value(f, "alignment of data", "mean", "real") >
	            value(f, "alignment of data", "mean", "shuffled") + 0.1);
	assert_near(value(f, "alignment of translations", "mean", "generator"),
	            0.5 * (value(f, "alignment of translations", "img -> txt", "generator") +
	                   value(f, "alignment of translations", "txt -> img", "generator")));
}

static mmi_eval_request request_of(const char *checkpoint, const char *judge)
{
	mmi_eval_request r = { .checkpoint = checkpoint,
		                   .judge = judge,
		                   .part = MMI_PART_TEST,
		                   .count = 40,
		                   .probe = 30,
		                   .steps = MMI_RECIPE_AS_IT_IS };
	r.only = "conditional,frechet,alignment";
	return r;
}

static void a_model_of_pictures_and_captions_has_every_figure(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *j;
	mmi_tuples *tuples;
	mmi_embedded real;
	mmi_report f;
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	make_run(*state, &setup, checkpoint, sizeof checkpoint);
	assert_ok(mmi_judge_train(&setup, &quick, &quiet, &j, &e), e);
	assert_ok(mmi_setup_tuples(&setup, MMI_PART_TEST, NULL, &tuples, &e), e);
	assert_ok(mmi_matcher_embed(j->matcher, tuples, 40, NULL, NULL, &real, &e), e);
	const mmi_eval_request r = request_of(checkpoint, save_judge(*state, j, &setup));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_alignment(&f, &real);
	assert_near(value(&f, "judge's recall", "txt given img, at 1", "these tuples"), j->matcher->recall[0][1].at[0]);
	assert_near(value(&f, "judge's recall", "img given txt, at 10", "when trained"), j->matcher->recall[1][0].at[2]);
	assert_near(value(&f, "judge's recall", "img given txt, at 1", "chance"), j->matcher->recall[1][0].chance[0]);
	assert_true(value(&f, "condition found, z revised", "txt by its img, at 10", "revised") <= 1);
	assert_true(value(&f, "conditional coherence", "txt -> img", "generator") <= 1);
	if (!mmi_report_find(&f, "Frechet distance", "", ""))
		assert_true(value(&f, "Frechet distance", "img matcher64", "generator") > 0);
	mmi_report_clear(&f);
	mmi_embedded_clear(&real);
	mmi_tuples_close(tuples);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void a_matcher_for_other_data_and_none_at_all(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *j;
	mmi_report f = { .n = 0 };
	media_cub(*state, "d");
	open_setup(*state, NULL, 0, &setup);
	make_run(*state, &setup, checkpoint, sizeof checkpoint);
	assert_ok(mmi_judge_create(cpu_device(), setup.modalities, 2, true, 5, setup.pool, &j, &e), e);
	for (int m = 0; m < 2; m++) { /* classifiers that promise nothing, a matcher that knows nothing and promises all */
		j->member[m].accuracy = 0;
		j->matcher->recall[m][1 - m] = (mmi_recall){ .area = 1, .queries = 16, .candidates = 8 };
	}
	memset(j->matcher->params->raw.at, 0, j->matcher->params->count * sizeof(float));
	mmi_eval_request r = request_of(checkpoint, save_judge(*state, j, &setup));
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ESHAPE, e,
	             "an area of 0.500 under the ROC curve, but had 1.000 on its own");
	mmi_judge_destroy(j);
	assert_ok(mmi_judge_create(cpu_device(), setup.modalities, 2, false, 5, setup.pool, &j, &e), e);
	j->member[0].accuracy = j->member[1].accuracy = 0;
	save_judge(*state, j, &setup);
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	const mmi_report_item *lack = mmi_report_find(&f, "alignment of data", "", "");
	assert_non_null(lack);
	assert_non_null(strstr(lack->why, "mmcore judge --matcher yes"));
	assert_null(mmi_report_find(&f, "alignment of samples", "mean", "generator"));
	mmi_report_clear(&f);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

/* Data of one class: no modality has a classifier, and the labels say nothing. */
static void forget_classes(rig *r)
{
	char labels[1024] = "", line[16];
	for (int i = 1; i <= MEDIA_CLASSES * MEDIA_PER_CLASS; i++) {
		snprintf(line, sizeof line, "%d 1\n", i);
		strcat(labels, line);
	}
	media_text(r, "d/image_class_labels.txt", labels);
	media_text(r, "d/classes.txt", "1 all\n");
}

static void a_matcher_alone_is_a_judge(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *j;
	mmi_report f;
	media_cub(*state, "d");
	forget_classes(*state);
	open_setup(*state, NULL, 0, &setup);
	make_run(*state, &setup, checkpoint, sizeof checkpoint);
	mmi_eval_request r = request_of(checkpoint, NULL);
	assert_ok(mmi_evaluate(&r, &f, &e), e); /* no judge in the run's folder: none is missed */
	assert_non_null(strstr(mmi_report_find(&f, "alignment of data", "", "")->why, "there is no judge at"));
	mmi_report_clear(&f);
	assert_ok(mmi_judge_train(&setup, &quick, &quiet, &j, &e), e);
	assert_int_equal(j->present, 0);
	r.judge = save_judge(*state, j, &setup);
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(value(&f, "alignment of data", "mean", "real") >
	            value(&f, "alignment of data", "mean", "shuffled") + 0.1);
	assert_true(fabs(value(&f, "alignment of translations", "txt -> img", "revised")) <= 1);
	assert_string_equal(mmi_report_find(&f, "conditional coherence", "", "")->why,
	                    "[img] has fewer than two classes, [txt] has fewer than two classes");
	mmi_report_clear(&f);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_loss_and_its_gradient_are_pytorchs),
		TEST(the_gradient_is_that_of_central_differences),
		TEST(rows_without_direction_get_no_gradient),
		TEST(hits_are_counted_and_ties_shared),
		TEST(equal_contents_are_one_kind),
		TEST(recall_is_what_a_count_by_hand_gives),
		TEST(training_finds_what_belongs_together_on_any_number_of_threads),
		TEST(a_matcher_can_be_left_out_or_asked_for),
		TEST(training_a_matcher_can_be_stopped),
		TEST(passes_follow_the_number_of_tuples),
		TEST(embeddings_survive_a_file_and_do_not_depend_on_neighbours),
		TEST(matchers_of_other_modalities_are_refused),
		TEST(a_model_of_pictures_and_captions_has_every_figure),
		TEST(a_matcher_alone_is_a_judge),
		TEST(a_matcher_for_other_data_and_none_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
