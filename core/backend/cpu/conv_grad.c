/* conv_grad.c - gradients to the weights and biases of linear layers and convolutions. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"

#include <string.h>

typedef struct grad_state {
	const mmi_simd *simd;
	const mmi_bf16 *x_bf16, *dy_bf16; /* NULL: in floats; else narrow, and widened in a copy */
	void (*product)(const mmi_grad_job *j);
	mmi_patch_plan plan;
	int64_t dy_stride; /* floats a pixel of dy takes: whole vectors in the wide kernel */
	size_t dy_at;      /* its padded copy in scratch, behind that of x */
} grad_state;

static void grad_release(mmi_exec *x)
{
	grad_state *s = x->state;
	if (!s)
		return;
	mmi_patch_plan_release(&s->plan);
	mmi_free(s);
	x->state = NULL;
}

static bool copies_dy(const grad_state *s)
{
	return s->dy_bf16 || s->dy_stride != s->plan.cols;
}

static mm_status prepare(mmi_exec *x, bool narrow, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	grad_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	s->simd = mmi_simd_of(x);
	s->x_bf16 = x->narrow_in[0] ? mmi_bf16_of(x) : NULL;
	s->dy_bf16 = x->narrow_in[1] ? mmi_bf16_of(x) : NULL;
	const int32_t width = s->simd->width, whole = s->x_bf16 ? MMI_PATCH_COPY : narrow ? width : 1;
	s->product = narrow ? s->simd->grad_narrow : s->simd->grad_wide;
	mm_status status = mmi_patch_plan_make(&s->plan, &shape, false, x->n, whole, e);
	if (status != MM_OK) {
		mmi_free(s);
		return status;
	}
	s->dy_stride = narrow ? shape.co : (shape.co + width - 1) / width * width;
	s->dy_at = (mmi_patch_scratch(&s->plan, width) + 15) / 16 * 16;
	const size_t pixels = (size_t)s->plan.group * (size_t)shape.oh * (size_t)shape.ow;
	x->scratch_bytes = (s->dy_at + (copies_dy(s) ? pixels * (size_t)s->dy_stride : 0)) * sizeof(float);
	x->state = s;
	return MM_OK;
}

static mm_status prepare_wide(mmi_exec *x, mm_error *e)
{
	return prepare(x, false, e);
}

static mm_status prepare_narrow(mmi_exec *x, mm_error *e)
{
	return prepare(x, true, e);
}

/* dy itself, or a copy of its rows padded with zeros to whole vectors. */
static const float *dy_rows(const grad_state *s, const void *dy, int64_t rows, float *copy)
{
	const int64_t cols = s->plan.cols;
	const bool narrow = s->dy_bf16 != NULL;
	if (!copies_dy(s))
		return dy;
	for (int64_t r = 0; r < rows; r++, copy += s->dy_stride) {
		const void *row = mmi_map_at(dy, narrow, r * cols);
		if (narrow)
			s->dy_bf16->widen(row, copy, (size_t)cols);
		else
			memcpy(copy, row, (size_t)cols * sizeof *copy);
		memset(copy + cols, 0, (size_t)(s->dy_stride - cols) * sizeof *copy);
	}
	return copy - rows * s->dy_stride;
}

static void grad_run(mmi_exec *x)
{
	const grad_state *s = x->state;
	const mmi_patch_plan *p = &s->plan;
	const mmi_patch_phase *f = &p->phases[0];
	const int64_t src_sample = (int64_t)p->h * p->w * p->c, dy_sample = f->rows * p->cols;
	float *scratch = x->scratch;
	mmi_grad_job j = { .src_off = f->src_off,
		               .dy_stride = s->dy_stride,
		               .n_seg = f->n_seg,
		               .seg_len = f->seg_len,
		               .seg_stride = (int64_t)p->full_w * p->c,
		               .out = x->out,
		               .cols = p->cols };
	for (int64_t first = 0; first < x->n; first += p->group) {
		const int64_t samples = x->n - first < p->group ? x->n - first : p->group;
		j.rows = samples * f->rows;
		j.src = mmi_patch_source(p, s->x_bf16, mmi_map_at(x->in[0], x->narrow_in[0], first * src_sample), samples,
		                         s->simd->width, scratch);
		j.dy = dy_rows(s, mmi_map_at(x->in[1], x->narrow_in[1], first * dy_sample), j.rows,
		               scratch ? scratch + s->dy_at : NULL);
		s->product(&j);
	}
}

static bool accepts_narrow(const mmi_exec *x)
{
	return mmi_conv_shape_of(x).co <= MMI_NARROW_COLS;
}

const mmi_kernel mmi_kernel_grad_wide = {
	.name = "grad/wide",
	.flags = MMI_KERNEL_NARROW,
	.prepare = prepare_wide,
	.run = grad_run,
	.release = grad_release,
};

const mmi_kernel mmi_kernel_grad_narrow = {
	.name = "grad/narrow",
	.flags = MMI_KERNEL_NARROW,
	.accepts = accepts_narrow,
	.prepare = prepare_narrow,
	.run = grad_run,
	.release = grad_release,
};

