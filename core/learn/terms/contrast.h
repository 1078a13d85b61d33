/* contrast.h - the symmetric contrastive loss of two sets of embeddings and its gradient (InfoNCE, van den Oord et al.
 * 2018; symmetric as in CLIP, Radford et al. 2021). */
#ifndef MMI_CONTRAST_H
#define MMI_CONTRAST_H

#include "base/base.h"

typedef struct mmi_contrast { /* buffers, made once; all in double */
	uint32_t rows, d;
	double *unit[2], *unit_grad[2]; /* [rows][d] */
	double *length[2];              /* [rows] */
	double *similarity, *grad;      /* [rows][rows] */
} mmi_contrast;

/* For up to `rows` rows of `d` numbers. */
mm_status mmi_contrast_create(uint32_t rows, uint32_t d, mmi_contrast *out, mm_error *e);
void mmi_contrast_clear(mmi_contrast *c);
/* With u_i = a_i / |a_i|, v_j = b_j / |b_j| and s_ij = u_i . v_j / temperature, for i, j = 0..rows-1:
 *   L = 1/2 mean_i [ log sum_j exp s_ij - s_ii ] + 1/2 mean_j [ log sum_i exp s_ij - s_jj ]
 * Returns L and adds `weight` times its gradient to da and db (both may be NULL), all [rows][d]. */
double mmi_contrast_loss(mmi_contrast *c, const float *a, const float *b, uint32_t rows, double temperature,
                         double weight, float *da, float *db);

/* x / |x| for each row, in place; a row of zeros stays. */
void mmi_contrast_normalise(float *x, size_t rows, uint32_t d);

#endif
