/* call.c - makes what a call needs, before it is run: a primitive, its memory, packed weights, room in scratch. */
#include "mmi_build.h"

#include "backend/onednn/call.h"

#include "backend/onednn/threads.h"

#include <string.h>

enum {
	PACK_ONEDNN = 6,
	GROUP_BYTES = 512 * 1024 /* of a source, rounded, and a result: part of a second-level cache */
};

/* ------------------------------------------------------------ what is asked for */

static bool is_linear(mmi_opcode op)
{
	return op == MMI_OP_LINEAR || op == MMI_OP_LINEAR_BWD_X || op == MMI_OP_LINEAR_BWD_W;
}

static mmi_dnnl_direction direction_of(mmi_opcode op)
{
	return op == MMI_OP_LINEAR || op == MMI_OP_CONV ? MMI_DNNL_FORWARD
	       : mmi_op_is_bwd_x(op)                    ? MMI_DNNL_BACKWARD_X
	                                                : MMI_DNNL_BACKWARD_WEIGHTS;
}

/* The tensor that a call writes. */
static mmi_dnnl_role result_of(mmi_dnnl_direction d)
{
	static const mmi_dnnl_role roles[] = { [MMI_DNNL_FORWARD] = MMI_DNNL_Y,
		                                   [MMI_DNNL_BACKWARD_X] = MMI_DNNL_X,
		                                   [MMI_DNNL_BACKWARD_WEIGHTS] = MMI_DNNL_WEIGHTS };
	return roles[d];
}

/* As many samples as stay in the cache, from a source that is rounded to a result that is finished there; all of a
 * gradient to weights, whose sum is over them, and of a linear layer, whose samples are the rows of one product. */
static int64_t group_of(const mmi_exec *x, const mmi_conv_shape *s)
{
	const int64_t in = (int64_t)s->h * s->w * s->ci, out = (int64_t)s->oh * s->ow * s->co;
	const int64_t bytes = mmi_op_is_bwd_x(x->node->op) ? 2 * out + 4 * in : 2 * in + 4 * out;
	int64_t group = x->n;
	if (is_linear(x->node->op) || x->node->op == MMI_OP_CONV_BWD_W)
		return group;
	while (group > 1 && (x->n % group || group * bytes > GROUP_BYTES))
		group--;
	return group;
}

/* A ReLU of oneDNN's would make zeros of what is no number, which the guards must see: those are our epilogue's. */
static bool fuses_act(const mmi_exec *x)
{
	return direction_of(x->node->op) == MMI_DNNL_FORWARD && x->act == MM_ACT_LEAKY_RELU;
}

static void tensors_of(mmi_dnnl_op *op, const mmi_exec *x, const mmi_conv_shape *s, int64_t n)
{
	const mmi_dnnl_tensor maps[] = {
		[MMI_DNNL_X] = { 4, { n, s->ci, s->h, s->w }, dnnl_bf16, dnnl_nhwc },
		[MMI_DNNL_WEIGHTS] = { 4, { s->co, s->ci, s->kh, s->kw }, dnnl_bf16, dnnl_format_tag_any },
		[MMI_DNNL_Y] = { 4, { n, s->co, s->oh, s->ow }, dnnl_bf16, dnnl_nhwc },
	};
	const mmi_dnnl_tensor rows[] = {
		[MMI_DNNL_X] = { 2, { n, s->ci }, dnnl_bf16, dnnl_nc },
		[MMI_DNNL_WEIGHTS] = { 2, { s->co, s->ci }, dnnl_bf16, dnnl_format_tag_any },
		[MMI_DNNL_Y] = { 2, { n, s->co }, dnnl_bf16, dnnl_nc },
	};
	memcpy(op->tensor, op->linear ? rows : maps, sizeof rows);
	op->tensor[result_of(op->direction)].type = dnnl_f32;
	if (op->direction == MMI_DNNL_FORWARD && x->n_in > 2)
		op->tensor[MMI_DNNL_BIAS] = (mmi_dnnl_tensor){ 1, { s->co }, dnnl_f32, dnnl_x };
}

