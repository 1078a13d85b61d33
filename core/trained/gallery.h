/* gallery.h - sample sheets: rows labelled data, translation, generator, the data chain alone and guided latents alone
 * where there are both, and by what moved the last, for each modality. */
#ifndef MMI_GALLERY_H
#define MMI_GALLERY_H

#include "data/tuples.h"
#include "mcmc/generate.h"

typedef struct mmi_gallery mmi_gallery;

/* `data` (may be NULL) lends its first `columns` tuples, read now: pick them at random, since data are often sorted.
 * Rows shown depend on what is there: without data only generator and moved samples. The sampler must allow columns
 * rounded up to whole chunks. */
mm_status mmi_gallery_create(const mmi_model *model, mmi_sampler *sampler, mmi_tuples *data, uint32_t columns,
                             mmi_gallery **out, mm_error *e);
void mmi_gallery_destroy(mmi_gallery *g);
/* Translates the data, if there is any, and draws new samples with the noise of `number`; `chains` move the revised.
 * parts: what the data chain alone and the guide alone make of them as well, for a sheet. */
void mmi_gallery_sample(mmi_gallery *g, const mmi_chains *chains, uint32_t number, bool parts);
/* Writes the sheet of the first `columns` samples. MM_EUNSUPPORTED: no modality can be shown. MM_ENUMERIC: they are
 * not finite. */
mm_status mmi_gallery_write(const mmi_gallery *g, uint32_t columns, const char *title, const char *path, mm_error *e);
/* The last samples, [modality][row][floats]. */
float *const *mmi_gallery_generated(const mmi_gallery *g);
float *const *mmi_gallery_revised(const mmi_gallery *g);
/* What the generated ones were decoded from; and what the revised ones were, before the data chain
 * (mmi_generate_parts).
 */
const mmi_latents *mmi_gallery_prior(const mmi_gallery *g);
const mmi_latents *mmi_gallery_latents(const mmi_gallery *g);

#endif
