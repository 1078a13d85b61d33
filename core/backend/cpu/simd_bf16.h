/* simd_bf16.h - vectors of numbers in bfloat16, the upper half of a float. Products take them by twos, which lie side
 * by side in the 32 bits of a lane: what AVX512-BF16 has an instruction for, and other sets add up in two steps. */
#ifndef MMI_CPU_SIMD_BF16_H
#define MMI_CPU_SIMD_BF16_H

#include "backend/cpu/simd_vec.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

typedef uint32_t vp __attribute__((vector_size(W * 4))); /* W pairs */
typedef uint16_t vh __attribute__((vector_size(W * 2)));
typedef uint32_t vp_any __attribute__((vector_size(W * 4), aligned(2), may_alias));
typedef uint16_t vh_any __attribute__((vector_size(W * 2), aligned(2), may_alias));
typedef uint32_t pair_any __attribute__((aligned(2), may_alias));

MMI_INLINE vp load_pairs(const void *p)
{
	return *(const vp_any *)p;
}
MMI_INLINE vp splat_pair(const uint16_t *p)
{
	return *(const pair_any *)p - (vp){ 0 };
}

/* sums + x[0] y[0] + x[1] y[1] in each lane. */
MMI_INLINE vf add_pairs(vf sums, vp x, vp y)
{
#if defined(__AVX512BF16__)
	return (vf)_mm512_dpbf16_ps((__m512)sums, (__m512bh)x, (__m512bh)y);
#else
	sums += (vf)(x << 16) * (vf)(y << 16);
	return sums + (vf)(x & 0xffff0000u) * (vf)(y & 0xffff0000u);
#endif
}

/* To the nearest, to even at a tie; what is not a number stays none. */
MMI_INLINE vh to_bf16(vf x)
{
#if defined(__AVX512BF16__)
	return (vh)_mm512_cvtneps_pbh((__m512)x);
#else
	const vp u = (vp)x, rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16, odd = (vp)(x != x);
	return __builtin_convertvector((rounded & ~odd) | ((u >> 16 | 0x40) & odd), vh);
#endif
}

MMI_INLINE void store_bf16(uint16_t *p, vf x)
{
	*(vh_any *)p = to_bf16(x);
}

MMI_INLINE vf load_bf16(const uint16_t *p)
{
#if defined(__AVX512BF16__) /* a permutation, where the compiler would widen and shift */
	const __m512i at = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3,
	                                    0, 2, 0, 1, 0, 0, 0);
	const __m512i x = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)p));
	return (vf)_mm512_maskz_permutexvar_epi16(0xaaaaaaaau, at, x);
#else
	return (vf)(__builtin_convertvector(*(const vh_any *)p, vp) << 16);
#endif
}

/* As load_part and store_part. */
static __attribute__((noinline, unused)) vf load_part_bf16(const uint16_t *p, int n)
{
	uint16_t lanes[W] = { 0 };
	memcpy(lanes, p, (size_t)n * sizeof *p);
	return load_bf16(lanes);
}

static __attribute__((noinline, unused)) void store_part_bf16(uint16_t *p, vf x, int n)
{
	uint16_t lanes[W];
	store_bf16(lanes, x);
	memcpy(p, lanes, (size_t)n * sizeof *p);
}

/* y behind x. */
MMI_INLINE void store_both_bf16(uint16_t *p, vf x, vf y)
{
#if defined(__AVX512BF16__)
	*(vp_any *)(void *)p = (vp)_mm512_cvtne2ps_pbh((__m512)y, (__m512)x);
#else
	store_bf16(p, x);
	store_bf16(p + W, y);
#endif
}

/* x[i] below y[i]. */
MMI_INLINE vp pairs_of(vf x, vf y)
{
	return __builtin_convertvector(to_bf16(x), vp) | __builtin_convertvector(to_bf16(y), vp) << 16;
}

#endif
