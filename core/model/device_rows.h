/* device_rows.h - rows of samples, latents and experts on a model's device. rows.h and latents.h have the same on the
 * host. */
#ifndef MMI_DEVICE_ROWS_H
#define MMI_DEVICE_ROWS_H

#include "engine/row_ops.h"
#include "model/latents.h"

/* x[m] [rows][floats of modality m] */
typedef struct mmi_device_rows {
	mmi_floats x[MMI_MAX_MODALITIES];
} mmi_device_rows;

/* z [rows][z_dim], w[m] [rows][w_dim]; .at is NULL where the model has none. */
typedef struct mmi_device_latents {
	mmi_floats z, w[MMI_MAX_MODALITIES];
} mmi_device_latents;

/* As mmi_experts. */
typedef struct mmi_device_experts {
	mmi_floats loc[MMI_MAX_MODALITIES], scale[MMI_MAX_MODALITIES];
	mmi_floats w_loc[MMI_MAX_MODALITIES], w_scale[MMI_MAX_MODALITIES];
} mmi_device_experts;

/* Zeros. On failure some arrays may be there already: clear in every case. */
mm_status mmi_device_latents_create(const mmi_model *m, size_t rows, mmi_device_latents *out, mm_error *e);
void mmi_device_latents_clear(const mmi_model *m, mmi_device_latents *l);

mm_status mmi_device_rows_create(const mmi_model *m, size_t rows, mmi_device_rows *out, mm_error *e);
void mmi_device_rows_clear(const mmi_model *m, mmi_device_rows *x);
mm_status mmi_device_experts_create(const mmi_model *m, size_t rows, mmi_device_experts *out, mm_error *e);
void mmi_device_experts_clear(const mmi_model *m, mmi_device_experts *x);

/* The first rows. */
void mmi_device_rows_copy(const mmi_model *m, size_t rows, const mmi_device_rows *to, const mmi_device_rows *from);
void mmi_device_latents_copy(const mmi_model *m, size_t rows, const mmi_device_latents *to,
                             const mmi_device_latents *from);
/* Single rows, as `which` says; its own addresses of rows and their length are not looked at. */
void mmi_device_rows_pick(const mmi_model *m, const mmi_pick *which, const mmi_device_rows *to,
                          const mmi_device_rows *from);
void mmi_device_latents_pick(const mmi_model *m, const mmi_pick *which, const mmi_device_latents *to,
                             const mmi_device_latents *from);

/* A view that begins at a row: nothing is copied, never clear it. */
mmi_device_latents mmi_device_latents_at(const mmi_model *m, const mmi_device_latents *l, size_t row);

#endif
