/* networks.c - recording of experts, decoders, likelihoods and latent densities. */
#include "mmi_build.h"

#include "engine/op.h"
#include "model/model.h"

#include <math.h>

static mm_tensor scale_head(const mmi_model *m, mmi_graph *g, mm_tensor raw)
{
	if (m->config.scale_head == MMI_SCALE_LOG_VARIANCE)
		return mmi_graph_ops.activation(g, mmi_graph_ops.affine(g, raw, 0.5f, 0), MM_ACT_EXP, 0);
	if (m->config.scale_head == MMI_SCALE_SOFTMAX) {
		const mm_shape shape = mmi_graph_ops.shape(g, raw);
		return mmi_graph_ops.affine(g, mmi_graph_ops.softmax(g, raw), (float)shape.dim[0], 1e-6f);
	}
	return mmi_graph_ops.affine(g, mmi_graph_ops.activation(g, raw, MM_ACT_SOFTPLUS, 0), 1, 1e-6f);
}

mm_status mmi_model_encode(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor x, mmi_expert *out, mm_error *e)
{
	mm_encoder_io io;
	mmi_graph_scope(g, m->inference, "%s.encoder", m->modalities[i].name);
	MMI_TRY(mmi_modality_build_encoder(&m->modalities[i], g, x, m->config.latent_dim, m->config.private_dim, &io, e));
	*out = (mmi_expert){ MMI_NONE, MMI_NONE, MMI_NONE, MMI_NONE };
	if (m->config.independent) {
		out->w_loc = io.z_loc;
		out->w_scale = scale_head(m, g, io.z_raw);
		return MM_OK;
	}
	out->loc = io.z_loc;
	out->scale = scale_head(m, g, io.z_raw);
	if (m->config.private_dim) {
		out->w_loc = io.w_loc;
		out->w_scale = scale_head(m, g, io.w_raw);
	}
	return MM_OK;
}

/* A parameter is not batched: as the weights of a layer that reads a 1 it becomes a tensor per sample. */
mm_tensor mmi_model_auxiliary_scale(const mmi_model *m, uint32_t i, mmi_graph *g)
{
	const float softplus_is_one = 0.54132485f;
	mmi_graph_scope(g, m->generator, "%s.auxiliary", m->modalities[i].name);
	mm_tensor raw =
		mmi_graph_ops.linear(g, mmi_const(g, mmi_shape(1, 1), 1), "scale", mmi_model_w_dim(m), 0, MM_INIT_ZERO);
	raw = mmi_graph_ops.affine(g, raw, 1, softplus_is_one);
	return mmi_graph_ops.affine(g, mmi_graph_ops.activation(g, raw, MM_ACT_SOFTPLUS, 0), 1, 1e-6f);
}

mm_tensor mmi_model_subset_logits(const mmi_model *m, mmi_graph *g)
{
	mmi_graph_scope(g, m->generator, "subsets");
	return mmi_graph_ops.linear(g, mmi_const(g, mmi_shape(1, 1), 1), "logits", (1 << m->n_modalities) - 1, 0,
	                            MM_INIT_ZERO);
}

mmi_place mmi_model_place(const mmi_model *m, mmi_graph *g)
{
	mmi_place p = { .z = MMI_NONE };
	int32_t z = mmi_model_z_dim(m), w = mmi_model_w_dim(m);
	if (z)
		p.z = mmi_input(g, "z", mmi_shape(1, (int)z));
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		p.w[i] = w && i < m->n_modalities ? mmi_input(g, "w", mmi_shape(1, (int)w)) : MMI_NONE;
	return p;
}

mm_status mmi_model_decode(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor z, mm_tensor w, mm_tensor *out,
                           mm_error *e)
{
	mmi_graph_scope(g, m->generator, "%s.decoder", m->modalities[i].name);
	if (m->config.independent)
		return mmi_modality_build_decoder(&m->modalities[i], g, w, MMI_NONE, out, e);
	return mmi_modality_build_decoder(&m->modalities[i], g, z, w, out, e);
}

mm_tensor mmi_model_mean(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor decoded)
{
	switch (m->modalities[i].info.likelihood) {
	case MM_LIKELIHOOD_BERNOULLI:
		return mmi_graph_ops.activation(g, decoded, MM_ACT_SIGMOID, 0);
	case MM_LIKELIHOOD_CATEGORICAL:
		return mmi_graph_ops.softmax(g, decoded);
	default:
		return decoded;
	}
}

