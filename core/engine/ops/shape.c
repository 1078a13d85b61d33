/* shape.c - moves and sums: what changes a tensor's shape. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

static mm_status infer_concat(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *first = mmi_in_shape(g, node, 0);
	uint32_t axis = (uint32_t)node->attr.axis;
	if (node->n_in < 1 || axis >= first->rank)
		return mmi_misfit(first, "an existing axis to join along", e);
	node->shape = *first;
	for (uint32_t i = 1; i < node->n_in; i++) {
		mm_shape other = *mmi_in_shape(g, node, i), like = *first;
		int32_t add = axis < other.rank ? other.dim[axis] : 0;
		like.dim[axis] = add;
		if (!mmi_shape_equal(&other, &like))
			return mmi_unequal(first, &other, e);
		node->shape.dim[axis] += add;
	}
	return MM_OK;
}

static void grad_concat(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	mmi_attr attr = { .axis = n.attr.axis };
	for (uint32_t i = 0; i < n.n_in; i++) {
		attr.count = mmi_grad_node(c, n.in[i]).shape.dim[n.attr.axis];
		mmi_grad_emit(c, n.in[i], MMI_OP_SLICE, 1, &dy, &attr);
		attr.begin += attr.count;
	}
}

static mm_status infer_slice(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0);
	const mmi_attr *a = &node->attr;
	if (a->axis < 0 || (uint32_t)a->axis >= x->rank || a->begin < 0 || a->count < 1 ||
	    a->begin > x->dim[a->axis] - a->count) {
		char text[64];
		return mmi_fail(e, MM_ESHAPE, "entries %d to %d of axis %d do not exist in shape %s", a->begin,
		                a->begin + a->count - 1, a->axis, mmi_shape_text(x, text));
	}
	node->shape = *x;
	node->shape.dim[a->axis] = a->count;
	return MM_OK;
}

static mm_status infer_sum(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0);
	uint32_t axis = (uint32_t)node->attr.axis;
	if (axis >= x->rank)
		return mmi_misfit(x, "an existing axis to sum over", e);
	node->shape = (mm_shape){ .rank = x->rank - 1 };
	for (uint32_t i = 0, o = 0; i < x->rank; i++)
		if (i != axis)
			node->shape.dim[o++] = x->dim[i];
	return MM_OK;
}

static mm_status infer_scalar(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	(void)g, (void)e;
	node->shape = mmi_shape(0);
	return MM_OK;
}

MMI_OP(CONCAT, .name = "concat", .infer = infer_concat, .grad = grad_concat);
MMI_OP(SLICE, .name = "slice", .infer = infer_slice, .grad = mmi_grad_dy, .backward = MMI_OP_SLICE_BWD);
MMI_OP(SLICE_BWD, .name = "slice_bwd");
MMI_OP(RESHAPE, .name = "reshape", .view = true, .grad = mmi_grad_dy, .backward = MMI_OP_RESHAPE);
MMI_OP(SUM, .name = "sum", .infer = infer_sum, .grad = mmi_grad_dy, .backward = MMI_OP_SUM_BWD);
MMI_OP(SUM_BWD, .name = "sum_bwd");
MMI_OP(SUM_ALL, .name = "sum_all", .infer = infer_scalar, .grad = mmi_grad_dy, .backward = MMI_OP_SUM_ALL_BWD);
MMI_OP(SUM_ALL_BWD, .name = "sum_all_bwd");
