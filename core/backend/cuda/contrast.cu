/* contrast.cu - the symmetric contrastive loss of two sets of rows and its gradient (engine/row_ops.h), in double. A
 * thread or a warp sums in the order of the rows; rows that do not count are passed over. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

#define SHORTEST 1e-12 /* a row below this length has no direction, so it gets no gradient */

/* What lies in the room. */
static __device__ double *contrast_units_of(const mmi_contrast_args *a, int64_t side)
{
	return a->room + side * a->rows * a->dim;
}

static __device__ double *contrast_unit_grads(const mmi_contrast_args *a, int64_t side)
{
	return contrast_units_of(a, 2 + side);
}

static __device__ double *contrast_similarities(const mmi_contrast_args *a)
{
	return contrast_units_of(a, 4);
}

static __device__ double *contrast_weights_of(const mmi_contrast_args *a)
{
	return contrast_similarities(a) + a->rows * a->rows;
}

/* Of line i in one direction: its largest similarity, the sum of exponentials, its part of the loss, the length of its
 * row. */
static __device__ double *contrast_line(const mmi_contrast_args *a, int64_t direction, int64_t i)
{
	return contrast_weights_of(a) + a->rows * a->rows + 4 * (direction * a->rows + i);
}

static __device__ double *contrast_count_of(const mmi_contrast_args *a)
{
	return contrast_line(a, 2, 0);
}

static __device__ int contrast_keeps(const mmi_contrast_args *a, int64_t row)
{
	return (!a->has[0] || a->has[0][row] > 0.f) && (!a->has[1] || a->has[1][row] > 0.f);
}

static __device__ double double_warp_max(double value)
{
	for (int mask = MMI_WARP / 2; mask; mask /= 2)
		value = fmax(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
	return value;
}

/* One block: how many rows count. */
static __global__ void contrast_count(const mmi_contrast_args a)
{
	__shared__ double shared[MMI_BLOCK];
	double n = 0;
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK)
		n += contrast_keeps(&a, i) ? 1 : 0;
	n = block_sum(shared, n);
	if (threadIdx.x == 0)
		*contrast_count_of(&a) = n;
}
MMI_KERNEL(contrast_count, mmi_contrast_args, 8);

/* A warp a row of a side. */
static __global__ void contrast_units(const mmi_contrast_args a)
{
	const int64_t row = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP, side = (int64_t)blockIdx.y;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	if (row >= a.rows || !contrast_keeps(&a, row))
		return; /* whole warps */
	const float *x = a.x[side] + row * a.stride;
	double square = 0;
	for (int64_t k = lane; k < a.dim; k += MMI_WARP)
		square += (double)x[k] * (double)x[k];
	const double length = sqrt(warp_sum(square));
	for (int64_t k = lane; k < a.dim; k += MMI_WARP)
		contrast_units_of(&a, side)[row * a.dim + k] = length > SHORTEST ? (double)x[k] / length : 0;
	if (lane == 0)
		contrast_line(&a, side, row)[3] = length;
}
MMI_KERNEL(contrast_units, mmi_contrast_args, 8);

static __global__ void contrast_similarity(const mmi_contrast_args a)
{
	for (int64_t e = global_thread(); e < a.rows * a.rows; e += global_threads()) {
		const double *u = contrast_units_of(&a, 0) + e / a.rows * a.dim, *v = contrast_units_of(&a, 1) + e % a.rows * a.dim;
		double sum = 0;
		if (!contrast_keeps(&a, e / a.rows) || !contrast_keeps(&a, e % a.rows))
			continue;
		for (int64_t k = 0; k < a.dim; k++)
			sum += u[k] * v[k];
		contrast_similarities(&a)[e] = sum / a.temperature;
	}
}
MMI_KERNEL(contrast_similarity, mmi_contrast_args, 8);

