/* rows_losses.c - what losses need beside programs, on the host: seeds of their rows, factors of swapped tuples, the
 * prior, weights of draws. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>

void mmi_host_seeds(const mmi_device *d, const mmi_seeds *a)
{
	const float weight = a->weight_at.at ? (float)(*a->weight_at.at / a->weight_of) : a->weight;
	float *at = a->out.at;
	(void)d;
	for (uint32_t first = 0; first < a->rows; first += a->chunk, at += 3 * (size_t)a->chunk)
		for (uint32_t i = 0; i < a->chunk; i++) {
			const float factor = a->factor.at ? a->factor.at[first + i] : 1;
			at[i] = weight * factor;
			at[a->chunk + i] = a->l2_weight * factor;
			at[2 * a->chunk + i] = factor;
		}
}

/* ------------------------------------------------------------ swapped tuples */

/* Of the rows that are not left out; NaN if all are. */
static double mean_of(const float *x, const float *whole, uint32_t rows)
{
	double sum = 0, n = 0;
	for (uint32_t i = 0; i < rows; i++)
		if (!whole || whole[i] > 0) {
			sum += (double)x[i];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

static double standard_deviation(const float *x, const float *whole, uint32_t rows, double mean)
{
	double sum = 0, n = 0;
	for (uint32_t i = 0; i < rows; i++)
		if (!whole || whole[i] > 0) {
			sum += ((double)x[i] - mean) * ((double)x[i] - mean);
			n++;
		}
	return sqrt(sum / n);
}

void mmi_host_swap_factors(const mmi_device *d, const mmi_swap_factors *a)
{
	const float *data = a->data.at, *whole = a->whole.at;
	const double mean = mean_of(data, whole, a->rows),
				 wanted = a->margin * standard_deviation(data, whole, a->rows, mean);
	double right = 0, n = 0;
	(void)d;
	for (uint32_t i = 0; i < a->rows; i++) {
		const float here = whole ? whole[i] : 1;
		const double rise = (double)a->swapped.at[i] - (double)data[i];
		a->of_swapped.at[i] = rise < wanted ? here * (float)a->factor : 0;
		a->of_data.at[i] = here + a->of_swapped.at[i];
		right += here > 0 && rise > 0;
		n += here > 0;
	}
	a->told.at[0] = mean;
	a->told.at[1] = n > 0 ? right / n : NAN;
}

/* ------------------------------------------------------------ the prior */

static double minus_log_prior(const float *x, size_t n, bool laplace)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += laplace ? fabs((double)x[i]) : 0.5 * (double)x[i] * (double)x[i];
	return sum + (double)n * (laplace ? 0.69314718055994531 : 0.91893853320467274);
}

void mmi_host_prior(const mmi_device *d, const mmi_prior_sums *a)
{
	(void)d;
	for (uint32_t c = 0; c < a->chunks; c++)
		a->sums.at[c] += minus_log_prior(a->x.at + c * a->count, a->count, a->laplace);
}

/* ------------------------------------------------------------ draws weighted by importance */

/* log sum_k exp -term of one row. */
static double log_sum(const float *term, uint32_t draws, uint32_t rows)
{
	double most = -INFINITY, sum = 0;
	for (uint32_t k = 0; k < draws; k++)
		most = fmax(most, -(double)term[k * (size_t)rows]);
	for (uint32_t k = 0; k < draws; k++)
		sum += exp(-(double)term[k * (size_t)rows] - most);
	return most + log(sum);
}

/* The shares of one row of an expert; returns what it adds to the bound. */
static double weigh_row(const mmi_weights *a, uint32_t i, uint32_t r)
{
	const size_t first = i * (size_t)a->draws * a->rows + r;
	const float *term = a->term.at + first;
	const double part = (double)a->of[i].at[r], total = part > 0 ? log_sum(term, a->draws, a->rows) : 0;
	for (uint32_t k = 0; k < a->draws; k++) {
		const size_t at = k * (size_t)a->rows;
		a->share.at[first + at] = part > 0 ? (float)(part * exp(-(double)term[at] - total)) : 0;
	}
	return part > 0 ? part * (total - log(a->draws)) : 0;
}

void mmi_host_weights(const mmi_device *d, const mmi_weights *a)
{
	(void)d;
	for (uint32_t c = 0; c < a->rows / a->chunk; c++) {
		a->bound.at[c] = 0;
		for (uint32_t r = c * a->chunk; r < (c + 1) * a->chunk; r++) {
			double bound = 0;
			for (uint32_t i = 0; i < a->n; i++)
				bound -= weigh_row(a, i, r);
			a->bound.at[c] += bound;
		}
	}
}
