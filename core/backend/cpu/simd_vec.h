/* simd_vec.h - vector types and helpers of the simd_*.c files, for the instruction set that is being compiled. */
#ifndef MMI_CPU_SIMD_VEC_H
#define MMI_CPU_SIMD_VEC_H

#include "backend/cpu/simd.h"

#include <string.h>

#define MMI_GLUE_(a, b) a##_##b
#define MMI_GLUE(a, b) MMI_GLUE_(a, b)
/* mmi_name(x) is x_avx512 and so on. */
#define MMI_NAME(name) MMI_GLUE(name, MMI_ISA)

#if defined(__AVX512F__)
#define W 16
#elif defined(__AVX__)
#define W 8
#else
#define W 4
#endif

/* Rows of a register tile. Of 32 registers 14 x 2 are for sums, 2 for weights, 1 for a broadcast; else there are 16.
 * Sanitizers check every access of every unrolled tile: with 14 heights that takes compilers minutes. */
#if W == 16 && !MMCORE_SANITIZED
#define TILE_ROWS 14
#else
#define TILE_ROWS 6
#endif

typedef float vf __attribute__((vector_size(W * 4)));
typedef int32_t vi __attribute__((vector_size(W * 4)));
typedef float vf_any __attribute__((vector_size(W * 4), aligned(4), may_alias));

/* The pieces of unrolled loops. Of the sanitizers' checks they keep those of addresses. */
#define MMI_INLINE static inline __attribute__((always_inline, no_sanitize("undefined")))
#if defined(__clang__)
#define MMI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MMI_UNROLL _Pragma("GCC unroll 16")
#endif

/* Keeps what is used several times in a register, where compilers would have it loaded at each use. */
#if W > 4
#define IN_REGISTER(x) __asm__("" : "+v"(x))
#else
#define IN_REGISTER(x) (void)(x)
#endif

MMI_INLINE vf load(const float *p)
{
	return *(const vf_any *)p;
}
MMI_INLINE void store(float *p, vf x)
{
	*(vf_any *)p = x;
}
MMI_INLINE vf splat(float x)
{
	return x - (vf){ 0 };
}

/* What is stored soon, element i of so many bytes; that may lie outside. */
MMI_INLINE void prefetch_to_write(const void *p, const int64_t bytes, int64_t i)
{
	__builtin_prefetch((const void *)((intptr_t)p + i * bytes), 1);
}

MMI_INLINE void prefetch_to_read(const void *p, const int64_t bytes, int64_t i)
{
	__builtin_prefetch((const void *)((intptr_t)p + i * bytes));
}

/* The first n < W lanes, the rest zero. Out of line: rare, and costly to compile within each unrolled row. */
static __attribute__((noinline, unused)) vf load_part(const float *p, int n)
{
	float lanes[W] = { 0 };
	for (int i = 0; i < n; i++)
		lanes[i] = p[i];
	return load(lanes);
}

static __attribute__((noinline, unused)) void store_part(float *p, vf x, int n)
{
	float lanes[W];
	store(lanes, x);
	for (int i = 0; i < n; i++)
		p[i] = lanes[i];
}

MMI_INLINE vf load_up_to(const float *p, int n)
{
	return n >= W ? load(p) : load_part(p, n);
}
MMI_INLINE void store_up_to(float *p, vf x, int n)
{
	if (n >= W)
		store(p, x);
	else
		store_part(p, x, n);
}

MMI_INLINE vf choose(vi mask, vf yes, vf no)
{
	return (vf)(((vi)yes & mask) | ((vi)no & ~mask));
}
MMI_INLINE vf vmax(vf x, vf y)
{
	return choose((vi)(x > y), x, y);
}
MMI_INLINE vf vmin(vf x, vf y)
{
	return choose((vi)(x < y), x, y);
}

/* Shuffles within quarters of 4 lanes, x0..x3 and y0..y3: LOW and HIGH halves interleaved (x0 y0 x1 y1, x2 y2 x3 y3) or
 * as pairs (x0 x1 y0 y1, x2 x3 y2 y3). ADD_QUARTERS(q): quarter i is the sum of q[i]'s quarters. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define MMI_HAS_SHUFFLE 1
#endif
#endif
#if W == 16
#define IN_QUARTERS(x, y, a, b, c, d)                                                                                 \
	__builtin_shufflevector(x, y, a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, \
	                        c + 12, d + 12)
#define QUARTERS(x, y, a, b, c, d)                                                                                \
	__builtin_shufflevector(x, y, 4 * a, 4 * a + 1, 4 * a + 2, 4 * a + 3, 4 * b, 4 * b + 1, 4 * b + 2, 4 * b + 3, \
	                        4 * c, 4 * c + 1, 4 * c + 2, 4 * c + 3, 4 * d, 4 * d + 1, 4 * d + 2, 4 * d + 3)
#define HALF_QUARTERS(x, y) (QUARTERS(x, y, 0, 1, 4, 5) + QUARTERS(x, y, 2, 3, 6, 7))
#define LAST_QUARTERS(x, y) (QUARTERS(x, y, 0, 2, 4, 6) + QUARTERS(x, y, 1, 3, 5, 7))
#define ADD_QUARTERS(q) LAST_QUARTERS(HALF_QUARTERS(q[0], q[1]), HALF_QUARTERS(q[2], q[3]))
#elif W == 8
#define IN_QUARTERS(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d, a + 4, b + 4, c + 4, d + 4)
#define ADD_QUARTERS(q)                                              \
	(__builtin_shufflevector(q[0], q[1], 0, 1, 2, 3, 8, 9, 10, 11) + \
	 __builtin_shufflevector(q[0], q[1], 4, 5, 6, 7, 12, 13, 14, 15))
#else
#define IN_QUARTERS(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#define ADD_QUARTERS(q) q[0]
#endif
#define INTERLEAVE_LOW(x, y) IN_QUARTERS(x, y, 0, W, 1, W + 1)
#define INTERLEAVE_HIGH(x, y) IN_QUARTERS(x, y, 2, W + 2, 3, W + 3)
#define PAIRS_LOW(x, y) IN_QUARTERS(x, y, 0, 1, W, W + 1)
#define PAIRS_HIGH(x, y) IN_QUARTERS(x, y, 2, 3, W + 2, W + 3)

/* X(rows) for each number of rows a tile can have. */
#if TILE_ROWS == 14
#define TILE_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define TILE_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

/* Splits `total` rows into the fewest tiles and those as evenly as possible: the size of tile i. */
MMI_INLINE int tile_rows_of(int64_t total, int64_t n_tiles, int64_t i)
{
	return (int)(total * (i + 1) / n_tiles - total * i / n_tiles);
}

MMI_INLINE int64_t tile_count(int64_t total)
{
	return (total + TILE_ROWS - 1) / TILE_ROWS;
}

#endif
