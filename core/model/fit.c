/* fit.c - what says whether the modalities of a tuple belong together: E_match, a part of the energy model with towers
 * of its own, and the agreement of the inference model's experts. E, the energy of texture, is in energy.c.
 *
 * Mismatch is worth a few nats, and E(data) / T varies by millions of them: so E_match is a term of its own, in nats,
 * trained apart (learn/terms/match.c), as HDGE and JEM train discriminative logits at temperature 1 beside p(x)
 * (Liu and Abbeel 2020; Grathwohl et al. 2020). Its optimum is pointwise mutual information. */
#include "mmi_build.h"

#include "model/model.h"
#include "model/tower.h"

#include <math.h>

/* ------------------------------------------------------------ directions */

/* x / |x|; the small number keeps the gradient at 0 finite. */
static mm_tensor direction(mmi_graph *g, mm_tensor x)
{
	mm_tensor square = mmi_graph_ops.affine(g, mmi_sum_all(g, mmi_graph_ops.mul(g, x, x), 1), 1, 1e-12f),
			  in[2] = { square };
	mm_tensor log_length = mmi_graph_ops.affine(g, mmi_op(g, MMI_OP_LOG, 1, in, NULL), -0.5f, 0);
	in[0] = x;
	in[1] = mmi_graph_ops.activation(g, log_length, MM_ACT_EXP, 0);
	return mmi_op(g, MMI_OP_MUL, 2, in, NULL);
}

/* scale * (|sum_m u_m|^2 - M): with unit vectors u_m twice the sum over pairs of their cosines, times scale. */
static mm_tensor pairs(const mmi_model *m, mmi_graph *g, mm_tensor sum, float scale)
{
	return mmi_graph_ops.affine(g, mmi_sum_all(g, mmi_graph_ops.mul(g, sum, sum), 1), scale,
	                            -scale * (float)m->n_modalities);
}

/* ------------------------------------------------------------ E_match */

/* Strides and a dense layer see what a picture shows, a few channels keep the cost at that of a small encoder; without
 * spectral normalisation, which towers are the worse for. */
static const mmi_tower_size layers = { .channels = 32, .most_channels = 64, .hidden = 128, .embedding = MMI_MATCH_DIM };

mm_status mmi_model_embed(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor x, mm_tensor *out, mm_error *e)
{
	mm_tensor features;
	mmi_graph_scope(g, m->match, "%s.features", m->modalities[i].name);
	MMI_TRY(mmi_modality_build_features(&m->modalities[i], g, x, &features, e));
	mmi_graph_scope(g, m->match, "%s.tower", m->modalities[i].name);
	*out = direction(g, mmi_tower_record(&layers, g, mmi_graph_ops.activation(g, features, MM_ACT_RELU, 0)));
	return MM_OK;
}

/* A parameter is not batched: as the weight of a layer that reads a 1 it becomes a tensor per sample. */
mm_tensor mmi_model_match_scale(const mmi_model *m, mmi_graph *g)
{
	const mm_shape number = mmi_shape(0);
	mmi_graph_scope(g, m->match, "temperature");
	mm_tensor raw = mmi_graph_ops.linear(g, mmi_const(g, mmi_shape(1, 1), 1), "scale", 1, 0, MM_INIT_ZERO);
	raw = mmi_graph_ops.activation(g, mmi_graph_ops.reshape(g, raw, &number), MM_ACT_SIGMOID, 0);
	return mmi_graph_ops.affine(g, raw, logf(MMI_MATCH_SCALE_MOST), 0);
}

static mm_status match(const mmi_model *m, mmi_graph *g, const mm_tensor *x, mm_tensor *out, mm_error *e)
{
	mm_tensor sum = MMI_NONE;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mm_tensor u;
		MMI_TRY(mmi_model_embed(m, i, g, x[i], &u, e));
		sum = i ? mmi_graph_ops.add(g, sum, u) : u;
	}
	mm_tensor scale = mmi_graph_ops.activation(g, mmi_model_match_scale(m, g), MM_ACT_EXP, 0);
	*out = mmi_graph_ops.mul(g, pairs(m, g, sum, -0.5f), scale);
	return MM_OK;
}

/* ------------------------------------------------------------ the experts' agreement */

/* The latents that experts are compared in. */
static mm_tensor compared(const mmi_model *m, mmi_graph *g, mm_tensor loc)
{
	mmi_attr a = { .axis = 0, .begin = 0, .count = m->config.agreement_dim };
	return a.count && a.count < m->config.latent_dim ? mmi_op(g, MMI_OP_SLICE, 1, &loc, &a) : loc;
}

/* Minus the mean over pairs of the cosine between experts' locations, times its weight. */
static mm_status agreement(const mmi_model *m, mmi_graph *g, const mm_tensor *x, mm_tensor *out, mm_error *e)
{
	const float n = (float)m->n_modalities;
	mm_tensor sum = MMI_NONE;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mmi_expert expert;
		MMI_TRY(mmi_model_encode(m, i, g, x[i], &expert, e));
		mm_tensor u = direction(g, compared(m, g, expert.loc));
		sum = i ? mmi_graph_ops.add(g, sum, u) : u;
	}
	*out = mmi_graph_ops.affine(g, pairs(m, g, sum, 1 / (n * (n - 1))), -(float)m->config.agreement, 0);
	return MM_OK;
}

/* ------------------------------------------------------------ the joint energy */

bool mmi_model_has_term(const mmi_model *m, mmi_term term)
{
	return term == MMI_TERM_TEXTURE || (term == MMI_TERM_MATCH && m->match) ||
	       (term == MMI_TERM_AGREEMENT && m->config.agreement > 0 && m->n_modalities > 1);
}

mm_status mmi_model_term(const mmi_model *m, mmi_term term, mmi_graph *g, const mm_tensor *x, mm_tensor *out,
                         mm_error *e)
{
	mm_status (*const record[MMI_TERMS])(const mmi_model *, mmi_graph *, const mm_tensor *, mm_tensor *,
	                                     mm_error *) = { mmi_model_energy, match, agreement };
	MMI_TRY(record[term](m, g, x, out, e));
	return mmi_graph_check(g, e);
}
