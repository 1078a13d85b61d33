/* rows_guard.c - what stops an update, on the host. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool all_finite(mmi_doubles x, uint32_t n)
{
	bool finite = true;
	for (uint32_t i = 0; i < n; i++)
		finite = finite && isfinite(x.at[i]);
	return finite;
}

void mmi_host_guard(const mmi_device *d, const mmi_guard *a)
{
	uint32_t blamed = 0;
	(void)d;
	if (*a->word.at || (all_finite(a->x, a->n) && !(a->broken.at && *a->broken.at)))
		return;
	while (blamed + 1 < a->n_blame && isfinite(a->blame.at[blamed]))
		blamed++;
	*a->word.at = a->mark + blamed;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

void mmi_host_gap(const mmi_device *d, const mmi_gap *a)
{
	const double gap = *a->data.at / a->of_data - *a->revised.at / a->of_revised;
	const size_t n = a->written < MMI_GAPS ? (size_t)a->written : MMI_GAPS;
	double sorted[MMI_GAPS] = { 0 };
	(void)d;
	memcpy(sorted, a->ring.at, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_size);
	a->told.at[0] = gap;
	a->told.at[1] = sorted[n / 2];
	/* Half a window first: the loss starts at zero and any ratio to that would be large. */
	if (isfinite(gap) && !(n > MMI_GAPS / 2 && fabs(gap) > a->limit * sorted[n / 2]))
		a->ring.at[a->written % MMI_GAPS] = fabs(gap);
	else if (!*a->word.at)
		*a->word.at = a->mark;
}

void mmi_host_norm(const mmi_device *d, const mmi_norm *a)
{
	double sum = 0;
	(void)d;
	for (uint32_t i = 0; i < a->n; i++)
		sum += a->squares.at[i];
	const double norm = *a->norm.at = sqrt(sum);
	*a->scale.at = a->clip > 0 && norm > a->clip ? (float)(a->clip / norm) : 1.0f;
}
