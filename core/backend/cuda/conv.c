/* conv.c - convolutions and their gradients: cuDNN's plan, then one pass for what it does not fuse. */
#include "mmi_build.h"

#include "backend/cuda/conv_plan.h"
#include "backend/cuda/kernels.h"
#include "backend/cuda/map.h"
#include "backend/cuda/scratch.h"
#include "backend/cuda/shadow.h"
#include "engine/params.h"

#include <string.h>

extern const mmi_cuda_kernel mmi_kernel_pack_weights, mmi_kernel_add_weights;

typedef struct conv_state {
	const mmi_conv_plan *plan;
	mmi_conv_binding binding;
	const mmi_pack *pack; /* weights in cuDNN's order, or NULL: packed in each run */
	bool after;           /* a pass follows */
	mmi_map_args pass;
	mmi_shadow bias;                     /* in bfloat16, where the plan reads one */
	size_t workspace, weights, in[2], y; /* offsets in the scratch memory */
} conv_state;

/* ------------------------------------------------------------ shapes */

static bool yields_x(const mmi_exec *x)
{
	return x->node->op == MMI_OP_CONV_BWD_X;
}

static bool yields_weights(const mmi_exec *x)
{
	return x->node->op == MMI_OP_CONV_BWD_W;
}

/* The plan yields bfloat16 where floats are wanted: it does so aside, and the pass behind it writes them. */
static bool yields_aside(const mmi_exec *x)
{
	return x->narrow_in[0] && !x->narrow_out && !yields_weights(x);
}

static mmi_conv_shape shape_of(const mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const mm_shape *big = yields_x(x) ? &x->node->shape : &x->in_node[0]->shape;
	const mm_shape *small = yields_x(x)         ? &x->in_node[0]->shape
	                        : yields_weights(x) ? &x->in_node[1]->shape
	                                            : &x->node->shape;
	mmi_conv_shape s;
	memset(&s, 0, sizeof s); /* compared as bytes */
	s.n = x->n;
	s.h = big->dim[0];
	s.w = big->dim[1];
	s.in = big->dim[2];
	s.oh = small->dim[0];
	s.ow = small->dim[1];
	s.out = small->dim[2];
	s.kh = a->kh;
	s.kw = a->kw;
	s.sh = a->sh;
	s.sw = a->sw;
	s.ph = a->ph;
	s.pw = a->pw;
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
} packing;

static void pack(const float *source, void *data, const void *ctx)
{
	const packing *p = ctx;
	mmi_layout_args a = p->layout;
	a.from = source;
	a.to = data;
	mmi_cuda_launch(p->device, &mmi_kernel_pack_weights, tiles(&a), &a);
}

/* Of parameters there is one for all programs. */
static mm_status prepare_weights(mmi_exec *x, conv_state *s, mm_error *e)
{
	const packing p = { x->device, layout_of(&s->plan->shape) };
	if (yields_weights(x) || !x->packs || x->in_node[1]->op != MMI_OP_PARAM) {
		s->weights = mmi_scratch_take(x, weights_bytes(&s->plan->shape));
		return MM_OK;
	}
	packing *kept = mmi_alloc(1, sizeof *kept);
	if (!kept)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's weights");
	*kept = p;
	const uint64_t key = ((uint64_t)p.layout.taps << 48) ^ ((uint64_t)p.layout.in << 24) ^ (uint64_t)p.layout.out;
	return mmi_packs_get(x->packs, x->in[1], key, weights_bytes(&s->plan->shape), pack, kept, mmi_free, &s->pack, e);
}

static const void *weights_at(const mmi_exec *x, const conv_state *s)
{
	const packing p = { x->device, layout_of(&s->plan->shape) };
	if (s->pack)
		return s->pack->data;
	void *own = mmi_scratch_at(x, s->weights);
	pack(x->in[1], own, &p);
	return own;
}

/* ------------------------------------------------------------ what follows the plan */

/* cuDNN's precompiled engines add a bias and rectify; anything else is one pass in place, which then adds the bias too.
 */
static bool plan_does_all(const mmi_exec *x)
{
	return x->node->op == MMI_OP_CONV && x->n_in > 2 && x->mask_act == MM_ACT_NONE && !yields_aside(x) &&
	       (x->act == MM_ACT_NONE || x->act == MM_ACT_RELU);
}

static void prepare_pass(const mmi_exec *x, conv_state *s)
{
	const mm_shape *out = &x->node->shape;
	s->pass = mmi_map_begin(x->n * mmi_shape_count(out));
	mmi_map_add(&s->pass, MMI_MAP_LOAD, MMI_MAP_OUT, 0, 0);
	if (x->n_in > 2) {
		s->pass.index[MMI_MAP_BIAS] = mmi_map_each(out->dim[out->rank - 1]);
		mmi_map_add(&s->pass, MMI_MAP_ADD, MMI_MAP_BIAS, 1, 1);
	}
	mmi_map_narrow(&s->pass, MMI_MAP_OUT, x->narrow_in[0]);
	mmi_map_narrow(&s->pass, MMI_MAP_INPUTS, x->narrow_out);
	s->after = mmi_map_fused(&s->pass, x) || x->n_in > 2 || yields_aside(x);
}

static void run_pass(const mmi_exec *x, conv_state *s, const void *y)
{
	if (!s->after)
		return;
	s->pass.in[MMI_MAP_OUT] = y;
	s->pass.in[MMI_MAP_BIAS] = x->n_in > 2 ? x->in[2] : NULL;
	s->pass.in[MMI_MAP_MASK] = x->mask;
	s->pass.out = x->out;
	mmi_map_launch(x->device, &s->pass);
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
	mmi_conv_shape shape = shape_of(x);
	if (plan_does_all(x)) {
		shape.bias = 1;
		shape.relu = x->act == MM_ACT_RELU;
	} else if (!yields_weights(x)) {
		prepare_pass(x, s);
	}
	MMI_TRY(mmi_conv_plan_get(mmi_cuda_of(x->device), &shape, &s->plan, e));
	s->workspace = mmi_scratch_take(x, (size_t)s->plan->workspace);
	if (yields_aside(x))
		s->y = mmi_scratch_take(x, (size_t)(x->n * mmi_shape_count(&x->node->shape)) * sizeof(uint16_t));
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
	const void *out = yields_aside(x) ? mmi_scratch_at(x, s->y) : x->out;
	const mmi_conv_tensors at = {
		.x = yields_x(x) ? out : in, .weights = weights_at(x, s), .y = yields_x(x) ? in : out, .bias = bias_at(x, s)
	};
	mmi_conv_run(mmi_cuda_of(x->device), s->plan, &s->binding, &at, mmi_scratch_at(x, s->workspace));
	run_pass(x, s, out);
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
	mmi_cuda_launch(x->device, &mmi_kernel_add_weights, tiles(&a), &a);
}

static double again(const mmi_exec *x)
{
	const conv_state *s = x->state;
	return s->after ? mmi_map_bytes(&s->pass) : 0;
}

const mmi_kernel mmi_cuda_conv = { .name = "conv/cudnn",
	                               .flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	                               .prepare = prepare,
	                               .run = run,
	                               .release = release,
	                               .again = again };
const mmi_kernel mmi_cuda_conv_bwd_w = {
	.name = "conv_bwd_w/cudnn", .prepare = prepare, .run = run_bwd_w, .release = release
};
