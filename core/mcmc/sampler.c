/* sampler.c - networks of the chains, and rows shared out in chunks. */
#include "config.h"

#include "mcmc/sampler.h"

#include <math.h>
#include <string.h>

typedef struct mmi_encode_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES];
	mmi_expert expert[MMI_MAX_MODALITIES];
} mmi_encode_net;

typedef struct mmi_decode_net {
	mmi_network net;
	mm_tensor z, mean[MMI_MAX_MODALITIES];
} mmi_decode_net;

typedef struct mmi_posterior_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], z, u, dz;
} mmi_posterior_net;

typedef struct mmi_energy_net {
	mmi_network net;
	mm_tensor x[MMI_MAX_MODALITIES], energy, dx[MMI_MAX_MODALITIES];
} mmi_energy_net;

struct mmi_sampler {
	const mmi_model *model;
	mmi_pool *pool;
	mmi_sampler_config config;
	mmi_encode_net encode;
	mmi_decode_net decode;
	mmi_posterior_net posterior;
	mmi_energy_net revise, energy;
	mmi_chain_stats *chunk_stats; /* one per chunk: summed in order */
	uint64_t key_prior, key_draw, key_pick, key_z, key_x[MMI_MAX_MODALITIES];
};

/* ------------------------------------------------------------ recording */

static void record_inputs(const mmi_model *m, mmi_graph *g, mm_tensor *x)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		x[i] = mmi_input(g, m->modalities[i].name, m->modalities[i].info.shape);
}

static mm_status compile(mmi_sampler *s, mmi_network *net, const mm_tensor *outputs, uint32_t n, mm_error *e)
{
	return mmi_network_compile(net, s->config.backend, outputs, n, s->config.chunk, mmi_pool_threads(s->pool), e);
}

static mm_status record_encode(mmi_sampler *s, mm_error *e)
{
	mmi_encode_net *n = &s->encode;
	mm_tensor outputs[2 * MMI_MAX_MODALITIES];
	MMI_TRY(mmi_network_open(&n->net, e));
	record_inputs(s->model, n->net.graph, n->x);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		MMI_TRY(mmi_model_encode(s->model, i, n->net.graph, n->x[i], &n->expert[i], e));
		outputs[2 * i] = n->expert[i].loc;
		outputs[2 * i + 1] = n->expert[i].scale;
	}
	return compile(s, &n->net, outputs, 2 * s->model->n_modalities, e);
}

static mm_tensor input_z(const mmi_sampler *s, mmi_graph *g)
{
	return mmi_input(g, "z", mmi_shape(1, (int)s->model->config.latent_dim));
}

static mm_status record_decode(mmi_sampler *s, mm_error *e)
{
	mmi_decode_net *n = &s->decode;
	MMI_TRY(mmi_network_open(&n->net, e));
	n->z = input_z(s, n->net.graph);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(s->model, i, n->net.graph, n->z, &decoded, e));
		n->mean[i] = mmi_model_mean(s->model, i, n->net.graph, decoded);
	}
	return compile(s, &n->net, n->mean, s->model->n_modalities, e);
}

/* U(z) = sum_m weight_m NLL_m(x_m | z) - log p0(z), and its gradient to z alone. */
static mm_status record_posterior(mmi_sampler *s, mm_error *e)
{
	mmi_posterior_net *n = &s->posterior;
	MMI_TRY(mmi_network_open(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	n->z = input_z(s, g);
	n->u = mmi_graph_ops.affine(g, mmi_model_log_prior(s->model, g, n->z), -1, 0);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(s->model, i, g, n->z, &decoded, e));
		n->u = mmi_graph_ops.add(g, n->u, mmi_model_nll(s->model, i, g, n->x[i], decoded));
	}
	mmi_grad_request r = { .loss = n->u, .seed = mmi_const(g, mmi_shape(0), 1), .wrt = &n->z, .n_wrt = 1, .grads = &n->dz };
	MMI_TRY(mmi_graph_grad(g, &r, e));
	return compile(s, &n->net, (mm_tensor[]){ n->u, n->dz }, 2, e);
}

