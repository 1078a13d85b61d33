/* test_vec.c - random numbers, the Langevin update, Adam and sums, for every instruction set this processor has. */
#include "mmi_build.h"

#include "engine/row_ops.h"
#include "engine/vec.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cpu/isa.h"
#include "../rig/ops_reference.h"
#include "../rig/device_rig.h"

static const mmi_rng draw = { 0x0123456789ABCDEFu, 17, 5, 123456 };

/* Calls check with the table of every instruction set in turn. */
static void with_every_isa(void (*check)(const mmi_vec *))
{
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		if (mmi_isa_get() != isa || isa->blas) /* that one has the vectors of another */
			continue;
		assert_string_equal(cpu_device()->vec->isa, isa->name);
		check(cpu_device()->vec);
	}
	unsetenv("MMCORE_ISA");
}

/* ---------------------------------------------------------------- Philox and what follows from single blocks */

static void philox_gives_the_published_words(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], words[4];
	} known[] = {
		/* Random123's kat_vectors, philox4x32 10 */
		{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { ~0u, ~0u, ~0u, ~0u }, { ~0u, ~0u }, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
		  { 0xa4093822, 0x299f31d0 },
		  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	(void)state;
	for (size_t i = 0; i < MMI_COUNT(known); i++) {
		uint32_t words[4];

		mmi_philox((uint64_t)known[i].key[1] << 32 | known[i].key[0], known[i].counter, words);
		assert_memory_equal(words, known[i].words, sizeof words);
	}
}

/* Pinned: another mixture would silently change every run's random numbers. */
static void keys_depend_on_seed_and_stream(void **state)
{
	(void)state;
	assert_int_equal(mmi_rng_key(1, "z"), mmi_rng_key(1, "z"));
	assert_int_not_equal(mmi_rng_key(1, "z"), mmi_rng_key(2, "z"));
	assert_int_not_equal(mmi_rng_key(1, "z"), mmi_rng_key(1, "x"));
	assert_int_equal(mmi_rng_key(0, ""), 0x5B21F68FFA77F14Cu);
	assert_int_equal(mmi_rng_key(1, "chain/z"), 0x4B0826EEC58F25E2u);
}

static void below_is_uniform(void **state)
{
	enum { N = 7, DRAWS = 70000 };
	int counts[N] = { 0 };
	double chi2 = 0;

	(void)state;
	for (uint32_t i = 0; i < DRAWS; i++) {
		mmi_rng r = draw;

		r.sample = i;
		const uint32_t k = mmi_rng_below(r, N);
		assert_true(k < N);
		counts[k]++;
	}
	for (int k = 0; k < N; k++)
		chi2 += pow(counts[k] - DRAWS / N, 2) / (DRAWS / N);
	assert_true(chi2 < 22.46); /* 6 degrees of freedom: exceeded once in 1,000 */
	assert_int_equal(mmi_rng_below(draw, 1), 0);
	assert_true(mmi_rng_below(draw, UINT32_MAX) < UINT32_MAX);
}

static void permutations_hold_every_number_once(void **state)
{
	enum { N = 1000 };
	uint32_t order[N];
	bool seen[N] = { false };
	int fixed = 0;

	(void)state;
	mmi_rng_permutation(draw, N, order);
	for (uint32_t i = 0; i < N; i++) {
		assert_true(order[i] < N && !seen[order[i]]);
		seen[order[i]] = true;
		fixed += order[i] == i;
	}
	assert_true(fixed < 8); /* about one is expected */
}

static void permutations_are_uniform(void **state)
{
	enum { DRAWS = 24000 };
	int counts[64] = { 0 };
	double chi2 = 0;

	(void)state;
	for (uint32_t i = 0; i < DRAWS; i++) {
		mmi_rng r = draw;
		uint32_t p[4];

		r.iteration = i;
		mmi_rng_permutation(r, 4, p);
		counts[p[0] * 16 + p[1] * 4 + p[2]]++;
	}
	for (int k = 0; k < 64; k++)
		if (counts[k])
			chi2 += pow(counts[k] - DRAWS / 24, 2) / (DRAWS / 24);
	assert_true(chi2 < 49.73); /* 23 degrees of freedom: exceeded once in 1,000 */
}

/* ---------------------------------------------------------------- the vector generators against plain formulas */

enum { MANY = 1000 };

/* The word of vec.h's layout that element e of a sample takes, and its neighbour's `offset` words on. */
static uint32_t word_of(const mmi_rng *r, size_t e, size_t row)
{
	const uint32_t counter[4] = { (uint32_t)(e / 64 * 16 + e % 16), r->sample, r->step, r->iteration };
	uint32_t words[4];

	mmi_philox(r->key, counter, words);
	return words[row];
}

static float unit_of(uint32_t word)
{
	const float u = ((float)(word >> 8) + 0.5f) * 0x1p-24f;

	return u < 1 ? u : 0x1.fffffep-1f;
}

/* Box and Muller's formula on what engine/vec.h says of the two words: the first gives u, the second a point of the
 * circle. */
static double plain_normal(const mmi_rng *r, size_t e)
{
	const size_t row = e / 16 % 4, pair = row / 2 * 2;
	const uint32_t a = word_of(r, e, pair), b = word_of(r, e, pair + 1);
	const float u = (float)(a >> 1) * 0x1p-31f + 0x1p-32f;
	const double angle = acos(0) * ((double)(b & 0x7FFFFF) * 0x1p-23 - 0.5), sign = b >> 31 ? -1 : 1;
	const bool exchanged = b >> 30 & 1, sine = row % 2 != exchanged;

	return sqrt(-2 * log((double)u)) * (sine ? sin(angle) : sign * cos(angle));
}

static double plain_laplace(const mmi_rng *r, size_t e)
{
	const double t = ((double)(word_of(r, e, e / 16 % 4) >> 8) + 0.5) * 0x1p-23 - 1;

	return copysign(-log(1 - fabs(t)), t);
}

static void check_generators(const mmi_vec *k)
{
	float u[MANY], z[MANY], l[MANY];

	k->uniform(u, MANY, draw);
	k->normal(z, MANY, draw);
	k->laplace(l, MANY, draw);
	for (size_t e = 0; e < MANY; e++) {
		assert_true(u[e] == unit_of(word_of(&draw, e, e / 16 % 4)));
		if (!(fabs((double)z[e] - plain_normal(&draw, e)) < 1e-6))
			fail_msg("%s: normal %zu is %.9g, expected %.9g", k->isa, e, (double)z[e], plain_normal(&draw, e));
		if (!(fabs((double)l[e] - plain_laplace(&draw, e)) < 1e-6))
			fail_msg("%s: laplace %zu is %.9g, expected %.9g", k->isa, e, (double)l[e], plain_laplace(&draw, e));
	}
}

static void generators_follow_their_formulas(void **state)
{
	(void)state;
	with_every_isa(check_generators);
}

static void check_prefixes(const mmi_vec *k)
{
	void (*const generators[])(float *, size_t, mmi_rng) = { k->uniform, k->normal, k->laplace };
	enum { LONG = 1300 };
	float whole[LONG], part[LONG + 1];

	for (size_t g = 0; g < MMI_COUNT(generators); g++) {
		generators[g](whole, LONG, draw);
		for (size_t n = 0; n <= LONG; n += n < 70 ? 1 : 41) {
			for (size_t i = 0; i <= LONG; i++)
				part[i] = 77;
			generators[g](part, n, draw);
			assert_memory_equal(part, whole, n * sizeof(float));
			assert_true(part[n] == 77);
		}
	}
}

static void short_draws_are_prefixes_of_long_ones(void **state)
{
	(void)state;
	with_every_isa(check_prefixes);
}

static void every_part_of_the_counter_matters(void **state)
{
	mmi_rng r[4] = { draw, draw, draw, draw };
	float first[64], other[64];

	(void)state;
	r[0].key++;
	r[1].sample++;
	r[2].step++;
	r[3].iteration++;
	cpu_device()->vec->uniform(first, 64, draw);
	for (int i = 0; i < 4; i++) {
		cpu_device()->vec->uniform(other, 64, r[i]);
		for (int e = 0; e < 64; e++)
			assert_true(first[e] != other[e]);
	}
}

/* The largest words: a uniform that would round up to 1, the largest Laplace draw, the shortest Box-Muller radius. */
static void check_largest_word(const mmi_vec *k)
{
	mmi_rng r = draw;
	float u[64], z[64], l[64];

	r.sample = 1922370; /* word 2 of its block 0 is 0xFFFFFF70 */
	assert_int_equal(word_of(&r, 0, 2) >> 8, 0xFFFFFF);
	k->uniform(u, 64, r);
	k->normal(z, 64, r);
	k->laplace(l, 64, r);
	assert_true(u[32] == 0x1.fffffep-1f);
	assert_true(fabsf(z[32]) < 1e-3f && fabsf(z[48]) < 1e-3f);
	assert_true(fabs((double)l[32] - 24 * log(2)) < 1e-5);

	r.sample = 149231306; /* one whose u rounds to 1 */
	assert_int_equal(word_of(&r, 0, 2), 0xFFFFFFF9);
	k->normal(z, 64, r);
	assert_true(z[32] == 0 && z[48] == 0);
}

/* The smallest word that a search found: 31 bits of u make radii that 24 bits do not, 5.9 at most. */
static void check_smallest_word(const mmi_vec *k)
{
	mmi_rng r = draw;
	float z[64];

	r.sample = 73177441;
	assert_int_equal(word_of(&r, 0, 2), 8);
	k->normal(z, 64, r);
	assert_true(fabs(hypot((double)z[32], (double)z[48]) - sqrt(-2 * log(4.5 * 0x1p-31))) < 2e-6);
}

static void the_rarest_words_stay_in_range(void **state)
{
	(void)state;
	with_every_isa(check_largest_word);
	with_every_isa(check_smallest_word);
}

/* ---------------------------------------------------------------- distributions */

enum { SAMPLE = 1 << 20 };
static float sample[SAMPLE];

static double moment(double centre, int power)
{
	double sum = 0;

	for (size_t i = 0; i < SAMPLE; i++)
		sum += pow((double)sample[i] - centre, power);
	return sum / SAMPLE;
}

static double share_beyond(double limit)
{
	size_t n = 0;

	for (size_t i = 0; i < SAMPLE; i++)
		n += fabs((double)sample[i]) > limit;
	return (double)n / SAMPLE;
}

/* Within 4.5 standard errors, given the variance of one draw of the quantity. */
static void expect(const char *what, double found, double expected, double variance)
{
	const double error = sqrt(variance / SAMPLE);

	if (!(fabs(found - expected) < 4.5 * error))
		fail_msg("%s: %.6f, expected %.6f with a standard error of %.6f", what, found, expected, error);
}

static void normals_are_normal(void **state)
{
	(void)state;
	cpu_device()->vec->normal(sample, SAMPLE, draw);
	expect("mean", moment(0, 1), 0, 1);
	expect("variance", moment(0, 2), 1, 2);
	expect("third moment", moment(0, 3), 0, 15);
	expect("fourth moment", moment(0, 4), 3, 96);
	expect("P(|z| > 2)", share_beyond(2), 0.0455002639, 0.0434);
	expect("P(|z| > 4)", share_beyond(4), 6.334248e-5, 6.334e-5);
	assert_true(share_beyond(4.5) > 0);
	assert_true(share_beyond(6) == 0);
}

static void laplaces_are_laplace(void **state)
{
	(void)state;
	cpu_device()->vec->laplace(sample, SAMPLE, draw);
	expect("mean", moment(0, 1), 0, 2);
	expect("variance", moment(0, 2), 2, 20);
	expect("P(|x| > 1)", share_beyond(1), exp(-1), exp(-1) * (1 - exp(-1)));
	expect("P(|x| > 8)", share_beyond(8), exp(-8), exp(-8));
}

static void uniforms_are_uniform_and_open(void **state)
{
	(void)state;
	cpu_device()->vec->uniform(sample, SAMPLE, draw);
	for (size_t i = 0; i < SAMPLE; i++)
		assert_true(sample[i] > 0 && sample[i] < 1);
	expect("mean", moment(0, 1), 0.5, 1.0 / 12);
	expect("variance", moment(0.5, 2), 1.0 / 12, 1.0 / 180);
}

/* Box-Muller ties elements 16 apart: their product must have mean zero all the same, and so must neighbours. */
static void normals_are_uncorrelated(void **state)
{
	const size_t lags[] = { 1, 16, 32, 64 };

	(void)state;
	cpu_device()->vec->normal(sample, SAMPLE, draw);
	for (size_t k = 0; k < MMI_COUNT(lags); k++) {
		double products = 0, squares = 0;

		for (size_t i = 0; i < SAMPLE - lags[k]; i++) {
			const double a = (double)sample[i], b = (double)sample[i + lags[k]];

			products += a * b;
			squares += (a * a - 1) * (b * b - 1);
		}
		expect("product", products / SAMPLE, 0, 1);
		expect("product of squares", squares / SAMPLE, 0, 4);
	}
}

/* ---------------------------------------------------------------- Langevin */

static void ramp(float *x, size_t n, float lo, float hi)
{
	for (size_t i = 0; i < n; i++)
		x[i] = lo + (hi - lo) * (float)i / (float)n;
}

static void check_langevin_step(const mmi_vec *k, size_t n, const mmi_langevin *a)
{
	float x[MANY], before[MANY], g[MANY], xi[MANY];
	double sums[2] = { 10, 20 }, expected[2] = { 10, 20 };

	ramp(x, n, -1, 1);
	ramp(g, n, 3, -5);
	memcpy(before, x, sizeof x);
	k->normal(xi, n, draw);
	k->langevin(x, g, n, a, draw, sums);
	for (size_t i = 0; i < n; i++) {
		const double drift = (double)a->drift * (double)g[i], noise = (double)a->noise * (double)xi[i];
		const double moved = fmin(fmax((double)before[i] - drift + noise, (double)a->lo), (double)a->hi);

		assert_true(fabs((double)x[i] - moved) < 1e-6);
		expected[0] += drift * drift;
		expected[1] += noise * noise;
	}
	assert_true(fabs(sums[0] - expected[0]) < 1e-6 * expected[0]);
	assert_true(fabs(sums[1] - expected[1]) < 1e-6 * expected[1]);
}

static void check_langevin(const mmi_vec *k)
{
	const mmi_langevin steps[] = {
		{ 0.02f, 0.3f, -1, 1 }, { 0.02f, 0.3f, -INFINITY, INFINITY }, { 0.02f, 0, -1, 1 }, { 0, 0.1f, -1, 1 }
	};
	const size_t sizes[] = { 1, 15, 64, 65, 256, 300, MANY };

	for (size_t s = 0; s < MMI_COUNT(steps); s++)
		for (size_t i = 0; i < MMI_COUNT(sizes); i++)
			check_langevin_step(k, sizes[i], &steps[s]);
}

static void langevin_steps_down_and_shakes(void **state)
{
	(void)state;
	with_every_isa(check_langevin);
}

static void check_langevin_nan(const mmi_vec *k)
{
	float x[2] = { 0, 0.5f };
	const float g[2] = { NAN, 1 };
	double sums[2] = { 0, 0 };

	k->langevin(x, g, 2, &(mmi_langevin){ 0.1f, 0, -1, 1 }, draw, sums);
	assert_true(isnan(x[0]) && isnan(sums[0]));
	assert_true(fabsf(x[1] - 0.4f) < 1e-6f);
}

static void langevin_does_not_hide_a_nan_behind_the_clamp(void **state)
{
	(void)state;
	with_every_isa(check_langevin_nan);
}

/* U = x^2 / 2 at temperature (n/s)^2 = 1: the chain's variance is 1, up to the discretisation 1 / (1 - s^2/4). */
static void langevin_samples_the_density(void **state)
{
	enum { N = 4096, STEPS = 400 };
	static float x[N];
	const float s = 0.5f;
	mmi_rng r = draw;
	double sums[2] = { 0, 0 };

	(void)state;
	for (r.step = 0; r.step < STEPS; r.step++)
		cpu_device()->vec->langevin(x, x, N, &(mmi_langevin){ s * s / 2, s, -INFINITY, INFINITY }, r, sums);
	const double variance = cpu_device()->vec->sum_squares(x, N) / N, expected = 1 / (1 - (double)(s * s) / 4);

	assert_true(fabs(variance - expected) < 4.5 * expected * sqrt(2.0 / N));
}

/* ---------------------------------------------------------------- Adam */

static reference torch;

static const reference_record *adam_record(const char *name, const char *what)
{
	const reference_record *found = reference_find(&torch, "%s/%s", name, what);

	assert_non_null(found);
	return found;
}

static void follow_adam(const mmi_vec *k, const char *name, float weight_decay)
{
	const reference_record *start = adam_record(name, "w0"), *gradients = adam_record(name, "g"),
						   *path = adam_record(name, "w");
	const size_t n = (size_t)start->count;
	float w[64], m[64] = { 0 }, v[64] = { 0 }, g[64];
	mmi_adam a = { 1e-2f, 0.9f, 0.99f, 1e-8f, weight_decay, 0, 0, 0.5f };

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++)
		w[i] = (float)start->values[i];
	for (int t = 1; t <= gradients->dim[0]; t++) {
		a.correction1 = (float)(1 - pow(0.9, t));
		a.correction2 = (float)(1 - pow(0.99, t));
		for (size_t i = 0; i < n; i++)
			g[i] = 2 * (float)gradients->values[(size_t)(t - 1) * n + i]; /* undone by grad_scale */
		k->adam(w, m, v, g, n, &a);
		for (size_t i = 0; i < n; i++)
			if (!(fabs((double)w[i] - path->values[(size_t)(t - 1) * n + i]) < 1e-6))
				fail_msg("%s, %s, step %d, element %zu: %.9g, PyTorch %.9g", k->isa, name, t, i, (double)w[i],
				         path->values[(size_t)(t - 1) * n + i]);
	}
}

