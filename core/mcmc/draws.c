/* draws.c - what a sampler draws: priors, starts of chains, experts. Every number is a function of seed, stream,
 * iteration, chain, row and element. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "mcmc/sampler_nets.h"

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
	s->key.prior = mmi_rng_key(seed, MMI_STREAM_PRIOR);
	s->key.prior_chain = mmi_rng_key(seed, MMI_STREAM_PRIOR_CHAIN);
	s->key.cluster = mmi_rng_key(seed, MMI_STREAM_CLUSTER);
	s->key.draw = mmi_rng_key(seed, MMI_STREAM_DRAW);
	s->key.pick = mmi_rng_key(seed, MMI_STREAM_PICK);
	s->key.subset = mmi_rng_key(seed, MMI_STREAM_SUBSET);
	s->key.choice = mmi_rng_key(seed, MMI_STREAM_CHOICE);
	s->key.candidate = mmi_rng_key(seed, MMI_STREAM_CANDIDATE);
	s->key.z = mmi_rng_key(seed, MMI_STREAM_CHAIN_Z);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		const mmi_modality *m = &s->model->modalities[i];
		s->key.prior_w[i] = key_of(seed, MMI_STREAM_PRIOR_W, m);
		s->key.cluster_w[i] = key_of(seed, MMI_STREAM_CLUSTER_W, m);
		s->key.draw_w[i] = key_of(seed, MMI_STREAM_DRAW_W, m);
		s->key.w[i] = key_of(seed, MMI_STREAM_CHAIN_W, m);
		s->key.x[i] = key_of(seed, MMI_STREAM_CHAIN_X, m);
	}
}

static void draw(const mmi_sampler *s, mmi_floats out, mmi_span span, int32_t dim, mmi_prior family, mmi_rng rng)
{
	const mmi_device *d = s->model->device;
	const mmi_draw_kind kind = family == MMI_PRIOR_LAPLACE ? MMI_DRAW_LAPLACE : MMI_DRAW_NORMAL;
	const mmi_draw a = { .out = out, .rows = span.rows, .count = (size_t)dim, .kind = kind, .rng = rng };
	if (out.at)
		d->rows->draw(d, &a);
}

void mmi_run_standard(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, const mmi_device_latents *eps)
{
	const mmi_prior family = s->model->config.prior;
	mmi_rng rng = { .key = s->key.draw, .sample = span.first, .step = chain, .iteration = iteration };
	draw(s, eps->z, span, mmi_model_z_dim(s->model), family, rng);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		rng.key = s->key.draw_w[i];
		draw(s, eps->w[i], span, mmi_model_w_dim(s->model), family, rng);
	}
}

/* Of clusters, where there are some, else standard ones. rng: of the draws; choice: of the clusters. */
static void draw_prior(const mmi_sampler *s, mmi_floats out, mmi_span span, int32_t dim, const mmi_clusters *c,
                       mmi_rng rng, uint64_t choice)
{
	const mmi_device *d = s->model->device;
	mmi_mix mix = { .out = out,
		            .rows = span.rows,
		            .n = c->n,
		            .dim = c->dim,
		            .log_weight = c->log_weight,
		            .loc = c->loc,
		            .scale = c->scale,
		            .full = c->full,
		            .rng = rng };
	draw(s, out, span, dim, c->n ? c->family : s->model->config.prior, rng);
	mix.rng.key = choice;
	if (c->n && out.at)
		d->rows->mix(d, &mix);
}

