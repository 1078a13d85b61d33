/* ranking.h - the loss that teaches E_match: which of the batch's samples of a modality belongs to the rest of a tuple.
 *
 * Ranking noise-contrastive estimation (Gutmann and Hyvaerinen 2010; Ma and Collins 2018), the alternatives being the
 * other samples of the batch: they are draws of the modality's own distribution, so that at the optimum -E_match is, up
 * to what the rest alone decides, the pointwise mutual information of the two. With two modalities it is the symmetric
 * contrastive loss. Both are in engine/row_ops.h: mmi_rank has the formula. */
#ifndef MMI_RANKING_H
#define MMI_RANKING_H

#include "model/device_rows.h"

typedef struct mmi_ranking {
	uint32_t n;           /* modalities */
	size_t d;             /* floats of a unit vector */
	mmi_device_rows grad; /* [rows][d]: of the loss to each unit vector */
	mmi_doubles room;     /* for the loss to work in */
} mmi_ranking;

/* For up to so many rows of the model's modalities. */
mm_status mmi_ranking_create(const mmi_model *m, uint32_t rows, size_t d, mmi_ranking *out, mm_error *e);
void mmi_ranking_clear(const mmi_model *m, mmi_ranking *r);
/* unit [modality][rows][d]; there [modality][rows] of 1 and 0, NULL: all; scale log(1 / tau), a number. Fills grad and
 * told [MMI_RANK_TOLD]. Allocates nothing. */
void mmi_ranking_make(mmi_ranking *r, const mmi_device *d, const mmi_floats *unit, const mmi_floats *there,
                      uint32_t rows, mmi_floats scale, mmi_doubles told);

#endif
