/* kernels.c - the table of kernels, and those of element-wise operations, losses, reductions and moves; compiled once
 * per instruction set (MMI_ISA). Loops marked MMI_SIMD become vector code. Tensors are as large as a cache, so a loop's
 * cost is its memory traffic: activations and masks are applied block by block, while a block is still in the
 * first-level cache. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
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
#define KERNEL(function, kernel_flags)                                                                        \
	&(const mmi_kernel)                                                                                       \
	{                                                                                                         \
		.name = #function "/" TEXT(MMI_ISA), .flags = (kernel_flags), .accepts = all_batched, .run = function \
	}
#if HAVE_OPENBLAS
#define BLAS_PRODUCT &mmi_kernel_blas_product,
#define BLAS_GRADIENT &mmi_kernel_blas_gradient,
#else
#define BLAS_PRODUCT
#define BLAS_GRADIENT
#endif
#define ONEDNN_PRODUCT &mmi_kernel_onednn_product,
#define ONEDNN_GRADIENT &mmi_kernel_onednn_gradient,
#define BF16_PRODUCT &mmi_kernel_patch_narrow_bf16, &mmi_kernel_patch_wide_bf16,
#define OWN_PRODUCT &mmi_kernel_patch_narrow, &mmi_kernel_patch_wide
#define PRODUCT BLAS_PRODUCT ONEDNN_PRODUCT BF16_PRODUCT OWN_PRODUCT
#define CONVOLUTION                                                                                             \
	BLAS_PRODUCT ONEDNN_PRODUCT &mmi_kernel_winograd_bf16, BF16_PRODUCT &mmi_kernel_winograd, &mmi_kernel_line, \
		OWN_PRODUCT
#define BF16_GRADIENT &mmi_kernel_grad_wide_bf16,
#define OWN_GRADIENT &mmi_kernel_grad_narrow, &mmi_kernel_grad_wide
#define WEIGHT_GRADIENT BLAS_GRADIENT ONEDNN_GRADIENT BF16_GRADIENT OWN_GRADIENT

enum {
	INPLACE = MMI_KERNEL_INPLACE,
	NARROW = MMI_KERNEL_NARROW,
	FUSES = MMI_KERNEL_INPLACE | MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW
};

mmi_kernel_list GLUE(mmi_kernels_, MMI_ISA)[MMI_OP_COUNT] = {
	[MMI_OP_LINEAR] = { PRODUCT },
	[MMI_OP_LINEAR_BWD_X] = { PRODUCT },
	[MMI_OP_LINEAR_BWD_W] = { WEIGHT_GRADIENT },
	[MMI_OP_CONV] = { CONVOLUTION },
	[MMI_OP_CONV_BWD_X] = { CONVOLUTION },
	[MMI_OP_CONV_BWD_W] = { BLAS_GRADIENT ONEDNN_GRADIENT & mmi_kernel_winograd_grad,
	                        BF16_GRADIENT &mmi_kernel_line_grad, OWN_GRADIENT },
	[MMI_OP_BIAS_BWD] = { &mmi_kernel_bias_grad },
	[MMI_OP_AVG_POOL] = { &mmi_kernel_pool },
	[MMI_OP_AVG_POOL_BWD] = { &mmi_kernel_pool },
	[MMI_OP_UPSAMPLE] = { &mmi_kernel_pool },
	[MMI_OP_UPSAMPLE_BWD] = { &mmi_kernel_pool },
	[MMI_OP_ADD] = { KERNEL(add, FUSES) },
	[MMI_OP_MUL] = { KERNEL(mul, FUSES) },
	[MMI_OP_AFFINE] = { KERNEL(affine, FUSES) },
	[MMI_OP_ACT] = { KERNEL(activation, INPLACE | NARROW) },
	[MMI_OP_ACT_BWD] = { KERNEL(activation_bwd, INPLACE | NARROW) },
	[MMI_OP_CLAMP] = { KERNEL(clamp, INPLACE) },
	[MMI_OP_CLAMP_BWD] = { KERNEL(clamp_bwd, INPLACE) },
	[MMI_OP_LOG] = { KERNEL(logarithm, INPLACE) },
	[MMI_OP_LOG_BWD] = { KERNEL(logarithm_bwd, INPLACE) },
	[MMI_OP_SOFTMAX] = { KERNEL(softmax, INPLACE) },
	[MMI_OP_SOFTMAX_BWD] = { KERNEL(softmax_bwd, INPLACE) },
	[MMI_OP_LSE] = { KERNEL(log_sum_exp, 0) },
	[MMI_OP_LSE_BWD] = { KERNEL(log_sum_exp_bwd, 0) },
	[MMI_OP_CONCAT] = { KERNEL(concat, NARROW) },
	[MMI_OP_SLICE] = { KERNEL(slice, NARROW) },
	[MMI_OP_SLICE_BWD] = { KERNEL(slice_bwd, NARROW) },
	[MMI_OP_SUM] = { KERNEL(sum_axis, 0) },
	[MMI_OP_SUM_BWD] = { KERNEL(sum_axis_bwd, 0) },
	[MMI_OP_SUM_ALL] = { KERNEL(sum_all, 0) },
	[MMI_OP_SUM_ALL_BWD] = { KERNEL(sum_all_bwd, 0) },
	[MMI_OP_NLL_GAUSSIAN] = { KERNEL(nll_gaussian, 0) },
	[MMI_OP_NLL_GAUSSIAN_BWD] = { KERNEL(nll_gaussian_bwd, INPLACE) },
	[MMI_OP_NLL_LAPLACE] = { KERNEL(nll_laplace, 0) },
	[MMI_OP_NLL_LAPLACE_BWD] = { KERNEL(nll_laplace_bwd, INPLACE) },
	[MMI_OP_NLL_BERNOULLI] = { KERNEL(nll_bernoulli, 0) },
	[MMI_OP_NLL_BERNOULLI_BWD] = { KERNEL(nll_bernoulli_bwd, INPLACE) },
	[MMI_OP_NLL_CATEGORICAL] = { KERNEL(nll_categorical, 0) },
	[MMI_OP_NLL_CATEGORICAL_BWD] = { KERNEL(nll_categorical_bwd, 0) },
	[MMI_OP_LOGPDF_NORMAL] = { KERNEL(logpdf_normal, 0) },
	[MMI_OP_LOGPDF_NORMAL_BWD] = { KERNEL(logpdf_normal_bwd, INPLACE) },
	[MMI_OP_LOGPDF_LAPLACE] = { KERNEL(logpdf_laplace, 0) },
	[MMI_OP_LOGPDF_LAPLACE_BWD] = { KERNEL(logpdf_laplace_bwd, INPLACE) },
};