void mmi_run_prior(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, const mmi_device_latents *z)
{
	const mmi_clusters own = mmi_model_clusters(s->model), *of_z = s->fitted.z.n ? &s->fitted.z : &own;
	mmi_rng rng = { .key = s->key.prior, .sample = span.first, .step = chain, .iteration = iteration };
	draw_prior(s, z->z, span, mmi_model_z_dim(s->model), of_z, rng, s->key.cluster);
	if (s->model->config.latent_energy && !of_z->n)
		mmi_run_prior_chain(s, span, chain, iteration, z->z);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		rng.key = s->key.prior_w[i];
		draw_prior(s, z->w[i], span, mmi_model_w_dim(s->model), &s->fitted.w[i], rng, s->key.cluster_w[i]);
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

void mmi_sampler_pick(mmi_sampler *s, mmi_span span, uint32_t iteration, const float *const *observed, uint32_t *expert)
{
	for (uint32_t r = 0; r < span.rows; r++) {
		mmi_rng rng = { .key = s->key.pick, .sample = span.first + r, .iteration = iteration };
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
	mmi_philox(s->key.subset, (const uint32_t[4]){ MMI_SUBSET_BITS, row, attempt, iteration }, words);
	return words[0];
}

uint32_t mmi_sampler_below(const mmi_sampler *s, uint32_t row, uint32_t what, uint32_t iteration, uint32_t n)
{
	return mmi_rng_below((mmi_rng){ .key = s->key.choice, .sample = row, .step = what, .iteration = iteration }, n);
}

double mmi_sampler_chance(const mmi_sampler *s, uint32_t row, uint32_t iteration)
{
	uint32_t words[4];
	mmi_philox(s->key.subset, (const uint32_t[4]){ MMI_SUBSET_CHANCE, row, 0, iteration }, words);
	return (double)words[0] / 4294967296.0;
}

static void noise(mmi_sampler *s, uint32_t m, mmi_span span, uint32_t iteration, mmi_floats x)
{
	const mmi_device *d = s->model->device;
	const mmi_modality *modality = &s->model->modalities[m];
	const mm_modality_info *info = &modality->info;
	const size_t count = (size_t)modality->count, last = (size_t)info->shape.dim[info->shape.rank - 1];
	const mmi_draw a = {
		.out = x,
		.rows = span.rows,
		.count = count,
		.lo = info->lo,
		.hi = info->hi,
		.kind = info->support == MM_SUPPORT_REAL ? MMI_DRAW_NORMAL : MMI_DRAW_UNIFORM,
		.rng = { .key = s->key.x[m], .sample = span.first, .step = MMI_STEP_START_NOISE, .iteration = iteration }
	};
	d->rows->draw(d, &a);
	if (info->support == MM_SUPPORT_SIMPLEX)
		d->rows->simplex(d, x, span.rows * count / last, last);
}

void mmi_run_noise(mmi_sampler *s, mmi_span span, uint32_t iteration, const mmi_device_rows *x)
{
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		noise(s, m, span, iteration, x->x[m]);
}

/* Of z: by the model's fusion of experts, which a single expert takes no part in but for the prior's. */
static mmi_placing placing_of_z(const mmi_sampler *s, const mmi_start_args *a)
{
	static const mmi_place_kind kinds[] = {
		[MMI_FUSION_MIXTURE] = MMI_PLACE_EXPERT,        [MMI_FUSION_PRODUCT] = MMI_PLACE_PRODUCT,
		[MMI_FUSION_PRODUCT_PRIOR] = MMI_PLACE_PRODUCT, [MMI_FUSION_HELLINGER] = MMI_PLACE_HELLINGER,
		[MMI_FUSION_BARYCENTRE] = MMI_PLACE_BARYCENTRE, [MMI_FUSION_CONSENSUS] = MMI_PLACE_CONSENSUS,
	};
	const mmi_fusion fusion = s->model->config.fusion;
	const bool prior = fusion == MMI_FUSION_PRODUCT_PRIOR;
	return (mmi_placing){ .kind = a->single && !prior ? MMI_PLACE_EXPERT : kinds[fusion],
		                  .single = a->single,
		                  .prior = prior,
		                  .correlation = s->model->config.correlation,
		                  .dim = (size_t)mmi_model_z_dim(s->model) };
}

static void take_experts(mmi_placing *z, const mmi_sampler *s, const mmi_parts *parts, const mmi_device_experts *x)
{
	z->n = s->model->n_modalities;
	z->expert = parts->expert;
	for (uint32_t m = 0; m < z->n; m++) {
		z->observed[m] = parts->observed[m];
		z->loc[m] = x->loc[m];
		z->scale[m] = x->scale[m];
	}
}

void mmi_run_fuse(mmi_sampler *s, const mmi_parts *parts, const mmi_device_experts *x, uint32_t rows, mmi_floats points)
{
	const mmi_device *d = s->model->device;
	mmi_placing z = placing_of_z(s, &(mmi_start_args){ .single = false });
	z.rows = rows;
	z.temperature = 1;
	z.out = points;
	take_experts(&z, s, parts, x);
	d->rows->place(d, &z);
}

void mmi_run_start(mmi_sampler *s, const mmi_start_args *a, const mmi_parts *parts, const mmi_device_experts *x,
                   mmi_span span, const mmi_device_latents *out)
{
	const mmi_device *d = s->model->device;
	const uint32_t n = s->model->n_modalities;
	mmi_placing z = placing_of_z(s, a),
				w = { .kind = MMI_PLACE_OWN, .single = a->own, .dim = (size_t)mmi_model_w_dim(s->model) };
	z.rows = w.rows = span.rows;
	z.temperature = w.temperature = a->temperature;
	take_experts(&z, s, parts, x);
	take_experts(&w, s, parts, x);
	for (uint32_t m = 0; m < n; m++) {
		w.loc[m] = x->w_loc[m];
		w.scale[m] = x->w_scale[m];
	}
	mmi_run_standard(s, span, a->chain, a->iteration, out);
	z.out = out->z;
	if (z.out.at)
		d->rows->place(d, &z);
	for (w.own = 0; w.own < n && out->w[w.own].at; w.own++) {
		w.out = out->w[w.own];
		d->rows->place(d, &w);
	}
}
