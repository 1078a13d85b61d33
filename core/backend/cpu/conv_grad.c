/* conv_grad.c - gradients to the weights and biases of linear layers and convolutions. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"

#include <string.h>

typedef struct grad_state {
	const mmi_simd *simd;
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

static mm_status prepare(mmi_exec *x, bool narrow, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	grad_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	s->simd = mmi_simd_of(x);
	const int32_t width = s->simd->width;
	s->product = narrow ? s->simd->grad_narrow : s->simd->grad_wide;
	mm_status status = mmi_patch_plan_make(&s->plan, &shape, false, x->n, narrow ? width : 1, e);
	if (status != MM_OK) {
		mmi_free(s);
		return status;
	}
	s->dy_stride = narrow ? shape.co : (shape.co + width - 1) / width * width;
	s->dy_at = (mmi_patch_scratch(&s->plan, width) + 15) / 16 * 16;
	const size_t pixels = (size_t)s->plan.group * (size_t)shape.oh * (size_t)shape.ow;
	x->scratch_bytes = (s->dy_at + (s->dy_stride == shape.co ? 0 : pixels * (size_t)s->dy_stride)) * sizeof(float);
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
static const float *dy_rows(const grad_state *s, const float *dy, int64_t rows, float *copy)
{
	const int64_t cols = s->plan.cols;
	if (s->dy_stride == cols)
		return dy;
	for (int64_t r = 0; r < rows; r++) {
		memcpy(copy + r * s->dy_stride, dy + r * cols, (size_t)cols * sizeof *dy);
		memset(copy + r * s->dy_stride + cols, 0, (size_t)(s->dy_stride - cols) * sizeof *dy);
	}
	return copy;
}

static void grad_run(mmi_exec *x)
{
	const grad_state *s = x->state;
	const mmi_patch_plan *p = &s->plan;
	const mmi_patch_phase *f = &p->phases[0];
	const int64_t src_sample = (int64_t)p->h * p->w * p->c;
	const float *src = x->in[0], *dy = x->in[1];
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
		j.src = mmi_patch_source(p, src + first * src_sample, samples, s->simd->width, scratch);
		j.dy = dy_rows(s, dy, j.rows, scratch ? scratch + s->dy_at : NULL);
		s->product(&j);
		dy += j.rows * p->cols;
	}
}

static bool accepts_narrow(const mmi_exec *x)
{
	return mmi_conv_shape_of(x).co <= MMI_NARROW_COLS;
}

const mmi_kernel mmi_kernel_grad_wide = {
	.name = "grad/wide",
	.prepare = prepare_wide,
	.run = grad_run,
	.release = grad_release,
};

const mmi_kernel mmi_kernel_grad_narrow = {
	.name = "grad/narrow",
	.accepts = accepts_narrow,
	.prepare = prepare_narrow,
	.run = grad_run,
	.release = grad_release,
};

/* ------------------------------------------------------------------ bias */

static int64_t bias_count(const mmi_exec *x)
{
	return mmi_shape_count(&x->node->shape);
}

static mm_status bias_prepare(mmi_exec *x, mm_error *e)
{
	(void)e;
	x->state = (void *)mmi_simd_of(x);
	x->scratch_bytes = (size_t)bias_count(x) * sizeof(double);
	return MM_OK;
}

static void bias_run(mmi_exec *x)
{
	const int64_t cols = bias_count(x), rows = x->n * mmi_shape_count(&x->in_node[0]->shape) / cols;
	const mmi_simd *simd = x->state;
	double *sums = x->scratch;
	float *out = x->out;
	memset(sums, 0, (size_t)cols * sizeof *sums);
	simd->column_sums(x->in[0], rows, (int32_t)cols, sums);
	for (int64_t i = 0; i < cols; i++)
		out[i] = (float)((double)out[i] + sums[i]);
}

const mmi_kernel mmi_kernel_bias_grad = { .name = "bias-grad/blocked", .prepare = bias_prepare, .run = bias_run };
