/* draw.c - samples and translations of a model. */
#include "mmi_build.h"

#include "api/api.h"
#include "engine/streams.h"
#include "trained/samples.h"
#include "trained/translations.h"

#include <string.h>

_Static_assert(MMI_API_ROWS >= MMI_SAMPLES_ROWS && MMI_API_ROWS >= MMI_TRANSLATIONS_ROWS, "rows of the saved model");

/* Chains that the settings have are left out where there is no energy; those that are asked for are missed. */
static mm_status check_energy(const mm_model *m, const mm_options *o, mm_error *e)
{
	if (o->candidates > 1)
		MMI_TRY(mmi_use_need_energy(&m->saved, "options.candidates", e));
	if (o->guide_steps > 0)
		MMI_TRY(mmi_use_need_energy(&m->saved, "options.guide_steps", e));
	return o->x_steps > 0 ? mmi_use_need_energy(&m->saved, "options.x_steps", e) : MM_OK;
}

/* Rows of a block to where the caller wants them. */
static void copy_rows(const mm_model *m, float *const *to, float *const *from, uint64_t first, uint32_t n)
{
	for (uint32_t i = 0; to && i < m->saved.model->n_modalities; i++) {
		const size_t floats = (size_t)m->about[i].floats;
		if (to[i])
			memcpy(to[i] + first * floats, from[i], n * floats * sizeof(float));
	}
}

/* ---------------------------------------------------------------- samples */

typedef struct sample_work {
	const mm_model *model;
	float *const *samples, *const *generated;
} sample_work;

static mm_status keep_samples(void *ctx, const mmi_gallery *g, uint32_t first, uint32_t n, mm_error *e)
{
	const sample_work *w = ctx;
	(void)e;
	copy_rows(w->model, w->samples, mmi_gallery_revised(g), first, n);
	copy_rows(w->model, w->generated, mmi_gallery_generated(g), first, n);
	return MM_OK;
}

static mm_status sample(mm_model *m, uint32_t n, const mm_options *options, sample_work *w, mm_error *e)
{
	mmi_api_options a;
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	MMI_TRY(check_energy(m, &a.o, e));
	if (n > MMI_SAMPLES_ROWS << MMI_BLOCKS_BITS)
		return mmi_fail(e, MM_EARG, "n is %u; at most %u samples have one number", n,
		                MMI_SAMPLES_ROWS << MMI_BLOCKS_BITS);
	mmi_recipe recipe = m->saved.setup.settings.sample;
	if (!w->samples)
		recipe = mmi_recipe_without_energy(&recipe); /* nobody would see what it moves */
	const mmi_recipe_change none = MMI_RECIPE_AS_IT_IS;
	const mmi_chains chains = mmi_saved_chains(&m->saved, &recipe, w->samples ? &a.steps : &none);
	const mmi_samples_request r = { .count = n, .number = a.o.number, .hooks = a.hooks };
	MMI_TRY(mmi_api_sampler(m, n, e));
	return mmi_samples_draw(&m->saved, &r, &chains, keep_samples, w, e);
}

mm_status mm_model_sample(mm_model *model, uint32_t n, const mm_options *options, float *const *samples,
                          float *const *generated, mm_error *e)
{
	mmi_visit v;
	sample_work w = { model, samples, generated };
	if (!model)
		return mmi_fail(e, MM_EARG, "model is NULL");
	MMI_TRY(mmi_visit_begin(&v, model, e));
	return mmi_visit_end(&v, n ? sample(model, n, options, &w, &v.error) : MM_OK);
}

/* ---------------------------------------------------------------- translations */

typedef struct translate_work {
	const mm_model *model;
	float *const *made;
	mm_latents latents;
} translate_work;

static mm_status keep_translations(void *ctx, uint64_t first, uint32_t rows, float *const *x,
                                   const mmi_latents *latents, mm_error *e)
{
	const translate_work *w = ctx;
	const mmi_model *model = w->model->saved.model;
	const size_t z = (size_t)mmi_model_z_dim(model), p = (size_t)mmi_model_w_dim(model);
	(void)e;
	copy_rows(w->model, w->made, x, first, rows);
	if (w->latents.z)
		memcpy(w->latents.z + first * z, latents->z, rows * z * sizeof(float));
	for (uint32_t i = 0; w->latents.w && p && i < model->n_modalities; i++)
		if (w->latents.w[i])
			memcpy(w->latents.w[i] + first * p, latents->w[i], rows * p * sizeof(float));
	return MM_OK;
}

static mm_status check_expert(const mm_model *m, const mmi_inputs *in, int32_t expert, mm_error *e)
{
	if (expert < 0)
		return MM_OK;
	if (expert >= (int32_t)m->saved.model->n_modalities || !in->given[expert])
		return mmi_fail(e, MM_EARG, "options.expert is %d, which is no modality that is given", expert);
	for (uint32_t row = 0; in->lacking[expert] && row < in->n; row++)
		if (in->lacking[expert][row])
			return mmi_fail(e, MM_EARG, "options.expert is %d, which tuple %u lacks", expert, row);
	return MM_OK;
}

static bool makes(const translate_work *w)
{
	for (uint32_t i = 0; w->made && i < w->model->saved.model->n_modalities; i++)
		if (w->made[i])
			return true;
	return false;
}

static mm_status translate(mm_model *m, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                           const mm_options *options, translate_work *w, mm_error *e)
{
	mmi_api_options a;
	mmi_inputs in;
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	MMI_TRY(check_energy(m, &a.o, e));
	MMI_TRY(mmi_api_inputs(m, n, given, lacking, &in, e));
	MMI_TRY(check_expert(m, &in, a.o.expert, e));
	if (!makes(w))
		a.steps.data_steps = 0;
	const mmi_chains chains = mmi_saved_chains(&m->saved, &m->saved.setup.settings.translate, &a.steps);
	const mmi_translations_request r = { .inputs = &in,
		                                 .count = a.o.draws ? a.o.draws : 1,
		                                 .number = a.o.number,
		                                 .expert = a.o.expert < 0 ? -1 : a.o.expert,
		                                 .mean = a.o.mean != 0,
		                                 .hooks = a.hooks };
	MMI_TRY(mmi_api_sampler(m, (uint64_t)n * r.count, e));
	return mmi_translations_draw(&m->saved, &r, &chains, keep_translations, w, e);
}

mm_status mm_model_translate(mm_model *model, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                             const mm_options *options, float *const *made, const mm_latents *latents, mm_error *e)
{
	mmi_visit v;
	translate_work w = { .model = model, .made = made };
	if (!model)
		return mmi_fail(e, MM_EARG, "model is NULL");
	MMI_TRY(mmi_visit_begin(&v, model, e));
	mm_status status = mmi_take_struct(latents, &w.latents, sizeof w.latents, "latents", &v.error);
	if (status == MM_OK && n)
		status = translate(model, n, given, lacking, options, &w, &v.error);
	return mmi_visit_end(&v, status);
}
