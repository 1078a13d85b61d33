/* vec_math.h - elementary functions, and numbers of random words, without branches or tables, which compilers turn into
 * vector code inside loops marked MMI_SIMD. Relative error below 3e-7 unless said otherwise; NaN stays NaN.
 *
 * Polynomials: S. Moshier, Cephes (expf, logf, tanhf), where nothing else is said. */
#ifndef MMI_CPU_VEC_MATH_H
#define MMI_CPU_VEC_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define MMI_SIMD _Pragma("omp simd")
#define MMI_SIMD_SUM(variable) MMI_SIMD_PRAGMA_(omp simd reduction(+ : variable))
#define MMI_SIMD_PRAGMA_(text) _Pragma(#text)

#if defined(__CUDACC__)
#define VM_INLINE static __device__ __forceinline__
#else
#define VM_INLINE static inline __attribute__((always_inline))
#endif

VM_INLINE uint32_t vm_bits(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

/* 0 for a denormal number: processors take 2 to 100 times as long for those. By its bits, which no processor minds. */
VM_INLINE float vm_normal_or_zero(float x)
{
	return vm_bits(x) & 0x7F800000u ? x : 0.f;
}

VM_INLINE float vm_from_bits(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

/* Added and taken off again, rounds |x| < 2^22 to the nearest integer, which then stands in the low bits. */
static const float vm_round = 12582912.f; /* 1.5 * 2^23 */

/* 2^k for k in -126..127 (as two's complement). */
VM_INLINE float vm_power_of_two(uint32_t k)
{
	return vm_from_bits((k + 127u) << 23);
}

/* 0 below -104, infinity above 88.73, denormals between. */
VM_INLINE float vm_exp(float x)
{
	x = x < -105.f ? -105.f : x;
	x = x > 89.f ? 89.f : x;
	const float t = x * 1.44269504f + vm_round, k = t - vm_round;
	const int32_t whole = (int32_t)(vm_bits(t) - 0x4B400000u), half = whole >> 1;
	const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
	float p = 1.9875691500e-4f;

	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * (r * r) + r + 1.f;
	return p * vm_power_of_two((uint32_t)half) * vm_power_of_two((uint32_t)(whole - half));
}

/* log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], plus e log 2. `curve` is f, or 0 where log(1 + f) = f: squares of
 * tiny numbers would be denormal and slow. */
VM_INLINE float vm_log_mantissa(float f, float curve, float e)
{
	const float z = curve * curve;
	const float p0 = -2.4999993993e-1f * curve + 3.3333331174e-1f, p1 = -1.6668057665e-1f * curve + 2.0000714765e-1f;
	const float p2 = -1.2420140846e-1f * curve + 1.4249322787e-1f, p3 = -1.1514610310e-1f * curve + 1.1676998740e-1f;
	float p =
		(p3 + 7.0376836292e-2f * z) * z + p2; /* by Estrin's scheme: half as many operations wait for each other */

	p = p * (z * z) + (p1 * z + p0);
	p = p * curve * z + e * -2.12194440e-4f;
	p = p - 0.5f * z;
	return (f + p) + e * 0.693359375f;
}

/* For finite x >= 2^-126. */
VM_INLINE float vm_log_normal(float x)
{
	const uint32_t u = vm_bits(x) - 0x3F3504F3u; /* relative to sqrt(1/2) */
	const int32_t e = (int32_t)u >> 23;
	const float f = vm_from_bits((u & 0x7FFFFFu) + 0x3F3504F3u) - 1.f;

	return vm_log_mantissa(f, f, (float)e);
}

/* -infinity at 0, NaN below, infinity at infinity. */
VM_INLINE float vm_log(float x)
{
	const int tiny = x < 1.17549435e-38f;
	const float y = vm_log_normal(tiny ? x * 8388608.f : x) - (tiny ? 15.9423847f : 0.f);
	const float low = x == 0.f ? -INFINITY : NAN;

	return x > 0.f ? (x < INFINITY ? y : INFINITY) : low;
}

/* log(1 + u) for u in [0, 1]. */
VM_INLINE float vm_log1p_unit(float u)
{
	const int upper = u > 0.41421356f;
	const float f = upper ? 0.5f * (u - 1.f) : u;

	return vm_log_mantissa(f, u < 1e-8f ? 0.f : f, upper ? 1.f : 0.f);
}

VM_INLINE float vm_max0(float x)
{
	return x < 0.f ? 0.f : x;
}

VM_INLINE float vm_softplus(float x)
{
	return vm_max0(x) + vm_log1p_unit(vm_exp(-fabsf(x)));
}

VM_INLINE float vm_sigmoid(float x)
{
	const float e = vm_exp(-fabsf(x));

	return (x < 0.f ? e : 1.f) / (1.f + e);
}

VM_INLINE float vm_tanh(float x)
{
	const float a = fabsf(x), e = vm_exp(-2.f * a), z = x * x;
	const float large = (1.f - e) / (1.f + e);
	float p = -5.70498872745e-3f;

	p = p * z + 2.06390887954e-2f;
	p = p * z - 5.37397155531e-2f;
	p = p * z + 1.33314422036e-1f;
	p = p * z - 3.33332819422e-1f;
	return a < 0.625f ? p * z * x + x : copysignf(large, x);
}

/* 1 - exp(-y) for y >= 0: the slope of softplus in terms of its output. */
VM_INLINE float vm_one_minus_exp(float y)
{
	const float series = y * (1.f - y * (0.5f - y * (0.16666667f - y * (0.041666667f - y * 0.0083333333f))));

	return y < 0.125f ? series : 1.f - vm_exp(-y);
}

/* (word >> 8 + 0.5) 2^-24, kept below 1 where the half would round up to it. */
VM_INLINE float vm_unit(uint32_t word)
{
	const float u = (float)(int32_t)(word >> 8) * 0x1p-24f + 0x1p-25f;

	return u < 1.f ? u : 0x1.fffffep-1f;
}

/* A Laplace number of a random word: 2 u - 1 is exact. */
VM_INLINE float vm_laplace(uint32_t word)
{
	const float t = (float)((int32_t)(word >> 8) - (1 << 23)) * 0x1p-23f + 0x1p-24f;

	return copysignf(-vm_log_normal(1.f - fabsf(t)), t);
}

/* -2 log x for x in (0, 1], relative error below 4e-7; the exponent is cut off where mantissas are sqrt(1/2). */
VM_INLINE float vm_minus_two_log(float x)
{
	const int32_t exponent = (int32_t)((vm_bits(x) - 0x3F3504F3u) & 0xFF800000u); /* times 2^23 */
	const float f = vm_from_bits(vm_bits(x) - (uint32_t)exponent) - 1.f;
	float p = 0.1815158331f * f - 0.3180852257f;

	p = p * f + 0.3485171884f;
	p = p * f - 0.3988420581f;
	p = p * f + 0.4992127642f;
	p = p * f - 0.6666748893f;
	p = p * f + 1.000009978f;
	p = p * f - 2.f;
	return p * f + (float)exponent * (-1.38629436f * 0x1p-23f);
}

typedef struct vm_pair {
	float cosine, sine;
} vm_pair;

/* A point of the unit circle, uniform for a uniform word: within an eighth of the circle to both sides of the first
 * axis by the lowest 23 bits, t in [-1/2, 1/2) of a quarter, then mirrored (highest bit) and with the axes exchanged
 * (the one below). Absolute error below 2e-7. Polynomials in t^2 fitted to sin(pi/2 t) / t and cos(pi/2 t) by Remez'
 * exchange. */
VM_INLINE vm_pair vm_on_circle(uint32_t word)
{
	const float t = vm_from_bits((word & 0x7FFFFFu) | 0x3F800000u) - 1.5f, z = t * t;
	const float s = t * (((-0.004601657891f * z + 0.07968003277f) * z - 0.6459634602f) * z + 1.570796322f);
	const float c = ((-0.02040825547f * z + 0.2536021375f) * z - 1.233697894f) * z + 1.f;
	const float mirrored = vm_from_bits(vm_bits(c) ^ (word & 0x80000000u));
	const int exchanged = (word & 0x40000000u) != 0;

	return (vm_pair){ exchanged ? s : mirrored, exchanged ? mirrored : s };
}

/* Two independent standard normal numbers from two random words (Box and Muller 1958). 31 bits of the first make the
 * radius, so that the longest is 6.7. */
VM_INLINE vm_pair vm_normal_pair(uint32_t first, uint32_t second)
{
	const float u = (float)(int32_t)(first >> 1) * 0x1p-31f + 0x1p-32f; /* in (0, 1] */
	const float radius = sqrtf(vm_minus_two_log(u));
	const vm_pair at = vm_on_circle(second);

	return (vm_pair){ radius * at.cosine, radius * at.sine };
}

#endif
