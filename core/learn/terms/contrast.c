/* contrast.c - the symmetric contrastive loss and its gradient, in double and in one order: batches are small. */
#include "mmi_build.h"

#include "learn/terms/contrast.h"

#include <math.h>
#include <string.h>

#define SHORTEST 1e-12 /* a row below this length has no direction, so it gets no gradient */

mm_status mmi_contrast_create(uint32_t rows, uint32_t d, mmi_contrast *out, mm_error *e)
{
	mmi_contrast c = { .rows = rows, .d = d };
	bool ok = true;
	for (int s = 0; s < 2; s++) {
		ok = ok && (c.unit[s] = mmi_alloc((size_t)rows * d, sizeof(double)));
		ok = ok && (c.unit_grad[s] = mmi_alloc((size_t)rows * d, sizeof(double)));
		ok = ok && (c.length[s] = mmi_alloc(rows, sizeof(double)));
	}
	ok = ok && (c.similarity = mmi_alloc((size_t)rows * rows, sizeof(double)));
	ok = ok && (c.grad = mmi_alloc((size_t)rows * rows, sizeof(double)));
	if (!ok) {
		mmi_contrast_clear(&c);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a contrastive loss of %u rows", rows);
	}
	*out = c;
	return MM_OK;
}

void mmi_contrast_clear(mmi_contrast *c)
{
	for (int s = 0; s < 2; s++) {
		mmi_free(c->unit[s]);
		mmi_free(c->unit_grad[s]);
		mmi_free(c->length[s]);
	}
	mmi_free(c->similarity);
	mmi_free(c->grad);
	*c = (mmi_contrast){ 0 };
}

static double dot(const double *x, const double *y, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* ------------------------------------------------------------ unit vectors */

static void open_side(mmi_contrast *c, int side, const float *x, uint32_t rows)
{
	for (uint32_t r = 0; r < rows; r++) {
		double *u = c->unit[side] + (size_t)r * c->d;
		for (uint32_t k = 0; k < c->d; k++)
			u[k] = (double)x[(size_t)r * c->d + k];
		double length = c->length[side][r] = sqrt(dot(u, u, c->d));
		for (uint32_t k = 0; k < c->d; k++)
			u[k] = length > SHORTEST ? u[k] / length : 0;
	}
	memset(c->unit_grad[side], 0, (size_t)rows * c->d * sizeof(double));
}

/* d|x|^-1 x: what of the gradient does not lie along u, divided by the length. */
static void close_side(const mmi_contrast *c, int side, uint32_t rows, float *dx)
{
	for (uint32_t r = 0; r < rows; r++) {
		const double *u = c->unit[side] + (size_t)r * c->d, *g = c->unit_grad[side] + (size_t)r * c->d;
		double along = dot(u, g, c->d), length = c->length[side][r];
		for (uint32_t k = 0; k < c->d && length > SHORTEST; k++)
			dx[(size_t)r * c->d + k] += (float)((g[k] - along * u[k]) / length);
	}
}

/* ------------------------------------------------------------ the loss */

/* The mean over n lines of [log sum exp of the line - its own entry], and its gradient times `factor` into grad. A line
 * is a row (step 1, next n) or a column (step n, next 1). */
static double lines(mmi_contrast *c, uint32_t n, size_t step, size_t next, double factor)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		const double *s = c->similarity + i * next;
		double *g = c->grad + i * next, most = s[0], total = 0;
		for (uint32_t j = 1; j < n; j++)
			most = fmax(most, s[j * step]);
		for (uint32_t j = 0; j < n; j++)
			total += exp(s[j * step] - most);
		for (uint32_t j = 0; j < n; j++)
			g[j * step] += factor * (exp(s[j * step] - most) / total - (i == j));
		sum += most + log(total) - s[i * step];
	}
	return sum / n;
}

static void fill_similarity(mmi_contrast *c, uint32_t n, double temperature)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			c->similarity[(size_t)i * n + j] =
				dot(c->unit[0] + (size_t)i * c->d, c->unit[1] + (size_t)j * c->d, c->d) / temperature;
	memset(c->grad, 0, (size_t)n * n * sizeof(double));
}

static void spread(mmi_contrast *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++) {
			const double g = c->grad[(size_t)i * n + j];
			const double *u = c->unit[0] + (size_t)i * c->d, *v = c->unit[1] + (size_t)j * c->d;
			double *du = c->unit_grad[0] + (size_t)i * c->d, *dv = c->unit_grad[1] + (size_t)j * c->d;
			for (uint32_t k = 0; k < c->d; k++) {
				du[k] += g * v[k];
				dv[k] += g * u[k];
			}
		}
}

double mmi_contrast_loss(mmi_contrast *c, const float *a, const float *b, uint32_t rows, double temperature,
                         double weight, float *da, float *db)
{
	const double factor = 0.5 * weight / (rows * temperature);
	open_side(c, 0, a, rows);
	open_side(c, 1, b, rows);
	fill_similarity(c, rows, temperature);
	double loss = 0.5 * lines(c, rows, 1, rows, factor);
	loss += 0.5 * lines(c, rows, rows, 1, factor);
	if (da && db) {
		spread(c, rows);
		close_side(c, 0, rows, da);
		close_side(c, 1, rows, db);
	}
	return loss;
}

void mmi_contrast_normalise(float *x, size_t rows, uint32_t d)
{
	for (size_t r = 0; r < rows; r++, x += d) {
		double sum = 0;
		for (uint32_t k = 0; k < d; k++)
			sum += (double)x[k] * (double)x[k];
		for (uint32_t k = 0; k < d && sum > SHORTEST * SHORTEST; k++)
			x[k] = (float)((double)x[k] / sqrt(sum));
	}
}
