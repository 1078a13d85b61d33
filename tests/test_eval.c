/* test_eval.c - the judge, the figures and the evaluation of a tiny run on a test plugin's made-up data. */
#include "config.h"

#include "store_rig.h"

#include <math.h>

#include "eval/encode.h"
#include "eval/evaluate.h"
#include "eval/judge.h"
#include "learn/train.h"
#include "mcmc/translate.h"
#include "store/files.h"
#include "store/npy.h"

/* ------------------------------------------------------------ a run of two toys */

static const char *write_ini(rig *r, const char *name, const char *modalities)
{
	const char *path = rig_path(r, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "[run]\nthreads = 1\nchunk = 4\ncheckpoint_interval = 1000\ngrid_interval = 1000\ngrid_columns = 2\n"
	           "[learner]\niterations = 20\nwarmup = 5\nbatch = 8\nlatent_dim = 3\nx_steps = 2\nx_step = 1\nz_steps = 2\n[energy]\nnef = 4\n%s", modalities);
	assert_int_equal(fclose(f), 0);
	return path;
}

#define TWO "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[b]\nplugin = " BADPLUGIN_DIR "/toy.so\n"

static void open_setup(rig *r, const char *modalities, const char *set, mmi_setup *out)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_setup_request request = { .ini = write_ini(r, "run.ini", modalities), .sets = &set, .n_sets = set ? 1 : 0 };
	assert_ok(mmi_setup_open(&request, out, &e), e);
}

static const mmi_judge_training quick = { .epochs = 60, .batch = 16, .rate = 1e-2 };
static const mmi_judge_hooks quiet = { .ctx = NULL };

/* A judge in the rig's folder, and where it is. */
static const char *make_judge(rig *r)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	open_setup(r, TWO, NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &quick, &quiet, &j, &e), e);
	assert_ok(mmi_judge_save(j, &setup, rig_path(r, "judge.safetensors"), &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	return rig_path(r, "judge.safetensors");
}

static void make_run_with(rig *r, const char *set, char *checkpoint, size_t size)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	const mmi_train_hooks hooks = { .ctx = NULL };
	open_setup(r, TWO, set, &setup);
	assert_ok(mmi_train(&setup, rig_path(r, "run"), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	snprintf(checkpoint, size, "%s", result.checkpoint);
}

static void make_run(rig *r, char *checkpoint, size_t size)
{
	make_run_with(r, NULL, checkpoint, size);
}

/* ------------------------------------------------------------ the judge */

static void the_judge_learns_what_the_labels_say(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	float x[21 * 8], features[21 * 5], one[5];
	int32_t class_of[21], alone;
	open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &quick, &quiet, &j, &e), e);
	for (int r = 0; r < 21; r++) /* more than one chunk, and not whole ones */
		for (int i = 0; i < 8; i++)
			x[r * 8 + i] = r % 3 == 1 ? 0.5f : -0.5f;
	for (uint32_t m = 0; m < 2; m++) {
		assert_true(j->member[m].accuracy == 1);
		assert_int_equal(j->member[m].tested, 8);
		assert_int_equal(j->member[m].n_features, 5);
		mmi_judge_run(j, m, x, 21, class_of, features);
		for (int r = 0; r < 21; r++)
			assert_int_equal(class_of[r], r % 3 == 1);
		mmi_judge_run(j, m, x + 19 * 8, 1, &alone, one); /* a row alone gives what it gives among others */
		assert_int_equal(alone, class_of[19]);
		assert_memory_equal(one, features + 19 * 5, sizeof one);
	}
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void threads_do_not_change_the_judge(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup[2];
	mmi_judge *j[2];
	const mmi_judge_training how = { .epochs = 3, .batch = 32, .rate = 1e-2 };
	for (int i = 0; i < 2; i++) {
		open_setup(*state, TWO, i ? "run.threads=3" : NULL, &setup[i]);
		assert_ok(mmi_judge_train(&setup[i], &how, &quiet, &j[i], &e), e);
	}
	assert_int_equal(j[0]->params->count, j[1]->params->count);
	assert_memory_equal(j[0]->params->raw, j[1]->params->raw, j[0]->params->count * sizeof(float));
	for (int i = 0; i < 2; i++) {
		mmi_judge_destroy(j[i]);
		mmi_setup_close(&setup[i]);
	}
}

static void a_judge_is_read_back_as_it_was(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	char text[64];
	const char *path = make_judge(*state);
	open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_open(path, setup.modalities, setup.n_modalities, setup.pool, &j, &e), e);
	assert_string_equal(mmi_judge_text(j, text, sizeof text), "a 1.0000, b 1.0000");
	assert_true(mmi_judge_worst(j) == 1);
	mmi_judge_destroy(j);
	assert_ok(mmi_judge_open(path, setup.modalities + 1, 1, setup.pool, &j, &e), e); /* b alone: a judge may know more */
	assert_string_equal(mmi_judge_text(j, text, sizeof text), "b 1.0000");
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void judges_of_other_modalities_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	char checkpoint[512];
	const char *path = make_judge(*state);
	open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[c]\nplugin = " BADPLUGIN_DIR "/toy.so\n", NULL, &setup);
	assert_fails(mmi_judge_open(path, setup.modalities, 2, setup.pool, &j, &e), MM_ESHAPE, e, "does not know the modality \"c\"");
	mmi_setup_close(&setup);
	open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_newer.so\n", NULL, &setup);
	assert_fails(mmi_judge_open(path, setup.modalities, 1, setup.pool, &j, &e), MM_ESHAPE, e, "this judge's \"a\" is vector of plugin org.example.toy,");
	mmi_setup_close(&setup);
	make_run(*state, checkpoint, sizeof checkpoint);
	open_setup(*state, TWO, NULL, &setup);
	assert_fails(mmi_judge_open(checkpoint, setup.modalities, 2, setup.pool, &j, &e), MM_EFORMAT, e, "expected \"mmcore judge 1\"");
	assert_null(j);
	mmi_setup_close(&setup);
}

