/* run_open.c - the beginning of a run, or of its going on, and its end. */
#include "mmi_build.h"

#include "train/run_state.h"
#include "config/value.h"
#include "engine/build_info.h"
#include "train/changes.h"

#include <string.h>

static void warn_other_build(const mmi_run *r, const mmi_checkpoint *ck)
{
	const char *before = mmi_checkpoint_meta(ck, "build");
	if (before && strcmp(before, r->build))
		mmi_logf(r->hooks->log, MM_LOG_WARNING,
		         "the checkpoint was made by %s, this is %s: results go on, but not bit for bit", before, r->build);
}

/* The settings that the checkpoint was made with. */
static mm_status compare_settings(mmi_run *r, const mmi_checkpoint *ck, bool changed_data, mm_error *e)
{
	const char *was = mmi_checkpoint_meta(ck, "settings");
	const mmi_changes changes = { was, r->portable, r->setup };
	if (!was)
		return MM_OK;
	if (!changed_data)
		MMI_TRY(mmi_changes_check_data(&changes, mmi_checkpoint_path(ck), e));
	r->settings_before = mmi_strdup(was);
	return r->settings_before ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the settings of a run");
}

/* Where a network has another shape than the checkpoint's, a setting did it. */
static mm_status restore_learner(mmi_run *r, const mmi_checkpoint *ck, mm_error *e)
{
	const mmi_changes changes = { mmi_checkpoint_meta(ck, "settings"), r->portable, r->setup };
	mm_status status = mmi_learner_restore(r->learner, ck, r->items, r->n_items, e);
	if (status == MM_ESHAPE && changes.was)
		mmi_changes_blame(&changes, e);
	return status;
}

static mm_status restore(mmi_run *r, bool changed_data, mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_latest(mmi_runfolder_checkpoints(r->folder), r->hooks->log, &ck, e));
	if (!ck) {
		mmi_logf(r->hooks->log, MM_LOG_WARNING, "%s has no checkpoint yet; starting from the beginning",
		         mmi_runfolder_path(r->folder));
		return MM_OK;
	}
	const char *seconds = mmi_checkpoint_meta(ck, "seconds");
	warn_other_build(r, ck);
	if (seconds && !mmi_value_float(seconds, &r->seconds_before))
		r->seconds_before = 0;
	r->restored = true;
	mm_status status = mmi_check_states(r->setup->modalities, r->setup->n_modalities, ck,
	                                    "the data or the plugin has changed since the run began", e);
	if (status == MM_OK)
		status = restore_learner(r, ck, e);
	if (status == MM_OK)
		status = compare_settings(r, ck, changed_data, e);
	if (status == MM_OK)
		mmi_logf(r->hooks->log, MM_LOG_INFO, "resuming after %lld iteration%s from %s",
		         (long long)r->learner->state.iteration, MMI_S(r->learner->state.iteration), mmi_checkpoint_path(ck));
	mmi_checkpoint_close(ck);
	return status;
}

/* What was killed between a checkpoint and its becoming the best one is made good. */
static mm_status restore_best(mmi_run *r, mm_error *e)
{
	if (!r->select)
		return MM_OK;
	MMI_TRY(mmi_best_read(mmi_runfolder_checkpoints(r->folder), (uint64_t)r->learner->state.iteration, &r->best, e));
	mmi_run_link_best(r);
	return MM_OK;
}

/* ------------------------------------------------------------ life of a run */

static char *join_names(const mmi_setup *s)
{
	char *all = mmi_strdup("");
	for (size_t i = 0; all && i < s->n_modalities; i++) {
		char *longer = mmi_format("%s%s%s", all, i ? "," : "", s->modalities[i].name);
		mmi_free(all);
		all = longer;
	}
	return all;
}

/* The tuples on sheets are the test data's, or where there are none, the training data's. Nothing is learned from them.
 */
static mm_status open_shown(mmi_run *r, mm_error *e)
{
	const mmi_setup *s = r->setup;
	mm_error why = MM_ERROR_INIT;
	mm_status status = mmi_tuples_open(s->modalities, s->n_modalities, MMI_PART_TEST, 0, r->settings->seed,
	                                   r->hooks->log, &r->shown, &why);
	if (mmi_part_absent(status)) {
		mmi_logf(r->hooks->log, MM_LOG_WARNING,
		         "%s; sheets show training data instead, and nothing can be evaluated on test data", why.message);
		status = mmi_setup_tuples(s, MMI_PART_TRAIN, NULL, &r->shown, &why);
		if (mmi_part_absent(status))
			return MM_OK; /* none of them is complete: sheets without data */
	}
	if (status != MM_OK)
		return mmi_fail(e, status, "%s", why.message);
	return mmi_tuples_pick(r->shown, r->settings->grid_columns, r->settings->seed, e);
}