/* The row operation, in two blocks. */
static void amsgrad_takes_the_steps_of_torch(void **state)
{
	const reference_record *start = adam_record("adam/amsgrad", "w0"), *gradients = adam_record("adam/amsgrad", "g"),
						   *path = adam_record("adam/amsgrad", "w");
	const size_t n = (size_t)start->count;
	float w[64], m[64] = { 0 }, v[64] = { 0 }, v_max[64] = { 0 }, g[64];
	uint32_t broken = 0;
	(void)state;
	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++)
		w[i] = (float)start->values[i];
	for (int t = 1; t <= gradients->dim[0]; t++) {
		for (size_t i = 0; i < n; i++)
			g[i] = (float)gradients->values[(size_t)(t - 1) * n + i];
		for (size_t at = 0, size = 20; at < n; at += size, size = n - at) {
			const mmi_adam_rows rows = { .raw = { w + at },
				                         .m = { m + at },
				                         .v = { v + at },
				                         .v_max = { v_max + at },
				                         .grad = { g + at },
				                         .n = size,
				                         .adam = { 1e-2f, 0.9f, 0.99f, 1e-8f, 0.03f, (float)(1 - pow(0.9, t)),
				                                   (float)(1 - pow(0.99, t)), 1 },
				                         .broken = { &broken } };
			cpu_device()->rows->adam(cpu_device(), &rows);
		}
		for (size_t i = 0; i < n; i++)
			if (!(fabs((double)w[i] - path->values[(size_t)(t - 1) * n + i]) < 1e-6))
				fail_msg("step %d, element %zu: %.9g, PyTorch %.9g", t, i, (double)w[i],
				         path->values[(size_t)(t - 1) * n + i]);
	}
	assert_int_equal(broken, 0);
}

