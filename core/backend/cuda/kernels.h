/* kernels.h - what backend.c chooses from. */
#ifndef MMI_CUDA_KERNELS_H
#define MMI_CUDA_KERNELS_H

#include "backend/cuda/cuda.h"

extern const mmi_kernel mmi_cuda_map;                                                          /* map.c */
extern const mmi_kernel mmi_cuda_concat, mmi_cuda_slice, mmi_cuda_slice_bwd, mmi_cuda_reshape; /* shape.c */
extern const mmi_kernel mmi_cuda_avg_pool, mmi_cuda_avg_pool_bwd;
extern const mmi_kernel mmi_cuda_samples, mmi_cuda_rows_kernel, mmi_cuda_categorical, mmi_cuda_sum,
	mmi_cuda_bias_bwd;                                      /* reduce.c */
extern const mmi_kernel mmi_cuda_conv, mmi_cuda_conv_bwd_w; /* conv.c */
extern const mmi_kernel mmi_cuda_linear;                    /* linear.c */

#endif
