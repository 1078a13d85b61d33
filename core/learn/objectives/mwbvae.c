/* mwbvae.c - the mixture of the 2-Wasserstein barycentres of all non-empty subsets of the observed experts. Quantile
 * functions average, so that locations and scales (not variances) do, and a Laplace stays one. Only an abstract of the
 * method was found; the reading is that of mopoe with barycentres for products: one subset S is drawn per sample,
 * uniformly, and everything observed is decoded from it:
 * sum_m weight_m NLL_m(x_m | z_S) + beta KL(q(z | X_S) || p0). */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static uint32_t draws(const mmi_model *m)
{
	(void)m;
	return 1;
}

static mm_tensor mean_of(mmi_graph *g, const mm_tensor *x, const mm_tensor *in, mm_tensor of_count, uint32_t n)
{
	mm_tensor sum = MMI_NONE;
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor own = mmi_graph_ops.mul(g, x[i], in[i]);
		sum = i ? mmi_graph_ops.add(g, sum, own) : own;
	}
	return mmi_graph_ops.mul(g, sum, of_count);
}

static mmi_expert barycentre(const mmi_elbo_io *io)
{
	mmi_graph *g = io->loss->net.graph;
	const mm_tensor *in = io->loss->subset;
	const uint32_t n = io->model->n_modalities;
	mm_tensor loc[MMI_MAX_MODALITIES], scale[MMI_MAX_MODALITIES], count = in[0];
	for (uint32_t i = 0; i < n; i++) {
		loc[i] = io->experts[i].loc;
		scale[i] = io->experts[i].scale;
		count = i ? mmi_graph_ops.add(g, count, in[i]) : count;
	}
	count = mmi_elbo_power(g, count, -1);
	return (mmi_expert){ mean_of(g, loc, in, count, n), mean_of(g, scale, in, count, n), MMI_NONE, MMI_NONE };
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	const mmi_expert q = barycentre(io);
	return mmi_elbo_one_draw(io, &q, out, e);
}

const mmi_objective mmi_objective_mwbvae = {
	"mwbvae", MMI_FUSION_BARYCENTRE, .shared_only = true, .subset = MMI_SUBSET_ANY, .draws = draws, .record = record
};
