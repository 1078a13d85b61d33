/* losses.c - recording of the learner's losses. */
#include "mmi_build.h"

#include "learn/losses.h"
#include "engine/trainer.h"
#include "learn/objectives/objective.h"

static void no_masks(mmi_loss *l)
{
	static const mmi_expert none = { MMI_NONE, MMI_NONE, MMI_NONE, MMI_NONE };
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		l->held[i] = none;
		l->each[i] = MMI_NONE;
		l->pull[i] = l->observed[i] = l->mixture.share[i] = l->mixture.log_share[i] = l->subset[i] = MMI_NONE;
		for (uint32_t k = 0; k < MMI_MAX_MODALITIES; k++)
			l->counts_w[i][k] = MMI_NONE;
	}
}

static void open_places(const mmi_model *m, mmi_loss *l)
{
	for (uint32_t i = 0; i < l->n_z; i++)
		l->z[i] = mmi_model_place(m, l->net.graph);
	l->seed = mmi_input(l->net.graph, "seed", mmi_shape(0));
}

static mm_status open_without_x(const mmi_model *m, const mmi_loss_place *p, mmi_loss *l, uint32_t n_z, mm_error *e)
{
	*l = (mmi_loss){ .n_z = n_z,
		             .l2 = MMI_NONE,
		             .count_z = mmi_model_z_dim(m),
		             .count_w = mmi_model_w_dim(m),
		             .count_pull = mmi_model_z_dim(m),
		             .masked = p->masked };
	no_masks(l);
	MMI_TRY(mmi_network_open(&l->net, e));
	return MM_OK;
}

static mm_status open_loss(const mmi_model *m, const mmi_loss_place *p, mmi_loss *l, uint32_t n_z, mm_error *e)
{
	MMI_TRY(open_without_x(m, p, l, n_z, e));
	l->n_x = m->n_modalities;
	for (uint32_t i = 0; i < l->n_x; i++) {
		l->seen[i] = l->x[i] = mmi_input(l->net.graph, m->modalities[i].name, m->modalities[i].info.shape);
		l->count_x[i] = m->modalities[i].count;
	}
	open_places(m, l);
	return MM_OK;
}

static mm_tensor flag(mmi_loss *l, const char *name)
{
	return mmi_input(l->net.graph, name, mmi_shape(0));
}

static void open_observed(mmi_loss *l)
{
	for (uint32_t i = 0; l->masked && i < l->n_x; i++)
		l->observed[i] = flag(l, "observed");
}

static void open_mixture(mmi_loss *l)
{
	for (uint32_t i = 0; l->masked && i < l->n_x; i++) {
		l->mixture.share[i] = flag(l, "share");
		l->mixture.log_share[i] = flag(l, "log_share");
	}
}

static const mmi_mixture *mixture(const mmi_loss *l)
{
	return l->masked ? &l->mixture : NULL;
}

/* Differentiates `loss` (weighted by `seed`) to the parameters of the stores and compiles value and gradients. */
static mm_status close_loss(mmi_loss *l, mm_tensor loss, mm_tensor seed, const mmi_loss_place *p, mm_error *e)
{
	mmi_params *stores[2];
	for (uint32_t i = 0; i < l->n_lanes; i++)
		stores[i] = (mmi_params *)(uintptr_t)l->lanes[i]->params;
	const mmi_grad_request r = { .loss = loss, .seed = seed, .stores = stores, .n_stores = l->n_lanes };
	return mmi_trainer_compile(&l->net, &r, l->value, p->chunk, p->pool, e);
}

mm_status mmi_loss_nll(const mmi_model *m, mmi_loss *l, const mmi_place *place, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = l->net.graph;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(m, i, g, place->z, place->w[i], &decoded, e));
		mm_tensor nll = mmi_model_nll(m, i, g, l->x[i], decoded);
		if (l->masked)
			nll = mmi_graph_ops.mul(g, nll, l->observed[i]);
		*out = i ? mmi_graph_ops.add(g, *out, nll) : nll;
	}
	return MM_OK;
}

