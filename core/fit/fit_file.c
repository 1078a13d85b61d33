/* fit_file.c - from a checkpoint to the same one with a prior. */
#include "mmi_build.h"

#include "fit/fit_file.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 256u /* tuples in memory at once */

static mm_status open_tuples(const mmi_saved *s, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	return (set->keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->setup.modalities, s->setup.n_modalities, MMI_PART_TRAIN, set->holdout, set->seed, log, out, e);
}

static mm_status fit(const mmi_saved *s, const mmi_log *log, const mmi_fit_request *r, const mmi_fit_hooks *hooks,
                     mmi_fitted *fitted, mmi_fit_reports *out, mm_error *e)
{
	mmi_tuples *tuples;
	MMI_TRY(open_tuples(s, log, &tuples, e));
	mm_status status = mmi_fit_prior(s, tuples, mmi_whole_chunks(BLOCK, mmi_sampler_chunk(s->sampler)), r, hooks,
	                                 fitted, out->of, &out->n, e);
	mmi_tuples_close(tuples);
	return status;
}

/* The request and one setting more: no older prior is asked for. */
static mm_status open_saved(const char *checkpoint, const mmi_setup_request *request, mmi_saved *out, mm_error *e)
{
	mmi_setup_request own = *request;
	const char **sets = mmi_alloc(request->n_sets + 1, sizeof *sets);
	if (!sets)
		return mmi_fail(e, MM_ENOMEM, "out of memory for settings");
	for (size_t i = 0; i < request->n_sets; i++)
		sets[i] = request->sets[i];
	sets[own.n_sets++] = "sample.prior=model";
	own.sets = sets;
	mm_status status = mmi_saved_open(checkpoint, &own, BLOCK, out, e);
	mmi_free(sets);
	return status;
}

static mm_status store(const char *checkpoint, const mmi_saved *s, const mmi_fitted *fitted, const char *path,
                       mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_open(checkpoint, &ck, e));
	mm_status status = mmi_fitted_write(ck, s->model, fitted, path, e);
	mmi_checkpoint_close(ck);
	return status;
}

mm_status mmi_fit_file(const char *checkpoint, const mmi_setup_request *request, const mmi_fit_request *r,
                       const mmi_fit_hooks *hooks, const char *path, mmi_fit_reports *out, mm_error *e)
{
	mmi_saved saved;
	mmi_fitted fitted = { .device = NULL };
	*out = (mmi_fit_reports){ .n = 0 };
	MMI_TRY(open_saved(checkpoint, request, &saved, e));
	mm_status status = fit(&saved, request->log, r, hooks, &fitted, out, e);
	if (status == MM_OK)
		status = store(checkpoint, &saved, &fitted, path, e);
	mmi_fitted_clear(&fitted);
	mmi_saved_close(&saved);
	return status;
}

const char *mmi_fit_text(const mmi_fit_request *r, const mmi_fit_report *report, char text[MM_ERROR_TEXT])
{
	if (r->prune)
		snprintf(text, MM_ERROR_TEXT, "%u of %u clusters stay", report->found, report->asked);
	else
		snprintf(
			text, MM_ERROR_TEXT,
			"%u of %u components, %s, %u iterations; mean log density of the encoders' draws %.4g (standard normal "
			"%.4g)",
			report->found, report->asked, r->full ? "full" : "diagonal", report->outcome.iterations,
			report->outcome.log_likelihood, report->standard);
	return text;
}

/* ------------------------------------------------------------ at a run's end */

static mm_status has_prior(const char *checkpoint, bool *has, mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_open(checkpoint, &ck, e));
	*has = mmi_fitted_there(ck);
	mmi_checkpoint_close(ck);
	return MM_OK;
}

static mm_status fit_to(const char *checkpoint, const mmi_setup_request *request, const mmi_fit_request *r,
                        const mmi_fit_hooks *hooks, mm_error *e)
{
	char text[MM_ERROR_TEXT];
	mmi_fit_reports reports;
	bool has;
	MMI_TRY(has_prior(checkpoint, &has, e));
	if (has)
		return MM_OK;
	MMI_TRY(mmi_fit_file(checkpoint, request, r, hooks, checkpoint, &reports, e));
	for (uint32_t i = 0; i < reports.n; i++)
		mmi_logf(request->log, MM_LOG_INFO, "a prior fitted to %s: %s", reports.of[i].of,
		         mmi_fit_text(r, &reports.of[i], text));
	return MM_OK;
}

void mmi_fit_end(const char *run, const mmi_setup_request *request, uint32_t components, const mmi_fit_hooks *hooks)
{
	const mmi_setup_request own = { NULL, request->plugins, request->n_plugins, NULL, 0, request->log };
	const mmi_fit_request r = { .components = components, .count = UINT32_MAX };
	mm_error e = MM_ERROR_INIT;
	char *checkpoint = NULL;
	mm_status status = mmi_checkpoint_of_run(run, &checkpoint, &e);
	if (status == MM_OK)
		status = fit_to(checkpoint, &own, &r, hooks, &e);
	if (status != MM_OK)
		mmi_logf(request->log, MM_LOG_WARNING,
		         "no prior was fitted ([sample] components = %u): %s; mmcore fit-prior --ckpt %s --components %u tries "
		         "again",
		         components, e.message, run, components);
	mmi_free(checkpoint);
}