static mm_status open_data(mmi_run *r, mm_error *e)
{
	const mmi_setup *s = r->setup;
	uint32_t holdout = r->settings->holdout;
	MMI_TRY((r->settings->keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->modalities, s->n_modalities, MMI_PART_TRAIN, holdout, r->settings->seed, r->hooks->log, &r->train, e));
	if (r->settings->hide > 0)
		MMI_TRY(mmi_tuples_hide(r->train, r->settings->hide, r->settings->seed, e));
	if (mmi_tuples_count(r->train) < r->settings->batch)
		return mmi_fail(e, MM_ECONFIG, "[learner] batch = %u, but there are only %u training tuples",
		                r->settings->batch, mmi_tuples_count(r->train));
	return r->writes ? open_shown(r, e) : MM_OK;
}

static mm_status open_select(mmi_run *r, mm_error *e)
{
	const mmi_setup *s = r->setup;
	mmi_tuples *held;
	MMI_TRY((r->settings->keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->modalities, s->n_modalities, MMI_PART_VALIDATION, r->settings->holdout, r->settings->seed, r->hooks->log,
		&held, e));
	mm_status status = mmi_select_create(r->learner, held, &r->select, e);
	mmi_tuples_close(held);
	return status;
}

static mm_status open_learner(mmi_run *r, mm_error *e)
{
	const mmi_setup *s = r->setup;
	MMI_TRY(mmi_model_create(&s->device, s->modalities, s->n_modalities, &r->settings->model, &r->model, e));
	MMI_TRY(mmi_learner_create(r->settings, r->model, s->pool, &s->comm, &r->learner, e));
	MMI_TRY(mmi_learner_items(r->learner, &r->items, &r->n_items, &r->names, &r->n_names, e));
	if (r->writes)
		MMI_TRY(mmi_gallery_create(r->model, r->learner->sampler, r->shown, r->settings->grid_columns, &r->gallery, e));
	r->modalities = join_names(s);
	r->build = mmi_build_text(&s->device);
	if (r->settings->select_nll && r->writes)
		MMI_TRY(open_select(r, e));
	r->plugins = mmi_setup_plugins(s);
	r->versions = mmi_setup_versions(s);
	if (!r->modalities || !r->build || !r->plugins || !r->versions)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	MMI_TRY(mmi_config_portable(s->config, "plugin", "plugin_path", &r->portable, e));
	return mmi_config_resolved(s->config, &r->resolved, e);
}

mm_status mmi_run_open_batches(mmi_run *r, mm_error *e)
{
	mmi_batches_destroy(r->batches);
	r->batches = NULL;
	return mmi_batches_create(r->train, r->learner->span, r->settings->seed, (uint64_t)r->learner->state.iteration,
	                          true, &r->batches, e);
}

static mm_status open_parts(mmi_run *r, mm_error *e)
{
	MMI_TRY(open_data(r, e));
	return open_learner(r, e);
}

mm_status mmi_run_open_parts(mmi_run *r, mm_error *e)
{
	r->comm = &r->setup->comm;
	r->writes = r->comm->rank == 0;
	MMI_TRY(mmi_comm_agree(r->comm, open_parts(r, e), e));
	return mmi_run_compare_ranks(r, e);
}

static mm_status open_folder(mmi_run *r, const char *out, mmi_train_start start, mm_error *e)
{
	const bool resume = start != MMI_TRAIN_NEW;
	MMI_TRY(mmi_runfolder_open(out, resume, &r->folder, e));
	if (resume)
		MMI_TRY(restore(r, start == MMI_TRAIN_RESUME_CHANGED_DATA, e));
	MMI_TRY(restore_best(r, e));
	MMI_TRY(mmi_runfolder_write_ini(r->folder, r->resolved, e));
	MMI_TRY(mmi_run_open_metrics(r, resume, e));
	mmi_run_remember_seconds(r);
	mmi_run_begin_events(r);
	if (r->settings_before)
		mmi_changes_tell(&(mmi_changes){ r->settings_before, r->portable, r->setup },
		                 (uint64_t)r->learner->state.iteration, r->seconds_before, r->hooks->log);
	return MM_OK;
}

mm_status mmi_run_open(mmi_run *r, const char *out, mmi_train_start start, mm_error *e)
{
	MMI_TRY(mmi_run_open_parts(r, e));
	MMI_TRY(mmi_comm_agree(r->comm, r->writes ? open_folder(r, out, start, e) : MM_OK, e));
	if (start != MMI_TRAIN_NEW)
		MMI_TRY(mmi_run_spread(r, e));
	return mmi_comm_agree(r->comm, mmi_run_open_batches(r, e), e);
}

void mmi_run_close(mmi_run *r)
{
	mmi_batches_destroy(r->batches);
	mmi_metrics_close(r->metrics);
	mmi_events_close(r->events);
	mmi_gallery_destroy(r->gallery);
	mmi_select_destroy(r->select);
	mmi_best_clear(&r->best);
	mmi_learner_items_free(r->items, r->names, r->n_names);
	mmi_fitted_clear(&r->fitted);
	mmi_learner_destroy(r->learner);
	mmi_model_destroy(r->model);
	mmi_tuples_close(r->train);
	mmi_tuples_close(r->shown);
	mmi_runfolder_close(r->folder);
	mmi_free(r->resolved);
	mmi_free(r->portable);
	mmi_free(r->settings_before);
	mmi_free(r->modalities);
	mmi_free(r->build);
	mmi_free(r->plugins);
	mmi_free(r->versions);
}