/* ------------------------------------------------------------------ in bfloat16, two pixels of a row at a time */

typedef struct pair_state {
	const mmi_bf16 *bf16;
	int32_t width, step; /* floats in a vector; columns of x between neighbours in a row of dy */
	int32_t oh, ow;
	int64_t n, pairs; /* samples; pairs in a row of dy: the last of an odd number has a zero */
	mmi_patch_plan plan;
	int32_t *src_off; /* of each pair of a group */
	int64_t dy_stride;
	size_t dy_at;
} pair_state;

/* A map from an element on. */
typedef struct pair_map {
	const void *at;
	bool narrow;
} pair_map;

static void pair_release(mmi_exec *x)
{
	pair_state *s = x->state;
	if (!s)
		return;
	mmi_patch_plan_release(&s->plan);
	mmi_free(s->src_off);
	mmi_free(s);
	x->state = NULL;
}

static mm_status pair_offsets(pair_state *s, mm_error *e)
{
	const int32_t rows = s->plan.group * s->oh;
	s->src_off = mmi_alloc((size_t)(rows * s->pairs), sizeof *s->src_off);
	if (!s->src_off)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's offsets (%lld pairs)",
		                (long long)(rows * s->pairs));
	for (int32_t r = 0; r < rows; r++)
		for (int32_t k = 0; k < s->pairs; k++)
			s->src_off[r * s->pairs + k] = s->plan.phases[0].src_off[r * s->ow + 2 * k];
	return MM_OK;
}

/* Where maps are single pixels, as in linear layers, the samples are taken for a row of pixels. */
static mmi_conv_shape rows_of(const mmi_exec *x, int64_t *n)
{
	mmi_conv_shape shape = mmi_conv_shape_of(x);
	*n = x->n;
	if (shape.h == 1 && shape.w == 1 && shape.kh == 1 && shape.kw == 1 && !shape.ph && !shape.pw) {
		shape.w = shape.ow = (int32_t)*n;
		shape.sw = 1;
		*n = 1;
	}
	return shape;
}

static mm_status prepare_pairs(mmi_exec *x, mm_error *e)
{
	pair_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	const mmi_conv_shape shape = rows_of(x, &s->n);
	s->bf16 = mmi_bf16_of(x);
	s->width = mmi_simd_of(x)->width;
	s->step = shape.sw;
	s->oh = shape.oh;
	s->ow = shape.ow;
	s->pairs = (shape.ow + 1) / 2;
	s->dy_stride = (shape.co + s->width - 1) / s->width * s->width;
	mm_status status = mmi_patch_plan_make(&s->plan, &shape, false, s->n, MMI_PATCH_COPY, e);
	if (status == MM_OK)
		status = pair_offsets(s, e);
	if (status != MM_OK) {
		pair_release(x);
		return status;
	}
	s->dy_at = (mmi_patch_scratch(&s->plan, s->width) + 15) / 16 * 16;
	const size_t pairs = (size_t)s->plan.group * (size_t)s->oh * (size_t)s->pairs;
	x->scratch_bytes = (s->dy_at + pairs * (size_t)s->dy_stride) * sizeof(uint32_t);
	return MM_OK;
}

