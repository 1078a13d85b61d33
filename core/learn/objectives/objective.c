/* objective.c - the list of objectives, and what several of them use. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

const mmi_objective *const mmi_objectives[] = {
	&mmi_objective_mmvae,   &mmi_objective_mvae,   &mmi_objective_mopoe, &mmi_objective_mmvae_plus,
	&mmi_objective_mvtcae,  &mmi_objective_helvae, &mmi_objective_mmjsd, &mmi_objective_mwbvae,
	&mmi_objective_codevae, &mmi_objective_cmvae,  &mmi_objective_mvebm, NULL,
};
const char *const mmi_objective_names[] = {
	"mmvae", "mvae", "mopoe", "mmvae+", "mvtcae", "helvae", "mmjsd", "mwbvae", "codevae", "cmvae", "mvebm", NULL,
};

mm_tensor mmi_elbo_draw(mmi_graph *g, mm_tensor loc, mm_tensor scale, mm_tensor eps)
{
	return mmi_graph_ops.add(g, loc, mmi_graph_ops.mul(g, eps, scale));
}

mm_tensor mmi_elbo_power(mmi_graph *g, mm_tensor x, float exponent)
{
	mm_tensor log_x = mmi_op(g, MMI_OP_LOG, 1, &x, NULL);
	return mmi_graph_ops.activation(g, mmi_graph_ops.affine(g, log_x, exponent, 0), MM_ACT_EXP, 0);
}

mmi_expert mmi_elbo_product(mmi_graph *g, const mmi_expert *experts, const mm_tensor *weight, uint32_t n, bool prior)
{
	mm_tensor total = MMI_NONE, pulled = MMI_NONE;
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor precision = mmi_elbo_power(g, experts[i].scale, -2);
		if (weight)
			precision = mmi_graph_ops.mul(g, precision, weight[i]);
		mm_tensor pull = mmi_graph_ops.mul(g, experts[i].loc, precision);
		total = i ? mmi_graph_ops.add(g, total, precision) : precision;
		pulled = i ? mmi_graph_ops.add(g, pulled, pull) : pull;
	}
	if (prior)
		total = mmi_graph_ops.affine(g, total, 1, 1);
	return (mmi_expert){ mmi_graph_ops.mul(g, pulled, mmi_elbo_power(g, total, -1)), mmi_elbo_power(g, total, -0.5f),
		                 MMI_NONE, MMI_NONE };
}

mm_tensor mmi_elbo_divergence(mmi_graph *g, mm_tensor loc, mm_tensor scale)
{
	mm_tensor squares =
		mmi_graph_ops.axpby(g, 0.5f, mmi_graph_ops.mul(g, loc, loc), 0.5f, mmi_graph_ops.mul(g, scale, scale));
	mm_tensor log_scale = mmi_op(g, MMI_OP_LOG, 1, &scale, NULL);
	mm_tensor terms = mmi_graph_ops.axpby(g, 1, squares, -1, mmi_graph_ops.affine(g, log_scale, 1, 0.5f));
	return mmi_sum_all(g, terms, 1);
}

mm_tensor mmi_elbo_divergence_from(mmi_graph *g, const mmi_expert *q, const mmi_expert *p)
{
	mm_tensor apart = mmi_graph_ops.axpby(g, 1, q->loc, -1, p->loc);
	mm_tensor squares = mmi_graph_ops.axpby(g, 0.5f, mmi_graph_ops.mul(g, apart, apart), 0.5f,
	                                        mmi_graph_ops.mul(g, q->scale, q->scale));
	mm_tensor log_ratio = mmi_graph_ops.axpby(g, 1, mmi_op(g, MMI_OP_LOG, 1, &p->scale, NULL), -1,
	                                          mmi_op(g, MMI_OP_LOG, 1, &q->scale, NULL));
	mm_tensor terms = mmi_graph_ops.axpby(g, 1, mmi_graph_ops.mul(g, squares, mmi_elbo_power(g, p->scale, -2)), 1,
	                                      mmi_graph_ops.affine(g, log_ratio, 1, -0.5f));
	return mmi_sum_all(g, terms, 1);
}

/* KL(Laplace(loc, scale) || Laplace(0, 1)) = sum |loc| + scale exp(-|loc| / scale) - log scale - 1 */
static mm_tensor divergence_of_laplace(mmi_graph *g, mm_tensor loc, mm_tensor scale)
{
	mm_tensor minus = mmi_graph_ops.affine(g, loc, -1, 0);
	mm_tensor size = mmi_graph_ops.add(g, mmi_graph_ops.activation(g, loc, MM_ACT_RELU, 0),
	                                   mmi_graph_ops.activation(g, minus, MM_ACT_RELU, 0));
	mm_tensor ratio = mmi_graph_ops.mul(g, size, mmi_elbo_power(g, scale, -1));
	mm_tensor near = mmi_graph_ops.activation(g, mmi_graph_ops.affine(g, ratio, -1, 0), MM_ACT_EXP, 0);
	mm_tensor terms = mmi_graph_ops.add(g, size, mmi_graph_ops.mul(g, scale, near));
	mm_tensor log_scale = mmi_op(g, MMI_OP_LOG, 1, &scale, NULL);
	return mmi_sum_all(g, mmi_graph_ops.axpby(g, 1, terms, -1, mmi_graph_ops.affine(g, log_scale, 1, 1)), 1);
}

