/* train.c - the loop around the learner. */
#include "mmi_build.h"

#include "train/train.h"
#include "config/value.h"
#include "engine/build_info.h"
#include "engine/streams.h"
#include "train/best.h"
#include "train/changes.h"
#include "trained/gallery.h"
#include "train/select.h"
#include "store/metrics.h"
#include "store/runfolder.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What a run can do without for a while. */
typedef enum { ROWS, SHEETS, BEST_LINK, OLD_CHECKPOINTS, LEFT_CHECKPOINTS, N_SECONDARY } secondary;

typedef struct mmi_run {
	mmi_setup *setup;
	const mmi_settings *settings;
	const mmi_train_hooks *hooks;
	mmi_model *model;
	mmi_learner *learner;
	mmi_tuples *train, *shown;
	mmi_batches *batches;
	mmi_runfolder *folder;
	mmi_metrics *metrics;
	mmi_gallery *gallery;
	mmi_select *select; /* NULL: no checkpoint is selected */
	mmi_best best;
	double validation; /* its figure after this iteration; NaN where it was not measured */
	mmi_tensor_item *items;
	char **names;
	size_t n_items, n_names;
	char *resolved, *portable, *modalities, *build, *plugins;
	char *settings_before; /* of a run that goes on, resolved; or NULL */
	double started;        /* seconds of the clock when training began */
	double seconds_before; /* of training, in processes before this one */
	bool failing[N_SECONDARY];
	int64_t begun, saved; /* iterations when this process began, of the last checkpoint it wrote (-1: none) */
} mmi_run;

/* What fails beside the checkpoints must not cost hours of training: it is told once, and tried again whenever it is
 * due. */
static void tolerate(mmi_run *r, secondary what, mm_status status, const mm_error *e)
{
	static const char *const names[N_SECONDARY] = { "writing metrics", "sample sheets", "linking the best checkpoint",
		                                            "deleting old checkpoints",
		                                            "deleting checkpoints of the course that was left" };
	if (status != MM_OK && !r->failing[what])
		mmi_logf(r->hooks->log, MM_LOG_WARNING, "%s; training goes on without, and this is tried again", e->message);
	if (status == MM_OK && r->failing[what])
		mmi_logf(r->hooks->log, MM_LOG_INFO, "%s works again", names[what]);
	r->failing[what] = status != MM_OK;
}

/* ------------------------------------------------------------ metrics */

static const struct {
	const char *name;
	size_t offset;  /* in mmi_measures */
	bool of_chains; /* no number in iterations without them */
} columns[] = {
#define COLUMN(name, field, of_chains)                 \
	{                                                  \
		name, offsetof(mmi_measures, field), of_chains \
	}
	COLUMN("elbo", elbo, false),
	COLUMN("contrast", contrast, false),
	COLUMN("u_start", u_start, true),
	COLUMN("u_end", u_end, true),
	COLUMN("nll_end", nll_end, true),
	COLUMN("loss_generator", loss_generator, true),
	COLUMN("loss_inference", loss_inference, true),
	COLUMN("e_data", e_data, true),
	COLUMN("e_generated", e_generated, true),
	COLUMN("e_revised", e_revised, true),
	COLUMN("gap", gap, true),
	COLUMN("z_drift", z_drift, true),
	COLUMN("z_noise", z_noise, true),
	COLUMN("z_move", z_move, true),
	COLUMN("x_drift", x_drift, true),
	COLUMN("x_noise", x_noise, true),
	COLUMN("x_move", x_move, true),
	COLUMN("x_step", x_step, true),
	COLUMN("swap_rank", swap_rank, true),
	COLUMN("norm_generator", norm_generator, false),
	COLUMN("norm_inference", norm_inference, false),
	COLUMN("norm_energy", norm_energy, true),
#undef COLUMN
};

enum {
	COLUMN_SECONDS = 1,
	COLUMN_ROLLBACKS = 2,
	COLUMN_FIRST = 3,
	COLUMN_VALIDATION = COLUMN_FIRST + MMI_COUNT(columns),
	N_COLUMNS
};

