/* linear.c - linear layers and convolutions, and their gradients. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

static mm_status infer_linear(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0), *w = mmi_in_shape(g, node, 1);
	if (w->rank != 2 || mmi_shape_count(x) != w->dim[0])
		return mmi_unequal(x, w, e);
	node->shape = mmi_shape(1, w->dim[1]);
	return MM_OK;
}

/* dx from dy and w with `to_x`; dw from `in`, which is x and dy with x first; the bias collects dy. */
static void grad_layer(mmi_grad_ctx *c, const mmi_node *n, mm_tensor dy, mmi_opcode to_x, mmi_opcode to_w,
                       const mm_tensor in[2])
{
	mmi_grad_emit(c, n->in[0], to_x, 2, (mm_tensor[]){ dy, n->in[1] }, &n->attr);
	mmi_grad_emit_param(c, n->in[1], to_w, 2, in, &n->attr);
	if (n->n_in == 3)
		mmi_grad_emit_param(c, n->in[2], MMI_OP_BIAS_BWD, 1, &dy, NULL);
}

static void grad_linear(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	grad_layer(c, &n, dy, MMI_OP_LINEAR_BWD_X, MMI_OP_LINEAR_BWD_W, (mm_tensor[]){ n.in[0], dy });
}

static double flops_matmul(const mmi_graph *g, const mmi_node *n)
{
	return 2.0 * (double)mmi_shape_count(mmi_in_shape(g, n, 1));
}

static double flops_matmul_w(const mmi_graph *g, const mmi_node *n)
{
	(void)g;
	return 2.0 * (double)mmi_shape_count(&n->shape);
}

MMI_OP(LINEAR, .name = "linear", .infer = infer_linear, .grad = grad_linear, .flops = flops_matmul);
MMI_OP(LINEAR_BWD_X, .name = "linear_bwd_x", .flops = flops_matmul);
MMI_OP(LINEAR_BWD_W, .name = "linear_bwd_w", .param_grad = true, .flops = flops_matmul_w);

/* ---------------------------------------------------------------- convolutions */

static mm_status infer_conv(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0), *w = mmi_in_shape(g, node, 1);
	const mmi_attr *a = &node->attr;
	if (x->rank != 3 || w->rank != 4 || x->dim[2] != w->dim[2])
		return mmi_unequal(x, w, e);
	int32_t h = (x->dim[0] + 2 * a->ph - a->kh), v = (x->dim[1] + 2 * a->pw - a->kw);
	if (h < 0 || v < 0)
		return mmi_fail(e, MM_ESHAPE, "a kernel of %dx%d does not fit a map of %dx%d padded by %dx%d", a->kh, a->kw,
		                x->dim[0], x->dim[1], a->ph, a->pw);
	node->shape = mmi_shape(3, h / a->sh + 1, v / a->sw + 1, w->dim[3]);
	return MM_OK;
}

static void grad_conv(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	grad_layer(c, &n, dy, MMI_OP_CONV_BWD_X, MMI_OP_CONV_BWD_W, (mm_tensor[]){ n.in[0], dy });
}

/* The transposed convolution x -> y is a convolution y -> x run backwards: its input gradient is that convolution, its
 * weight gradient that convolution's with the roles of x and dy exchanged. */
static void grad_transposed(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	grad_layer(c, &n, dy, MMI_OP_CONV, MMI_OP_CONV_BWD_W, (mm_tensor[]){ dy, n.in[0] });
}

/* Every weight meets every position of the convolution's output once (padding taps included). */
static double flops_positions(const mm_shape *map, const mm_shape *w)
{
	return 2.0 * map->dim[0] * map->dim[1] * (double)mmi_shape_count(w);
}

/* Of a map of which every cell stands for four (fold.h) four taps in place of nine. */
static double flops_conv(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(&n->shape, mmi_in_shape(g, n, 1)) * (n->attr.flag ? 4.0 / 9 : 1);
}

static double flops_conv_bwd_x(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(mmi_in_shape(g, n, 0), mmi_in_shape(g, n, 1)) * (n->attr.flag ? 4.0 / 9 : 1);
}

static double flops_conv_bwd_w(const mmi_graph *g, const mmi_node *n)
{
	return flops_positions(mmi_in_shape(g, n, 1), &n->shape);
}

MMI_OP(CONV, .name = "conv", .infer = infer_conv, .grad = grad_conv, .flops = flops_conv);
MMI_OP(CONV_BWD_X, .name = "conv_bwd_x", .grad = grad_transposed, .flops = flops_conv_bwd_x);
MMI_OP(CONV_BWD_W, .name = "conv_bwd_w", .param_grad = true, .flops = flops_conv_bwd_w);
MMI_OP(BIAS_BWD, .name = "bias_bwd", .param_grad = true);
