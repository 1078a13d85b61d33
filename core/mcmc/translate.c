/* translate.c - the paper's Eq. 17, followed by the energy chain on what was not given. */
#include "mmi_build.h"

#include "mcmc/translate.h"

#include <string.h>

struct mmi_translator {
	const mmi_model *model;
	mmi_sampler *sampler;
	mmi_experts experts;
	mmi_latents z, start;
	uint32_t *expert;
	float *decoded[MMI_MAX_MODALITIES];
	uint8_t *given[MMI_MAX_MODALITIES];   /* 1: observed */
	uint8_t *missing[MMI_MAX_MODALITIES]; /* 1: not */
};

static mm_status allocate(mmi_translator *t, uint32_t rows, mm_error *e)
{
	MMI_TRY(mmi_experts_create(t->model, rows, &t->experts, e));
	MMI_TRY(mmi_latents_create(t->model, rows, &t->z, e));
	MMI_TRY(mmi_latents_create(t->model, rows, &t->start, e));
	t->expert = mmi_alloc(rows, sizeof *t->expert);
	bool ok = t->expert;
	for (uint32_t m = 0; m < t->model->n_modalities; m++) {
		ok = (t->decoded[m] = mmi_alloc(rows * (size_t)t->model->modalities[m].count, sizeof(float))) && ok;
		ok = (t->given[m] = mmi_alloc(rows, 1)) && ok;
		ok = (t->missing[m] = mmi_alloc(rows, 1)) && ok;
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the translation of %u samples", rows);
}

mm_status mmi_translator_create(const mmi_model *m, mmi_sampler *s, uint32_t max_rows, mmi_translator **out,
                                mm_error *e)
{
	mmi_translator *t = mmi_alloc(1, sizeof *t);
	if (!t)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a translator");
	t->model = m;
	t->sampler = s;
	mm_status status = allocate(t, max_rows, e);
	if (status != MM_OK) {
		mmi_translator_destroy(t);
		return status;
	}
	*out = t;
	return MM_OK;
}

void mmi_translator_destroy(mmi_translator *t)
{
	if (!t)
		return;
	mmi_experts_clear(&t->experts);
	mmi_latents_clear(&t->z);
	mmi_latents_clear(&t->start);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		mmi_free(t->decoded[m]);
		mmi_free(t->given[m]);
		mmi_free(t->missing[m]);
	}
	mmi_free(t->expert);
	mmi_free(t);
}

static void choose_experts(mmi_translator *t, const mmi_translate_args *a, const float *const *observed, mmi_span span)
{
	if (a->expert < 0)
		mmi_sampler_pick(t->sampler, span, a->number, observed, t->expert);
	for (uint32_t r = 0; a->expert >= 0 && r < span.rows; r++)
		t->expert[r] = (uint32_t)a->expert;
}

static void infer(mmi_translator *t, const mmi_translate_args *a, float *const *x, const float *const *observed,
                  mmi_span span)
{
	mmi_start_args start = { .iteration = a->number,
		                     .expert = t->expert,
		                     .observed = observed,
		                     .single = a->expert >= 0,
		                     .temperature = a->temperature };
	mmi_posterior_args posterior = a->posterior;
	mmi_guide_args guide = a->guide;
	mmi_chain_stats stats;
	posterior.iteration = guide.iteration = a->number;
	posterior.observed = guide.observed = observed;
	posterior.held = guide.held = (const uint8_t *const *)t->missing;
	guide.x = (const float *const *)x;
	mmi_sampler_encode(t->sampler, (const float *const *)x, span.rows, &t->experts);
	mmi_sampler_choose_start(t->sampler, &guide, &start, &t->experts, span, &t->z);
	mmi_latents_copy(&t->start, &t->z, t->model, span.rows);
	mmi_sampler_posterior(t->sampler, &posterior, (const float *const *)x, span, 1, &t->z, &t->start,
	                      a->posterior_stats ? a->posterior_stats : &stats);
	if (guide.steps)
		mmi_sampler_guide(t->sampler, &guide, span, &t->z, NULL, &stats);
}

/* Decodes everything and keeps what was not given. */
static void fill(mmi_translator *t, float *const *x, uint32_t rows)
{
	mmi_sampler_decode(t->sampler, &t->z, rows, t->decoded);
	for (uint32_t m = 0; m < t->model->n_modalities; m++) {
		size_t count = (size_t)t->model->modalities[m].count;
		for (uint32_t r = 0; r < rows; r++)
			if (t->missing[m][r])
				memcpy(x[m] + r * count, t->decoded[m] + r * count, count * sizeof(float));
			else
				memcpy(t->decoded[m] + r * count, x[m] + r * count, count * sizeof(float));
	}
}

void mmi_translate(mmi_translator *t, const mmi_translate_args *a, float *const *x, const float *const *observed,
                   mmi_span span, mmi_latents *latents)
{
	mmi_revise_args revise = a->revise;
	mmi_chain_stats stats;
	for (uint32_t m = 0; m < t->model->n_modalities; m++)
		for (uint32_t r = 0; r < span.rows; r++) {
			t->given[m][r] = observed[m][r] > 0;
			t->missing[m][r] = !t->given[m][r];
		}
	choose_experts(t, a, observed, span);
	infer(t, a, x, observed, span);
	fill(t, x, span.rows);
	revise.iteration = a->number;
	revise.held = (const uint8_t *const *)t->given;
	mmi_sampler_revise(t->sampler, &revise, x, (const float *const *)t->decoded, span,
	                   a->revise_stats ? a->revise_stats : &stats);
	if (latents)
		mmi_latents_copy(latents, &t->z, t->model, span.rows);
}
