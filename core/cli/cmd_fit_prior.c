/* cmd_fit_prior.c - mmcore fit-prior: a prior for samples, fitted to what the encoders say of the training data. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "fit/fit_file.h"

#include <stdio.h>
#include <string.h>

typedef struct mmi_fit_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started;
} mmi_fit_view;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void step(void *ctx, uint64_t done, uint64_t total)
{
	mmi_fit_view *v = ctx;
	if (!v->started)
		mmi_progress_start(&v->progress, v->cli, "tuple", 0, total);
	v->started = true;
	mmi_progress_update(&v->progress, done, NULL);
}

static void print(const mmi_cli *cli, const mmi_fit_request *r, const mmi_fit_reports *reports)
{
	char text[MM_ERROR_TEXT];
	for (uint32_t i = 0; i < reports->n; i++)
		fprintf(cli->console->out, "%-10s %s\n", reports->of[i].of, mmi_fit_text(r, &reports->of[i], text));
}

static void add(mmi_answer *a, const mmi_fit_request *r, const mmi_fit_reports *reports)
{
	cJSON *list = mmi_answer_array(a, a->root, "priors");
	for (uint32_t i = 0; i < reports->n; i++) {
		const mmi_fit_report *p = &reports->of[i];
		cJSON *one = mmi_answer_object(a, list, NULL);
		mmi_answer_text(a, one, "of", p->of);
		mmi_answer_number(a, one, "asked", p->asked);
		mmi_answer_number(a, one, "found", p->found);
		if (r->prune)
			continue;
		mmi_answer_bool(a, one, "full", r->full);
		mmi_answer_number(a, one, "iterations", p->outcome.iterations);
		mmi_answer_number(a, one, "log_density", p->outcome.log_likelihood);
		mmi_answer_number(a, one, "standard_log_density", p->standard);
	}
}

static int answer(const mmi_cli *cli, const mmi_fit_request *r, const mmi_fit_reports *reports, const char *path)
{
	mmi_answer a = mmi_answer_begin();
	add(&a, r, reports);
	mmi_answer_text(&a, a.root, "checkpoint", path);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

static int run(const mmi_cli *cli, const char *checkpoint, const mmi_setup_request *request, const mmi_fit_request *r,
               const char *path, bool json)
{
	mm_error e = MM_ERROR_INIT;
	mmi_fit_reports reports;
	mmi_fit_view view = { .cli = cli };
	const mmi_fit_hooks hooks = { &view, stop, step };

	mmi_interrupt_install();
	mm_status status = mmi_fit_file(checkpoint, request, r, &hooks, path, &reports, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	if (status != MM_OK)
		return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	if (json)
		return answer(cli, r, &reports, path);
	print(cli, r, &reports);
	fprintf(cli->console->out, "checkpoint %s\n", path);
	return MMI_EXIT_OK;
}

/* The checkpoint that a run's folder stands for. */
static int resolve_and_run(const mmi_cli *cli, const char *checkpoint, const mmi_strings *sets,
                           const mmi_strings *plugins, const mmi_fit_request *r, const char *out, bool json)
{
	mm_error e = MM_ERROR_INIT;
	char *file;
	if (mmi_checkpoint_resolve(checkpoint, &file, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	const mmi_setup_request request = { NULL, plugins->item, plugins->n, sets->item, sets->n, &cli->log };
	int code = run(cli, file, &request, r, out ? out : file, json);
	mmi_free(file);
	return code;
}

int mmi_cmd_fit_prior(const mmi_cli *cli, int argc, char **argv)
{
	const char *checkpoint = NULL, *out = NULL, *covariance = "diagonal";
	int64_t components = 10, count = UINT32_MAX;
	mmi_fit_request r = { .prune = false };
	bool json = false;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&checkpoint),
		MMI_OPTION_INT("components", "K", &components, 1, MMI_MAX_CLUSTERS, "of each mixture (default 10)"),
		MMI_OPTION_STRING("covariance", "KIND", &covariance, "diagonal (default) or full"),
		MMI_OPTION_FLAG("prune", &r.prune, "instead of a fit: the clusters of cmvae that the data want"),
		MMI_OPTION_INT("count", "N", &count, 1, UINT32_MAX, "N tuples of the training split (default: all)"),
		MMI_OPTION_STRING("out", "FILE", &out, "where the checkpoint goes (default: in its own place)"),
		MMI_OPTION_JSON(&json),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "fit-prior", "--ckpt FILE [options]",
		                      "Fits a mixture to the latents that the encoders infer from the training data, and puts "
		                      "it into the checkpoint, from which samples are then drawn.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code)) {
		r.full = !strcmp(covariance, "full");
		r.components = (uint32_t)components;
		r.count = (uint32_t)count;
		if (!checkpoint)
			code = mmi_options_refuse(cli, &usage, "--ckpt is missing");
		else if (!r.full && strcmp(covariance, "diagonal") != 0)
			code = mmi_options_refuse(cli, &usage, "--covariance is '%s'; expected diagonal or full", covariance);
		else
			code = resolve_and_run(cli, checkpoint, &sets, &plugins, &r, out, json);
	}
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