mm_status mmi_loss_generator(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *generator, mmi_loss *l,
                             mm_error *e)
{
	MMI_TRY(open_loss(m, p, l, 1, e));
	open_observed(l);
	l->lanes[l->n_lanes++] = generator;
	MMI_TRY(mmi_loss_nll(m, l, &l->z[0], &l->value, e));
	return close_loss(l, l->value, l->seed, p, e);
}

static mm_status record_experts(const mmi_model *m, mmi_loss *l, mmi_expert *experts, mm_error *e)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		MMI_TRY(mmi_model_encode(m, i, l->net.graph, l->seen[i], &experts[i], e));
	return MM_OK;
}

static mm_tensor plus(mmi_graph *g, mm_tensor sum, mm_tensor x)
{
	return sum == MMI_NONE ? x : mmi_graph_ops.add(g, sum, x);
}

/* sum_m counts_w_km log q(w_km | x_m), added to `sum`. */
static mm_tensor add_private(const mmi_model *m, mmi_loss *l, uint32_t k, const mmi_expert *experts, mm_tensor sum)
{
	mmi_graph *g = l->net.graph;
	for (uint32_t i = 0; i < m->n_modalities && l->z[k].w[i] != MMI_NONE; i++) {
		mm_tensor log_q = mmi_model_log_density(m, g, l->z[k].w[i], experts[i].w_loc, experts[i].w_scale);
		if (l->masked)
			log_q = mmi_graph_ops.mul(g, log_q, l->counts_w[k][i] = flag(l, "counts_w"));
		sum = plus(g, sum, log_q);
	}
	return sum;
}

mm_status mmi_loss_inference(const mmi_model *m, const mmi_loss_place *p, uint32_t n_z, mmi_inference_target target,
                             bool separate, mmi_lanes *inference, mmi_loss *l, mm_error *e)
{
	mmi_expert experts[MMI_MAX_MODALITIES];
	MMI_TRY(open_loss(m, p, l, n_z, e));
	open_mixture(l);
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = inference;
	l->value = MMI_NONE;
	MMI_TRY(record_experts(m, l, experts, e));
	for (uint32_t k = 0; k < n_z; k++) {
		mm_tensor z = l->z[k].z;
		if (z != MMI_NONE && separate)
			l->value = plus(g, l->value, mmi_model_log_density(m, g, z, experts[k].loc, experts[k].scale));
		else if (z != MMI_NONE)
			l->value = plus(g, l->value, mmi_model_log_q(m, g, z, experts, target, mixture(l)));
		l->value = add_private(m, l, k, experts, l->value);
	}
	l->value = mmi_graph_ops.affine(g, l->value, -1.0f / (float)n_z, 0);
	return close_loss(l, l->value, l->seed, p, e);
}

