/* mmvae.c - the stratified mixture:
 * (1/M) sum_e [ sum_m weight_m NLL_m(x_m | z_e) + beta (log q(z_e | X) - log p0(z_e)) ], z_e = loc_e + scale_e eps_e,
 * over the observed modalities. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static mm_status record_expert(const mmi_elbo_io *io, uint32_t i, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	mmi_place place = io->loss->z[i];
	place.z = mmi_elbo_draw_z(io, i, place.z);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	mm_tensor log_q =
		mmi_model_log_q(io->model, g, place.z, io->held ? io->held : io->experts, MMI_TARGET_MIXTURE, io->mixture);
	mm_tensor log_p = mmi_model_log_prior_z(io->model, g, place.z);
	*out = mmi_graph_ops.add(g, *out, mmi_graph_ops.axpby(g, io->beta, log_q, -io->beta, log_p));
	return MM_OK;
}

mm_status mmi_elbo_mmvae(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	return mmi_elbo_stratified(io, record_expert, out, e);
}

const mmi_objective mmi_objective_mmvae = { "mmvae",
	                                        MMI_FUSION_MIXTURE,
	                                        .shared_only = true,
	                                        .draws = mmi_elbo_draw_each,
	                                        .record = mmi_elbo_mmvae,
	                                        .expert = record_expert };
