/* update.c - one step of Adam of the models that some segments of loss train. */
#include "mmi_build.h"

#include "learn/update.h"
#include "learn/course.h"

#include <math.h>

enum { ENERGY = 2 }; /* its number among what learns */

typedef struct trained {
	int which; /* as culprit in mmi_measures */
	mmi_optimiser *optimiser;
	mmi_lanes *lanes;
	double *norm;
} trained;

/* The models a loss trains, in the order of their numbers. */
static uint32_t trained_by(const mmi_loss *loss, mmi_learner *l, mmi_measures *m, trained out[2])
{
	const trained all[] = {
		{ 0, &l->generator, &l->generator_lanes, &m->norm_generator },
		{ 1, &l->inference, &l->inference_lanes, &m->norm_inference },
		{ 2, &l->energy, &l->energy_lanes, &m->norm_energy },
		{ 3, &l->match_optimiser, &l->match_lanes, &m->norm_match },
	};
	uint32_t n = 0;
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		for (uint32_t k = 0; k < loss->n_lanes; k++)
			if (loss->lanes[k] == all[i].lanes)
				out[n++] = all[i];
	return n;
}

mm_status mmi_model_update(mmi_learner *l, mmi_terms *t, mmi_terms_read *read, mmi_measures *m, mm_error *e)
{
	trained models[2];
	uint32_t n = trained_by(t->at[0].loss, l, m, models), broken = 0;
	mmi_segments_run(&l->pass, &l->reduce, t->at, t->n);
	for (uint32_t i = 0; i < n; i++)
		*models[i].norm = mmi_lanes_reduce(models[i].lanes, l->pool);
	while (broken + 1 < n && isfinite(*models[broken].norm))
		broken++;
	m->culprit = models[broken].which;
	if (read)
		MMI_TRY(read(l, t, m, e));
	if (!isfinite(*models[broken].norm))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the gradient of the %s model is not finite",
		                (long long)l->state.iteration + 1, models[broken].optimiser->params->name);
	for (uint32_t i = 0; i < n; i++) {
		m->culprit = models[i].which;
		MMI_TRY(mmi_optimiser_step(models[i].optimiser, l->pool, models[i].lanes->lane[0], *models[i].norm,
		                           models[i].which == ENERGY ? mmi_course_energy_rate(l) : mmi_course_rate(l), e));
	}
	return MM_OK;
}

mm_status mmi_updates(mmi_update *make, uint32_t n, mmi_learner *l, const mmi_batch *batch, mmi_measures *m,
                      mm_error *e)
{
	for (uint32_t i = 0; i < n; i++) {
		mmi_measures now = *m;
		mm_status status = make(l, batch, i, &now, e);
		if (!i)
			*m = now;
		m->culprit = now.culprit;
		MMI_TRY(status);
	}
	return MM_OK;
}