static void a_matcher_takes_any_number_of_modalities(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j, *part;
	float x[8] = { 0.5f, -0.5f, 0.25f }, all[MMI_MATCHER_DIM], some[MMI_MATCHER_DIM];
	mmi_judge_training how = quick;
	how.epochs = 3;
	how.wish = MMI_MATCHER_YES;
	open_setup(*state, TWO "[c]\nplugin = " BADPLUGIN_DIR "/toy.so\n", NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &how, &quiet, &j, &e), e);
	for (uint32_t a = 0; a < 3; a++)
		for (uint32_t b = 0; b < 3; b++)
			assert_int_equal(j->matcher->recall[a][b].queries, a == b ? 0 : 8);
	assert_ok(mmi_judge_save(j, &setup, rig_path(*state, "three"), &e), e);
	assert_ok(mmi_judge_open(rig_path(*state, "three"), setup.modalities + 1, 2, setup.pool, &part, &e), e); /* b and c alone */
	assert_memory_equal(&part->matcher->recall[0][1], &j->matcher->recall[1][2], sizeof(mmi_recall));
	mmi_matcher_run(j->matcher, 2, x, 1, all);
	mmi_matcher_run(part->matcher, 1, x, 1, some);
	assert_memory_equal(all, some, sizeof all);
	mmi_judge_destroy(part);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void without_classifiers_there_is_no_judge(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_minimal.so\n", NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &quick, &quiet, &j, &e), MM_EUNSUPPORTED, e, "no modality's plugin brings a classifier");
	assert_null(j);
	mmi_setup_close(&setup);
}

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void training_a_judge_can_be_stopped(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	const mmi_judge_hooks hooks = { .stop = at_once };
	const mmi_judge_training odd = { .epochs = 1, .batch = 24, .rate = 1e-2 }, large = { .epochs = 1, .batch = 64, .rate = 1e-2 };
	open_setup(*state, TWO, NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &quick, &hooks, &j, &e), MM_ECANCELLED, e, "interrupted after 0 of 120 batches");
	assert_fails(mmi_judge_train(&setup, &odd, &quiet, &j, &e), MM_EARG, e, "batch is 24");
	assert_fails(mmi_judge_train(&setup, &large, &quiet, &j, &e), MM_ECONFIG, e, "there are only 32 training tuples");
	mmi_setup_close(&setup);
}

