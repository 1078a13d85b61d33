/* page.h - runs as one HTML file that needs no network: settings, curves, sheets, figures, chains, cost, versions. */
#ifndef MMI_PAGE_H
#define MMI_PAGE_H

#include "base/base.h"

#define MMI_PAGE_RUNS 8 /* side by side, at most: more colours cannot be told apart */
#define MMI_PAGE_NAME "report.html"

/* Reads n run folders, 1 to MMI_PAGE_RUNS, and replaces `path` with the page (atomically). Pictures go into the file,
 * as many as a budget of bytes holds; the page says what was left out. MM_ECONFIG where a folder is none of a run. */
mm_status mmi_page_write(const char *const *runs, size_t n, const char *path, const mmi_log *log, mm_error *e);
/* The page of one run in its own folder, RUN/report.html. What went wrong is a warning in the log: the page is made
 * after work that matters more. */
void mmi_page_of_run(const char *run, const mmi_log *log);
/* The same for the run that `folder` is, or lies in; nothing where it is neither. */
void mmi_page_around(const char *folder, const mmi_log *log);

#endif
