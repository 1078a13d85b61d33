/* helvae.c - the Hellinger pool (Huyen Vo and Isabel Valera; their CelebA code): q(z | X) is the diagonal normal with
 * the moments of (sum_i sqrt q_i)^2 over the observed experts. That density is a mixture: each expert with weight 1,
 * and each pair with weight 2 S_ij, S_ij = integral of sqrt(q_i q_j), a number for a pair and not for a dimension,
 * around the normal proportional to sqrt(q_i q_j). sum_m weight_m NLL_m(x_m | z) + beta KL(q || p0). */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

#include <math.h>

enum { MOST_PARTS = MMI_MAX_MODALITIES * (MMI_MAX_MODALITIES + 1) / 2 };

typedef struct part {        /* of the mixture */
	mm_tensor weight;        /* []; MMI_NONE: 1 */
	mm_tensor loc, variance; /* [z_dim] */
} part;

static uint32_t draws(const mmi_model *m)
{
	(void)m;
	return 1;
}

static mm_tensor squared(mmi_graph *g, mm_tensor x)
{
	return mmi_graph_ops.mul(g, x, x);
}

static mm_tensor log_of(mmi_graph *g, mm_tensor x)
{
	return mmi_op(g, MMI_OP_LOG, 1, &x, NULL);
}

/* S_ij = prod_d sqrt(2 s_i s_j / (s_i^2 + s_j^2)) exp(-(loc_i - loc_j)^2 / (4 (s_i^2 + s_j^2))) */
static mm_tensor overlap(mmi_graph *g, const mmi_expert *a, const mmi_expert *b, mm_tensor total)
{
	mm_tensor logs = mmi_graph_ops.add(g, log_of(g, a->scale), log_of(g, b->scale));
	logs = mmi_graph_ops.affine(g, mmi_graph_ops.axpby(g, 0.5f, logs, -0.5f, log_of(g, total)), 1, 0.5f * logf(2));
	mm_tensor apart = squared(g, mmi_graph_ops.axpby(g, 1, a->loc, -1, b->loc));
	apart = mmi_graph_ops.mul(g, apart, mmi_elbo_power(g, total, -1));
	mm_tensor sum = mmi_sum_all(g, mmi_graph_ops.axpby(g, 1, logs, -0.25f, apart), 1);
	return mmi_graph_ops.activation(g, sum, MM_ACT_EXP, 0);
}

static part pair(mmi_graph *g, const mmi_expert *a, const mmi_expert *b)
{
	mm_tensor va = squared(g, a->scale), vb = squared(g, b->scale), total = mmi_graph_ops.add(g, va, vb);
	mm_tensor of_total = mmi_elbo_power(g, total, -1);
	mm_tensor pulled = mmi_graph_ops.add(g, mmi_graph_ops.mul(g, a->loc, vb), mmi_graph_ops.mul(g, b->loc, va));
	mm_tensor variance = mmi_graph_ops.affine(g, mmi_graph_ops.mul(g, va, vb), 2, 0);
	return (part){ .weight = mmi_graph_ops.affine(g, overlap(g, a, b, total), 2, 0),
		           .loc = mmi_graph_ops.mul(g, pulled, of_total),
		           .variance = mmi_graph_ops.mul(g, variance, of_total) };
}

static uint32_t mixture_of(const mmi_elbo_io *io, part *parts)
{
	mmi_graph *g = io->loss->net.graph;
	const mm_tensor *observed = io->loss->masked ? io->loss->observed : NULL;
	uint32_t n = 0;
	for (uint32_t i = 0; i < io->model->n_modalities; i++) {
		const mmi_expert *x = &io->experts[i];
		parts[n++] = (part){ observed ? observed[i] : MMI_NONE, x->loc, squared(g, x->scale) };
		for (uint32_t k = 0; k < i; k++) {
			part *p = &parts[n++];
			*p = pair(g, &io->experts[k], x);
			if (observed)
				p->weight = mmi_graph_ops.mul(g, mmi_graph_ops.mul(g, p->weight, observed[i]), observed[k]);
		}
	}
	return n;
}

static mm_tensor weighted(mmi_graph *g, const part *p, mm_tensor x)
{
	return p->weight == MMI_NONE ? x : mmi_graph_ops.mul(g, x, p->weight);
}

/* sum of the weights */
static mm_tensor mass(mmi_graph *g, const part *parts, uint32_t n)
{
	mm_tensor sum = MMI_NONE;
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor w = parts[i].weight == MMI_NONE ? mmi_const(g, mmi_shape(0), 1) : parts[i].weight;
		sum = i ? mmi_graph_ops.add(g, sum, w) : w;
	}
	return sum;
}

/* Variance within and between the parts: the difference of E[z^2] and the squared mean would lose its digits where
 * experts agree far from 0. */
static mmi_expert moments(mmi_graph *g, const part *parts, uint32_t n)
{
	mm_tensor of_mass = mmi_elbo_power(g, mass(g, parts, n), -1), mean = MMI_NONE, variance = MMI_NONE;
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor term = weighted(g, &parts[i], parts[i].loc);
		mean = i ? mmi_graph_ops.add(g, mean, term) : term;
	}
	mean = mmi_graph_ops.mul(g, mean, of_mass);
	for (uint32_t i = 0; i < n; i++) {
		mm_tensor apart = squared(g, mmi_graph_ops.axpby(g, 1, parts[i].loc, -1, mean));
		mm_tensor term = weighted(g, &parts[i], mmi_graph_ops.add(g, parts[i].variance, apart));
		variance = i ? mmi_graph_ops.add(g, variance, term) : term;
	}
	variance = mmi_graph_ops.mul(g, variance, of_mass);
	return (mmi_expert){ mean, mmi_elbo_power(g, variance, 0.5f), MMI_NONE, MMI_NONE };
}

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	part parts[MOST_PARTS];
	const uint32_t n = mixture_of(io, parts);
	const mmi_expert q = moments(io->loss->net.graph, parts, n);
	return mmi_elbo_one_draw(io, &q, out, e);
}

const mmi_objective mmi_objective_helvae = {
	"helvae", MMI_FUSION_HELLINGER, .normal_only = true, .shared_only = true, .draws = draws, .record = record
};
