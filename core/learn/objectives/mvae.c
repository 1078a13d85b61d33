/* mvae.c - the product of experts with the prior as a further expert. Terms: all observed modalities together, and each
 * one alone (the paper's random further subsets are not used), with the mean of the M + 1 as the loss: sum_{m in S}
 * weight_m NLL_m(x_m | z_S) + beta KL(q(z | X_S) || p0). */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static uint32_t draws(const mmi_model *m)
{
	return m->n_modalities + 1 <= MMI_MAX_MODALITIES ? m->n_modalities + 1 : MMI_MAX_MODALITIES;
}

static mm_status record_joint(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	mmi_expert q =
		mmi_elbo_product(g, io->experts, io->loss->masked ? io->loss->observed : NULL, io->model->n_modalities, true);
	mmi_place place = { .z = mmi_elbo_draw(g, q.loc, q.scale, io->loss->z[0].z) };
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		place.w[m] = MMI_NONE;
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	*out = mmi_graph_ops.axpby(g, 1, *out, io->beta, mmi_elbo_divergence(g, q.loc, q.scale));
	return MM_OK;
}

static mm_status record_alone(const mmi_elbo_io *io, uint32_t m, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor decoded;
	mmi_expert q = mmi_elbo_product(g, &io->experts[m], NULL, 1, true);
	mm_tensor z = mmi_elbo_draw(g, q.loc, q.scale, io->loss->z[(m + 1) % io->loss->n_z].z);
	MMI_TRY(mmi_model_decode(io->model, m, g, z, MMI_NONE, &decoded, e));
	mm_tensor nll = mmi_model_nll(io->model, m, g, io->loss->x[m], decoded);
	*out = mmi_graph_ops.axpby(g, 1, nll, io->beta, mmi_elbo_divergence(g, q.loc, q.scale));
	if (io->loss->masked)
		*out = mmi_graph_ops.mul(g, *out, io->loss->observed[m]);
	return MM_OK;
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	MMI_TRY(record_joint(io, out, e));
	for (uint32_t m = 0; m < io->model->n_modalities; m++) {
		mm_tensor term;
		MMI_TRY(record_alone(io, m, &term, e));
		*out = mmi_graph_ops.add(g, *out, term);
	}
	*out = mmi_graph_ops.affine(g, *out, 1.0f / (float)(io->model->n_modalities + 1), 0);
	return MM_OK;
}

const mmi_objective mmi_objective_mvae = {
	"mvae", MMI_FUSION_PRODUCT_PRIOR, .normal_only = true, .shared_only = true, .draws = draws, .record = record
};
