/* ops.c - the operation table. To add an operation: a line in opcodes.h, an entry here, a reference kernel in
 * backend/ref, and, where speed matters, one in the other backends. */
#include "mmi_build.h"

#include "engine/op_rules.h"

static double flops_matmul(const mmi_graph *g, const mmi_node *n)
{
	const mmi_node *w = &g->nodes[n->in[1]];
	return 2.0 * (double)mmi_shape_count(&w->shape);
}

static double flops_matmul_w(const mmi_graph *g, const mmi_node *n)
{
	(void)g;
	return 2.0 * (double)mmi_shape_count(&n->shape);
}

/* Every weight meets every position of the convolution's output once (padding taps included). */
static double flops_positions(const mm_shape *map, const mm_shape *w)
{
	return 2.0 * map->dim[0] * map->dim[1] * (double)mmi_shape_count(w);
}

static double flops_conv(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(&n->shape, &g->nodes[n->in[1]].shape);
}

static double flops_conv_bwd_x(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(&g->nodes[n->in[0]].shape, &g->nodes[n->in[1]].shape);
}

static double flops_conv_bwd_w(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(&g->nodes[n->in[1]].shape, &n->shape);
}

const mmi_op_info mmi_ops[MMI_OP_COUNT] = {
	[MMI_OP_INPUT] = { .name = "input" },
	[MMI_OP_PARAM] = { .name = "param" },
	[MMI_OP_CONST] = { .name = "const" },
	[MMI_OP_LINEAR] = { "linear", mmi_infer_linear, mmi_grad_linear, flops_matmul },
	[MMI_OP_LINEAR_BWD_X] = { "linear_bwd_x", NULL, NULL, flops_matmul },
	[MMI_OP_LINEAR_BWD_W] = { "linear_bwd_w", NULL, NULL, flops_matmul_w },
	[MMI_OP_CONV] = { "conv", mmi_infer_conv, mmi_grad_conv, flops_conv },
	[MMI_OP_CONV_BWD_X] = { "conv_bwd_x", NULL, mmi_grad_conv_bwd_x, flops_conv_bwd_x },
	[MMI_OP_CONV_BWD_W] = { "conv_bwd_w", NULL, NULL, flops_conv_bwd_w },
	[MMI_OP_BIAS_BWD] = { "bias_bwd", NULL, NULL, NULL },
	[MMI_OP_AVG_POOL] = { "avg_pool", mmi_infer_avg_pool, mmi_grad_avg_pool, NULL },
	[MMI_OP_AVG_POOL_BWD] = { "avg_pool_bwd", NULL, NULL, NULL },
	[MMI_OP_UPSAMPLE] = { "upsample", mmi_infer_upsample, mmi_grad_upsample, NULL },
	[MMI_OP_UPSAMPLE_BWD] = { "upsample_bwd", NULL, NULL, NULL },
	[MMI_OP_ADD] = { "add", mmi_infer_binary, mmi_grad_add_op, NULL },
	[MMI_OP_MUL] = { "mul", mmi_infer_binary, mmi_grad_mul, NULL },
	[MMI_OP_AFFINE] = { "affine", mmi_infer_same, mmi_grad_affine, NULL },
	[MMI_OP_ACT] = { "act", mmi_infer_act, mmi_grad_act, NULL },
	[MMI_OP_ACT_BWD] = { "act_bwd", NULL, NULL, NULL },
	[MMI_OP_CLAMP] = { "clamp", mmi_infer_clamp, mmi_grad_clamp, NULL },
	[MMI_OP_CLAMP_BWD] = { "clamp_bwd", NULL, NULL, NULL },
	[MMI_OP_LOG] = { "log", mmi_infer_same, mmi_grad_log, NULL },
	[MMI_OP_LOG_BWD] = { "log_bwd", NULL, NULL, NULL },
	[MMI_OP_SOFTMAX] = { "softmax", mmi_infer_last_axis, mmi_grad_softmax, NULL },
	[MMI_OP_SOFTMAX_BWD] = { "softmax_bwd", NULL, NULL, NULL },
	[MMI_OP_LSE] = { "lse", mmi_infer_lse, mmi_grad_lse, NULL },
	[MMI_OP_LSE_BWD] = { "lse_bwd", NULL, NULL, NULL },
	[MMI_OP_CONCAT] = { "concat", mmi_infer_concat, mmi_grad_concat, NULL },
	[MMI_OP_SLICE] = { "slice", mmi_infer_slice, mmi_grad_slice, NULL },
	[MMI_OP_SLICE_BWD] = { "slice_bwd", NULL, NULL, NULL },
	[MMI_OP_RESHAPE] = { "reshape", NULL, mmi_grad_reshape, NULL },
	[MMI_OP_SUM] = { "sum", mmi_infer_sum, mmi_grad_sum, NULL },
	[MMI_OP_SUM_BWD] = { "sum_bwd", NULL, NULL, NULL },
	[MMI_OP_SUM_ALL] = { "sum_all", mmi_infer_scalar, mmi_grad_sum_all, NULL },
	[MMI_OP_SUM_ALL_BWD] = { "sum_all_bwd", NULL, NULL, NULL },
	[MMI_OP_SQUARED_ERROR] = { "squared_error", mmi_infer_pair, mmi_grad_squared_error, NULL },
	[MMI_OP_SQUARED_ERROR_BWD] = { "squared_error_bwd", NULL, NULL, NULL },
	[MMI_OP_NLL_GAUSSIAN] = { "nll_gaussian", mmi_infer_pair, mmi_grad_nll, NULL },
	[MMI_OP_NLL_GAUSSIAN_BWD] = { "nll_gaussian_bwd", NULL, NULL, NULL },
	[MMI_OP_NLL_LAPLACE] = { "nll_laplace", mmi_infer_pair, mmi_grad_nll, NULL },
	[MMI_OP_NLL_LAPLACE_BWD] = { "nll_laplace_bwd", NULL, NULL, NULL },
	[MMI_OP_NLL_BERNOULLI] = { "nll_bernoulli", mmi_infer_pair, mmi_grad_nll, NULL },
	[MMI_OP_NLL_BERNOULLI_BWD] = { "nll_bernoulli_bwd", NULL, NULL, NULL },
	[MMI_OP_NLL_CATEGORICAL] = { "nll_categorical", mmi_infer_categorical, mmi_grad_nll, NULL },
	[MMI_OP_NLL_CATEGORICAL_BWD] = { "nll_categorical_bwd", NULL, NULL, NULL },
	[MMI_OP_LOGPDF_NORMAL] = { "logpdf_normal", mmi_infer_logpdf, mmi_grad_logpdf, NULL },
	[MMI_OP_LOGPDF_NORMAL_BWD] = { "logpdf_normal_bwd", NULL, NULL, NULL },
	[MMI_OP_LOGPDF_LAPLACE] = { "logpdf_laplace", mmi_infer_logpdf, mmi_grad_logpdf, NULL },
	[MMI_OP_LOGPDF_LAPLACE_BWD] = { "logpdf_laplace_bwd", NULL, NULL, NULL },
	[MMI_OP_GATHER] = { "gather", mmi_infer_gather, mmi_grad_gather, NULL },
	[MMI_OP_GATHER_BWD] = { "gather_bwd", NULL, NULL, NULL },
};
