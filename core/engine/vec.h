/* vec.h - vector kernels outside the graph: random numbers, the fused Langevin update, Adam. Chosen at run time for the
 * processor (avx512, avx2, generic); all variants of one build give the same bits for noise up to the last place of
 * log, sin and cos, and each variant is deterministic.
 *
 * Randomness is counter-based: Philox4x32-10 (Salmon et al. 2011). A draw is a function of
 *   key     = mix(seed, stream)                    64 bits
 *   counter = (block, sample, step, iteration)     4 x 32 bits
 * Element e of a sample takes word (e / 16) % 4 of block (e / 64) * 16 + e % 16, so 16 lanes run side by side.
 * Uniforms: u = ((word >> 8) + 0.5) 2^-24. Normals: Box-Muller on words (a, b) = (0,1) and (2,3) of a block:
 *   u = ((a >> 1) + 0.5) 2^-31 as a float, t = (b mod 2^23) 2^-23 - 1/2, (x, y) = (cos, sin)(t pi/2); -x for x where
 * bit 31 of b is set, then x and y exchanged where bit 30 is; z = sqrt(-2 log u) (x, y): elements e and e + 16. */
#ifndef MMI_VEC_H
#define MMI_VEC_H

#include "base/base.h"

typedef struct mmi_rng {
	uint64_t key; /* mmi_rng_key(seed, stream) */
	uint32_t sample, step, iteration;
} mmi_rng;

uint64_t mmi_rng_key(uint64_t seed, const char *stream);
void mmi_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]);
/* Uniform integer in 0..n-1 (n > 0), of element 0. */
uint32_t mmi_rng_below(mmi_rng r, uint32_t n);
/* A uniform permutation of 0..n-1 (Fisher-Yates). */
void mmi_rng_permutation(mmi_rng r, uint32_t n, uint32_t *out);

/* One Langevin step of one sample: x <- clamp(x - drift g + noise xi, lo, hi), drift = s^2/2 (times any scale). */
typedef struct mmi_langevin {
	float drift, noise; /* noise 0: no draws are made */
	float lo, hi;       /* -INFINITY, INFINITY: no clamp */
} mmi_langevin;

typedef struct mmi_adam {
	float rate, beta1, beta2, eps, weight_decay; /* weight_decay: L2 added to the gradient, as PyTorch's Adam */
	float correction1, correction2;              /* 1 - beta^t */
	float grad_scale;                            /* clipping factor, 1 if none */
} mmi_adam;

typedef struct mmi_vec {
	const char *isa; /* "avx512", "avx2", "generic" */
	void (*uniform)(float *out, size_t n, mmi_rng r);
	void (*normal)(float *out, size_t n, mmi_rng r);
	void (*laplace)(float *out, size_t n, mmi_rng r); /* location 0, scale 1, by inversion of the uniform */
	/* Returns in sums[0] += sum (drift g)^2, sums[1] += sum (noise xi)^2. */
	void (*langevin)(float *x, const float *g, size_t n, const mmi_langevin *a, mmi_rng r, double sums[2]);
	void (*adam)(float *w, float *m, float *v, const float *g, size_t n, const mmi_adam *a);
	double (*sum)(const float *x, size_t n); /* in double */
	double (*sum_squares)(const float *x, size_t n);
	double (*sum_squared_difference)(const float *x, const float *y, size_t n);
	void (*add)(float *x, const float *y, size_t n); /* x += y */
	bool (*all_finite)(const float *x, size_t n);
} mmi_vec;

#endif