static void pictures_are_judged_as_they_are_saved(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	float x[8] = { -1, 1, 0, 1.5f, -7, 1.0f / 255, 0.001f, -0.999f };
	const float levels[8] = { 0, 255, 128, 255, 0, 128, 128, 0 };
	(void)e;
	open_setup(*state, TWO, NULL, &setup);
	mmi_judge_as_saved(&setup.modalities[0], x, 1);
	for (int i = 0; i < 8; i++)
		assert_float_equal(x[i], levels[i] / 255 * 2 - 1, 1e-6f);
	mmi_setup_close(&setup);
	open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_minimal.so\n", NULL, &setup);
	float real[2] = { 0.1234567f, -30 };
	mmi_judge_as_saved(&setup.modalities[0], real, 1);
	assert_true(real[0] == 0.1234567f && real[1] == -30);
	mmi_setup_close(&setup);
}

/* ------------------------------------------------------------ figures */

static void figures_survive_a_file(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report f = { 0 }, g;
	char *json, *csv;
	assert_ok(mmi_report_fact(&f, "checkpoint", &e, "a \"quoted\" name"), e);
	assert_ok(mmi_report_fact(&f, "samples", &e, "%d", 1000), e);
	assert_ok(mmi_report_add(&f, "coherence, z revised", "a -> b", "generator", 0.1, &e), e);
	assert_ok(mmi_report_add(&f, "coherence, z revised", "a -> b", "revised", NAN, &e), e);
	assert_ok(mmi_report_lack(&f, "Frechet distance", "no LAPACK", &e), e);
	assert_ok(mmi_report_json(&f, &json, &e), e);
	assert_ok(mmi_report_csv(&f, &csv, &e), e);
	assert_string_equal(csv, "figure,of,variant,value\n\"coherence, z revised\",a -> b,generator,0.10000000000000001\n"
	                         "\"coherence, z revised\",a -> b,revised,\nFrechet distance,,,\n");
	assert_non_null(strstr(json, "\"samples\":\t1000"));
	assert_ok(mmi_write_file_atomic(rig_path(*state, "f.json"), json, strlen(json), &e), e);
	assert_ok(mmi_report_read(rig_path(*state, "f.json"), &g, &e), e);
	assert_int_equal(g.n, 3);
	assert_true(mmi_report_find(&g, "coherence, z revised", "a -> b", "generator")->value == 0.1);
	assert_true(isnan(g.item[1].value));
	assert_string_equal(g.item[2].why, "no LAPACK");
	mmi_report_clear(&f);
	mmi_report_clear(&g);
	mmi_free(json);
	mmi_free(csv);
	assert_ok(mmi_write_file_atomic(rig_path(*state, "bad.json"), "{\"a\": 1}", 8, &e), e);
	assert_fails(mmi_report_read(rig_path(*state, "bad.json"), &g, &e), MM_EFORMAT, e, "no list \"figures\"");
	assert_ok(mmi_write_file_atomic(rig_path(*state, "bad.json"), "# no", 4, &e), e);
	assert_fails(mmi_report_read(rig_path(*state, "bad.json"), &g, &e), MM_EFORMAT, e, "no JSON");
}

/* Sources down, targets across, a dash where a modality would go to itself; the mean in a table of its own. */
static void pairs_are_printed_as_a_matrix(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report f = { 0 };
	size_t bytes;
	assert_ok(mmi_report_add(&f, "coherence", "a -> b", "generator", 0.25, &e), e);
	assert_ok(mmi_report_add(&f, "coherence", "b -> a", "generator", 0.5, &e), e);
	assert_ok(mmi_report_add(&f, "coherence", "mean", "generator", 0.375, &e), e);
	FILE *out = fopen(rig_path(*state, "table"), "w");
	assert_non_null(out);
	mmi_report_print(&f, out);
	assert_int_equal(fclose(out), 0);
	char *text = rig_read(rig_path(*state, "table"), &bytes);
	assert_string_equal(text,
		"\ncoherence, generator                                 a         b\n"
		"  from a                                             -    0.2500\n"
		"  from b                                        0.5000         -\n"
		"\ncoherence                                       generator\n"
		"  mean                                             0.3750\n");
	free(text);
	mmi_report_clear(&f);
}

