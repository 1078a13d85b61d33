/* rules.h - what the families of operations share. A family's file holds, for each operation, its shape rule, its
 * gradient and its cost, and its entry in the table of op.h:
 *
 *     MMI_OP(CLAMP, .name = "clamp", .infer = infer_clamp, .grad = mmi_grad_dy_x, .backward = MMI_OP_CLAMP_BWD);
 */
#ifndef MMI_OPS_RULES_H
#define MMI_OPS_RULES_H

#include "engine/op.h"

#define MMI_OP(op, ...) const mmi_op_info mmi_op_info_##op = { __VA_ARGS__ }

/* ---------------------------------------------------------------- shapes */

/* Of input i. */
const mm_shape *mmi_in_shape(const mmi_graph *g, const mmi_node *node, uint32_t i);
/* Fails: an input's shape is not what the operation takes; two do not go together. */
mm_status mmi_misfit(const mm_shape *found, const char *expected, mm_error *e);
mm_status mmi_unequal(const mm_shape *a, const mm_shape *b, mm_error *e);
/* The shape rule "as the first input". */
mm_status mmi_infer_same(const mmi_graph *g, mmi_node *node, mm_error *e);
/* As the first input, which has at least one axis. */
mm_status mmi_infer_last_axis(const mmi_graph *g, mmi_node *node, mm_error *e);

/* ---------------------------------------------------------------- gradients (grad.c) */

/* The graph that gradients are appended to, and a copy of its node: appending may move the graph's storage. */
mmi_graph *mmi_grad_graph(mmi_grad_ctx *c);
mmi_node mmi_grad_node(mmi_grad_ctx *c, mm_tensor id);
bool mmi_grad_wanted(const mmi_grad_ctx *c, mm_tensor x);
void mmi_grad_add(mmi_grad_ctx *c, mm_tensor x, mm_tensor contribution);
/* Records a node of x's shape and adds it to x's gradient, if that is wanted. */
void mmi_grad_emit(mmi_grad_ctx *c, mm_tensor x, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                   const mmi_attr *attr);
/* Records a node with param_grad for parameter x, if it is trained. */
void mmi_grad_emit_param(mmi_grad_ctx *c, mm_tensor x, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                         const mmi_attr *attr);

/* The gradient rules of operations y = f(x) with one input: `backward` of dy; of dy and x; of dy and y. */
void mmi_grad_dy(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);
void mmi_grad_dy_x(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);
void mmi_grad_dy_y(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);

#endif
