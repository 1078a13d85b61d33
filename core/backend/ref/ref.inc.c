/* ref.inc.c - the reference backend: every operation of opcodes.h as plain loops, accumulating in double.
 *
 * Included once per element type, with `real` the type and REF_BACKEND / REF_NAME the table it defines. */
#include "mmi_build.h"

#include <math.h>
#include <string.h>

#include "engine/kernel.h"

static const double log_two_pi = 1.8378770664093454836;

/* Elements of one sample of input i, and of the output. */
static int64_t in_count(const mmi_exec *x, uint32_t i)
{
	return mmi_shape_count(&x->in_node[i]->shape);
}

static int64_t out_count(const mmi_exec *x)
{
	return mmi_shape_count(&x->node->shape);
}

/* Sample s of input i; parameters are the same for every sample. */
static const real *in_sample(const mmi_exec *x, uint32_t i, int64_t s)
{
	return (const real *)x->in[i] + (x->in_node[i]->batched ? s * in_count(x, i) : 0);
}

static real *out_sample(const mmi_exec *x, int64_t s)
{
	return (real *)x->out + s * out_count(x);
}

static int64_t last_axis(const mm_shape *s)
{
	return s->rank ? s->dim[s->rank - 1] : 1;
}

/* A shape seen as [outer, count, inner] around one axis. */
typedef struct axis_view {
	int64_t outer, count, inner;
} axis_view;

static axis_view view_axis(const mm_shape *s, int32_t axis)
{
	axis_view v = { 1, s->dim[axis], 1 };

	for (int32_t i = 0; i < (int32_t)s->rank; i++) {
		if (i < axis)
			v.outer *= s->dim[i];
		else if (i > axis)
			v.inner *= s->dim[i];
	}
	return v;
}

#include "backend/ref/linear.inc.c"
#include "backend/ref/pool.inc.c"
#include "backend/ref/elementwise.inc.c"
#include "backend/ref/shape.inc.c"
#include "backend/ref/loss.inc.c"

#define KERNEL(op, function, kernel_flags) \
	[MMI_OP_##op] = { .name = REF_NAME "/" #function, .flags = (kernel_flags), .run = function }

static const mmi_kernel kernels[MMI_OP_COUNT] = {
	KERNEL(LINEAR, linear, 0),
	KERNEL(LINEAR_BWD_X, linear_bwd_x, 0),
	KERNEL(LINEAR_BWD_W, linear_bwd_w, 0),
	KERNEL(CONV, conv, 0),
	KERNEL(CONV_BWD_X, conv_bwd_x, 0),
	KERNEL(CONV_BWD_W, conv_bwd_w, 0),
	KERNEL(BIAS_BWD, bias_bwd, 0),
	KERNEL(AVG_POOL, avg_pool, 0),
	KERNEL(AVG_POOL_BWD, avg_pool_bwd, 0),
	KERNEL(UPSAMPLE, upsample, 0),
	KERNEL(UPSAMPLE_BWD, upsample_bwd, 0),
	KERNEL(ADD, add, MMI_KERNEL_INPLACE),
	KERNEL(MUL, mul, MMI_KERNEL_INPLACE),
	KERNEL(AFFINE, affine, MMI_KERNEL_INPLACE),
	KERNEL(ACT, activation, MMI_KERNEL_INPLACE),
	KERNEL(ACT_BWD, activation_bwd, MMI_KERNEL_INPLACE),
	KERNEL(CLAMP, clamp, MMI_KERNEL_INPLACE),
	KERNEL(CLAMP_BWD, clamp_bwd, MMI_KERNEL_INPLACE),
	KERNEL(LOG, logarithm, MMI_KERNEL_INPLACE),
	KERNEL(LOG_BWD, logarithm_bwd, MMI_KERNEL_INPLACE),
	KERNEL(SOFTMAX, softmax, 0),
	KERNEL(SOFTMAX_BWD, softmax_bwd, 0),
	KERNEL(LSE, log_sum_exp, 0),
	KERNEL(LSE_BWD, log_sum_exp_bwd, 0),
	KERNEL(CONCAT, concat, 0),
	KERNEL(SLICE, slice, 0),
	KERNEL(SLICE_BWD, slice_bwd, 0),
	KERNEL(RESHAPE, reshape, 0),
	KERNEL(SUM, sum_axis, 0),
	KERNEL(SUM_BWD, sum_axis_bwd, 0),
	KERNEL(SUM_ALL, sum_all, 0),
	KERNEL(SUM_ALL_BWD, sum_all_bwd, 0),
	KERNEL(NLL_GAUSSIAN, nll_gaussian, 0),
	KERNEL(NLL_GAUSSIAN_BWD, nll_gaussian_bwd, 0),
	KERNEL(NLL_LAPLACE, nll_laplace, 0),
	KERNEL(NLL_LAPLACE_BWD, nll_laplace_bwd, 0),
	KERNEL(NLL_BERNOULLI, nll_bernoulli, 0),
	KERNEL(NLL_BERNOULLI_BWD, nll_bernoulli_bwd, 0),
	KERNEL(NLL_CATEGORICAL, nll_categorical, 0),
	KERNEL(NLL_CATEGORICAL_BWD, nll_categorical_bwd, 0),
	KERNEL(LOGPDF_NORMAL, logpdf_normal, 0),
	KERNEL(LOGPDF_NORMAL_BWD, logpdf_normal_bwd, 0),
	KERNEL(LOGPDF_LAPLACE, logpdf_laplace, 0),
	KERNEL(LOGPDF_LAPLACE_BWD, logpdf_laplace_bwd, 0),
};

static const mmi_kernel *select_kernel(const mmi_exec *x)
{
	const mmi_kernel *k = &kernels[x->node->op];

	return k->run ? k : NULL;
}

const mmi_backend REF_BACKEND = { .name = REF_NAME, .element_size = sizeof(real), .select = select_kernel };