/* E(x) and, for chains, its gradient to every x_m. */
static mm_status record_energy(mmi_sampler *s, mmi_energy_net *n, bool gradient, mm_error *e)
{
	mm_tensor outputs[MMI_MAX_MODALITIES + 1];
	uint32_t count = s->model->n_modalities;
	MMI_TRY(mmi_network_open(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	MMI_TRY(mmi_model_energy(s->model, g, n->x, &n->energy, e));
	outputs[0] = n->energy;
	if (gradient) {
		mmi_grad_request r = { .loss = n->energy, .seed = mmi_const(g, mmi_shape(0), 1), .wrt = n->x, .n_wrt = count, .grads = n->dx };
		MMI_TRY(mmi_graph_grad(g, &r, e));
		memcpy(outputs + 1, n->dx, count * sizeof *outputs);
	}
	return compile(s, &n->net, outputs, gradient ? 1 + count : 1, e);
}

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

void mmi_sampler_reseed(mmi_sampler *s, uint64_t count)
{
	uint64_t seed = s->config.seed + count * UINT64_C(0x9E3779B97F4A7C15);
	char stream[64] = "chain/x/";
	s->key_prior = mmi_rng_key(seed, "prior");
	s->key_draw = mmi_rng_key(seed, "expert");
	s->key_pick = mmi_rng_key(seed, "pick");
	s->key_z = mmi_rng_key(seed, "chain/z");
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		strncpy(stream + 8, s->model->modalities[i].name, sizeof stream - 9);
		s->key_x[i] = mmi_rng_key(seed, stream);
	}
}

static mm_status record(mmi_sampler *s, mm_error *e)
{
	MMI_TRY(record_encode(s, e));
	MMI_TRY(record_decode(s, e));
	MMI_TRY(record_posterior(s, e));
	MMI_TRY(record_energy(s, &s->revise, true, e));
	MMI_TRY(record_energy(s, &s->energy, false, e));
	s->chunk_stats = mmi_alloc(s->config.max_rows / s->config.chunk + 1, sizeof *s->chunk_stats);
	if (!s->chunk_stats)
		return mmi_fail(e, MM_ENOMEM, "out of memory for chain statistics");
	return MM_OK;
}

mm_status mmi_sampler_create(const mmi_model *model, mmi_pool *pool, const mmi_sampler_config *config, mmi_sampler **out, mm_error *e)
{
	mmi_sampler *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sampler");
	s->model = model;
	s->pool = pool;
	s->config = *config;
	mm_status status = record(s, e);
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
	mmi_network_clear(&s->encode.net);
	mmi_network_clear(&s->decode.net);
	mmi_network_clear(&s->posterior.net);
	mmi_network_clear(&s->revise.net);
	mmi_network_clear(&s->energy.net);
	mmi_free(s->chunk_stats);
	mmi_free(s);
}

uint32_t mmi_sampler_chunk(const mmi_sampler *s)
{
	return s->config.chunk;
}

static size_t network_bytes(const mmi_network *n)
{
	size_t sum = 0;
	for (uint32_t i = 0; i < n->n_programs; i++) {
		mmi_program_stats info = mmi_program_info(n->programs[i]);
		sum += info.arena_bytes + info.scratch_bytes;
	}
	return sum;
}

size_t mmi_sampler_bytes(const mmi_sampler *s)
{
	return network_bytes(&s->encode.net) + network_bytes(&s->decode.net) + network_bytes(&s->posterior.net) +
	       network_bytes(&s->revise.net) + network_bytes(&s->energy.net);
}

mmi_program *mmi_sampler_program(const mmi_sampler *s, mmi_sampler_part part)
{
	const mmi_network *networks[] = { &s->encode.net, &s->decode.net, &s->posterior.net, &s->revise.net, &s->energy.net };
	return networks[part]->programs[0];
}

/* ------------------------------------------------------------ rows in chunks */

/* One call of the public functions below, as the tasks see it. */
typedef struct mmi_rows_job {
	mmi_sampler *s;
	const float *const *x;
	float *const *out, *const *out2;
	const float *z;
	float *energy;
	const mmi_chain *chain;
	float *const *state;
	const float *const *start;
	uint32_t rows; /* of one chain */
	mmi_chain_watch *watch;
	void *watch_ctx;
} mmi_rows_job;

static void bind_rows(const mmi_sampler *s, mmi_program *p, const mm_tensor *inputs, const float *const *x, size_t row)
{
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		mmi_program_bind(p, inputs[i], x[i] + row * (size_t)s->model->modalities[i].count);
}

static void copy_rows(const mmi_program *p, mm_tensor from, float *to, size_t row, size_t n, size_t count)
{
	memcpy(to + row * count, mmi_program_data(p, from), n * count * sizeof *to);
}

static void encode_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_encode_net *n = &j->s->encode;
	size_t size = j->s->config.chunk, row = chunk * size, d = (size_t)j->s->model->config.latent_dim;
	mmi_program *p = n->net.programs[worker];
	bind_rows(j->s, p, n->x, j->x, row);
	mmi_program_run(p);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++) {
		copy_rows(p, n->expert[i].loc, j->out[i], row, size, d);
		copy_rows(p, n->expert[i].scale, j->out2[i], row, size, d);
	}
}