static void clear_pairs(uint32_t *p, size_t n)
{
	memset(p, 0, n * sizeof *p);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* n numbers of a map, each below that of the other map; other.at NULL: beside zeros. */
static void pair(const pair_state *s, pair_map x, pair_map other, uint32_t *out, size_t n)
{
	if (x.narrow)
		s->bf16->pair_narrow(x.at, other.at, out, n);
	else
		s->bf16->pair(x.at, other.at, out, n);
}

static pair_map from(pair_map x, size_t elements)
{
	x.at = mmi_map_at(x.at, x.narrow, (int64_t)elements);
	return x;
}

static const pair_map nothing;

/* The first numbers of a row have partners in the padding before it, `shift` to the left: zeros. */
static void pair_left(const pair_state *s, pair_map src, size_t row, size_t shift, uint32_t *first)
{
	const size_t outside = least(shift, (size_t)s->plan.left * (size_t)s->plan.c), inside = shift - outside;
	const size_t n = row > inside ? least(outside, row - inside) : 0;
	uint32_t *to = first - outside;
	pair(s, from(src, inside), nothing, to, n);
	for (size_t i = 0; i < n; i++)
		to[i] <<= 16;
}

/* A padded copy in which each number has that of the next pixel of dy's row beside it, or zero. */
static void pair_source(const pair_state *s, pair_map src, uint32_t *to)
{
	const mmi_patch_plan *p = &s->plan;
	const size_t c = (size_t)p->c, row = (size_t)p->w * c, full = (size_t)p->full_w * c, left = (size_t)p->left * c;
	const size_t shift = (size_t)s->step * c, both = row > shift ? row - shift : 0;
	clear_pairs(to, (size_t)p->top * full);
	to += (size_t)p->top * full;
	for (int32_t y = 0; y < p->h; y++, src = from(src, row), to += full) {
		clear_pairs(to, left);
		pair_left(s, src, row, shift, to + left);
		pair(s, src, from(src, shift), to + left, both);
		pair(s, from(src, both), nothing, to + left + both, row - both);
		clear_pairs(to + left + row, full - left - row);
	}
	clear_pairs(to, (size_t)(p->full_h - p->h - p->top) * full);
}

static void pair_dy(const pair_state *s, pair_map dy, int64_t rows, uint32_t *to)
{
	const size_t n = (size_t)s->plan.cols;
	for (int64_t r = 0; r < rows; r++, dy = from(dy, (size_t)s->ow * n))
		for (int32_t k = 0; k < s->ow; k += 2, to += s->dy_stride) {
			const pair_map first = from(dy, (size_t)k * n);
			pair(s, first, k + 1 < s->ow ? from(first, n) : nothing, to, n);
			clear_pairs(to + n, (size_t)s->dy_stride - n);
		}
}

static void pair_run(mmi_exec *x)
{
	const pair_state *s = x->state;
	const mmi_patch_plan *p = &s->plan;
	const mmi_patch_phase *f = &p->phases[0];
	const size_t sample = (size_t)p->h * (size_t)p->w * (size_t)p->c;
	const size_t padded = (size_t)p->full_h * (size_t)p->full_w * (size_t)p->c;
	pair_map src = { x->in[0], x->narrow_in[0] }, dy = { x->in[1], x->narrow_in[1] };
	uint32_t *copy = x->scratch, *dy_copy = copy + s->dy_at;
	mmi_grad_job j = { .src = copy,
		               .src_off = s->src_off,
		               .dy = dy_copy,
		               .dy_stride = s->dy_stride,
		               .n_seg = f->n_seg,
		               .seg_len = f->seg_len,
		               .seg_stride = (int64_t)p->full_w * p->c,
		               .out = x->out,
		               .cols = p->cols };
	for (int64_t first = 0; first < s->n; first += p->group) {
		const int64_t samples = s->n - first < p->group ? s->n - first : p->group;
		for (size_t i = 0; i < (size_t)samples; i++, src = from(src, sample))
			pair_source(s, src, copy + i * padded);
		clear_pairs(copy + (size_t)samples * padded, (size_t)s->width);
		pair_dy(s, dy, samples * s->oh, dy_copy);
		j.rows = samples * s->oh * s->pairs;
		s->bf16->grad_wide(&j);
		dy = from(dy, (size_t)(samples * f->rows * p->cols));
	}
}

/* Pairs of few columns are no faster than floats. */
static bool accepts_pairs(const mmi_exec *x)
{
	return mmi_bf16_of(x) && !accepts_narrow(x);
}

const mmi_kernel mmi_kernel_grad_wide_bf16 = {
	.name = "grad/wide-bf16",
	.flags = MMI_KERNEL_NARROW,
	.accepts = accepts_pairs,
	.prepare = prepare_pairs,
	.run = pair_run,
	.release = pair_release,
};

/* ------------------------------------------------------------------ bias */

static int64_t bias_count(const mmi_exec *x)
{
	return mmi_shape_count(&x->node->shape);
}

/* Rows that are widened at a time. */
static int64_t bias_rows(const mmi_exec *x)
{
	enum { FLOATS = 4096 };
	const int64_t rows = FLOATS / bias_count(x);
	return rows > 1 ? rows : 1;
}

static mm_status bias_prepare(mmi_exec *x, mm_error *e)
{
	(void)e;
	x->state = (void *)mmi_simd_of(x);
	x->scratch_bytes = (size_t)bias_count(x) * sizeof(double);
	if (x->narrow_in[0])
		x->scratch_bytes += (size_t)(bias_rows(x) * bias_count(x)) * sizeof(float);
	return MM_OK;
}

static void sum_narrow(const mmi_exec *x, int64_t rows, int32_t cols, double *sums)
{
	const mmi_simd *simd = x->state;
	const uint16_t *from = x->in[0];
	const int64_t most = bias_rows(x);
	float *floats = (float *)(void *)(sums + cols);
	for (int64_t n; rows > 0; rows -= n, from += n * cols) {
		n = rows < most ? rows : most;
		mmi_bf16_of(x)->widen(from, floats, (size_t)(n * cols));
		simd->column_sums(floats, n, cols, sums);
	}
}

static void bias_run(mmi_exec *x)
{
	const int64_t cols = bias_count(x), rows = x->n * mmi_shape_count(&x->in_node[0]->shape) / cols;
	const mmi_simd *simd = x->state;
	double *sums = x->scratch;
	float *out = x->out;
	memset(sums, 0, (size_t)cols * sizeof *sums);
	if (x->narrow_in[0])
		sum_narrow(x, rows, (int32_t)cols, sums);
	else
		simd->column_sums(x->in[0], rows, (int32_t)cols, sums);
	for (int64_t i = 0; i < cols; i++)
		out[i] = (float)((double)out[i] + sums[i]);
}

const mmi_kernel mmi_kernel_bias_grad = {
	.name = "bias-grad/blocked", .flags = MMI_KERNEL_NARROW, .prepare = bias_prepare, .run = bias_run
};
