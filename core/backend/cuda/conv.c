/* conv.c - convolutions and their gradients: cuDNN's plan, then one pass for what it does not fuse. */
#include "mmi_build.h"

#include "backend/cuda/after.h"
#include "backend/cuda/conv_plan.h"
#include "backend/cuda/kernels.h"
#include "backend/cuda/scratch.h"
#include "backend/cuda/shadow.h"
#include "engine/params.h"

#include <string.h>

extern const mmi_cuda_kernel mmi_kernel_pack_weights, mmi_kernel_fold_weights, mmi_kernel_add_weights;

typedef struct conv_state {
	const mmi_conv_plan *plan;
	mmi_conv_binding binding;
	const mmi_pack *pack; /* weights in cuDNN's order, or NULL: packed in each run */
	mmi_after after;
	mmi_shadow bias;                  /* in bfloat16, where the plan reads one */
	size_t workspace, weights, in[2]; /* offsets in the scratch memory */
} conv_state;

/* ------------------------------------------------------------ shapes */

/* A 3x3 convolution of a map upsampled by two (fold.h), or its gradient to the smaller map. */
static bool folded(const mmi_exec *x)
{
	return x->node->attr.flag && x->node->op != MMI_OP_CONV_BWD_W;
}

/* cuDNN's x is what is computed: the larger of two maps. */
static bool yields_x(const mmi_exec *x)
{
	return x->node->op == (folded(x) ? MMI_OP_CONV : MMI_OP_CONV_BWD_X);
}

static bool yields_weights(const mmi_exec *x)
{
	return x->node->op == MMI_OP_CONV_BWD_W;
}

static mmi_conv_shape window_of(const mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	mmi_conv_shape s;
	memset(&s, 0, sizeof s); /* compared as bytes */
	s.kh = folded(x) ? 4 : a->kh;
	s.kw = folded(x) ? 4 : a->kw;
	s.sh = folded(x) ? 2 : a->sh;
	s.sw = folded(x) ? 2 : a->sw;
	s.ph = a->ph;
	s.pw = a->pw;
	return s;
}

static mmi_conv_shape shape_of(const mmi_exec *x)
{
	const mm_shape *big = yields_x(x) ? &x->node->shape : &x->in_node[0]->shape;
	const mm_shape *small = yields_x(x)         ? &x->in_node[0]->shape
	                        : yields_weights(x) ? &x->in_node[1]->shape
	                                            : &x->node->shape;
	mmi_conv_shape s = window_of(x);
	s.n = x->n;
	s.h = big->dim[0];
	s.w = big->dim[1];
	s.in = big->dim[2];
	s.oh = small->dim[0];
	s.ow = small->dim[1];
	s.out = small->dim[2];
	s.narrow = x->narrow_in[0];
	s.kind = yields_x(x) ? MMI_CONV_TO_X : yields_weights(x) ? MMI_CONV_TO_WEIGHTS : MMI_CONV_FORWARD;
	return s;
}

/* Weights of floats and ours in cuDNN's order, or back from it. */
static mmi_layout_args layout_of(const mmi_conv_shape *s)
{
	const bool back = s->kind == MMI_CONV_TO_WEIGHTS;
	return (mmi_layout_args){ .taps = (int32_t)(s->kh * s->kw),
		                      .in = (int32_t)s->in,
		                      .out = (int32_t)s->out,
		                      .narrow = !s->narrow ? 0
		                                : back     ? 1
		                                           : 2 };
}

static size_t weights_bytes(const mmi_conv_shape *s)
{
	return (size_t)(s->kh * s->kw * s->in * s->out) * (s->narrow ? sizeof(uint16_t) : sizeof(float));
}

static mmi_grid tiles(const mmi_layout_args *a)
{
	return (mmi_grid){ (a->out + 15) / 16, (a->in + 15) / 16, a->taps };
}

/* ------------------------------------------------------------ weights */

typedef struct packing {
	const mmi_device *device;
	mmi_layout_args layout;
	bool folded;
} packing;

static void pack(const float *source, void *data, const void *ctx)
{
	const packing *p = ctx;
	mmi_layout_args a = p->layout;
	a.from = source;
	a.to = data;
	if (p->folded)
		mmi_cuda_launch(p->device, &mmi_kernel_fold_weights,
		                (mmi_grid){ .x = mmi_cuda_blocks((int64_t)a.taps * a.in * a.out) }, &a);
	else
		mmi_cuda_launch(p->device, &mmi_kernel_pack_weights, tiles(&a), &a);
}

static packing packing_of(const mmi_exec *x, const conv_state *s)
{
	return (packing){ x->device, layout_of(&s->plan->shape), folded(x) };
}

