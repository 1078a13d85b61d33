/* draw.cu - random numbers of Philox in the numbering of engine/vec.h, where rows of latents start, choices among them,
 * single rows. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"
#include "backend/cuda/normal.h"

/* As mmi_draw_kind and mmi_place_kind. */
enum { NORMAL, LAPLACE, UNIFORM };
enum { EXPERT, PRODUCT, OWN };

static __device__ void four_draws(const mmi_draw_args *a, const uint32_t c[4], float out[4])
{
	if (a->kind == NORMAL) {
		normal_pair(c[0], c[1], &out[0], &out[1]);
		normal_pair(c[2], c[3], &out[2], &out[3]);
		return;
	}
	for (int k = 0; k < 4; k++)
		out[k] = a->kind == LAPLACE ? vm_laplace(c[k]) : a->lo + (a->hi - a->lo) * vm_unit(c[k]);
}

/* A thread makes one Philox block: elements base + 0, 16, 32, 48 of a group of 64. */
static __global__ void draw(const mmi_draw_args a)
{
	const int64_t per_row = (a.count + 63) / 64 * 16;
	for (int64_t i = global_thread(); i < a.rows * per_row; i += global_threads()) {
		const int64_t row = i / per_row, block = i % per_row, base = block / 16 * 64 + block % 16;
		uint32_t c[4] = { (uint32_t)block, a.sample + (uint32_t)row, a.step, a.iteration };
		float out[4];
		philox(a.key, c);
		four_draws(&a, c, out);
		for (int64_t k = 0; k < 4; k++)
			if (base + 16 * k < a.count)
				a.out[row * a.count + base + 16 * k] = out[k];
	}
}
MMI_KERNEL(draw, mmi_draw_args, 1);

/* ------------------------------------------------------------ starts */

static __device__ int is_observed(const mmi_place_args *a, uint32_t m, int64_t row)
{
	return !a->observed[m] || a->observed[m][row] > 0.f;
}

static __device__ float placed(const mmi_place_args *a, float loc, float scale, float eps)
{
	return loc + (float)a->temperature * scale * eps;
}

static __device__ float place_product(const mmi_place_args *a, int64_t row, int64_t i)
{
	double precision = a->prior ? 1 : 0, pulled = 0;
	for (uint32_t m = 0; m < a->n; m++) {
		if (!is_observed(a, m, row) || (a->single && m != a->expert[row]))
			continue;
		const double own = 1 / ((double)a->scale[m][i] * (double)a->scale[m][i]);
		precision += own;
		pulled += own * (double)a->loc[m][i];
	}
	return placed(a, (float)(pulled / precision), (float)(1 / sqrt(precision)), a->out[i]);
}

static __device__ float place_own(const mmi_place_args *a, int64_t row, int64_t i)
{
	const uint32_t m = a->own;
	if (is_observed(a, m, row) && (!a->single || a->expert[row] == m))
		return placed(a, a->loc[m][i], a->scale[m][i], a->out[i]);
	return a->temperature > 0 ? a->out[i] : 0.f;
}

static __global__ void place(const mmi_place_args a)
{
	for (int64_t i = global_thread(); i < a.rows * a.dim; i += global_threads()) {
		const int64_t row = i / a.dim;
		if (a.kind == EXPERT)
			a.out[i] = placed(&a, a.loc[a.expert[row]][i], a.scale[a.expert[row]][i], a.out[i]);
		else
			a.out[i] = a.kind == PRODUCT ? place_product(&a, row, i) : place_own(&a, row, i);
	}
}
MMI_KERNEL(place, mmi_place_args, 3 * MMI_STATES + 2);

/* ------------------------------------------------------------ clusters */

static __device__ int64_t cluster_of(const mmi_mix_args *a, int64_t row)
{
	uint32_t c[4] = { 0, a->sample + (uint32_t)row, a->step, a->iteration };
	double largest = -INFINITY, total = 0;
	int64_t cluster = 0;
	for (int64_t k = 0; k < a->n; k++)
		largest = fmax(largest, (double)a->log_weight[k]);
	for (int64_t k = 0; k < a->n; k++)
		total += exp((double)a->log_weight[k] - largest);
	philox(a->key, c);
	double left = ((double)c[0] + 0.5) / 4294967296.0 * total;
	while (cluster + 1 < a->n && (left -= exp((double)a->log_weight[cluster] - largest)) > 0)
		cluster++;
	return cluster;
}

/* loc + L x, L lower triangular: from the last element on, so that those in front of it are still the draws. The sum
 * over a warp has all lanes read what the first one then replaces. */
static __device__ void mix_full(const mmi_mix_args *a, const float *loc, const float *lower, float *x, int64_t lane)
{
	for (int64_t i = a->dim - 1; i >= 0; i--) {
		double sum = 0;
		for (int64_t k = lane; k <= i; k += MMI_WARP)
			sum += (double)lower[i * a->dim + k] * (double)x[k];
		sum = warp_sum(sum);
		if (lane == 0)
			x[i] = loc[i] + (float)sum;
	}
}

/* A warp a row. */
static __global__ void mix(const mmi_mix_args a)
{
	const int64_t row = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	if (row >= a.rows)
		return; /* whole warps */
	const int64_t c = cluster_of(&a, row);
	const float *loc = a.loc + c * a.dim;
	float *x = a.out + row * a.dim;
	if (a.scale && a.full)
		mix_full(&a, loc, a.scale + c * a.dim * a.dim, x, lane);
	else
		for (int64_t k = lane; k < a.dim; k += MMI_WARP)
			x[k] = loc[k] + (a.scale ? a.scale[c * a.dim + k] : 1.f) * x[k];
}
MMI_KERNEL(mix, mmi_mix_args, 4);

/* ------------------------------------------------------------ choices and single rows */

/* The largest of log-weights plus standard Gumbel noise is one of them, with probability proportional to the weight. */
static __device__ double gumbel(const mmi_choose_args *a, uint32_t row)
{
	uint32_t c[4] = { a->candidate, a->first + row, 0, a->iteration };
	philox(a->key, c);
	return -log(-log(((double)c[0] + 0.5) / 4294967296.0));
}

static __global__ void choose(const mmi_choose_args a)
{
	const int64_t row = global_thread();
	if (row >= a.rows)
		return;
	const double energy = (double)a.energy[row];
	const double score = isfinite(energy) ? gumbel(&a, (uint32_t)row) - a.weight * energy : -INFINITY;
	const int taken = !a.candidate || score > a.score[row];
	a.taken[row] = (uint8_t)taken;
	if (taken)
		a.score[row] = score;
}
MMI_KERNEL(choose, mmi_choose_args, 3);

static __global__ void pick(const mmi_pick_args a)
{
	for (int64_t i = global_thread(); i < a.rows * a.count; i += global_threads()) {
		const int64_t row = i / a.count, k = i % a.count;
		const int64_t to = a.to_row ? a.to_row[row] : row, from = a.from_row ? a.from_row[row] : row;
		if (!a.where || a.where[row])
			a.out[to * a.count + k] = a.from[from * a.count + k];
	}
}
MMI_KERNEL(pick, mmi_pick_args, 5);