static void seeds_are_summarised_by_mean_and_deviation(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report run[3] = { { 0 } }, s;
	const double values[3] = { 0.2, 0.5, 0.8 };
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_ok(mmi_report_add(&run[i], "coherence", "all", "revised", values[i], &e), e);
		if (i < 2)
			assert_ok(mmi_report_add(&run[i], "cost", "seconds", "", i + 1, &e), e);
		assert_ok(mmi_report_lack(&run[i], "Frechet distance", "no LAPACK", &e), e);
	}
	assert_ok(mmi_report_summary(run, 3, &s, &e), e);
	assert_int_equal(s.n, 6);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "mean")->value, 0.5, 1e-12);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "sd")->value, 0.3, 1e-12);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "runs")->value, 3, 0);
	assert_float_equal(mmi_report_find(&s, "cost", "seconds", "mean")->value, 1.5, 1e-12);
	assert_float_equal(mmi_report_find(&s, "cost", "seconds", "runs")->value, 2, 0);
	mmi_report_clear(&s);
	assert_ok(mmi_report_summary(run, 1, &s, &e), e);
	assert_true(isnan(mmi_report_find(&s, "coherence, revised", "all", "sd")->value)); /* one run has no spread */
	mmi_report_clear(&s);
	for (int i = 0; i < 3; i++)
		mmi_report_clear(&run[i]);
}

static void unknown_figures_are_named(void **state)
{
	mm_error e = MM_ERROR_INIT;
	bool wanted[MMI_EVAL_GROUPS] = { false };
	(void)state;
	assert_ok(mmi_eval_select("cost,energy", wanted, &e), e);
	for (int g = 0; g < MMI_EVAL_GROUPS; g++)
		assert_int_equal(wanted[g], g == MMI_EVAL_COST || g == MMI_EVAL_ENERGY);
	assert_fails(mmi_eval_select("cost,fid", wanted, &e), MM_ECONFIG, e, "unknown figures \"fid\"; there are coherence");
}

/* ------------------------------------------------------------ evaluation */

static mmi_eval_request request_of(const char *checkpoint, const char *judge)
{
	mmi_eval_request r = { .checkpoint = checkpoint, .judge = judge, .part = MMI_PART_TEST, .count = 40, .probe = 30, .z_steps = -1,
	                       .x_steps = -1, .guide_steps = -1 };
	for (int g = 0; g < MMI_EVAL_GROUPS; g++)
		r.wanted[g] = true;
	return r;
}

static double value(const mmi_report *f, const char *name, const char *of, const char *variant)
{
	const mmi_report_item *x = mmi_report_find(f, name, of, variant);
	if (!x)
		fail_msg("no figure %s of %s, %s", name, of, variant);
	return x->value;
}

static void a_run_has_every_figure(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_report f;
	make_run(*state, checkpoint, sizeof checkpoint);
	const mmi_eval_request r = request_of(checkpoint, make_judge(*state));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	static const struct {
		const char *name, *of;
	} both[] = {
		{ "unconditional coherence", "all modalities agree" }, { "conditional coherence", "a -> b" }, { "conditional coherence", "b -> a" },
		{ "conditional coherence", "mean" }, { "conditional coherence, z revised", "mean" }, { "coherence by given, z revised", "1 given" },
	};
	for (size_t i = 0; i < MMI_COUNT(both); i++)
		for (int v = 0; v < 2; v++)
			assert_in_range((long)(1000 * value(&f, both[i].name, both[i].of, v ? "revised" : "generator")), 0, 1000);
	double from_a = value(&f, "conditional coherence", "a -> b", "generator"), from_b = value(&f, "conditional coherence", "b -> a", "generator");
	assert_true(fabs(value(&f, "conditional coherence", "mean", "generator") - 0.5 * (from_a + from_b)) < 1e-12);
	assert_true(value(&f, "judge's accuracy", "a", "these tuples") == 1);
	assert_true(value(&f, "energy as detector", "mean", "ROC area") <= 1);
	assert_true(value(&f, "latent accuracy", "a", "mean") >= 0.5); /* two far apart classes, and any encoder keeps something */
	assert_true(value(&f, "cost of 64 samples", "network evaluations a sample", "generator") == 1);
	assert_true(value(&f, "cost of 64 samples", "network evaluations a sample", "revised") == 3);
	const mmi_report_item *lack = mmi_report_find(&f, "Frechet distance", "", "");
	if (!lack)
		assert_true(value(&f, "Frechet distance", "a hidden5", "generator") > 0 && value(&f, "Frechet distance", "b pca7", "revised") > 0);
	else
		assert_non_null(strstr(lack->why, "without LAPACK"));
	mmi_report_clear(&f);
}