static void check_adam(const mmi_vec *k)
{
	follow_adam(k, "adam/plain", 0);
	follow_adam(k, "adam/decay", 0.03f);
}

/* Once gradients are 0 both moments decay; none may stay where numbers are denormal. */
static void check_decay(const mmi_vec *k)
{
	enum { N = 37 };
	float w[N], m[N], v[N], g[N] = { 0 };
	const mmi_adam a = { 1e-3f, 0.9f, 0.5f, 1e-8f, 0, 1, 1, 1 };
	for (int i = 0; i < N; i++) {
		w[i] = 1;
		m[i] = i % 2 ? 1e-3f : -1e-3f;
		v[i] = 1e-9f;
	}
	for (int t = 0; t < 1000; t++) {
		k->adam(w, m, v, g, N, &a);
		for (int i = 0; i < N; i++)
			assert_true((m[i] == 0 || fabsf(m[i]) >= FLT_MIN) && (v[i] == 0 || v[i] >= FLT_MIN));
	}
	for (int i = 0; i < N; i++)
		assert_true(m[i] == 0 && v[i] == 0 && isfinite(w[i]));
	m[0] = NAN; /* for the guards to see */
	k->adam(w, m, v, g, N, &a);
	assert_true(isnan(m[0]));
}

static void moments_that_decay_become_zero(void **state)
{
	(void)state;
	with_every_isa(check_decay);
}

