/* products.c - linear layers, convolutions and their gradients as matrix products of OpenBLAS.
 *
 * Patches are copied into rows (im2col), a block at a time, so that block and weights stay in the second-level cache.
 * Which pixels a patch has is the plan of patch.h: a gradient to x with stride s is s * s convolutions with stride 1.
 * OpenBLAS computes on the calling thread alone: workers call it side by side.
 *
 * Where vectors are as wide as OpenBLAS's the kernels of backend/cpu are faster (docs/BENCHMARKS.md), so these are
 * taken on request only: MMCORE_ISA=blas. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"

#include <cblas.h>
#include <string.h>

enum {
	PACK_MATRIX = 3,
	BLOCK_FLOATS = 128 * 1024, /* of patches: half of a usual second-level cache */
	BLOCK_LEAST = 64           /* rows: OpenBLAS packs the weights anew for each block */
};

typedef struct products {
	const mmi_simd *simd;
	mmi_patch_plan plan;
	mmi_weights weights;           /* not of a gradient to them */
	bool in_place;                 /* patches are the source's pixels, results the output's: nothing is copied */
	bool scattered;                /* results go to every s-th pixel */
	int64_t block;                 /* rows of patches at a time */
	size_t patches_at, results_at; /* in scratch, behind the padded source */
} products;

static void products_release(mmi_exec *x)
{
	products *p = x->state;
	if (!p)
		return;
	mmi_patch_plan_release(&p->plan);
	mmi_weights_release(&p->weights);
	mmi_free(p);
	x->state = NULL;
}

/* ------------------------------------------------------------ preparing */

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Of the longest patch, and the most patches that one phase has in a group of samples. */
static void measure_plan(const mmi_patch_plan *plan, int64_t *depth, int64_t *rows)
{
	*depth = *rows = 1;
	for (int32_t i = 0; i < plan->n_phases; i++) {
		const mmi_patch_phase *f = &plan->phases[i];
		*depth = most(*depth, (int64_t)f->n_seg * f->seg_len);
		*rows = most(*rows, plan->group * f->rows);
	}
}

static bool is_pointwise(const mmi_conv_shape *s)
{
	return s->kh == 1 && s->kw == 1 && s->sh == 1 && s->sw == 1 && !s->ph && !s->pw;
}

static void plan_scratch(mmi_exec *x, products *p)
{
	int64_t depth, rows;
	measure_plan(&p->plan, &depth, &rows);
	p->block = most(BLOCK_FLOATS / depth, BLOCK_LEAST);
	p->block = p->block < rows ? p->block : rows;
	p->patches_at = (mmi_patch_scratch(&p->plan, 0) + 15) / 16 * 16;
	p->results_at = p->patches_at + (p->in_place ? 0 : (size_t)(p->block * depth) + 15) / 16 * 16;
	x->scratch_bytes = (p->results_at + (p->scattered ? (size_t)(p->block * p->plan.cols) : 0)) * sizeof(float);
}

/* The weights as one matrix [patch, column] for each phase: packed as for vectors that are as wide as all columns. */
static mm_status prepare_weights(mmi_exec *x, products *p, const mmi_conv_shape *shape, mm_error *e)
{
	const mmi_patch_packing packing = { .shape = *shape, .bwd_x = mmi_op_is_bwd_x(x->node->op), .width = p->plan.cols };
	const size_t floats = (size_t)mmi_patch_pack_layout(&p->plan, &packing);
	return mmi_weights_prepare(&p->weights, x, PACK_MATRIX, floats, mmi_patch_pack, &packing, sizeof packing, e);
}

static mm_status prepare(mmi_exec *x, bool with_weights, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	products *p = mmi_alloc(1, sizeof *p);
	if (!p)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	openblas_set_num_threads(1);
	x->state = p;
	p->simd = mmi_simd_of(x);
	p->in_place = is_pointwise(&shape);
	mm_status status = mmi_patch_plan_make(&p->plan, &shape, mmi_op_is_bwd_x(x->node->op), x->n, 1, e);
	p->scattered = p->plan.n_phases > 1;
	if (status == MM_OK && with_weights)
		status = prepare_weights(x, p, &shape, e);
	if (status == MM_OK)
		plan_scratch(x, p);
	else
		products_release(x);
	return status;
}

static mm_status prepare_product(mmi_exec *x, mm_error *e)
{
	return prepare(x, true, e);
}

static mm_status prepare_gradient(mmi_exec *x, mm_error *e)
{
	return prepare(x, false, e);
}

/* ------------------------------------------------------------ running */

/* Patches first .. first + rows - 1 of a phase as the rows of a matrix; what is in place is only pointed at. */
static const float *patches(const products *p, const mmi_patch_phase *f, const float *src, int64_t first, int64_t rows,
                            float *scratch)
{
	float *to = scratch + p->patches_at;
	const int64_t stride = (int64_t)p->plan.full_w * p->plan.c;
	if (p->in_place)
		return src + first * f->seg_len;
	for (int64_t r = first; r < first + rows; r++)
		for (int32_t s = 0; s < f->n_seg; s++, to += f->seg_len)
			memcpy(to, src + f->src_off[r] + s * stride, (size_t)f->seg_len * sizeof *to);
	return scratch + p->patches_at;
}