/* Of parameters there is one for all programs. */
static mm_status prepare_weights(mmi_exec *x, conv_state *s, mm_error *e)
{
	const packing p = packing_of(x, s);
	if (yields_weights(x) || !x->packs || x->in_node[1]->op != MMI_OP_PARAM) {
		s->weights = mmi_scratch_take(x, weights_bytes(&s->plan->shape));
		return MM_OK;
	}
	packing *kept = mmi_alloc(1, sizeof *kept);
	if (!kept)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's weights");
	*kept = p;
	const uint64_t key = ((uint64_t)p.folded << 62) ^ ((uint64_t)p.layout.taps << 48) ^ ((uint64_t)p.layout.in << 24) ^
	                     (uint64_t)p.layout.out;
	return mmi_packs_get(x->packs, x->in[1], key, weights_bytes(&s->plan->shape), pack, kept, mmi_free, &s->pack, e);
}

static const void *weights_at(const mmi_exec *x, const conv_state *s)
{
	const packing p = packing_of(x, s);
	if (s->pack)
		return s->pack->data;
	void *own = mmi_scratch_at(x, s->weights);
	pack(x->in[1], own, &p);
	return own;
}

/* ------------------------------------------------------------ what the plan computes */

/* cuDNN's precompiled engines add a bias and rectify: where the value is then stored as they yield it. Anything else is
 * one pass behind, which then adds the bias too. */
static mmi_product product_of(const mmi_exec *x)
{
	mmi_product p = { .narrow = x->narrow_in[0] };
	const bool bias = x->node->op == MMI_OP_CONV && !folded(x) && x->n_in > 2 && x->factor == 0;
	const bool relu = bias && mmi_after_relu(x);
	p.bias = bias && mmi_after_direct(x, relu, p.narrow);
	p.relu = p.bias && relu;
	return p;
}

/* ------------------------------------------------------------ calls */

static void release(mmi_exec *x)
{
	conv_state *s = x->state;
	if (!s)
		return;
	mmi_conv_unbind(&s->binding);
	mmi_free(s);
	x->state = NULL;
}

static mm_status prepare_state(mmi_exec *x, conv_state *s, mm_error *e)
{
	const mmi_product product = product_of(x);
	mmi_conv_shape shape = shape_of(x);
	shape.bias = product.bias;
	shape.relu = product.relu;
	MMI_TRY(mmi_conv_plan_get(mmi_cuda_of(x->device), &shape, &s->plan, e));
	s->workspace = mmi_scratch_take(x, (size_t)s->plan->workspace);
	if (!yields_weights(x))
		mmi_after_prepare(x, &product, &s->after);
	if (shape.bias && shape.narrow)
		MMI_TRY(mmi_shadow_prepare(x, 2, &s->bias, e));
	for (uint32_t k = 0; k < (yields_weights(x) ? 2u : 1u); k++)
		s->in[k] = mmi_scratch_for_input(x, k);
	return prepare_weights(x, s, e);
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	conv_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	mm_status status = prepare_state(x, s, e);
	if (status != MM_OK)
		release(x);
	return status;
}

static const void *bias_at(const mmi_exec *x, const conv_state *s)
{
	if (!s->plan->shape.bias)
		return NULL;
	return s->plan->shape.narrow ? mmi_shadow_at(x, 2, &s->bias) : x->in[2];
}

static void run(mmi_exec *x)
{
	conv_state *s = x->state;
	const void *in = mmi_scratch_input(x, 0, s->in[0]);
	const void *out = mmi_after_raw(x, &s->after);
	const mmi_conv_tensors at = {
		.x = yields_x(x) ? out : in, .weights = weights_at(x, s), .y = yields_x(x) ? in : out, .bias = bias_at(x, s)
	};
	mmi_conv_run(mmi_cuda_of(x->device), s->plan, &s->binding, &at, mmi_scratch_at(x, s->workspace));
	mmi_after_run(x, &s->after);
}

/* cuDNN's order into the scratch memory; a kernel adds it to the gradient in ours. */
static void run_bwd_w(mmi_exec *x)
{
	conv_state *s = x->state;
	mmi_layout_args a = layout_of(&s->plan->shape);
	const mmi_conv_tensors at = { .x = mmi_scratch_input(x, 0, s->in[0]),
		                          .y = mmi_scratch_input(x, 1, s->in[1]),
		                          .weights = mmi_scratch_at(x, s->weights) };
	mmi_conv_run(mmi_cuda_of(x->device), s->plan, &s->binding, &at, mmi_scratch_at(x, s->workspace));
	a.from = at.weights;
	a.to = x->out;
	a.factor = x->factor != 0 ? x->factor : 1;
	mmi_cuda_launch(x->device, &mmi_kernel_add_weights, tiles(&a), &a);
}

static double again(const mmi_exec *x)
{
	const conv_state *s = x->state;
	return s->after.bytes;
}

const mmi_kernel mmi_cuda_conv = { .name = "conv/cudnn",
	                               .flags = MMI_KERNEL_JOIN | MMI_KERNEL_RELU,
	                               .prepare = prepare,
	                               .run = run,
	                               .release = release,
	                               .again = again };
const mmi_kernel mmi_cuda_conv_bwd_w = {
	.name = "conv_bwd_w/cudnn", .prepare = prepare, .run = run_bwd_w, .release = release
};
