/* guard.c - what stops an update. */
#include "mmi_build.h"

#include "learn/guard.h"

#include <math.h>
#include <string.h>

/* A mark says what failed: the model in two bits, the kind in three, and behind them which of its kind in the
 * iteration: of a model's updates, or of the energy's losses. */
typedef enum { ELBO = 1, GRADIENT, UPDATE, GAP } kind;

static uint32_t mark(kind of, int which, int64_t number)
{
	return (uint32_t)which | (uint32_t)of << 2 | (uint32_t)number << 5;
}

mmi_words mmi_guard_word(const mmi_learner *l)
{
	return (mmi_words){ l->readings.numbers.device };
}

static void check(mmi_learner *l, mmi_guard a)
{
	a.word = mmi_guard_word(l);
	l->model->device->rows->guard(l->model->device, &a);
}

void mmi_guard_elbo(mmi_learner *l, mmi_doubles sum, mmi_doubles norms, uint32_t n, int first)
{
	check(l, (mmi_guard){ .mark = mark(ELBO, first, 0), .x = sum, .n = 1, .blame = norms, .n_blame = n });
}

void mmi_guard_gradient(mmi_learner *l, mmi_doubles norm, int which)
{
	check(l, (mmi_guard){ .mark = mark(GRADIENT, which, 0), .x = norm, .n = 1 });
}

void mmi_guard_update(mmi_learner *l, int which)
{
	const mmi_optimiser *o = mmi_learner_model(l, which);
	check(l, (mmi_guard){ .mark = mark(UPDATE, which, o->t - l->readings.t[which]), .broken = { o->broken.device } });
}

mmi_doubles mmi_guard_gap(mmi_learner *l, mmi_doubles data, double of_data, mmi_doubles revised, double of_revised)
{
	mmi_readings *r = &l->readings;
	const mmi_doubles told = { mmi_readings_gaps(r).at + 2 * (size_t)r->n_gaps };
	const mmi_gap a = { .word = mmi_guard_word(l),
		                .mark = mark(GAP, 2, r->n_gaps),
		                .data = data,
		                .revised = revised,
		                .of_data = of_data,
		                .of_revised = of_revised,
		                .limit = l->settings->gap_limit,
		                .ring = { r->ring.device },
		                .written = l->state.n_gaps + r->n_gaps,
		                .told = told };
	l->model->device->rows->gap(l->model->device, &a);
	r->n_gaps++;
	return told;
}

/* ------------------------------------------------------------ what is said of a mark */

typedef struct failure {
	const mmi_learner *l;
	const mmi_optimiser *model;
	uint32_t number;
	const double *gaps;
} failure;

static mm_status say_elbo(const failure *f, mm_error *e)
{
	return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the ELBO or its gradient is not finite",
	                (long long)f->l->state.iteration + 1);
}

static mm_status say_gradient(const failure *f, mm_error *e)
{
	return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the gradient of the %s model is not finite",
	                (long long)f->l->state.iteration + 1, f->model->params->name);
}

static mm_status say_update(const failure *f, mm_error *e)
{
	return mmi_optimiser_failed(f->model, f->number, e);
}

static mm_status say_gap(const failure *f, mm_error *e)
{
	const double gap = f->gaps[2 * (size_t)f->number], median = f->gaps[2 * (size_t)f->number + 1];
	if (!isfinite(gap))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the energy loss is not finite",
		                (long long)f->l->state.iteration + 1);
	return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the energy loss is %g, more than %g times its running median %g",
	                (long long)f->l->state.iteration + 1, gap, f->l->settings->gap_limit, median);
}

mm_status mmi_guard_end(mmi_learner *l, const double *numbers, const double *gaps, mmi_measures *m, mm_error *e)
{
	static mm_status (*const say[])(const failure *, mm_error *) = {
		[ELBO] = say_elbo, [GRADIENT] = say_gradient, [UPDATE] = say_update, [GAP] = say_gap
	};
	mmi_learner_state *s = &l->state;
	uint32_t word;
	memcpy(&word, numbers, sizeof word);
	for (uint32_t i = 0; !word && i < l->readings.n_gaps; i++)
		s->gaps[s->n_gaps++ % MMI_GAPS] = fabs(gaps[2 * (size_t)i]);
	if (!word)
		return MM_OK;
	m->culprit = (int)(word & 3);
	failure f = { .l = l, .model = mmi_learner_model(l, m->culprit), .number = word >> 5, .gaps = gaps };
	if ((word >> 2 & 7) == UPDATE)
		f.number += (uint32_t)l->readings.t[m->culprit];
	return say[word >> 2 & 7](&f, e);
}