void mmi_sampler_encode(mmi_sampler *s, const float *const *x, uint32_t rows, float *const *loc, float *const *scale)
{
	mmi_rows_job j = { .s = s, .x = x, .out = loc, .out2 = scale };
	mmi_pool_run(s->pool, rows / s->config.chunk, encode_chunk, &j);
}

static void decode_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_decode_net *n = &j->s->decode;
	size_t size = j->s->config.chunk, row = chunk * size;
	mmi_program *p = n->net.programs[worker];
	mmi_program_bind(p, n->z, j->z + row * (size_t)j->s->model->config.latent_dim);
	mmi_program_run(p);
	for (uint32_t i = 0; i < j->s->model->n_modalities; i++)
		copy_rows(p, n->mean[i], j->out[i], row, size, (size_t)j->s->model->modalities[i].count);
}

void mmi_sampler_decode(mmi_sampler *s, const float *z, uint32_t rows, float *const *mean)
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
	copy_rows(p, n->energy, j->energy, chunk * size, size, 1);
}

void mmi_sampler_energy(mmi_sampler *s, const float *const *x, uint32_t rows, float *energy)
{
	mmi_rows_job j = { .s = s, .x = x, .energy = energy };
	mmi_pool_run(s->pool, rows / s->config.chunk, energy_chunk, &j);
}

/* ------------------------------------------------------------ draws */

static void draw_family(const mmi_sampler *s, float *out, size_t n, mmi_rng r)
{
	if (s->model->config.prior == MMI_PRIOR_LAPLACE)
		mmi_vec_get()->laplace(out, n, r);
	else
		mmi_vec_get()->normal(out, n, r);
}

void mmi_sampler_standard(mmi_sampler *s, uint32_t rows, uint32_t expert, uint32_t iteration, float *eps)
{
	size_t d = (size_t)s->model->config.latent_dim;
	for (size_t r = 0; r < rows; r++)
		draw_family(s, eps + r * d, d, (mmi_rng){ .key = s->key_draw, .sample = (uint32_t)r, .step = expert, .iteration = iteration });
}

void mmi_sampler_draw(mmi_sampler *s, const float *loc, const float *scale, uint32_t rows, uint32_t expert, uint32_t iteration,
                      float *z)
{
	size_t n = (size_t)rows * (size_t)s->model->config.latent_dim;
	mmi_sampler_standard(s, rows, expert, iteration, z);
	for (size_t i = 0; i < n; i++)
		z[i] = loc[i] + scale[i] * z[i];
}

void mmi_sampler_prior(mmi_sampler *s, uint32_t rows, uint32_t iteration, float *z)
{
	size_t d = (size_t)s->model->config.latent_dim;
	for (size_t r = 0; r < rows; r++)
		draw_family(s, z + r * d, d, (mmi_rng){ .key = s->key_prior, .sample = (uint32_t)r, .iteration = iteration });
}

void mmi_sampler_pick(mmi_sampler *s, uint32_t rows, uint32_t iteration, uint32_t *expert)
{
	for (uint32_t r = 0; r < rows; r++)
		expert[r] = mmi_rng_below((mmi_rng){ .key = s->key_pick, .sample = r, .iteration = iteration }, s->model->n_modalities);
}

