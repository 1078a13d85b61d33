/* rehearse.c - what a run would take: its data, its networks, the time of an iteration. */
#include "mmi_build.h"

#include "train/rehearse.h"
#include "train/run_state.h"

#include <math.h>
#include <sys/resource.h>

static uint64_t count(const mmi_params *p)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < p->n; i++)
		sum += p->info[i].count;
	return sum;
}

/* Two iterations of which the second is timed: the first touches memory that it has not used yet. */
static mm_status time_iteration(mmi_run *r, double *seconds, mm_error *e)
{
	const mmi_batch *batch;
	mmi_measures measures;
	for (int i = 0; i < 2; i++) {
		MMI_TRY(mmi_comm_agree(r->comm, mmi_batches_next(r->batches, &batch, e), e));
		const double before = mmi_run_seconds_now(r->settings);
		MMI_TRY(mmi_learner_iterate(r->learner, batch, &measures, e));
		*seconds = mmi_run_seconds_now(r->settings) - before;
	}
	return MM_OK;
}

/* Puts the learner where warm-up is over, on either clock. */
static void pass_warmup(mmi_run *r)
{
	const mmi_settings *s = r->settings;
	r->learner->state.iteration = (int64_t)s->warmup;
	if (s->minutes > 0)
		r->learner->clock = s->iterations ? (double)s->warmup / (double)s->iterations : 1;
}

static mm_status time_both(mmi_run *r, mmi_rehearsal *out, mm_error *e)
{
	const mmi_settings *s = r->settings;
	const bool warm = !s->cooperative || s->warmup, chains = s->cooperative && s->warmup < s->iterations;
	if (s->minutes > 0)
		r->learner->clock = 0;
	if (warm)
		MMI_TRY(time_iteration(r, &out->warm_seconds, e));
	if (!chains)
		return MM_OK;
	pass_warmup(r);
	return time_iteration(r, &out->chain_seconds, e);
}

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static void estimate(const mmi_settings *s, mmi_rehearsal *out)
{
	const double all = (double)s->iterations, share = all > 0 ? fmin(1, (double)s->warmup / all) : 1;
	const double warm = s->cooperative ? share : 1;
	if (s->minutes > 0) { /* shares of the time */
		out->seconds = 60 * s->minutes;
		out->iterations = (isnan(out->warm_seconds) ? 0 : warm * out->seconds / out->warm_seconds) +
		                  (isnan(out->chain_seconds) ? 0 : (1 - warm) * out->seconds / out->chain_seconds);
	} else {
		out->iterations = all;
		out->seconds = all * (warm * or_zero(out->warm_seconds) + (1 - warm) * or_zero(out->chain_seconds));
	}
}

static mm_status rehearse(mmi_run *r, mmi_rehearsal *out, mm_error *e)
{
	struct rusage use;
	MMI_TRY(mmi_run_open_parts(r, e));
	MMI_TRY(mmi_comm_agree(r->comm, mmi_run_open_batches(r, e), e));
	out->tuples = mmi_tuples_count(r->train);
	out->shown = r->shown ? mmi_tuples_count(r->shown) : 0;
	out->generator = count(r->model->generator);
	out->inference = count(r->model->inference);
	out->energy = count(r->model->energy);
	MMI_TRY(time_both(r, out, e));
	estimate(r->settings, out);
	out->bytes = getrusage(RUSAGE_SELF, &use) ? NAN : 1024.0 * (double)use.ru_maxrss;
	return MM_OK;
}

mm_status mmi_train_rehearse(mmi_setup *setup, const mmi_log *log, mmi_rehearsal *out, mm_error *e)
{
	const mmi_train_hooks hooks = { .log = log };
	mmi_run r = { .setup = setup, .settings = &setup->settings, .hooks = &hooks };
	*out = (mmi_rehearsal){ .warm_seconds = NAN, .chain_seconds = NAN };
	mm_status status = rehearse(&r, out, e);
	mmi_run_close(&r);
	return status;
}