/* On the wall, or of all threads' work divided by their number: what a run costs, whoever else uses the machine. */
static double seconds_now(const mmi_settings *s)
{
	struct timespec now;
	clock_gettime(s->cpu_clock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
	double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	return s->cpu_clock ? seconds / s->threads : seconds;
}

static double seconds_trained(const mmi_run *r)
{
	return r->seconds_before + seconds_now(r->settings) - r->started;
}

/* Opens, or cuts back to the learner's iteration. */
static mm_status open_metrics(mmi_run *r, bool resume, mm_error *e)
{
	const char *names[N_COLUMNS] = { "iteration", "seconds", "rollbacks", [COLUMN_VALIDATION] = "nll_validation" };
	size_t n = r->settings->select_nll ? N_COLUMNS : COLUMN_VALIDATION;
	for (size_t i = 0; i < MMI_COUNT(columns); i++)
		names[COLUMN_FIRST + i] = columns[i].name;
	mmi_metrics_close(r->metrics);
	r->metrics = NULL;
	const char *path = mmi_runfolder_metrics(r->folder);
	return resume ? mmi_metrics_resume(path, names, n, (uint64_t)r->learner->state.iteration, &r->metrics, e)
	              : mmi_metrics_create(path, names, n, &r->metrics, e);
}

static mm_status write_row(mmi_run *r, const mmi_measures *m, mm_error *e)
{
	if (!r->metrics)
		MMI_TRY(open_metrics(r, true, e));
	mmi_metrics_number(r->metrics, COLUMN_SECONDS, seconds_trained(r));
	mmi_metrics_integer(r->metrics, COLUMN_ROLLBACKS, r->learner->state.rollbacks);
	for (size_t i = 0; i < MMI_COUNT(columns); i++) {
		double value = *(const double *)((const char *)m + columns[i].offset);
		if ((m->chains || !columns[i].of_chains) && isfinite(value))
			mmi_metrics_number(r->metrics, COLUMN_FIRST + i, value);
	}
	if (isfinite(r->validation))
		mmi_metrics_number(r->metrics, COLUMN_VALIDATION, r->validation);
	return mmi_metrics_append(r->metrics, (uint64_t)r->learner->state.iteration, e);
}

static void log_measures(mmi_run *r, const mmi_measures *m)
{
	mm_error e = MM_ERROR_INIT;
	mm_status status = write_row(r, m, &e);
	tolerate(r, ROWS, status, &e);
}

/* ------------------------------------------------------------ files of the run */

static mm_status write_checkpoint(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	char seconds[MMI_VALUE_TEXT], value[MMI_VALUE_TEXT];
	uint64_t iteration = (uint64_t)r->learner->state.iteration;
	const mmi_best_record *record = mmi_best_at(&r->best, iteration);
	mmi_text_pair meta[8] = {
		{ "format", "mmcore 1" },        { "version", PACKAGE_VERSION }, { "settings", r->portable },
		{ "modalities", r->modalities }, { "build", r->build },          { "plugins", r->plugins },
	};
	size_t n_meta = 6;
	if (r->settings->minutes > 0) /* only where time matters: other runs are the same bit for bit */
		meta[n_meta++] = (mmi_text_pair){ "seconds", mmi_value_print(seconds_trained(r), seconds) };
	if (record)
		meta[n_meta++] = (mmi_text_pair){ MMI_BEST_META, mmi_value_print(record->value, value) };
	char *path = mmi_checkpoint_file(mmi_runfolder_checkpoints(r->folder), iteration);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's name");
	mmi_learner_fetch(r->learner);
	mm_status status =
		mmi_checkpoint_save(path, r->items, mmi_learner_items_due(r->learner, r->n_items), meta, n_meta, e);
	if (status == MM_OK) {
		snprintf(result->checkpoint, sizeof result->checkpoint, "%s", path);
		r->saved = r->learner->state.iteration;
	}
	mmi_free(path);
	return status;
}

static void link_best(mmi_run *r)
{
	mm_error e = MM_ERROR_INIT;
	if (r->select)
		tolerate(r, BEST_LINK, mmi_best_link(&r->best, r->folder, &e), &e);
}

/* Checkpoints of a course that a rollback left would be taken for the newest ones. */
static void drop_left_checkpoints(mmi_run *r)
{
	mm_error e = MM_ERROR_INIT;
	mm_status status =
		mmi_checkpoint_drop_after(mmi_runfolder_checkpoints(r->folder), (uint64_t)r->learner->state.iteration, &e);
	tolerate(r, LEFT_CHECKPOINTS, status, &e);
}

static mm_status save_checkpoint(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	MMI_TRY(write_checkpoint(r, result, e));
	link_best(r);
	if (r->failing[LEFT_CHECKPOINTS])
		drop_left_checkpoints(r);
	mm_status status = mmi_best_prune(&r->best, mmi_runfolder_checkpoints(r->folder), r->settings->checkpoint_keep,
	                                  (uint64_t)r->learner->snapshot_state.iteration, &why);
	tolerate(r, OLD_CHECKPOINTS, status, &why);
	return MM_OK;
}

/* After a rollback. The new checkpoint is written first, so that there is one at any moment. */
static mm_status replace_checkpoints(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	mmi_best_back(&r->best, (uint64_t)r->learner->state.iteration);
	MMI_TRY(write_checkpoint(r, result, e));
	link_best(r);
	drop_left_checkpoints(r);
	return MM_OK;
}

static mm_status draw_sheet(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	const mmi_settings *s = r->settings;
	const bool energy = r->learner->energy.t > 0; /* what was not trained moves nothing */
	const mmi_recipe recipe = energy ? s->sample : mmi_recipe_without_energy(&s->sample);
	const mmi_chains chains = mmi_settings_chains(s, r->model->n_modalities, &recipe, r->learner->state.x_step);
	char title[96 + MMI_GENERATE_TEXT], steps[MMI_GENERATE_TEXT];
	char *path = mmi_runfolder_grid(r->folder, "samples", (uint64_t)r->learner->state.iteration);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sheet's name");
	snprintf(title, sizeof title, "iteration %lld, %s", (long long)r->learner->state.iteration,
	         energy ? mmi_generate_text(&chains, steps) : "no energy trained");
	mmi_learner_exchange_average(r->learner); /* the generator that checkpoints are used with */
	mmi_gallery_sample(r->gallery, &chains, MMI_ITERATION_SHEET);
	mmi_learner_exchange_average(r->learner);
	mm_status status = mmi_gallery_write(r->gallery, s->grid_columns, title, path, e);
	if (status == MM_OK)
		snprintf(result->grid, sizeof result->grid, "%s", path);
	mmi_free(path);
	return status == MM_EUNSUPPORTED ? MM_OK : status; /* modalities that are no pictures */
}

static void write_sheet(mmi_run *r, mmi_train_result *result)
{
	mm_error e = MM_ERROR_INIT;
	mm_status status = draw_sheet(r, result, &e);
	tolerate(r, SHEETS, status, &e);
}

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
	mm_status status = mmi_check_states(r->setup->modalities, r->setup->n_modalities, ck,
	                                    "the data or the plugin has changed since the run began", e);
	if (status == MM_OK)
		status = mmi_learner_restore(r->learner, ck, r->items, r->n_items, e);
	if (status == MM_OK)
		status = compare_settings(r, ck, changed_data, e);
	if (status == MM_OK)
		mmi_logf(r->hooks->log, MM_LOG_INFO, "resuming after %lld iterations from %s",
		         (long long)r->learner->state.iteration, mmi_checkpoint_path(ck));
	mmi_checkpoint_close(ck);
	return status;
}

