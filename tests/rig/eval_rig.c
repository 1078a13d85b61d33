/* eval_rig.c - see eval_rig.h. */
#include "mmi_build.h"

#include "eval_rig.h"

static const char *write_ini(rig *r, const char *name, const char *modalities)
{
	const char *path = rig_path(r, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	        "[run]\nthreads = 1\nchunk = 4\ncheckpoint_interval = 1000\ngrid_interval = 1000\ngrid_columns = 2\n"
	        "[learner]\niterations = 20\nwarmup = 5\nbatch = 8\nlatent_dim = 3\nx_steps = 2\nx_step = 1\nz_steps = "
	        "2\n[energy]\nnef = 4\n%s",
	        modalities);
	assert_int_equal(fclose(f), 0);
	return path;
}

void eval_open_setup(rig *r, const char *modalities, const char *set, mmi_setup *out)
{
	mm_error e = MM_ERROR_INIT;
	setenv("MMCORE_PLUGIN_PATH", BADPLUGIN_DIR, 1); /* where plugins that a checkpoint names are looked for */
	const mmi_setup_request request = { .ini = write_ini(r, "run.ini", modalities),
		                                .sets = &set,
		                                .n_sets = set ? 1 : 0 };
	assert_ok(mmi_setup_open(&request, out, &e), e);
}

const mmi_judge_training eval_quick = { .epochs = 60, .batch = 16, .rate = 1e-2 };
const mmi_judge_hooks eval_quiet = { .ctx = NULL };

const char *eval_make_judge(rig *r)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	eval_open_setup(r, TWO, NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), e);
	assert_ok(mmi_judge_save(j, &setup, rig_path(r, "judge.safetensors"), &e), e);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
	return rig_path(r, "judge.safetensors");
}

void eval_make_run_with(rig *r, const char *set, char *checkpoint, size_t size)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	const mmi_train_hooks hooks = { .ctx = NULL };
	eval_open_setup(r, TWO, set, &setup);
	assert_ok(mmi_train(&setup, rig_path(r, "run"), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	snprintf(checkpoint, size, "%s", result.checkpoint);
}

void eval_make_run(rig *r, char *checkpoint, size_t size)
{
	eval_make_run_with(r, NULL, checkpoint, size);
}

mmi_eval_request eval_request_of(const char *checkpoint, const char *judge)
{
	const mmi_eval_request r = { .checkpoint = checkpoint,
		                         .judge = judge,
		                         .part = MMI_PART_TEST,
		                         .count = 40,
		                         .probe = 30,
		                         .steps = MMI_RECIPE_AS_IT_IS };
	return r;
}

double eval_value(const mmi_report *f, const char *name, const char *of, const char *variant)
{
	const mmi_report_item *x = mmi_report_find(f, name, of, variant);
	if (!x)
		fail_msg("no figure %s of %s, %s", name, of, variant);
	return x->value;
}