/* The same figures by hand: translate and sample with the evaluation's numbers, ask the judge, count. */
static void coherence_is_what_a_count_by_hand_gives(void **state)
{
	enum { ROWS = 8 };
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	float data[2][ROWS * 8], ones[ROWS], zeros[ROWS] = { 0 };
	int32_t class_of[2][ROWS];
	uint32_t right = 0, agree = 0;
	mmi_report f;
	mmi_saved saved;
	mmi_judge *judge;
	mmi_tuples *tuples;
	mmi_translator *translator;
	mmi_latents z;
	make_run(*state, checkpoint, sizeof checkpoint);
	mmi_eval_request r = request_of(checkpoint, make_judge(*state));
	r.count = ROWS;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_ok(mmi_saved_open(checkpoint, &(mmi_setup_request){ .ini = NULL }, ROWS, &saved, &e), e);
	assert_ok(mmi_judge_open(r.judge, saved.setup.modalities, 2, saved.setup.pool, &judge, &e), e);
	assert_ok(mmi_tuples_open(saved.setup.modalities, 2, MMI_PART_TEST, 0, 1, NULL, &tuples, &e), e);
	assert_ok(mmi_translator_create(saved.model, saved.sampler, ROWS, &translator, &e), e);
	assert_ok(mmi_latents_create(saved.model, ROWS, &z, &e), e);
	float *x[2] = { data[0], data[1] };
	for (uint32_t i = 0; i < ROWS; i++) {
		ones[i] = 1;
		assert_ok(mmi_tuples_read(tuples, i, (float *[]){ x[0] + 8 * i, x[1] + 8 * i }, &e), e);
	}
	const mmi_translate_args args = { .number = 2u << 20, .expert = 1 }; /* b to a: the second source, the first block */
	mmi_translate(translator, &args, x, (const float *[]){ zeros, ones }, ROWS, NULL);
	mmi_judge_as_saved(&saved.setup.modalities[0], x[0], ROWS);
	mmi_judge_run(judge, 0, x[0], ROWS, class_of[0], NULL);
	for (uint32_t i = 0; i < ROWS; i++)
		right += class_of[0][i] == mmi_tuples_label(tuples, i);
	assert_true(value(&f, "conditional coherence", "b -> a", "generator") == right / (double)ROWS);
	mmi_sampler_prior(saved.sampler, ROWS, 0, &z);
	mmi_sampler_decode(saved.sampler, &z, ROWS, x);
	for (uint32_t m = 0; m < 2; m++) {
		mmi_judge_as_saved(&saved.setup.modalities[m], x[m], ROWS);
		mmi_judge_run(judge, m, x[m], ROWS, class_of[m], NULL);
	}
	for (uint32_t i = 0; i < ROWS; i++)
		agree += class_of[0][i] == class_of[1][i];
	assert_true(value(&f, "unconditional coherence", "all modalities agree", "generator") == agree / (double)ROWS);
	mmi_latents_clear(&z);
	mmi_translator_destroy(translator);
	mmi_tuples_close(tuples);
	mmi_judge_destroy(judge);
	mmi_saved_close(&saved);
	mmi_report_clear(&f);
}

