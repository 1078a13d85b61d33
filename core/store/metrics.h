/* metrics.h - a CSV file of named columns, one row an interval, that survives being killed and resumed.
 *
 * The first column is the iteration, an integer. Each row is one write, so a reader never sees half of one unless the
 * machine itself stops; a row that did not fit on the disk is taken back, and written with the next one. */
#ifndef MMI_METRICS_H
#define MMI_METRICS_H

#include "base/base.h"

typedef struct mmi_metrics mmi_metrics;

/* A new file with its header; columns[0] is the iteration. Refused when the file exists. */
mm_status mmi_metrics_create(const char *path, const char *const *columns, size_t n, mmi_metrics **out, mm_error *e);
/* An existing file, cut back to the rows with iteration <= `iteration`; its columns must be these. Missing: created. */
mm_status mmi_metrics_resume(const char *path, const char *const *columns, size_t n, uint64_t iteration,
                             mmi_metrics **out, mm_error *e);
void mmi_metrics_close(mmi_metrics *m);
/* Sets a cell of the row in progress; a cell that was not set stays empty. Column 0 is set by append. */
void mmi_metrics_number(mmi_metrics *m, size_t column, double value);
void mmi_metrics_integer(mmi_metrics *m, size_t column, int64_t value);
void mmi_metrics_text(mmi_metrics *m, size_t column, const char *text); /* cut at 255 bytes */
/* A cell of the last row that the file had when it was opened to go on, with numbers before it; false: there is none.
 */
bool mmi_metrics_last(const mmi_metrics *m, size_t column, char *text, size_t size);
/* Writes the row and starts the next one. A row that could not be written waits in memory for the next append, or for
 * close. */
mm_status mmi_metrics_append(mmi_metrics *m, uint64_t iteration, mm_error *e);

#endif
