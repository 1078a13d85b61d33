/* samples.h - files and a sheet of what a trained model draws. */
#ifndef MMI_SAMPLES_H
#define MMI_SAMPLES_H

#include "trained/chains.h"

typedef struct mmi_samples_request {
	uint32_t count;
	uint32_t number;         /* another number, other draws; below 65536 */
	mmi_recipe_change steps; /* z is not used */
	const char *out;         /* folder of files and manifest.csv, or NULL */
	const char *grid;        /* sheet, or NULL */
	bool (*stop)(void *ctx); /* asked between blocks; may be NULL */
	void *ctx;
} mmi_samples_request;

/* OUT/generator/NAME-SAMPLE.SUFFIX and OUT/revised/NAME-SAMPLE.SUFFIX for each modality and sample, and
 * OUT/manifest.csv that tells which is which: columns sample, kind, modality, file, seed, number, candidates,
 * guide_steps, x_steps. The sheet shows the first 24. s must allow MMI_SAMPLES_ROWS rows. */
#define MMI_SAMPLES_ROWS 64u
mm_status mmi_samples_make(mmi_saved *s, const mmi_samples_request *r, mm_error *e);

#endif
