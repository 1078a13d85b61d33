/* pool.cu - average pooling with overlap or padding, and its gradient: a thread gathers one output. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

/* Where an element of maps [n][h][w][c] lies. */
typedef struct map_place {
	int64_t n, y, x, c;
} map_place;

static __device__ map_place place_of(int64_t i, int64_t h, int64_t w, int64_t c)
{
	map_place p;
	p.c = i % c;
	p.x = i / c % w;
	p.y = i / c / w % h;
	p.n = i / c / w / h;
	return p;
}

static __device__ int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static __device__ int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static __device__ double in_at(const mmi_pool_args *a, int64_t i)
{
	return (double)load_element(a->in, a->narrow & 1u, i);
}

static __device__ void put(const mmi_pool_args *a, int64_t i, double v)
{
	store_element(a->out, a->narrow & 2u, i, (float)v);
}

/* Cells first..last of the map that window o covers on an axis of `size` cells. */
static __device__ int64_t window_first(const mmi_pool_args *a, int64_t o)
{
	return larger(o * a->stride - a->pad, 0);
}

static __device__ int64_t window_end(const mmi_pool_args *a, int64_t o, int64_t size)
{
	return smaller(o * a->stride - a->pad + a->k, size);
}

static __device__ double divisor(const mmi_pool_args *a, int64_t oy, int64_t ox)
{
	if (a->count_pad)
		return (double)a->k * (double)a->k;
	return (double)(window_end(a, oy, a->h) - window_first(a, oy)) *
	       (double)(window_end(a, ox, a->w) - window_first(a, ox));
}

static __global__ void avg_pool(const mmi_pool_args a)
{
	for (int64_t i = global_thread(); i < a.n * a.oh * a.ow * a.c; i += global_threads()) {
		const map_place p = place_of(i, a.oh, a.ow, a.c);
		double sum = 0;
		for (int64_t y = window_first(&a, p.y); y < window_end(&a, p.y, a.h); y++)
			for (int64_t x = window_first(&a, p.x); x < window_end(&a, p.x, a.w); x++)
				sum += in_at(&a, ((p.n * a.h + y) * a.w + x) * a.c + p.c);
		put(&a, i, sum / divisor(&a, p.y, p.x));
	}
}
MMI_KERNEL(avg_pool, mmi_pool_args, 2);

/* in is [n][oh][ow][c], out [n][h][w][c]: every window that covers a cell. */
static __global__ void avg_pool_bwd(const mmi_pool_args a)
{
	for (int64_t i = global_thread(); i < a.n * a.h * a.w * a.c; i += global_threads()) {
		const map_place p = place_of(i, a.h, a.w, a.c);
		const int64_t y0 = larger(p.y + a.pad - a.k + a.stride, 0) / a.stride,
					  x0 = larger(p.x + a.pad - a.k + a.stride, 0) / a.stride;
		double sum = 0;
		for (int64_t oy = y0; oy < a.oh && oy * a.stride - a.pad <= p.y; oy++)
			for (int64_t ox = x0; ox < a.ow && ox * a.stride - a.pad <= p.x; ox++)
				sum += in_at(&a, ((p.n * a.oh + oy) * a.ow + ox) * a.c + p.c) / divisor(&a, oy, ox);
		put(&a, i, sum);
	}
}
MMI_KERNEL(avg_pool_bwd, mmi_pool_args, 2);
