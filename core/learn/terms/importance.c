/* importance.c - draws of experts weighted by importance. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_importance_create(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, uint32_t draws,
                                uint32_t rows, mmi_importance *out, mm_error *e)
{
	const size_t bytes = m->n_modalities * (size_t)draws * rows * sizeof(float);
	*out = (mmi_importance){ .n = m->n_modalities, .draws = draws };
	out->bound = mmi_alloc(rows, sizeof *out->bound);
	if (!out->bound)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the weights of %u samples", rows);
	MMI_TRY(mmi_mirror_create(m->device, bytes, &out->term, e));
	MMI_TRY(mmi_mirror_create(m->device, bytes, &out->share, e));
	MMI_TRY(mmi_device_experts_create(m, rows, &out->experts, e));
	return mmi_loss_weights(m, p, form, &out->loss, e);
}

void mmi_importance_clear(const mmi_model *m, mmi_importance *k)
{
	mmi_loss_clear(&k->loss);
	mmi_device_experts_clear(m, &k->experts);
	mmi_mirror_clear(m->device, &k->term);
	mmi_mirror_clear(m->device, &k->share);
	mmi_free(k->bound);
	*k = (mmi_importance){ .n = 0 };
}

/* ------------------------------------------------------------ weights */

/* log sum_k exp -term of one row. */
static double log_sum(const float *term, uint32_t draws, uint32_t rows)
{
	double most = -INFINITY, sum = 0;
	for (uint32_t k = 0; k < draws; k++)
		most = fmax(most, -(double)term[k * (size_t)rows]);
	for (uint32_t k = 0; k < draws; k++)
		sum += exp(-(double)term[k * (size_t)rows] - most);
	return most + log(sum);
}

void mmi_importance_share(const float *term, const float *of, uint32_t draws, uint32_t rows, float *share,
                          double *bound)
{
	for (uint32_t r = 0; r < rows; r++) {
		const double part = (double)of[r], total = part > 0 ? log_sum(term + r, draws, rows) : 0;
		for (uint32_t k = 0; k < draws; k++) {
			const size_t at = k * (size_t)rows + r;
			share[at] = part > 0 ? (float)(part * exp(-(double)term[at] - total)) : 0;
		}
		if (part > 0)
			bound[r] -= part * (total - log(draws));
	}
}

/* ------------------------------------------------------------ in the learner */

/* Of the batches of all ranks. */
static double mean_bound(mmi_learner *l)
{
	const mmi_importance *k = &l->importance;
	const uint32_t chunks = l->reduce.share.chunks.rows;
	double sum;
	for (uint32_t c = 0; c < chunks; c++) {
		l->reduce.parts[c] = 0;
		for (uint32_t r = c * l->chunk; r < (c + 1) * l->chunk; r++)
			l->reduce.parts[c] += k->bound[r];
	}
	mmi_reduce_chunks(&l->reduce, l->reduce.parts, 1, 1, &sum);
	return sum / l->span.of;
}

static mmi_floats row_of(const mmi_mirror *m, uint32_t i, size_t rows)
{
	return mmi_floats_at((mmi_floats){ m->device }, i * rows);
}

static void weigh(mmi_learner *l, size_t rows)
{
	mmi_importance *k = &l->importance;
	for (uint32_t r = 0; r < l->span.rows; r++)
		k->bound[r] = 0;
	for (uint32_t i = 0; i < k->n; i++)
		mmi_importance_share((const float *)k->term.host + i * rows, l->masks.share[i], k->draws, l->span.rows,
		                     (float *)k->share.host + i * rows, k->bound);
}

void mmi_weigh_draws(mmi_learner *l, mmi_segment *s)
{
	mmi_importance *k = &l->importance;
	mmi_segment forward = *s;
	mmi_floats out[MMI_MAX_MODALITIES];
	mmi_run_encode(l->sampler, &l->seen, l->span.rows, &k->experts);
	forward.loss = &k->loss;
	forward.held = &k->experts;
	for (uint32_t i = 0; i < k->n; i++)
		out[i] = row_of(&k->term, i, s->rows);
	mmi_segment_forward(&forward, l->model->device, l->pool, l->chunk, out);
	mmi_mirror_pull(l->model->device, &k->term, k->term.bytes);
	weigh(l, s->rows);
	mmi_mirror_push(l->model->device, &k->share);
	k->value = mean_bound(l);
	k->mask = *s->mask;
	for (uint32_t i = 0; i < k->n; i++)
		k->mask.share[i] = row_of(&k->share, i, s->rows);
	s->held = &k->experts;
	s->mask = &k->mask;
}
