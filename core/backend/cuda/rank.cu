/* rank.cu - the ranking loss and its gradient (engine/row_ops.h), in double: one modality after the other, each in
 * launches over its tuples. A thread or a warp sums in the order of the rows. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

/* What lies in the room: sums of the other modalities' vectors, gradients before they are rounded, logits and then their
 * weights, what each row of each modality adds to the loss, and counts. */
static __device__ double *rank_context(const mmi_rank_args *a)
{
	return a->room;
}

static __device__ double *rank_total(const mmi_rank_args *a, int64_t m)
{
	return a->room + (1 + m) * a->rows * a->dim;
}

static __device__ double *rank_logit(const mmi_rank_args *a)
{
	return rank_total(a, a->n);
}

static __device__ double *rank_part(const mmi_rank_args *a, int64_t m, int64_t row)
{
	return rank_logit(a) + a->rows * a->rows + 3 * (m * a->rows + row);
}

/* How many tuples have the modality, and how many of them have another one as well. */
static __device__ double *rank_counts(const mmi_rank_args *a, int64_t m)
{
	return rank_part(a, a->n, 0) + 2 * m;
}

static __device__ int rank_has(const mmi_rank_args *a, int64_t m, int64_t row)
{
	return !a->has[m] || a->has[m][row] > 0.f;
}

static __device__ int has_another(const mmi_rank_args *a, int64_t m, int64_t row)
{
	for (int64_t n = 0; n < a->n; n++)
		if (n != m && rank_has(a, n, row))
			return 1;
	return 0;
}

/* Over how many tuples and modalities the mean is. */
static __device__ double rank_all(const mmi_rank_args *a)
{
	double all = 0;
	for (int64_t m = 0; m < a->n; m++)
		all += rank_counts(a, m)[0] > 1 ? rank_counts(a, m)[1] : 0;
	return all;
}

/* Whether a row of modality a->m is ranked. */
static __device__ int is_ranked(const mmi_rank_args *a, int64_t row)
{
	return rank_counts(a, a->m)[0] > 1 && rank_has(a, a->m, row) && has_another(a, a->m, row);
}

/* A block a modality. */
static __global__ void rank_count(const mmi_rank_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	const int64_t m = (int64_t)blockIdx.x;
	double sums[2] = { 0, 0 };
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK)
		if (rank_has(&a, m, i)) {
			sums[0] += 1;
			sums[1] += has_another(&a, m, i) ? 1 : 0;
		}
	block_sums(shared, sums);
	if (threadIdx.x < 2)
		rank_counts(&a, m)[threadIdx.x] = threadIdx.x ? sums[1] : sums[0];
}
MMI_KERNEL(rank_count, mmi_rank_args, MMI_RANK_POINTERS);

/* The others' sum in each row of modality a.m. */
static __global__ void rank_contexts(const mmi_rank_args a)
{
	for (int64_t e = global_thread(); e < a.rows * a.dim; e += global_threads()) {
		double sum = 0;
		for (int64_t n = 0; n < a.n; n++)
			sum += n != a.m && rank_has(&a, n, e / a.dim) ? (double)a.unit[n][e] : 0;
		rank_context(&a)[e] = sum;
	}
}
MMI_KERNEL(rank_contexts, mmi_rank_args, MMI_RANK_POINTERS);

static __global__ void rank_logits(const mmi_rank_args a)
{
	const double tau_inverse = exp((double)*a.scale);
	for (int64_t e = global_thread(); e < a.rows * a.rows; e += global_threads()) {
		const double *context = rank_context(&a) + e / a.rows * a.dim;
		const float *unit = a.unit[a.m] + e % a.rows * a.dim;
		double sum = 0;
		if (!is_ranked(&a, e / a.rows) || !rank_has(&a, a.m, e % a.rows))
			continue;
		for (int64_t k = 0; k < a.dim; k++)
			sum += context[k] * (double)unit[k];
		rank_logit(&a)[e] = tau_inverse * sum;
	}
}
MMI_KERNEL(rank_logits, mmi_rank_args, MMI_RANK_POINTERS);

