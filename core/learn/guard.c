/* guard.c - what stops an update. */
#include "mmi_build.h"

#include "learn/guard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

mm_status mmi_guard_gap(mmi_learner *l, double gap, mm_error *e)
{
	mmi_learner_state *st = &l->state;
	double sorted[MMI_GAPS];
	size_t n = st->n_gaps < MMI_GAPS ? (size_t)st->n_gaps : MMI_GAPS;
	if (!isfinite(gap))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the energy loss is not finite", (long long)st->iteration + 1);
	memcpy(sorted, st->gaps, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_size);
	/* Half a window first: the loss starts at zero and any ratio to that would be large. */
	if (n > MMI_GAPS / 2 && fabs(gap) > l->settings->gap_limit * sorted[n / 2])
		return mmi_fail(e, MM_ENUMERIC,
		                "iteration %lld: the energy loss is %g, more than %g times its running median %g",
		                (long long)st->iteration + 1, gap, l->settings->gap_limit, sorted[n / 2]);
	st->gaps[st->n_gaps++ % MMI_GAPS] = fabs(gap);
	return MM_OK;
}
