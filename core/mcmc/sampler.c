/* sampler.c - a sampler's life, and rows shared out in chunks. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "mcmc/sampler_nets.h"

#include <math.h>

/* ------------------------------------------------------------ life */

uint32_t mmi_chunk_for(uint32_t batch, uint32_t wanted)
{
	for (uint32_t chunk = wanted < batch ? wanted : batch; chunk > 1; chunk--)
		if (batch % chunk == 0)
			return chunk;
	return 1;
}

uint32_t mmi_whole_chunks(uint32_t rows, uint32_t chunk)
{
	return (rows + chunk - 1) / chunk * chunk;
}

/* Floats of the largest modality. */
static size_t largest(const mmi_model *m)
{
	int64_t most = 0;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		most = m->modalities[i].count > most ? m->modalities[i].count : most;
	return (size_t)most;
}

/* Every float of a mirror. */
static void fill(const mmi_device *d, const mmi_mirror *m, float value)
{
	float *x = m->host;
	for (size_t i = 0; i < m->bytes / sizeof *x; i++)
		x[i] = value;
	mmi_mirror_push(d, m);
}

static mm_status prepare(mmi_sampler *s, mm_error *e)
{
	const mmi_device *d = s->model->device;
	const size_t chunk = s->config.chunk, rows = s->config.max_rows;
	MMI_TRY(mmi_sampler_record_prior(s, e));
	MMI_TRY(mmi_sampler_prepare(s, s->config.nets, e));
	MMI_TRY(mmi_mirror_create(d, (rows / chunk + 1) * sizeof(mmi_chain_stats), &s->chunk_stats, e));
	MMI_TRY(mmi_mirror_create(d, chunk * sizeof(float), &s->ones, e));
	MMI_TRY(mmi_mirror_create(d, chunk * sizeof(float), &s->weight, e));
	MMI_TRY(mmi_mirror_create(d, mmi_fits_bytes(s->config.max_rows), &s->fits, e));
	s->zeros = mmi_floats_alloc(d, chunk);
	s->nothing = mmi_floats_alloc(d, chunk * largest(s->model));
	s->screened = mmi_floats_alloc(d, rows);
	s->score.at = d->ops->alloc(d, rows * sizeof *s->score.at);
	s->taken.at = d->ops->alloc(d, rows);
	s->passage = d->ops->direct ? NULL : d->ops->alloc(d, mmi_passage_bytes(s->model, s->config.max_rows));
	if (!s->zeros.at || !s->nothing.at || !s->screened.at || !s->score.at || !s->taken.at ||
	    (!s->passage && !d->ops->direct))
		return mmi_fail(e, MM_ENOMEM, "out of memory for the chains of %u samples", s->config.max_rows);
	fill(d, &s->ones, 1);
	return mmi_device_latents_create(s->model, rows, &s->candidate, e);
}

mm_status mmi_sampler_create(const mmi_model *model, mmi_pool *pool, const mmi_sampler_config *config,
                             mmi_sampler **out, mm_error *e)
{
	mmi_sampler *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sampler");
	s->model = model;
	s->pool = pool;
	s->config = *config;
	mm_status status = prepare(s, e);
	if (status != MM_OK) {
		mmi_sampler_destroy(s);
		return status;
	}
	mmi_sampler_reseed(s, 0);
	*out = s;
	return MM_OK;
}

void mmi_sampler_destroy(mmi_sampler *s)
{
	if (!s)
		return;
	const mmi_device *d = s->model->device;
	mmi_network_clear(&s->encode.net);
	mmi_network_clear(&s->decode.net);
	mmi_network_clear(&s->posterior.net);
	mmi_network_clear(&s->potential.net);
	mmi_network_clear(&s->prior.net);
	for (int k = 0; k < MMI_TERM_SETS; k++) {
		mmi_network_clear(&s->guide[k].net);
		mmi_network_clear(&s->screen[k].net);
		mmi_network_clear(&s->fit[k].net);
	}
	mmi_network_clear(&s->revise.net);
	mmi_network_clear(&s->energy.net);
	mmi_network_clear(&s->embed.net);
	mmi_mirror_clear(d, &s->chunk_stats);
	mmi_mirror_clear(d, &s->ones);
	mmi_mirror_clear(d, &s->weight);
	mmi_mirror_clear(d, &s->fits);
	mmi_floats_release(d, &s->zeros);
	mmi_floats_release(d, &s->nothing);
	mmi_floats_release(d, &s->screened);
	d->ops->release(d, s->score.at);
	d->ops->release(d, s->taken.at);
	d->ops->release(d, s->passage);
	mmi_device_latents_clear(s->model, &s->candidate);
	mmi_free(s);
}

