/* host_rows.c - the sampler for rows on the host: they go to the device, and what was made comes back. Where the device
 * is direct it works on them where they are. */
#include "mmi_build.h"

#include "mcmc/runs.h"
#include "mcmc/sampler_nets.h"

enum { MOST_BACK = 4 * MMI_MAX_MODALITIES + 2, LINE = 64 /* bytes: rows begin on multiples */ };

typedef struct passage {
	mmi_sampler *s;
	size_t used; /* bytes of the sampler's passage */
	uint32_t n_back;
	struct {
		void *host;
		const void *device;
		size_t bytes;
	} back[MOST_BACK];
} passage;

size_t mmi_passage_bytes(const mmi_model *m, uint32_t rows)
{
	const size_t n = m->n_modalities, latents = (size_t)mmi_model_z_dim(m) + (size_t)mmi_model_w_dim(m);
	size_t floats =
		2 * (n + 1) * latents + 4 * n + 1 + MMI_TERMS; /* experts and two sets of latents; flags; energies */
	for (uint32_t i = 0; i < n; i++)
		floats += 2 * (size_t)m->modalities[i].count + MMI_MATCH_DIM;
	return rows * floats * sizeof(float) + 16 * n * LINE;
}

/* ------------------------------------------------------------ one array */

static void *place(passage *p, const void *host, size_t bytes)
{
	const mmi_device *d = p->s->model->device;
	if (!host || d->ops->direct)
		return (void *)(uintptr_t)host;
	void *at = (char *)p->s->passage + p->used;
	p->used += (bytes + LINE - 1) / LINE * LINE;
	return at;
}

static void *to_device(passage *p, const void *host, size_t bytes)
{
	const mmi_device *d = p->s->model->device;
	void *at = place(p, host, bytes);
	if (at && !d->ops->direct)
		d->ops->upload(d, at, host, bytes);
	return at;
}

static void *from_device(passage *p, void *host, size_t bytes)
{
	void *at = place(p, host, bytes);
	if (at && !p->s->model->device->ops->direct) {
		p->back[p->n_back].host = host;
		p->back[p->n_back].device = at;
		p->back[p->n_back++].bytes = bytes;
	}
	return at;
}

static void *both_ways(passage *p, void *host, size_t bytes)
{
	const mmi_device *d = p->s->model->device;
	void *at = from_device(p, host, bytes);
	if (at && !d->ops->direct)
		d->ops->upload(d, at, host, bytes);
	return at;
}

/* Brings back what was made. A failure sticks to the device. */
static void leave(passage *p)
{
	const mmi_device *d = p->s->model->device;
	for (uint32_t i = 0; i < p->n_back; i++)
		d->ops->download(d, p->back[i].host, p->back[i].device, p->back[i].bytes);
	d->ops->wait(d, NULL);
}

/* ------------------------------------------------------------ rows */

typedef void *way(passage *p, void *host, size_t bytes);

static void *inwards(passage *p, void *host, size_t bytes)
{
	return to_device(p, host, bytes);
}

static mmi_floats floats(passage *p, way *go, const float *host, size_t n)
{
	return (mmi_floats){ go(p, (void *)(uintptr_t)host, n * sizeof(float)) };
}

static mmi_device_rows samples(passage *p, way *go, const float *const *x, uint32_t rows)
{
	const mmi_model *m = p->s->model;
	mmi_device_rows d = { { { NULL } } };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		d.x[i] = floats(p, go, x[i], rows * (size_t)m->modalities[i].count);
	return d;
}

static mmi_device_latents latents(passage *p, way *go, const mmi_latents *l, size_t rows)
{
	const mmi_model *m = p->s->model;
	mmi_device_latents d = { .z = floats(p, go, l->z, rows * (size_t)mmi_model_z_dim(m)) };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		d.w[i] = floats(p, go, l->w[i], rows * (size_t)mmi_model_w_dim(m));
	return d;
}

static mmi_device_experts experts_of(passage *p, way *go, const mmi_experts *x, uint32_t rows)
{
	const mmi_model *m = p->s->model;
	const size_t z = rows * (size_t)mmi_model_z_dim(m), w = rows * (size_t)mmi_model_w_dim(m);
	mmi_device_experts d = { .loc = { { NULL } } };
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		d.loc[i] = floats(p, go, x->loc[i], z);
		d.scale[i] = floats(p, go, x->scale[i], z);
		d.w_loc[i] = floats(p, go, x->w_loc[i], w);
		d.w_scale[i] = floats(p, go, x->w_scale[i], w);
	}
	return d;
}

