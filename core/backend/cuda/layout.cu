/* layout.cu - weights in the order that cuDNN reads them in, and their gradients back, through a tile of shared memory
 * so that both sides are read and written in order. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

enum { TILE = 16 };

/* [taps][in][out] to [out][taps][in]; blockIdx: columns, rows, tap. */
static __global__ void pack_weights(const mmi_layout_args a)
{
	__shared__ float tile[TILE][TILE + 1];
	const int32_t x = (int32_t)(threadIdx.x % TILE), y = (int32_t)(threadIdx.x / TILE), tap = (int32_t)blockIdx.z;
	const int32_t o0 = (int32_t)blockIdx.x * TILE, i0 = (int32_t)blockIdx.y * TILE;
	if (i0 + y < a.in && o0 + x < a.out)
		tile[y][x] = load_element(a.from, a.narrow & 1u, ((int64_t)tap * a.in + i0 + y) * a.out + o0 + x);
	__syncthreads();
	if (o0 + y < a.out && i0 + x < a.in)
		store_element(a.to, a.narrow & 2u, ((int64_t)(o0 + y) * a.taps + tap) * a.in + i0 + x, tile[x][y]);
}
MMI_KERNEL(pack_weights, mmi_layout_args, 2);

/* The taps of three that tap s of four is the sum of (engine/fold.h). */
static __device__ int32_t fold_first(int32_t s)
{
	return s < 3 ? 2 - s : 0;
}

static __device__ int32_t fold_last(int32_t s)
{
	return s > 0 ? 3 - s : 2;
}

static __device__ float fold_tap(const mmi_layout_args *a, int32_t tap, int64_t at)
{
	const int32_t sy = tap / 4, sx = tap % 4;
	float sum = 0.f;
	for (int32_t y = fold_first(sy); y <= fold_last(sy); y++)
		for (int32_t x = fold_first(sx); x <= fold_last(sx); x++)
			sum += ((const float *)a->from)[(int64_t)(y * 3 + x) * a->in * a->out + at];
	return sum;
}

/* Ours of 3x3, [9][out][in], to a transposed convolution's of 4x4, [out][16][in]: its `out` is our input. */
static __global__ void fold_weights(const mmi_layout_args a)
{
	for (int64_t i = global_thread(); i < (int64_t)a.taps * a.in * a.out; i += global_threads()) {
		const int64_t row = i / a.in, o = row / a.taps;
		store_element(a.to, a.narrow & 2u, i, fold_tap(&a, (int32_t)(row % a.taps), o * a.in + i % a.in));
	}
}
MMI_KERNEL(fold_weights, mmi_layout_args, 2);

/* [out][taps][in] is added to [taps][in][out], which is a gradient and of floats. */
static __global__ void add_weights(const mmi_layout_args a)
{
	__shared__ float tile[TILE][TILE + 1];
	const int32_t x = (int32_t)(threadIdx.x % TILE), y = (int32_t)(threadIdx.x / TILE), tap = (int32_t)blockIdx.z;
	const int32_t o0 = (int32_t)blockIdx.x * TILE, i0 = (int32_t)blockIdx.y * TILE;
	if (o0 + y < a.out && i0 + x < a.in)
		tile[x][y] = load_element(a.from, a.narrow & 1u, ((int64_t)(o0 + y) * a.taps + tap) * a.in + i0 + x);
	__syncthreads();
	if (i0 + y < a.in && o0 + x < a.out)
		((float *)a.to)[((int64_t)tap * a.in + i0 + y) * a.out + o0 + x] += a.factor * tile[y][x];
}
MMI_KERNEL(add_weights, mmi_layout_args, 2);