static void threads_and_repetition_do_not_change_figures(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	const char *threads = "run.threads=3";
	mmi_report f[3];
	make_run(*state, checkpoint, sizeof checkpoint);
	for (int i = 0; i < 3; i++) {
		mmi_eval_request r = request_of(checkpoint, make_judge(*state));
		r.wanted[MMI_EVAL_COST] = false;
		r.seed = i == 2;
		r.setup = (mmi_setup_request){ .sets = &threads, .n_sets = i == 1 };
		assert_ok(mmi_evaluate(&r, &f[i], &e), e);
	}
	bool other = false;
	assert_int_equal(f[0].n, f[1].n);
	for (size_t i = 0; i < f[0].n; i++) {
		if (!(isnan(f[0].item[i].value) && isnan(f[1].item[i].value)) && f[0].item[i].value != f[1].item[i].value)
			fail_msg("%s of %s, %s: %.17g with one thread, %.17g with three", f[0].item[i].name, f[0].item[i].of, f[0].item[i].variant,
			         f[0].item[i].value, f[1].item[i].value);
		other = other || f[0].item[i].value != f[2].item[i].value;
	}
	assert_true(other); /* another seed, other draws */
	for (int i = 0; i < 3; i++)
		mmi_report_clear(&f[i]);
}

static void without_an_energy_there_are_no_revised_samples(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_report f;
	make_run_with(*state, "learner.warmup=20", checkpoint, sizeof checkpoint);
	const mmi_eval_request r = request_of(checkpoint, make_judge(*state));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	for (size_t i = 0; i < f.n; i++)
		assert_string_not_equal(f.item[i].variant, "revised");
	assert_true(value(&f, "conditional coherence, z revised", "mean", "generator") <= 1);
	const mmi_report_item *lack = mmi_report_find(&f, "energy as detector", "", "");
	assert_non_null(lack);
	assert_non_null(strstr(lack->why, "was not trained"));
	mmi_report_clear(&f);
}

static void evaluations_that_cannot_be_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *blind;
	mmi_report f = { .n = 99 };
	make_run(*state, checkpoint, sizeof checkpoint);
	mmi_eval_request r = request_of(checkpoint, NULL);
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ECONFIG, e, "/run/judge.safetensors; make one with mmcore judge");
	/* A judge that claims to be good and knows nothing of these data. */
	open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_create(setup.modalities, 2, false, 5, setup.pool, &blind, &e), e);
	blind->member[0].accuracy = blind->member[1].accuracy = 1;
	memset(blind->params->raw, 0, blind->params->count * sizeof(float));
	assert_ok(mmi_judge_save(blind, &setup, rig_path(*state, "blind.safetensors"), &e), e);
	mmi_judge_destroy(blind);
	mmi_setup_close(&setup);
	r.judge = rig_path(*state, "blind.safetensors");
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ESHAPE, e, "with accuracy 0.500, but had 1.000 on its own: it was made for other data");
	r.judge = make_judge(*state);
	r.stop = at_once;
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ECANCELLED, e, "interrupted");
	assert_int_equal(f.n, 99);
}

