/* vec_math.h - elementary functions without branches or tables, which compilers turn into vector code inside loops
 * marked MMI_SIMD. Relative error below 3e-7 unless said otherwise; NaN stays NaN.
 *
 * Polynomials: S. Moshier, Cephes (expf, logf, tanhf, sinf, cosf). */
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

typedef struct vm_angle {
	float sine, cosine;
} vm_angle;

/* Sine and cosine of t half turns, t in [-1, 1]; absolute error below 2e-7. */
VM_INLINE vm_angle vm_sincos_pi(float t)
{
	const float shifted = 2.f * t + vm_round; /* whole quarter turns in the low bits */
	const uint32_t quarter = vm_bits(shifted);
	const float r = (2.f * t - (shifted - vm_round)) * 1.57079633f, z = r * r;
	const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
	const float c =
		((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * (z * z) - 0.5f * z + 1.f;
	const int odd = (quarter & 1u) != 0;
	const uint32_t sine = vm_bits(odd ? c : s) ^ ((quarter & 2u) << 30);
	const uint32_t cosine = vm_bits(odd ? s : c) ^ (((quarter + 1u) & 2u) << 30);

	return (vm_angle){ vm_from_bits(sine), vm_from_bits(cosine) };
}

#endif
