/* call.c - what a call of a linear layer or a convolution asks for. */
#include "mmi_build.h"

#include "backend/cpu/call.h"

static mmi_conv_shape linear_shape(int64_t in, int64_t out)
{
	return (mmi_conv_shape){
		.h = 1, .w = 1, .ci = (int32_t)in, .oh = 1, .ow = 1, .co = (int32_t)out, .kh = 1, .kw = 1, .sh = 1, .sw = 1
	};
}

bool mmi_op_is_bwd_x(mmi_opcode op)
{
	return op == MMI_OP_LINEAR_BWD_X || op == MMI_OP_CONV_BWD_X;
}

mmi_conv_shape mmi_conv_shape_of(const mmi_exec *x)
{
	const mmi_opcode op = x->node->op;
	const bool bwd_w = op == MMI_OP_LINEAR_BWD_W || op == MMI_OP_CONV_BWD_W;
	const mm_shape *weights = bwd_w ? &x->node->shape : &x->in_node[1]->shape;
	if (op == MMI_OP_LINEAR || op == MMI_OP_LINEAR_BWD_X || op == MMI_OP_LINEAR_BWD_W)
		return linear_shape(weights->dim[0], weights->dim[1]);
	const mm_shape *small = bwd_w ? &x->in_node[1]->shape : op == MMI_OP_CONV ? &x->node->shape : &x->in_node[0]->shape;
	const mm_shape *large = op == MMI_OP_CONV_BWD_X ? &x->node->shape : &x->in_node[0]->shape;
	const mmi_attr *a = &x->node->attr;
	return (mmi_conv_shape){ .h = large->dim[0],
		                     .w = large->dim[1],
		                     .ci = large->dim[2],
		                     .oh = small->dim[0],
		                     .ow = small->dim[1],
		                     .co = small->dim[2],
		                     .kh = weights->dim[0],
		                     .kw = weights->dim[1],
		                     .sh = a->sh,
		                     .sw = a->sw,
		                     .ph = a->ph,
		                     .pw = a->pw };
}

mmi_epilogue mmi_epilogue_of(const mmi_exec *x)
{
	return (mmi_epilogue){ .bias = x->n_in > 2 ? x->in[2] : NULL,
		                   .act = x->act,
		                   .act_alpha = x->act_alpha,
		                   .mask_act = x->mask_act,
		                   .mask_alpha = x->mask_alpha,
		                   .mask = x->mask,
		                   .narrow_mask = x->narrow_mask };
}
