/* op_rules.h - shape and gradient rules, gathered in the table of ops.c. */
#ifndef MMI_OP_RULES_H
#define MMI_OP_RULES_H

#include "engine/op.h"

typedef mm_status mmi_infer_rule(const mmi_graph *g, mmi_node *node, mm_error *e);
typedef void mmi_grad_rule(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);

mmi_infer_rule mmi_infer_linear, mmi_infer_conv, mmi_infer_avg_pool, mmi_infer_upsample, mmi_infer_binary, mmi_infer_same,
	mmi_infer_act, mmi_infer_clamp, mmi_infer_last_axis, mmi_infer_lse, mmi_infer_concat, mmi_infer_slice, mmi_infer_sum,
	mmi_infer_scalar, mmi_infer_pair, mmi_infer_categorical, mmi_infer_logpdf, mmi_infer_gather;

mmi_grad_rule mmi_grad_linear, mmi_grad_conv, mmi_grad_conv_bwd_x, mmi_grad_avg_pool, mmi_grad_upsample, mmi_grad_add_op,
	mmi_grad_mul, mmi_grad_affine, mmi_grad_act, mmi_grad_clamp, mmi_grad_log, mmi_grad_softmax, mmi_grad_lse,
	mmi_grad_concat, mmi_grad_slice, mmi_grad_reshape, mmi_grad_sum, mmi_grad_sum_all, mmi_grad_squared_error,
	mmi_grad_nll, mmi_grad_logpdf, mmi_grad_gather;

#endif
