/* mistakes.c - kernels with planted mistakes. */
#include "mistakes.h"

static void add_up(float *shared, int with_barriers)
{
	for (unsigned half = MMI_BLOCK / 2; half; half /= 2) {
		if (with_barriers)
			__syncthreads();
		if (threadIdx.x < half)
			shared[threadIdx.x] += shared[threadIdx.x + half];
	}
}

static __global__ void mistakes(const mistakes_args a)
{
	__shared__ float shared[MMI_BLOCK], idle[MMI_BLOCK];
	const unsigned t = threadIdx.x;
	if (a.which == UNWRITTEN_SHARED && t == 0) {
		a.out[blockIdx.x] = idle[0];
		idle[0] = 1;
	}
	if (a.which == HALF_AT_A_BARRIER && t < MMI_BLOCK / 2)
		__syncthreads();
	if (a.which == PAST_THE_END && t == 0)
		a.x[a.n] = 1;
	if (a.which == PAST_A_SHARED_ARRAY && t == 0)
		shared[MMI_BLOCK + (int)a.n] = 1;
	if (a.which > NO_BARRIERS)
		return;
	shared[t] = a.x[blockIdx.x * MMI_BLOCK + t];
	add_up(shared, a.which == RIGHT);
	if (t == 0)
		a.out[blockIdx.x] = shared[0];
}
MMI_KERNEL(mistakes, mistakes_args, 2);

static __global__ void shuffle(const shuffle_args a)
{
	float v = a.x[blockIdx.x * MMI_BLOCK + threadIdx.x];
	for (int mask = MMI_WARP / 2; mask; mask /= 2) {
		const float other = __shfl_xor_sync(a.part ? 0xFFFFu : 0xFFFFFFFFu, v, mask);
		v = other > v ? other : v;
	}
	a.out[blockIdx.x * MMI_BLOCK + threadIdx.x] = v;
}
MMI_KERNEL(shuffle, shuffle_args, 2);
