/* train.c - the loop around the learner. */
#include "mmi_build.h"

#include "train/run_state.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

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
	MMI_TRY(mmi_run_replace(r, result, e));
	status = mmi_run_open_metrics(r, true, &why);
	mmi_run_tolerate(r, MMI_RUN_ROWS, status, &why);
	mmi_run_begin_events(r);
	return mmi_run_open_batches(r, e);
}

/* Sets the learner's clock, if there is a time budget. */
static void tick(mmi_run *r)
{
	if (r->settings->minutes > 0)
		r->learner->clock = mmi_reduce_clock(&r->learner->reduce, mmi_run_seconds(r) / (60 * r->settings->minutes));
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
		snprintf(text, size,
		         s->model.latent_energy ? "a baseline: the energy of its latent prior is trained, and no other"
		                                : "a baseline: no energy model is trained");
	else if (!s->energy_updates)
		snprintf(text, size, "energy_updates = 0: the energy model is not trained");
	else if (!s->warmup)
		snprintf(text, size, "the energy model is trained from the start");
	else if (s->minutes > 0)
		snprintf(text, size, "the energy model is trained after %.3g minute%s of warm-up",
		         s->minutes * (double)s->warmup / (double)s->iterations,
		         MMI_S(s->minutes * (double)s->warmup / (double)s->iterations));
	else
		snprintf(text, size, "the energy model is trained after %llu iteration%s of warm-up",
		         (unsigned long long)s->warmup, MMI_S(s->warmup));
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
		mmi_logf(
			r->hooks->log, MM_LOG_INFO,
			"the run ends after %g minute%s of training (iterations = %llu is only what warm-up is a share of); %s",
			s->minutes, MMI_S(s->minutes), (unsigned long long)s->iterations, energy_text(r, energy, sizeof energy));
	else
		mmi_logf(r->hooks->log, MM_LOG_INFO, "the run ends after %llu iteration%s; %s",
		         (unsigned long long)s->iterations, MMI_S(s->iterations), energy_text(r, energy, sizeof energy));
	if (warm_to_the_end(s))
		mmi_logf(r->hooks->log, MM_LOG_WARNING,
		         "the energy model will not be trained: warmup = %llu lasts as long as the run, iterations = %llu",
		         (unsigned long long)s->warmup, (unsigned long long)s->iterations);
}

