/* alignment.c - the contrastive loss over all pairs of experts. */
#include "mmi_build.h"

#include "learn/course.h"
#include "learn/terms/terms.h"

#include <math.h>
#include <string.h>

mm_status mmi_alignment_create(const mmi_model *m, const mmi_reduce *r, mmi_alignment *out, mm_error *e)
{
	const size_t batch = r->span.of;
	mmi_alignment a = { .n = m->n_modalities, .batch = r->span.of, .dim = (size_t)mmi_model_z_dim(m) };
	a.compared = m->config.agreement_dim ? (size_t)m->config.agreement_dim : a.dim;
	bool ok = (a.kept = mmi_alloc(batch, sizeof *a.kept));
	for (uint32_t i = 0; i < a.n; i++) {
		ok = (a.grad[i] = mmi_alloc(batch * a.dim, sizeof(float))) && ok;
		ok = (a.device.x[i] = mmi_floats_alloc(m->device, r->span.rows * a.dim)).at && ok;
	}
	for (int side = 0; side < 2; side++) {
		ok = (a.rows[side] = mmi_alloc(batch * a.compared, sizeof(float))) && ok;
		ok = (a.row_grad[side] = mmi_alloc(batch * a.compared, sizeof(float))) && ok;
	}
	mm_status status = ok ? mmi_contrast_create(a.batch, (uint32_t)a.compared, &a.contrast, e)
	                      : mmi_fail(e, MM_ENOMEM, "out of memory for the alignment of %zu samples", batch);
	if (status == MM_OK)
		status = mmi_room_create(r, m, a.dim, &a.room, e);
	if (status != MM_OK) {
		mmi_alignment_clear(m, &a);
		return status;
	}
	*out = a;
	return MM_OK;
}

void mmi_alignment_clear(const mmi_model *m, mmi_alignment *a)
{
	mmi_contrast_clear(&a->contrast);
	mmi_room_clear(&a->room);
	mmi_device_rows_clear(m, &a->device);
	mmi_free(a->kept);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_free(a->grad[i]);
	for (int side = 0; side < 2; side++) {
		mmi_free(a->rows[side]);
		mmi_free(a->row_grad[side]);
	}
	*a = (mmi_alignment){ .n = 0 };
}

static uint32_t keep_complete(mmi_alignment *a, const float *const *observed, const uint32_t pair[2], uint32_t rows)
{
	uint32_t n = 0;
	for (uint32_t r = 0; r < rows; r++)
		if (!observed || (observed[pair[0]][r] > 0 && observed[pair[1]][r] > 0))
			a->kept[n++] = r;
	return n;
}

/* One pair of modalities, `weight` its share of the loss; false if fewer than two rows have both. */
static bool align_pair(mmi_alignment *a, const float *const *loc, const float *const *observed, const uint32_t pair[2],
                       uint32_t rows, double temperature, double weight)
{
	const size_t d = a->compared;
	uint32_t n = keep_complete(a, observed, pair, rows);
	if (n < 2)
		return false;
	for (int side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < n; i++)
			memcpy(a->rows[side] + i * d, loc[pair[side]] + a->kept[i] * a->dim, d * sizeof(float));
		memset(a->row_grad[side], 0, n * d * sizeof(float));
	}
	a->loss += weight * mmi_contrast_loss(&a->contrast, a->rows[0], a->rows[1], n, temperature, weight, a->row_grad[0],
	                                      a->row_grad[1]);
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < d; k++)
				a->grad[pair[side]][a->kept[i] * a->dim + k] += a->row_grad[side][i * d + k];
	return true;
}

void mmi_alignment_none(mmi_alignment *a, uint32_t rows)
{
	a->loss = NAN;
	for (uint32_t i = 0; i < a->n; i++)
		memset(a->grad[i], 0, rows * a->dim * sizeof(float));
}

void mmi_alignment_make(mmi_alignment *a, const float *const *loc, const float *const *observed, uint32_t rows,
                        double temperature)
{
	const double weight = 2.0 / (a->n * (a->n - 1.0));
	bool any = false;
	mmi_alignment_none(a, rows);
	a->loss = 0;
	for (uint32_t i = 0; i < a->n; i++)
		for (uint32_t k = i + 1; k < a->n; k++)
			any |= align_pair(a, loc, observed, (const uint32_t[2]){ i, k }, rows, temperature, weight);
	if (!any)
		a->loss = NAN;
}

/* ------------------------------------------------------------ in the learner */

/* Of the rows here, among all of the batch. */
static void align(mmi_learner *l, const float *const *observed)
{
	mmi_alignment *a = &l->alignment;
	const float *loc[MMI_MAX_MODALITIES], *there[MMI_MAX_MODALITIES];
	mmi_room_fill(&a->room, &l->reduce, l->experts.loc, observed, loc, there);
	mmi_alignment_make(a, loc, observed ? there : NULL, a->batch, l->settings->contrast_temperature);
}

/* To the device: those of the rows here. */
static const mmi_floats *show(mmi_learner *l)
{
	mmi_alignment *a = &l->alignment;
	const size_t first = l->span.first * a->dim, n = l->span.rows * a->dim;
	for (uint32_t i = 0; i < a->n; i++)
		a->here.x[i] = mmi_floats_write(l->model->device, a->grad[i] + first, n, a->device.x[i]);
	return a->here.x;
}

const mmi_floats *mmi_alignment_pull(mmi_learner *l, const mmi_batch *batch, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	if (!mmi_learner_aligns(l))
		return NULL;
	if (mmi_course_before(l, s->contrast_start)) {
		mmi_alignment_none(&l->alignment, l->span.of);
		return show(l);
	}
	mmi_run_encode(l->sampler, &l->seen, l->span.rows, &l->experts);
	align(l, batch->observed);
	if (isnan(m->contrast)) /* no update before this one has found it */
		m->contrast = l->alignment.loss;
	return show(l);
}

void mmi_term_alignment(mmi_learner *l, const mmi_batch *batch, mmi_terms *t, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	if (mmi_course_before(l, s->contrast_start) || !mmi_alignment_pull(l, batch, m))
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
