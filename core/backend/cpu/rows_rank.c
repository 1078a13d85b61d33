/* rows_rank.c - the ranking loss and its gradient on the host. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>
#include <string.h>

typedef struct ranking { /* of one call; the arrays are in the room */
	const mmi_rank *a;
	double tau_inverse;
	double *context, *context_grad; /* [rows][dim]: the sum of the other modalities' vectors */
	double *total;                  /* [modality][rows][dim]: gradients before they are rounded */
	double *logit;                  /* [rows] */
	uint32_t *kept;                 /* [rows]: those that have the modality */
	double loss, first, scale_grad;
} ranking;

static ranking lay_out(const mmi_rank *a)
{
	const size_t floats = a->rows * a->dim;
	ranking r = { .a = a, .tau_inverse = exp((double)*a->scale.at) };
	r.context = a->room.at;
	r.context_grad = r.context + floats;
	r.total = r.context_grad + floats;
	r.logit = r.total + a->n * floats;
	r.kept = (uint32_t *)(r.logit + a->rows);
	return r;
}

static bool has(const mmi_rank *a, uint32_t m, uint32_t row)
{
	return !a->has[m].at || a->has[m].at[row] > 0;
}

/* c_im of a row into `out`; false where the row has no other modality. */
static bool context_of(const mmi_rank *a, uint32_t m, uint32_t row, double *out)
{
	bool any = false;
	memset(out, 0, a->dim * sizeof *out);
	for (uint32_t n = 0; n < a->n; n++) {
		if (n == m || !has(a, n, row))
			continue;
		any = true;
		for (size_t k = 0; k < a->dim; k++)
			out[k] += (double)a->unit[n].at[row * a->dim + k];
	}
	return any;
}

/* The rows that have modality m, and how many of them have another as well. */
static uint32_t keep(const ranking *r, uint32_t m, uint32_t *counted)
{
	uint32_t kept = 0;
	*counted = 0;
	for (uint32_t i = 0; i < r->a->rows; i++) {
		if (!has(r->a, m, i))
			continue;
		r->kept[kept++] = i;
		*counted += context_of(r->a, m, i, r->context);
	}
	return kept;
}

static double dot(const double *a, const float *b, size_t d)
{
	double sum = 0;
	for (size_t k = 0; k < d; k++)
		sum += a[k] * (double)b[k];
	return sum;
}

/* L_im of row r->kept[own] and its gradients, times weight. */
static void rank_row(ranking *r, uint32_t m, uint32_t own, uint32_t kept, double weight)
{
	const size_t d = r->a->dim, rows = r->a->rows, row = r->kept[own];
	const float *unit = r->a->unit[m].at;
	double *context = r->context + row * d, *context_grad = r->context_grad + row * d, most = -INFINITY, sum = 0;
	bool first = true;
	for (uint32_t j = 0; j < kept; j++) {
		r->logit[j] = r->tau_inverse * dot(context, unit + r->kept[j] * d, d);
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
		const float *u = unit + r->kept[j] * d;
		double *to = r->total + (m * rows + r->kept[j]) * d;
		r->scale_grad += g * r->logit[j];
		for (size_t k = 0; k < d; k++) {
			to[k] += g * r->tau_inverse * context[k];
			context_grad[k] += g * r->tau_inverse * (double)u[k];
		}
	}
	for (uint32_t n = 0; n < r->a->n; n++)
		for (size_t k = 0; k < d && n != m && has(r->a, n, (uint32_t)row); k++)
			r->total[(n * rows + row) * d + k] += context_grad[k];
}

static void rank_modality(ranking *r, uint32_t m, double weight)
{
	uint32_t counted;
	const uint32_t kept = keep(r, m, &counted);
	for (uint32_t own = 0; kept > 1 && own < kept; own++)
		if (context_of(r->a, m, r->kept[own], r->context + r->kept[own] * r->a->dim))
			rank_row(r, m, own, kept, weight);
}

void mmi_host_rank(const mmi_device *d, const mmi_rank *a)
{
	const size_t floats = a->rows * a->dim;
	ranking r = lay_out(a);
	uint32_t counted, all = 0;
	(void)d;
	memset(r.total, 0, a->n * floats * sizeof *r.total);
	for (uint32_t m = 0; m < a->n; m++)
		all += keep(&r, m, &counted) > 1 ? counted : 0;
	for (uint32_t m = 0; m < a->n && all; m++)
		rank_modality(&r, m, 1.0 / all);
	for (uint32_t m = 0; m < a->n; m++)
		for (size_t k = 0; k < floats; k++)
			a->grad[m].at[k] = (float)r.total[m * floats + k];
	a->told.at[MMI_RANK_LOSS] = all ? r.loss : NAN;
	a->told.at[MMI_RANK_FIRST] = all ? r.first : NAN;
	a->told.at[MMI_RANK_SCALE_GRAD] = r.scale_grad;
	a->told.at[MMI_RANK_SCALE] = (double)*a->scale.at;
}