static mmi_parts parts(passage *p, const float *const *observed, const uint8_t *const *held, size_t rows)
{
	mmi_parts d = { .expert = { NULL } };
	for (uint32_t i = 0; i < p->s->model->n_modalities; i++) {
		if (observed)
			d.observed[i] = floats(p, inwards, observed[i], rows);
		if (held)
			d.held[i].at = to_device(p, held[i], rows);
	}
	return d;
}

/* ------------------------------------------------------------ calls */

static const mmi_latents nothing = { .z = NULL };

void mmi_sampler_encode(mmi_sampler *s, const float *const *x, uint32_t rows, const mmi_experts *out)
{
	passage p = { .s = s };
	const mmi_device_rows from = samples(&p, inwards, x, rows);
	const mmi_device_experts to = experts_of(&p, from_device, out, rows);
	mmi_run_encode(s, &from, rows, &to);
	leave(&p);
}

void mmi_sampler_standard(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, mmi_latents *eps)
{
	passage p = { .s = s };
	const mmi_device_latents to = latents(&p, from_device, eps, span.rows);
	mmi_run_standard(s, span, chain, iteration, &to);
	leave(&p);
}

void mmi_sampler_prior(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, mmi_latents *z)
{
	passage p = { .s = s };
	const mmi_device_latents to = latents(&p, from_device, z, span.rows);
	mmi_run_prior(s, span, chain, iteration, &to);
	leave(&p);
}

void mmi_sampler_start(mmi_sampler *s, const mmi_start_args *a, const mmi_experts *experts, mmi_span span,
                       mmi_latents *out)
{
	passage p = { .s = s };
	mmi_parts who = parts(&p, a->observed, NULL, span.rows);
	who.expert.at = to_device(&p, a->expert, span.rows * sizeof *a->expert);
	const mmi_device_experts from = experts_of(&p, inwards, experts, span.rows);
	const mmi_device_latents to = latents(&p, from_device, out, span.rows);
	mmi_run_start(s, a, &who, &from, span, &to);
	leave(&p);
}

/* A point far out tells the scale: what the location takes of a float's bits there is nothing beside it. */
void mmi_sampler_fuse(mmi_sampler *s, const float *const *observed, const mmi_experts *experts, uint32_t rows,
                      float *loc, float *scale)
{
	const float far = 1 << 20;
	const size_t n = rows * (size_t)mmi_model_z_dim(s->model);
	passage p = { .s = s };
	for (size_t k = 0; k < n; k++) {
		loc[k] = 0;
		scale[k] = far;
	}
	const mmi_parts who = parts(&p, observed, NULL, rows);
	const mmi_device_experts from = experts_of(&p, inwards, experts, rows);
	mmi_run_fuse(s, &who, &from, rows, floats(&p, both_ways, loc, n));
	mmi_run_fuse(s, &who, &from, rows, floats(&p, both_ways, scale, n));
	leave(&p);
	for (size_t k = 0; k < n; k++)
		scale[k] = (scale[k] - loc[k]) / far;
}

void mmi_sampler_noise(mmi_sampler *s, mmi_span span, uint32_t iteration, float *const *x)
{
	passage p = { .s = s };
	const mmi_device_rows to = samples(&p, from_device, (const float *const *)x, span.rows);
	mmi_run_noise(s, span, iteration, &to);
	leave(&p);
}

void mmi_sampler_decode(mmi_sampler *s, const mmi_latents *z, uint32_t rows, float *const *mean)
{
	passage p = { .s = s };
	const mmi_device_latents from = latents(&p, inwards, z, rows);
	const mmi_device_rows to = samples(&p, from_device, (const float *const *)mean, rows);
	mmi_run_decode(s, &from, rows, &to);
	leave(&p);
}

void mmi_sampler_energies(mmi_sampler *s, const float *const *x, uint32_t rows, const mmi_energies *out)
{
	passage p = { .s = s };
	const mmi_device_rows from = samples(&p, inwards, x, rows);
	mmi_device_energies to = { .joint = floats(&p, from_device, out->joint, rows) };
	for (int k = 0; k < MMI_TERMS; k++)
		if (mmi_model_has_term(s->model, (mmi_term)k))
			to.term[k] = floats(&p, from_device, out->term[k], rows);
	mmi_run_energies(s, &from, rows, &to);
	leave(&p);
}

void mmi_sampler_embed(mmi_sampler *s, const float *const *x, uint32_t rows, float *const *unit, float *scale)
{
	passage p = { .s = s };
	const mmi_device_rows from = samples(&p, inwards, x, rows);
	const mmi_floats to_scale = floats(&p, from_device, scale, rows);
	mmi_device_rows to = { { { NULL } } };
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		to.x[i] = floats(&p, from_device, unit[i], rows * (size_t)MMI_MATCH_DIM);
	mmi_run_embed(s, &from, rows, &to, to_scale);
	leave(&p);
}

