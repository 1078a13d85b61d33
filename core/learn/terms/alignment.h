/* alignment.h - experts of one tuple are pulled together, those of different tuples apart.
 *
 * An ELBO's decoders pay an expert for what it tells of pixels, and a modality whose class hardly shows in its pixels
 * says little about it. What modalities share is what tells the tuples of a batch apart in all of them: the symmetric
 * contrastive loss (contrast.h) between the locations of every two experts asks for just that, as contrastive
 * objectives of multimodal generative models do (Shi et al. 2021, "Relating by contrasting"). */
#ifndef MMI_ALIGNMENT_H
#define MMI_ALIGNMENT_H

#include "learn/reduce.h"
#include "learn/terms/contrast.h"
#include "mcmc/sampler.h"

typedef struct mmi_alignment {
	mmi_contrast contrast;
	uint32_t n, batch;               /* modalities, rows of the whole batch */
	size_t dim, compared;            /* floats of z, and of those the leading ones that are compared */
	float *grad[MMI_MAX_MODALITIES]; /* [batch][dim]: of the loss to each expert's location */
	float *rows[2], *row_grad[2];    /* [batch][compared]: those of a pair that are both there */
	uint32_t *kept;                  /* [batch]: which they are */
	mmi_room room;                   /* for the locations of all ranks */
	mmi_device_rows device, here;    /* room for the gradients of the rows here; where the device has them */
	double loss;                     /* mean over pairs of modalities; NaN when no pair has two rows */
} mmi_alignment;

mm_status mmi_alignment_create(const mmi_model *m, const mmi_reduce *r, mmi_alignment *out, mm_error *e);
void mmi_alignment_clear(const mmi_model *m, mmi_alignment *a);
/* Fills grad and loss from locations [modality][rows][dim] of the whole batch. observed: [modality][rows] of 1 and 0;
 * NULL: all. Rows in which a modality of a pair is missing are neither examples nor alternatives. Allocates nothing. */
void mmi_alignment_make(mmi_alignment *a, const float *const *loc, const float *const *observed, uint32_t rows,
                        double temperature);

/* No gradient, no loss: before it starts. */
void mmi_alignment_none(mmi_alignment *a, uint32_t rows);

#endif
