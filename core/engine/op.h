/* op.h - the operation table: one entry per opcode with its shape rule, gradient rule and cost, from its family's file
 * in engine/ops. Kernels are in the backends' own tables, indexed by the same opcode. */
#ifndef MMI_OP_H
#define MMI_OP_H

#include "engine/graph.h"

typedef struct mmi_grad_ctx mmi_grad_ctx;

typedef struct mmi_op_info {
	const char *name;
	bool leaf;       /* has no inputs and no kernel: bound by the caller, a parameter, a constant */
	bool view;       /* the input's values under another shape: no kernel where storage can be shared */
	bool param_grad; /* sums over the samples and is added to a parameter's gradient: PARAM_GRAD in opcodes.h */
	/* Computes node->shape from its inputs and attributes, or explains what does not fit. NULL: the shape is given by
	 * whoever records the node (leaves and gradients). */
	mm_status (*infer)(const mmi_graph *g, mmi_node *node, mm_error *e);
	/* Records the gradients of node `id` to its inputs, given the gradient dy of its output. NULL: no gradient. */
	void (*grad)(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy);
	mmi_opcode backward; /* the operation that rules of several operations record */
	/* Floating-point operations per sample, a multiply-add counted as two. NULL: one per output element. */
	double (*flops)(const mmi_graph *g, const mmi_node *node);
} mmi_op_info;

extern const mmi_op_info *const mmi_ops[MMI_OP_COUNT];

/* Records a node of a given shape (gradients, views). */
mm_tensor mmi_op_shaped(mmi_graph *g, mmi_opcode op, uint32_t n_in, const mm_tensor *in, const mmi_attr *attr,
                        const mm_shape *shape);

#endif
