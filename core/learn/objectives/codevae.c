/* codevae.c - the consensus of dependent experts (Mancisidor et al., their code): experts are estimates of z whose
 * errors have one correlation rho, so that a subset S of n has, with p_i = 1 / scale_i and c = rho / (1 + (n - 1) rho),
 *   precision       = [sum p^2 - c (sum p)^2] / (1 - rho)
 *   precision * loc = [sum p^2 loc - c (sum p) (sum p loc)] / (1 - rho).
 * sum_S omega_S [sum_m weight_m NLL_m(x_m | z_S) + beta KL(q_S || p0)] - 1000 H(omega), over all subsets of what is
 * observed, omega = softmax(u) learned and, where something is missing, shared out among those that are left. Two
 * experts whose scales differ by more than 1 / rho have a negative weight: loc then lies outside of both. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

enum { MOST_MODALITIES = 6 };             /* 63 subsets, of which each decodes all */
static const float entropy_weight = 1000; /* of the authors' code */

static uint32_t n_subsets(const mmi_model *m)
{
	return (1u << m->n_modalities) - 1;
}

static uint32_t draws(const mmi_model *m)
{
	const bool many = m->n_modalities >= MOST_MODALITIES;
	return many || n_subsets(m) > MMI_MAX_MODALITIES ? MMI_MAX_MODALITIES : n_subsets(m);
}

static mm_tensor plus(mmi_graph *g, mm_tensor sum, mm_tensor x)
{
	return sum == MMI_NONE ? x : mmi_graph_ops.add(g, sum, x);
}

static mmi_expert consensus(const mmi_elbo_io *io, uint32_t subset)
{
	mmi_graph *g = io->loss->net.graph;
	const float rho = (float)io->model->config.correlation;
	mm_tensor p1 = MMI_NONE, p2 = MMI_NONE, pulled1 = MMI_NONE, pulled2 = MMI_NONE;
	int n = 0;
	for (uint32_t i = 0; i < io->model->n_modalities; i++) {
		if (!(subset >> i & 1))
			continue;
		mm_tensor p = mmi_elbo_power(g, io->experts[i].scale, -1), pull = mmi_graph_ops.mul(g, p, io->experts[i].loc);
		p1 = plus(g, p1, p);
		p2 = plus(g, p2, mmi_graph_ops.mul(g, p, p));
		pulled1 = plus(g, pulled1, pull);
		pulled2 = plus(g, pulled2, mmi_graph_ops.mul(g, p, pull));
		n++;
	}
	const float c = rho / (1 + (float)(n - 1) * rho), a = 1 / (1 - rho);
	mm_tensor precision = mmi_graph_ops.axpby(g, a, p2, -a * c, mmi_graph_ops.mul(g, p1, p1));
	mm_tensor pull = mmi_graph_ops.axpby(g, a, pulled2, -a * c, mmi_graph_ops.mul(g, p1, pulled1));
	return (mmi_expert){ mmi_graph_ops.mul(g, pull, mmi_elbo_power(g, precision, -1)),
		                 mmi_elbo_power(g, precision, -0.5f), MMI_NONE, MMI_NONE };
}

/* omega_S, and 0 where one of S is missing. */
static mm_tensor weight_of(const mmi_elbo_io *io, mm_tensor omega, uint32_t subset)
{
	mmi_graph *g = io->loss->net.graph;
	static const mm_shape scalar = { 0 };
	mm_tensor w = mmi_op(g, MMI_OP_SLICE, 1, &omega, &(mmi_attr){ .begin = (int32_t)subset - 1, .count = 1 });
	w = mmi_graph_ops.reshape(g, w, &scalar);
	for (uint32_t i = 0; io->loss->masked && i < io->model->n_modalities; i++)
		if (subset >> i & 1)
			w = mmi_graph_ops.mul(g, w, io->loss->observed[i]);
	return w;
}

/* H(omega) = lse(u) - sum omega u */
static mm_tensor entropy(mmi_graph *g, mm_tensor u, mm_tensor omega)
{
	mm_tensor mean = mmi_sum_all(g, mmi_graph_ops.mul(g, omega, u), 1);
	return mmi_graph_ops.axpby(g, 1, mmi_graph_ops.log_sum_exp(g, u), -1, mean);
}

static mm_status record_subset(const mmi_elbo_io *io, uint32_t subset, mm_tensor *out, mm_error *e)
{
	const mmi_expert q = consensus(io, subset);
	mmi_graph *g = io->loss->net.graph;
	mmi_place place = io->loss->z[(subset - 1) % io->loss->n_z];
	place.z = mmi_elbo_draw(g, q.loc, q.scale, place.z);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	*out = mmi_graph_ops.axpby(g, 1, *out, io->beta, mmi_elbo_divergence(g, q.loc, q.scale));
	return MM_OK;
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor total = MMI_NONE, sum = MMI_NONE;
	if (io->model->n_modalities > MOST_MODALITIES)
		return mmi_fail(e, MM_ECONFIG,
		                "[learner] objective = codevae with %u modalities: it decodes all of them from each of their "
		                "subsets, and at most %d are possible; take mopoe or helvae",
		                io->model->n_modalities, MOST_MODALITIES);
	const mm_tensor u = mmi_model_subset_logits(io->model, g), omega = mmi_graph_ops.softmax(g, u);
	for (uint32_t subset = 1; subset <= n_subsets(io->model); subset++) {
		mm_tensor term, weight = weight_of(io, omega, subset);
		MMI_TRY(record_subset(io, subset, &term, e));
		total = plus(g, total, weight);
		sum = plus(g, sum, mmi_graph_ops.mul(g, term, weight));
	}
	if (io->loss->masked)
		sum = mmi_graph_ops.mul(g, sum, mmi_elbo_power(g, total, -1));
	*out = mmi_graph_ops.axpby(g, 1, sum, -entropy_weight, entropy(g, u, omega));
	return MM_OK;
}

const mmi_objective mmi_objective_codevae = { "codevae",           MMI_FUSION_CONSENSUS,  .normal_only = true,
	                                          .shared_only = true, .baseline_only = true, .subset_weights = true,
	                                          .draws = draws,      .record = record };