void mmi_sampler_use_prior(mmi_sampler *s, const mmi_fitted_prior *fitted)
{
	static const mmi_fitted_prior none = { .z = { .n = 0 } };
	s->fitted = fitted ? *fitted : none;
}

void mmi_sampler_expect_watch(mmi_sampler *s)
{
	s->watched = true;
}

uint32_t mmi_sampler_chunk(const mmi_sampler *s)
{
	return s->config.chunk;
}

uint32_t mmi_sampler_program_rows(const mmi_sampler *s, mmi_sampler_part part)
{
	return part == MMI_SAMPLER_REVISE ? s->revise.rows : s->config.chunk;
}

mmi_program *mmi_sampler_program(const mmi_sampler *s, mmi_sampler_part part)
{
	const mmi_network *networks[] = { &s->encode.net, &s->decode.net, &s->posterior.net, &s->revise.net,
		                              &s->energy.net };
	return networks[part]->programs[0];
}

mm_tensor mmi_sampler_energy_tensor(const mmi_sampler *s, mmi_sampler_part part)
{
	return part == MMI_SAMPLER_POSTERIOR ? s->posterior.u
	       : part == MMI_SAMPLER_REVISE  ? s->revise.energy
	                                     : s->energy.energy;
}

mm_tensor mmi_sampler_guide_tensor(const mmi_sampler *s, uint32_t terms)
{
	return s->guide[terms].u;
}

/* ------------------------------------------------------------ rows in chunks */

/* One call of the functions below, as the tasks see it. */
typedef struct mmi_rows_job {
	mmi_sampler *s;
	const mmi_device_rows *x, *out;
	const mmi_parts *parts;
	const mmi_device_experts *experts;
	const mmi_device_latents *z;
	const mmi_device_energies *energies;
	mmi_floats energy, scale;
	uint32_t terms;
	const mmi_chain *chain;
	mmi_floats state[MMI_MAX_STATES], start[MMI_MAX_STATES];
	mmi_bytes held[MMI_MAX_STATES];
	mmi_span span;   /* of one chain */
	uint32_t number; /* of row 0 of the whole batch in the noise */
	mmi_chain_watch *watch;
	void *watch_ctx;
} mmi_rows_job;

static void bind_rows(const mmi_sampler *s, mmi_program *p, const mm_tensor *inputs, const mmi_device_rows *x,
                      size_t row)
{
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		mmi_program_bind(p, inputs[i], mmi_floats_at(x->x[i], row * (size_t)s->model->modalities[i].count));
}

static void copy_rows(const mmi_program *p, mm_tensor from, mmi_floats to, size_t row, size_t n, size_t count)
{
	if (to.at)
		mmi_floats_copy(mmi_program_device(p), mmi_floats_at(to, row * count), mmi_program_data(p, from), n * count);
}

static void encode_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_encode_net *n = &j->s->encode;
	const mmi_device_experts *to = j->experts;
	size_t size = j->s->config.chunk, row = chunk * size;
	size_t z = (size_t)mmi_model_z_dim(j->s->model), w = (size_t)mmi_model_w_dim(j->s->model);
	mmi_program *p = n->net.programs[worker];
	bind_rows(j->s, p, n->x, j->x, row);
	mmi_program_run(p);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++) {
		copy_rows(p, n->expert[i].loc, to->loc[i], row, size, z);
		copy_rows(p, n->expert[i].scale, to->scale[i], row, size, z);
		copy_rows(p, n->expert[i].w_loc, to->w_loc[i], row, size, w);
		copy_rows(p, n->expert[i].w_scale, to->w_scale[i], row, size, w);
	}
}

void mmi_run_encode(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_experts *out)
{
	mmi_rows_job j = { .s = s, .x = x, .experts = out };
	mmi_pool_run(s->pool, rows / s->config.chunk, encode_chunk, &j);
}

