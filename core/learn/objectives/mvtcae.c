/* mvtcae.c - the multi-view total correlation objective (Hwang et al. 2021). One draw from the product q of the
 * observed experts, without the prior as an expert, and no term in which one modality has to be decoded from another's
 * expert: what a single view cannot know is not averaged away. The single experts are taught by the product instead.
 * With M modalities, K of them observed, and alpha = 5/6 as published:
 * (1 - alpha/M) sum_m weight_m NLL_m(x_m | z) + beta [(1 - alpha) KL(q || p0) + alpha/K sum_m KL(q || q_m)]. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

#define ALPHA (5.0f / 6.0f)

static uint32_t draws(const mmi_model *m)
{
	(void)m;
	return 1;
}

/* The mean over the observed experts of KL(q || q_m). */
static mm_tensor spread(const mmi_elbo_io *io, const mmi_expert *q)
{
	mmi_graph *g = io->loss->net.graph;
	uint32_t n = io->model->n_modalities;
	mm_tensor sum = MMI_NONE;
	for (uint32_t m = 0; m < n; m++) {
		mm_tensor term = mmi_elbo_divergence_from(g, q, &io->experts[m]);
		term = io->mixture ? mmi_graph_ops.mul(g, term, io->mixture->share[m])
		                   : mmi_graph_ops.affine(g, term, 1.0f / (float)n, 0);
		sum = m ? mmi_graph_ops.add(g, sum, term) : term;
	}
	return sum;
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_graph *g = io->loss->net.graph;
	uint32_t n = io->model->n_modalities;
	mmi_expert q = mmi_elbo_product(g, io->experts, io->loss->masked ? io->loss->observed : NULL, n, false);
	mmi_place place = io->loss->z[0];
	place.z = mmi_elbo_draw(g, q.loc, q.scale, place.z);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	mm_tensor divergence =
		mmi_graph_ops.axpby(g, 1 - ALPHA, mmi_elbo_divergence(g, q.loc, q.scale), ALPHA, spread(io, &q));
	*out = mmi_graph_ops.axpby(g, 1 - ALPHA / (float)n, *out, io->beta, divergence);
	return MM_OK;
}

const mmi_objective mmi_objective_mvtcae = {
	"mvtcae", MMI_FUSION_PRODUCT, .normal_only = true, .shared_only = true, .draws = draws, .record = record
};
