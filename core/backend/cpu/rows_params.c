/* rows_params.c - rows of parameters on the host: updates, spectral norms. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"
#include "base/finite.h"

#include <math.h>
#include <string.h>

void mmi_host_check(const mmi_device *d, mmi_floats x, size_t n, mmi_words broken)
{
	(void)d;
	if (!mmi_finite(x.at, n))
		__atomic_store_n(broken.at, 1, __ATOMIC_RELAXED); /* workers share it */
}

static void average(const mmi_adam_rows *a)
{
	const float *raw = a->raw.at;
	float *ema = a->ema.at;
	for (size_t i = 0; i < a->n; i++)
		ema[i] = a->keep * ema[i] + (1 - a->keep) * raw[i];
}

/* Reddi, Kale and Kumar 2018, as PyTorch's Adam with amsgrad. */
static void amsgrad(const mmi_adam_rows *r)
{
	const mmi_adam *a = &r->adam;
	float *w = r->raw.at, *m = r->m.at, *v = r->v.at, *v_max = r->v_max.at;
	const float step = a->rate / a->correction1, root = 1.0f / sqrtf(a->correction2);
	for (size_t i = 0; i < r->n; i++) {
		const float grad = a->grad_scale * r->grad.at[i] + a->weight_decay * w[i];
		m[i] = a->beta1 * m[i] + (1 - a->beta1) * grad;
		v[i] = a->beta2 * v[i] + (1 - a->beta2) * (grad * grad);
		v_max[i] = v[i] > v_max[i] ? v[i] : v_max[i];
		w[i] -= step * m[i] / (sqrtf(v_max[i]) * root + a->eps);
	}
}

void mmi_host_adam(const mmi_device *d, const mmi_adam_rows *rows)
{
	const mmi_floats made[] = { rows->raw, rows->m, rows->v, rows->ema };
	mmi_adam_rows own = *rows;
	const mmi_adam_rows *a = &own;
	if (a->guard.at && *a->guard.at)
		return;
	if (a->scale.at)
		own.adam.grad_scale = *a->scale.at;
	if (a->v_max.at)
		amsgrad(a);
	else
		d->vec->adam(a->raw.at, a->m.at, a->v.at, a->grad.at, a->n, &a->adam);
	if (a->ema.at)
		average(a);
	/* While they are in the cache. */
	for (size_t i = 0; i < MMI_COUNT(made); i++)
		if (made[i].at)
			mmi_host_check(d, made[i], a->n, a->broken);
}

static void normalise(const mmi_vec *vec, float *x, size_t n)
{
	double norm = sqrt(vec->sum_squares(x, n));
	float factor = (float)(1.0 / (norm > 1e-12 ? norm : 1e-12));
	for (size_t i = 0; i < n; i++)
		x[i] *= factor;
}

/* v = W u, row by row; W is [rows, columns]. */
static void times(const float *w, size_t rows, size_t columns, const float *u, float *v)
{
	for (size_t r = 0; r < rows; r++) {
		float sum = 0;
		for (size_t c = 0; c < columns; c++)
			sum += w[r * columns + c] * u[c];
		v[r] = sum;
	}
}

/* u = W^T v */
static void times_transposed(const float *w, size_t rows, size_t columns, const float *v, float *u)
{
	memset(u, 0, columns * sizeof *u);
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++)
			u[c] += w[r * columns + c] * v[r];
}

/* Power iteration as in Miyato et al. 2018; sigma = u^T (W^T v). */
static float spectral_norm(const mmi_vec *vec, const mmi_spectral *a, int iterations)
{
	const size_t rows = a->rows, columns = a->columns;
	const float *w = a->raw.at;
	float *u = a->u.at, *v = a->v.at;
	for (int i = 0; i < iterations; i++) {
		times(w, rows, columns, u, v);
		normalise(vec, v, rows);
		times_transposed(w, rows, columns, v, u);
		normalise(vec, u, columns);
	}
	double sigma = 0;
	for (size_t r = 0; r < rows; r++) {
		double dot = 0;
		for (size_t c = 0; c < columns; c++)
			dot += (double)w[r * columns + c] * (double)u[c];
		sigma += dot * (double)v[r];
	}
	return (float)(sigma > 1e-12 ? sigma : 1e-12);
}

void mmi_host_spectral(const mmi_device *d, const mmi_spectral *a, int iterations)
{
	const float sigma = *a->sigma.at = spectral_norm(d->vec, a, iterations);
	for (size_t k = 0; k < a->rows * a->columns; k++)
		a->value.at[k] = a->raw.at[k] / sigma;
}

/* value = raw / sigma and sigma = v^T W u with u, v held: d raw = (d value - <d value, value> v u^T) / sigma. */
void mmi_host_spectral_grad(const mmi_device *d, const mmi_spectral *a, mmi_floats grad)
{
	const float *value = a->value.at, *u = a->u.at, *v = a->v.at, sigma = *a->sigma.at;
	float *g = grad.at;
	double dot = 0;
	(void)d;
	for (size_t k = 0; k < a->rows * a->columns; k++)
		dot += (double)g[k] * (double)value[k];
	for (size_t r = 0; r < a->rows; r++)
		for (size_t c = 0; c < a->columns; c++)
			g[r * a->columns + c] = (g[r * a->columns + c] - (float)dot * v[r] * u[c]) / sigma;
}
