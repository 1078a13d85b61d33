/* run.c - calls of oneDNN: sources are rounded into scratch, results are floats in place. */
#include "mmi_build.h"

#include "backend/onednn/call.h"

#include "backend/onednn/threads.h"

#include <string.h>

/* A copy that oneDNN only reads where it is given to it for reading. */
static void point(const mmi_dnnl_call *c, int argument, const void *at)
{
	if (c->memory[argument])
		dnnl_memory_set_data_handle(c->memory[argument], (void *)(uintptr_t)at);
}

/* Where oneDNN fails the result is made no numbers, which the guards see. */
static bool execute(const mmi_dnnl_call *c, float *out, size_t n)
{
	if (dnnl_primitive_execute(c->primitive, c->stream, c->n_arguments, c->argument) == dnnl_success &&
	    dnnl_stream_wait(c->stream) == dnnl_success)
		return true;
	memset(out, 0xff, n * sizeof *out);
	return false;
}

static void *scratch_of(const mmi_exec *x, const mmi_dnnl_call *c, int argument)
{
	return (char *)x->scratch + c->at[argument];
}

/* A group's source in bfloat16. */
static void round_source(const mmi_exec *x, const mmi_dnnl_call *c, mmi_dnnl_role role, const float *from)
{
	c->isa->bf16->round(from, scratch_of(x, c, (int)role), c->count[role]);
}

static void point_to_scratch(const mmi_exec *x, const mmi_dnnl_call *c, int argument)
{
	point(c, argument, scratch_of(x, c, argument));
}

/* ------------------------------------------------------------ products */

/* What is left to do of bias, activation and mask. */
static mmi_epilogue rest_of(const mmi_exec *x, const mmi_dnnl_call *c)
{
	mmi_epilogue ep = mmi_epilogue_of(x);
	if (c->memory[MMI_DNNL_BIAS])
		ep.bias = NULL;
	if (c->op.act != dnnl_alg_kind_undef)
		ep.act = MM_ACT_NONE;
	return ep;
}

static void run_groups(const mmi_exec *x, const mmi_dnnl_call *c, mmi_dnnl_role from, mmi_dnnl_role to)
{
	const float *source = x->in[0];
	const int64_t cols = c->op.tensor[to].dims[1], rows = (int64_t)c->count[to] / cols;
	float *out = x->out;
	mmi_epilogue ep = rest_of(x, c);
	const bool finished = !ep.bias && ep.act == MM_ACT_NONE && !ep.mask;
	for (int64_t first = 0; first < x->n; first += c->group) {
		round_source(x, c, from, source);
		point(c, (int)to, out);
		if (execute(c, out, c->count[to]) && !finished)
			c->isa->simd->epilogue(out, rows, (int32_t)cols, &ep);
		source += c->count[from];
		out += c->count[to];
		if (ep.mask)
			ep.mask += c->count[to];
	}
}

void mmi_dnnl_run_product(mmi_exec *x)
{
	const mmi_dnnl_call *c = x->state;
	const bool forward = c->op.direction == MMI_DNNL_FORWARD;
	const int threads = mmi_dnnl_threads_one();
	mmi_weights_data(&c->weights, x);
	point_to_scratch(x, c, forward ? MMI_DNNL_X : MMI_DNNL_Y);
	point_to_scratch(x, c, MMI_DNNL_SCRATCHPAD);
	if (c->memory[MMI_DNNL_BIAS])
		point(c, MMI_DNNL_BIAS, x->in[2]);
	run_groups(x, c, forward ? MMI_DNNL_X : MMI_DNNL_Y, forward ? MMI_DNNL_Y : MMI_DNNL_X);
	mmi_dnnl_threads_restore(threads);
}

/* ------------------------------------------------------------ gradients to weights */

void mmi_dnnl_run_gradient(mmi_exec *x)
{
	const mmi_dnnl_call *c = x->state;
	const int threads = mmi_dnnl_threads_one();
	float *out = x->out;
	for (mmi_dnnl_role r = MMI_DNNL_X; r <= MMI_DNNL_Y; r++)
		point_to_scratch(x, c, (int)r);
	point_to_scratch(x, c, MMI_DNNL_SCRATCHPAD);
	round_source(x, c, MMI_DNNL_X, x->in[0]);
	round_source(x, c, MMI_DNNL_Y, x->in[1]);
	if (execute(c, out, c->count[MMI_DNNL_WEIGHTS]))
		mmi_dnnl_add(&c->order, scratch_of(x, c, MMI_DNNL_WEIGHTS), out);
	mmi_dnnl_threads_restore(threads);
}
