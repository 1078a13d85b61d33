/* rules.c - the table of operations, and the rules that families share. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

#define DECLARE(op) extern const mmi_op_info mmi_op_info_##op;
#define ENTRY(op) [MMI_OP_##op] = &mmi_op_info_##op,

/* A line of opcodes.h without an entry in its family's file does not link. */
MMI_OPCODES(DECLARE)
const mmi_op_info *const mmi_ops[MMI_OP_COUNT] = { MMI_OPCODES(ENTRY) };

const mm_shape *mmi_in_shape(const mmi_graph *g, const mmi_node *node, uint32_t i)
{
	return &g->nodes[node->in[i]].shape;
}

mm_status mmi_misfit(const mm_shape *found, const char *expected, mm_error *e)
{
	char text[64];
	return mmi_fail(e, MM_ESHAPE, "input has shape %s; expected %s", mmi_shape_text(found, text), expected);
}

mm_status mmi_unequal(const mm_shape *a, const mm_shape *b, mm_error *e)
{
	char x[64], y[64];
	return mmi_fail(e, MM_ESHAPE, "inputs have shapes %s and %s; they must agree", mmi_shape_text(a, x),
	                mmi_shape_text(b, y));
}

mm_status mmi_infer_same(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	(void)e;
	node->shape = *mmi_in_shape(g, node, 0);
	return MM_OK;
}

mm_status mmi_infer_last_axis(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (mmi_in_shape(g, node, 0)->rank < 1)
		return mmi_misfit(mmi_in_shape(g, node, 0), "at least one axis", e);
	return mmi_infer_same(g, node, e);
}

static void backward(mmi_grad_ctx *c, const mmi_node *n, uint32_t n_in, const mm_tensor *in)
{
	mmi_grad_emit(c, n->in[0], mmi_ops[n->op]->backward, n_in, in, &n->attr);
}

void mmi_grad_dy(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	backward(c, &n, 1, &dy);
}

void mmi_grad_dy_x(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	backward(c, &n, 2, (mm_tensor[]){ dy, n.in[0] });
}

void mmi_grad_dy_y(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	backward(c, &n, 2, (mm_tensor[]){ dy, id });
}
