/* match.c - the update of E_match. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_match_create(const mmi_model *m, const mmi_reduce *r, mmi_match *out, mm_error *e)
{
	const uint32_t rows = r->span.rows, batch = r->span.of;
	mmi_match k = { .scale = mmi_floats_alloc(m->device, rows) };
	bool ok = k.scale.at;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		ok = (k.unit.x[i] = mmi_floats_alloc(m->device, (size_t)rows * MMI_MATCH_DIM)).at && ok;
		ok = (k.device.x[i] = mmi_floats_alloc(m->device, (size_t)rows * MMI_MATCH_DIM)).at && ok;
	}
	mm_status status = ok ? mmi_ranking_create(m->n_modalities, batch, MMI_MATCH_DIM, &k.ranking, e)
	                      : mmi_fail(e, MM_ENOMEM, "out of memory for the directions of %u tuples", batch);
	if (status == MM_OK)
		status = mmi_room_create(r, m, MMI_MATCH_DIM, &k.room, e);
	if (status != MM_OK) {
		mmi_match_clear(m, &k);
		return status;
	}
	*out = k;
	return MM_OK;
}

void mmi_match_clear(const mmi_model *m, mmi_match *k)
{
	mmi_ranking_clear(&k->ranking);
	mmi_room_clear(&k->room);
	mmi_floats_release(m->device, &k->scale);
	mmi_device_rows_clear(m, &k->unit);
	mmi_device_rows_clear(m, &k->device);
	*k = (mmi_match){ .scale = { NULL } };
}

/* The ranking of all vectors of the batch, and its gradients to those of the rows here on the device. */
static double rank(mmi_learner *l, const mmi_batch *batch)
{
	const mmi_device *d = l->model->device;
	mmi_match *k = &l->match;
	const size_t first = l->span.first * (size_t)MMI_MATCH_DIM, n = l->span.rows * (size_t)MMI_MATCH_DIM;
	const float *unit[MMI_MAX_MODALITIES], *there[MMI_MAX_MODALITIES];
	float room;
	mmi_run_embed(l->sampler, &l->seen, l->span.rows, &k->unit, k->scale);
	mmi_room_fill(&k->room, &l->reduce, k->unit.x, batch->observed, unit, there);
	const double scale = (double)*mmi_floats_read(d, k->scale, 1, &room);
	mmi_ranking_make(&k->ranking, unit, batch->observed ? there : NULL, l->span.of, scale);
	for (uint32_t i = 0; i < l->model->n_modalities; i++)
		k->here.x[i] = mmi_floats_write(d, k->ranking.grad[i] + first, n, k->device.x[i]);
	return scale;
}

bool mmi_match_due(const mmi_learner *l, bool chains)
{
	return l->model->match && (chains || l->state.iteration % l->settings->match_interval == 0);
}

/* Samples are what encoders see: with words left out, where a modality is varied in training. The loss is no sum over
 * samples, so it is found from all vectors of the batch, and its gradient to each goes back through its tower. */
mm_status mmi_update_match(mmi_learner *l, const mmi_batch *batch, mmi_measures *m, mm_error *e)
{
	mmi_match *k = &l->match;
	const double scale = rank(l, batch);
	m->match = k->ranking.loss;
	m->match_first = k->ranking.first;
	m->match_tau = exp(-scale);
	if (isnan(m->match))
		return MM_OK; /* nothing to rank: one tuple, or no two that have the same modalities */
	mmi_terms t = { .n = 1 };
	t.at[0] = (mmi_segment){ .loss = &l->match_loss,
		                     .x = &l->seen,
		                     .pull = k->here.x,
		                     .rows = l->span.rows,
		                     .x_rows = l->span.rows,
		                     .seed = (float)(k->ranking.scale_grad / l->span.of) };
	return mmi_model_update(l, &t, NULL, m, e);
}
