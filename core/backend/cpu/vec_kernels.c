/* vec_kernels.c - random numbers, the fused Langevin update, Adam and sums; compiled once per instruction set
 * (MMI_ISA). */
#include "mmi_build.h"

#include "backend/cpu/vec.h"
#include "backend/cpu/vec_math.h"
#include "backend/cpu/vec_philox.h"

enum {
	LANES = MMI_PHILOX_BLOCKS,
	GROUP = 4 * LANES /* elements a set of blocks gives */,
	CHUNK = 512 /* elements drawn at a time, whole groups, and between roundings of sums */
};

/* ---------------------------------------------------------------- random numbers */

/* clang 14 fails to vectorise these loops once they are inlined into their callers. */
#define NOINLINE __attribute__((noinline))

static NOINLINE void draw_words(uint32_t *words, size_t groups, const mmi_rng *r, uint32_t first_block)
{
	philox_groups(words, groups, r, first_block);
}

static NOINLINE void uniforms_of(float *restrict out, const uint32_t *restrict words, size_t groups)
{
	MMI_SIMD
	for (size_t i = 0; i < groups * GROUP; i++)
		out[i] = vm_unit(words[i]);
}

static NOINLINE void laplaces_of(float *restrict out, const uint32_t *restrict words, size_t groups)
{
	MMI_SIMD
	for (size_t i = 0; i < groups * GROUP; i++)
		out[i] = vm_laplace(words[i]);
}

/* A pair is a long chain of dependent operations: two at a time, and all in one loop, so that the processor works them
 * off side by side. */