/* ------------------------------------------------------------ chains */

static void run_chain(const mmi_rows_job *j, mmi_program *p, uint32_t chunk)
{
	uint32_t size = j->s->config.chunk;
	mmi_chain_rows rows = { .n = size, .first = chunk * size };
	for (uint32_t i = 0; i < j->chain->n_states; i++) {
		size_t offset = (size_t)rows.first * (size_t)j->chain->count[i];
		rows.state[i] = j->state[i] + offset;
		rows.start[i] = j->start && j->start[i] ? j->start[i] + offset : NULL;
	}
	j->s->chunk_stats[chunk] = (mmi_chain_stats){ 0 };
	mmi_chain_run(j->chain, p, &rows, &j->s->chunk_stats[chunk], chunk == 0 ? j->watch : NULL, j->watch_ctx);
}

static void sum_stats(const mmi_sampler *s, uint32_t chunks, mmi_chain_stats *stats)
{
	*stats = (mmi_chain_stats){ 0 };
	for (uint32_t c = 0; c < chunks; c++)
		mmi_chain_stats_add(stats, &s->chunk_stats[c]);
}

static void posterior_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	const mmi_posterior_net *n = &j->s->posterior;
	mmi_program *p = n->net.programs[worker];
	/* Chains of all experts follow one another; each sees the same rows of x. */
	bind_rows(j->s, p, n->x, j->x, (size_t)chunk * j->s->config.chunk % j->rows);
	run_chain(j, p, chunk);
}

void mmi_sampler_posterior(mmi_sampler *s, const mmi_posterior_args *a, const float *const *x, uint32_t rows, uint32_t n_chains,
                           float *z, const float *start, mmi_chain_stats *stats)
{
	mmi_chain chain = { .n_states = 1, .state = { s->posterior.z }, .grad = { s->posterior.dz }, .energy = s->posterior.u,
	                    .count = { s->model->config.latent_dim }, .key = { s->key_z }, .unit = { 1 }, .weight = { 1 },
	                    .steps = a->steps, .iteration = a->iteration };
	chain.update[0] = (mmi_langevin){ (float)(0.5 * a->step * a->step * a->grad_scale), (float)a->noise, -INFINITY, INFINITY };
	mmi_rows_job j = { .s = s, .x = x, .chain = &chain, .state = &z, .start = &start, .rows = rows, .watch = a->watch,
	                   .watch_ctx = a->watch_ctx };
	uint32_t chunks = rows * n_chains / s->config.chunk;
	mmi_pool_run(s->pool, chunks, posterior_chunk, &j);
	sum_stats(s, chunks, stats);
}

static void revise_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_rows_job *j = ctx;
	run_chain(j, j->s->revise.net.programs[worker], chunk);
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

void mmi_sampler_revise(mmi_sampler *s, const mmi_revise_args *a, float *const *x, const float *const *start, uint32_t rows,
                        mmi_chain_stats *stats)
{
	mmi_chain chain = { .n_states = s->model->n_modalities, .energy = s->revise.energy, .steps = a->steps,
	                    .iteration = a->iteration, .move_max = (float)a->move_max };
	for (uint32_t i = 0; i < chain.n_states; i++) {
		chain.state[i] = s->revise.x[i];
		chain.grad[i] = s->revise.dx[i];
		chain.count[i] = s->model->modalities[i].count;
		chain.key[i] = s->key_x[i];
		chain.weight[i] = (float)(s->model->modalities[i].x_scale * s->model->modalities[i].x_scale);
		revise_update(&s->model->modalities[i], a, &chain.update[i], &chain.unit[i]);
		if (s->model->modalities[i].info.support == MM_SUPPORT_SIMPLEX && (a->step > 0 || a->noise > 0))
			chain.simplex[i] = s->model->modalities[i].info.shape.dim[s->model->modalities[i].info.shape.rank - 1];
	}
	mmi_rows_job j = { .s = s, .chain = &chain, .state = x, .start = start, .rows = rows, .watch = a->watch, .watch_ctx = a->watch_ctx };
	mmi_pool_run(s->pool, rows / s->config.chunk, revise_chunk, &j);
	sum_stats(s, rows / s->config.chunk, stats);
}
