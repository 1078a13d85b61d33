/* importance.c - draws of experts weighted by importance. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

mm_status mmi_importance_create(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, uint32_t draws,
                                uint32_t rows, mmi_importance *out, mm_error *e)
{
	const size_t n = m->n_modalities * (size_t)draws * rows;
	*out = (mmi_importance){ .n = m->n_modalities, .draws = draws };
	out->term = mmi_floats_alloc(m->device, n);
	out->share = mmi_floats_alloc(m->device, n);
	out->bound.at = m->device->ops->alloc(m->device, rows / p->chunk * sizeof *out->bound.at);
	if (!out->term.at || !out->share.at || !out->bound.at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the weights of %u samples", rows);
	MMI_TRY(mmi_device_experts_create(m, rows, &out->experts, e));
	return mmi_loss_weights(m, p, form, &out->loss, e);
}

void mmi_importance_clear(const mmi_model *m, mmi_importance *k)
{
	mmi_loss_clear(&k->loss);
	mmi_device_experts_clear(m, &k->experts);
	mmi_floats_release(m->device, &k->term);
	mmi_floats_release(m->device, &k->share);
	m->device->ops->release(m->device, k->bound.at);
	*k = (mmi_importance){ .n = 0 };
}

/* ------------------------------------------------------------ in the learner */

/* Of this segment's rows: shares, and the sum of the bounds of all ranks' rows. */
static void weigh(mmi_learner *l, mmi_doubles told)
{
	mmi_importance *k = &l->importance;
	const mmi_device *d = l->model->device;
	mmi_weights a = { .n = k->n,
		              .draws = k->draws,
		              .rows = l->span.rows,
		              .chunk = l->chunk,
		              .term = k->term,
		              .share = k->share,
		              .bound = k->bound };
	for (uint32_t i = 0; i < k->n; i++)
		a.of[i].at = mmi_masks_on_device(&l->masks, l->masks.share[i]);
	d->rows->weights(d, &a);
	mmi_reduce_chunks(&l->reduce, d, k->bound, 1, 1, told);
}

mmi_doubles mmi_weigh_draws(mmi_learner *l, mmi_segment *s)
{
	mmi_importance *k = &l->importance;
	mmi_segment forward = *s;
	mmi_floats out[MMI_MAX_MODALITIES];
	mmi_run_encode(l->sampler, &l->seen, l->span.rows, &k->experts);
	forward.loss = &k->loss;
	forward.held = &k->experts;
	for (uint32_t i = 0; i < k->n; i++)
		out[i] = mmi_floats_at(k->term, i * (size_t)s->rows);
	mmi_segment_forward(&forward, l->model->device, l->pool, l->chunk, out);
	k->told = mmi_readings_take(&l->readings, 1);
	weigh(l, k->told);
	k->mask = *s->mask;
	for (uint32_t i = 0; i < k->n; i++)
		k->mask.share[i] = mmi_floats_at(k->share, i * (size_t)s->rows);
	s->held = &k->experts;
	s->mask = &k->mask;
	return k->told;
}
