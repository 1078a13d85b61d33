/* rows_contrast.c - the symmetric contrastive loss and its gradient on the host, in double and in one order: batches
 * are small. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>
#include <string.h>

#define SHORTEST 1e-12 /* a row below this length has no direction, so it gets no gradient */

typedef struct contrast { /* of one call; all of it is in the room */
	uint32_t n, d;
	uint32_t *kept;                 /* [n]: the rows that count */
	double *unit[2], *unit_grad[2]; /* [n][d] */
	double *length[2];              /* [n] */
	double *similarity, *grad;      /* [n][n] */
} contrast;

static double *take(double **at, size_t n)
{
	double *out = *at;
	*at += n;
	return out;
}

static contrast lay_out(const mmi_contrast *a)
{
	const size_t rows = a->rows;
	double *at = a->room.at;
	contrast c = { .d = (uint32_t)a->dim };
	for (int s = 0; s < 2; s++) {
		c.unit[s] = take(&at, rows * a->dim);
		c.unit_grad[s] = take(&at, rows * a->dim);
		c.length[s] = take(&at, rows);
	}
	c.similarity = take(&at, rows * rows);
	c.grad = take(&at, rows * rows);
	c.kept = (uint32_t *)take(&at, rows);
	return c;
}

static void keep(contrast *c, const mmi_contrast *a)
{
	for (uint32_t r = 0; r < a->rows; r++)
		if ((!a->has[0].at || a->has[0].at[r] > 0) && (!a->has[1].at || a->has[1].at[r] > 0))
			c->kept[c->n++] = r;
}

static double dot(const double *x, const double *y, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* ------------------------------------------------------------ unit vectors */

static void open_side(const contrast *c, int side, const float *x, size_t stride)
{
	for (uint32_t r = 0; r < c->n; r++) {
		double *u = c->unit[side] + (size_t)r * c->d;
		for (uint32_t k = 0; k < c->d; k++)
			u[k] = (double)x[c->kept[r] * stride + k];
		double length = c->length[side][r] = sqrt(dot(u, u, c->d));
		for (uint32_t k = 0; k < c->d; k++)
			u[k] = length > SHORTEST ? u[k] / length : 0;
	}
	memset(c->unit_grad[side], 0, (size_t)c->n * c->d * sizeof(double));
}

/* d|x|^-1 x: what of the gradient does not lie along u, divided by the length. */
static void close_side(const contrast *c, int side, float *dx, size_t stride)
{
	for (uint32_t r = 0; r < c->n; r++) {
		const double *u = c->unit[side] + (size_t)r * c->d, *g = c->unit_grad[side] + (size_t)r * c->d;
		double along = dot(u, g, c->d), length = c->length[side][r];
		for (uint32_t k = 0; k < c->d && length > SHORTEST; k++)
			dx[c->kept[r] * stride + k] += (float)((g[k] - along * u[k]) / length);
	}
}

/* ------------------------------------------------------------ the loss */

/* The mean over n lines of [log sum exp of the line - its own entry], and its gradient times `factor` into grad. A line
 * is a row (step 1, next n) or a column (step n, next 1). */
static double lines(const contrast *c, size_t step, size_t next, double factor)
{
	const uint32_t n = c->n;
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

static void fill_similarity(const contrast *c, double temperature)
{
	const uint32_t n = c->n;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			c->similarity[(size_t)i * n + j] =
				dot(c->unit[0] + (size_t)i * c->d, c->unit[1] + (size_t)j * c->d, c->d) / temperature;
	memset(c->grad, 0, (size_t)n * n * sizeof(double));
}

static void spread(const contrast *c)
{
	const uint32_t n = c->n;
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

void mmi_host_contrast(const mmi_device *d, const mmi_contrast *a)
{
	contrast c = lay_out(a);
	(void)d;
	keep(&c, a);
	if (c.n < 2)
		return;
	const double factor = 0.5 * a->weight / (c.n * a->temperature);
	for (int s = 0; s < 2; s++)
		open_side(&c, s, a->x[s].at, a->stride);
	fill_similarity(&c, a->temperature);
	double loss = 0.5 * lines(&c, 1, c.n, factor);
	loss += 0.5 * lines(&c, c.n, 1, factor);
	a->told.at[0] += a->weight * loss;
	a->told.at[1] += 1;
	if (!a->grad[0].at)
		return;
	spread(&c);
	for (int s = 0; s < 2; s++)
		close_side(&c, s, a->grad[s].at, a->stride);
}