/* What was killed between a checkpoint and its becoming the best one is made good. */
static mm_status restore_best(mmi_run *r, mm_error *e)
{
	if (!r->select)
		return MM_OK;
	MMI_TRY(mmi_best_read(mmi_runfolder_checkpoints(r->folder), (uint64_t)r->learner->state.iteration, &r->best, e));
	link_best(r);
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
	return open_shown(r, e);
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
	MMI_TRY(mmi_learner_create(r->settings, r->model, s->pool, &r->learner, e));
	MMI_TRY(mmi_learner_items(r->learner, &r->items, &r->n_items, &r->names, &r->n_names, e));
	MMI_TRY(mmi_gallery_create(r->model, r->learner->sampler, r->shown, r->settings->grid_columns, &r->gallery, e));
	r->modalities = join_names(s);
	r->build = mmi_build_text(&s->device);
	if (r->settings->select_nll)
		MMI_TRY(open_select(r, e));
	r->plugins = mmi_setup_plugins(s);
	if (!r->modalities || !r->build || !r->plugins)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	MMI_TRY(mmi_config_portable(s->config, "plugin", "plugin_path", &r->portable, e));
	return mmi_config_resolved(s->config, &r->resolved, e);
}

static mm_status open_batches(mmi_run *r, mm_error *e)
{
	mmi_batches_destroy(r->batches);
	r->batches = NULL;
	return mmi_batches_create(r->train, r->settings->batch, r->settings->seed, (uint64_t)r->learner->state.iteration,
	                          true, &r->batches, e);
}

/* Checkpoints know the seconds of a time budget; of other runs, which are the same bit for bit, the metrics tell. */
static void remember_seconds(mmi_run *r)
{
	char text[MMI_VALUE_TEXT];
	double seconds;
	if (!(r->seconds_before > 0) && mmi_metrics_last(r->metrics, COLUMN_SECONDS, text, sizeof text) &&
	    mmi_value_float(text, &seconds))
		r->seconds_before = seconds;
}

