/* kernels.h - the CPU's kernels of every operation. */
#ifndef MMI_CPU_KERNELS_H
#define MMI_CPU_KERNELS_H

#include "backend/cpu/call.h"

/* The kernels of one operation, the preferred first, ending with NULL. The first that accepts a call is taken; calls
 * that none accepts are the reference's. */
enum { MMI_KERNEL_CHOICES = 10 };
typedef const mmi_kernel *const mmi_kernel_list[MMI_KERNEL_CHOICES];

/* One list for each operation; kernels.c, compiled once per instruction set. */
extern mmi_kernel_list mmi_kernels_generic[MMI_OP_COUNT], mmi_kernels_avx2[MMI_OP_COUNT],
	mmi_kernels_avx512[MMI_OP_COUNT];
/* The list for this processor. */
const mmi_kernel *const *mmi_cpu_kernels(mmi_opcode op);

/* LINEAR, LINEAR_BWD_X, CONV, CONV_BWD_X of any shape. */
extern const mmi_kernel mmi_kernel_patch_wide;
extern const mmi_kernel mmi_kernel_patch_narrow; /* at most MMI_NARROW_COLS output channels */
/* CONV and CONV_BWD_X: 3x3 with stride 1, 4x4 with stride 2, enough channels and pixels. CONV_BWD_W: the same of
 * samples enough, in float32 also on devices of bfloat16. */
extern const mmi_kernel mmi_kernel_winograd, mmi_kernel_winograd_grad;
/* The same of kernels one row high, 2 to 5 taps with stride 1 or twice as many with 2; CONV_BWD_W. */
extern const mmi_kernel mmi_kernel_line, mmi_kernel_line_grad;
/* Those of products with operands in bfloat16, where mmi_bf16_of says so; Winograd's is of 4x4 only with many channels.
 */
extern const mmi_kernel mmi_kernel_patch_wide_bf16, mmi_kernel_patch_narrow_bf16, mmi_kernel_winograd_bf16;
/* LINEAR_BWD_W, CONV_BWD_W of any shape. */
extern const mmi_kernel mmi_kernel_grad_wide;
extern const mmi_kernel mmi_kernel_grad_narrow;
extern const mmi_kernel mmi_kernel_grad_wide_bf16; /* of more columns than MMI_NARROW_COLS */
extern const mmi_kernel mmi_kernel_bias_grad;
/* OpenBLAS's products in their place, where mmi_uses_blas says so (backend/blas; in builds that have it). */
extern const mmi_kernel mmi_kernel_blas_product, mmi_kernel_blas_gradient;
bool mmi_uses_blas(const mmi_exec *x);
/* Version and processor as OpenBLAS tells them. */
const char *mmi_blas_text(void);
/* oneDNN's, in bfloat16, where mmi_uses_onednn says so (backend/onednn: a module that is opened at run time). */
extern const mmi_kernel mmi_kernel_onednn_product, mmi_kernel_onednn_gradient;
bool mmi_uses_onednn(const mmi_exec *x);
/* AVG_POOL, AVG_POOL_BWD, UPSAMPLE, UPSAMPLE_BWD. */
extern const mmi_kernel mmi_kernel_pool;

#endif
