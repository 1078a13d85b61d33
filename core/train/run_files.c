/* run_files.c - checkpoints and sheets of a run. */
#include "mmi_build.h"

#include "train/run_state.h"
#include "config/value.h"
#include "engine/streams.h"

#include <stdio.h>

static mm_status write_checkpoint(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	char seconds[MMI_VALUE_TEXT], value[MMI_VALUE_TEXT];
	uint64_t iteration = (uint64_t)r->learner->state.iteration;
	const mmi_best_record *record = mmi_best_at(&r->best, iteration);
	mmi_text_pair meta[9] = {
		{ "format", "mmcore 1" },           { "version", PACKAGE_VERSION }, { "settings", r->portable },
		{ "modalities", r->modalities },    { "build", r->build },          { "plugins", r->plugins },
		{ "plugin_versions", r->versions },
	};
	size_t n_meta = 7;
	if (r->settings->minutes > 0) /* only where time matters: other runs are the same bit for bit */
		meta[n_meta++] = (mmi_text_pair){ "seconds", mmi_value_print(mmi_run_seconds(r), seconds) };
	if (record)
		meta[n_meta++] = (mmi_text_pair){ MMI_BEST_META, mmi_value_print(record->value, value) };
	char *path = mmi_checkpoint_file(mmi_runfolder_checkpoints(r->folder), iteration);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's name");
	mm_status status = mmi_learner_fetch(r->learner, e);
	if (status == MM_OK)
		status = mmi_checkpoint_save(path, r->items, mmi_learner_items_due(r->learner, r->n_items), meta, n_meta, e);
	if (status == MM_OK) {
		snprintf(result->checkpoint, sizeof result->checkpoint, "%s", path);
		r->saved = r->learner->state.iteration;
	}
	mmi_free(path);
	return status;
}

void mmi_run_link_best(mmi_run *r)
{
	mm_error e = MM_ERROR_INIT;
	if (r->select)
		mmi_run_tolerate(r, MMI_RUN_BEST_LINK, mmi_best_link(&r->best, r->folder, &e), &e);
}

/* Checkpoints of a course that a rollback left would be taken for the newest ones. */
static void drop_left_checkpoints(mmi_run *r)
{
	mm_error e = MM_ERROR_INIT;
	mm_status status =
		mmi_checkpoint_drop_after(mmi_runfolder_checkpoints(r->folder), (uint64_t)r->learner->state.iteration, &e);
	mmi_run_tolerate(r, MMI_RUN_LEFT_CHECKPOINTS, status, &e);
}

mm_status mmi_run_save(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	if (!r->writes)
		return MM_OK;
	MMI_TRY(write_checkpoint(r, result, e));
	mmi_run_link_best(r);
	if (r->failing[MMI_RUN_LEFT_CHECKPOINTS])
		drop_left_checkpoints(r);
	mm_status status = mmi_best_prune(&r->best, mmi_runfolder_checkpoints(r->folder), r->settings->checkpoint_keep,
	                                  (uint64_t)r->learner->snapshot_state.iteration, &why);
	mmi_run_tolerate(r, MMI_RUN_OLD_CHECKPOINTS, status, &why);
	return MM_OK;
}

/* After a rollback. The new checkpoint is written first, so that there is one at any moment. */
mm_status mmi_run_replace(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	if (!r->writes)
		return MM_OK;
	mmi_best_back(&r->best, (uint64_t)r->learner->state.iteration);
	MMI_TRY(write_checkpoint(r, result, e));
	mmi_run_link_best(r);
	drop_left_checkpoints(r);
	return MM_OK;
}

static mm_status draw_sheet(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	const mmi_settings *s = r->settings;
	const bool energy = s->cooperative && r->learner->energy.t > 0; /* what was not trained moves nothing */
	const mmi_recipe recipe = energy ? s->sample : mmi_recipe_without_energy(&s->sample);
	const mmi_chains chains = mmi_settings_chains(s, r->model->n_modalities, &recipe, r->learner->state.x_step);
	char title[96 + MMI_GENERATE_TEXT], steps[MMI_GENERATE_TEXT];
	char *path = mmi_runfolder_grid(r->folder, "samples", (uint64_t)r->learner->state.iteration);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sheet's name");
	snprintf(title, sizeof title, "iteration %lld, %s%s", (long long)r->learner->state.iteration,
	         r->fitted.device ? "fitted prior, " : "",
	         energy ? mmi_generate_text(&chains, steps) : "no energy trained");
	mmi_learner_exchange_average(r->learner); /* the generator that checkpoints are used with */
	mmi_sampler_use_prior(r->learner->sampler, &r->fitted.prior);
	mmi_gallery_sample(r->gallery, &chains, MMI_ITERATION_SHEET, true);
	mmi_sampler_use_prior(r->learner->sampler, NULL);
	mmi_learner_exchange_average(r->learner);
	mm_status status = mmi_gallery_write(r->gallery, s->grid_columns, title, path, e);
	if (status == MM_OK)
		snprintf(result->grid, sizeof result->grid, "%s", path);
	mmi_free(path);
	return status == MM_EUNSUPPORTED ? MM_OK : status; /* modalities that are no pictures */
}

void mmi_run_write_sheet(mmi_run *r, mmi_train_result *result)
{
	mm_error e = MM_ERROR_INIT;
	mm_status status = r->writes ? draw_sheet(r, result, &e) : MM_OK;
	mmi_run_tolerate(r, MMI_RUN_SHEETS, status, &e);
	if (status == MM_OK && result->grid[0])
		mmi_run_tell_sheet(r, result->grid);
}
