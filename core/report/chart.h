/* chart.h - lines over the iterations as inline SVG, with their values for the page's script to show. */
#ifndef MMI_CHART_H
#define MMI_CHART_H

#include "base/base.h"

#include <stdio.h>

#define MMI_CHART_LINES 32   /* of one chart, at most */
#define MMI_CHART_POINTS 360 /* of one line, at most: more would not be seen */

typedef struct mmi_chart_line {
	const char *name;
	const double *x, *y; /* n each; y NaN where there is no value */
	size_t n;
	int colour; /* a number of the page's palette */
	int dash;   /* 0: a whole line */
} mmi_chart_line;

/* Positive values whose range is wide get a logarithmic axis, which the chart says. Of a line with many points each
 * stretch shows its smallest and its largest, so that a spike is never lost. A chart whose values are
 * none or all zero writes nothing. */
void mmi_chart_write(FILE *out, const char *title, const mmi_chart_line *lines, size_t n);

#endif
