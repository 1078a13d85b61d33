/* cmd_eval.c - mmcore eval: every figure of a checkpoint, or several evaluations summarised. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "eval/evaluate.h"
#include "report/page.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct mmi_eval_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started;
} mmi_eval_view;

typedef struct mmi_eval_job {
	mmi_eval_request request;
	const char *split, *only, *out;
	int64_t count, probe, seed;
	bool summary, json;
} mmi_eval_job;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void step(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	mmi_eval_view *v = ctx;
	if (!v->started)
		mmi_progress_start(&v->progress, v->cli, "block", 0, total);
	v->started = true;
	mmi_progress_update(&v->progress, done, "%s", what);
}

static mm_status answer(const mmi_cli *cli, const mmi_report *f, mm_error *e)
{
	char *text;
	MMI_TRY(mmi_report_json(f, &text, e));
	fprintf(cli->console->out, "%s\n", text);
	mmi_free(text);
	return MM_OK;
}

static mm_status show(const mmi_cli *cli, const mmi_report *f, const mmi_eval_job *j, const char *name, mm_error *e)
{
	const char *folder = j->out;
	if (j->json)
		MMI_TRY(answer(cli, f, e));
	else
		mmi_report_print(f, cli->console->out);
	if (!folder)
		return MM_OK;
	MMI_TRY(mmi_report_write(f, folder, name, e));
	mmi_page_around(folder, &cli->log);
	if (!j->json)
		fprintf(cli->console->out, "\nfiles          %s/%s.json, %s/%s.csv\n", folder, name, folder, name);
	return MM_OK;
}

static int evaluate(const mmi_cli *cli, mmi_eval_job *j)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report figures = { 0 };
	mmi_eval_view view = { .cli = cli };

	j->request.ctx = &view;
	j->request.stop = stop;
	j->request.step = step;
	mmi_interrupt_install();
	mm_status status = mmi_evaluate(&j->request, &figures, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	if (status == MM_OK)
		status = show(cli, &figures, j, "eval", &e);
	mmi_report_clear(&figures);
	if (status == MM_OK)
		return MMI_EXIT_OK;
	return view.started && status != MM_ESHAPE && status != MM_ECONFIG ? mmi_cli_fail(cli, &e)
	                                                                   : mmi_cli_refuse(cli, &e);
}

/* A folder stands for its eval.json. */
static mm_status read_one(const char *path, mmi_report *out, mm_error *e)
{
	struct stat s;
	if (stat(path, &s) || !S_ISDIR(s.st_mode))
		return mmi_report_read(path, out, e);
	char *file = mmi_format("%s/eval.json", path);
	mm_status status = file ? mmi_report_read(file, out, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mmi_free(file);
	return status;
}

static int summarise(const mmi_cli *cli, const mmi_eval_job *j, const mmi_strings *paths)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report summary = { 0 };
	mmi_report *runs = mmi_alloc(paths->n, sizeof *runs);
	mm_status status = runs ? MM_OK : mmi_fail(&e, MM_ENOMEM, "out of memory for %zu evaluations", paths->n);
	for (size_t i = 0; i < paths->n && status == MM_OK; i++)
		status = read_one(paths->item[i], &runs[i], &e);
	if (status == MM_OK)
		status = mmi_report_summary(runs, paths->n, &summary, &e);
	if (status == MM_OK)
		status = show(cli, &summary, j, "summary", &e);
	for (size_t i = 0; runs && i < paths->n; i++)
		mmi_report_clear(&runs[i]);
	mmi_free(runs);
	mmi_report_clear(&summary);
	return status == MM_OK ? MMI_EXIT_OK : mmi_cli_refuse(cli, &e);
}

static int run(const mmi_cli *cli, const mmi_usage *usage, mmi_eval_job *j, const mmi_strings *operands)
{
	mm_error e = MM_ERROR_INIT;
	if (j->summary)
		return operands->n ? summarise(cli, j, operands)
		                   : mmi_options_refuse(cli, usage, "--summary needs folders that eval --out wrote");
	if (operands->n)
		return mmi_options_refuse(cli, usage, "'%s' is no option; the checkpoint goes with --ckpt", operands->item[0]);
	if (!j->request.checkpoint)
		return mmi_options_refuse(cli, usage, "--ckpt is missing");
	if (strcmp(j->split, "test") && strcmp(j->split, "validation"))
		return mmi_options_refuse(cli, usage, "--split is '%s'; expected test or validation", j->split);
	j->request.part = strcmp(j->split, "test") ? MMI_PART_VALIDATION : MMI_PART_TEST;
	j->request.count = (uint32_t)j->count;
	j->request.probe = (uint32_t)j->probe;
	j->request.seed = (uint64_t)j->seed;
	j->request.only = j->only;
	if (j->only && mmi_eval_check_names(j->only, &e) != MM_OK)
		return mmi_options_refuse(cli, usage, "--only: %s", e.message);
	return evaluate(cli, j);
}

int mmi_cmd_eval(const mmi_cli *cli, int argc, char **argv)
{
	mmi_eval_job j = { .request = { .steps = MMI_RECIPE_AS_IT_IS }, .split = "test", .count = 1000, .probe = 4000 };
	mmi_strings plugins = { 0 }, sets = { 0 }, other = { 0 }, operands = { 0 };
	char names[MMI_EVAL_NAMES], some_of[MMI_EVAL_NAMES + 8];
	snprintf(some_of, sizeof some_of, "some of %s", mmi_eval_names(names));
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&j.request.checkpoint),
		MMI_OPTION_STRING("judge", "FILE", &j.request.judge,
		                  "what mmcore judge wrote (default: judge.safetensors in the run's folder)"),
		MMI_OPTION_STRING("split", "NAME", &j.split, "test (default) or validation"),
		MMI_OPTION_INT("count", "N", &j.count, 2, 1e8, "samples, and tuples of the split at most (default 1000)"),
		MMI_OPTION_INT("probe", "N", &j.probe, 1, 1e8, "training tuples the latent probe is fitted to (default 4000)"),
		MMI_OPTION_INT("seed", "N", &j.seed, 0, 1e15, "of all draws (default 0)"),
		MMI_OPTION_Z_STEPS(&j.request.steps.posterior_steps),
		MMI_OPTION_CANDIDATES(&j.request.steps.candidates),
		MMI_OPTION_GUIDE_STEPS(&j.request.steps.latent_steps),
		MMI_OPTION_X_STEPS(&j.request.steps.data_steps),
		MMI_OPTION_STRING("only", "NAMES", &j.only, some_of),
		MMI_OPTION_LIST("other", "SECTION.KEY=VALUE", &other,
		                "a setting that makes another data set, for the energy; repeatable"),
		MMI_OPTION_STRING("out", "DIR", &j.out, "write DIR/eval.json and DIR/eval.csv (summary.* with --summary)"),
		MMI_OPTION_FLAG("summary", &j.summary, "mean and standard deviation of evaluations already written: DIR..."),
		MMI_OPTION_FLAG("json", &j.json, "print what eval.json has, for programs"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "eval", "--ckpt FILE [options] | eval --summary DIR...",
		                      "Measures a trained model: coherence, Frechet "
		                      "distances, alignment, latents, the energy as a score, cost; for the generator alone, "
		                      "and from guided latents with the data chain.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, &operands, &code)) {
		j.request.setup = (mmi_setup_request){ NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		j.request.other = other.item;
		j.request.n_other = other.n;
		code = run(cli, &usage, &j, &operands);
	}
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	mmi_strings_clear(&other);
	mmi_strings_clear(&operands);
	return code;
}
