/* networks.c - recording of experts, decoders, likelihoods and latent densities. */
#include "config.h"

#include "engine/op.h"
#include "model/model.h"

#include <math.h>

static mm_tensor scale_head(const mmi_model *m, mmi_graph *g, mm_tensor raw)
{
	if (m->config.scale_head == MMI_SCALE_LOG_VARIANCE)
		return mmi_graph_ops.activation(g, mmi_graph_ops.affine(g, raw, 0.5f, 0), MM_ACT_EXP, 0);
	return mmi_graph_ops.affine(g, mmi_graph_ops.activation(g, raw, MM_ACT_SOFTPLUS, 0), 1, 1e-6f);
}

mm_status mmi_model_encode(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor x, mmi_expert *out, mm_error *e)
{
	mm_encoder_io io;
	mmi_graph_scope(g, m->inference, "%s.encoder", m->modalities[i].name);
	MMI_TRY(mmi_modality_build_encoder(&m->modalities[i], g, x, m->config.latent_dim, 0, &io, e));
	*out = (mmi_expert){ io.z_loc, scale_head(m, g, io.z_raw) };
	return MM_OK;
}

mm_status mmi_model_decode(const mmi_model *m, uint32_t i, mmi_graph *g, mm_tensor z, mm_tensor *out, mm_error *e)
{
	mmi_graph_scope(g, m->generator, "%s.decoder", m->modalities[i].name);
	return mmi_modality_build_decoder(&m->modalities[i], g, z, MMI_NONE, out, e);
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

static mm_tensor log_density(const mmi_model *m, mmi_graph *g, mm_tensor z, mm_tensor loc, mm_tensor scale)
{
	mmi_opcode op = m->config.prior == MMI_PRIOR_LAPLACE ? MMI_OP_LOGPDF_LAPLACE : MMI_OP_LOGPDF_NORMAL;
	mm_tensor args[3] = { z, loc, scale };
	return mmi_op(g, op, 3, args, NULL);
}

mm_tensor mmi_model_log_expert(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *expert)
{
	return log_density(m, g, z, expert->loc, expert->scale);
}

mm_tensor mmi_model_log_prior(const mmi_model *m, mmi_graph *g, mm_tensor z)
{
	mm_shape shape = mmi_shape(1, (int)m->config.latent_dim);
	return log_density(m, g, z, mmi_const(g, shape, 0), mmi_const(g, shape, 1));
}

/* log-mean-exp of numbers per sample. */
static mm_tensor log_mean_exp(mmi_graph *g, const mm_tensor *x, uint32_t n)
{
	mm_tensor vector[MMI_MAX_MODALITIES];
	mm_shape one = mmi_shape(1, 1);
	for (uint32_t i = 0; i < n; i++)
		vector[i] = mmi_graph_ops.reshape(g, x[i], &one);
	mm_tensor lse = mmi_graph_ops.log_sum_exp(g, mmi_graph_ops.concat(g, vector, n, 0));
	return mmi_graph_ops.affine(g, lse, 1, -logf((float)n));
}

static mm_tensor mean_of(mmi_graph *g, const mm_tensor *x, uint32_t n)
{
	mm_tensor sum = x[0];
	for (uint32_t i = 1; i < n; i++)
		sum = mmi_graph_ops.add(g, sum, x[i]);
	return n == 1 ? sum : mmi_graph_ops.affine(g, sum, 1.0f / (float)n, 0);
}

mm_tensor mmi_model_log_q(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *experts, mmi_inference_target target)
{
	mm_tensor log_q[MMI_MAX_MODALITIES];
	for (uint32_t i = 0; i < m->n_modalities; i++)
		log_q[i] = mmi_model_log_expert(m, g, z, &experts[i]);
	if (target == MMI_TARGET_MIXTURE)
		return log_mean_exp(g, log_q, m->n_modalities);
	if (target == MMI_TARGET_EACH)
		return mean_of(g, log_q, m->n_modalities);
	return mmi_graph_ops.axpby(g, 0.5f, log_mean_exp(g, log_q, m->n_modalities), 0.5f, mean_of(g, log_q, m->n_modalities));
}
