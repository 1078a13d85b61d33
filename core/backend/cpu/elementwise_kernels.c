/* elementwise_kernels.c - element-wise operations, losses, reductions and moves; compiled once per instruction set
 * (MMI_ISA). Loops marked MMI_SIMD become vector code. Tensors are as large as a cache, so a loop's cost is its memory
 * traffic: activations and masks are applied block by block, while a block is still in the first-level cache. */
#include "mmi_build.h"

#include "backend/cpu/elementwise.h"
#include "backend/cpu/vec_math.h"

static int64_t in_count(const mmi_exec *x, uint32_t i)
{
	return mmi_shape_count(&x->in_node[i]->shape);
}

static int64_t out_count(const mmi_exec *x)
{
	return mmi_shape_count(&x->node->shape);
}

static int64_t last_axis(const mm_shape *s)
{
	return s->rank ? s->dim[s->rank - 1] : 1;
}

/* Parameters as operands are left to the reference. */
static bool all_batched(const mmi_exec *x)
{
	for (uint32_t i = 0; i < x->n_in; i++)
		if (!x->in_node[i]->batched)
			return false;
	return x->node->batched;
}

#include "backend/cpu/elementwise_map.inc.c"
#include "backend/cpu/elementwise_rows.inc.c"
#include "backend/cpu/elementwise_shape.inc.c"
#include "backend/cpu/elementwise_loss.inc.c"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define KERNEL(op, function, kernel_flags) \
	[MMI_OP_##op] = { .name = #function "/" TEXT(MMI_ISA), .flags = (kernel_flags), .accepts = all_batched, .run = function }

enum { INPLACE = MMI_KERNEL_INPLACE, FUSES = MMI_KERNEL_INPLACE | MMI_KERNEL_ACT | MMI_KERNEL_MASK };

const mmi_kernel GLUE(mmi_elementwise_, MMI_ISA)[MMI_OP_COUNT] = {
	KERNEL(ADD, add, FUSES),
	KERNEL(MUL, mul, FUSES),
	KERNEL(AFFINE, affine, FUSES),
	KERNEL(ACT, activation, INPLACE),
	KERNEL(ACT_BWD, activation_bwd, INPLACE),
	KERNEL(CLAMP, clamp, INPLACE),
	KERNEL(CLAMP_BWD, clamp_bwd, INPLACE),
	KERNEL(LOG, logarithm, INPLACE),
	KERNEL(LOG_BWD, logarithm_bwd, INPLACE),
	KERNEL(SOFTMAX, softmax, INPLACE),
	KERNEL(SOFTMAX_BWD, softmax_bwd, INPLACE),
	KERNEL(LSE, log_sum_exp, 0),
	KERNEL(LSE_BWD, log_sum_exp_bwd, 0),
	KERNEL(CONCAT, concat, 0),
	KERNEL(SLICE, slice, 0),
	KERNEL(SLICE_BWD, slice_bwd, 0),
	KERNEL(SUM, sum_axis, 0),
	KERNEL(SUM_BWD, sum_axis_bwd, 0),
	KERNEL(SUM_ALL, sum_all, 0),
	KERNEL(SUM_ALL_BWD, sum_all_bwd, 0),
	KERNEL(SQUARED_ERROR, squared_error, 0),
	KERNEL(SQUARED_ERROR_BWD, squared_error_bwd, INPLACE),
	KERNEL(NLL_GAUSSIAN, nll_gaussian, 0),
	KERNEL(NLL_GAUSSIAN_BWD, nll_gaussian_bwd, INPLACE),
	KERNEL(NLL_LAPLACE, nll_laplace, 0),
	KERNEL(NLL_LAPLACE_BWD, nll_laplace_bwd, INPLACE),
	KERNEL(NLL_BERNOULLI, nll_bernoulli, 0),
	KERNEL(NLL_BERNOULLI_BWD, nll_bernoulli_bwd, INPLACE),
	KERNEL(NLL_CATEGORICAL, nll_categorical, 0),
	KERNEL(NLL_CATEGORICAL_BWD, nll_categorical_bwd, 0),
	KERNEL(LOGPDF_NORMAL, logpdf_normal, 0),
	KERNEL(LOGPDF_NORMAL_BWD, logpdf_normal_bwd, INPLACE),
	KERNEL(LOGPDF_LAPLACE, logpdf_laplace, 0),
	KERNEL(LOGPDF_LAPLACE_BWD, logpdf_laplace_bwd, INPLACE),
	KERNEL(GATHER, gather, 0),
	KERNEL(GATHER_BWD, gather_bwd, 0),
};