mm_tensor mmi_model_nll(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor x, mm_tensor decoded)
{
	static const mmi_opcode ops[] = {
		[MM_LIKELIHOOD_GAUSSIAN] = MMI_OP_NLL_GAUSSIAN,
		[MM_LIKELIHOOD_LAPLACE] = MMI_OP_NLL_LAPLACE,
		[MM_LIKELIHOOD_BERNOULLI] = MMI_OP_NLL_BERNOULLI,
		[MM_LIKELIHOOD_CATEGORICAL] = MMI_OP_NLL_CATEGORICAL,
	};
	const mm_modality_info *info = &m->modalities[i].info;
	mm_tensor args[2] = { x, decoded };
	mm_tensor nll = mmi_op(g, ops[info->likelihood], 2, args, &(mmi_attr){ .a = info->likelihood_scale });
	return info->likelihood_weight == 1.0f ? nll : mmi_graph_ops.affine(g, nll, info->likelihood_weight, 0);
}

mm_tensor mmi_model_log_density(const mmi_model *m, mmi_graph *g, mm_tensor z, mm_tensor loc, mm_tensor scale)
{
	mmi_opcode op = m->config.prior == MMI_PRIOR_LAPLACE ? MMI_OP_LOGPDF_LAPLACE : MMI_OP_LOGPDF_NORMAL;
	mm_tensor args[3] = { z, loc, scale };
	return mmi_op(g, op, 3, args, NULL);
}

/* log sum_i exp(x_i) of numbers per sample. */
static mm_tensor log_sum_exp(mmi_graph *g, const mm_tensor *x, uint32_t n)
{
	mm_tensor vector[MMI_MAX_MODALITIES];
	mm_shape one = mmi_shape(1, 1);
	for (uint32_t i = 0; i < n; i++)
		vector[i] = mmi_graph_ops.reshape(g, x[i], &one);
	return mmi_graph_ops.log_sum_exp(g, mmi_graph_ops.concat(g, vector, n, 0));
}

static mm_tensor sum_of(mmi_graph *g, const mm_tensor *x, uint32_t n)
{
	mm_tensor sum = x[0];
	for (uint32_t i = 1; i < n; i++)
		sum = mmi_graph_ops.add(g, sum, x[i]);
	return sum;
}

static mm_tensor log_of_mixture(mmi_graph *g, const mm_tensor *log_q, uint32_t n, const mmi_mixture *weights)
{
	mm_tensor weighted[MMI_MAX_MODALITIES];
	if (!weights)
		return mmi_graph_ops.affine(g, log_sum_exp(g, log_q, n), 1, -logf((float)n));
	for (uint32_t i = 0; i < n; i++)
		weighted[i] = mmi_graph_ops.add(g, log_q[i], weights->log_share[i]);
	return log_sum_exp(g, weighted, n);
}

static mm_tensor mean_of_logs(mmi_graph *g, const mm_tensor *log_q, uint32_t n, const mmi_mixture *weights)
{
	mm_tensor weighted[MMI_MAX_MODALITIES];
	if (!weights)
		return n == 1 ? log_q[0] : mmi_graph_ops.affine(g, sum_of(g, log_q, n), 1.0f / (float)n, 0);
	for (uint32_t i = 0; i < n; i++)
		weighted[i] = mmi_graph_ops.mul(g, log_q[i], weights->share[i]);
	return sum_of(g, weighted, n);
}

mm_tensor mmi_model_log_q(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *experts,
                          mmi_inference_target target, const mmi_mixture *weights)
{
	mm_tensor log_q[MMI_MAX_MODALITIES];
	uint32_t n = m->n_modalities;
	for (uint32_t i = 0; i < n; i++)
		log_q[i] = mmi_model_log_density(m, g, z, experts[i].loc, experts[i].scale);
	if (target == MMI_TARGET_MIXTURE)
		return log_of_mixture(g, log_q, n, weights);
	if (target == MMI_TARGET_EACH)
		return mean_of_logs(g, log_q, n, weights);
	return mmi_graph_ops.axpby(g, 0.5f, log_of_mixture(g, log_q, n, weights), 0.5f, mean_of_logs(g, log_q, n, weights));
}