static void adam_takes_the_steps_of_torch(void **state)
{
	(void)state;
	with_every_isa(check_adam);
}

/* ---------------------------------------------------------------- sums */

static void check_sums(const mmi_vec *k)
{
	float x[MANY], y[MANY];

	for (size_t n = 0; n < MANY; n += 1 + n / 3) {
		double sum = 0, squares = 0, differences = 0;

		k->normal(x, n, draw);
		ramp(y, n, -3, 8);
		for (size_t i = 0; i < n; i++) {
			sum += (double)x[i];
			squares += (double)x[i] * (double)x[i];
			differences += pow((double)x[i] - (double)y[i], 2);
		}
		assert_true(fabs(k->sum(x, n) - sum) <= 1e-12 * (double)n);
		assert_true(fabs(k->sum_squares(x, n) - squares) <= 1e-12 * squares);
		assert_true(fabs(k->sum_squared_difference(x, y, n) - differences) <= 1e-12 * differences);
		k->add(y, x, n);
		for (size_t i = 0; i < n; i++)
			assert_true(fabsf(y[i] - (x[i] + (-3.f + 11.f * (float)i / (float)n))) < 1e-5f);
	}
}

static void sums_are_exact_to_double(void **state)
{
	(void)state;
	with_every_isa(check_sums);
}