static __device__ double rank_warp_max(double value)
{
	for (int mask = MMI_WARP / 2; mask; mask /= 2)
		value = fmax(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
	return value;
}

/* Loss, weight of a row that stands first, gradient to the scale of row i; its logits become the loss's gradient to
 * them. A warp's work. */
static __device__ void rank_line(const mmi_rank_args *a, int64_t i, int64_t lane, double part[3])
{
	double *s = rank_logit(a) + i * a->rows, most = -INFINITY, sum = 0, above = 0, scale_grad = 0;
	const double weight = 1.0 / rank_all(a), own = s[i];
	for (int64_t j = lane; j < a->rows; j += MMI_WARP)
		most = rank_has(a, a->m, j) ? fmax(most, s[j]) : most;
	most = rank_warp_max(most);
	for (int64_t j = lane; j < a->rows; j += MMI_WARP)
		if (rank_has(a, a->m, j)) {
			sum += exp(s[j] - most);
			above += j == i || s[j] < own ? 0 : 1;
		}
	sum = warp_sum(sum);
	above = warp_sum(above);
	for (int64_t j = lane; j < a->rows; j += MMI_WARP)
		if (rank_has(a, a->m, j)) {
			const double logit = s[j], g = weight * (exp(logit - most) / sum - (j == i ? 1 : 0));
			scale_grad += g * logit;
			s[j] = g;
		}
	part[0] = weight * (most + log(sum) - own);
	part[1] = above > 0 ? 0 : weight;
	part[2] = warp_sum(scale_grad);
}

static __global__ void rank_lines(const mmi_rank_args a)
{
	const int64_t i = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	double part[3] = { 0, 0, 0 };
	if (i >= a.rows)
		return; /* whole warps */
	if (is_ranked(&a, i)) /* the same for a warp */
		rank_line(&a, i, lane, part);
	for (int k = 0; lane == 0 && k < 3; k++)
		rank_part(&a, a.m, i)[k] = part[k];
}
MMI_KERNEL(rank_lines, mmi_rank_args, MMI_RANK_POINTERS);

/* A thread owns an element of all modalities' gradients: what row i is as an alternative, then what its context is. */
static __global__ void rank_spread(const mmi_rank_args a)
{
	const double tau_inverse = exp((double)*a.scale);
	for (int64_t e = global_thread(); e < a.rows * a.dim; e += global_threads()) {
		const int64_t i = e / a.dim, k = e % a.dim;
		const double *g = rank_logit(&a);
		double own = 0, others = 0;
		for (int64_t j = 0; rank_has(&a, a.m, i) && j < a.rows; j++)
			own += is_ranked(&a, j) ? g[j * a.rows + i] * tau_inverse * rank_context(&a)[j * a.dim + k] : 0;
		for (int64_t j = 0; is_ranked(&a, i) && j < a.rows; j++)
			others += rank_has(&a, a.m, j) ? g[i * a.rows + j] * tau_inverse * (double)a.unit[a.m][j * a.dim + k] : 0;
		for (int64_t n = 0; n < a.n; n++) {
			const double more = n == a.m ? own : rank_has(&a, n, i) ? others : 0;
			rank_total(&a, n)[e] = (a.m ? rank_total(&a, n)[e] : 0) + more;
		}
	}
}
MMI_KERNEL(rank_spread, mmi_rank_args, MMI_RANK_POINTERS);

static __global__ void rank_round(const mmi_rank_args a)
{
	for (int64_t e = global_thread(); e < a.n * a.rows * a.dim; e += global_threads())
		a.grad[e / (a.rows * a.dim)][e % (a.rows * a.dim)] = (float)rank_total(&a, 0)[e];
}
MMI_KERNEL(rank_round, mmi_rank_args, MMI_RANK_POINTERS);

/* One block: what is told. */
static __global__ void rank_end(const mmi_rank_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	const int ranked = rank_all(&a) > 0;
	double sums[2] = { 0, 0 }, scale_grad[2] = { 0, 0 };
	for (int64_t i = (int64_t)threadIdx.x; i < a.n * a.rows; i += MMI_BLOCK) {
		const double *part = rank_part(&a, 0, i);
		sums[0] += part[0];
		sums[1] += part[1];
		scale_grad[0] += part[2];
	}
	block_sums(shared, sums);
	__syncthreads();
	block_sums(shared, scale_grad);
	if (threadIdx.x == 0) {
		a.told[0] = ranked ? sums[0] : (double)NAN;
		a.told[1] = ranked ? sums[1] : (double)NAN;
		a.told[2] = scale_grad[0];
		a.told[3] = (double)*a.scale;
	}
}
MMI_KERNEL(rank_end, mmi_rank_args, MMI_RANK_POINTERS);
