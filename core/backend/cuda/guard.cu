/* guard.cu - what stops an update, norms of gradients, sums of few parts: one block or one thread each. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

static __device__ int is_finite_double(double x)
{
	return fabs(x) < INFINITY;
}

static __global__ void total(const mmi_total_args a)
{
	for (int64_t i = (int64_t)threadIdx.x; i < a.n; i += MMI_BLOCK) {
		double sum = 0;
		for (int64_t c = 0; c < a.count; c++)
			sum += a.parts[c * a.n + i];
		a.out[i] = sum;
	}
}
MMI_KERNEL(total, mmi_total_args, 2);

static __global__ void prior(const mmi_prior_args a)
{
	__shared__ double shared[MMI_BLOCK];
	const float *x = a.x + (int64_t)blockIdx.x * a.count;
	double sum = 0;
	for (int64_t i = (int64_t)threadIdx.x; i < a.count; i += MMI_BLOCK)
		sum += a.laplace ? fabs((double)x[i]) : 0.5 * (double)x[i] * (double)x[i];
	sum = block_sum(shared, sum);
	if (threadIdx.x == 0)
		a.sums[blockIdx.x] += sum + a.offset;
}
MMI_KERNEL(prior, mmi_prior_args, 2);

static __global__ void guard(const mmi_guard_args a)
{
	uint32_t blamed = 0;
	int broken = a.broken && *a.broken;
	if (threadIdx.x || *a.word)
		return;
	for (uint32_t i = 0; i < a.n; i++)
		broken |= !is_finite_double(a.x[i]);
	while (blamed + 1 < a.n_blame && is_finite_double(a.blame[blamed]))
		blamed++;
	if (broken)
		*a.word = a.mark + blamed;
}
MMI_KERNEL(guard, mmi_guard_args, 4);

/* One block: a thread an entry of the ring counts how many stand before it; the one with half of them is the median. */
static __global__ void gap(const mmi_gap_args a)
{
	__shared__ double median[1];
	const int64_t n = a.written < a.size ? a.written : a.size, i = (int64_t)threadIdx.x;
	if (i == 0)
		median[0] = 0;
	__syncthreads();
	if (i < n) {
		int64_t before = 0;
		for (int64_t k = 0; k < n; k++)
			before += a.ring[k] < a.ring[i] || (k < i && !(a.ring[k] > a.ring[i])) ? 1 : 0;
		if (before == n / 2)
			median[0] = a.ring[i];
	}
	__syncthreads();
	if (i > 0)
		return;
	const double gap_now = *a.data / a.of_data - *a.revised / a.of_revised;
	const int beyond = n > a.size / 2 && fabs(gap_now) > a.limit * median[0];
	a.told[0] = gap_now;
	a.told[1] = median[0];
	if (is_finite_double(gap_now) && !beyond)
		a.ring[a.written % a.size] = fabs(gap_now);
	else if (!*a.word)
		*a.word = a.mark;
}
MMI_KERNEL(gap, mmi_gap_args, 5);

static __global__ void gradient_norm(const mmi_norm_args a)
{
	double sum = 0;
	if (threadIdx.x)
		return;
	for (int64_t i = 0; i < a.n; i++)
		sum += a.squares[i];
	sum = sqrt(sum);
	*a.norm = sum;
	*a.scale = a.clip > 0 && sum > a.clip ? (float)(a.clip / sum) : 1.f;
}
MMI_KERNEL(gradient_norm, mmi_norm_args, 3);