static void bind_latents(const mmi_rows_job *j, mmi_program *p, const mmi_place *place, size_t row)
{
	const mmi_device_latents at = mmi_device_latents_at(j->s->model, j->z, row);
	if (at.z.at)
		mmi_program_bind(p, place->z, at.z);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++)
		if (at.w[i].at)
			mmi_program_bind(p, place->w[i], at.w[i]);
}

static void decode_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_decode_net *n = &j->s->decode;
	const mmi_model *m = j->s->model;
	size_t size = j->s->config.chunk, row = chunk * size;
	mmi_program *p = n->net.programs[worker];
	bind_latents(j, p, &n->place, row);
	mmi_program_run(p);
	for (uint32_t i = 0; i < m->n_modalities; i++)
		copy_rows(p, n->mean[i], j->out->x[i], row, size, (size_t)m->modalities[i].count);
}

void mmi_run_decode(mmi_sampler *s, const mmi_device_latents *z, uint32_t rows, const mmi_device_rows *mean)
{
	mmi_rows_job j = { .s = s, .z = z, .out = mean };
	mmi_pool_run(s->pool, rows / s->config.chunk, decode_chunk, &j);
}

static void energy_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_energy_net *n = &j->s->energy;
	size_t size = j->s->config.chunk;
	mmi_program *p = n->net.programs[worker];
	bind_rows(j->s, p, n->x, j->x, chunk * size);
	mmi_program_run(p);
	copy_rows(p, n->energy, j->energies->joint, chunk * size, size, 1);
	for (int k = 0; k < MMI_TERMS; k++)
		if (n->term[k] != MMI_NONE)
			copy_rows(p, n->term[k], j->energies->term[k], chunk * size, size, 1);
}

void mmi_run_energies(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_energies *out)
{
	mmi_rows_job j = { .s = s, .x = x, .energies = out };
	mmi_pool_run(s->pool, rows / s->config.chunk, energy_chunk, &j);
}

static void fit_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_fit_net *n = &j->s->fit[j->terms];
	size_t size = j->s->config.chunk, row = chunk * size;
	mmi_program *p = n->net.programs[worker];
	bind_rows(j->s, p, n->x, j->x, row);
	mmi_program_run(p);
	copy_rows(p, n->energy, j->energy, row, size, 1);
}

void mmi_run_fit(mmi_sampler *s, uint32_t terms, const mmi_device_rows *x, uint32_t rows, mmi_floats energy)
{
	mmi_rows_job j = { .s = s, .terms = terms, .x = x, .energy = energy };
	mmi_pool_run(s->pool, rows / s->config.chunk, fit_chunk, &j);
}

static void embed_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_embed_net *n = &j->s->embed;
	size_t size = j->s->config.chunk, row = chunk * size;
	mmi_program *p = n->net.programs[worker];
	bind_rows(j->s, p, n->x, j->x, row);
	mmi_program_run(p);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++)
		copy_rows(p, n->unit[i], j->out->x[i], row, size, MMI_MATCH_DIM);
	copy_rows(p, n->scale, j->scale, row, size, 1);
}

void mmi_run_embed(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_rows *unit,
                   mmi_floats scale)
{
	mmi_rows_job j = { .s = s, .x = x, .out = unit, .scale = scale };
	mmi_pool_run(s->pool, rows / s->config.chunk, embed_chunk, &j);
}

/* ------------------------------------------------------------ chains */

static mmi_chain_sums sums_of(const mmi_sampler *s, uint32_t chunk)
{
	return (mmi_chain_sums){ (mmi_chain_stats *)s->chunk_stats.device + chunk };
}

static void run_rows(const mmi_rows_job *j, mmi_program *p, uint32_t row, uint32_t n, mmi_chain_sums sums)
{
	const uint32_t of_chain = row % j->span.rows;
	const uint32_t number = j->number + row / j->span.rows * j->span.of + j->span.first + of_chain;
	mmi_chain_rows rows = { .n = n, .first = number, .sums = sums };
	for (uint32_t i = 0; i < j->chain->n_states; i++) {
		size_t offset = (size_t)row * (size_t)j->chain->count[i];
		rows.state[i] = mmi_floats_at(j->state[i], offset);
		rows.start[i] = mmi_floats_at(j->start[i], offset);
		rows.held[i].at = j->held[i].at ? j->held[i].at + row : NULL;
	}
	mmi_chain_run(j->chain, p, &rows, row == 0 ? j->watch : NULL, j->watch_ctx);
}

