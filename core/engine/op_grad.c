/* op_grad.c - gradient rules: each records, in the same graph, how dL/dinput follows from dy = dL/doutput. */
#include "mmi_build.h"

#include "engine/op_rules.h"

/* A copy: recording further nodes may move the graph's storage. */
static mmi_node node_of(mmi_grad_ctx *c, mm_tensor id)
{
	return mmi_grad_graph(c)->nodes[id];
}

void mmi_grad_linear(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_LINEAR_BWD_X, 2, (mm_tensor[]){ dy, n.in[1] }, NULL);
	mmi_grad_emit_param(c, n.in[1], MMI_OP_LINEAR_BWD_W, 2, (mm_tensor[]){ n.in[0], dy }, NULL);
	if (n.n_in == 3)
		mmi_grad_emit_param(c, n.in[2], MMI_OP_BIAS_BWD, 1, &dy, NULL);
}

void mmi_grad_conv(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_CONV_BWD_X, 2, (mm_tensor[]){ dy, n.in[1] }, &n.attr);
	mmi_grad_emit_param(c, n.in[1], MMI_OP_CONV_BWD_W, 2, (mm_tensor[]){ n.in[0], dy }, &n.attr);
	if (n.n_in == 3)
		mmi_grad_emit_param(c, n.in[2], MMI_OP_BIAS_BWD, 1, &dy, NULL);
}

/* The transposed convolution x -> y is a convolution y -> x run backwards: its input gradient is that convolution, its
 * weight gradient that convolution's with the roles of x and dy exchanged. */
void mmi_grad_conv_bwd_x(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_CONV, 2, (mm_tensor[]){ dy, n.in[1] }, &n.attr);
	mmi_grad_emit_param(c, n.in[1], MMI_OP_CONV_BWD_W, 2, (mm_tensor[]){ dy, n.in[0] }, &n.attr);
	if (n.n_in == 3)
		mmi_grad_emit_param(c, n.in[2], MMI_OP_BIAS_BWD, 1, &dy, NULL);
}

void mmi_grad_avg_pool(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_AVG_POOL_BWD, 1, &dy, &n.attr);
}

void mmi_grad_upsample(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_UPSAMPLE_BWD, 1, &dy, &n.attr);
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
		mmi_grad_emit(c, x, x, MMI_OP_AFFINE, 1, &dy, &(mmi_attr){ .a = factor });
}

void mmi_grad_add_op(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	add_scaled(c, n.in[0], dy, n.attr.a);
	add_scaled(c, n.in[1], dy, n.attr.b);
}

void mmi_grad_mul(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_MUL, 2, (mm_tensor[]){ dy, n.in[1] }, NULL);
	if (!mmi_grad_wanted(c, n.in[1]))
		return;
	mm_tensor product = mmi_op(mmi_grad_graph(c), MMI_OP_MUL, 2, (mm_tensor[]){ dy, n.in[0] }, NULL);
	add_scaled(c, n.in[1], product, 1);
}

void mmi_grad_affine(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	add_scaled(c, n.in[0], dy, n.attr.a);
}

void mmi_grad_act(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_ACT_BWD, 2, (mm_tensor[]){ dy, id }, &n.attr);
}

void mmi_grad_clamp(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_CLAMP_BWD, 2, (mm_tensor[]){ dy, n.in[0] }, &n.attr);
}

void mmi_grad_log(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_LOG_BWD, 2, (mm_tensor[]){ dy, n.in[0] }, NULL);
}

void mmi_grad_softmax(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_SOFTMAX_BWD, 2, (mm_tensor[]){ dy, id }, NULL);
}

void mmi_grad_lse(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_LSE_BWD, 3, (mm_tensor[]){ dy, n.in[0], id }, NULL);
}

void mmi_grad_concat(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_attr attr = { .axis = n.attr.axis };
	for (uint32_t i = 0; i < n.n_in; i++) {
		attr.count = node_of(c, n.in[i]).shape.dim[n.attr.axis];
		mmi_grad_emit(c, n.in[i], n.in[i], MMI_OP_SLICE, 1, &dy, &attr);
		attr.begin += attr.count;
	}
}

void mmi_grad_slice(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_SLICE_BWD, 1, &dy, &n.attr);
}

void mmi_grad_reshape(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_RESHAPE, 1, &dy, NULL);
}

void mmi_grad_sum(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_SUM_BWD, 1, &dy, &n.attr);
}

void mmi_grad_sum_all(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_SUM_ALL_BWD, 1, &dy, &n.attr);
}

void mmi_grad_squared_error(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[0], n.in[0], MMI_OP_SQUARED_ERROR_BWD, 3, (mm_tensor[]){ dy, n.in[0], n.in[1] }, NULL);
	mmi_grad_emit(c, n.in[1], n.in[1], MMI_OP_SQUARED_ERROR_BWD, 3, (mm_tensor[]){ dy, n.in[1], n.in[0] }, NULL);
}

/* Only to the likelihood's parameter: what is observed is a constant in every loss of the learner. The gradient's opcode
 * follows its likelihood's in the list. */
void mmi_grad_nll(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	mmi_grad_emit(c, n.in[1], n.in[1], (mmi_opcode)(n.op + 1), 3, (mm_tensor[]){ dy, n.in[0], n.in[1] }, &n.attr);
}

void mmi_grad_logpdf(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	for (int32_t which = 0; which < 3; which++)
		mmi_grad_emit(c, n.in[which], n.in[which], (mmi_opcode)(n.op + 1), 4,
		              (mm_tensor[]){ dy, n.in[0], n.in[1], n.in[2] }, &(mmi_attr){ .flag = which });
}

void mmi_grad_gather(mmi_grad_ctx *c, mm_tensor id, mm_tensor dy)
{
	mmi_node n = node_of(c, id);
	for (uint32_t i = 1; i < n.n_in; i++)
		mmi_grad_emit(c, n.in[i], n.in[i], MMI_OP_GATHER_BWD, 2, (mm_tensor[]){ n.in[0], dy },
		              &(mmi_attr){ .begin = (int32_t)i - 1 });
}
