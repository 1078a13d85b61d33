/* run_rows.c - what a run tells while it goes on: rows of metrics.csv and warnings. */
#include "mmi_build.h"

#include "train/run_state.h"
#include "config/value.h"

#include <math.h>
#include <stddef.h>
#include <time.h>

void mmi_run_tolerate(mmi_run *r, mmi_run_secondary what, mm_status status, const mm_error *e)
{
	static const char *const names[MMI_RUN_N_SECONDARY] = { "writing metrics",
		                                                    "sample sheets",
		                                                    "linking the best checkpoint",
		                                                    "deleting old checkpoints",
		                                                    "deleting checkpoints of the course that was left",
		                                                    "writing for TensorBoard" };
	if (status != MM_OK && !r->failing[what])
		mmi_logf(r->hooks->log, MM_LOG_WARNING, "%s; training goes on without, and this is tried again", e->message);
	if (status == MM_OK && r->failing[what])
		mmi_logf(r->hooks->log, MM_LOG_INFO, "%s works again", names[what]);
	r->failing[what] = status != MM_OK;
}

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
	COLUMN("e_data", e_data, false),
	COLUMN("e_generated", e_generated, true),
	COLUMN("e_revised", e_revised, false),
	COLUMN("gap", gap, false),
	COLUMN("z_drift", z_drift, true),
	COLUMN("z_noise", z_noise, true),
	COLUMN("z_move", z_move, true),
	COLUMN("x_drift", x_drift, true),
	COLUMN("x_noise", x_noise, true),
	COLUMN("x_move", x_move, true),
	COLUMN("x_step", x_step, true),
	COLUMN("swap_rank", swap_rank, true),
	COLUMN("match", match, false),
	COLUMN("match_first", match_first, false),
	COLUMN("match_tau", match_tau, false),
	COLUMN("norm_generator", norm_generator, false),
	COLUMN("norm_inference", norm_inference, false),
	COLUMN("norm_energy", norm_energy, false),
	COLUMN("norm_match", norm_match, false),
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
double mmi_run_seconds_now(const mmi_settings *s)
{
	struct timespec now;
	clock_gettime(s->cpu_clock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
	double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	return s->cpu_clock ? seconds / s->threads : seconds;
}

double mmi_run_seconds(const mmi_run *r)
{
	return r->seconds_before + mmi_run_seconds_now(r->settings) - r->started;
}

/* Opens, or cuts back to the learner's iteration. */
mm_status mmi_run_open_metrics(mmi_run *r, bool resume, mm_error *e)
{
	if (!r->writes)
		return MM_OK;
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

/* The number of a column after this iteration; NaN: it has none. */
static double value_of(const mmi_measures *m, size_t column)
{
	return m->chains || !columns[column].of_chains ? *(const double *)((const char *)m + columns[column].offset)
	                                               : (double)NAN;
}

static void tell_row(mmi_run *r, const mmi_measures *m, double seconds)
{
	mmi_scalar s[N_COLUMNS] = { { "seconds", seconds },
		                        { "rollbacks", (double)r->learner->state.rollbacks },
		                        { "nll_validation", r->validation } };
	for (size_t i = 0; i < MMI_COUNT(columns); i++)
		s[3 + i] = (mmi_scalar){ columns[i].name, value_of(m, i) };
	mmi_run_tell_scalars(r, s, 3 + MMI_COUNT(columns));
}

static mm_status write_row(mmi_run *r, const mmi_measures *m, double seconds, mm_error *e)
{
	if (!r->metrics)
		MMI_TRY(mmi_run_open_metrics(r, true, e));
	mmi_metrics_number(r->metrics, COLUMN_SECONDS, seconds);
	mmi_metrics_integer(r->metrics, COLUMN_ROLLBACKS, r->learner->state.rollbacks);
	for (size_t i = 0; i < MMI_COUNT(columns); i++) {
		const double value = value_of(m, i);
		if (isfinite(value))
			mmi_metrics_number(r->metrics, COLUMN_FIRST + i, value);
	}
	if (isfinite(r->validation))
		mmi_metrics_number(r->metrics, COLUMN_VALIDATION, r->validation);
	return mmi_metrics_append(r->metrics, (uint64_t)r->learner->state.iteration, e);
}

void mmi_run_log_measures(mmi_run *r, const mmi_measures *m)
{
	mm_error e = MM_ERROR_INIT;
	const double seconds = mmi_run_seconds(r);
	if (!r->writes)
		return;
	mm_status status = write_row(r, m, seconds, &e);
	mmi_run_tolerate(r, MMI_RUN_ROWS, status, &e);
	tell_row(r, m, seconds);
}

/* Checkpoints know the seconds of a time budget; of other runs, which are the same bit for bit, the metrics tell. */
void mmi_run_remember_seconds(mmi_run *r)
{
	char text[MMI_VALUE_TEXT];
	double seconds;
	if (!(r->seconds_before > 0) && mmi_metrics_last(r->metrics, COLUMN_SECONDS, text, sizeof text) &&
	    mmi_value_float(text, &seconds))
		r->seconds_before = seconds;
}
