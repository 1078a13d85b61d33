/* fitted.h - a prior that was fitted to a trained model, in its checkpoint. */
#ifndef MMI_FITTED_H
#define MMI_FITTED_H

#include "model/model.h"
#include "store/checkpoint.h"

#define MMI_FITTED_PREFIX "fitted." /* of its tensors */
#define MMI_MAX_CLUSTERS 4096

/* Clusters of one latent in memory: log_weight [n], loc [n][dim], scale [n][dim] or, full, [n][dim][dim]; n 0: none. */
typedef struct mmi_fitted_part {
	uint32_t n;
	size_t dim;
	bool full;
	float *log_weight, *loc, *scale;
} mmi_fitted_part;

typedef struct mmi_fitted {
	mmi_prior family; /* of each cluster */
	mmi_fitted_part z, w[MMI_MAX_MODALITIES];
	mmi_fitted_prior prior; /* the same on the model's device, once it was read */
	const mmi_device *device;
} mmi_fitted;

/* Zeros, freed by mmi_fitted_clear: clear also after a failure. */
mm_status mmi_fitted_part_create(uint32_t n, size_t dim, bool full, mmi_fitted_part *out, mm_error *e);
void mmi_fitted_clear(mmi_fitted *f);
/* Whether a checkpoint has one. */
bool mmi_fitted_there(const mmi_checkpoint *ck);
/* The one of a checkpoint of this model, brought to its device. Refused: none is there, one of other latents, numbers
 * that are no mixture's. */
mm_status mmi_fitted_read(const mmi_checkpoint *ck, const mmi_model *m, mmi_fitted *out, mm_error *e);
/* Writes the checkpoint anew, atomically, with this one instead of any that it had; `path` may be its own. */
mm_status mmi_fitted_write(const mmi_checkpoint *ck, const mmi_model *m, const mmi_fitted *f, const char *path,
                           mm_error *e);

#endif
