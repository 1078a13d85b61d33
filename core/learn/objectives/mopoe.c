/* mopoe.c - the mixture of the products over all non-empty subsets of the observed modalities, without the prior as an
 * expert. One subset S is drawn per sample, uniformly, as the authors' code shares a batch among the subsets;
 * everything observed is decoded from it: sum_m weight_m NLL_m(x_m | z_S) + beta KL(q(z | X_S) || p0). */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static uint32_t draws(const mmi_model *m)
{
	(void)m;
	return 1;
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	mmi_expert q = mmi_elbo_product(g, io->experts, io->loss->subset, io->model->n_modalities, false);
	mmi_place place = io->loss->z[0];
	place.z = mmi_elbo_draw(g, q.loc, q.scale, place.z);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	*out = mmi_graph_ops.axpby(g, 1, *out, io->beta, mmi_elbo_divergence(g, q.loc, q.scale));
	return MM_OK;
}

const mmi_objective mmi_objective_mopoe = {
	"mopoe",        MMI_FUSION_PRODUCT, .normal_only = true, .shared_only = true, .one_subset = true,
	.draws = draws, .record = record
};
