/* chain.cu - Langevin steps of all states of a chain, what is measured of them, and the simplex. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"
#include "backend/cuda/normal.h"

static __device__ int is_held(const mmi_chain_args *a, uint32_t state, int64_t row)
{
	return a->held[state] && a->held[state][row];
}

static __device__ void move_one(const mmi_chain_args *a, uint32_t s, int64_t i, float xi, double sums[2])
{
	const float d = a->drift[s] * a->other[s][i], e = a->noise[s] * xi;
	float x = a->state[s][i] - d + e;
	x = x < a->lo[s] ? a->lo[s] : x;
	a->state[s][i] = x > a->hi[s] ? a->hi[s] : x;
	sums[0] += (double)(d * d);
	sums[1] += (double)(e * e);
}

/* A thread makes one Philox block: elements base + 0, 16, 32, 48 of a group of 64. */
static __device__ void move(const mmi_chain_args *a, uint32_t s, int64_t row, double sums[2])
{
	const uint32_t t = threadIdx.x;
	const int64_t group = (int64_t)blockIdx.y * (MMI_SEGMENT / 64) + t / 16, base = group * 64 + t % 16;
	float xi[4] = { 0.f, 0.f, 0.f, 0.f };
	if (base < a->count[s] && a->noise[s] != 0.f) {
		uint32_t c[4] = { (uint32_t)(group * 16 + t % 16), a->first + (uint32_t)row, a->step, a->iteration };
		philox(a->key[s], c);
		normal_pair(c[0], c[1], &xi[0], &xi[1]);
		normal_pair(c[2], c[3], &xi[2], &xi[3]);
	}
	for (int64_t k = 0; k < 4; k++)
		if (base + 16 * k < a->count[s])
			move_one(a, s, row * a->count[s] + base + 16 * k, xi[k], sums);
}

static __device__ double squares(const mmi_chain_args *a, uint32_t s, int64_t row)
{
	const int64_t first = (int64_t)blockIdx.y * MMI_SEGMENT;
	const int64_t end = first + MMI_SEGMENT < a->count[s] ? first + MMI_SEGMENT : a->count[s];
	double sum = 0;
	for (int64_t k = first + (int64_t)threadIdx.x; k < end; k += MMI_BLOCK) {
		const int64_t i = row * a->count[s] + k;
		const double x =
			a->what == MMI_CHAIN_GRADIENT ? (double)a->other[s][i] : (double)a->state[s][i] - (double)a->other[s][i];
		sum += x * x;
	}
	return sum;
}

/* Of one block: what it sums, into sums. */
static __device__ void chain_block(const mmi_chain_args *a, uint32_t s, int64_t row, double sums[2])
{
	const int held = is_held(a, s, row);
	if (a->what == MMI_CHAIN_DISTANCE) {
		sums[0] = a->other[s] ? squares(a, s, row) : 0;
		sums[1] = blockIdx.y || threadIdx.x || held ? 0 : (double)a->count[s];
	} else if (!held && a->what == MMI_CHAIN_MOVE) {
		move(a, s, row, sums);
	} else if (!held) {
		sums[0] = squares(a, s, row);
	}
}

static __global__ void chain(const mmi_chain_args a)
{
	__shared__ double shared[2 * MMI_BLOCK];
	const uint32_t s = blockIdx.z;
	const int64_t place = ((int64_t)s * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
	double sums[2] = { 0, 0 };
	if ((int64_t)blockIdx.y * MMI_SEGMENT < a.count[s])
		chain_block(&a, s, (int64_t)blockIdx.x, sums);
	block_sums(shared, sums);
	if (threadIdx.x == 0)
		a.partial[2 * place] = a.factor[s] * sums[0];
	if (threadIdx.x == 1) /* elements that may move are counted, not scaled */
		a.partial[2 * place + 1] = a.what == MMI_CHAIN_DISTANCE ? sums[1] : a.factor[s] * sums[1];
}
MMI_KERNEL(chain, mmi_chain_args, MMI_CHAIN_POINTERS);

/* Rows that went too far go back to the sphere of rms radius move_max around their start: a block a row. */
static __global__ void bound(const mmi_chain_args a)
{
	__shared__ double shared[MMI_BLOCK];
	const int64_t row = (int64_t)blockIdx.x;
	double distance2 = 0, limit2 = 0;
	for (uint32_t s = 0; s < a.n_states; s++) {
		double sum = 0;
		for (int64_t k = (int64_t)threadIdx.x; k < a.count[s]; k += MMI_BLOCK) {
			const int64_t i = row * a.count[s] + k;
			const double d = (double)a.state[s][i] - (double)a.other[s][i];
			sum += d * d;
		}
		distance2 += a.factor[s] * block_sum(shared, sum);
		limit2 += is_held(&a, s, row) ? 0 : (double)a.count[s];
		__syncthreads();
	}
	limit2 *= (double)a.move_max * (double)a.move_max;
	if (!(distance2 > limit2))
		return; /* the whole block: all threads have the same sums */
	const float shrink = (float)sqrt(limit2 / distance2);
	for (uint32_t s = 0; s < a.n_states; s++)
		for (int64_t k = (int64_t)threadIdx.x; k < a.count[s]; k += MMI_BLOCK) {
			const int64_t i = row * a.count[s] + k;
			a.state[s][i] = a.other[s][i] + shrink * (a.state[s][i] - a.other[s][i]);
		}
}
MMI_KERNEL(bound, mmi_chain_args, MMI_CHAIN_POINTERS);

/* max(x - t, 0) with t such that it sums to 1: values below t are dropped until none is (Michelot 1986). A warp a run.
 */
static __device__ void project(float *x, int64_t n, int64_t lane)
{
	double t = -INFINITY;
	for (double kept = -1, before = -2; kept != before;) {
		double sum = 0, count = 0;
		for (int64_t i = lane; i < n; i += MMI_WARP)
			if ((double)x[i] > t) {
				sum += (double)x[i];
				count += 1;
			}
		before = kept;
		kept = warp_sum(count);
		t = (warp_sum(sum) - 1) / (kept > 0 ? kept : 1);
	}
	for (int64_t i = lane; i < n; i += MMI_WARP)
		x[i] = (double)x[i] > t ? (float)((double)x[i] - t) : 0.0f;
}

static __global__ void simplex(const mmi_simplex_args a)
{
	const int64_t run = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP;
	if (run < a.runs && !(a.held && a.held[run / a.per_row])) /* the same for a warp */
		project(a.x + run * a.n, a.n, (int64_t)threadIdx.x % MMI_WARP);
}
MMI_KERNEL(simplex, mmi_simplex_args, 2);
