/* ranking.h - the loss that teaches E_match: which of the batch's samples of a modality belongs to the rest of a tuple.
 *
 * Ranking noise-contrastive estimation (Gutmann and Hyvaerinen 2010; Ma and Collins 2018), the alternatives being the
 * other samples of the batch: they are draws of the modality's own distribution, so that at the optimum -E_match is, up
 * to what the rest alone decides, the pointwise mutual information of the two. With two modalities it is the symmetric
 * contrastive loss of contrast.h. */
#ifndef MMI_RANKING_H
#define MMI_RANKING_H

#include "model/model.h"

typedef struct mmi_ranking {
	uint32_t n, rows, d;             /* modalities, most rows, floats of a unit vector */
	float *grad[MMI_MAX_MODALITIES]; /* [rows][d]: of the loss to each unit vector */
	double scale_grad;               /* of the loss to log(1 / tau) */
	double loss;                     /* mean over tuples and modalities; NaN where there is nothing to rank */
	double first;                    /* share of them in which the tuple's own sample stands before all others */
	double *context, *context_grad;  /* [rows][d]: the sum of the other modalities' vectors */
	double *total;                   /* [rows][d]: grad of one modality, before it is rounded */
	double *logit;                   /* [rows] */
	uint32_t *kept;                  /* [rows]: those that have the modality */
} mmi_ranking;

mm_status mmi_ranking_create(uint32_t n, uint32_t rows, uint32_t d, mmi_ranking *out, mm_error *e);
void mmi_ranking_clear(mmi_ranking *r);
/* For tuple i and modality m, with j over the tuples that have m and c_im = sum of u_n of tuple i over its other
 * modalities n:
 *   s_ij = u_m of tuple j . c_im / tau,   L_im = log sum_j exp s_ij - s_ii
 * The loss is the mean over all i, m that have modality m, another one, and an alternative. unit [modality][rows][d];
 * observed [modality][rows] of 1 and 0, NULL: all; scale log(1 / tau). Fills grad, scale_grad, loss and first; all
 * sums are in double and in one order. Allocates nothing. */
void mmi_ranking_make(mmi_ranking *r, const float *const *unit, const float *const *observed, uint32_t rows,
                      double scale);

#endif