/* Two modalities, of which one alone can be read. */
static void one_classifier_is_enough_for_what_it_can_read(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	mmi_judge *j;
	mmi_report f;
	const mmi_train_hooks hooks = { .ctx = NULL };
	open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[b]\nplugin = " BADPLUGIN_DIR "/toy_unjudged.so\n", NULL, &setup);
	assert_null(setup.modalities[1].classifier);
	assert_ok(mmi_judge_train(&setup, &quick, &quiet, &j, &e), e);
	assert_int_equal(j->present, 1);
	assert_non_null(j->matcher);
	assert_ok(mmi_judge_save(j, &setup, rig_path(*state, "judge.safetensors"), &e), e);
	assert_ok(mmi_train(&setup, rig_path(*state, "run"), false, &hooks, &result, &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	const mmi_eval_request r = request_of(result.checkpoint, rig_path(*state, "judge.safetensors"));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(value(&f, "conditional coherence", "b -> a", "generator") == value(&f, "conditional coherence", "mean", "generator"));
	assert_null(mmi_report_find(&f, "conditional coherence", "a -> b", "generator"));
	assert_non_null(strstr(mmi_report_find(&f, "unconditional coherence", "", "")->why, "only one modality's plugin"));
	assert_true(fabs(value(&f, "alignment of data", "a with b", "real")) <= 1);
	assert_true(fabs(value(&f, "alignment of translations", "a -> b", "revised")) <= 1); /* of what no classifier reads, too */
	mmi_report_clear(&f);
}

/* ------------------------------------------------------------ latents as files */

static void latents_are_written_for_every_tuple(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512], path[400], *text;
	size_t bytes;
	mmi_saved saved;
	mmi_tuples *tuples;
	const mmi_encode_hooks hooks = { .ctx = NULL };
	make_run(*state, checkpoint, sizeof checkpoint);
	assert_ok(mmi_saved_open(checkpoint, &(mmi_setup_request){ .ini = NULL }, 4, &saved, &e), e);
	assert_ok(mmi_tuples_open(saved.setup.modalities, 2, MMI_PART_TEST, 0, 1, NULL, &tuples, &e), e);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents"));
	assert_ok(mmi_encode_write(&saved, tuples, 100, 4, path, &hooks, &e), e);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents/b-z-mean.npy"));
	assert_ok(mmi_read_file(path, 1 << 20, &text, &bytes, &e), e);
	assert_memory_equal(text, "\x93NUMPY\x01\x00", 8);
	assert_non_null(strstr(text + 10, "'shape': (8, 3), }"));
	size_t header = 10 + (unsigned char)text[8] + 256u * (unsigned char)text[9];
	assert_int_equal(header % 64, 0);
	assert_int_equal(bytes, header + 8 * 3 * sizeof(float));
	/* What is in the file is what the encoder says. */
	float x[2][4 * 8], z[4 * 3];
	mmi_experts experts;
	for (uint32_t r = 0; r < 4; r++)
		assert_ok(mmi_tuples_read(tuples, 4 + r, (float *[]){ x[0] + 8 * r, x[1] + 8 * r }, &e), e);
	assert_ok(mmi_experts_create(saved.model, 4, &experts, &e), e);
	mmi_sampler_encode(saved.sampler, (const float *[]){ x[0], x[1] }, 4, &experts);
	memcpy(z, text + header + 4 * 3 * sizeof(float), sizeof z);
	assert_memory_equal(z, experts.loc[1], sizeof z);
	mmi_free(text);
	mmi_experts_clear(&experts);
	mmi_tuples_close(tuples);
	mmi_saved_close(&saved);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents/a-latents.csv"));
	assert_ok(mmi_read_file(path, 1 << 20, &text, &bytes, &e), e);
	assert_memory_equal(text, "key,label,z_mean_0,z_mean_1,z_mean_2,z_scale_0,z_scale_1,z_scale_2\n0,0,", 70);
	mmi_free(text);
}

static void a_short_npy_file_is_not_left_behind(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_npy *f;
	const float row[2] = { 1, 2 };
	char path[400];
	snprintf(path, sizeof path, "%s", rig_path(*state, "short.npy"));
	assert_ok(mmi_npy_open(path, MMI_NPY_F32, 2, 2, &f, &e), e);
	assert_ok(mmi_npy_write(f, row, 1, &e), e);
	assert_fails(mmi_npy_commit(f, &e), MM_ESTATE, e, "1 rows were written of 2");
	assert_int_not_equal(access(path, F_OK), 0);
}

#define one_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(the_judge_learns_what_the_labels_say),
		one_test(threads_do_not_change_the_judge),
		one_test(a_judge_is_read_back_as_it_was),
		one_test(judges_of_other_modalities_are_refused),
		one_test(a_matcher_takes_any_number_of_modalities),
		one_test(without_classifiers_there_is_no_judge),
		one_test(training_a_judge_can_be_stopped),
		one_test(pictures_are_judged_as_they_are_saved),
		one_test(figures_survive_a_file),
		one_test(pairs_are_printed_as_a_matrix),
		one_test(seeds_are_summarised_by_mean_and_deviation),
		one_test(unknown_figures_are_named),
		one_test(a_run_has_every_figure),
		one_test(coherence_is_what_a_count_by_hand_gives),
		one_test(threads_and_repetition_do_not_change_figures),
		one_test(without_an_energy_there_are_no_revised_samples),
		one_test(evaluations_that_cannot_be_are_refused),
		one_test(one_classifier_is_enough_for_what_it_can_read),
		one_test(latents_are_written_for_every_tuple),
		one_test(a_short_npy_file_is_not_left_behind),
	};
	return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
