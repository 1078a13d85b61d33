/* conv_patch.c - linear layers, convolutions and their gradients to x, as products of patches with packed weights. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"

enum { PACK_PATCH = 1 };

typedef struct patch_state {
	const mmi_simd *simd;
	void (*product)(const mmi_patch_job *j);
	mmi_patch_plan plan;
	mmi_weights weights;
} patch_state;

mmi_epilogue mmi_epilogue_of(const mmi_exec *x)
{
	return (mmi_epilogue){ .bias = x->n_in > 2 ? x->in[2] : NULL,
		                   .act = x->act,
		                   .act_alpha = x->act_alpha,
		                   .mask_act = x->mask_act,
		                   .mask_alpha = x->mask_alpha,
		                   .mask = x->mask };
}

static void patch_release(mmi_exec *x)
{
	patch_state *s = x->state;
	if (!s)
		return;
	mmi_patch_plan_release(&s->plan);
	mmi_weights_release(&s->weights);
	mmi_free(s);
	x->state = NULL;
}

static mm_status prepare_state(mmi_exec *x, patch_state *s, bool narrow, mm_error *e)
{
	mmi_patch_packing packing = {
		.shape = mmi_conv_shape_of(x), .bwd_x = mmi_op_is_bwd_x(x->node->op), .narrow = narrow, .width = s->simd->width
	};
	MMI_TRY(mmi_patch_plan_make(&s->plan, &packing.shape, packing.bwd_x != 0, x->n, narrow, s->simd->width, e));
	size_t floats = (size_t)mmi_patch_pack_layout(&s->plan, &packing);
	MMI_TRY(mmi_weights_prepare(&s->weights, x, PACK_PATCH, floats, mmi_patch_pack, &packing, sizeof packing, e));
	x->scratch_bytes = mmi_patch_scratch(&s->plan, s->simd->width) * sizeof(float);
	return MM_OK;
}

static mm_status prepare(mmi_exec *x, bool narrow, mm_error *e)
{
	patch_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	s->simd = mmi_simd_of(x);
	s->product = narrow ? s->simd->patch_narrow : s->simd->patch_wide;
	mm_status status = prepare_state(x, s, narrow, e);
	if (status != MM_OK)
		patch_release(x);
	return status;
}

static mm_status prepare_wide(mmi_exec *x, mm_error *e)
{
	return prepare(x, false, e);
}

static mm_status prepare_narrow(mmi_exec *x, mm_error *e)
{
	return prepare(x, true, e);
}

static void run_phase(const patch_state *s, const mmi_patch_phase *f, int64_t samples, const mmi_patch_job *group)
{
	mmi_patch_job j = *group;
	j.src_off = f->src_off;
	j.dst_off = f->dst_off;
	j.rows = samples * f->rows;
	j.n_seg = f->n_seg;
	j.seg_len = f->seg_len;
	j.b = group->b + f->b_offset;
	s->product(&j);
}

static void patch_run(mmi_exec *x)
{
	const patch_state *s = x->state;
	const mmi_patch_plan *p = &s->plan;
	const int64_t src_sample = (int64_t)p->h * p->w * p->c, dst_sample = (int64_t)p->dst_h * p->dst_w * p->cols;
	const float *src = x->in[0];
	mmi_patch_job j = { .dst = x->out,
		                .seg_stride = (int64_t)p->full_w * p->c,
		                .cols = p->cols,
		                .b = mmi_weights_data(&s->weights, x),
		                .ep = mmi_epilogue_of(x) };
	for (int64_t first = 0; first < x->n; first += p->group) {
		const int64_t samples = x->n - first < p->group ? x->n - first : p->group;
		j.src = mmi_patch_source(p, src + first * src_sample, samples, s->simd->width, x->scratch);
		for (int32_t i = 0; i < p->n_phases; i++)
			run_phase(s, &p->phases[i], samples, &j);
		j.dst += samples * dst_sample;
		if (j.ep.mask)
			j.ep.mask += samples * dst_sample;
	}
}

static bool accepts_narrow(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	return (mmi_op_is_bwd_x(x->node->op) ? s.ci : s.co) <= MMI_NARROW_COLS;
}

const mmi_kernel mmi_kernel_patch_wide = {
	.name = "patch/wide",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.prepare = prepare_wide,
	.run = patch_run,
	.release = patch_release,
};

const mmi_kernel mmi_kernel_patch_narrow = {
	.name = "patch/narrow",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts_narrow,
	.prepare = prepare_narrow,
	.run = patch_run,
	.release = patch_release,
};
