/* mmjsd.c - the generalised Jensen-Shannon divergence (Sutter et al. 2020; the authors' repository): of the observed
 * experts and the prior, each with weight pi = 1 / (|O| + 1), to their normalised geometric mean f. z is of one expert,
 * drawn per sample; the prior is none of those drawn.
 * sum_m weight_m NLL_m(x_m | z) + beta pi [KL(p0 || f) + sum_i KL(q_i || f)]. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static uint32_t draws(const mmi_model *m)
{
	(void)m;
	return 1;
}

/* pi, a number per sample. */
static mm_tensor share(const mmi_elbo_io *io)
{
	mmi_graph *g = io->loss->net.graph;
	const uint32_t n = io->model->n_modalities;
	if (!io->loss->masked)
		return mmi_const(g, mmi_shape(0), 1.0f / (float)(n + 1));
	mm_tensor count = io->loss->observed[0];
	for (uint32_t m = 1; m < n; m++)
		count = mmi_graph_ops.add(g, count, io->loss->observed[m]);
	return mmi_elbo_power(g, mmi_graph_ops.affine(g, count, 1, 1), -1);
}

/* The product of prior and observed experts has every weight 1; with pi instead its location stays and its precision is
 * pi times as large. */
static mmi_expert geometric_mean(const mmi_elbo_io *io, mm_tensor pi)
{
	mmi_graph *g = io->loss->net.graph;
	mmi_expert f =
		mmi_elbo_product(g, io->experts, io->loss->masked ? io->loss->observed : NULL, io->model->n_modalities, true);
	f.scale = mmi_graph_ops.mul(g, f.scale, mmi_elbo_power(g, pi, -0.5f));
	return f;
}

static mm_tensor divergence(const mmi_elbo_io *io)
{
	mmi_graph *g = io->loss->net.graph;
	const mm_tensor pi = share(io);
	const mmi_expert f = geometric_mean(io, pi);
	const mm_shape shape = mmi_graph_ops.shape(g, f.loc);
	const mmi_expert prior = { mmi_const(g, shape, 0), mmi_const(g, shape, 1), MMI_NONE, MMI_NONE };
	mm_tensor sum = mmi_elbo_divergence_from(g, &prior, &f);
	for (uint32_t m = 0; m < io->model->n_modalities; m++) {
		mm_tensor own = mmi_elbo_divergence_from(g, &io->experts[m], &f);
		sum = mmi_graph_ops.add(g, sum, io->loss->masked ? mmi_graph_ops.mul(g, own, io->loss->observed[m]) : own);
	}
	return mmi_graph_ops.mul(g, sum, pi);
}

/* The draw of the one expert whose flag is 1. */
static mm_tensor draw_of_one(const mmi_elbo_io *io)
{
	mmi_graph *g = io->loss->net.graph;
	mm_tensor z = MMI_NONE;
	for (uint32_t m = 0; m < io->model->n_modalities; m++) {
		mm_tensor own = mmi_elbo_draw(g, io->experts[m].loc, io->experts[m].scale, io->loss->z[0].z);
		own = mmi_graph_ops.mul(g, own, io->loss->subset[m]);
		z = m ? mmi_graph_ops.add(g, z, own) : own;
	}
	return z;
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	mmi_place place = io->loss->z[0];
	place.z = draw_of_one(io);
	MMI_TRY(mmi_loss_nll(io->model, io->loss, &place, out, e));
	*out = mmi_graph_ops.axpby(io->loss->net.graph, 1, *out, io->beta, divergence(io));
	return MM_OK;
}

const mmi_objective mmi_objective_mmjsd = {
	"mmjsd",        MMI_FUSION_MIXTURE, .normal_only = true, .shared_only = true, .subset = MMI_SUBSET_ONE,
	.draws = draws, .record = record
};
