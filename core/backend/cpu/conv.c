/* conv.c - the lists of convolution kernels, the preferred first. */
#include "mmi_build.h"

#include "backend/cpu/conv.h"

#include "backend/cpu/conv_kernels.h"
#include "backend/cpu/isa.h"

static const mmi_kernel *const linear[] = { &mmi_kernel_patch_narrow, &mmi_kernel_patch_wide, NULL };
static const mmi_kernel *const convolution[] = { &mmi_kernel_winograd, &mmi_kernel_patch_narrow, &mmi_kernel_patch_wide,
                                                 NULL };
static const mmi_kernel *const weight_gradient[] = { &mmi_kernel_grad_narrow, &mmi_kernel_grad_wide, NULL };
static const mmi_kernel *const bias_gradient[] = { &mmi_kernel_bias_grad, NULL };
static const mmi_kernel *const pooling[] = { &mmi_kernel_pool, NULL };

static const mmi_kernel *const *const lists[MMI_OP_COUNT] = {
	[MMI_OP_LINEAR] = linear,
	[MMI_OP_LINEAR_BWD_X] = linear,
	[MMI_OP_LINEAR_BWD_W] = weight_gradient,
	[MMI_OP_CONV] = convolution,
	[MMI_OP_CONV_BWD_X] = convolution,
	[MMI_OP_CONV_BWD_W] = weight_gradient,
	[MMI_OP_BIAS_BWD] = bias_gradient,
	[MMI_OP_AVG_POOL] = pooling,
	[MMI_OP_AVG_POOL_BWD] = pooling,
	[MMI_OP_UPSAMPLE] = pooling,
	[MMI_OP_UPSAMPLE_BWD] = pooling,
};

const mmi_kernel *const *mmi_cpu_conv_kernels(mmi_opcode op)
{
	return lists[op];
}

const mmi_simd *mmi_simd_get(void)
{
#if HAVE_X86_KERNELS
	static const mmi_simd *const tables[MMI_ISA_COUNT] = { &mmi_simd_generic, &mmi_simd_avx2, &mmi_simd_avx512 };
	return tables[mmi_cpu_isa()];
#else
	return &mmi_simd_generic;
#endif
}