static mm_status open_run(mmi_run *r, const char *out, mmi_train_start start, mm_error *e)
{
	const bool resume = start != MMI_TRAIN_NEW;
	MMI_TRY(open_data(r, e));
	MMI_TRY(open_learner(r, e));
	MMI_TRY(mmi_runfolder_open(out, resume, &r->folder, e));
	if (resume)
		MMI_TRY(restore(r, start == MMI_TRAIN_RESUME_CHANGED_DATA, e));
	MMI_TRY(restore_best(r, e));
	MMI_TRY(mmi_runfolder_write_ini(r->folder, r->resolved, e));
	MMI_TRY(open_metrics(r, resume, e));
	remember_seconds(r);
	if (r->settings_before)
		mmi_changes_tell(&(mmi_changes){ r->settings_before, r->portable, r->setup },
		                 (uint64_t)r->learner->state.iteration, r->seconds_before, r->hooks->log);
	return open_batches(r, e);
}

static void close_run(mmi_run *r)
{
	mmi_batches_destroy(r->batches);
	mmi_metrics_close(r->metrics);
	mmi_gallery_destroy(r->gallery);
	mmi_select_destroy(r->select);
	mmi_best_clear(&r->best);
	mmi_learner_items_free(r->items, r->names, r->n_names);
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
}

/* A guard stopped the step: say so, go back, and let checkpoints, metrics and data follow. */
static mm_status recover(mmi_run *r, const mmi_measures *m, const mmi_batch *batch, mmi_train_result *result,
                         mm_error *e)
{
	mmi_logf(r->hooks->log, MM_LOG_WARNING,
	         "%s; going back to the last snapshot and halving that model's learning rate", e->message);
	mm_error why = MM_ERROR_INIT;
	mm_status status = mmi_learner_rollback(r->learner, m->culprit, e);
	if (status != MM_OK) {
		mmi_learner_revert(r->learner);
		return status;
	}
	MMI_TRY(mmi_learner_try_networks(r->learner, m->chains, batch, e));
	MMI_TRY(replace_checkpoints(r, result, e));
	status = open_metrics(r, true, &why);
	tolerate(r, ROWS, status, &why);
	return open_batches(r, e);
}

/* Sets the learner's clock, if there is a time budget. */
static void tick(mmi_run *r)
{
	if (r->settings->minutes > 0)
		r->learner->clock = seconds_trained(r) / (60 * r->settings->minutes);
}

static bool finished(const mmi_run *r)
{
	return r->settings->minutes > 0 ? r->learner->clock >= 1
	                                : (uint64_t)r->learner->state.iteration >= r->settings->iterations;
}

/* When the energy model will be trained for the first time, in the units that end the run. */
static const char *energy_text(const mmi_run *r, char *text, size_t size)
{
	const mmi_settings *s = r->settings;
	if (!s->cooperative)
		snprintf(text, size, "a baseline: no energy model is trained");
	else if (!s->energy_updates)
		snprintf(text, size, "energy_updates = 0: the energy model is not trained");
	else if (!s->warmup)
		snprintf(text, size, "the energy model is trained from the start");
	else if (s->minutes > 0)
		snprintf(text, size, "the energy model is trained after %.3g minutes of warm-up",
		         s->minutes * (double)s->warmup / (double)s->iterations);
	else
		snprintf(text, size, "the energy model is trained after %llu iterations of warm-up",
		         (unsigned long long)s->warmup);
	return text;
}

static bool warm_to_the_end(const mmi_settings *s)
{
	return s->cooperative && s->warmup && s->warmup >= s->iterations;
}

/* What will end the run and what it will have done by then. */
static void tell_course(const mmi_run *r)
{
	const mmi_settings *s = r->settings;
	char energy[128];
	if (s->minutes > 0)
		mmi_logf(r->hooks->log, MM_LOG_INFO,
		         "the run ends after %g minutes of training (iterations = %llu is only what warm-up is a share of); %s",
		         s->minutes, (unsigned long long)s->iterations, energy_text(r, energy, sizeof energy));
	else
		mmi_logf(r->hooks->log, MM_LOG_INFO, "the run ends after %llu iterations; %s",
		         (unsigned long long)s->iterations, energy_text(r, energy, sizeof energy));
	if (warm_to_the_end(s))
		mmi_logf(r->hooks->log, MM_LOG_WARNING,
		         "the energy model will not be trained: warmup = %llu lasts as long as the run, iterations = %llu",
		         (unsigned long long)s->warmup, (unsigned long long)s->iterations);
}