/* A warp a line: a row of the similarities, or a column. */
static __global__ void contrast_lines(const mmi_contrast_args a)
{
	const int64_t i = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP, column = (int64_t)blockIdx.y;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP, step = column ? a.rows : 1, next = column ? 1 : a.rows;
	if (i >= a.rows || !contrast_keeps(&a, i))
		return; /* whole warps */
	const double *s = contrast_similarities(&a) + i * next;
	double most = -INFINITY, total = 0;
	for (int64_t j = lane; j < a.rows; j += MMI_WARP)
		most = contrast_keeps(&a, j) ? fmax(most, s[j * step]) : most;
	most = double_warp_max(most);
	for (int64_t j = lane; j < a.rows; j += MMI_WARP)
		total += contrast_keeps(&a, j) ? exp(s[j * step] - most) : 0;
	total = warp_sum(total);
	if (lane == 0) {
		contrast_line(&a, column, i)[0] = most;
		contrast_line(&a, column, i)[1] = total;
		contrast_line(&a, column, i)[2] = most + log(total) - s[i * step];
	}
}
MMI_KERNEL(contrast_lines, mmi_contrast_args, 8);

/* The loss's gradient to each similarity, divided by the temperature. */
static __global__ void contrast_weights(const mmi_contrast_args a)
{
	const double n = *contrast_count_of(&a), factor = 0.5 * a.weight / (n * a.temperature);
	for (int64_t e = global_thread(); e < a.rows * a.rows && n > 1; e += global_threads()) {
		const int64_t i = e / a.rows, j = e % a.rows;
		if (!contrast_keeps(&a, i) || !contrast_keeps(&a, j))
			continue;
		const double s = contrast_similarities(&a)[e], own = i == j ? 1 : 0;
		const double *row = contrast_line(&a, 0, i), *column = contrast_line(&a, 1, j);
		contrast_weights_of(&a)[e] = factor * (exp(s - row[0]) / row[1] - own) + factor * (exp(s - column[0]) / column[1] - own);
	}
}
MMI_KERNEL(contrast_weights, mmi_contrast_args, 8);

/* A thread an element of a unit vector's gradient. */
static __global__ void contrast_spread(const mmi_contrast_args a)
{
	const int64_t side = (int64_t)blockIdx.y, step = side ? a.rows : 1, next = side ? 1 : a.rows;
	for (int64_t e = global_thread(); e < a.rows * a.dim && *contrast_count_of(&a) > 1; e += global_threads()) {
		const double *g = contrast_weights_of(&a) + e / a.dim * next, *other = contrast_units_of(&a, 1 - side) + e % a.dim;
		double sum = 0;
		if (!contrast_keeps(&a, e / a.dim))
			continue;
		for (int64_t j = 0; j < a.rows; j++)
			sum += contrast_keeps(&a, j) ? g[j * step] * other[j * a.dim] : 0;
		contrast_unit_grads(&a, side)[e] = sum;
	}
}
MMI_KERNEL(contrast_spread, mmi_contrast_args, 8);

/* A warp a row of a side: what of the gradient does not lie along the unit vector, divided by the length. */
static __global__ void contrast_close(const mmi_contrast_args a)
{
	const int64_t row = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP, side = (int64_t)blockIdx.y;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	if (row >= a.rows || !contrast_keeps(&a, row) || *contrast_count_of(&a) < 2)
		return; /* whole warps */
	const double *u = contrast_units_of(&a, side) + row * a.dim, *g = contrast_unit_grads(&a, side) + row * a.dim;
	const double length = contrast_line(&a, side, row)[3];
	double along = 0;
	for (int64_t k = lane; k < a.dim; k += MMI_WARP)
		along += u[k] * g[k];
	along = warp_sum(along);
	for (int64_t k = lane; k < a.dim && length > SHORTEST; k += MMI_WARP)
		a.grad[side][row * a.stride + k] += (float)((g[k] - along * u[k]) / length);
}
MMI_KERNEL(contrast_close, mmi_contrast_args, 8);

/* One block: the loss. */
static __global__ void contrast_end(const mmi_contrast_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	const double n = *contrast_count_of(&a);
	double sums[2] = { 0, 0 };
	for (int64_t i = (int64_t)threadIdx.x; i < a.rows; i += MMI_BLOCK)
		if (contrast_keeps(&a, i)) {
			sums[0] += contrast_line(&a, 0, i)[2];
			sums[1] += contrast_line(&a, 1, i)[2];
		}
	block_sums(shared, sums);
	if (threadIdx.x == 0 && n > 1) {
		a.told[0] += a.weight * (0.5 * (sums[0] / n) + 0.5 * (sums[1] / n));
		a.told[1] += 1;
	}
}
MMI_KERNEL(contrast_end, mmi_contrast_args, 8);
