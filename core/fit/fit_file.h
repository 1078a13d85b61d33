/* fit_file.h - a prior fitted to the model in a checkpoint, and put there. */
#ifndef MMI_FIT_FILE_H
#define MMI_FIT_FILE_H

#include "fit/fit_prior.h"

typedef struct mmi_fit_reports {
	mmi_fit_report of[MMI_MAX_MODALITIES + 1];
	uint32_t n;
} mmi_fit_reports;

/* Fits to the training split of a checkpoint's model, opened as the request says, and writes all that the checkpoint
 * holds with the new prior into `path`, which may be its own; a prior that it had is replaced. */
mm_status mmi_fit_file(const char *checkpoint, const mmi_setup_request *request, const mmi_fit_request *r,
                       const mmi_fit_hooks *hooks, const char *path, mmi_fit_reports *out, mm_error *e);
/* What a report says, as a line: "z: 50 of 50 components, ..."; text [MM_ERROR_TEXT]. Returns text. */
const char *mmi_fit_text(const mmi_fit_request *r, const mmi_fit_report *report, char text[MM_ERROR_TEXT]);

/* After a run has ended: fits `components` to the checkpoint that stands for it, unless that one has a prior. The
 * request names plugins as the run's did, and the log, which is told what was found or what went wrong: the run is
 * finished all the same, and mmcore fit-prior tries again. */
void mmi_fit_end(const char *run, const mmi_setup_request *request, uint32_t components, const mmi_fit_hooks *hooks);

#endif
