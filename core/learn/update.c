/* update.c - one step of Adam of the models that some segments of loss train. */
#include "mmi_build.h"

#include "learn/update.h"
#include "learn/course.h"
#include "learn/guard.h"

#include <stddef.h>

enum { ENERGY = 2 }; /* its number among what learns */

typedef struct trained {
	int which; /* as culprit in mmi_measures */
	mmi_optimiser *optimiser;
	mmi_lanes *lanes;
	size_t norm; /* its place in mmi_measures */
} trained;

/* The models a loss trains, in the order of their numbers. */
static uint32_t trained_by(const mmi_loss *loss, mmi_learner *l, trained out[2])
{
	const trained all[] = {
		{ 0, &l->generator, &l->generator_lanes, offsetof(mmi_measures, norm_generator) },
		{ 1, &l->inference, &l->inference_lanes, offsetof(mmi_measures, norm_inference) },
		{ 2, &l->energy, &l->energy_lanes, offsetof(mmi_measures, norm_energy) },
		{ 3, &l->match_optimiser, &l->match_lanes, offsetof(mmi_measures, norm_match) },
	};
	uint32_t n = 0;
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		for (uint32_t k = 0; k < loss->n_lanes; k++)
			if (loss->lanes[k] == all[i].lanes)
				out[n++] = all[i];
	return n;
}

/* The model's gradient from its lanes, and the norm of it. */
static void sum_gradient(mmi_learner *l, const trained *m, mmi_doubles norm)
{
	const uint32_t blocks = mmi_lanes_sum(m->lanes, l->pool);
	mmi_optimiser_clip(m->optimiser, (mmi_doubles){ m->lanes->block_squares.device }, blocks, norm);
	mmi_readings_number(&l->readings, norm, m->norm);
}

static void step(mmi_learner *l, const trained *m)
{
	const double rate = m->which == ENERGY ? mmi_course_energy_rate(l) : mmi_course_rate(l);
	mmi_optimiser_queue(m->optimiser, l->pool, m->lanes->lane[0], rate, mmi_guard_word(l));
	mmi_guard_update(l, m->which);
}

void mmi_model_update(mmi_learner *l, mmi_terms *t, mmi_terms_check *check, mmi_teller *tell)
{
	trained models[2];
	const uint32_t n = trained_by(t->at[0].loss, l, models);
	const mmi_doubles sums = mmi_readings_take(&l->readings, 2 * t->n), norms = mmi_readings_take(&l->readings, n);
	mmi_segments_run(&l->pass, t->at, t->n);
	mmi_segments_sum(&l->pass, &l->reduce, t->at, t->n, sums);
	for (uint32_t i = 0; i < n; i++)
		sum_gradient(l, &models[i], (mmi_doubles){ norms.at + i });
	if (tell)
		mmi_readings_tell(&l->readings, sums, tell);
	if (check)
		check(l, t, sums, norms, n, models[0].which);
	for (uint32_t i = 0; i < n; i++)
		mmi_guard_gradient(l, (mmi_doubles){ norms.at + i }, models[i].which);
	for (uint32_t i = 0; i < n; i++)
		step(l, &models[i]);
}

void mmi_updates(mmi_update *make, uint32_t n, mmi_learner *l, const mmi_batch *batch)
{
	mmi_readings *r = &l->readings;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t used = r->used;
		r->further = i > 0;
		make(l, batch, i);
		if (r->further)
			r->used = used; /* nobody asks for what it told */
	}
	r->further = false;
}
