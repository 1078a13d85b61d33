/* latent_prior.h - how the energy of latents learns, of an objective whose prior has one: p0(z) proportional to
 * exp(f(z)) times the standard density. By maximum likelihood f rises where experts draw z from the data, z+, and falls
 * where the prior's chain ends, z-: minimise mean f(z-) - mean f(z+), both held. */
#ifndef MMI_LATENT_PRIOR_H
#define MMI_LATENT_PRIOR_H

#include "learn/losses.h"

typedef struct mmi_latent_prior { /* made once */
	uint32_t n, rows;             /* modalities, samples here */
	mmi_loss loss;                /* tells f */
	mmi_floats told;              /* [n][rows][z_dim]: z+ of each expert, the ELBO's own draws */
	mmi_mirror expert;            /* words [n][rows]: whose */
	mmi_floats share;             /* [n][rows]: what the expert has in the mixture */
	mmi_device_experts experts;   /* [rows] */
} mmi_latent_prior;

/* For the rows of a batch that are computed here. Clear in every case. */
mm_status mmi_latent_prior_create(const mmi_model *m, const mmi_loss_place *p, uint32_t rows, mmi_lanes *energy,
                                  mmi_latent_prior *out, mm_error *e);
void mmi_latent_prior_clear(const mmi_model *m, mmi_latent_prior *k);

#endif