/* c = a b, row by row. */
static void multiply(const float *a, const float *b, float *c, int64_t rows, int64_t cols, int64_t depth)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)cols, (int)depth, 1, a, (int)depth, b,
	            (int)cols, 0, c, (int)cols);
}

static void scatter(const mmi_patch_phase *f, int64_t first, int64_t rows, int32_t cols, const float *from, float *dst)
{
	for (int64_t r = first; r < first + rows; r++, from += cols)
		memcpy(dst + f->dst_off[r], from, (size_t)cols * sizeof *dst);
}

static void run_phase(const products *p, const mmi_patch_phase *f, const float *src, const float *weights, int64_t rows,
                      float *dst, float *scratch)
{
	const int64_t depth = (int64_t)f->n_seg * f->seg_len;
	const int32_t cols = p->plan.cols;
	for (int64_t first = 0; first < rows; first += p->block) {
		const int64_t n = rows - first < p->block ? rows - first : p->block;
		float *to = p->scattered ? scratch + p->results_at : dst + first * cols;
		if (depth)
			multiply(patches(p, f, src, first, n, scratch), weights + f->b_offset, to, n, cols, depth);
		else /* pixels that no window reads */
			memset(to, 0, (size_t)(n * cols) * sizeof *to);
		if (p->scattered)
			scatter(f, first, n, cols, to, dst);
	}
}

static void run_product(mmi_exec *x)
{
	const products *p = x->state;
	const mmi_patch_plan *plan = &p->plan;
	const int64_t pixels = (int64_t)plan->dst_h * plan->dst_w, src_sample = (int64_t)plan->h * plan->w * plan->c;
	const float *src = x->in[0], *weights = mmi_weights_data(&p->weights, x);
	float *dst = x->out;
	mmi_epilogue ep = mmi_epilogue_of(x);
	for (int64_t first = 0; first < x->n; first += plan->group) {
		const int64_t samples = x->n - first < plan->group ? x->n - first : plan->group;
		const float *from = mmi_patch_source(plan, NULL, src + first * src_sample, samples, 0, x->scratch);
		for (int32_t i = 0; i < plan->n_phases; i++)
			run_phase(p, &plan->phases[i], from, weights, samples * plan->phases[i].rows, dst, x->scratch);
		p->simd->epilogue(dst, dst, false, samples * pixels, plan->cols, &ep);
		dst += samples * pixels * plan->cols;
		mmi_epilogue_on(&ep, samples * pixels * plan->cols);
	}
}

/* out += patches^T dy: an element of the kernel is a row, as in the weights. */
static void run_gradient(mmi_exec *x)
{
	const products *p = x->state;
	const mmi_patch_plan *plan = &p->plan;
	const mmi_patch_phase *f = &plan->phases[0];
	const int64_t src_sample = (int64_t)plan->h * plan->w * plan->c;
	const int depth = f->n_seg * f->seg_len, cols = plan->cols;
	const float *src = x->in[0], *dy = x->in[1];
	for (int64_t first = 0; first < x->n; first += plan->group) {
		const int64_t samples = x->n - first < plan->group ? x->n - first : plan->group, rows = samples * f->rows;
		const float *from = mmi_patch_source(plan, NULL, src + first * src_sample, samples, 0, x->scratch);
		for (int64_t r = 0; r < rows; r += p->block) {
			const int64_t n = rows - r < p->block ? rows - r : p->block;
			cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, depth, cols, (int)n, 1,
			            patches(p, f, from, r, n, x->scratch), depth, dy + r * cols, cols, 1, x->out, cols);
		}
		dy += rows * cols;
	}
}

/* ------------------------------------------------------------ the kernels */

/* 3x3 with Winograd's fewer multiplications is faster in portable C than OpenBLAS with any vectors; and a product with
 * few columns is mostly copying of patches. */
static bool accepts_product(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	const bool winograd = s.kh == 3 && mmi_kernel_winograd.accepts(x);
	return mmi_uses_blas(x) && !winograd && (mmi_op_is_bwd_x(x->node->op) ? s.ci : s.co) > MMI_NARROW_COLS;
}

const mmi_kernel mmi_kernel_blas_product = {
	.name = "product/blas",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts_product,
	.prepare = prepare_product,
	.run = run_product,
	.release = products_release,
};

const mmi_kernel mmi_kernel_blas_gradient = {
	.name = "gradient/blas",
	.accepts = mmi_uses_blas,
	.prepare = prepare_gradient,
	.run = run_gradient,
	.release = products_release,
};

const char *mmi_blas_text(void)
{
	return openblas_get_config();
}