static void run_chain(const mmi_rows_job *j, mmi_program *p, uint32_t chunk)
{
	run_rows(j, p, chunk * j->s->config.chunk, j->s->config.chunk, sums_of(j->s, chunk));
}

static void sum_stats(const mmi_sampler *s, uint32_t chunks, mmi_chain_stats *stats)
{
	const mmi_chain_stats *part = s->chunk_stats.host;
	if (!stats)
		return;
	mmi_mirror_pull(s->model->device, &s->chunk_stats, chunks * sizeof *part);
	*stats = (mmi_chain_stats){ 0 };
	for (uint32_t c = 0; c < chunks; c++)
		mmi_chain_stats_add(stats, &part[c]);
}

mmi_chain_sums mmi_sampler_chunk_stats(const mmi_sampler *s)
{
	return sums_of(s, 0);
}

/* A chain of which nobody asked for all networks has no steps. */
static bool has_nets(const mmi_sampler *s, uint32_t nets, mmi_chain_stats *stats)
{
	if (stats)
		*stats = (mmi_chain_stats){ 0 };
	return (s->nets & nets) == nets;
}

/* What is observed. Chains of all experts follow one another; each sees the same rows of x. */
static void bind_posterior(const mmi_rows_job *j, mmi_program *p, const mmi_posterior_net *n, size_t row)
{
	bind_rows(j->s, p, n->x, j->x, row % j->span.rows);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++) {
		const mmi_floats observed = j->parts->observed[i], ones = { j->s->ones.device };
		mmi_program_bind(p, n->observed[i], observed.at ? mmi_floats_at(observed, row) : ones);
	}
}

static void posterior_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	mmi_program *p = j->s->posterior.net.programs[worker];
	bind_posterior(j, p, &j->s->posterior, (size_t)chunk * j->s->config.chunk);
	run_chain(j, p, chunk);
}

static void potential_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_posterior_net *n = &j->s->potential;
	mmi_program *p = n->net.programs[worker];
	size_t row = (size_t)chunk * j->s->config.chunk;
	bind_posterior(j, p, n, row);
	bind_latents(j, p, &n->place, row);
	run_chain(j, p, chunk);
}

/* The states of a chain over latents: z and the w. */
static void set_latents(mmi_sampler *s, mmi_chain *c, mmi_rows_job *j, const mmi_place *place, const mmi_place *grad,
                        const mmi_device_latents *z, const mmi_device_latents *start)
{
	static const mmi_device_latents none = { .z = { NULL } };
	if (!start)
		start = &none;
	if (z->z.at) {
		j->state[0] = z->z;
		j->start[0] = start->z;
		c->state[0] = place->z;
		c->grad[0] = grad->z;
		c->count[0] = mmi_model_z_dim(s->model);
		c->key[0] = s->key.z;
		c->n_states = 1;
	}
	for (uint32_t m = 0; m < s->model->n_modalities && z->w[m].at; m++) {
		uint32_t i = c->n_states++;
		j->state[i] = z->w[m];
		j->start[i] = start->w[m];
		j->held[i] = j->parts->held[m];
		c->state[i] = place->w[m];
		c->grad[i] = grad->w[m];
		c->count[i] = mmi_model_w_dim(s->model);
		c->key[i] = s->key.w[m];
	}
}

static void set_steps(mmi_chain *c, double drift, double noise)
{
	for (uint32_t i = 0; i < c->n_states; i++) {
		c->unit[i] = c->weight[i] = 1;
		c->update[i] = (mmi_langevin){ (float)drift, (float)noise, -INFINITY, INFINITY };
	}
}

