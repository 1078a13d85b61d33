/* draws.c - what a sampler draws: priors, starts of chains, experts. Every number is a function of seed, stream, iteration,
 * chain, row and element. */
#include "mmi_build.h"

#include "mcmc/sampler_nets.h"

#include <math.h>
#include <stdio.h>

static uint64_t key_of(uint64_t seed, const char *stream, const mmi_modality *m)
{
	char text[64];
	snprintf(text, sizeof text, "%s/%s", stream, m->name);
	return mmi_rng_key(seed, text);
}

void mmi_sampler_reseed(mmi_sampler *s, uint64_t count)
{
	uint64_t seed = s->config.seed + count * UINT64_C(0x9E3779B97F4A7C15);
	s->key.prior = mmi_rng_key(seed, "prior");
	s->key.draw = mmi_rng_key(seed, "expert");
	s->key.pick = mmi_rng_key(seed, "pick");
	s->key.subset = mmi_rng_key(seed, "subset");
	s->key.choice = mmi_rng_key(seed, "choice");
	s->key.candidate = mmi_rng_key(seed, "candidate");
	s->key.z = mmi_rng_key(seed, "chain/z");
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		const mmi_modality *m = &s->model->modalities[i];
		s->key.prior_w[i] = key_of(seed, "prior/w", m);
		s->key.draw_w[i] = key_of(seed, "expert/w", m);
		s->key.w[i] = key_of(seed, "chain/w", m);
		s->key.x[i] = key_of(seed, "chain/x", m);
	}
}

static void draw(const mmi_sampler *s, float *out, uint32_t rows, int32_t dim, mmi_rng rng)
{
	const mmi_vec *vec = s->model->device->vec;
	for (rng.sample = 0; out && rng.sample < rows; rng.sample++) {
		float *row = out + rng.sample * (size_t)dim;
		if (s->model->config.prior == MMI_PRIOR_LAPLACE)
			vec->laplace(row, (size_t)dim, rng);
		else
			vec->normal(row, (size_t)dim, rng);
	}
}

void mmi_sampler_standard(mmi_sampler *s, uint32_t rows, uint32_t chain, uint32_t iteration, mmi_latents *eps)
{
	mmi_rng rng = { .key = s->key.draw, .step = chain, .iteration = iteration };
	draw(s, eps->z, rows, mmi_model_z_dim(s->model), rng);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		rng.key = s->key.draw_w[i];
		draw(s, eps->w[i], rows, mmi_model_w_dim(s->model), rng);
	}
}

void mmi_sampler_prior(mmi_sampler *s, uint32_t rows, uint32_t chain, uint32_t iteration, mmi_latents *z)
{
	mmi_rng rng = { .key = s->key.prior, .step = chain, .iteration = iteration };
	draw(s, z->z, rows, mmi_model_z_dim(s->model), rng);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		rng.key = s->key.prior_w[i];
		draw(s, z->w[i], rows, mmi_model_w_dim(s->model), rng);
	}
}

/* The number of the n-th observed modality of a row. */
static uint32_t nth_observed(const mmi_sampler *s, const float *const *observed, uint32_t row, uint32_t n)
{
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		if (observed[m][row] > 0 && n-- == 0)
			return m;
	return 0;
}

void mmi_sampler_pick(mmi_sampler *s, uint32_t rows, uint32_t iteration, const float *const *observed, uint32_t *expert)
{
	for (uint32_t r = 0; r < rows; r++) {
		mmi_rng rng = { .key = s->key.pick, .sample = r, .iteration = iteration };
		uint32_t n = 0;
		for (uint32_t m = 0; observed && m < s->model->n_modalities; m++)
			n += observed[m][r] > 0;
		expert[r] = mmi_rng_below(rng, observed && n ? n : s->model->n_modalities);
		if (observed)
			expert[r] = nth_observed(s, observed, r, expert[r]);
	}
}

uint32_t mmi_sampler_subset(mmi_sampler *s, uint32_t row, uint32_t attempt, uint32_t iteration)
{
	uint32_t words[4];
	mmi_philox(s->key.subset, (const uint32_t[4]){ 0, row, attempt, iteration }, words);
	return words[0];
}

