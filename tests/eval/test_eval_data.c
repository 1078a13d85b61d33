/* test_eval_data.c - data as people have them: no test split, sorted by class, few of them, one class only. */
#include "mmi_build.h"

#include "../rig/eval_rig.h"

#include "store/files.h"

#include <math.h>

/* Two modalities with the same settings, which are the plugin's, not the section's. */
static void open_data(rig *r, const char *settings, const char *set, mmi_setup *out)
{
	char text[1024];
	snprintf(text, sizeof text, "[a]\nplugin = %s/toy_data.so\n%s[b]\nplugin = %s/toy_data.so\n%s", BADPLUGIN_DIR,
	         settings, BADPLUGIN_DIR, settings);
	eval_open_setup(r, text, set, out);
}

typedef struct heard {
	int warnings, infos;
	char text[2048];
} heard;

static void hear(void *ctx, int level, const char *text)
{
	heard *h = ctx;
	const size_t used = strlen(h->text);
	h->warnings += level == MM_LOG_WARNING;
	h->infos += level == MM_LOG_INFO;
	snprintf(h->text + used, sizeof h->text - used, "%s\n", text);
}

static void make_run(rig *r, const char *settings, const char *set, heard *h, char *checkpoint, size_t size)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	const mmi_log log = { .line = hear, .ctx = h };
	const mmi_train_hooks hooks = { .log = h ? &log : NULL };
	open_data(r, settings, set, &setup);
	assert_ok(mmi_train(&setup, rig_path(r, "run"), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	snprintf(checkpoint, size, "%s", result.checkpoint);
	assert_true(result.grid[0]);
}

/* ------------------------------------------------------------ no test split */

static void without_a_test_split_training_shows_training_data(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	heard h = { 0 };
	mmi_report f;
	make_run(*state, "test = 0\n", NULL, &h, checkpoint, sizeof checkpoint);
	assert_int_equal(h.warnings, 1);
	assert_non_null(strstr(h.text, "no sample in the test split; sheets show training data instead"));
	const mmi_eval_request r = eval_request_of(checkpoint, NULL);
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ECONFIG, e,
	             "no sample in the test split; an evaluation needs tuples that were not trained on");
}

static void without_a_test_split_what_was_held_out_is_evaluated(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *j = NULL;
	mmi_report f;
	make_run(*state, "test = 0\n", "data.holdout=10", NULL, checkpoint, sizeof checkpoint);
	open_data(*state, "test = 0\n", NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), MM_EFORMAT, e,
	             "give the data a test split, or set [data] holdout");
	mmi_setup_close(&setup);
	open_data(*state, "test = 0\n", "data.holdout=10", &setup);
	assert_ok(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), e);
	assert_int_equal(j->member[0].tested, 10);
	assert_ok(mmi_judge_save(j, &setup, rig_path(*state, "judge.safetensors"), &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	mmi_eval_request r = eval_request_of(checkpoint, rig_path(*state, "judge.safetensors"));
	r.part = MMI_PART_VALIDATION;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(eval_value(&f, "conditional coherence", "mean", "generator") >= 0);
	mmi_report_clear(&f);
}

/* ------------------------------------------------------------ few tuples */

/* With fewer tuples than a batch or even a chunk, classifiers and matcher learn from all of them at once. */
static void a_judge_needs_no_more_tuples_than_there_are(void **state)
{
	static const char *const counts[] = { "train = 12\ntest = 6\n", "train = 100\ntest = 8\n",
		                                  "train = 1\ntest = 2\n" };
	mm_error e = MM_ERROR_INIT;
	for (size_t i = 0; i < MMI_COUNT(counts); i++) {
		mmi_setup setup;
		mmi_judge *j;
		heard h = { 0 };
		const mmi_log log = { .line = hear, .ctx = &h };
		const mmi_judge_training how = { .epochs = 200, .batch = 128, .rate = 1e-2, .wish = MMI_MATCHER_YES };
		open_data(*state, counts[i], NULL, &setup);
		assert_ok(mmi_judge_train(&setup, &how, &(mmi_judge_hooks){ .log = &log }, &j, &e), e);
		assert_non_null(strstr(h.text, "instead of 128 (--batch)"));
		assert_int_equal(h.infos, 2); /* classifiers and matcher */
		for (uint32_t m = 0; m < 2 && i < 2; m++)
			assert_true(j->member[m].accuracy == 1);
		assert_true(isfinite(j->matcher->recall[0][1].area));
		mmi_judge_destroy(j);
		mmi_setup_close(&setup);
	}
}

/* Rows that fill a chunk up weigh nothing: 16 tuples in a batch of 16 are what they are in one of 128. */
static void a_batch_of_all_is_the_batch_of_that_size(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *a, *b;
	const mmi_judge_training all = { .epochs = 10, .batch = 128, .rate = 1e-2, .wish = MMI_MATCHER_YES },
							 same = { .epochs = 10, .batch = 16, .rate = 1e-2, .wish = MMI_MATCHER_YES };
	open_data(*state, "train = 16\n", NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &all, &eval_quiet, &a, &e), e);
	assert_ok(mmi_judge_train(&setup, &same, &eval_quiet, &b, &e), e);
	assert_memory_equal(&a->matcher->recall[0][1], &b->matcher->recall[0][1], sizeof(mmi_recall));
	assert_ok(mmi_judge_save(a, &setup, rig_path(*state, "a"), &e), e);
	assert_ok(mmi_judge_save(b, &setup, rig_path(*state, "b"), &e), e);
	char *text[2];
	size_t bytes[2];
	assert_ok(mmi_read_file(rig_path(*state, "a"), 1 << 22, &text[0], &bytes[0], &e), e);
	assert_ok(mmi_read_file(rig_path(*state, "b"), 1 << 22, &text[1], &bytes[1], &e), e);
	assert_int_equal(bytes[0], bytes[1]);
	assert_memory_equal(text[0], text[1], bytes[0]);
	mmi_free(text[0]);
	mmi_free(text[1]);
	mmi_judge_destroy(a);
	mmi_judge_destroy(b);
	mmi_setup_close(&setup);
}

