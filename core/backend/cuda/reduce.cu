/* reduce.cu - sums over samples, rows, columns and whole arrays, in double and in a fixed order: what one block cannot
 * add up goes to places of its own, which a second launch adds in order. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

static __device__ float term_of(int32_t term, float a, float x, float y, float s)
{
	const float d = x - y;
	switch (term) {
	case MMI_TERM_GAUSSIAN:
		return 0.5f * (d / a) * (d / a);
	case MMI_TERM_LAPLACE:
		return fabsf(d) / a;
	case MMI_TERM_BERNOULLI:
		return (y < 0.f ? 0.f : y) + log1pf(expf(-fabsf(y))) - x * y;
	case MMI_TERM_NORMAL:
		return -0.5f * (d / s) * (d / s) - logf(s);
	case MMI_TERM_DOUBLE:
		return -fabsf(d) / s - logf(s);
	default:
		return x;
	}
}

/* A block a sample. */
static __global__ void samples(const mmi_samples_args a)
{
	__shared__ double shared[MMI_BLOCK];
	const int64_t sample = (int64_t)blockIdx.x;
	double sum = 0;
	for (int64_t i = (int64_t)threadIdx.x; i < a.count; i += MMI_BLOCK) {
		const float x = load_element(a.x, a.narrow & 1u, sample * a.stride[0] + i);
		const float y = a.y ? load_element(a.y, a.narrow & 2u, sample * a.stride[1] + i) : 0.f;
		const float s = a.s ? load_element(a.s, a.narrow & 4u, sample * a.stride[2] + i) : 1.f;
		sum += (double)term_of(a.term, a.a, x, y, s);
	}
	sum = block_sum(shared, sum);
	if (threadIdx.x == 0)
		a.out[sample] = (float)(a.factor * (sum + a.offset));
}
MMI_KERNEL(samples, mmi_samples_args, 4);

/* A thread an output: neighbours read neighbours where inner is large. */
static __global__ void axis_sum(const mmi_axis_args a)
{
	for (int64_t i = global_thread(); i < a.outer * a.inner; i += global_threads()) {
		const int64_t first = i / a.inner * a.count * a.inner + i % a.inner;
		double sum = 0;
		for (int64_t k = 0; k < a.count; k++)
			sum += (double)load_element(a.x, a.narrow & 1u, first + k * a.inner);
		store_element(a.out, a.narrow & 2u, i, (float)(a.factor * sum));
	}
}
MMI_KERNEL(axis_sum, mmi_axis_args, 2);

/* ------------------------------------------------------------ rows: a warp each */

/* A row of `n` numbers. */
typedef struct row_view {
	const void *at;
	int64_t first, n;
	uint32_t narrow;
} row_view;

static __device__ row_view row_of(const mmi_rows_args *a, const void *at, uint32_t bit, int64_t row)
{
	row_view v;
	v.at = at;
	v.first = row * a->width;
	v.n = a->width;
	v.narrow = a->narrow & bit;
	return v;
}

static __device__ float row_at(const row_view *x, int64_t i)
{
	return load_element(x->at, x->narrow, x->first + i);
}

static __device__ void row_put(const mmi_rows_args *a, int64_t row, int64_t i, double v)
{
	store_element(a->out, a->narrow & 8u, row * a->width + i, (float)v);
}

static __device__ float row_max(const row_view *x, int64_t lane)
{
	float most = -INFINITY;
	for (int64_t i = lane; i < x->n; i += MMI_WARP)
		most = fmaxf(most, row_at(x, i));
	return warp_max(most);
}

static __device__ double row_exp_sum(const row_view *x, int64_t lane, float most)
{
	double sum = 0;
	for (int64_t i = lane; i < x->n; i += MMI_WARP)
		sum += (double)expf(row_at(x, i) - most);
	return warp_sum(sum);
}

static __device__ double row_sum(const row_view *x, int64_t lane)
{
	double sum = 0;
	for (int64_t i = lane; i < x->n; i += MMI_WARP)
		sum += (double)row_at(x, i);
	return warp_sum(sum);
}

static __device__ double row_dot(const row_view *x, const row_view *y, int64_t lane)
{
	double sum = 0;
	for (int64_t i = lane; i < x->n; i += MMI_WARP)
		sum += (double)row_at(x, i) * (double)row_at(y, i);
	return warp_sum(sum);
}

static __device__ void row_softmax(const mmi_rows_args *a, int64_t row, int64_t lane)
{
	const row_view x = row_of(a, a->x, 1, row);
	const float most = row_max(&x, lane);
	const double scale = 1 / row_exp_sum(&x, lane, most);
	for (int64_t i = lane; i < x.n; i += MMI_WARP)
		row_put(a, row, i, (double)expf(row_at(&x, i) - most) * scale);
}

static __device__ void row_softmax_bwd(const mmi_rows_args *a, int64_t row, int64_t lane)
{
	const row_view dy = row_of(a, a->x, 1, row), y = row_of(a, a->y, 2, row);
	const double dot = row_dot(&dy, &y, lane);
	for (int64_t i = lane; i < y.n; i += MMI_WARP)
		row_put(a, row, i, (double)row_at(&y, i) * ((double)row_at(&dy, i) - dot));
}

