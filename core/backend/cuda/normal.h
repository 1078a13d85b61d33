/* normal.h - from random words to numbers, as backend/cpu/vec_kernels.c has it: the same polynomials. */
#ifndef MMI_CUDA_NORMAL_H
#define MMI_CUDA_NORMAL_H

#include "backend/cuda/dialect.h"
#include "backend/cpu/vec_math.h"

static __device__ void normal_pair(uint32_t w0, uint32_t w1, float *out0, float *out1)
{
	const vm_pair z = vm_normal_pair(w0, w1);
	*out0 = z.cosine;
	*out1 = z.sine;
}

#endif
