/* losses.c - recording of the learner's losses. */
#include "config.h"

#include "learn/losses.h"

#include <string.h>

static mm_status open_loss(const mmi_model *m, mmi_loss *l, uint32_t n_z, const char *z_name, mm_error *e)
{
	*l = (mmi_loss){ .n_x = m->n_modalities, .n_z = n_z, .l2 = MMI_NONE, .count_z = m->config.latent_dim };
	MMI_TRY(mmi_network_open(&l->net, e));
	for (uint32_t i = 0; i < l->n_x; i++) {
		l->x[i] = mmi_input(l->net.graph, m->modalities[i].name, m->modalities[i].info.shape);
		l->count_x[i] = m->modalities[i].count;
	}
	for (uint32_t i = 0; i < n_z; i++)
		l->z[i] = mmi_input(l->net.graph, z_name, mmi_shape(1, (int)m->config.latent_dim));
	l->seed = mmi_input(l->net.graph, "seed", mmi_shape(0));
	return MM_OK;
}

/* Differentiates `loss` (weighted by `seed`) to the parameters of the stores and compiles value and gradients. */
static mm_status close_loss(mmi_loss *l, mm_tensor loss, mm_tensor seed, const mmi_loss_place *p, mm_error *e)
{
	mmi_params *stores[2];
	for (uint32_t i = 0; i < l->n_lanes; i++)
		stores[i] = (mmi_params *)(uintptr_t)l->lanes[i]->params;
	mmi_grad_request r = { .loss = loss, .seed = seed, .stores = stores, .n_stores = l->n_lanes };
	MMI_TRY(mmi_graph_grad(l->net.graph, &r, e));
	mm_tensor *outputs = mmi_alloc(r.n_param_grads + 1, sizeof *outputs);
	if (!outputs) {
		mmi_free(r.param_grads);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a loss");
	}
	outputs[0] = l->value;
	if (r.n_param_grads)
		memcpy(outputs + 1, r.param_grads, r.n_param_grads * sizeof *outputs);
	mm_status status = mmi_network_compile(&l->net, p->backend, outputs, r.n_param_grads + 1, p->chunk, mmi_pool_threads(p->pool), e);
	mmi_free(outputs);
	mmi_free(r.param_grads);
	return status;
}

/* sum_m weight_m NLL_m(x_m | z) */
static mm_status sum_nll(const mmi_model *m, mmi_loss *l, mm_tensor z, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = l->net.graph;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(m, i, g, z, &decoded, e));
		mm_tensor nll = mmi_model_nll(m, i, g, l->x[i], decoded);
		*out = i ? mmi_graph_ops.add(g, *out, nll) : nll;
	}
	return MM_OK;
}

mm_status mmi_loss_generator(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *generator, mmi_loss *l, mm_error *e)
{
	MMI_TRY(open_loss(m, l, 1, "z", e));
	l->lanes[l->n_lanes++] = generator;
	MMI_TRY(sum_nll(m, l, l->z[0], &l->value, e));
	return close_loss(l, l->value, l->seed, p, e);
}

static mm_status record_experts(const mmi_model *m, mmi_loss *l, mmi_expert *experts, mm_error *e)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		MMI_TRY(mmi_model_encode(m, i, l->net.graph, l->x[i], &experts[i], e));
	return MM_OK;
}

mm_status mmi_loss_inference(const mmi_model *m, const mmi_loss_place *p, uint32_t n_z, mmi_inference_target target,
                             mmi_lanes *inference, mmi_loss *l, mm_error *e)
{
	mmi_expert experts[MMI_MAX_MODALITIES];
	MMI_TRY(open_loss(m, l, n_z, "z", e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = inference;
	MMI_TRY(record_experts(m, l, experts, e));
	for (uint32_t k = 0; k < n_z; k++) {
		mm_tensor log_q = mmi_model_log_q(m, g, l->z[k], experts, target);
		l->value = k ? mmi_graph_ops.add(g, l->value, log_q) : log_q;
	}
	l->value = mmi_graph_ops.affine(g, l->value, -1.0f / (float)n_z, 0);
	return close_loss(l, l->value, l->seed, p, e);
}

mm_status mmi_loss_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *l, mm_error *e)
{
	MMI_TRY(open_loss(m, l, 0, "", e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = energy;
	l->l2 = mmi_input(g, "l2", mmi_shape(0));
	MMI_TRY(mmi_model_energy(m, g, l->x, &l->value, e));
	mm_tensor weighted = mmi_graph_ops.mul(g, l->value, l->seed);
	mm_tensor penalty = mmi_graph_ops.mul(g, mmi_graph_ops.mul(g, l->value, l->value), l->l2);
	mm_tensor loss = mmi_graph_ops.add(g, weighted, penalty);
	return close_loss(l, loss, mmi_const(g, mmi_shape(0), 1), p, e);
}

mm_status mmi_loss_elbo(const mmi_model *m, const mmi_loss_place *p, double beta, mmi_lanes *generator, mmi_lanes *inference,
                        mmi_loss *l, mm_error *e)
{
	mmi_expert experts[MMI_MAX_MODALITIES];
	mm_tensor term = MMI_NONE;
	MMI_TRY(open_loss(m, l, m->n_modalities, "eps", e));
	mmi_graph *g = l->net.graph;
	l->lanes[l->n_lanes++] = generator;
	l->lanes[l->n_lanes++] = inference;
	MMI_TRY(record_experts(m, l, experts, e));
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mm_tensor z = mmi_graph_ops.add(g, experts[i].loc, mmi_graph_ops.mul(g, l->z[i], experts[i].scale));
		MMI_TRY(sum_nll(m, l, z, &term, e));
		mm_tensor log_q = mmi_model_log_q(m, g, z, experts, MMI_TARGET_MIXTURE);
		mm_tensor log_p = mmi_model_log_prior(m, g, z);
		term = mmi_graph_ops.add(g, term, mmi_graph_ops.axpby(g, (float)beta, log_q, (float)-beta, log_p));
		l->value = i ? mmi_graph_ops.add(g, l->value, term) : term;
	}
	l->value = mmi_graph_ops.affine(g, l->value, 1.0f / (float)m->n_modalities, 0);
	return close_loss(l, l->value, l->seed, p, e);
}

void mmi_loss_clear(mmi_loss *l)
{
	mmi_network_clear(&l->net);
}