mm_status mmi_loss_locations(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *inference, mmi_loss *l,
                             mm_error *e)
{
	mmi_expert experts[MMI_MAX_MODALITIES];
	MMI_TRY(open_loss(m, p, l, m->n_modalities, e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = inference;
	l->value = MMI_NONE;
	MMI_TRY(record_experts(m, l, experts, e));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		l->value = plus(g, l->value, mmi_graph_ops.sum(g, mmi_graph_ops.mul(g, experts[i].loc, l->z[i].z), 0));
	return close_loss(l, l->value, l->seed, p, e);
}

mm_status mmi_loss_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *l, mm_error *e)
{
	MMI_TRY(open_loss(m, p, l, 0, e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = energy;
	l->l2 = mmi_input(g, "l2", mmi_shape(0));
	MMI_TRY(mmi_model_energy(m, g, l->x, &l->value, e));
	mm_tensor weighted = mmi_graph_ops.mul(g, l->value, l->seed);
	mm_tensor penalty = mmi_graph_ops.mul(g, mmi_graph_ops.mul(g, l->value, l->value), l->l2);
	mm_tensor loss = mmi_graph_ops.add(g, weighted, penalty);
	return close_loss(l, loss, mmi_const(g, mmi_shape(0), 1), p, e);
}

mm_status mmi_loss_latent_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *l,
                                 mm_error *e)
{
	MMI_TRY(open_without_x(m, p, l, 1, e));
	open_places(m, l);
	l->lanes[l->n_lanes++] = energy;
	l->value = mmi_model_latent_energy(m, l->net.graph, l->z[0].z);
	return close_loss(l, l->value, l->seed, p, e);
}

/* factor <x, pull_i>, added to `sum`. */
static mm_tensor add_pull(mmi_loss *l, uint32_t i, mm_tensor x, double factor, mm_tensor sum)
{
	mmi_graph *g = l->net.graph;
	l->pull[i] = mmi_input(g, "pull", mmi_graph_ops.shape(g, x));
	mm_tensor along = mmi_graph_ops.sum(g, mmi_graph_ops.mul(g, x, l->pull[i]), 0);
	return mmi_graph_ops.axpby(g, 1, sum, (float)factor, along);
}

mm_status mmi_loss_match(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *match, mmi_loss *l, mm_error *e)
{
	MMI_TRY(open_loss(m, p, l, 0, e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = match;
	l->count_pull = MMI_MATCH_DIM;
	l->value = mmi_model_match_scale(m, g);
	mm_tensor loss = mmi_graph_ops.mul(g, l->value, l->seed);
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mm_tensor unit;
		MMI_TRY(mmi_model_embed(m, i, g, l->x[i], &unit, e));
		loss = add_pull(l, i, unit, 1, loss);
	}
	return close_loss(l, loss, mmi_const(g, mmi_shape(0), 1), p, e);
}

/* The experts as constants. */
static void open_held(const mmi_model *m, mmi_loss *l)
{
	const int32_t z = mmi_model_z_dim(m), w = mmi_model_w_dim(m);
	mmi_graph *g = l->net.graph;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		l->held[i] =
			(mmi_expert){ mmi_input(g, "loc", mmi_shape(1, (int)z)), mmi_input(g, "scale", mmi_shape(1, (int)z)),
			              w ? mmi_input(g, "w_loc", mmi_shape(1, (int)w)) : MMI_NONE,
			              w ? mmi_input(g, "w_scale", mmi_shape(1, (int)w)) : MMI_NONE };
}

mm_status mmi_loss_elbo(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, mmi_lanes *generator,
                        mmi_lanes *inference, mmi_loss *l, mm_error *e)
{
	const mmi_objective *objective = form->objective;
	mmi_expert experts[MMI_MAX_MODALITIES];
	MMI_TRY(open_loss(m, p, l, objective->draws(m), e));
	open_observed(l);
	open_mixture(l);
	for (uint32_t i = 0; objective->subset && i < m->n_modalities; i++)
		l->subset[i] = flag(l, "subset");
	for (uint32_t i = 0; i < m->n_modalities; i++)
		if (m->modalities[i].variation)
			l->seen[i] = mmi_input(l->net.graph, "seen", m->modalities[i].info.shape);
	if (form->dreg)
		open_held(m, l);
	l->lanes[l->n_lanes++] = generator;
	l->lanes[l->n_lanes++] = inference;
	MMI_TRY(record_experts(m, l, experts, e));
	const mmi_elbo_io io = { m, l, experts, mixture(l), (float)form->beta, form->dreg ? l->held : NULL };
	MMI_TRY(objective->record(&io, &l->value, e));
	if (!(form->pull_factor > 0))
		return close_loss(l, l->value, l->seed, p, e);
	mm_tensor loss = mmi_graph_ops.mul(l->net.graph, l->value, l->seed);
	for (uint32_t i = 0; i < m->n_modalities; i++)
		loss = add_pull(l, i, experts[i].loc, form->pull_factor, loss);
	return close_loss(l, loss, mmi_const(l->net.graph, mmi_shape(0), 1), p, e);
}

mm_status mmi_loss_weights(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, mmi_loss *l,
                           mm_error *e)
{
	MMI_TRY(open_loss(m, p, l, form->objective->draws(m), e));
	open_observed(l);
	open_mixture(l);
	open_held(m, l);
	const mmi_elbo_io io = { m, l, l->held, mixture(l), (float)form->beta, NULL };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		MMI_TRY(form->objective->expert(&io, i, &l->each[i], e));
	return mmi_network_compile(&l->net, m->device, l->each, m->n_modalities, p->chunk, mmi_pool_threads(p->pool), e);
}

void mmi_loss_clear(mmi_loss *l)
{
	mmi_network_clear(&l->net);
}
