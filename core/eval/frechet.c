/* frechet.c - the Frechet distance between Gaussians. */
#include "mmi_build.h"

#include "eval/frechet.h"
#include "eval/linalg.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ fits */

mm_status mmi_gauss_create(uint32_t d, mmi_gauss *out, mm_error *e)
{
	mmi_gauss g = { .d = d };
	g.origin = mmi_alloc(d, sizeof(double));
	g.sum = mmi_alloc(d, sizeof(double));
	g.row = mmi_alloc(d, sizeof(double));
	g.products = mmi_alloc((size_t)d * d, sizeof(double));
	if (!g.origin || !g.sum || !g.row || !g.products) {
		mmi_gauss_clear(&g);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the covariance of %u features", d);
	}
	*out = g;
	return MM_OK;
}

void mmi_gauss_clear(mmi_gauss *g)
{
	mmi_free(g->origin);
	mmi_free(g->sum);
	mmi_free(g->row);
	mmi_free(g->products);
	*g = (mmi_gauss){ 0 };
}

void mmi_gauss_add(mmi_gauss *g, const float *x, size_t rows)
{
	uint32_t d = g->d;
	for (size_t r = 0; r < rows; r++, x += d) {
		for (uint32_t i = 0; i < d && !g->n; i++)
			g->origin[i] = x[i];
		g->n++;
		for (uint32_t i = 0; i < d; i++) {
			g->row[i] = x[i] - g->origin[i];
			g->sum[i] += g->row[i];
		}
		for (uint32_t i = 0; i < d; i++) {
			double *to = g->products + (size_t)i * d, v = g->row[i];
			for (uint32_t j = i; j < d && v != 0; j++) /* many features never fire: a row of zeros adds nothing */
				to[j] += v * g->row[j];
		}
	}
}

void mmi_gauss_fit(const mmi_gauss *g, double *mean, double *covariance)
{
	double n = (double)g->n;
	for (uint32_t i = 0; i < g->d; i++)
		mean[i] = g->origin[i] + g->sum[i] / n;
	for (uint32_t i = 0; i < g->d; i++)
		for (uint32_t j = i; j < g->d; j++) {
			double c = (g->products[(size_t)i * g->d + j] - g->sum[i] * g->sum[j] / n) / (n - 1);
			covariance[(size_t)i * g->d + j] = covariance[(size_t)j * g->d + i] = c;
		}
}

/* ------------------------------------------------------------ distance */

/* out = v s v^T for v with a vector a row; work as large as out. */
static void conjugate(uint32_t d, const double *v, const double *s, double *work, double *out)
{
	memset(work, 0, (size_t)d * d * sizeof *work);
	for (uint32_t i = 0; i < d; i++)
		for (uint32_t k = 0; k < d; k++)
			for (uint32_t j = 0; j < d; j++)
				work[(size_t)i * d + j] += v[(size_t)i * d + k] * s[(size_t)k * d + j];
	for (uint32_t i = 0; i < d; i++)
		for (uint32_t j = 0; j < d; j++) {
			double sum = 0;
			for (uint32_t k = 0; k < d; k++)
				sum += work[(size_t)i * d + k] * v[(size_t)j * d + k];
			out[(size_t)i * d + j] = sum;
		}
}

/* Rounding leaves tiny negative eigenvalues where they are zero. */
static double root(double eigenvalue)
{
	return eigenvalue > 0 ? sqrt(eigenvalue) : 0;
}

/* tr (S1 S2)^(1/2), with buffers v, m, work [d][d] and values [d]. With S1 = V^T L V, S1^(1/2) S2 S1^(1/2) is similar
 * to L^(1/2) (V S2 V^T) L^(1/2). */
static mm_status trace_root(uint32_t d, const double *s1, const double *s2, double *v, double *m, double *work,
                            double *values, double *trace, mm_error *e)
{
	memcpy(v, s1, (size_t)d * d * sizeof *v);
	MMI_TRY(mmi_linalg_eigen(v, d, true, values, e));
	conjugate(d, v, s2, work, m);
	for (uint32_t i = 0; i < d; i++)
		for (uint32_t j = 0; j < d; j++)
			m[(size_t)i * d + j] *= root(values[i]) * root(values[j]);
	for (uint32_t i = 0; i < d; i++)
		for (uint32_t j = i + 1; j < d; j++) {
			double mean = 0.5 * (m[(size_t)i * d + j] + m[(size_t)j * d + i]);
			m[(size_t)i * d + j] = m[(size_t)j * d + i] = mean;
		}
	MMI_TRY(mmi_linalg_eigen(m, d, false, values, e));
	*trace = 0;
	for (uint32_t i = 0; i < d; i++)
		*trace += root(values[i]);
	return MM_OK;
}

mm_status mmi_frechet_of(uint32_t d, const double *mean1, const double *cov1, const double *mean2, const double *cov2,
                         double *out, mm_error *e)
{
	size_t square = (size_t)d * d;
	double *work = mmi_alloc(3 * square + d, sizeof *work), trace, sum = 0;
	if (!work)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the Frechet distance of %u features", d);
	mm_status status = trace_root(d, cov1, cov2, work, work + square, work + 2 * square, work + 3 * square, &trace, e);
	mmi_free(work);
	if (status != MM_OK)
		return status;
	for (uint32_t i = 0; i < d; i++) {
		double difference = mean1[i] - mean2[i];
		sum += difference * difference + cov1[(size_t)i * d + i] + cov2[(size_t)i * d + i];
	}
	*out = fmax(sum - 2 * trace, 0);
	return MM_OK;
}

mm_status mmi_frechet(const mmi_gauss *a, const mmi_gauss *b, double *out, mm_error *e)
{
	size_t d = a->d, square = d * d;
	if (a->d != b->d || a->n < 2 || b->n < 2)
		return mmi_fail(
			e, MM_EARG,
			"Frechet distance between %llu vectors of %u features and %llu of %u; expected at least 2 of the same size",
			(unsigned long long)a->n, a->d, (unsigned long long)b->n, b->d);
	double *fit = mmi_alloc(2 * (square + d), sizeof *fit);
	if (!fit)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the Frechet distance of %u features", a->d);
	double *cov1 = fit, *cov2 = fit + square, *mean1 = fit + 2 * square, *mean2 = mean1 + d;
	mmi_gauss_fit(a, mean1, cov1);
	mmi_gauss_fit(b, mean2, cov2);
	mm_status status = mmi_frechet_of(a->d, mean1, cov1, mean2, cov2, out, e);
	mmi_free(fit);
	return status;
}
