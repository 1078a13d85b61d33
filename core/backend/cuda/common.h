/* common.h - what several kernels do: the thread's number, elements of either type, sums of a block and of a warp,
 * Philox. */
#ifndef MMI_CUDA_COMMON_H
#define MMI_CUDA_COMMON_H

#include "backend/cuda/dialect.h"

#include <string.h>

/* Of all threads of the grid's first axis. */
static __device__ int64_t global_thread(void)
{
	return (int64_t)blockIdx.x * MMI_BLOCK + (int64_t)threadIdx.x;
}

static __device__ int64_t global_threads(void)
{
	return (int64_t)gridDim.x * MMI_BLOCK;
}

static __device__ float of_bits(uint32_t bits)
{
	float v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static __device__ uint32_t bits_of(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	return bits;
}

/* 16 bytes, from and to an address that is a multiple of 16: one access of a GPU. */
typedef struct quad {
	uint32_t word[4];
} quad;

static __device__ quad load_quad(const void *at)
{
	quad q;
	memcpy(&q, __builtin_assume_aligned(at, sizeof q), sizeof q);
	return q;
}

static __device__ void store_quad(void *at, quad q)
{
	memcpy(__builtin_assume_aligned(at, sizeof q), &q, sizeof q);
}

/* Element i of an array of floats, or of numbers in bfloat16: the upper half of a float. Which of the two is the same
 * for all threads of a launch. */
static __device__ float load_element(const void *x, uint32_t narrow, int64_t i)
{
	if (!narrow)
		return ((const float *)x)[i];
	return of_bits((uint32_t)((const uint16_t *)x)[i] << 16);
}

/* To the nearest, to even at a tie; what is not a number stays none. */
static __device__ uint16_t to_bf16(float v)
{
	const uint32_t bits = bits_of(v);
	if (v != v)
		return (uint16_t)(bits >> 16 | 0x40u);
	return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static __device__ void store_element(void *x, uint32_t narrow, int64_t i, float v)
{
	if (narrow)
		((uint16_t *)x)[i] = to_bf16(v);
	else
		((float *)x)[i] = v;
}

/* The sum of a warp, to all lanes: a butterfly, so all have the same bits. */
static __device__ double warp_sum(double value)
{
	for (int mask = MMI_WARP / 2; mask; mask /= 2)
		value += __shfl_xor_sync(0xFFFFFFFFu, value, mask);
	return value;
}

static __device__ float warp_max(float value)
{
	for (int mask = MMI_WARP / 2; mask; mask /= 2)
		value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
	return value;
}

/* A warp adds up MMI_BLOCK numbers of shared memory, in the tree that the two sizes fix, and leaves the sum in the
 * first. */
static __device__ void add_up(double *shared)
{
	const unsigned lane = threadIdx.x % MMI_WARP;
	double sum = 0;
	for (unsigned k = lane; k < MMI_BLOCK; k += MMI_WARP)
		sum += shared[k];
	sum = warp_sum(sum);
	if (lane == 0)
		shared[0] = sum;
}

/* The sum of one number a thread, to all threads. Two in a row need a barrier between them: a slow thread may still
 * read the first. */
static __device__ double block_sum(double *shared, double value)
{
	shared[threadIdx.x] = value;
	__syncthreads();
	if (threadIdx.x < MMI_WARP)
		add_up(shared);
	__syncthreads();
	return shared[0];
}

/* The same of two numbers a thread, with 2 MMI_BLOCK doubles of shared memory, in place. */
static __device__ void block_sums(double *shared, double value[2])
{
	const unsigned warp = threadIdx.x / MMI_WARP;
	shared[threadIdx.x] = value[0];
	shared[MMI_BLOCK + threadIdx.x] = value[1];
	__syncthreads();
	if (warp < 2)
		add_up(shared + warp * MMI_BLOCK);
	__syncthreads();
	value[0] = shared[0];
	value[1] = shared[MMI_BLOCK];
}

/* Philox4x32-10: the block of a counter, in place (engine/vec.h). */
static __device__ void philox(uint64_t key, uint32_t c[4])
{
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (int round = 0; round < 10; round++) {
		const uint64_t p0 = (uint64_t)c[0] * 0xD2511F53u, p1 = (uint64_t)c[2] * 0xCD9E8D57u;
		c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
		c[1] = (uint32_t)p1;
		c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
		c[3] = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
}

#endif
