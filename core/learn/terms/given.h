/* given.h - data chains of training that start as translations: one modality is the data's and held, the others are
 * what the generator makes of its expert's latent. So the energy learns what is wrong with translations, as it does
 * with samples from the prior. */
#ifndef MMI_GIVEN_H
#define MMI_GIVEN_H

#include "mcmc/sampler.h"

typedef struct mmi_given {
	uint32_t rows;    /* the first of the whole batch that are translated; 0: none, and nothing else is made */
	uint32_t here;    /* how many of them are in the span */
	uint32_t *expert; /* [rows of the span] the modality that is given */
	mmi_latents z;    /* [rows of the span] of its expert */
	uint8_t *held[MMI_MAX_MODALITIES]; /* [rows of the span] 1: given */
} mmi_given;

/* share: of a batch's rows, 0 to 1. Nothing is translated where there is one modality only. */
mm_status mmi_given_create(const mmi_model *m, mmi_span span, double share, mmi_given *g, mm_error *e);
void mmi_given_clear(mmi_given *g);
/* Draws the given modality of each translated row among those observed ([modality][rows]; NULL: all) and its latents z
 * ~ q(z | x_m), w_m likewise, the other w from the prior; they take the rows' places in z. draw: number of the draws.
 */
void mmi_given_start(mmi_given *g, const mmi_model *m, mmi_sampler *s, const mmi_experts *experts,
                     const float *const *observed, mmi_span span, uint32_t draw, uint32_t iteration, mmi_latents *z);
/* What chains hold of each modality's rows; NULL: nothing is translated. */
const uint8_t *const *mmi_given_held(const mmi_given *g);
/* x [modality][rows] of translated rows: what was given is the data's. */
void mmi_given_fill(const mmi_given *g, const mmi_model *m, const float *const *data, float *const *x);

#endif
