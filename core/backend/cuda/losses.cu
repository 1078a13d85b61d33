/* losses.cu - what losses need beside programs: seeds of their rows, factors of swapped tuples, weights of draws. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

static __global__ void seeds(const mmi_seeds_args a)
{
	const float weight = a.weight_at ? (float)(*a.weight_at / a.weight_of) : a.weight;
	for (int64_t i = global_thread(); i < a.rows; i += global_threads()) {
		const float factor = a.factor ? a.factor[i] : 1.f;
		float *at = a.out + i / a.chunk * 3 * a.chunk + i % a.chunk;
		at[0] = weight * factor;
		at[a.chunk] = a.l2_weight * factor;
		at[2 * a.chunk] = factor;
	}
}
MMI_KERNEL(seeds, mmi_seeds_args, 3);

/* ------------------------------------------------------------ swapped tuples */

static __device__ int swap_counts(const mmi_swap_args *a, int64_t i)
{
	return !a->whole || a->whole[i] > 0.f;
}

/* One block: batches are small. */
static __global__ void swap_factors(const mmi_swap_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	double sums[2] = { 0, 0 }, right[2] = { 0, 0 };
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK)
		if (swap_counts(&a, i)) {
			sums[0] += (double)a.data[i];
			sums[1] += 1;
		}
	block_sums(shared, sums);
	__syncthreads();
	const double n = sums[1], mean = sums[0] / n;
	sums[0] = sums[1] = 0;
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK)
		if (swap_counts(&a, i))
			sums[0] += ((double)a.data[i] - mean) * ((double)a.data[i] - mean);
	block_sums(shared, sums);
	__syncthreads();
	const double wanted = a.margin * sqrt(sums[0] / n);
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK) {
		const float here = a.whole ? a.whole[i] : 1.f;
		const double rise = (double)a.swapped[i] - (double)a.data[i];
		const float factor = rise < wanted ? here * (float)a.factor : 0.f;
		a.of_swapped[i] = factor;
		a.of_data[i] = here + factor;
		right[0] += here > 0.f && rise > 0 ? 1 : 0;
	}
	block_sums(shared, right);
	if (threadIdx.x == 0) {
		a.told[0] = mean;
		a.told[1] = right[0] / n; /* 0 / 0 where nothing counts */
	}
}
MMI_KERNEL(swap_factors, mmi_swap_args, 6);

/* ------------------------------------------------------------ draws weighted by importance */

static __device__ double weigh_row(const mmi_weights_args *a, int64_t i, int64_t row)
{
	const int64_t first = i * a->draws * a->rows + row;
	const double part = (double)a->of[i][row];
	double most = -INFINITY, sum = 0;
	for (int64_t k = 0; k < a->draws; k++)
		most = fmax(most, -(double)a->term[first + k * a->rows]);
	for (int64_t k = 0; k < a->draws; k++)
		sum += exp(-(double)a->term[first + k * a->rows] - most);
	const double log_sum = most + log(sum);
	for (int64_t k = 0; k < a->draws; k++)
		a->share[first + k * a->rows] =
			part > 0 ? (float)(part * exp(-(double)a->term[first + k * a->rows] - log_sum)) : 0.f;
	return part > 0 ? part * (log_sum - log((double)a->draws)) : 0;
}

/* A block a chunk, a thread a row. */
static __global__ void weights(const mmi_weights_args a)
{
	__shared__ double shared[MMI_BLOCK];
	double bound = 0;
	for (int64_t r = (int64_t)threadIdx.x; r < a.chunk; r += MMI_BLOCK)
		for (int64_t i = 0; i < a.n; i++)
			bound -= weigh_row(&a, i, (int64_t)blockIdx.x * a.chunk + r);
	bound = block_sum(shared, bound);
	if (threadIdx.x == 0)
		a.bound[blockIdx.x] = bound;
}
MMI_KERNEL(weights, mmi_weights_args, MMI_STATES + 3);
