/* given.h - data chains of training that start as translations: one modality is the data's and held, the others are
 * what the generator makes of its expert's latent. So the energy learns what is wrong with translations, as it does
 * with samples from the prior. */
#ifndef MMI_GIVEN_H
#define MMI_GIVEN_H

#include "mcmc/runs.h"

typedef struct mmi_given {
	uint32_t rows;        /* the first of the whole batch that are translated; 0: none, and nothing else is made */
	uint32_t here;        /* how many of them are in the span */
	uint32_t *expert;     /* [rows of the span] the modality that is given */
	mmi_device_latents z; /* [rows of the span] of its expert */
	uint8_t *held[MMI_MAX_MODALITIES]; /* [rows of the span] 1: given */
	mmi_mirror marks;                  /* both, and where the device has them */
} mmi_given;

/* share: of a batch's rows, 0 to 1. Nothing is translated where there is one modality only. */
mm_status mmi_given_create(const mmi_model *m, mmi_span span, double share, mmi_given *g, mm_error *e);
void mmi_given_clear(const mmi_model *m, mmi_given *g);
typedef struct mmi_given_batch {
	mmi_span span;
	const float *const *observed; /* [modality][rows] of 1 and 0 */
	mmi_parts there;              /* the same on the device */
	uint32_t draw, iteration;     /* number of the draws */
} mmi_given_batch;
/* Draws the given modality of each translated row among those observed and its latents z
 * ~ q(z | x_m), w_m likewise, the other w from the prior; they take the rows' places in z. */
void mmi_given_start(mmi_given *g, const mmi_model *m, mmi_sampler *s, const mmi_device_experts *experts,
                     const mmi_given_batch *of, const mmi_device_latents *z);
/* What chains hold of each modality's rows: nothing, where nothing is translated. */
mmi_parts mmi_given_parts(const mmi_given *g, const mmi_model *m);
/* x of translated rows: what was given is the data's. */
void mmi_given_fill(const mmi_given *g, const mmi_model *m, const mmi_device_rows *data, const mmi_device_rows *x);

#endif
