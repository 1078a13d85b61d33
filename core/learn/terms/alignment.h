/* alignment.h - experts of one tuple are pulled together, those of different tuples apart.
 *
 * An ELBO's decoders pay an expert for what it tells of pixels, and a modality whose class hardly shows in its pixels
 * says little about it. What modalities share is what tells the tuples of a batch apart in all of them: the symmetric
 * contrastive loss (mmi_contrast of engine/row_ops.h) between the locations of every two experts asks for just that, as
 * contrastive objectives of multimodal generative models do (Shi et al. 2021, "Relating by contrasting"). */
#ifndef MMI_ALIGNMENT_H
#define MMI_ALIGNMENT_H

#include "learn/reduce.h"
#include "mcmc/sampler.h"

typedef struct mmi_alignment {
	uint32_t n, batch;    /* modalities, rows of the whole batch */
	size_t dim, compared; /* floats of z, and of those the leading ones that are compared */
	mmi_device_rows grad; /* [batch][dim]: of the loss to each expert's location */
	mmi_device_rows here; /* the same from the first row here on */
	mmi_doubles room;     /* for the loss to work in */
	mmi_room all;         /* for the locations of all ranks */
} mmi_alignment;

mm_status mmi_alignment_create(const mmi_model *m, const mmi_reduce *r, mmi_alignment *out, mm_error *e);
void mmi_alignment_clear(const mmi_model *m, mmi_alignment *a);
/* Fills grad and told from locations [modality][rows][dim] of the whole batch, with the mean over pairs of modalities.
 * there: [modality][rows] of 1 and 0; NULL: all. Rows in which a modality of a pair is missing are neither examples nor
 * alternatives. told: [2], the loss and how many pairs it is of. Allocates nothing. */
void mmi_alignment_make(mmi_alignment *a, const mmi_device *d, const mmi_floats *loc, const mmi_floats *there,
                        uint32_t rows, double temperature, mmi_doubles told);
/* No gradient: before it starts. */
void mmi_alignment_none(mmi_alignment *a, const mmi_device *d, uint32_t rows);
/* Of what was told: NaN when no pair has two rows. */
double mmi_alignment_loss(const double told[2]);

#endif