/* Chains count their steps from 0: the last number is free. */
mmi_rng mmi_sampler_noise(const mmi_sampler *s, uint32_t modality, uint32_t row, uint32_t iteration)
{
	return (mmi_rng){ .key = s->key.x[modality], .sample = row, .step = UINT32_MAX, .iteration = iteration };
}

uint32_t mmi_sampler_below(const mmi_sampler *s, uint32_t row, uint32_t what, uint32_t iteration, uint32_t n)
{
	return mmi_rng_below((mmi_rng){ .key = s->key.choice, .sample = row, .step = what, .iteration = iteration }, n);
}

double mmi_sampler_chance(const mmi_sampler *s, uint32_t row, uint32_t iteration)
{
	uint32_t words[4];
	mmi_philox(s->key.subset, (const uint32_t[4]){ 1, row, 0, iteration }, words);
	return (double)words[0] / 4294967296.0;
}

/* out = loc + temperature * scale * out. */
static void place(float *out, const float *loc, const float *scale, int32_t dim, double temperature)
{
	for (int32_t k = 0; k < dim; k++)
		out[k] = loc[k] + (float)temperature * scale[k] * out[k];
}

static void start_w(const mmi_sampler *s, const mmi_start_args *a, const mmi_experts *x, uint32_t rows, uint32_t m, float *w)
{
	int32_t dim = mmi_model_w_dim(s->model);
	for (uint32_t r = 0; r < rows; r++) {
		size_t at = r * (size_t)dim;
		bool known = !a->observed || a->observed[m][r] > 0;
		if (known && (!a->own || a->expert[r] == m))
			place(w + at, x->w_loc[m] + at, x->w_scale[m] + at, dim, a->temperature);
		else
			for (int32_t k = 0; !(a->temperature > 0) && k < dim; k++)
				w[at + (size_t)k] = 0;
	}
}

/* The product of the observed experts, and the prior where the fusion says so, at element k of a row: N(loc, scale). */
static void product(const mmi_sampler *s, const mmi_start_args *a, const mmi_experts *x, uint32_t row, size_t k, float *loc, float *scale)
{
	double precision = s->model->config.fusion == MMI_FUSION_PRODUCT_PRIOR ? 1 : 0, pulled = 0;
	for (uint32_t m = 0; m < s->model->n_modalities; m++) {
		if ((a->observed && !(a->observed[m][row] > 0)) || (a->single && m != a->expert[row]))
			continue;
		double own = 1 / ((double)x->scale[m][k] * (double)x->scale[m][k]);
		precision += own;
		pulled += own * (double)x->loc[m][k];
	}
	*loc = (float)(pulled / precision);
	*scale = (float)(1 / sqrt(precision));
}

static void start_product(const mmi_sampler *s, const mmi_start_args *a, const mmi_experts *x, uint32_t rows, float *z)
{
	size_t dim = (size_t)mmi_model_z_dim(s->model);
	float loc, scale;
	for (size_t k = 0; k < rows * dim; k++) {
		product(s, a, x, (uint32_t)(k / dim), k, &loc, &scale);
		place(z + k, &loc, &scale, 1, a->temperature);
	}
}

void mmi_sampler_start(mmi_sampler *s, const mmi_start_args *a, const mmi_experts *x, uint32_t rows, mmi_latents *out)
{
	int32_t dim = mmi_model_z_dim(s->model);
	mmi_fusion fusion = s->model->config.fusion;
	bool mixture = fusion == MMI_FUSION_MIXTURE || (fusion == MMI_FUSION_PRODUCT && a->single);
	mmi_sampler_standard(s, rows, a->chain, a->iteration, out);
	if (out->z && !mixture)
		start_product(s, a, x, rows, out->z);
	for (uint32_t r = 0; mixture && out->z && r < rows; r++) {
		size_t at = r * (size_t)dim;
		place(out->z + at, x->loc[a->expert[r]] + at, x->scale[a->expert[r]] + at, dim, a->temperature);
	}
	for (uint32_t m = 0; m < s->model->n_modalities && out->w[m]; m++)
		start_w(s, a, x, rows, m, out->w[m]);
}
