/* ablate_job.h - what the files of an ablation share. */
#ifndef MMI_ABLATE_JOB_H
#define MMI_ABLATE_JOB_H

#include "ablate/ablate.h"

/* Whether run i is of the part that is trained here. */
static inline bool mmi_ablation_mine(const mmi_ablation *a, size_t i)
{
	const mmi_ablation_request *r = a->request;
	return r->parts < 2 || i % r->parts == r->part;
}
/* The settings of run i, opened; if it is to be resumed, with what its plugins had learned. */
mm_status mmi_ablation_open_run(const mmi_ablation *a, size_t i, const mmi_log *log, mmi_setup *out, mm_error *e);
/* Files of run i; mmi_free, NULL when out of memory. figures.csv says by its presence that training is over,
 * figures-eval.csv holds what the assessor found. */
char *mmi_ablation_file(const mmi_ablation *a, size_t i, const char *name);
#define MMI_ABLATION_FIGURES "figures.csv"
#define MMI_ABLATION_ASSESSED "figures-eval.csv"
/* Reads what is there of both: the run's figures, and how far it is (its state is left alone unless it is finished). */
mm_status mmi_ablation_read(mmi_ablation *a, size_t i, mm_error *e);

#endif
