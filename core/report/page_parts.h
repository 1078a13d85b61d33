/* page_parts.h - the parts of a page; each writes its section, or nothing where the runs have nothing to show. */
#ifndef MMI_PAGE_PARTS_H
#define MMI_PAGE_PARTS_H

#include "report/run_files.h"

#include <stdio.h>

typedef struct mmi_page {
	FILE *out;
	const mmi_run_files *run;
	size_t n; /* runs */
	const mmi_log *log;
} mmi_page;

mm_status mmi_page_summary(const mmi_page *p, mm_error *e);  /* what each run is, its length, cost and build */
mm_status mmi_page_settings(const mmi_page *p, mm_error *e); /* those that differ from defaults or between runs */
mm_status mmi_page_curves(const mmi_page *p, mm_error *e);   /* every column of the metrics */
mm_status mmi_page_figures(const mmi_page *p, mm_error *e);  /* evaluations, with their spread */
mm_status mmi_page_sheets(const mmi_page *p, mm_error *e);   /* samples while the runs went on */
mm_status mmi_page_pictures(const mmi_page *p, mm_error *e); /* chains, translations and whatever else was drawn */

/* <h2>, and a table's head with a column a run where there are several. */
void mmi_page_heading(const mmi_page *p, const char *id, const char *text);
void mmi_page_table(const mmi_page *p, const char *first);
void mmi_page_cell(const mmi_page *p, const char *tag, const char *text);

#endif
