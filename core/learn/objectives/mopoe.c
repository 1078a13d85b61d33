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
	const mmi_expert q =
		mmi_elbo_product(io->loss->net.graph, io->experts, io->loss->subset, io->model->n_modalities, false);
	return mmi_elbo_one_draw(io, &q, out, e);
}

const mmi_objective mmi_objective_mopoe = {
	"mopoe",        MMI_FUSION_PRODUCT, .normal_only = true, .shared_only = true, .subset = MMI_SUBSET_ANY,
	.draws = draws, .record = record
};