static void check_finite(const mmi_vec *k)
{
	const float bad[] = { NAN, INFINITY, -INFINITY };
	float x[600];

	ramp(x, 600, -1e35f, 1e35f);
	assert_true(k->all_finite(x, 600));
	assert_true(k->all_finite(x, 0));
	for (size_t at = 0; at < 600; at += 37)
		for (size_t b = 0; b < MMI_COUNT(bad); b++) {
			const float before = x[at];

			x[at] = bad[b];
			assert_false(k->all_finite(x, 600));
			assert_true(k->all_finite(x, at));
			x[at] = before;
		}
}

static void a_single_value_that_is_not_finite_is_found(void **state)
{
	(void)state;
	with_every_isa(check_finite);
}

/* ---------------------------------------------------------------- the peak's operands */

/* Denormal numbers take many times longer: on such operands the peak is not what the processor can do. */
static void operands_of_the_peak_stay_normal(void **state)
{
	static const uint64_t rounds[] = { 1, 1000, 100000, 500000, 4000000 };
	(void)state;
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		for (size_t i = 0; mmi_isa_get() == isa && i < MMI_COUNT(rounds); i++)
			for (int part = 0; part < 2; part++) {
				float value = (float)part * 7e-9f;
				assert_true(isa->simd->fma(rounds[i], &value) > 0);
				if (!(value >= 0.5f && value <= 12)) /* the chains' mean */
					fail_msg("%s: %g after %llu rounds", isa->name, (double)value, (unsigned long long)rounds[i]);
			}
	}
	unsetenv("MMCORE_ISA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(philox_gives_the_published_words),
		cmocka_unit_test(keys_depend_on_seed_and_stream),
		cmocka_unit_test(below_is_uniform),
		cmocka_unit_test(permutations_hold_every_number_once),
		cmocka_unit_test(permutations_are_uniform),
		cmocka_unit_test(generators_follow_their_formulas),
		cmocka_unit_test(short_draws_are_prefixes_of_long_ones),
		cmocka_unit_test(every_part_of_the_counter_matters),
		cmocka_unit_test(the_rarest_words_stay_in_range),
		cmocka_unit_test(normals_are_normal),
		cmocka_unit_test(laplaces_are_laplace),
		cmocka_unit_test(uniforms_are_uniform_and_open),
		cmocka_unit_test(normals_are_uncorrelated),
		cmocka_unit_test(langevin_steps_down_and_shakes),
		cmocka_unit_test(langevin_does_not_hide_a_nan_behind_the_clamp),
		cmocka_unit_test(langevin_samples_the_density),
		cmocka_unit_test(adam_takes_the_steps_of_torch),
		cmocka_unit_test(moments_that_decay_become_zero),
		cmocka_unit_test(amsgrad_takes_the_steps_of_torch),
		cmocka_unit_test(sums_are_exact_to_double),
		cmocka_unit_test(operands_of_the_peak_stay_normal),
		cmocka_unit_test(a_single_value_that_is_not_finite_is_found),
	};

	if (!reference_open(&torch))
		return 1;
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	reference_close(&torch);
	return failed;
}
