/* normal.h - from random words to numbers, as backend/cpu/vec_kernels.c has it: the same polynomials. */
#ifndef MMI_CUDA_NORMAL_H
#define MMI_CUDA_NORMAL_H

#include "backend/cuda/dialect.h"
#include "backend/cpu/vec_math.h"

/* (word >> 8 + 0.5) 2^-24, kept below 1 where the half would round up to it. */
static __device__ float unit(uint32_t word)
{
	const float u = (float)(int32_t)(word >> 8) * (1.0f / 16777216.0f) + 0.5f / 16777216.0f;
	return u < 1.f ? u : 0.99999994f;
}

/* 2 u - 1, exactly. */
static __device__ float centred(uint32_t word)
{
	return (float)((int32_t)(word >> 8) - (1 << 23)) * (1.0f / 8388608.0f) + 0.5f / 8388608.0f;
}

static __device__ void normal_pair(uint32_t w0, uint32_t w1, float *out0, float *out1)
{
	const vm_pair z = vm_normal_pair(w0, w1);
	*out0 = z.cosine;
	*out1 = z.sine;
}

#endif