static mmi_dnnl_op op_of(const mmi_exec *x, const mmi_conv_shape *s, int64_t n)
{
	mmi_dnnl_op op = { .direction = direction_of(x->node->op),
		               .linear = is_linear(x->node->op),
		               .strides = { s->sh, s->sw },
		               .padding = { s->ph, s->pw },
		               .act = fuses_act(x) ? dnnl_eltwise_relu : dnnl_alg_kind_undef,
		               .alpha = x->act_alpha };
	tensors_of(&op, x, s, n);
	return op;
}

/* ------------------------------------------------------------ whether oneDNN has it */

static bool is_taken(const_dnnl_primitive_desc_t d, const mmi_dnnl_op *op, bool amx)
{
	const char *name = NULL;
	mmi_dnnl_blocks blocks;
	return dnnl_primitive_desc_query(d, dnnl_query_impl_info_str, 0, (void *)&name) == dnnl_success &&
	       !strstr(name, "ref") && (!amx || strstr(name, "amx")) &&
	       mmi_dnnl_blocks_of(mmi_dnnl_layout_of(d, op, MMI_DNNL_WEIGHTS), &blocks);
}

bool mmi_dnnl_accepts(const mmi_exec *x, bool amx)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	const mmi_dnnl_op op = op_of(x, &shape, group_of(x, &shape));
	const int threads = mmi_dnnl_threads_one();
	dnnl_engine_t engine = NULL;
	dnnl_primitive_desc_t d = NULL;
	const bool taken = dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
	                   mmi_dnnl_describe(&op, engine, &d) == dnnl_success && is_taken(d, &op, amx);
	dnnl_primitive_desc_destroy(d);
	dnnl_engine_destroy(engine);
	mmi_dnnl_threads_restore(threads);
	return taken;
}

/* ------------------------------------------------------------ preparing */

void mmi_dnnl_release(mmi_exec *x)
{
	mmi_dnnl_call *c = x->state;
	for (int i = 0; i < MMI_DNNL_ARGUMENTS; i++)
		dnnl_memory_destroy(c->memory[i]);
	dnnl_primitive_destroy(c->primitive);
	dnnl_stream_destroy(c->stream);
	dnnl_engine_destroy(c->engine);
	mmi_weights_release(&c->weights);
	mmi_free(c);
	x->state = NULL;
}

/* What is in scratch lies behind each other, on whole cache lines. */
static size_t room(mmi_exec *x, size_t bytes)
{
	const size_t at = x->scratch_bytes;
	x->scratch_bytes += (bytes + 63) / 64 * 64;
	return at;
}

static size_t count_of(const mmi_dnnl_tensor *t)
{
	size_t count = t->ndims ? 1 : 0;
	for (int i = 0; i < t->ndims; i++)
		count *= (size_t)t->dims[i];
	return count;
}

static void plan_scratch(mmi_exec *x, mmi_dnnl_call *c, const_dnnl_primitive_desc_t d)
{
	const mmi_dnnl_role result = result_of(c->op.direction);
	x->scratch_bytes = 0;
	for (mmi_dnnl_role r = MMI_DNNL_X; r <= MMI_DNNL_BIAS; r++) {
		c->count[r] = count_of(&c->op.tensor[r]);
		if (r != result && (r == MMI_DNNL_X || r == MMI_DNNL_Y) &&
		    !x->narrow_in[r == MMI_DNNL_Y && result == MMI_DNNL_WEIGHTS])
			c->at[r] = room(x, c->count[r] * sizeof(uint16_t));
	}
	if (x->narrow_out)
		c->at[result] = room(x, c->count[result] * sizeof(float));
	if (result == MMI_DNNL_WEIGHTS)
		c->at[result] = room(x, dnnl_memory_desc_get_size(mmi_dnnl_layout_of(d, &c->op, result)));
	c->at[MMI_DNNL_SCRATCHPAD] =
		room(x, dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(d, dnnl_query_scratchpad_md, 0)));
}

