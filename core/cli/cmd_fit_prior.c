/* cmd_fit_prior.c - mmcore fit-prior: a prior for samples, fitted to what the encoders say of the training data. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "fit/fit_prior.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 256u /* tuples in memory at once */

typedef struct mmi_fit_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started, json;
	mmi_answer answer;
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

static void print(const mmi_cli *cli, const mmi_fit_request *r, const mmi_fit_report *reports, uint32_t n)
{
	FILE *out = cli->console->out;
	for (uint32_t i = 0; i < n; i++) {
		const mmi_fit_report *p = &reports[i];
		if (r->prune)
			fprintf(out, "%-10s %u of %u clusters stay\n", p->of, p->found, p->asked);
		else
			fprintf(out,
			        "%-10s %u of %u components, %s, %u iterations; mean log density of the encoders' draws %.4g "
			        "(standard normal %.4g)\n",
			        p->of, p->found, p->asked, r->full ? "full" : "diagonal", p->outcome.iterations,
			        p->outcome.log_likelihood, p->standard);
	}
}

static void add(mmi_answer *a, const mmi_fit_request *r, const mmi_fit_report *reports, uint32_t n)
{
	cJSON *list = mmi_answer_array(a, a->root, "priors");
	for (uint32_t i = 0; i < n; i++) {
		const mmi_fit_report *p = &reports[i];
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

/* Written beside what the checkpoint has, into `path`. */
static mm_status store(const char *checkpoint, const mmi_saved *s, const mmi_fitted *fitted, const char *path,
                       mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_open(checkpoint, &ck, e));
	mm_status status = mmi_fitted_write(ck, s->model, fitted, path, e);
	mmi_checkpoint_close(ck);
	return status;
}

static mm_status fit(const mmi_cli *cli, const mmi_saved *s, const mmi_fit_request *r, mmi_fit_view *view,
                     mmi_fitted *fitted, mm_error *e)
{
	const mmi_fit_hooks hooks = { view, stop, step };
	const mmi_settings *set = &s->setup.settings;
	mmi_fit_report reports[MMI_MAX_MODALITIES + 1];
	mmi_tuples *tuples;
	uint32_t n = 0;
	MMI_TRY((set->keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->setup.modalities, s->setup.n_modalities, MMI_PART_TRAIN, set->holdout, set->seed, &cli->log, &tuples, e));
	mm_status status = mmi_fit_prior(s, tuples, mmi_whole_chunks(BLOCK, mmi_sampler_chunk(s->sampler)), r, &hooks,
	                                 fitted, reports, &n, e);
	mmi_tuples_close(tuples);
	if (view->started)
		mmi_progress_finish(&view->progress);
	if (status == MM_OK && view->json)
		add(&view->answer, r, reports, n);
	else if (status == MM_OK)
		print(cli, r, reports, n);
	return status;
}

static int run(const mmi_cli *cli, const char *checkpoint, const mmi_setup_request *request, const mmi_fit_request *r,
               const char *path, bool json)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_fitted fitted = { .device = NULL };
	mmi_fit_view view = { .cli = cli, .json = json };

	if (mmi_saved_open(checkpoint, request, BLOCK, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	if (json)
		view.answer = mmi_answer_begin();
	mm_status status = fit(cli, &saved, r, &view, &fitted, &e);
	if (status == MM_OK)
		status = store(checkpoint, &saved, &fitted, path, &e);
	mmi_fitted_clear(&fitted);
	mmi_saved_close(&saved);
	if (status == MM_OK && json) {
		mmi_answer_text(&view.answer, view.answer.root, "checkpoint", path);
		return mmi_answer_print(cli, &view.answer, MMI_EXIT_OK);
	}
	mmi_answer_drop(&view.answer);
	if (status != MM_OK)
		return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	fprintf(cli->console->out, "checkpoint %s\n", path);
	return MMI_EXIT_OK;
}

/* The checkpoint that a run's folder stands for, and the settings with which no older prior is asked for. */
static int resolve_and_run(const mmi_cli *cli, const char *checkpoint, mmi_strings *sets, const mmi_strings *plugins,
                           const mmi_fit_request *r, const char *out, bool json)
{
	mm_error e = MM_ERROR_INIT;
	char *file;
	if (mmi_strings_add(sets, "sample.prior=model", &e) != MM_OK ||
	    mmi_checkpoint_resolve(checkpoint, &file, &e) != MM_OK)
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
		                      "it into the checkpoint. Samples are drawn from it with --set sample.prior=fitted.",
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