void mmi_run_posterior(mmi_sampler *s, const mmi_posterior_args *a, const mmi_parts *parts, const mmi_device_rows *x,
                       mmi_span span, uint32_t n_chains, const mmi_device_latents *z, const mmi_device_latents *start,
                       mmi_chain_stats *stats)
{
	const uint32_t chunks = span.rows * n_chains / s->config.chunk;
	const mmi_posterior_net *n = &s->posterior;
	mmi_chain chain = { .energy = n->u, .steps = a->steps, .iteration = a->iteration };
	mmi_rows_job j = {
		.s = s, .x = x, .parts = parts, .chain = &chain, .span = span, .watch = a->watch, .watch_ctx = a->watch_ctx
	};
	if (!has_nets(s, MMI_NET_POSTERIOR, stats))
		return;
	set_latents(s, &chain, &j, &n->place, &n->grad, z, start);
	set_steps(&chain, 0.5 * a->step * a->step * a->grad_scale, a->noise);
	mmi_pool_run(s->pool, chunks, posterior_chunk, &j);
	sum_stats(s, chunks, stats);
}

void mmi_run_potential(mmi_sampler *s, const mmi_parts *parts, const mmi_device_rows *x, uint32_t rows,
                       uint32_t n_chains, const mmi_device_latents *z, mmi_chain_stats *stats)
{
	/* One step of a chain that moves nothing. */
	const mmi_chain chain = { .energy = s->potential.u, .steps = 1 };
	mmi_rows_job j = { .s = s, .x = x, .parts = parts, .z = z, .chain = &chain, .span = mmi_whole(rows) };
	mmi_pool_run(s->pool, rows * n_chains / s->config.chunk, potential_chunk, &j);
	sum_stats(s, rows * n_chains / s->config.chunk, stats);
}

static void prior_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	run_chain(j, j->s->prior.net.programs[worker], chunk);
}

void mmi_run_prior_chain(mmi_sampler *s, mmi_span span, uint32_t number, uint32_t iteration, mmi_floats z)
{
	const mmi_model_config *c = &s->model->config;
	mmi_chain chain = { .n_states = 1,
		                .energy = s->prior.u,
		                .state = { s->prior.place.z },
		                .grad = { s->prior.grad.z },
		                .count = { mmi_model_z_dim(s->model) },
		                .key = { s->key.prior_chain },
		                .steps = c->prior_steps,
		                .iteration = iteration };
	mmi_rows_job j = { .s = s, .chain = &chain, .state = { z }, .span = span, .number = number * span.of };
	set_steps(&chain, 0.5 * c->prior_step * c->prior_step, c->prior_step);
	mmi_pool_run(s->pool, span.rows / s->config.chunk, prior_chunk, &j);
}

/* What is given, or nothing. */
static void bind_given(const mmi_rows_job *j, mmi_program *p, const mm_tensor *x, const mm_tensor *observed, size_t row)
{
	const mmi_sampler *s = j->s;
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		mmi_program_bind(p, x[i],
		                 j->x ? mmi_floats_at(j->x->x[i], row * (size_t)s->model->modalities[i].count) : s->nothing);
		mmi_program_bind(p, observed[i], j->x ? mmi_floats_at(j->parts->observed[i], row) : s->zeros);
	}
}

static void screen_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_screen_net *n = &j->s->screen[j->terms];
	mmi_program *p = n->net.programs[worker];
	size_t size = j->s->config.chunk, row = chunk * size;
	bind_given(j, p, n->x, n->observed, row);
	bind_latents(j, p, &n->place, row);
	mmi_program_run(p);
	copy_rows(p, n->energy, j->energy, row, size, 1);
}

void mmi_run_screen(mmi_sampler *s, uint32_t terms, const mmi_parts *parts, const mmi_device_rows *x, uint32_t rows,
                    const mmi_device_latents *z, mmi_floats energy)
{
	mmi_rows_job j = { .s = s, .terms = terms, .x = x, .parts = parts, .z = z, .energy = energy };
	mmi_pool_run(s->pool, rows / s->config.chunk, screen_chunk, &j);
}

static void guide_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_guide_net *n = &j->s->guide[j->terms];
	mmi_program *p = n->net.programs[worker];
	bind_given(j, p, n->x, n->observed, (size_t)chunk * j->s->config.chunk);
	mmi_program_bind(p, n->weight, (mmi_floats){ j->s->weight.device });
	run_chain(j, p, chunk);
}