static void tell_gradient(const mmi_run *r)
{
	if (r->learner->n_eps && r->settings->dreg)
		mmi_logf(
			r->hooks->log, MM_LOG_WARNING,
			"[learner] gradient = dreg is %s: each z is drawn from one expert, and the density in its weight is the "
			"mixture's; runs published under that name have another gradient (docs/PAPER.md)",
			r->settings->draws > 1 ? "biased with more than one draw" : "exact with one draw alone");
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

/* Energies that are learned stay within some units. One that grows slowly without end stops no guard: its gap to what
 * chains make of it is small beside the gaps before. Told once. */
static void tell_energy(mmi_run *r, const mmi_measures *m)
{
	const double most = 1e4;
	if (r->told_energy || !(fabs(m->e_data) > most))
		return;
	mmi_logf(
		r->hooks->log, MM_LOG_WARNING,
		"the energy of data is %.3g at iteration %llu, where it is expected within %g: what it guides is lost; go on "
		"from an earlier checkpoint with a lower [learner] lr_energy (now %g)",
		m->e_data, (unsigned long long)r->learner->state.iteration, most, r->settings->energy.rate);
	r->told_energy = true;
}

/* What is due after an iteration. */
static mm_status outputs(mmi_run *r, const mmi_measures *m, mmi_train_result *result, mm_error *e)
{
	uint64_t done = (uint64_t)r->learner->state.iteration;
	tell_energy(r, m);
	bool last = finished(r), checkpoint = done % r->settings->checkpoint_interval == 0 || last;
	r->validation = checkpoint && r->select ? mmi_select_nll(r->select) : NAN;
	/* The energy of a warm-up has learned nothing: such a model is none to select, unless it is all there is to be. */
	if (!(m->warm && r->settings->cooperative))
		MMI_TRY(mmi_best_add(&r->best, done, r->validation, e));
	if (done % r->settings->log_interval == 0 || last || done == 1 || isfinite(r->validation))
		mmi_run_log_measures(r, m);
	if (checkpoint)
		MMI_TRY(mmi_run_save(r, result, e));
	if (last)
		mmi_run_fit_prior(r);
	if (done % r->settings->grid_interval == 0 || last)
		mmi_run_write_sheet(r, result);
	return MM_OK;
}

static void tell_best(const mmi_run *r, mmi_train_result *result)
{
	const mmi_best_record *best = mmi_best_last(&r->best);
	if (!best || r->failing[MMI_RUN_BEST_LINK])
		return;
	snprintf(result->best, sizeof result->best, "%s", mmi_runfolder_best(r->folder));
	result->best_iteration = best->iteration;
	result->best_value = best->value;
}

/* Half an iteration is no state to keep, and the other ranks wait for the rest of it. */
static mm_status give_up(mmi_run *r, mm_status status, const mm_error *e)
{
	mmi_learner_revert(r->learner);
	r->comm->ops->stop(r->comm, e->message);
	return status;
}

static mm_status loop(mmi_run *r, mmi_train_result *result, mm_error *e)
{
	const mmi_train_hooks *h = r->hooks;
	r->started = mmi_run_seconds_now(r->settings);
	tick(r);
	if (!finished(r)) {
		tell_course(r);
		tell_gradient(r);
	}
	while (!finished(r)) {
		const mmi_batch *batch;
		mmi_measures measures;
		mm_status status;
		if (mmi_reduce_any(&r->learner->reduce, h->stop && h->stop(h->ctx))) {
			result->interrupted = true;
			return MM_OK;
		}
		MMI_TRY(mmi_comm_agree(r->comm, mmi_batches_next(r->batches, &batch, e), e));
		status = mmi_learner_iterate(r->learner, batch, &measures, e);
		if (status == MM_ENUMERIC) {
			MMI_TRY(mmi_comm_agree(r->comm, recover(r, &measures, batch, result, e), e));
			continue;
		}
		if (status != MM_OK)
			return give_up(r, status, e);
		tick(r); /* before the outputs: they must know whether this was the last one */
		if (h->step)
			h->step(h->ctx, (uint64_t)r->learner->state.iteration, expected_iterations(r), seconds_left(r), &measures);
		MMI_TRY(mmi_comm_agree(r->comm, outputs(r, &measures, result, e), e));
	}
	return MM_OK;
}

/* For who plans a network: what the first rank sends is what any does, nearly. */
static void tell_traffic(const mmi_run *r)
{
	const double sent = (double)r->comm->ops->sent(r->comm);
	const int64_t n = r->learner->state.iteration - r->begun;
	if (r->comm->size > 1 && n > 0)
		mmi_logf(r->hooks->log, MM_LOG_INFO, "each of %u ranks sent about %.4g MB an iteration", r->comm->size,
		         (sent - r->sent_before) / (double)n / 1e6);
}

/* The door that all leave by, whatever ended the loop: the last whole state is saved unless it is already. */
static mm_status leave(mmi_run *r, mmi_train_result *result, mm_status status, mm_error *e)
{
	const int64_t done = r->learner->state.iteration;
	mm_error why = MM_ERROR_INIT;
	const bool untrained = !done && finished(r); /* iterations = 0: a model to measure others against */
	if (done <= r->saved || (done == r->begun && !result->interrupted && !untrained))
		return status;
	mm_status saved = mmi_run_save(r, result, &why);
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
	mm_status status = mmi_run_open(&r, out, start, e);
	if (status == MM_OK) {
		r.begun = r.learner->state.iteration;
		r.sent_before = (double)r.comm->ops->sent(r.comm);
		status = leave(&r, result, loop(&r, result, e), e);
		if (status == MM_OK && !result->interrupted)
			mmi_run_fit_prior(&r); /* unless the last sheet needed it already */
		tell_traffic(&r);
	}
	if (r.learner)
		result->iterations = (uint64_t)(r.learner->state.iteration > r.saved ? r.learner->state.iteration : r.saved);
	if (status == MM_OK && !result->interrupted && warm_to_the_end(r.settings) && !r.learner->energy.t)
		mmi_logf(hooks->log, MM_LOG_WARNING, "the energy model was not trained: all of the run was warm-up");
	tell_best(&r, result);
	mmi_run_close(&r);
	return status;
}
