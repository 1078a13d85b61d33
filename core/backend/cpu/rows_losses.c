/* rows_losses.c - what losses need beside programs, on the host: seeds of their rows, and factors of swapped tuples. */
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
