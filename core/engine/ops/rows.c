/* rows.c - softmax and log-sum-exp over the last axis. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

static mm_status infer_lse(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	MMI_TRY(mmi_infer_last_axis(g, node, e));
	node->shape.rank--;
	node->shape.dim[node->shape.rank] = 0;
	return MM_OK;
}

static void grad_lse(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = mmi_grad_node(c, id);
	mmi_grad_emit(c, n.in[0], MMI_OP_LSE_BWD, 3, (mm_tensor[]){ dy, n.in[0], id }, NULL);
}

MMI_OP(SOFTMAX, .name = "softmax", .infer = mmi_infer_last_axis, .grad = mmi_grad_dy_y, .backward = MMI_OP_SOFTMAX_BWD);
MMI_OP(SOFTMAX_BWD, .name = "softmax_bwd");
MMI_OP(LSE, .name = "lse", .infer = infer_lse, .grad = grad_lse);
MMI_OP(LSE_BWD, .name = "lse_bwd");