void mmi_sampler_energy(mmi_sampler *s, const float *const *x, uint32_t rows, float *energy)
{
	mmi_sampler_energies(s, x, rows, &(mmi_energies){ .joint = energy });
}

void mmi_sampler_posterior(mmi_sampler *s, const mmi_posterior_args *a, const float *const *x, mmi_span span,
                           uint32_t n_chains, mmi_latents *z, const mmi_latents *start, mmi_chain_stats *stats)
{
	passage p = { .s = s };
	const size_t all = (size_t)span.rows * n_chains;
	const mmi_parts who = parts(&p, a->observed, a->held, all);
	const mmi_device_rows given = samples(&p, inwards, x, span.rows);
	const mmi_device_latents at = latents(&p, both_ways, z, all),
							 began = latents(&p, inwards, start ? start : &nothing, all);
	mmi_run_posterior(s, a, &who, &given, span, n_chains, &at, start ? &began : NULL, stats);
	leave(&p);
}

double mmi_sampler_potential(mmi_sampler *s, const float *const *observed, const float *const *x, uint32_t rows,
                             uint32_t n_chains, const mmi_latents *z)
{
	passage p = { .s = s };
	const size_t all = (size_t)rows * n_chains;
	const mmi_parts who = parts(&p, observed, NULL, all);
	const mmi_device_rows given = samples(&p, inwards, x, rows);
	const mmi_device_latents at = latents(&p, inwards, z, all);
	mmi_chain_stats stats;
	mmi_run_potential(s, &who, &given, rows, n_chains, &at, &stats);
	return stats.energy;
}

void mmi_sampler_guide(mmi_sampler *s, const mmi_guide_args *a, mmi_span span, mmi_latents *z, const mmi_latents *start,
                       mmi_chain_stats *stats)
{
	passage p = { .s = s };
	const mmi_parts who = parts(&p, a->observed, a->held, span.rows);
	const mmi_device_rows given = a->x ? samples(&p, inwards, a->x, span.rows) : (mmi_device_rows){ { { NULL } } };
	const mmi_device_latents at = latents(&p, both_ways, z, span.rows),
							 began = latents(&p, inwards, start ? start : &nothing, span.rows);
	mmi_run_guide(s, a, &who, a->x ? &given : NULL, span, &at, start ? &began : NULL, stats);
	leave(&p);
}

void mmi_sampler_choose_prior(mmi_sampler *s, const mmi_guide_args *a, mmi_span span, mmi_latents *z)
{
	passage p = { .s = s };
	const mmi_parts all = { .expert = { NULL } };
	const mmi_proposal prior = { .start = NULL };
	const mmi_device_latents to = latents(&p, from_device, z, span.rows);
	mmi_run_choose(s, a, &all, NULL, &prior, span, &to);
	leave(&p);
}

void mmi_sampler_choose_start(mmi_sampler *s, const mmi_guide_args *a, const mmi_start_args *start,
                              const mmi_experts *experts, mmi_span span, mmi_latents *z)
{
	passage p = { .s = s };
	mmi_parts who = parts(&p, start->observed, NULL, span.rows);
	who.expert.at = to_device(&p, start->expert, span.rows * sizeof *start->expert);
	const mmi_parts there = parts(&p, a->x ? a->observed : NULL, NULL, span.rows);
	const mmi_device_rows given = a->x ? samples(&p, inwards, a->x, span.rows) : (mmi_device_rows){ { { NULL } } };
	const mmi_device_experts from = experts_of(&p, inwards, experts, span.rows);
	const mmi_device_latents to = latents(&p, from_device, z, span.rows);
	const mmi_proposal draws = { start, &who, &from };
	mmi_run_choose(s, a, &there, a->x ? &given : NULL, &draws, span, &to);
	leave(&p);
}

void mmi_sampler_revise(mmi_sampler *s, const mmi_revise_args *a, float *const *x, const float *const *start,
                        mmi_span span, mmi_chain_stats *stats)
{
	passage p = { .s = s };
	const mmi_parts who = parts(&p, NULL, a->held, span.rows);
	const mmi_device_rows at = samples(&p, both_ways, (const float *const *)x, span.rows);
	const mmi_device_rows began = start ? samples(&p, inwards, start, span.rows) : (mmi_device_rows){ { { NULL } } };
	mmi_run_revise(s, a, &who, &at, start ? &began : NULL, span, stats);
	leave(&p);
}
