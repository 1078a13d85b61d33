/* cmvae.c - mmvae+ with clusters (Palumbo et al. 2024): p0(z) = sum_c pi_c p(z | mu_c, 1), with pi and mu learned
 * (model/prior.c). After training, clusters that the data do not want are left out: mmcore fit-prior --prune. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

const mmi_objective mmi_objective_cmvae = {
	"cmvae",          MMI_FUSION_MIXTURE,          .private_only = true,          .baseline_only = true,
	.clusters = true, .draws = mmi_elbo_draw_each, .record = mmi_elbo_mmvae_plus, .expert = mmi_elbo_mmvae_plus_expert
};
