/* aggregate.c - latents of tuples, block by block. */
#include "mmi_build.h"

#include "fit/aggregate.h"

#include "base/finite.h"
#include "engine/streams.h"
#include "model/rows.h"

#include <string.h>

typedef struct work {
	const mmi_model *model;
	mmi_sampler *sampler;
	mmi_tuples *tuples;
	uint32_t block;
	bool each;
	mmi_aggregate *out;
	float *x[MMI_MAX_MODALITIES], *observed[MMI_MAX_MODALITIES]; /* [block] */
	uint32_t *expert;                                            /* [block] */
	mmi_experts experts;
	mmi_latents latents;
} work;

/* ------------------------------------------------------------ life */

void mmi_aggregate_clear(mmi_aggregate *a)
{
	mmi_free(a->z);
	mmi_free(a->there);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_free(a->w[m]);
	*a = (mmi_aggregate){ .z = NULL };
}

static void clear(work *w)
{
	mmi_rows_clear(w->x);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_free(w->observed[m]);
	mmi_free(w->expert);
	mmi_experts_clear(&w->experts);
	mmi_latents_clear(&w->latents);
}

static bool allocate(float **out, size_t n)
{
	*out = n ? mmi_alloc(n, sizeof **out) : NULL;
	return !n || *out;
}

static mm_status create(work *w, mm_error *e)
{
	mmi_aggregate *a = w->out;
	const mmi_model *m = w->model;
	const size_t draws = (size_t)a->tuples * a->experts;
	bool ok = allocate(&a->z, draws * (size_t)mmi_model_z_dim(m)) && allocate(&a->there, draws);
	ok = (w->expert = mmi_alloc(w->block, sizeof *w->expert)) && ok;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		ok = allocate(&w->observed[i], w->block) && ok;
		ok = (w->each || allocate(&a->w[i], a->tuples * (size_t)mmi_model_w_dim(m))) && ok;
	}
	if (!ok)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the latents of %u tuples", a->tuples);
	MMI_TRY(mmi_rows_create(m, w->block, w->x, e));
	MMI_TRY(mmi_experts_create(m, w->block, &w->experts, e));
	return mmi_latents_create(m, w->block, &w->latents, e);
}

/* ------------------------------------------------------------ a block */

static mm_status read_block(work *w, uint32_t first, uint32_t rows, mm_error *e)
{
	for (uint32_t m = 0; m < w->model->n_modalities; m++)
		memset(w->observed[m], 0, w->block * sizeof(float));
	for (uint32_t r = 0; r < rows; r++) {
		float *at[MMI_MAX_MODALITIES];
		mmi_rows_at(w->model, w->x, r, at);
		MMI_TRY(mmi_tuples_read(w->tuples, first + r, at, e));
		for (uint32_t m = 0; m < w->model->n_modalities; m++)
			w->observed[m][r] = mmi_tuples_has(w->tuples, first + r, m) ? 1.0f : 0.0f;
	}
	return MM_OK;
}

static void keep_z(work *w, uint32_t first, uint32_t rows, uint32_t number)
{
	mmi_aggregate *a = w->out;
	const size_t d = (size_t)mmi_model_z_dim(w->model);
	for (uint32_t r = 0; r < rows; r++) {
		const size_t at = ((size_t)first + r) * a->experts + number;
		a->there[at] = w->each ? w->observed[number][r] : 1.0f;
		if (a->z)
			memcpy(a->z + at * d, w->latents.z + r * d, d * sizeof *a->z);
	}
}

static void keep_w(work *w, uint32_t rows)
{
	mmi_aggregate *a = w->out;
	const size_t d = (size_t)mmi_model_w_dim(w->model);
	for (uint32_t m = 0; m < w->model->n_modalities; m++)
		for (uint32_t r = 0; a->w[m] && r < rows; r++)
			if (w->observed[m][r] > 0)
				memcpy(a->w[m] + a->w_rows[m]++ * d, w->latents.w[m] + r * d, d * sizeof(float));
}

/* Draw `number` of each row of a block: of that expert, or of all that is there. */
static void draw(work *w, mmi_span span, uint32_t number)
{
	const float *const *observed = (const float *const *)w->observed;
	const mmi_start_args start = { .iteration = MMI_ITERATION_FIT,
		                           .chain = number,
		                           .expert = w->expert,
		                           .observed = observed,
		                           .single = w->each,
		                           .temperature = 1 };
	if (!w->each)
		mmi_sampler_pick(w->sampler, span, MMI_ITERATION_FIT, observed, w->expert);
	for (uint32_t r = 0; w->each && r < w->block; r++)
		w->expert[r] = number;
	mmi_sampler_start(w->sampler, &start, &w->experts, span, &w->latents);
}

static mm_status fill(work *w, const mmi_fit_hooks *h, mm_error *e)
{
	mmi_aggregate *a = w->out;
	for (uint32_t first = 0; first < a->tuples; first += w->block) {
		const uint32_t rows = a->tuples - first < w->block ? a->tuples - first : w->block;
		MMI_TRY(read_block(w, first, rows, e));
		mmi_sampler_encode(w->sampler, mmi_rows_read(w->x), w->block, &w->experts);
		for (uint32_t k = 0; k < a->experts; k++) {
			draw(w, (mmi_span){ first, w->block, a->tuples }, k);
			keep_z(w, first, rows, k);
		}
		if (!w->each)
			keep_w(w, rows);
		if (h->step)
			h->step(h->ctx, first + rows, a->tuples);
		if (h->stop && h->stop(h->ctx))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %u of %u tuples; nothing was written", first + rows,
			                a->tuples);
	}
	const size_t z = (size_t)a->tuples * a->experts * (size_t)mmi_model_z_dim(w->model);
	if (a->z && !mmi_finite(a->z, z))
		return mmi_fail(e, MM_ENUMERIC, "latents of the data are not finite numbers: the model has diverged");
	return MM_OK;
}

mm_status mmi_aggregate_draw(const mmi_saved *s, mmi_tuples *tuples, uint32_t block, bool each,
                             const mmi_fit_hooks *hooks, mmi_aggregate *out, mm_error *e)
{
	work w = { .model = s->model, .sampler = s->sampler, .tuples = tuples, .block = block, .each = each, .out = out };
	*out = (mmi_aggregate){ .tuples = mmi_tuples_count(tuples), .experts = each ? s->model->n_modalities : 1 };
	mm_status status = mmi_sampler_prepare(s->sampler, MMI_NET_ENCODE, e);
	if (status == MM_OK)
		status = create(&w, e);
	if (status == MM_OK)
		status = fill(&w, hooks, e);
	clear(&w);
	if (status != MM_OK)
		mmi_aggregate_clear(out);
	return status;
}
