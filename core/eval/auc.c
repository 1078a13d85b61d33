/* auc.c - area under the ROC curve by ranks. */
#include "mmi_build.h"

#include "eval/auc.h"

#include <math.h>
#include <stdlib.h>

typedef struct mmi_score {
	float value;
	bool high;
} mmi_score;

static int by_value(const void *a, const void *b)
{
	float x = ((const mmi_score *)a)->value, y = ((const mmi_score *)b)->value;
	return (x > y) - (x < y);
}

/* Pairs (low, high) with low < high, those that are equal counted half. */
static double pairs_won(const mmi_score *s, size_t n)
{
	double won = 0, below = 0; /* below: low scores under the present value */
	for (size_t i = 0, end; i < n; i = end) {
		double low = 0, high = 0;
		for (end = i; end < n && s[end].value <= s[i].value; end++) {
			high += s[end].high;
			low += !s[end].high;
		}
		won += high * (below + 0.5 * low);
		below += low;
	}
	return won;
}

mm_status mmi_auc(const float *low, size_t n_low, const float *high, size_t n_high, double *out, mm_error *e)
{
	if (!n_low || !n_high)
		return mmi_fail(e, MM_EARG, "a ROC curve of %zu against %zu scores; expected at least one on either side",
		                n_low, n_high);
	for (size_t i = 0; i < n_low + n_high; i++)
		if (!isfinite(i < n_low ? low[i] : high[i - n_low]))
			return mmi_fail(e, MM_ENUMERIC, "a ROC curve of scores, one of which is not a finite number");
	mmi_score *s = mmi_alloc(n_low + n_high, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu scores", n_low + n_high);
	for (size_t i = 0; i < n_low; i++)
		s[i] = (mmi_score){ low[i], false };
	for (size_t i = 0; i < n_high; i++)
		s[n_low + i] = (mmi_score){ high[i], true };
	qsort(s, n_low + n_high, sizeof *s, by_value);
	*out = pairs_won(s, n_low + n_high) / ((double)n_low * (double)n_high);
	mmi_free(s);
	return MM_OK;
}