/* Iterations of the whole run; with a time budget as if all took as long as those so far. */
static uint64_t expected_iterations(const mmi_run *r)
{
	double done = (double)r->learner->state.iteration, clock = r->learner->clock;
	if (!(r->settings->minutes > 0))
		return r->settings->iterations;
	return clock < 1 ? (uint64_t)ceil(done / clock) : (uint64_t)done;
}

static double seconds_left(const mmi_run *r)
{
	return r->settings->minutes > 0 ? fmax(0, 1 - r->learner->clock) * 60 * r->settings->minutes : NAN;
}

/* What is due after an iteration. */
static mm_status outputs(mmi_run *r, const mmi_measures *m, mmi_train_result *result, mm_error *e)
{
	uint64_t done = (uint64_t)r->learner->state.iteration;
	bool last = finished(r), checkpoint = done % r->settings->checkpoint_interval == 0 || last;
	r->validation = checkpoint && r->select ? mmi_select_nll(r->select) : NAN;
	/* The energy of a warm-up has learned nothing: such a model is none to select, unless it is all there is to be. */
	if (!(m->warm && r->settings->cooperative))
		MMI_TRY(mmi_best_add(&r->best, done, r->validation, e));
	if (done % r->settings->log_interval == 0 || last || done == 1 || isfinite(r->validation))
		log_measures(r, m);
	if (checkpoint)
		MMI_TRY(save_checkpoint(r, result, e));
	if (done % r->settings->grid_interval == 0 || last)
		write_sheet(r, result);
	return MM_OK;
}

static void tell_best(const mmi_run *r, mmi_train_result *result)
{
	const mmi_best_record *best = mmi_best_last(&r->best);
	if (!best || r->failing[BEST_LINK])
		return;
	snprintf(result->best, sizeof result->best, "%s", mmi_runfolder_best(r->folder));
	result->best_iteration = best->iteration;
	result->best_value = best->value;
}

static mm_status loop(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	const mmi_train_hooks *h = r->hooks;
	r->started = seconds_now(r->settings);
	tick(r);
	if (!finished(r))
		tell_course(r);
	while (!finished(r)) {
		const mmi_batch *batch;
		mmi_measures measures;
		if (h->stop && h->stop(h->ctx)) {
			result->interrupted = true;
			return MM_OK;
		}
		MMI_TRY(mmi_batches_next(r->batches, &batch, e));
		mm_status status = mmi_learner_iterate(r->learner, batch, &measures, e);
		if (status == MM_ENUMERIC) {
			MMI_TRY(recover(r, &measures, batch, result, e));
			continue;
		}
		if (status != MM_OK)
			mmi_learner_revert(r->learner); /* half an iteration is no state to keep */
		MMI_TRY(status);
		tick(r); /* before the outputs: they must know whether this was the last one */
		if (h->step)
			h->step(h->ctx, (uint64_t)r->learner->state.iteration, expected_iterations(r), seconds_left(r), &measures);
		MMI_TRY(outputs(r, &measures, result, e));
	}
	return MM_OK;
}

/* The door that all leave by, whatever ended the loop: the last whole state is saved unless it is already. */
static mm_status leave(mmi_run *r, mmi_train_result *result, mm_status status, mm_error *e)
{
	const int64_t done = r->learner->state.iteration;
	mm_error why = MM_ERROR_INIT;
	if (done <= r->saved || (done == r->begun && !result->interrupted))
		return status;
	mm_status saved = save_checkpoint(r, result, &why);
	if (saved != MM_OK && status == MM_OK)
		return mmi_fail(e, saved, "%s", why.message);
	if (saved != MM_OK && strcmp(why.message, e->message))
		mmi_logf(r->hooks->log, MM_LOG_WARNING, "%s", why.message);
	return status;
}

mm_status mmi_train(mmi_setup *setup, const char *out, mmi_train_start start, const mmi_train_hooks *hooks,
                    mmi_train_result *result, mm_error *e)
{
	mmi_run r = { .setup = setup, .settings = &setup->settings, .hooks = hooks, .validation = NAN, .saved = -1 };
	*result = (mmi_train_result){ .interrupted = false };
	mm_status status = open_run(&r, out, start, e);
	if (status == MM_OK) {
		r.begun = r.learner->state.iteration;
		status = leave(&r, result, loop(&r, result, e), e);
	}
	if (r.learner)
		result->iterations = (uint64_t)r.learner->state.iteration;
	if (status == MM_OK && !result->interrupted && warm_to_the_end(r.settings) && !r.learner->energy.t)
		mmi_logf(hooks->log, MM_LOG_WARNING, "the energy model was not trained: all of the run was warm-up");
	tell_best(&r, result);
	close_run(&r);
	return status;
}
