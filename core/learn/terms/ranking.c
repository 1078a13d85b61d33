/* ranking.c - the ranking loss and its gradient. */
#include "mmi_build.h"

#include "learn/terms/ranking.h"

#include <math.h>
#include <string.h>

mm_status mmi_ranking_create(uint32_t n, uint32_t rows, uint32_t d, mmi_ranking *out, mm_error *e)
{
	mmi_ranking r = { .n = n, .rows = rows, .d = d };
	const size_t floats = (size_t)rows * d;
	bool ok = (r.context = mmi_alloc(floats, sizeof(double))) && (r.context_grad = mmi_alloc(floats, sizeof(double)));
	ok = ok && (r.total = mmi_alloc(n * floats, sizeof(double)));
	ok = ok && (r.logit = mmi_alloc(rows, sizeof(double))) && (r.kept = mmi_alloc(rows, sizeof *r.kept));
	for (uint32_t m = 0; m < n; m++)
		ok = ok && (r.grad[m] = mmi_alloc(floats, sizeof(float)));
	if (!ok) {
		mmi_ranking_clear(&r);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a ranking of %u tuples", rows);
	}
	*out = r;
	return MM_OK;
}

void mmi_ranking_clear(mmi_ranking *r)
{
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_free(r->grad[m]);
	mmi_free(r->context);
	mmi_free(r->context_grad);
	mmi_free(r->total);
	mmi_free(r->logit);
	mmi_free(r->kept);
	*r = (mmi_ranking){ .n = 0 };
}

typedef struct ranked { /* the rows of one call */
	const float *const *unit;
	const float *const *observed;
	uint32_t rows;
	double tau_inverse;
} ranked;

static bool has(const ranked *x, uint32_t m, uint32_t row)
{
	return !x->observed || x->observed[m][row] > 0;
}

/* c_im of a row into `out`; false where the row has no other modality. */
static bool context_of(const mmi_ranking *r, const ranked *x, uint32_t m, uint32_t row, double *out)
{
	bool any = false;
	memset(out, 0, r->d * sizeof *out);
	for (uint32_t n = 0; n < r->n; n++) {
		if (n == m || !has(x, n, row))
			continue;
		any = true;
		for (uint32_t k = 0; k < r->d; k++)
			out[k] += (double)x->unit[n][(size_t)row * r->d + k];
	}
	return any;
}

/* The rows that have modality m, and how many of them have another as well. */
static uint32_t keep(mmi_ranking *r, const ranked *x, uint32_t m, uint32_t *counted)
{
	uint32_t kept = 0;
	*counted = 0;
	for (uint32_t i = 0; i < x->rows; i++) {
		if (!has(x, m, i))
			continue;
		r->kept[kept++] = i;
		*counted += context_of(r, x, m, i, r->context);
	}
	return kept;
}

static double dot(const double *a, const float *b, uint32_t d)
{
	double sum = 0;
	for (uint32_t k = 0; k < d; k++)
		sum += a[k] * (double)b[k];
	return sum;
}

/* L_im of row r->kept[own] and its gradients, times weight. */
static void rank_row(mmi_ranking *r, const ranked *x, uint32_t m, uint32_t own, uint32_t kept, double weight)
{
	const uint32_t d = r->d;
	const size_t row = r->kept[own];
	double *context = r->context + row * d, *context_grad = r->context_grad + row * d, most = -INFINITY, sum = 0;
	bool first = true;
	for (uint32_t j = 0; j < kept; j++) {
		r->logit[j] = x->tau_inverse * dot(context, x->unit[m] + r->kept[j] * (size_t)d, d);
		most = fmax(most, r->logit[j]);
	}
	for (uint32_t j = 0; j < kept; j++) {
		sum += exp(r->logit[j] - most);
		first = first && (j == own || r->logit[j] < r->logit[own]);
	}
	r->loss += weight * (most + log(sum) - r->logit[own]);
	r->first += first ? weight : 0;
	memset(context_grad, 0, d * sizeof *context_grad);
	for (uint32_t j = 0; j < kept; j++) {
		const double g = weight * (exp(r->logit[j] - most) / sum - (j == own));
		const float *u = x->unit[m] + r->kept[j] * (size_t)d;
		double *to = r->total + ((size_t)m * r->rows + r->kept[j]) * d;
		r->scale_grad += g * r->logit[j];
		for (uint32_t k = 0; k < d; k++) {
			to[k] += g * x->tau_inverse * context[k];
			context_grad[k] += g * x->tau_inverse * (double)u[k];
		}
	}
	for (uint32_t n = 0; n < r->n; n++)
		for (uint32_t k = 0; k < d && n != m && has(x, n, (uint32_t)row); k++)
			r->total[((size_t)n * r->rows + row) * d + k] += context_grad[k];
}

void mmi_ranking_make(mmi_ranking *r, const float *const *unit, const float *const *observed, uint32_t rows,
                      double scale)
{
	const ranked x = { unit, observed, rows, exp(scale) };
	uint32_t counted[MMI_MAX_MODALITIES], all = 0;
	r->loss = r->scale_grad = r->first = 0;
	memset(r->total, 0, (size_t)r->n * r->rows * r->d * sizeof *r->total);
	for (uint32_t m = 0; m < r->n; m++)
		all += keep(r, &x, m, &counted[m]) > 1 ? counted[m] : 0;
	for (uint32_t m = 0; m < r->n && all; m++) {
		const uint32_t kept = keep(r, &x, m, &counted[m]);
		for (uint32_t own = 0; kept > 1 && own < kept; own++)
			if (context_of(r, &x, m, r->kept[own], r->context + r->kept[own] * (size_t)r->d))
				rank_row(r, &x, m, own, kept, 1.0 / all);
	}
	for (uint32_t m = 0; m < r->n; m++)
		for (size_t k = 0; k < (size_t)rows * r->d; k++)
			r->grad[m][k] = (float)r->total[(size_t)m * r->rows * r->d + k];
	if (!all)
		r->loss = r->first = NAN;
}