mm_status mmi_elbo_one_draw(const mmi_elbo_io *io, const mmi_expert *q, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	const bool laplace = io->model->config.prior == MMI_PRIOR_LAPLACE;
	mmi_place place = io->loss->z[0];
	place.z = mmi_elbo_draw(g, q->loc, q->scale, place.z);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	mm_tensor divergence =
		laplace ? divergence_of_laplace(g, q->loc, q->scale) : mmi_elbo_divergence(g, q->loc, q->scale);
	*out = mmi_graph_ops.axpby(g, 1, *out, io->beta, divergence);
	return MM_OK;
}

/* W of expert i's draw, a number per sample: the share that it has in the loss is W / |O|. */
static mm_tensor weight_of(const mmi_elbo_io *io, uint32_t i)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor count = io->loss->observed[0];
	for (uint32_t m = 1; m < io->model->n_modalities; m++)
		count = mmi_graph_ops.add(g, count, io->loss->observed[m]);
	return mmi_graph_ops.mul(g, count, io->mixture->share[i]);
}

/* The draw itself, whose gradient is `weight` times as large: at the place of the held one, from which it does not
 * differ. */
static mm_tensor reweighted(mmi_graph *g, mm_tensor draw, mm_tensor held, mm_tensor weight)
{
	mm_tensor apart = mmi_graph_ops.axpby(g, 1, draw, -1, held);
	return mmi_graph_ops.add(g, held, mmi_graph_ops.mul(g, apart, weight));
}

mm_tensor mmi_elbo_draw_z(const mmi_elbo_io *io, uint32_t i, mm_tensor eps)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor draw = mmi_elbo_draw(g, io->experts[i].loc, io->experts[i].scale, eps);
	return io->held ? reweighted(g, draw, mmi_elbo_draw(g, io->held[i].loc, io->held[i].scale, eps), weight_of(io, i))
	                : draw;
}

mm_tensor mmi_elbo_draw_w(const mmi_elbo_io *io, uint32_t i, mm_tensor eps)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor draw = mmi_elbo_draw(g, io->experts[i].w_loc, io->experts[i].w_scale, eps);
	return io->held
	           ? reweighted(g, draw, mmi_elbo_draw(g, io->held[i].w_loc, io->held[i].w_scale, eps), weight_of(io, i))
	           : draw;
}

uint32_t mmi_elbo_draw_each(const mmi_model *m)
{
	return m->n_modalities;
}

mm_status mmi_elbo_stratified(const mmi_elbo_io *io, mmi_elbo_expert *record_expert, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	uint32_t n = io->model->n_modalities;
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor term;
		MMI_TRY(record_expert(io, i, &term, e));
		if (io->mixture)
			term = mmi_graph_ops.mul(g, term, io->mixture->share[i]);
		*out = i ? mmi_graph_ops.add(g, *out, term) : term;
	}
	if (!io->mixture)
		*out = mmi_graph_ops.affine(g, *out, 1.0f / (float)n, 0);
	return MM_OK;
}