void mmi_run_guide(mmi_sampler *s, const mmi_guide_args *a, const mmi_parts *parts, const mmi_device_rows *x,
                   mmi_span span, const mmi_device_latents *z, const mmi_device_latents *start, mmi_chain_stats *stats)
{
	const mmi_guide_net *n = &s->guide[a->terms];
	mmi_chain chain = { .energy = n->u, .steps = a->steps, .iteration = a->iteration };
	mmi_rows_job j = { .s = s,
		               .terms = a->terms,
		               .x = x,
		               .parts = parts,
		               .chain = &chain,
		               .span = span,
		               .number = MMI_ROWS_GUIDE,
		               .watch = a->watch,
		               .watch_ctx = a->watch_ctx };
	if (!has_nets(s, MMI_NET_GUIDE(a->terms), stats))
		return;
	set_latents(s, &chain, &j, &n->place, &n->grad, z, start);
	set_steps(&chain, 0.5 * a->step * a->step, a->noise);
	fill(s->model->device, &s->weight, (float)a->weight);
	mmi_pool_run(s->pool, span.rows / s->config.chunk, guide_chunk, &j);
	sum_stats(s, span.rows / s->config.chunk, stats);
}

static void revise_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const uint32_t size = j->s->config.chunk, part = j->s->revise.rows;
	mmi_program *p = j->s->revise.net.programs[worker];
	if (part == size) {
		run_chain(j, p, chunk);
		return;
	}
	/* Only of the host, whose sums are at hand. */
	mmi_chain_stats *sum = sums_of(j->s, chunk).at, of_part;
	*sum = (mmi_chain_stats){ 0 };
	for (uint32_t row = 0; row < size; row += part) {
		run_rows(j, p, chunk * size + row, part, (mmi_chain_sums){ &of_part });
		mmi_chain_stats_add(sum, &of_part);
	}
}

static void revise_update(const mmi_modality *m, const mmi_revise_args *a, mmi_langevin *update, float *unit)
{
	double s = a->step * m->x_scale;
	bool box = m->info.support == MM_SUPPORT_BOX;
	*update = (mmi_langevin){ (float)(0.5 * s * s), (float)(a->noise * m->x_scale), -INFINITY, INFINITY };
	if (box && a->clamp) {
		update->lo = m->info.lo;
		update->hi = m->info.hi;
	}
	*unit = box ? m->info.hi - m->info.lo : 1;
}

/* One state of a data chain. */
static void set_modality(mmi_sampler *s, const mmi_revise_args *a, mmi_chain *c, uint32_t i)
{
	const mmi_modality *m = &s->model->modalities[i];
	c->state[i] = s->revise.x[i];
	c->grad[i] = s->revise.dx[i];
	c->count[i] = m->count;
	c->key[i] = s->key.x[i];
	c->weight[i] = (float)(m->x_scale * m->x_scale);
	revise_update(m, a, &c->update[i], &c->unit[i]);
	if (m->info.support == MM_SUPPORT_SIMPLEX && (a->step > 0 || a->noise > 0))
		c->simplex[i] = m->info.shape.dim[m->info.shape.rank - 1];
}

void mmi_run_revise(mmi_sampler *s, const mmi_revise_args *a, const mmi_parts *parts, const mmi_device_rows *x,
                    const mmi_device_rows *start, mmi_span span, mmi_chain_stats *stats)
{
	mmi_chain chain = { .n_states = s->model->n_modalities,
		                .energy = s->revise.energy,
		                .steps = a->steps,
		                .iteration = a->iteration,
		                .move_max = (float)a->move_max };
	mmi_rows_job j = { .s = s, .chain = &chain, .span = span, .number = a->number, .watch_ctx = a->watch_ctx };
	j.watch = s->revise.rows == s->config.chunk ? a->watch : NULL; /* it reads a chunk's rows */
	s->stayed = 0;
	if (!has_nets(s, mmi_revise_nets(a), stats))
		return;
	for (uint32_t i = 0; i < chain.n_states; i++) {
		set_modality(s, a, &chain, i);
		j.state[i] = x->x[i];
		j.start[i] = start ? start->x[i] : (mmi_floats){ NULL };
		j.held[i] = parts->held[i];
	}
	mmi_pool_run(s->pool, span.rows / s->config.chunk, revise_chunk, &j);
	sum_stats(s, span.rows / s->config.chunk, stats);
	if (a->rise_max > 0 && a->steps && start && s->fit[a->rise_terms].net.programs)
		mmi_run_bound(s, a, x, start, span.rows);
}