static mm_status prepare_weights(mmi_exec *x, mmi_dnnl_call *c, const_dnnl_primitive_desc_t d, mm_error *e)
{
	const size_t bytes = dnnl_memory_desc_get_size(mmi_dnnl_layout_of(d, &c->op, MMI_DNNL_WEIGHTS));
	return mmi_weights_prepare(&c->weights, x, PACK_ONEDNN, (bytes + sizeof(float) - 1) / sizeof(float), mmi_dnnl_pack,
	                           &c->order, sizeof c->order, e);
}

static dnnl_status_t add_argument(mmi_dnnl_call *c, int i, int name, mmi_dnnl_layout layout, void *at)
{
	if (!layout || !dnnl_memory_desc_get_size(layout))
		return dnnl_success;
	MMI_DNNL_TRY(dnnl_memory_create(&c->memory[i], layout, c->engine, at));
	c->argument[c->n_arguments++] = (dnnl_exec_arg_t){ name, c->memory[i] };
	return dnnl_success;
}

/* Packed weights stay where they are; all else is told in each run. */
static dnnl_status_t make_primitive(mmi_dnnl_call *c, const_dnnl_primitive_desc_t d)
{
	void *packed = c->weights.shared ? c->weights.shared->data : c->weights.own;
	MMI_DNNL_TRY(dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags));
	MMI_DNNL_TRY(dnnl_primitive_create(&c->primitive, d));
	for (mmi_dnnl_role r = MMI_DNNL_X; r <= MMI_DNNL_BIAS; r++)
		if (c->op.tensor[r].ndims)
			MMI_DNNL_TRY(add_argument(c, (int)r, mmi_dnnl_argument(&c->op, r), mmi_dnnl_layout_of(d, &c->op, r),
			                          r == MMI_DNNL_WEIGHTS && packed ? packed : DNNL_MEMORY_NONE));
	return add_argument(c, MMI_DNNL_SCRATCHPAD, DNNL_ARG_SCRATCHPAD,
	                    dnnl_primitive_desc_query_md(d, dnnl_query_scratchpad_md, 0), DNNL_MEMORY_NONE);
}

static mm_status fail(dnnl_status_t status, mm_error *e)
{
	return mmi_fail(e, status == dnnl_out_of_memory ? MM_ENOMEM : MM_EINTERNAL,
	                "oneDNN cannot make a call that it has (status %d)", (int)status);
}

static mm_status prepare_call(mmi_exec *x, mmi_dnnl_call *c, mm_error *e)
{
	dnnl_primitive_desc_t d = NULL;
	dnnl_status_t made = dnnl_engine_create(&c->engine, dnnl_cpu, 0);
	if (made == dnnl_success)
		made = mmi_dnnl_describe(&c->op, c->engine, &d);
	mm_status status = made == dnnl_success ? MM_OK : fail(made, e);
	if (status == MM_OK) {
		mmi_dnnl_blocks_of(mmi_dnnl_layout_of(d, &c->op, MMI_DNNL_WEIGHTS), &c->order.blocks);
		plan_scratch(x, c, d);
	}
	if (status == MM_OK && c->op.direction != MMI_DNNL_BACKWARD_WEIGHTS)
		status = prepare_weights(x, c, d, e);
	if (status == MM_OK && (made = make_primitive(c, d)) != dnnl_success)
		status = fail(made, e);
	dnnl_primitive_desc_destroy(d);
	return status;
}

mm_status mmi_dnnl_prepare(mmi_exec *x, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	mmi_dnnl_call *c = mmi_alloc(1, sizeof *c);
	if (!c)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a call of oneDNN");
	x->state = c;
	c->isa = x->device->own;
	c->group = group_of(x, &shape);
	c->op = op_of(x, &shape, c->group);
	c->base =
		(mmi_onednn_call){ c->op.direction == MMI_DNNL_BACKWARD_WEIGHTS ? mmi_dnnl_run_gradient : mmi_dnnl_run_product,
		                   mmi_dnnl_release };
	c->order.kh = shape.kh;
	c->order.kw = shape.kw;
	c->order.ci = shape.ci;
	c->order.co = shape.co;
	const int threads = mmi_dnnl_threads_one();
	const mm_status status = prepare_call(x, c, e);
	mmi_dnnl_threads_restore(threads);
	if (status != MM_OK)
		mmi_dnnl_release(x);
	return status;
}
