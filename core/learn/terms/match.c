/* match.c - the update of E_match. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_match_create(const mmi_model *m, const mmi_reduce *r, mmi_match *out, mm_error *e)
{
	const uint32_t rows = r->span.rows, batch = r->span.of;
	mmi_match k = { .scale = mmi_alloc(rows, sizeof(float)) };
	bool ok = k.scale;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = ok && (k.unit[i] = mmi_alloc((size_t)rows * MMI_MATCH_DIM, sizeof(float)));
	mm_status status = ok ? mmi_ranking_create(m->n_modalities, batch, MMI_MATCH_DIM, &k.ranking, e)
	                      : mmi_fail(e, MM_ENOMEM, "out of memory for the directions of %u tuples", batch);
	if (status == MM_OK)
		status = mmi_room_create(r, m->n_modalities, MMI_MATCH_DIM, &k.room, e);
	if (status != MM_OK) {
		mmi_match_clear(&k);
		return status;
	}
	for (uint32_t i = 0; i < m->n_modalities; i++)
		k.here[i] = k.ranking.grad[i] + (size_t)r->span.first * MMI_MATCH_DIM;
	*out = k;
	return MM_OK;
}

void mmi_match_clear(mmi_match *k)
{
	mmi_ranking_clear(&k->ranking);
	mmi_room_clear(&k->room);
	mmi_free(k->scale);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_free(k->unit[i]);
	*k = (mmi_match){ .scale = NULL };
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
	const float *unit[MMI_MAX_MODALITIES], *there[MMI_MAX_MODALITIES];
	mmi_sampler_embed(l->sampler, mmi_batch_seen(batch), l->span.rows, k->unit, k->scale);
	mmi_room_fill(&k->room, &l->reduce, k->unit, batch->observed, unit, there);
	mmi_ranking_make(&k->ranking, unit, batch->observed ? there : NULL, l->span.of, (double)k->scale[0]);
	m->match = k->ranking.loss;
	m->match_first = k->ranking.first;
	m->match_tau = exp(-(double)k->scale[0]);
	if (isnan(m->match))
		return MM_OK; /* nothing to rank: one tuple, or no two that have the same modalities */
	mmi_terms t = { .n = 1 };
	t.at[0] = (mmi_segment){ .loss = &l->match_loss,
		                     .x = mmi_batch_seen(batch),
		                     .pull = mmi_rows_read(k->here),
		                     .rows = l->span.rows,
		                     .x_rows = l->span.rows,
		                     .seed = (float)(k->ranking.scale_grad / l->span.of) };
	return mmi_model_update(l, &t, NULL, m, e);
}
