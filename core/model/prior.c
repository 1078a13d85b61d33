/* prior.c - p0(z): the standard one of the family, or what some baselines learn in its place. */
#include "mmi_build.h"

#include "engine/op.h"
#include "model/model.h"

#include <string.h>

enum { PRIOR_HIDDEN = 200 }; /* of the network of Pang et al. (2020) */

mm_tensor mmi_model_log_prior(const mmi_model *m, mmi_graph *g, mm_tensor z)
{
	mm_shape shape = mmi_graph_ops.shape(g, z);
	return mmi_model_log_density(m, g, z, mmi_const(g, shape, 0), mmi_const(g, shape, 1));
}

/* ------------------------------------------------------------ a mixture of clusters */

static const char scope[] = "prior";

/* Unbatched parameters as tensors per sample: see mmi_model_auxiliary_scale. With one input the default
 * initialisation is uniform in -1..1. */
static mm_tensor learned(const mmi_model *m, mmi_graph *g, const char *name, int32_t n, int32_t init)
{
	mmi_graph_scope(g, m->generator, scope);
	return mmi_graph_ops.linear(g, mmi_const(g, mmi_shape(1, 1), 1), name, n, 0, init);
}

mmi_cluster_params mmi_model_cluster_params(const mmi_model *m, mmi_graph *g)
{
	const int32_t clusters = (int32_t)m->config.clusters, d = mmi_model_z_dim(m);
	const mm_shape rows = mmi_shape(2, (int)clusters, (int)d);
	return (mmi_cluster_params){ .means = mmi_graph_ops.reshape(
									 g, learned(m, g, "means", clusters * d, MM_INIT_DEFAULT), &rows),
		                         .logits = learned(m, g, "logits", clusters, MM_INIT_ZERO) };
}

/* z [d] as n equal rows [n, d]: twice as many until there are enough. */
static mm_tensor repeated(mmi_graph *g, mm_tensor z, int32_t d, int32_t n)
{
	const mm_shape row = mmi_shape(2, 1, (int)d);
	mm_tensor x = mmi_graph_ops.reshape(g, z, &row);
	for (int32_t have = 1; have < n;) {
		const int32_t more = n - have < have ? n - have : have;
		const mm_tensor both[] = { x, more < have ? mmi_graph_ops.slice(g, x, 0, 0, more) : x };
		x = mmi_graph_ops.concat(g, both, 2, 0);
		have += more;
	}
	return x;
}

static mm_tensor size_of(mmi_graph *g, mm_tensor x)
{
	mm_tensor minus = mmi_graph_ops.affine(g, x, -1, 0);
	return mmi_graph_ops.add(g, mmi_graph_ops.activation(g, x, MM_ACT_RELU, 0),
	                         mmi_graph_ops.activation(g, minus, MM_ACT_RELU, 0));
}

/* log sum_c pi_c p(z | mu_c, 1). The published code's sum_c q(c | z) [log pi_c + log p(z | c) - log q(c | z)], with the
 * exact q(c | z), is the same number and has the same gradients. */
static mm_tensor log_mixture(const mmi_model *m, mmi_graph *g, mm_tensor z)
{
	const bool laplace = m->config.prior == MMI_PRIOR_LAPLACE;
	const int32_t d = mmi_model_z_dim(m);
	const mmi_cluster_params p = mmi_model_cluster_params(m, g);
	mm_tensor apart = mmi_graph_ops.axpby(g, 1, repeated(g, z, d, (int32_t)m->config.clusters), -1, p.means);
	mm_tensor terms = laplace ? size_of(g, apart) : mmi_graph_ops.mul(g, apart, apart);
	const float constant = (float)d * (laplace ? 0.69314718056f : 0.91893853320f);
	mm_tensor logs = mmi_graph_ops.affine(g, mmi_graph_ops.sum(g, terms, 1), laplace ? -1 : -0.5f, -constant);
	logs = mmi_graph_ops.add(g, logs, p.logits);
	return mmi_graph_ops.axpby(g, 1, mmi_graph_ops.log_sum_exp(g, logs), -1, mmi_graph_ops.log_sum_exp(g, p.logits));
}

/* ------------------------------------------------------------ an energy of latents */

mm_tensor mmi_model_latent_energy(const mmi_model *m, mmi_graph *g, mm_tensor z)
{
	const float slope = 0.2f;
	mmi_graph_scope(g, m->energy, scope);
	mm_tensor h = mmi_graph_ops.linear(g, z, "hidden1", PRIOR_HIDDEN, 1, MM_INIT_DEFAULT);
	h = mmi_graph_ops.activation(g, h, MM_ACT_LEAKY_RELU, slope);
	h = mmi_graph_ops.linear(g, h, "hidden2", PRIOR_HIDDEN, 1, MM_INIT_DEFAULT);
	h = mmi_graph_ops.activation(g, h, MM_ACT_LEAKY_RELU, slope);
	static const mm_shape scalar = { 0 };
	return mmi_graph_ops.reshape(g, mmi_graph_ops.linear(g, h, "out", 1, 1, MM_INIT_DEFAULT), &scalar);
}

/* ------------------------------------------------------------ whichever the model has */

mm_tensor mmi_model_log_prior_z(const mmi_model *m, mmi_graph *g, mm_tensor z)
{
	if (m->config.clusters)
		return log_mixture(m, g, z);
	mm_tensor log_p = mmi_model_log_prior(m, g, z);
	return m->config.latent_energy ? mmi_graph_ops.add(g, log_p, mmi_model_latent_energy(m, g, z)) : log_p;
}

mm_tensor mmi_model_log_prior_of(const mmi_model *m, mmi_graph *g, const mmi_place *p)
{
	mm_tensor sum = p->z == MMI_NONE ? MMI_NONE : mmi_model_log_prior_z(m, g, p->z);
	for (uint32_t i = 0; i < m->n_modalities && p->w[i] != MMI_NONE; i++) {
		mm_tensor log_p = mmi_model_log_prior(m, g, p->w[i]);
		sum = sum == MMI_NONE ? log_p : mmi_graph_ops.add(g, sum, log_p);
	}
	return sum;
}

static mmi_floats value_of(const mmi_params *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name))
			return mmi_params_value(p, i);
	return (mmi_floats){ NULL };
}

mmi_clusters mmi_model_clusters(const mmi_model *m)
{
	mmi_clusters none = { .n = 0 };
	if (!m->config.clusters)
		return none;
	return (mmi_clusters){ .n = m->config.clusters,
		                   .dim = (size_t)mmi_model_z_dim(m),
		                   .family = m->config.prior,
		                   .log_weight = value_of(m->generator, "prior.logits.weight"),
		                   .loc = value_of(m->generator, "prior.means.weight") };
}