static NOINLINE void normals_of(float *restrict out, const uint32_t *restrict words, size_t groups)
{
	for (size_t g = 0; g < groups; g++, out += GROUP, words += GROUP) {
		MMI_SIMD
		for (int lane = 0; lane < LANES; lane++) {
			const vm_pair z = vm_normal_pair(words[lane], words[lane + LANES]);
			const vm_pair y = vm_normal_pair(words[lane + 2 * LANES], words[lane + 3 * LANES]);

			out[lane] = z.cosine;
			out[lane + LANES] = z.sine;
			out[lane + 2 * LANES] = y.cosine;
			out[lane + 3 * LANES] = y.sine;
		}
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Elements begin.. of a sample's draws, begin a multiple of GROUP, n at most CHUNK; whole groups are written. */
VM_INLINE void draw_chunk(void (*of)(float *, const uint32_t *, size_t), float out[CHUNK], size_t begin, size_t n,
                          const mmi_rng *r)
{
	_Alignas(64) uint32_t words[CHUNK];
	const size_t groups = (n + GROUP - 1) / GROUP;

	draw_words(words, groups, r, (uint32_t)(begin / GROUP) * LANES);
	of(out, words, groups);
}

VM_INLINE void fill(void (*of)(float *, const uint32_t *, size_t), float *out, size_t n, const mmi_rng *r)
{
	for (size_t begin = 0; begin < n; begin += CHUNK) {
		const size_t count = smaller(CHUNK, n - begin);
		float last[CHUNK];

		draw_chunk(of, count % GROUP ? last : out + begin, begin, count, r);
		if (count % GROUP)
			memcpy(out + begin, last, count * sizeof(float));
	}
}

static void uniform(float *out, size_t n, mmi_rng r)
{
	fill(uniforms_of, out, n, &r);
}
static void normal(float *out, size_t n, mmi_rng r)
{
	fill(normals_of, out, n, &r);
}
static void laplace(float *out, size_t n, mmi_rng r)
{
	fill(laplaces_of, out, n, &r);
}

/* ---------------------------------------------------------------- Langevin */

VM_INLINE float clamped(float x, float lo, float hi)
{
	x = x < lo ? lo : x;
	return x > hi ? hi : x;
}

static void drift_chunk(float *x, const float *g, size_t n, const mmi_langevin *a, double sums[2])
{
	const float drift = a->drift, lo = a->lo, hi = a->hi;
	float moved = 0;

	MMI_SIMD_SUM(moved)
	for (size_t i = 0; i < n; i++) {
		const float d = drift * g[i];

		moved += d * d;
		x[i] = clamped(x[i] - d, lo, hi);
	}
	sums[0] += (double)moved;
}

static void noisy_chunk(float *x, const float *g, const float *xi, size_t n, const mmi_langevin *a, double sums[2])
{
	const float drift = a->drift, noise = a->noise, lo = a->lo, hi = a->hi;
	float moved = 0, shaken = 0;

	MMI_SIMD_PRAGMA_(omp simd reduction(+ : moved, shaken))
	for (size_t i = 0; i < n; i++) {
		const float d = drift * g[i], e = noise * xi[i];

		moved += d * d;
		shaken += e * e;
		x[i] = clamped(x[i] - d + e, lo, hi);
	}
	sums[0] += (double)moved;
	sums[1] += (double)shaken;
}

static void langevin(float *x, const float *g, size_t n, const mmi_langevin *a, mmi_rng r, double sums[2])
{
	_Alignas(64) float xi[CHUNK];

	for (size_t begin = 0; begin < n; begin += CHUNK) {
		const size_t count = smaller(CHUNK, n - begin);

		if (a->noise == 0.f) {
			drift_chunk(x + begin, g + begin, count, a, sums);
			continue;
		}
		draw_chunk(normals_of, xi, begin, count, &r);
		noisy_chunk(x + begin, g + begin, xi, count, a, sums);
	}
}

/* ---------------------------------------------------------------- Adam */

/* Moments of what has no gradient any more decay until they are denormal, and stay so: 0.9 times the least such number
 * rounds to itself. After 6,000 iterations a third of the first moments were. */
static void adam(float *w, float *m, float *v, const float *g, size_t n, const mmi_adam *a)
{
	const float beta1 = a->beta1, beta2 = a->beta2, rest1 = 1.f - beta1, rest2 = 1.f - beta2;
	const float scale = a->grad_scale, decay = a->weight_decay, eps = a->eps;
	const float step = a->rate / a->correction1, root = 1.f / sqrtf(a->correction2);

	MMI_SIMD
	for (size_t i = 0; i < n; i++) {
		const float grad = scale * g[i] + decay * w[i];

		m[i] = vm_normal_or_zero(beta1 * m[i] + rest1 * grad);
		v[i] = vm_normal_or_zero(beta2 * v[i] + rest2 * (grad * grad));
		w[i] -= step * m[i] / (sqrtf(v[i]) * root + eps);
	}
}

/* ---------------------------------------------------------------- sums */

static double sum(const float *x, size_t n)
{
	double total = 0;

	MMI_SIMD_SUM(total)
	for (size_t i = 0; i < n; i++)
		total += (double)x[i];
	return total;
}

static double sum_squares(const float *x, size_t n)
{
	double total = 0;

	MMI_SIMD_SUM(total)
	for (size_t i = 0; i < n; i++)
		total += (double)x[i] * (double)x[i];
	return total;
}

static double sum_squared_difference(const float *x, const float *y, size_t n)
{
	double total = 0;

	MMI_SIMD_SUM(total)
	for (size_t i = 0; i < n; i++) {
		const double d = (double)x[i] - (double)y[i];

		total += d * d;
	}
	return total;
}

static void add(float *x, const float *y, size_t n)
{
	MMI_SIMD
	for (size_t i = 0; i < n; i++)
		x[i] += y[i];
}

static bool all_finite(const float *x, size_t n)
{
	for (size_t begin = 0; begin < n; begin += CHUNK) {
		const size_t end = begin + smaller(CHUNK, n - begin);
		uint32_t bad = 0;

		MMI_SIMD_PRAGMA_(omp simd reduction(| : bad))
		for (size_t i = begin; i < end; i++)
			bad |= (vm_bits(x[i]) & 0x7F800000u) == 0x7F800000u;
		if (bad)
			return false;
	}
	return true;
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)

const mmi_vec GLUE(mmi_vec_, MMI_ISA) = {
	.isa = TEXT(MMI_ISA),
	.uniform = uniform,
	.normal = normal,
	.laplace = laplace,
	.langevin = langevin,
	.adam = adam,
	.sum = sum,
	.sum_squares = sum_squares,
	.sum_squared_difference = sum_squared_difference,
	.add = add,
	.all_finite = all_finite,
};