static __device__ void row_categorical_bwd(const mmi_rows_args *a, int64_t row, int64_t lane)
{
	const row_view x = row_of(a, a->x, 1, row), y = row_of(a, a->y, 2, row);
	const float most = row_max(&y, lane);
	const double share = row_sum(&x, lane) / row_exp_sum(&y, lane, most);
	const double ds = (double)load_element(a->ds, a->narrow & 4u, row / a->per_sample);
	for (int64_t i = lane; i < y.n; i += MMI_WARP)
		row_put(a, row, i, ds * ((double)expf(row_at(&y, i) - most) * share - (double)row_at(&x, i)));
}

static __device__ double row_lse(const row_view *x, int64_t lane)
{
	const float most = row_max(x, lane);
	return (double)most + log(row_exp_sum(x, lane, most));
}

/* A number a row. */
static __device__ void row_number(const mmi_rows_args *a, int64_t row, int64_t lane)
{
	const row_view x = row_of(a, a->x, 1, row), y = row_of(a, a->y, 2, row);
	double number;
	if (a->kind == MMI_ROW_SUM)
		number = a->factor * row_sum(&x, lane);
	else if (a->kind == MMI_ROW_LSE)
		number = row_lse(&x, lane);
	else
		number = row_sum(&x, lane) * row_lse(&y, lane) - row_dot(&x, &y, lane);
	if (lane == 0 && a->out)
		store_element(a->out, a->narrow & 8u, row, (float)number);
	if (lane == 0 && a->partial)
		a->partial[row] = number;
}

static __global__ void rows(const mmi_rows_args a)
{
	const int64_t row = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	if (row >= a.rows)
		return; /* whole warps */
	if (a.kind == MMI_ROW_SOFTMAX)
		row_softmax(&a, row, lane);
	else if (a.kind == MMI_ROW_SOFTMAX_BWD)
		row_softmax_bwd(&a, row, lane);
	else if (a.kind == MMI_ROW_CATEGORICAL_BWD)
		row_categorical_bwd(&a, row, lane);
	else
		row_number(&a, row, lane);
}
MMI_KERNEL(rows, mmi_rows_args, 5);

static __global__ void gather(const mmi_gather_args a)
{
	const int64_t sample = global_thread();
	double sum = 0;
	if (sample >= a.samples)
		return;
	for (int64_t i = 0; i < a.count; i++)
		sum += a.partial[sample * a.count + i];
	a.out[sample] = (float)sum;
}
MMI_KERNEL(gather, mmi_gather_args, 2);

/* ------------------------------------------------------------ columns */

/* A block has 32 columns of a segment, in 8 groups of rows. */
static __global__ void columns(const mmi_columns_args a)
{
	__shared__ double shared[MMI_WARPS][MMI_WARP + 1];
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP, group = (int64_t)threadIdx.x / MMI_WARP;
	const int64_t column = (int64_t)blockIdx.x * MMI_WARP + lane, first = (int64_t)blockIdx.y * a.per_segment;
	const int64_t end = first + a.per_segment < a.rows ? first + a.per_segment : a.rows;
	double sum = 0;
	for (int64_t r = first + group; r < end && column < a.columns; r += MMI_WARPS)
		sum +=
			(a.weight ? (double)a.weight[r] : 1.0) * (double)load_element(a.x, a.narrow & 1u, r * a.columns + column);
	shared[group][lane] = sum;
	__syncthreads();
	if (group == 0 && column < a.columns) {
		for (int k = 1; k < MMI_WARPS; k++)
			sum += shared[k][lane];
		a.partial[(int64_t)blockIdx.y * a.columns + column] = sum;
	}
}
MMI_KERNEL(columns, mmi_columns_args, 3);

static __global__ void columns_end(const mmi_columns_end_args a)
{
	const int64_t column = global_thread();
	double sum = 0;
	if (column >= a.columns)
		return;
	for (int64_t s = 0; s < a.segments; s++)
		sum += a.partial[s * a.columns + column];
	a.out[column] = (a.keep > 0.f ? a.keep * a.out[column] : 0.f) + (float)((double)a.factor * sum);
}
MMI_KERNEL(columns_end, mmi_columns_end_args, 2);

/* ------------------------------------------------------------ whole arrays */

static __global__ void sums(const mmi_sums_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	const int64_t first = (int64_t)blockIdx.x * a.per_block;
	const int64_t end = first + a.per_block < a.n ? first + a.per_block : a.n;
	double sum[2] = { 0, 0 };
	for (int64_t i = first + (int64_t)threadIdx.x; i < end; i += MMI_BLOCK) {
		const double x = (double)a.x[i], factor = a.factor ? (double)a.factor[i] : 1.0;
		sum[0] += factor * x;
		sum[1] += factor * x * x;
	}
	block_sums(shared, sum);
	if (threadIdx.x < 2)
		a.partial[2 * (int64_t)blockIdx.x + (int64_t)threadIdx.x] = threadIdx.x ? sum[1] : sum[0];
}
MMI_KERNEL(sums, mmi_sums_args, 3);

/* One block. */
static __global__ void sums_end(const mmi_sums_end_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	double sum[2] = { 0, 0 };
	for (int64_t i = (int64_t)threadIdx.x; i < a.blocks; i += MMI_BLOCK) {
		sum[0] += a.partial[2 * i];
		sum[1] += a.partial[2 * i + 1];
	}
	block_sums(shared, sum);
	if (threadIdx.x == 0 && a.sum)
		*a.sum = (a.add ? *a.sum : 0.0) + sum[0];
	if (threadIdx.x == 0 && a.sum_squares)
		*a.sum_squares = (a.add ? *a.sum_squares : 0.0) + sum[1];
}
MMI_KERNEL(sums_end, mmi_sums_end_args, 3);
