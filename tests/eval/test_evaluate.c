/* test_evaluate.c - evaluations of a tiny run on a test plugin's made-up data. */
#include "mmi_build.h"

#include "../rig/eval_rig.h"

#include <math.h>

#include "eval/linalg.h"
#include "run/saved.h"
#include "mcmc/translate.h"
#include "store/files.h"
#include "../rig/device_rig.h"

#define one_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void a_run_has_every_figure(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_report f;
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	const mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	static const struct {
		const char *name, *of;
	} both[] = {
		{ "unconditional coherence", "all modalities agree" },
		{ "conditional coherence", "a -> b" },
		{ "conditional coherence", "b -> a" },
		{ "conditional coherence", "mean" },
		{ "conditional coherence, z revised", "mean" },
		{ "coherence by given, z revised", "1 given" },
	};
	for (size_t i = 0; i < MMI_COUNT(both); i++)
		for (int v = 0; v < 2; v++)
			assert_in_range((long)(1000 * eval_value(&f, both[i].name, both[i].of, v ? "revised" : "generator")), 0,
			                1000);
	double from_a = eval_value(&f, "conditional coherence", "a -> b", "generator"),
		   from_b = eval_value(&f, "conditional coherence", "b -> a", "generator");
	assert_true(fabs(eval_value(&f, "conditional coherence", "mean", "generator") - 0.5 * (from_a + from_b)) < 1e-12);
	assert_true(eval_value(&f, "judge's accuracy", "a", "these tuples") == 1);
	assert_true(eval_value(&f, "energy as detector", "mean", "ROC area") <= 1);
	assert_true(eval_value(&f, "latent accuracy", "a", "mean") >=
	            0.5); /* two far apart classes, and any encoder keeps something */
	assert_true(eval_value(&f, "cost of 64 samples", "network evaluations a sample", "generator") == 1);
	assert_true(eval_value(&f, "cost of 64 samples", "network evaluations a sample", "revised") == 3);
	const mmi_report_item *lack = mmi_report_find(&f, "Frechet distance", "", "");
	if (!lack)
		assert_true(eval_value(&f, "Frechet distance", "a hidden5", "generator") > 0 &&
		            eval_value(&f, "Frechet distance", "b pca7", "revised") > 0);
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
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
	r.count = ROWS;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_ok(mmi_saved_open(checkpoint, &(mmi_setup_request){ .ini = NULL }, ROWS, &saved, &e), e);
	assert_ok(mmi_sampler_prepare(saved.sampler, MMI_NET_ALL, &e), e);
	assert_ok(mmi_judge_open(r.judge, cpu_device(), saved.setup.modalities, 2, saved.setup.pool, &judge, &e), e);
	assert_ok(mmi_tuples_open(saved.setup.modalities, 2, MMI_PART_TEST, 0, 1, NULL, &tuples, &e), e);
	assert_ok(mmi_tuples_pick(tuples, ROWS, r.seed, &e), e);
	assert_ok(mmi_translator_create(saved.model, saved.sampler, ROWS, &translator, &e), e);
	assert_ok(mmi_latents_create(saved.model, ROWS, &z, &e), e);
	float *x[2] = { data[0], data[1] };
	for (uint32_t i = 0; i < ROWS; i++) {
		ones[i] = 1;
		assert_ok(mmi_tuples_read(tuples, i, (float *[]){ x[0] + 8 * i, x[1] + 8 * i }, &e), e);
	}
	const mmi_translate_args args = { .number = 2u << 20,
		                              .expert = 1,
		                              .temperature = 1 }; /* b to a: the second source, the first block */
	mmi_translate(translator, &args, x, (const float *[]){ zeros, ones }, mmi_whole(ROWS), NULL);
	mmi_judge_as_saved(&saved.setup.modalities[0], x[0], ROWS);
	mmi_judge_run(judge, 0, x[0], ROWS, class_of[0], NULL);
	for (uint32_t i = 0; i < ROWS; i++)
		right += class_of[0][i] == mmi_tuples_label(tuples, i);
	assert_true(eval_value(&f, "conditional coherence", "b -> a", "generator") == right / (double)ROWS);
	mmi_sampler_prior(saved.sampler, mmi_whole(ROWS), 0, 0, &z);
	mmi_sampler_decode(saved.sampler, &z, ROWS, x);
	for (uint32_t m = 0; m < 2; m++) {
		mmi_judge_as_saved(&saved.setup.modalities[m], x[m], ROWS);
		mmi_judge_run(judge, m, x[m], ROWS, class_of[m], NULL);
	}
	for (uint32_t i = 0; i < ROWS; i++)
		agree += class_of[0][i] == class_of[1][i];
	assert_true(eval_value(&f, "unconditional coherence", "all modalities agree", "generator") == agree / (double)ROWS);
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
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	for (int i = 0; i < 3; i++) {
		mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
		r.without = "cost";
		r.seed = i == 2;
		r.setup = (mmi_setup_request){ .sets = &threads, .n_sets = i == 1 };
		assert_ok(mmi_evaluate(&r, &f[i], &e), e);
	}
	bool other = false;
	assert_int_equal(f[0].n, f[1].n);
	for (size_t i = 0; i < f[0].n; i++) {
		if (!(isnan(f[0].item[i].value) && isnan(f[1].item[i].value)) && f[0].item[i].value != f[1].item[i].value)
			fail_msg("%s of %s, %s: %.17g with one thread, %.17g with three", f[0].item[i].name, f[0].item[i].of,
			         f[0].item[i].variant, f[0].item[i].value, f[1].item[i].value);
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
	eval_make_run_with(*state, "learner.warmup=20", checkpoint, sizeof checkpoint);
	const mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	for (size_t i = 0; i < f.n; i++)
		assert_string_not_equal(f.item[i].variant, "revised");
	assert_true(eval_value(&f, "conditional coherence, z revised", "mean", "generator") <= 1);
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
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, NULL);
	r.without = "frechet,cfrechet,latent,energy,rank,cost";
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ECONFIG, e, "/run/judge.safetensors; make one with mmcore judge");
	/* A judge that claims to be good and knows nothing of these data. */
	eval_open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_create(cpu_device(), setup.modalities, 2, false, 5, setup.pool, &blind, &e), e);
	blind->member[0].accuracy = blind->member[1].accuracy = 1;
	memset(blind->params->raw.at, 0, blind->params->count * sizeof(float));
	assert_ok(mmi_judge_save(blind, &setup, rig_path(*state, "blind.safetensors"), &e), e);
	mmi_judge_destroy(blind);
	mmi_setup_close(&setup);
	r.judge = rig_path(*state, "blind.safetensors");
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ESHAPE, e,
	             "with accuracy 0.500, but had 1.000 on its own: it was made for other data");
	r.judge = eval_make_judge(*state);
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
	eval_open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[b]\nplugin = " BADPLUGIN_DIR "/toy_unjudged.so\n",
	                NULL, &setup);
	assert_null(setup.modalities[1].classifier);
	assert_ok(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), e);
	assert_int_equal(j->present, 1);
	assert_non_null(j->matcher);
	assert_ok(mmi_judge_save(j, &setup, rig_path(*state, "judge.safetensors"), &e), e);
	assert_ok(mmi_train(&setup, rig_path(*state, "run"), false, &hooks, &result, &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	const mmi_eval_request r = eval_request_of(result.checkpoint, rig_path(*state, "judge.safetensors"));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(eval_value(&f, "conditional coherence", "b -> a", "generator") ==
	            eval_value(&f, "conditional coherence", "mean", "generator"));
	assert_null(mmi_report_find(&f, "conditional coherence", "a -> b", "generator"));
	assert_non_null(strstr(mmi_report_find(&f, "unconditional coherence", "", "")->why,
	                       "classes can be read in one modality only"));
	assert_true(fabs(eval_value(&f, "alignment of data", "a with b", "real")) <= 1);
	assert_true(fabs(eval_value(&f, "alignment of translations", "a -> b", "revised")) <=
	            1); /* of what no classifier reads, too */
	mmi_report_clear(&f);
}

/* One group of figures of a checkpoint, with a setting changed. */
static void evaluate_with(const mmi_eval_request *all, const char *figure, const char *set, mmi_report *f)
{
	mm_error e = MM_ERROR_INIT;
	mmi_eval_request r = *all;
	r.only = figure;
	r.setup = (mmi_setup_request){ .sets = &set, .n_sets = set ? 1 : 0 };
	assert_ok(mmi_evaluate(&r, f, &e), e);
}

/* The columns between are what an evaluation with the other part switched off has in its last. */
static void each_part_of_a_recipe_has_a_column(void **state)
{
	static const struct {
		const char *name, *of;
	} figures[] = { { "unconditional coherence", "all modalities agree" },
		            { "conditional coherence", "mean" },
		            { "conditional coherence", "a -> b" },
		            { "Frechet distance", "b pca7" },
		            { "conditional Frechet, pca", "b -> a" },
		            { "conditional Frechet, pca", "mean" } };
	char checkpoint[512];
	mmi_report all, data, guided, bounded;
	eval_make_run_with(*state, "energy.match=towers", checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
	const bool lapack = mmi_linalg_available();
	r.steps.latent_steps = 3;
	r.steps.data_steps = 2;
	r.steps.candidates = 2;
	evaluate_with(&r, "coherence,conditional,frechet,cfrechet", NULL, &all);
	evaluate_with(&r, "coherence,conditional,frechet,cfrechet", "translate.rise_max=1e-6", &bounded);
	r.steps.data_steps = 0;
	evaluate_with(&r, "coherence,conditional,frechet,cfrechet", NULL, &guided);
	r.steps = (mmi_recipe_change){ .posterior_steps = -1, .candidates = 1, .latent_steps = 0, .data_steps = 2 };
	evaluate_with(&r, "coherence,conditional,frechet,cfrechet", NULL, &data);
	for (size_t i = 0; i < MMI_COUNT(figures) - (lapack ? 0 : 3); i++) {
		const char *name = figures[i].name, *of = figures[i].of;
		assert_true(eval_value(&all, name, of, "guided") == eval_value(&guided, name, of, "revised"));
		assert_true(eval_value(&all, name, of, "data chain") == eval_value(&data, name, of, "revised"));
		assert_true(eval_value(&all, name, of, "generator") == eval_value(&data, name, of, "generator"));
		assert_true(eval_value(&all, name, of, "data chain") == eval_value(&bounded, name, of, "data chain"));
		assert_null(mmi_report_find(&data, name, of, "data chain"));
		assert_null(mmi_report_find(&guided, name, of, "guided"));
	}
	const double back = eval_value(&bounded, "taken back by the bound", "translations", "share");
	assert_true(back > 0 && back <= 1);
	assert_null(mmi_report_find(&bounded, "taken back by the bound", "samples", "share"));
	assert_null(mmi_report_find(&all, "taken back by the bound", "translations", "share"));
	if (lapack) {
		assert_true(eval_value(&all, "conditional Frechet, pca", "mean", "revised") !=
		            eval_value(&bounded, "conditional Frechet, pca", "mean", "revised"));
		assert_true(eval_value(&all, "Frechet distance", "b pca7", "revised") ==
		            eval_value(&bounded, "Frechet distance", "b pca7", "revised"));
		assert_true(eval_value(&all, "Frechet distance", "b pca7", "guided") !=
		            eval_value(&all, "Frechet distance", "b pca7", "revised"));
		assert_true(fabs(eval_value(&all, "conditional Frechet, pca", "mean", "revised") -
		                 0.5 * (eval_value(&all, "conditional Frechet, pca", "a -> b", "revised") +
		                        eval_value(&all, "conditional Frechet, pca", "b -> a", "revised"))) < 1e-9);
		assert_true(eval_value(&all, "conditional Frechet", "a -> b", "revised") > 0);
	}
	mmi_report_clear(&all);
	mmi_report_clear(&data);
	mmi_report_clear(&guided);
	mmi_report_clear(&bounded);
}

/* Of each term and of all, beside networks that learned nothing. */
static void ranks_are_told_by_term(void **state)
{
	static const char *const variants[] = { "joint", "texture", "match", "joint, untrained", "match, untrained" };
	char checkpoint[512];
	mmi_report f;
	eval_make_run_with(*state, "energy.match=towers", checkpoint, sizeof checkpoint);
	const mmi_eval_request r = eval_request_of(checkpoint, NULL);
	evaluate_with(&r, "rank,energy", NULL, &f);
	for (size_t i = 0; i < MMI_COUNT(variants); i++) {
		const double a = eval_value(&f, "paired rank", "a of another class", variants[i]),
					 b = eval_value(&f, "paired rank", "b of another class", variants[i]);
		assert_true(a >= 0 && a <= 1 && b >= 0 && b <= 1);
		assert_true(fabs(eval_value(&f, "paired rank", "mean of another class", variants[i]) - (a + b) / 2) < 1e-12);
		assert_true(eval_value(&f, "paired rank", "a of the same class", variants[i]) >= 0);
	}
	assert_null(mmi_report_find(&f, "paired rank", "a of another class", "agreement"));
	assert_true(eval_value(&f, "energy as detector", "mean", "match") <= 1);
	mmi_report_clear(&f);
}

static void the_detector_is_shown_without_agreement_too(void **state)
{
	char checkpoint[512];
	mmi_report joint, alone;
	eval_make_run_with(*state, "energy.agreement=5", checkpoint, sizeof checkpoint);
	const mmi_eval_request r = eval_request_of(checkpoint, NULL);
	evaluate_with(&r, "energy", NULL, &joint);
	evaluate_with(&r, "energy", "energy.agreement=0", &alone);
	for (int i = 0; i < 2; i++) {
		const char *of = i ? "mean" : "a of another class";
		assert_true(eval_value(&joint, "energy as detector", of, "texture") ==
		            eval_value(&alone, "energy as detector", of, "ROC area"));
		assert_true(eval_value(&joint, "energy as detector", of, "ROC area") !=
		            eval_value(&alone, "energy as detector", of, "ROC area"));
		assert_null(mmi_report_find(&alone, "energy as detector", of, "texture"));
	}
	mmi_report_clear(&joint);
	mmi_report_clear(&alone);
}

/* What a modality's latents tell is its own encoder's knowledge, also where translations multiply experts. */
static void latents_are_read_off_one_modality_alone(void **state)
{
	char checkpoint[512];
	mmi_report f[2];
	eval_make_run_with(*state, "learner.fusion=mixture", checkpoint, sizeof checkpoint);
	const mmi_eval_request r = eval_request_of(checkpoint, NULL);
	evaluate_with(&r, "latent", NULL, &f[0]);
	evaluate_with(&r, "latent", "learner.fusion=product", &f[1]);
	for (int i = 0; i < 4; i++) {
		const char *of = i % 2 ? "a" : "b", *kind = i / 2 ? "mean" : "sample";
		double mixture = eval_value(&f[0], "latent accuracy", of, kind),
			   product = eval_value(&f[1], "latent accuracy", of, kind);
		assert_true(mixture >= 0 && mixture == product);
	}
	mmi_report_clear(&f[0]);
	mmi_report_clear(&f[1]);
}

static void a_baseline_is_judged_without_chains(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_report f;
	eval_make_run_with(*state, "learner.objective=mopoe", checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state));
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(eval_value(&f, "coherence by given", "1 given", "generator") <= 1);
	assert_null(mmi_report_find(&f, "coherence by given, z revised", "1 given", "generator"));
	assert_null(mmi_report_find(&f, "conditional coherence, z revised", "mean", "generator"));
	mmi_report_clear(&f);
	r.steps.posterior_steps = 3; /* unless it is asked for */
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(eval_value(&f, "coherence by given, z revised", "1 given", "generator") <= 1);
	mmi_report_clear(&f);
}

static const char *fact(const mmi_report *f, const char *key)
{
	for (size_t i = 0; i < f->n_facts; i++)
		if (!strcmp(f->fact[i].key, key))
			return f->fact[i].value;
	return NULL;
}

static void a_judge_that_learned_from_the_tuples_is_named(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_report f;
	eval_make_run_with(*state, "data.holdout=8", checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, eval_make_judge(*state)); /* which held nothing out */
	r.without = "cost";
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_null(fact(&f, "judge has seen")); /* not the test tuples */
	mmi_report_clear(&f);
	r.part = MMI_PART_VALIDATION;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_non_null(fact(&f, "judge has seen"));
	mmi_report_clear(&f);
	mmi_setup setup;
	mmi_judge *j;
	eval_open_setup(*state, TWO, "data.holdout=8", &setup);
	assert_ok(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), e);
	assert_ok(mmi_judge_save(j, &setup, r.judge, &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_null(fact(&f, "judge has seen"));
	mmi_report_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(a_run_has_every_figure),
		one_test(coherence_is_what_a_count_by_hand_gives),
		one_test(threads_and_repetition_do_not_change_figures),
		one_test(without_an_energy_there_are_no_revised_samples),
		one_test(evaluations_that_cannot_be_are_refused),
		one_test(one_classifier_is_enough_for_what_it_can_read),
		one_test(each_part_of_a_recipe_has_a_column),
		one_test(ranks_are_told_by_term),
		one_test(the_detector_is_shown_without_agreement_too),
		one_test(latents_are_read_off_one_modality_alone),
		one_test(a_baseline_is_judged_without_chains),
		one_test(a_judge_that_learned_from_the_tuples_is_named),
	};
	return cmocka_run_group_tests_name("evaluations of a run", tests, NULL, NULL);
}
