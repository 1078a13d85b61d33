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
		((float *)a.to)[((int64_t)tap * a.in + i0 + y) * a.out + o0 + x] += tile[y][x];
}
MMI_KERNEL(add_weights, mmi_layout_args, 2);
