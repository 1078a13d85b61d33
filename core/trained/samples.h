/* samples.h - files and a sheet of what a trained model draws. */
#ifndef MMI_SAMPLES_H
#define MMI_SAMPLES_H

#include "trained/chains.h"
#include "trained/gallery.h"
#include "trained/hooks.h"
#include "trained/made.h"

typedef struct mmi_samples_request {
	uint32_t count;
	uint32_t number;         /* another number, other draws; below 65536 */
	mmi_recipe_change steps; /* z is not used */
	const char *out;         /* folder of files and manifest.csv, or NULL */
	const char *grid;        /* sheet, or NULL */
	bool npy;                /* arrays instead of files */
	mmi_made_to made;        /* told of each sample that is written */
	mmi_hooks hooks;
} mmi_samples_request;

/* Samples first to first + n - 1: the first n rows of what the gallery holds. */
typedef mm_status mmi_samples_sink(void *ctx, const mmi_gallery *g, uint32_t first, uint32_t n, mm_error *e);

#define MMI_SAMPLES_ROWS 64u /* what the saved model's sampler must allow */
/* The draws alone, block by block, finite; out is not looked at. With grid the first block has parts for a sheet. */
mm_status mmi_samples_draw(const mmi_saved *s, const mmi_samples_request *r, const mmi_chains *chains,
                           mmi_samples_sink *sink, void *ctx, mm_error *e);
/* OUT/generator/NAME-SAMPLE.SUFFIX and OUT/revised/NAME-SAMPLE.SUFFIX for each modality and sample, and
 * OUT/manifest.csv that tells which is which: columns sample, kind, modality, file, seed, number, candidates,
 * guide_steps, x_steps, text (of modalities whose files are texts). With npy there are arrays instead
 * (trained/arrays.h), in OUT/generator and OUT/revised, with the latents that were decoded. The sheet shows the first
 * 24. */
mm_status mmi_samples_make(const mmi_saved *s, const mmi_samples_request *r, mm_error *e);

#endif
