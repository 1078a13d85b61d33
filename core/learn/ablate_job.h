/* ablate_job.h - what the files of an ablation share. */
#ifndef MMI_ABLATE_JOB_H
#define MMI_ABLATE_JOB_H

#include "learn/ablate.h"

/* The settings of run i, opened. */
mm_status mmi_ablation_open_run(const mmi_ablation *a, size_t i, const mmi_log *log, mmi_setup *out, mm_error *e);
/* RUN/figures.csv, whose presence says that run i is finished; mmi_free, NULL when out of memory. */
char *mmi_ablation_figures_file(const mmi_ablation *a, size_t i);

#endif
