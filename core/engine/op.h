/* op.h - the operation table: one entry per opcode with its shape rule, gradient rule and cost. Kernels are in the
 * backends' own tables, indexed by the same opcode. */
#ifndef MMI_OP_H
#define MMI_OP_H

#include "engine/graph.h"

typedef struct mmi_grad_ctx mmi_grad_ctx;

typedef struct mmi_op_info {
	const char *name;
	/* Computes node->shape from its inputs and attributes, or explains what does not fit. NULL: the shape is given by
	 * whoever records the node (leaves and gradients). */
	mm_status (*infer)(const mmi_graph *g, mmi_node *node, mm_error *e);
	/* Records the gradients of node `id` to its inputs, given the gradient dy of its output. NULL: no gradient. */
	void (*grad)(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);
	/* Floating-point operations per sample, a multiply-add counted as two. NULL: one per output element. */
	double (*flops)(const mmi_graph *g, const mmi_node *node);
} mmi_op_info;

extern const mmi_op_info mmi_ops[MMI_OP_COUNT];

/* Services for gradient rules (grad.c). */
mmi_graph *mmi_grad_graph(mmi_grad_ctx *c);
bool mmi_grad_wanted(const mmi_grad_ctx *c, mm_tensor x);
void mmi_grad_add(mmi_grad_ctx *c, mm_tensor x, mm_tensor contribution);
/* Records a node whose shape is that of `like` and adds it to x's gradient, if x's gradient is wanted. */
void mmi_grad_emit(mmi_grad_ctx *c, mm_tensor x, mm_tensor like, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                   const mmi_attr *attr);
/* Records a PARAM_GRAD node for parameter x, if it is trained. */
void mmi_grad_emit_param(mmi_grad_ctx *c, mm_tensor x, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                         const mmi_attr *attr);

/* Records a node of a given shape (gradients). */
mm_tensor mmi_op_shaped(mmi_graph *g, mmi_opcode op, uint32_t n_in, const mm_tensor *in, const mmi_attr *attr,
                        const mm_shape *shape);
/* True for the operations marked PARAM_GRAD in opcodes.h. */
bool mmi_op_is_param_grad(mmi_opcode op);

#endif
