/* rows.c - scores, latents and chains of the caller's rows. */
#include "mmi_build.h"

#include "api/api.h"
#include "base/finite.h"
#include "trained/encode.h"
#include "trained/revise.h"
#include "trained/scores.h"

#include <string.h>

_Static_assert(MMI_API_ROWS >= MMI_SCORES_ROWS && MMI_API_ROWS >= MMI_REVISE_ROWS, "rows of the saved model");

/* Every function of this file begins and ends like this. */
#define VISIT(model, e, call)                         \
	mmi_visit v;                                      \
	if (!(model))                                     \
		return mmi_fail(e, MM_EARG, "model is NULL"); \
	MMI_TRY(mmi_visit_begin(&v, model, e));           \
	return mmi_visit_end(&v, n ? (call) : MM_OK)

typedef struct arrays {
	const mm_model *model;
	const float *const *x;
} arrays;

/* mmi_tuple_reader; zeros where there is nothing. */
static mm_status read_arrays(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	const arrays *a = ctx;
	for (uint32_t m = 0; m < a->model->saved.model->n_modalities; m++) {
		const size_t floats = (size_t)a->model->about[m].floats;
		if (!a->x[m]) {
			memset(x[m], 0, floats * sizeof(float));
			continue;
		}
		memcpy(x[m], a->x[m] + i * floats, floats * sizeof(float));
		const size_t bad = mmi_find_nonfinite(x[m], floats);
		if (bad < floats)
			return mmi_fail(e, MM_EARG, "value %zu of sample %u of %s is %g; expected finite numbers", bad, i,
			                a->model->about[m].name, (double)x[m][bad]);
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- scores */

static mm_status score(mm_model *m, uint32_t n, const float *const *x, const mm_options *options, float *energy,
                       mm_error *e)
{
	mmi_api_options a;
	arrays from = { m, x };
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	a.total = n;
	MMI_TRY(mmi_api_complete(m, x, "x", e));
	if (!energy)
		return mmi_fail(e, MM_EARG, "energy is NULL");
	MMI_TRY(mmi_api_sampler(m, n, e));
	return mmi_scores_of(&m->saved, n, read_arrays, &from, &a.hooks, energy, e);
}

mm_status mm_model_score(mm_model *model, uint32_t n, const float *const *x, const mm_options *options, float *energy,
                         mm_error *e)
{
	VISIT(model, e, score(model, n, x, options, energy, &v.error));
}

/* ---------------------------------------------------------------- encoders */

typedef struct encode_work {
	const mm_model *model;
	mm_encoded out;
} encode_work;

static void copy_latents(float *const *to, float *const *from, const mmi_model *m, uint32_t first, uint32_t rows,
                         int32_t dim)
{
	const size_t d = (size_t)dim;
	for (uint32_t i = 0; to && d && i < m->n_modalities; i++)
		if (to[i])
			memcpy(to[i] + first * d, from[i], rows * d * sizeof(float));
}

static mm_status keep_encoded(void *ctx, uint32_t first, uint32_t rows, const mmi_experts *x, mm_error *e)
{
	const encode_work *w = ctx;
	const mmi_model *m = w->model->saved.model;
	const int32_t z = mmi_model_z_dim(m), p = mmi_model_w_dim(m);
	(void)e;
	copy_latents(w->out.z_mean, x->loc, m, first, rows, z);
	copy_latents(w->out.z_scale, x->scale, m, first, rows, z);
	copy_latents(w->out.w_mean, x->w_loc, m, first, rows, p);
	copy_latents(w->out.w_scale, x->w_scale, m, first, rows, p);
	return MM_OK;
}

static mm_status encode(mm_model *m, uint32_t n, const float *const *x, const mm_options *options,
                        const mm_encoded *out, mm_error *e)
{
	mmi_api_options a;
	arrays from = { m, x };
	encode_work w = { .model = m };
	if (!x || !out)
		return mmi_fail(e, MM_EARG, "%s is NULL", x ? "out" : "x");
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	a.total = n;
	MMI_TRY(mmi_take_struct(out, &w.out, sizeof w.out, "out", e));
	float *const *const wanted[] = { w.out.z_mean, w.out.z_scale, w.out.w_mean, w.out.w_scale };
	for (size_t k = 0; k < MMI_COUNT(wanted); k++)
		for (uint32_t i = 0; wanted[k] && i < m->saved.model->n_modalities; i++)
			if (wanted[k][i] && !x[i])
				return mmi_fail(e, MM_EARG, "x[%u] (%s) is NULL, but what its encoder tells is wanted", i,
				                m->about[i].name);
	MMI_TRY(mmi_api_sampler(m, n, e));
	const uint32_t block = mmi_whole_chunks(MMI_API_ROWS, mmi_sampler_chunk(m->saved.sampler));
	return mmi_latents_of(&m->saved, n, block, read_arrays, &from, keep_encoded, &w, &a.hooks, e);
}

mm_status mm_model_encode(mm_model *model, uint32_t n, const float *const *x, const mm_options *options,
                          const mm_encoded *out, mm_error *e)
{
	VISIT(model, e, encode(model, n, x, options, out, &v.error));
}

/* ---------------------------------------------------------------- latents */

/* A view of the caller's arrays, all of which must be there and finite. */
static mm_status take_latents(const mm_model *m, uint32_t n, const mm_latents *from, mmi_latents *out, mm_error *e)
{
	const mmi_model *model = m->saved.model;
	const size_t z = (size_t)mmi_model_z_dim(model), p = (size_t)mmi_model_w_dim(model);
	mm_latents l = { .struct_size = sizeof l };
	*out = (mmi_latents){ .z = NULL };
	if (!from)
		return mmi_fail(e, MM_EARG, "latents is NULL");
	MMI_TRY(mmi_take_struct(from, &l, sizeof l, "latents", e));
	if ((z && !l.z) || (p && !l.w))
		return mmi_fail(e, MM_EARG, "latents.%s is NULL", z && !l.z ? "z" : "w");
	out->z = z ? l.z : NULL;
	bool finite = !z || mmi_finite(l.z, n * z);
	for (uint32_t i = 0; p && i < model->n_modalities; i++) {
		if (!l.w[i])
			return mmi_fail(e, MM_EARG, "latents.w[%u] (%s) is NULL", i, m->about[i].name);
		out->w[i] = l.w[i];
		finite = finite && mmi_finite(l.w[i], n * p);
	}
	return finite ? MM_OK : mmi_fail(e, MM_EARG, "latents are not finite numbers");
}

static mm_status decode(mm_model *m, uint32_t n, const mm_latents *latents, const mm_options *options, float *const *x,
                        mm_error *e)
{
	mmi_api_options a;
	mmi_latents at;
	if (!x)
		return mmi_fail(e, MM_EARG, "x is NULL");
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	a.total = n;
	MMI_TRY(take_latents(m, n, latents, &at, e));
	const mmi_revise_request r = { .n = n, .hooks = a.hooks };
	MMI_TRY(mmi_api_sampler(m, n, e));
	return mmi_revise_decode(&m->saved, &r, &at, x, e);
}

mm_status mm_model_decode(mm_model *model, uint32_t n, const mm_latents *latents, const mm_options *options,
                          float *const *x, mm_error *e)
{
	VISIT(model, e, decode(model, n, latents, options, x, &v.error));
}

static mm_status revise_latents(mm_model *m, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                                const mm_options *options, const mm_latents *latents, mm_error *e)
{
	mmi_api_options a;
	mmi_inputs in;
	mmi_latents at;
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	a.total = n;
	if (a.o.guide_steps > 0)
		MMI_TRY(mmi_use_need_energy(&m->saved, "options.guide_steps", e));
	MMI_TRY(mmi_api_inputs(m, n, given, lacking, &in, e));
	MMI_TRY(take_latents(m, n, latents, &at, e));
	const mmi_chains chains = mmi_saved_chains(&m->saved, &m->saved.setup.settings.translate, &a.steps);
	const mmi_revise_request r = { .n = n, .number = a.o.number, .chains = &chains, .hooks = a.hooks };
	MMI_TRY(mmi_api_sampler(m, n, e));
	return mmi_revise_latents(&m->saved, &r, &in, &at, e);
}

mm_status mm_model_revise_latents(mm_model *model, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                                  const mm_options *options, const mm_latents *latents, mm_error *e)
{
	VISIT(model, e, revise_latents(model, n, given, lacking, options, latents, &v.error));
}

/* ---------------------------------------------------------------- tuples */

static mm_status revise(mm_model *m, uint32_t n, const uint8_t *const *held, const mm_options *options, float *const *x,
                        mm_error *e)
{
	mmi_api_options a;
	mmi_inputs in;
	const float *const *read = (const float *const *)x;
	MMI_TRY(mmi_api_options_take(options, n, &a, e));
	a.total = n;
	MMI_TRY(mmi_use_need_energy(&m->saved, "the data chain", e));
	MMI_TRY(mmi_api_complete(m, read, "x", e));
	MMI_TRY(mmi_api_inputs(m, n, read, NULL, &in, e));
	const mmi_chains chains = mmi_saved_chains(&m->saved, &m->saved.setup.settings.sample, &a.steps);
	const mmi_revise_request r = { .n = n, .number = a.o.number, .chains = &chains, .hooks = a.hooks };
	MMI_TRY(mmi_api_sampler(m, n, e));
	return mmi_revise_tuples(&m->saved, &r, held, x, e);
}

mm_status mm_model_revise(mm_model *model, uint32_t n, const uint8_t *const *held, const mm_options *options,
                          float *const *x, mm_error *e)
{
	VISIT(model, e, revise(model, n, held, options, x, &v.error));
}
