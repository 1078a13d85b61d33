/* loss.c - likelihoods of data and log densities of latents: one number per sample. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

/* All inputs have one shape. */
static mm_status infer_loss(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	for (uint32_t i = 1; i < node->n_in; i++)
		if (!mmi_shape_equal(mmi_in_shape(g, node, 0), mmi_in_shape(g, node, i)))
			return mmi_unequal(mmi_in_shape(g, node, 0), mmi_in_shape(g, node, i), e);
	node->shape = mmi_shape(0);
	return MM_OK;
}

static mm_status infer_categorical(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	MMI_TRY(mmi_infer_last_axis(g, node, e));
	return infer_loss(g, node, e);
}

/* Only to the likelihood's parameter: what is observed is a constant in every loss of the learner. */
static void grad_nll(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	mmi_grad_emit(c, n.in[1], mmi_ops[n.op]->backward, 3, (mm_tensor[]){ dy, n.in[0], n.in[1] }, &n.attr);
}

static void grad_logpdf(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	for (int32_t which = 0; which < 3; which++)
		mmi_grad_emit(c, n.in[which], mmi_ops[n.op]->backward, 4, (mm_tensor[]){ dy, n.in[0], n.in[1], n.in[2] },
		              &(mmi_attr){ .flag = which });
}

#define NLL(rule, back) .infer = (rule), .grad = grad_nll, .backward = MMI_OP_##back
#define LOGPDF(back) .infer = infer_loss, .grad = grad_logpdf, .backward = MMI_OP_##back

MMI_OP(NLL_GAUSSIAN, .name = "nll_gaussian", NLL(infer_loss, NLL_GAUSSIAN_BWD));
MMI_OP(NLL_GAUSSIAN_BWD, .name = "nll_gaussian_bwd");
MMI_OP(NLL_LAPLACE, .name = "nll_laplace", NLL(infer_loss, NLL_LAPLACE_BWD));
MMI_OP(NLL_LAPLACE_BWD, .name = "nll_laplace_bwd");
MMI_OP(NLL_BERNOULLI, .name = "nll_bernoulli", NLL(infer_loss, NLL_BERNOULLI_BWD));
MMI_OP(NLL_BERNOULLI_BWD, .name = "nll_bernoulli_bwd");
MMI_OP(NLL_CATEGORICAL, .name = "nll_categorical", NLL(infer_categorical, NLL_CATEGORICAL_BWD));
MMI_OP(NLL_CATEGORICAL_BWD, .name = "nll_categorical_bwd");
MMI_OP(LOGPDF_NORMAL, .name = "logpdf_normal", LOGPDF(LOGPDF_NORMAL_BWD));
MMI_OP(LOGPDF_NORMAL_BWD, .name = "logpdf_normal_bwd");
MMI_OP(LOGPDF_LAPLACE, .name = "logpdf_laplace", LOGPDF(LOGPDF_LAPLACE_BWD));
MMI_OP(LOGPDF_LAPLACE_BWD, .name = "logpdf_laplace_bwd");
