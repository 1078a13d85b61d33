/* latents.h - rows of latents: z, and the private w_m of each modality, in memory. */
#ifndef MMI_LATENTS_H
#define MMI_LATENTS_H

#include "model/model.h"

/* z [rows][z_dim], w[m] [rows][w_dim]; NULL where the model has none. */
typedef struct mmi_latents {
	float *z;
	float *w[MMI_MAX_MODALITIES];
} mmi_latents;

mm_status mmi_latents_create(const mmi_model *m, size_t rows, mmi_latents *out, mm_error *e);
void mmi_latents_clear(mmi_latents *l);
/* A view that begins at a row: nothing is copied, never clear it. */
mmi_latents mmi_latents_at(const mmi_latents *l, const mmi_model *m, size_t row);
/* Sum of -log p0, by the standard prior, over all numbers. */
double mmi_latents_minus_log_prior(const mmi_latents *l, const mmi_model *m, size_t rows);
void mmi_latents_copy(mmi_latents *to, const mmi_latents *from, const mmi_model *m, size_t rows);

/* What the encoders tell of rows: locations and scales of q_m(z | x_m), and of q_m(w_m | x_m). */
typedef struct mmi_experts {
	float *loc[MMI_MAX_MODALITIES], *scale[MMI_MAX_MODALITIES];     /* [rows][z_dim], or NULL */
	float *w_loc[MMI_MAX_MODALITIES], *w_scale[MMI_MAX_MODALITIES]; /* [rows][w_dim], or NULL */
} mmi_experts;

mm_status mmi_experts_create(const mmi_model *m, size_t rows, mmi_experts *out, mm_error *e);
void mmi_experts_clear(mmi_experts *x);

#endif