/* ------------------------------------------------------------ classes */

static void one_class_is_the_reason_and_not_the_plugin(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	mmi_setup setup;
	mmi_judge *j = NULL;
	mmi_report f;
	make_run(*state, "classes = 1\n", NULL, NULL, checkpoint, sizeof checkpoint);
	const mmi_judge_training classifiers = { .epochs = 1, .batch = 16, .rate = 1e-2, .wish = MMI_MATCHER_NO };
	open_data(*state, "classes = 1\n", NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &classifiers, &eval_quiet, &j, &e), MM_EUNSUPPORTED, e,
	             "[a] has fewer than two classes, [b] has fewer than two classes");
	mmi_setup_close(&setup);
	const mmi_eval_request r = eval_request_of(checkpoint, NULL);
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_string_equal(mmi_report_find(&f, "unconditional coherence", "", "")->why,
	                    "[a] has fewer than two classes, [b] has fewer than two classes");
	assert_string_equal(mmi_report_find(&f, "conditional coherence", "", "")->why,
	                    "[a] has fewer than two classes, [b] has fewer than two classes");
	mmi_report_clear(&f);
}

static void without_a_judge_there_is_what_needs_none(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	heard h = { 0 };
	const mmi_log log = { .line = hear, .ctx = &h };
	mmi_report f;
	make_run(*state, "", NULL, NULL, checkpoint, sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, NULL);
	r.setup.log = &log;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_non_null(strstr(h.text, "no judge at"));
	assert_non_null(strstr(mmi_report_find(&f, "unconditional coherence", "", "")->why, "there is no judge at"));
	assert_non_null(strstr(mmi_report_find(&f, "coherence by given", "", "")->why, "there is no judge at"));
	if (!mmi_report_find(&f, "Frechet distance", "", "")) /* that is, there is LAPACK */
		assert_true(eval_value(&f, "Frechet distance", "mean, components of raw values", "generator") > 0);
	assert_true(eval_value(&f, "latent accuracy", "mean", "mean") > 0);
	mmi_report_clear(&f);
	r.only = "coherence,given";
	assert_fails(mmi_evaluate(&r, &f, &e), MM_ECONFIG, e, "make one with mmcore judge");
}

/* Of data sorted by class, the first tuples are of one: no probe is fitted to them alone, and no figure is of them
 * alone. */
static void sorted_data_are_evaluated_as_a_whole(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512];
	heard h = { 0 };
	const mmi_log log = { .line = hear, .ctx = &h };
	mmi_report f;
	make_run(*state, "train = 400\ntest = 200\nclasses = 8\norder = sorted\n", NULL, NULL, checkpoint,
	         sizeof checkpoint);
	mmi_eval_request r = eval_request_of(checkpoint, NULL);
	r.count = 20;
	r.probe = 48;
	r.setup.log = &log;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_true(eval_value(&f, "latent accuracy", "mean", "mean") >
	            0.4); /* eight classes; the first 48 tuples are of one */
	assert_true(eval_value(&f, "energy as detector", "mean", "ROC area") <=
	            1); /* there are partners of other classes */
	assert_null(strstr(h.text, "latent accuracy"));
	mmi_report_clear(&f);
	r.probe = 4;
	assert_ok(mmi_evaluate(&r, &f, &e), e);
	assert_non_null(strstr(h.text, "are not among the 4 training tuples the probe is fitted to"));
	mmi_report_clear(&f);
}

/* The first two of 200 test samples cannot be read, and the sheet has two columns. */
static void sheets_do_not_show_the_first_tuples(void **state)
{
	char checkpoint[512];
	make_run(*state, "test = 200\nunreadable = 2\n", NULL, NULL, checkpoint, sizeof checkpoint);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_a_test_split_training_shows_training_data),
		TEST(without_a_test_split_what_was_held_out_is_evaluated),
		TEST(a_judge_needs_no_more_tuples_than_there_are),
		TEST(a_batch_of_all_is_the_batch_of_that_size),
		TEST(one_class_is_the_reason_and_not_the_plugin),
		TEST(without_a_judge_there_is_what_needs_none),
		TEST(sorted_data_are_evaluated_as_a_whole),
		TEST(sheets_do_not_show_the_first_tuples),
	};
	return cmocka_run_group_tests_name("evaluation of awkward data", tests, NULL, NULL);
}
