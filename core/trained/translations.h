/* translations.h - files and a sheet of what a trained model makes of given modalities. */
#ifndef MMI_TRANSLATIONS_H
#define MMI_TRANSLATIONS_H

#include "trained/chains.h"
#include "trained/hooks.h"
#include "trained/inputs.h"
#include "trained/made.h"

typedef struct mmi_translations_request {
	const mmi_inputs *inputs;
	bool want[MMI_MAX_MODALITIES]; /* to be shown and written; what is neither given nor wanted is made, but not kept */
	uint32_t count;                /* draws of each input */
	uint32_t number;               /* another number, other draws; below 65536 */
	int32_t expert;                /* modality whose expert starts z; -1: drawn among the given ones */
	bool mean;                     /* its location instead of a draw */
	mmi_recipe_change steps;
	const char *out;  /* folder of files and manifest.csv, or NULL */
	const char *grid; /* sheet, or NULL */
	bool npy;         /* arrays instead of files */
	mmi_made_to made; /* told of what is written, and of texts without a folder too */
	mmi_hooks hooks;
} mmi_translations_request;

/* Rows first to first + rows - 1 of inputs times draws, draws fastest: x[m] [rows][floats] of all modalities, what was
 * given among them, and the latents they were decoded from. */
typedef mm_status mmi_translations_sink(void *ctx, uint64_t first, uint32_t rows, float *const *x,
                                        const mmi_latents *latents, mm_error *e);

#define MMI_TRANSLATIONS_ROWS 64u /* what the saved model's sampler must allow */
/* The draws alone, block by block, finite; want, out and grid are not looked at. */
mm_status mmi_translations_draw(const mmi_saved *s, const mmi_translations_request *r, const mmi_chains *chains,
                                mmi_translations_sink *sink, void *ctx, mm_error *e);
/* Of the experts' draws, as the settings have it or 0 for the mean. */
double mmi_translations_temperature(const mmi_saved *s, const mmi_translations_request *r);

/* OUT/NAME-INPUT-DRAW.SUFFIX for each wanted modality, input and draw, and OUT/manifest.csv that tells which is which:
 * columns input, name, label, draw, modality, file, given (modalities, a blank between two), seed, number, text (of
 * modalities whose files are texts). Of test tuples, which have no files of their own that a user could name, what was
 * given is written too: OUT/NAME-INPUT-given.SUFFIX, without a draw. With npy there are arrays instead
 * (trained/arrays.h): a row for each input and draw, draws fastest, the latents that were decoded, and of test tuples
 * NAME-given.npy with a row an input. The sheet has a column an input, and rows for what was given, for the data where
 * it is known, and for each draw; the first 24 inputs and 8 draws are shown. */
mm_status mmi_translations_make(const mmi_saved *s, const mmi_translations_request *r, mm_error *e);
/* Refuses what makes no sense: nothing given, nothing wanted, wanted and given, an expert that is not given. Without
 * any wanted modality all that are not given become wanted. */
mm_status mmi_translations_check(const mmi_model *m, mmi_translations_request *r, mm_error *e);

#endif
