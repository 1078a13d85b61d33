/* match.c - the update of E_match. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_match_create(const mmi_model *m, const mmi_reduce *r, mmi_match *out, mm_error *e)
{
	const uint32_t rows = r->span.rows, batch = r->span.of;
	mmi_match k = { .scale = mmi_floats_alloc(m->device, rows) };
	bool ok = k.scale.at;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = (k.unit.x[i] = mmi_floats_alloc(m->device, (size_t)rows * MMI_MATCH_DIM)).at && ok;
	ok = mmi_ranking_create(m, batch, MMI_MATCH_DIM, &k.ranking, e) == MM_OK && ok;
	ok = mmi_room_create(r, m, MMI_MATCH_DIM, &k.all, e) == MM_OK && ok;
	if (!ok) {
		mmi_match_clear(m, &k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the directions of %u tuples", batch);
	}
	for (uint32_t i = 0; i < m->n_modalities; i++)
		k.here.x[i] = mmi_floats_at(k.ranking.grad.x[i], r->span.first * (size_t)MMI_MATCH_DIM);
	*out = k;
	return MM_OK;
}

void mmi_match_clear(const mmi_model *m, mmi_match *k)
{
	mmi_ranking_clear(m, &k->ranking);
	mmi_room_clear(&k->all);
	mmi_floats_release(m->device, &k->scale);
	mmi_device_rows_clear(m, &k->unit);
	*k = (mmi_match){ .scale = { NULL } };
}

/* The ranking of all vectors of the batch. */
static void rank(mmi_learner *l, bool incomplete, mmi_doubles told)
{
	mmi_match *k = &l->match;
	const mmi_parts parts = mmi_masks_start(&l->masks, 0);
	mmi_floats unit[MMI_MAX_MODALITIES], there[MMI_MAX_MODALITIES];
	mmi_run_embed(l->sampler, &l->seen, l->span.rows, &k->unit, k->scale);
	mmi_room_fill(&k->all, &l->reduce, k->unit.x, incomplete ? parts.observed : NULL, unit, there);
	mmi_ranking_make(&k->ranking, l->model->device, unit, incomplete ? there : NULL, l->span.of, k->scale, told);
}

static void tell(const mmi_learner *l, const double *at, mmi_measures *m)
{
	(void)l;
	m->match = at[MMI_RANK_LOSS];
	m->match_first = at[MMI_RANK_FIRST];
	m->match_tau = exp(-at[MMI_RANK_SCALE]);
}

/* Of the rows here: which have modality m, and of those which have another one. */
static void count_rows(const mmi_masks *k, uint32_t m, uint32_t *has, uint32_t *with_another)
{
	*has = *with_another = 0;
	for (uint32_t b = 0; b < k->batch; b++) {
		bool another = false;
		for (uint32_t n = 0; n < k->n; n++)
			another = another || (n != m && k->there[n][b] > 0);
		*has += k->there[m][b] > 0;
		*with_another += k->there[m][b] > 0 && another;
	}
}

/* Whether some tuple of the whole batch has an alternative in some modality: the host knows that from who is there. */
static bool has_something(const mmi_learner *l, bool incomplete)
{
	bool any = false;
	if (!incomplete)
		return l->span.of > 1 && l->model->n_modalities > 1;
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		uint32_t has, with_another;
		count_rows(&l->masks, m, &has, &with_another);
		has = mmi_reduce_count(&l->reduce, has);
		any |= mmi_reduce_count(&l->reduce, with_another) > 0 && has > 1;
	}
	return any;
}

bool mmi_match_due(const mmi_learner *l, bool chains)
{
	return l->model->match && (chains || l->state.iteration % l->settings->match_interval == 0);
}

/* Samples are what encoders see: with words left out, where a modality is varied in training. The loss is no sum over
 * samples, so it is found from all vectors of the batch, and its gradient to each goes back through its tower. */
void mmi_update_match(mmi_learner *l, const mmi_batch *batch)
{
	const mmi_doubles told = mmi_readings_take(&l->readings, MMI_RANK_TOLD);
	rank(l, batch->observed, told);
	mmi_readings_tell(&l->readings, told, tell);
	if (!has_something(l, batch->observed))
		return;
	mmi_terms t = { .n = 1 };
	t.at[0] = (mmi_segment){ .loss = &l->match_loss,
		                     .x = &l->seen,
		                     .pull = l->match.here.x,
		                     .rows = l->span.rows,
		                     .x_rows = l->span.rows,
		                     .seed_at = { told.at + MMI_RANK_SCALE_GRAD },
		                     .seed_of = l->span.of };
	mmi_model_update(l, &t, NULL, NULL);
}
