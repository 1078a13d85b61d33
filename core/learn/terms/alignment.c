/* alignment.c - the contrastive loss over all pairs of experts. */
#include "mmi_build.h"

#include "learn/course.h"
#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_alignment_create(const mmi_model *m, const mmi_reduce *r, mmi_alignment *out, mm_error *e)
{
	const mmi_device *d = m->device;
	const size_t batch = r->span.of;
	mmi_alignment a = { .n = m->n_modalities, .batch = r->span.of, .dim = (size_t)mmi_model_z_dim(m) };
	a.compared = m->config.agreement_dim ? (size_t)m->config.agreement_dim : a.dim;
	a.room.at = d->ops->alloc(d, mmi_contrast_room(batch, a.compared) * sizeof(double));
	bool ok = a.room.at;
	for (uint32_t i = 0; i < a.n; i++) {
		ok = (a.grad.x[i] = mmi_floats_alloc(d, batch * a.dim)).at && ok;
		a.here.x[i] = mmi_floats_at(a.grad.x[i], r->span.first * a.dim);
	}
	ok = mmi_room_create(r, m, a.dim, &a.all, e) == MM_OK && ok;
	if (!ok) {
		mmi_alignment_clear(m, &a);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the alignment of %zu samples", batch);
	}
	*out = a;
	return MM_OK;
}

void mmi_alignment_clear(const mmi_model *m, mmi_alignment *a)
{
	mmi_device_rows_clear(m, &a->grad);
	m->device->ops->release(m->device, a->room.at);
	mmi_room_clear(&a->all);
	*a = (mmi_alignment){ .n = 0 };
}

void mmi_alignment_none(mmi_alignment *a, const mmi_device *d, uint32_t rows)
{
	for (uint32_t i = 0; i < a->n; i++)
		mmi_floats_zero(d, a->grad.x[i], rows * a->dim);
}

double mmi_alignment_loss(const double told[2])
{
	return told[1] > 0 ? told[0] : NAN;
}

void mmi_alignment_make(mmi_alignment *a, const mmi_device *d, const mmi_floats *loc, const mmi_floats *there,
                        uint32_t rows, double temperature, mmi_doubles told)
{
	mmi_contrast c = { .rows = rows,
		               .stride = a->dim,
		               .dim = a->compared,
		               .temperature = temperature,
		               .weight = 2.0 / (a->n * (a->n - 1.0)),
		               .room = a->room,
		               .told = told };
	mmi_alignment_none(a, d, rows);
	d->ops->zero(d, told.at, 2 * sizeof *told.at);
	for (uint32_t i = 0; i < a->n; i++)
		for (uint32_t k = i + 1; k < a->n; k++) {
			const uint32_t pair[2] = { i, k };
			for (int side = 0; side < 2; side++) {
				c.x[side] = loc[pair[side]];
				c.has[side].at = there ? there[pair[side]].at : NULL;
				c.grad[side] = a->grad.x[pair[side]];
			}
			d->rows->contrast(d, &c);
		}
}

/* ------------------------------------------------------------ in the learner */

/* Of the rows here, among all of the batch. */
static void align(mmi_learner *l, bool incomplete, mmi_doubles told)
{
	mmi_alignment *a = &l->alignment;
	const mmi_parts parts = mmi_masks_start(&l->masks, 0);
	mmi_floats loc[MMI_MAX_MODALITIES], there[MMI_MAX_MODALITIES];
	mmi_room_fill(&a->all, &l->reduce, l->experts.loc, incomplete ? parts.observed : NULL, loc, there);
	mmi_alignment_make(a, l->model->device, loc, incomplete ? there : NULL, a->batch, l->settings->contrast_temperature,
	                   told);
}

static void tell(const mmi_learner *l, const double *at, mmi_measures *m)
{
	(void)l;
	m->contrast = mmi_alignment_loss(at);
}

const mmi_floats *mmi_alignment_pull(mmi_learner *l, const mmi_batch *batch)
{
	const mmi_settings *s = l->settings;
	if (!mmi_learner_aligns(l))
		return NULL;
	if (mmi_course_before(l, s->contrast_start)) {
		mmi_alignment_none(&l->alignment, l->model->device, l->span.of);
		return l->alignment.here.x;
	}
	mmi_run_encode(l->sampler, &l->seen, l->span.rows, &l->experts);
	const mmi_doubles told = mmi_readings_take(&l->readings, 2);
	align(l, batch->observed, told);
	if (!mmi_readings_told(&l->readings, tell)) /* no update before this one has found it */
		mmi_readings_tell(&l->readings, told, tell);
	return l->alignment.here.x;
}

void mmi_term_alignment(mmi_learner *l, const mmi_batch *batch, mmi_terms *t)
{
	const mmi_settings *s = l->settings;
	if (mmi_course_before(l, s->contrast_start) || !mmi_alignment_pull(l, batch))
		return;
	mmi_segment *out = &t->at[t->n++];
	*out = (mmi_segment){ .loss = &l->locations,
		                  .x = &l->seen,
		                  .rows = l->span.rows,
		                  .x_rows = l->span.rows,
		                  .seed = (float)s->contrast_factor };
	for (uint32_t i = 0; i < l->model->n_modalities; i++)
		out->z[i].z = l->alignment.here.x[i];
}
