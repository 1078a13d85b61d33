/* conv_patch.c - linear layers, convolutions and their gradients to x, as products of patches with packed weights. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"

enum { PACK_PATCH = 1, PACK_PATCH_BF16 = 4 };

typedef struct patch_state {
	const mmi_simd *simd;
	const mmi_bf16 *bf16; /* NULL: operands are floats */
	void (*product)(const mmi_patch_job *j);
	mmi_patch_plan plan;
	mmi_weights weights;
} patch_state;

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

/* Numbers behind the source's last that are read: of whole vectors. */
static int32_t read_behind(const patch_state *s)
{
	return s->bf16 ? 2 * s->simd->width : s->simd->width;
}

static mm_status prepare_floats(mmi_exec *x, patch_state *s, mmi_patch_packing *k, mm_error *e)
{
	const int32_t whole = k->narrow ? s->simd->width : 1;
	MMI_TRY(mmi_patch_plan_make(&s->plan, &k->shape, k->bwd_x != 0, x->n, whole, e));
	const size_t floats = (size_t)mmi_patch_pack_layout(&s->plan, k);
	x->scratch_bytes = mmi_patch_scratch(&s->plan, read_behind(s)) * sizeof(float);
	return mmi_weights_prepare(&s->weights, x, PACK_PATCH, floats, mmi_patch_pack, k, sizeof *k, e);
}

static mm_status prepare_bf16(mmi_exec *x, patch_state *s, mmi_patch_packing *k, mm_error *e)
{
	k->bf16 = s->bf16;
	k->pairs = true;
	MMI_TRY(mmi_patch_plan_make(&s->plan, &k->shape, k->bwd_x != 0, x->n, MMI_PATCH_COPY, e));
	const size_t floats = ((size_t)mmi_patch_pack_layout(&s->plan, k) + 1) / 2;
	x->scratch_bytes = mmi_patch_scratch_bf16(&s->plan, read_behind(s)) * sizeof(float);
	return mmi_weights_prepare(&s->weights, x, PACK_PATCH_BF16, floats, mmi_patch_pack_bf16, k, sizeof *k, e);
}

static mm_status prepare_state(mmi_exec *x, patch_state *s, bool narrow, mm_error *e)
{
	mmi_patch_packing packing = {
		.shape = mmi_conv_shape_of(x), .bwd_x = mmi_op_is_bwd_x(x->node->op), .narrow = narrow, .width = s->simd->width
	};
	return s->bf16 ? prepare_bf16(x, s, &packing, e) : prepare_floats(x, s, &packing, e);
}

static mm_status prepare(mmi_exec *x, bool narrow, const mmi_bf16 *bf16, mm_error *e)
{
	patch_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	s->simd = mmi_simd_of(x);
	s->bf16 = bf16;
	s->product = bf16     ? narrow ? bf16->patch_narrow : bf16->patch_wide
	             : narrow ? s->simd->patch_narrow
	                      : s->simd->patch_wide;
	mm_status status = prepare_state(x, s, narrow, e);
	if (status != MM_OK)
		patch_release(x);
	return status;
}

static mm_status prepare_wide(mmi_exec *x, mm_error *e)
{
	return prepare(x, false, NULL, e);
}

static mm_status prepare_narrow(mmi_exec *x, mm_error *e)
{
	return prepare(x, true, NULL, e);
}

static mm_status prepare_wide_bf16(mmi_exec *x, mm_error *e)
{
	return prepare(x, false, mmi_bf16_of(x), e);
}

static mm_status prepare_narrow_bf16(mmi_exec *x, mm_error *e)
{
	return prepare(x, true, mmi_bf16_of(x), e);
}

static void run_phase(const patch_state *s, const mmi_patch_phase *f, int64_t samples, const mmi_patch_job *group)
{
	mmi_patch_job j = *group;
	j.src_off = f->src_off;
	j.dst_off = f->dst_off;
	j.rows = samples * f->rows;
	j.line = f->x.count;
	j.line_step = f->x.src_step * s->plan.c;
	j.n_seg = f->n_seg;
	j.seg_len = f->seg_len;
	j.b = (const char *)group->b + f->b_offset * (int64_t)(s->bf16 ? sizeof(uint16_t) : sizeof(float));
	s->product(&j);
}

/* What patches are read from, for `samples` samples from the first one on. */
static const void *source(const patch_state *s, const mmi_exec *x, int64_t first, int64_t samples)
{
	const mmi_patch_plan *p = &s->plan;
	const void *src = mmi_map_at(x->in[0], x->narrow_in[0], first * p->h * p->w * p->c);
	return s->bf16 ? (const void *)mmi_patch_source_bf16(p, s->bf16, src, x->narrow_in[0], samples, read_behind(s),
	                                                     x->scratch)
	               : mmi_patch_source(p, NULL, src, samples, read_behind(s), x->scratch);
}

static void patch_run(mmi_exec *x)
{
	const patch_state *s = x->state;
	const mmi_patch_plan *p = &s->plan;
	const int64_t dst_sample = (int64_t)p->dst_h * p->dst_w * p->cols;
	mmi_patch_job j = { .dst = x->out,
		                .narrow_dst = x->narrow_out,
		                .seg_stride = (int64_t)p->full_w * p->c,
		                .cols = p->cols,
		                .b = mmi_weights_data(&s->weights, x),
		                .ep = mmi_epilogue_of(x) };
	for (int64_t first = 0; first < x->n; first += p->group) {
		const int64_t samples = x->n - first < p->group ? x->n - first : p->group;
		j.src = source(s, x, first, samples);
		for (int32_t i = 0; i < p->n_phases; i++)
			run_phase(s, &p->phases[i], samples, &j);
		j.dst = mmi_map_to(j.dst, j.narrow_dst, samples * dst_sample);
		mmi_epilogue_on(&j.ep, samples * dst_sample);
	}
}

static bool accepts_narrow(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	return (mmi_op_is_bwd_x(x->node->op) ? s.ci : s.co) <= MMI_NARROW_COLS;
}

static bool accepts_bf16(const mmi_exec *x)
{
	return mmi_bf16_of(x) != NULL;
}

static bool accepts_narrow_bf16(const mmi_exec *x)
{
	return accepts_bf16(x) && accepts_narrow(x);
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

const mmi_kernel mmi_kernel_patch_wide_bf16 = {
	.name = "patch/wide-bf16",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW,
	.accepts = accepts_bf16,
	.prepare = prepare_wide_bf16,
	.run = patch_run,
	.release = patch_release,
};

const mmi_kernel mmi_kernel_patch_narrow_bf16 = {
	.name = "patch/narrow-bf16",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW,
	.accepts = accepts_narrow_bf16,
	.prepare = prepare_narrow_bf16,
	.run = patch_run,
	.release = patch_release,
};
