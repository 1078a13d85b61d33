/* map.c - element-wise maps. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

static mm_status infer_binary(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0), *y = mmi_in_shape(g, node, 1);
	if (y->rank != 0 && !mmi_shape_equal(x, y))
		return mmi_unequal(x, y, e);
	node->shape = *x;
	return MM_OK;
}

/* dy times a factor, to tensor x; a scalar per sample that was broadcast collects the sum. */
static void add_scaled(mmi_grad_ctx *c, mm_tensor x, mm_tensor dy, float factor)
{
	mmi_graph *g = mmi_grad_graph(c);
	mm_shape s = g->nodes[dy].shape;
	if (!mmi_grad_wanted(c, x))
		return;
	if (g->nodes[x].shape.rank == 0 && s.rank != 0)
		mmi_grad_add(c, x, mmi_sum_all(g, dy, factor));
	else if (factor == 1.0f)
		mmi_grad_add(c, x, dy);
	else
		mmi_grad_emit(c, x, MMI_OP_AFFINE, 1, &dy, &(mmi_attr){ .a = factor });
}

static void grad_add(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	add_scaled(c, n.in[0], dy, n.attr.a);
	add_scaled(c, n.in[1], dy, n.attr.b);
}

static void grad_mul(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	mmi_grad_emit(c, n.in[0], MMI_OP_MUL, 2, (mm_tensor[]){ dy, n.in[1] }, NULL);
	if (!mmi_grad_wanted(c, n.in[1]))
		return;
	mm_tensor product = mmi_op(mmi_grad_graph(c), MMI_OP_MUL, 2, (mm_tensor[]){ dy, n.in[0] }, NULL);
	add_scaled(c, n.in[1], product, 1);
}

static void grad_affine(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	add_scaled(c, n.in[0], dy, n.attr.a);
}

MMI_OP(ADD, .name = "add", .infer = infer_binary, .grad = grad_add);
MMI_OP(MUL, .name = "mul", .infer = infer_binary, .grad = grad_mul);
MMI_OP(AFFINE, .name = "affine", .infer = mmi_infer_same, .grad = grad_affine);

/* ---------------------------------------------------------------- nonlinear */

static mm_status infer_act(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (node->attr.act <= MM_ACT_NONE || node->attr.act > MM_ACT_EXP)
		return mmi_fail(e, MM_EARG, "unknown activation %d", node->attr.act);
	if (node->attr.act == MM_ACT_LEAKY_RELU && !(node->attr.a > 0))
		return mmi_fail(e, MM_EARG, "leaky ReLU with slope %g; expected a positive slope", (double)node->attr.a);
	return mmi_infer_same(g, node, e);
}

static mm_status infer_clamp(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (!(node->attr.a < node->attr.b))
		return mmi_fail(e, MM_EARG, "clamp to %g .. %g; the first must be smaller", (double)node->attr.a,
		                (double)node->attr.b);
	return mmi_infer_same(g, node, e);
}

MMI_OP(ACT, .name = "act", .infer = infer_act, .grad = mmi_grad_dy_y, .backward = MMI_OP_ACT_BWD);
MMI_OP(ACT_BWD, .name = "act_bwd");
MMI_OP(CLAMP, .name = "clamp", .infer = infer_clamp, .grad = mmi_grad_dy_x, .backward = MMI_OP_CLAMP_BWD);
MMI_OP(CLAMP_BWD, .name = "clamp_bwd");
MMI_OP(LOG, .name = "log", .infer = mmi_infer_same, .grad = mmi_grad_dy_x, .backward = MMI_OP_LOG_BWD);
MMI_OP(LOG_BWD, .name = "log_bwd");
