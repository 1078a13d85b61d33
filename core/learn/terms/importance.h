/* importance.h - several draws of each expert, weighted by importance: the bound of IWAE (Burda et al. 2016) as MMVAE
 * has it ("looser", Shi et al. 2019), with K draws of each of the observed experts O,
 *
 *   -(1/|O|) sum_e log (1/K) sum_k exp lw_ek
 *   lw_ek = sum_m log p(x_m | z_ek) + beta [log p0(z_ek) - log q(z_ek | X)], and the same of w_ek with private latents.
 *
 * Its gradient is that of draws weighted by the constants W_ek = softmax_k(lw_ek). So draws are rows, draw k of sample
 * b at k B + b: a pass forward tells every lw, a row operation the weights, and the objective's own pass has W / |O|
 * where it has an expert's share. Programs are of a chunk of rows whatever K is; what grows with K are the standard
 * draws, two numbers an expert and row, and the time. */
#ifndef MMI_IMPORTANCE_H
#define MMI_IMPORTANCE_H

#include "learn/losses.h"
#include "learn/masks.h"

typedef struct mmi_importance { /* made once */
	uint32_t n, draws;          /* modalities; K, 0: nothing is weighted */
	mmi_loss loss;              /* tells -lw */
	mmi_device_experts experts; /* [B] of the batch, as constants */
	mmi_floats term, share;     /* [n][K B]: -lw; W / |O| */
	mmi_doubles bound;          /* [chunks here] */
	mmi_doubles told;           /* the sum over the batch, of the last draws */
	mmi_mask mask;              /* that of the data, with these shares */
} mmi_importance;

/* For the rows of a batch that are computed here. Clear in every case. */
mm_status mmi_importance_create(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, uint32_t draws,
                                uint32_t rows, mmi_importance *out, mm_error *e);
void mmi_importance_clear(const mmi_model *m, mmi_importance *k);

#endif
