/* figures.h - what a finished run is judged by: numbers with names. mmi_figures_of_run is the one place they come from.
 */
#ifndef MMI_FIGURES_H
#define MMI_FIGURES_H

#include "base/base.h"

#define MMI_FIGURE_NAME 160

typedef struct mmi_figure {
	char name[MMI_FIGURE_NAME];
	double value;
} mmi_figure;

typedef struct mmi_figures {
	mmi_figure *item;
	size_t n;
} mmi_figures;

/* From the run folder's metrics: "iterations" and "seconds" of training, "window" as given, and of every other column
 * its mean NAME and its standard deviation NAME_sd over the last rows: those of the last share `window` (above 0, up to
 * 1) of the iterations. Columns without a number there have no figure. */
mm_status mmi_figures_of_run(const char *folder, double window, mmi_figures *out, mm_error *e);
/* As a CSV file of two columns, name and value. */
mm_status mmi_figures_write(const mmi_figures *f, const char *path, mm_error *e);
mm_status mmi_figures_read(const char *path, mmi_figures *out, mm_error *e);
void mmi_figures_clear(mmi_figures *f);
/* NaN when there is none of that name. */
double mmi_figures_get(const mmi_figures *f, const char *name);
mm_status mmi_figures_add(mmi_figures *f, const char *name, double value, mm_error *e);
mm_status mmi_figures_append(mmi_figures *f, const mmi_figures *more, mm_error *e);
/* Whether f has every one of the wanted figures, with the same value. */
bool mmi_figures_match(const mmi_figures *f, const mmi_figures *wanted);

#endif
