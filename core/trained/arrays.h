/* arrays.h - samples and latents as NumPy's arrays: a file a modality, written block by block.
 *
 *   FOLDER/NAME[-TAIL].npy     [rows, shape...] float32, for each modality that is written, in the model's units
 *   FOLDER/latents/z.npy       [rows, latent_dim]
 *   FOLDER/latents/w-NAME.npy  [rows, private_dim] */
#ifndef MMI_ARRAYS_H
#define MMI_ARRAYS_H

#include "model/latents.h"
#include "store/npy.h"

typedef struct mmi_arrays_request {
	const mmi_model *model;
	const char *folder;
	const char *tail;  /* of the names of modalities, "-given"; or "" */
	const bool *which; /* modalities that are written; NULL: all */
	bool latents;
	uint64_t rows;
} mmi_arrays_request;

typedef struct mmi_arrays mmi_arrays;

/* Makes the folders. What the request points to is copied, but for the model. */
mm_status mmi_arrays_open(const mmi_arrays_request *r, mmi_arrays **out, mm_error *e);
/* The next rows; latents are looked at only where they are written. */
mm_status mmi_arrays_write(mmi_arrays *a, uint32_t rows, float *const *x, const mmi_latents *latents, mm_error *e);
/* Puts all files in place and frees a, in every case. */
mm_status mmi_arrays_commit(mmi_arrays *a, mm_error *e);
void mmi_arrays_abort(mmi_arrays *a); /* accepts NULL */

#endif
