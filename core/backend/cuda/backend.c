/* backend.c - which kernel runs an operation. */
#include "mmi_build.h"

#include "backend/cuda/kernels.h"

static const mmi_kernel *const kernels[MMI_OP_COUNT] = {
	[MMI_OP_LINEAR] = &mmi_cuda_linear,
	[MMI_OP_LINEAR_BWD_X] = &mmi_cuda_linear,
	[MMI_OP_LINEAR_BWD_W] = &mmi_cuda_linear,
	[MMI_OP_CONV] = &mmi_cuda_conv,
	[MMI_OP_CONV_BWD_X] = &mmi_cuda_conv,
	[MMI_OP_CONV_BWD_W] = &mmi_cuda_conv_bwd_w,
	[MMI_OP_BIAS_BWD] = &mmi_cuda_bias_bwd,
	[MMI_OP_AVG_POOL] = &mmi_cuda_avg_pool,
	[MMI_OP_AVG_POOL_BWD] = &mmi_cuda_avg_pool_bwd,
	[MMI_OP_SOFTMAX] = &mmi_cuda_rows_kernel,
	[MMI_OP_SOFTMAX_BWD] = &mmi_cuda_rows_kernel,
	[MMI_OP_LSE] = &mmi_cuda_rows_kernel,
	[MMI_OP_NLL_CATEGORICAL] = &mmi_cuda_categorical,
	[MMI_OP_NLL_CATEGORICAL_BWD] = &mmi_cuda_rows_kernel,
	[MMI_OP_CONCAT] = &mmi_cuda_concat,
	[MMI_OP_SLICE] = &mmi_cuda_slice,
	[MMI_OP_SLICE_BWD] = &mmi_cuda_slice_bwd,
	[MMI_OP_RESHAPE] = &mmi_cuda_reshape,
	[MMI_OP_SUM] = &mmi_cuda_sum,
	[MMI_OP_SUM_ALL] = &mmi_cuda_samples,
	[MMI_OP_NLL_GAUSSIAN] = &mmi_cuda_samples,
	[MMI_OP_NLL_LAPLACE] = &mmi_cuda_samples,
	[MMI_OP_NLL_BERNOULLI] = &mmi_cuda_samples,
	[MMI_OP_LOGPDF_NORMAL] = &mmi_cuda_samples,
	[MMI_OP_LOGPDF_LAPLACE] = &mmi_cuda_samples,
};

static const mmi_kernel *select_kernel(const mmi_exec *x)
{
	return mmi_cuda_map.accepts(x) ? &mmi_cuda_map : kernels[x->node->op];
}

const mmi_backend mmi_cuda_backend = {
	.name = "cuda", .element_size = sizeof(float), .joins = true, .select = select_kernel
};
const mmi_backend mmi_cuda_backend_narrow = {
	.name = "cuda", .element_size = sizeof(float), .narrow = true, .joins = true, .select = select_kernel
};
