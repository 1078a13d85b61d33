/* mmvae_plus.c - the stratified mixture with private latents:
 * (1/M) sum_e [ NLL_e(x_e | z_e, w_e) + sum_{m != e} NLL_m(x_m | z_e, w~_m)
 *               + beta (log q(z_e | X) - log p0(z_e) + log q(w_e | x_e) - log p0(w_e)) ],
 * w_e ~ q(w | x_e), w~_m ~ r_m, an auxiliary prior with location 0 and a scale that is learned; so that no w can carry
 * what the others need. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

/* Expert i's own latents, and auxiliary draws for the others. */
static mmi_place place_of(const mmi_elbo_io *io, uint32_t i)
{
	mmi_graph *g = io->loss->net.graph;
	const mmi_place *eps = &io->loss->z[i];
	mmi_place p = { .z = mmi_elbo_draw_z(io, i, eps->z) };
	for (uint32_t m = 0; m < io->model->n_modalities; m++)
		p.w[m] = m == i ? mmi_elbo_draw_w(io, i, eps->w[i])
		                : mmi_graph_ops.mul(g, eps->w[m], mmi_model_auxiliary_scale(io->model, m, g));
	return p;
}

mm_status mmi_elbo_mmvae_plus_expert(const mmi_elbo_io *io, uint32_t i, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	const mmi_model *m = io->model;
	const mmi_expert *seen = io->held ? io->held : io->experts, *own = &seen[i];
	mmi_place p = place_of(io, i);
	MMI_TRY(mmi_loss_nll(m, io->loss, &p, out, e));
	mm_tensor log_q = mmi_graph_ops.add(g, mmi_model_log_q(m, g, p.z, seen, MMI_TARGET_MIXTURE, io->mixture),
	                                    mmi_model_log_density(m, g, p.w[i], own->w_loc, own->w_scale));
	mm_tensor log_p = mmi_graph_ops.add(g, mmi_model_log_prior_z(m, g, p.z), mmi_model_log_prior(m, g, p.w[i]));
	*out = mmi_graph_ops.add(g, *out, mmi_graph_ops.axpby(g, io->beta, log_q, -io->beta, log_p));
	return MM_OK;
}

mm_status mmi_elbo_mmvae_plus(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	return mmi_elbo_stratified(io, mmi_elbo_mmvae_plus_expert, out, e);
}

const mmi_objective mmi_objective_mmvae_plus = { "mmvae+",
	                                             MMI_FUSION_MIXTURE,
	                                             .private_only = true,
	                                             .draws = mmi_elbo_draw_each,
	                                             .record = mmi_elbo_mmvae_plus,
	                                             .expert = mmi_elbo_mmvae_plus_expert };
