/* test_eval_maths.c - the mathematics of evaluation against closed forms, hand-made cases and NumPy. */
#include "mmi_build.h"

#include "eval_values.h"

#include "eval/auc.h"
#include "eval/coherence.h"
#include "eval/frechet.h"
#include "eval/linalg.h"
#include "eval/pca.h"
#include "eval/probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h wants the four above */
#include <cmocka.h>

#define NEAR(x, expected, tolerance)                                                                      \
	do {                                                                                                  \
		double near_x_ = (x), near_y_ = (expected);                                                       \
		if (!(fabs(near_x_ - near_y_) <= (tolerance)))                                                    \
			fail_msg("%s is %.12g; expected %.12g within %g", #x, near_x_, near_y_, (double)(tolerance)); \
	} while (0)
#define OK(call)                                  \
	do {                                          \
		if ((call) != MM_OK)                      \
			fail_msg("%s: %s", #call, e.message); \
	} while (0)
#define NEEDS_LAPACK()               \
	do {                             \
		if (!mmi_linalg_available()) \
			skip();                  \
	} while (0)

/* The generator of reference/make_eval.py. */
static void numbers(uint32_t seed, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++) {
		seed = 1664525u * seed + 1013904223u;
		out[i] = (float)(seed / 4294967296.0 - 0.5);
	}
}

static void mixed(uint32_t seed, size_t n, size_t d, double shift, float *out)
{
	numbers(seed, n * d, out);
	for (size_t r = 0; r < n; r++) {
		double sum = 0;
		for (size_t j = 0; j < d; j++) {
			sum += out[r * d + j];
			out[r * d + j] = (float)((double)(float)(sum * (double)(j + 1)) + shift);
		}
	}
}

/* ------------------------------------------------------------ Frechet distance */

/* Against numbers by hand: means and covariances given. */
static double of(uint32_t d, const double *m1, const double *c1, const double *m2, const double *c2)
{
	mm_error e = MM_ERROR_INIT;
	double out = NAN;
	OK(mmi_frechet_of(d, m1, c1, m2, c2, &out, &e));
	return out;
}

static void equal_gaussians_have_distance_zero(void **state)
{
	const double m[3] = { 1, -2, 3 }, c[9] = { 2, 0.5, 0, 0.5, 1, 0.25, 0, 0.25, 3 };
	(void)state;
	NEEDS_LAPACK();
	NEAR(of(3, m, c, m, c), 0, 1e-12);
}

static void a_shift_counts_squared(void **state)
{
	const double m1[2] = { 0, 0 }, m2[2] = { 3, -4 }, c[4] = { 2, 0.5, 0.5, 1 };
	(void)state;
	NEEDS_LAPACK();
	NEAR(of(2, m1, c, m2, c), 25, 1e-12);
}

/* Commuting covariances: the sum of (sqrt a - sqrt b)^2. */
static void scaled_gaussians_differ_by_their_deviations(void **state)
{
	const double m[3] = { 0 }, c1[9] = { 4, 0, 0, 0, 9, 0, 0, 0, 1 }, c2[9] = { 1, 0, 0, 0, 16, 0, 0, 0, 1 };
	(void)state;
	NEEDS_LAPACK();
	NEAR(of(3, m, c1, m, c2), 1 + 1 + 0, 1e-12);
}

/* 2 x 2: tr (AB)^(1/2) = sqrt(tr AB + 2 sqrt(det A det B)). */
static void covariances_that_do_not_commute(void **state)
{
	const double m[2] = { 0 }, a[4] = { 2, 1, 1, 3 }, b[4] = { 1, -0.5, -0.5, 2 };
	double trace = 2 * 1 - 1 * 0.5 - 0.5 * 1 + 3 * 2, det = 5 * 1.75;
	(void)state;
	NEEDS_LAPACK();
	NEAR(of(2, m, a, m, b), 5 + 3 - 2 * sqrt(trace + 2 * sqrt(det)), 1e-12);
	NEAR(of(2, m, b, m, a), 5 + 3 - 2 * sqrt(trace + 2 * sqrt(det)), 1e-12);
}

/* Rank one each: u u^T and v v^T, whose root has the trace |u . v|. */
static void rank_deficient_gaussians(void **state)
{
	const double m[3] = { 0 }, u[3] = { 1, 2, 0 }, v[3] = { 0, 1, -1 };
	double a[9], b[9], zero[9] = { 0 };
	(void)state;
	NEEDS_LAPACK();
	for (int i = 0; i < 9; i++) {
		a[i] = u[i / 3] * u[i % 3];
		b[i] = v[i / 3] * v[i % 3];
	}
	NEAR(of(3, m, a, m, b), 5 + 2 - 2 * 2, 1e-7);
	NEAR(of(3, m, a, m, a), 0, 1e-7);
	NEAR(of(3, m, a, m, zero), 5, 1e-12);
}

static void fits_as_numpy(void **state)
{
	float a[200 * 6], b[150 * 6];
	mmi_gauss g, h;
	mm_error e = MM_ERROR_INIT;
	double out;
	(void)state;
	NEEDS_LAPACK();
	mixed(1, 200, 6, 0, a);
	mixed(2, 150, 6, 0.25, b);
	OK(mmi_gauss_create(6, &g, &e));
	OK(mmi_gauss_create(6, &h, &e));
	mmi_gauss_add(&g, a, 77); /* in blocks */
	mmi_gauss_add(&g, a + 77 * 6, 123);
	mmi_gauss_add(&h, b, 150);
	OK(mmi_frechet(&g, &h, &out, &e));
	NEAR(out, FRECHET_VALUE, 1e-6);
	mmi_gauss_clear(&g);
	mmi_gauss_clear(&h);
}

/* A large common offset must not eat the covariance: plain sums of squares would lose it. */
static void a_fit_survives_a_large_mean(void **state)
{
	const float x[6] = { 30000000, 1, 30000002, 2, 30000004, 3 };
	double mean[2], c[4];
	mmi_gauss g;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	OK(mmi_gauss_create(2, &g, &e));
	mmi_gauss_add(&g, x, 3);
	mmi_gauss_fit(&g, mean, c);
	NEAR(mean[0], 30000002, 0);
	NEAR(c[0], 4, 0);
	NEAR(c[1], 2, 0);
	NEAR(c[3], 1, 0);
	mmi_gauss_clear(&g);
}

static void too_few_vectors_are_refused(void **state)
{
	const float x[2] = { 1, 2 };
	double out = 99;
	mmi_gauss g;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	OK(mmi_gauss_create(2, &g, &e));
	mmi_gauss_add(&g, x, 1);
	assert_int_equal(mmi_frechet(&g, &g, &out, &e), MM_EARG);
	assert_true(out == 99);
	mmi_gauss_clear(&g);
}

/* ------------------------------------------------------------ principal components */

static void check_axes(const mmi_pca *p)
{
	for (uint32_t a = 0; a < p->k; a++)
		for (uint32_t b = 0; b < p->k; b++) {
			double sum = 0;
			for (uint32_t j = 0; j < p->d; j++)
				sum += p->axes[j * p->k + a] * p->axes[j * p->k + b];
			NEAR(sum, a == b, 1e-9);
		}
}

static void components_are_those_of_numpy(void **state)
{
	float x[200 * 6], y[200 * 3];
	mmi_pca p;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	NEEDS_LAPACK();
	mixed(1, 200, 6, 0, x);
	OK(mmi_pca_fit(x, 200, 6, 3, &p, &e));
	check_axes(&p);
	mmi_pca_project(&p, x, 200, y);
	for (uint32_t c = 0; c < 3; c++) {
		double squares = 0;
		NEAR(p.variance[c], pca_variance[c], 1e-9);
		for (int r = 0; r < 200; r++)
			squares += (double)y[r * 3 + (int)c] * y[r * 3 + (int)c];
		NEAR(squares / 199, pca_variance[c], 1e-5); /* projections have that variance */
	}
	mmi_pca_clear(&p);
}

/* Fewer samples than dimensions: the other Gram matrix. The same samples with three zero columns have the same
 * components. */
static void wide_and_tall_data_agree(void **state)
{
	float x[8 * 6], wide[8 * 12] = { 0 };
	mmi_pca p, q;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	NEEDS_LAPACK();
	mixed(5, 8, 6, 1, x);
	for (int r = 0; r < 8; r++)
		memcpy(wide + 12 * r, x + 6 * r, 6 * sizeof *x);
	OK(mmi_pca_fit(x, 8, 6, 4, &p, &e));
	OK(mmi_pca_fit(wide, 8, 12, 4, &q, &e));
	check_axes(&q);
	NEAR(q.total, p.total, 1e-12);
	for (uint32_t c = 0; c < 4; c++) {
		NEAR(q.variance[c], p.variance[c], 1e-9);
		for (uint32_t j = 0; j < 6; j++)
			NEAR(q.axes[j * 4 + c], p.axes[j * 4 + c], 1e-6);
	}
	mmi_pca_clear(&p);
	mmi_pca_clear(&q);
	OK(mmi_pca_fit(x, 3, 6, 4, &p, &e));
	assert_int_equal(p.k, 2); /* three samples span two directions */
	mmi_pca_clear(&p);
}

/* ------------------------------------------------------------ ROC */

static double auc(const float *low, size_t n, const float *high, size_t k)
{
	mm_error e = MM_ERROR_INIT;
	double out = NAN;
	OK(mmi_auc(low, n, high, k, &out, &e));
	return out;
}

static void ranks_make_the_area(void **state)
{
	const float low[] = { 1, 2, 3 }, high[] = { 4, 5 }, mixed_high[] = { 2.5f, 0 };
	(void)state;
	NEAR(auc(low, 3, high, 2), 1, 0);
	NEAR(auc(high, 2, low, 3), 0, 0);
	NEAR(auc(low, 3, mixed_high, 2), 2.0 / 6, 1e-15);
}

static void ties_count_half(void **state)
{
	const float a[] = { 1, 1, 1 }, b[] = { 1, 1 }, c[] = { 1, 2, 2 }, d[] = { 2, 3 };
	double out = 99;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	NEAR(auc(a, 3, b, 2), 0.5, 0);
	NEAR(auc(c, 3, d, 2), (2 * 0.5 + 1 + 3) / 6, 1e-15);
	assert_int_equal(mmi_auc(a, 3, b, 0, &out, &e), MM_EARG);
	assert_true(out == 99);
}

/* ------------------------------------------------------------ coherence */

static void agreement_of_hand_made_predictions(void **state)
{
	const int32_t a[] = { 0, 1, 2, 3, 4 }, b[] = { 0, 1, 2, 0, 4 }, c[] = { 0, 2, 2, 0, 4 };
	const int32_t *const three[] = { a, b, c }, *const two[] = { a, NULL, c }, *const last[] = { NULL, b, c };
	(void)state;
	assert_int_equal(mmi_coherence_agree(three, 3, 5), 3);
	assert_int_equal(mmi_coherence_agree(two, 3, 5), 3);
	assert_int_equal(mmi_coherence_agree(last, 3, 5), 4);
	assert_int_equal(mmi_coherence_agree(three, 3, 2), 1);
}

static void shares_by_source_and_target(void **state)
{
	const int32_t label[] = { 0, 1, -1, 1 }, all[] = { 0, 1, 2, 1 }, half[] = { 0, 0, 0, 1 }, none[] = { 5, 5, 5, 5 };
	const uint8_t first[] = { 1, 1, 1, 0 };
	mmi_confusion c = { { { 0 } }, { { 0 } } };
	(void)state;
	mmi_confusion_add(&c, 0, 1, all, label, NULL, 4);
	mmi_confusion_add(&c, 2, 1, half, label, first, 4);
	mmi_confusion_add(&c, 0, 2, none, label, NULL, 4);
	mmi_confusion_add(&c, 0, 0, none, label, NULL, 4); /* self: not in the mean */
	NEAR(mmi_confusion_share(&c, 0, 1), 1, 0);
	NEAR(mmi_confusion_share(&c, 2, 1), 0.5, 0);
	NEAR(mmi_confusion_share(&c, 0, 2), 0, 0);
	assert_true(isnan(mmi_confusion_share(&c, 1, 2)));
	/* over sources: target 1 has (1 + 0.5) / 2, target 2 has 0; then over targets */
	NEAR(mmi_confusion_mean(&c, 3), 0.375, 1e-15);
	NEAR(mmi_confusion_row(&c, 2, 3), 0.5, 0);
	assert_true(isnan(mmi_confusion_row(&c, 1, 3)));
}

/* ------------------------------------------------------------ logistic regression */

static void weights_are_those_of_numpy(void **state)
{
	float x[90 * 3], noise[90];
	int32_t label[90];
	mmi_probe p;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	mixed(3, 90, 3, 0, x);
	numbers(4, 90, noise);
	for (int r = 0; r < 90; r++)
		label[r] = x[3 * r + 2] + noise[r] > 0.75f ? 2 : x[3 * r] + 0.5f * noise[r] > 0;
	OK(mmi_probe_fit(x, label, 90, 3, 3, 0.01, &p, &e));
	assert_true(p.iterations < 1000);
	/* Biases are free up to a common shift; the descent from zero keeps their sum at zero. */
	double shift = (probe_weight[3] + probe_weight[7] + probe_weight[11]) / 3;
	for (int i = 0; i < 12; i++)
		NEAR(p.weight[i], probe_weight[i] - (i % 4 == 3 ? shift : 0), 2e-3);
	mmi_probe_clear(&p);
}

/* Two far apart classes and rows without a label, which must neither train nor count. */
static void separable_data_is_read_without_error(void **state)
{
	float x[40 * 2];
	int32_t label[40];
	mmi_probe p;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	numbers(9, 80, x);
	for (int r = 0; r < 40; r++) {
		label[r] = r % 4 == 3 ? -1 : r % 2;
		x[2 * r] += r % 2 ? 5 : -5;
		if (label[r] < 0)
			x[2 * r] = 1e6f;
	}
	OK(mmi_probe_fit(x, label, 40, 2, 2, 1e-3, &p, &e));
	NEAR(mmi_probe_accuracy(&p, x, label, 40), 1, 0);
	assert_true(fabs(p.mean[0]) < 5);
	mmi_probe_clear(&p);
}

/* Labels that do not depend on x: the probe can do no better than the commonest class. */
static void noise_is_read_at_chance(void **state)
{
	static float x[400 * 4];
	int32_t label[400];
	mmi_probe p;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	numbers(11, 1600, x);
	for (int r = 0; r < 400; r++)
		label[r] = r / 40;
	OK(mmi_probe_fit(x, label, 200, 4, 10, 1e-2, &p, &e));
	double seen = mmi_probe_accuracy(&p, x, label, 200), unseen = mmi_probe_accuracy(&p, x + 800, label + 200, 200);
	assert_true(seen < 0.4 && unseen < 0.05); /* the second half's classes were never seen */
	mmi_probe_clear(&p);
}

static void bad_labels_are_refused(void **state)
{
	const float x[2] = { 0, 1 };
	const int32_t high[2] = { 0, 2 }, none[2] = { -1, -1 };
	mmi_probe p = { .d = 99 };
	mm_error e = MM_ERROR_INIT;
	(void)state;
	assert_int_equal(mmi_probe_fit(x, high, 2, 1, 2, 0, &p, &e), MM_EARG);
	assert_int_equal(mmi_probe_fit(x, none, 2, 1, 2, 0, &p, &e), MM_EARG);
	assert_non_null(strstr(e.message, "none of the 2 rows has one"));
	assert_int_equal(p.d, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_gaussians_have_distance_zero),
		cmocka_unit_test(a_shift_counts_squared),
		cmocka_unit_test(scaled_gaussians_differ_by_their_deviations),
		cmocka_unit_test(covariances_that_do_not_commute),
		cmocka_unit_test(rank_deficient_gaussians),
		cmocka_unit_test(fits_as_numpy),
		cmocka_unit_test(a_fit_survives_a_large_mean),
		cmocka_unit_test(too_few_vectors_are_refused),
		cmocka_unit_test(components_are_those_of_numpy),
		cmocka_unit_test(wide_and_tall_data_agree),
		cmocka_unit_test(ranks_make_the_area),
		cmocka_unit_test(ties_count_half),
		cmocka_unit_test(agreement_of_hand_made_predictions),
		cmocka_unit_test(shares_by_source_and_target),
		cmocka_unit_test(weights_are_those_of_numpy),
		cmocka_unit_test(separable_data_is_read_without_error),
		cmocka_unit_test(noise_is_read_at_chance),
		cmocka_unit_test(bad_labels_are_refused),
	};
	return cmocka_run_group_tests_name("mathematics of evaluation", tests, NULL, NULL);
}
