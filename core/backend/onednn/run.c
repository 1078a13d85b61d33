/* run.c - calls of oneDNN: sources in floats are rounded into scratch, results are floats, in place or for the epilogue
 * to round. */
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

/* Where oneDNN fails the result, of so many bytes, is made no numbers, which the guards see. */
static bool execute(const mmi_dnnl_call *c, void *out, size_t bytes)
{
	if (dnnl_primitive_execute(c->primitive, c->stream, c->n_arguments, c->argument) == dnnl_success &&
	    dnnl_stream_wait(c->stream) == dnnl_success)
		return true;
	memset(out, 0xff, bytes);
	return false;
}

static void *scratch_of(const mmi_exec *x, const mmi_dnnl_call *c, int argument)
{
	return (char *)x->scratch + c->at[argument];
}

/* Input k of the call, a group's: read in place if it is in bfloat16. */
static void take_source(const mmi_exec *x, const mmi_dnnl_call *c, mmi_dnnl_role role, uint32_t k, const void *from)
{
	void *rounded = scratch_of(x, c, (int)role);
	if (!x->narrow_in[k])
		c->isa->bf16->round(from, rounded, c->count[role]);
	point(c, (int)role, x->narrow_in[k] ? from : rounded);
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
	const int64_t in = (int64_t)c->count[from], out = (int64_t)c->count[to], cols = c->op.tensor[to].dims[1];
	mmi_epilogue ep = rest_of(x, c);
	const bool finished = !ep.bias && ep.act == MM_ACT_NONE && !ep.mask && !x->narrow_out;
	for (int64_t i = 0; i * c->group < x->n; i++) {
		void *result = mmi_map_to(x->out, x->narrow_out, i * out);
		float *sums = x->narrow_out ? scratch_of(x, c, (int)to) : result;
		take_source(x, c, from, 0, mmi_map_at(x->in[0], x->narrow_in[0], i * in));
		point(c, (int)to, sums);
		if (execute(c, result, c->count[to] * (x->narrow_out ? sizeof(uint16_t) : sizeof(float))) && !finished)
			c->isa->bf16->epilogue(sums, result, x->narrow_out, out / cols, (int32_t)cols, &ep);
		mmi_epilogue_on(&ep, out);
	}
}

void mmi_dnnl_run_product(mmi_exec *x)
{
	const mmi_dnnl_call *c = x->state;
	const bool forward = c->op.direction == MMI_DNNL_FORWARD;
	const int threads = mmi_dnnl_threads_one();
	mmi_weights_data(&c->weights, x);
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
	point_to_scratch(x, c, MMI_DNNL_WEIGHTS);
	point_to_scratch(x, c, MMI_DNNL_SCRATCHPAD);
	take_source(x, c, MMI_DNNL_X, 0, x->in[0]);
	take_source(x, c, MMI_DNNL_Y, 1, x->in[1]);
	if (execute(c, out, c->count[MMI_DNNL_WEIGHTS] * sizeof *out))
		mmi_dnnl_add(&c->order, scratch_of(x, c, MMI_DNNL_WEIGHTS), out);
	mmi_dnnl_threads_restore(threads);
}
