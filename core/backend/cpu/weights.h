/* weights.h - a kernel's repacked weights: shared by all programs and refreshed once per update where the weights are a
 * parameter, else packed anew in each run. */
#ifndef MMI_CPU_WEIGHTS_H
#define MMI_CPU_WEIGHTS_H

#include "engine/kernel.h"
#include "engine/params.h"

typedef void (*mmi_pack_fn)(const float *source, void *data, const void *ctx);

typedef struct mmi_weights {
	const mmi_pack *shared; /* or NULL, and then: */
	float *own;
	mmi_pack_fn pack;
	void *ctx;
} mmi_weights;

/* For the weights x->in[1]. ctx is plain data without padding, fully describes the packing and is copied; `kind` tells
 * packings of different pack functions apart. */
mm_status mmi_weights_prepare(mmi_weights *w, const mmi_exec *x, uint32_t kind, size_t floats, mmi_pack_fn pack,
                              const void *ctx, size_t ctx_bytes, mm_error *e);
/* The packed weights for this run. */
const float *mmi_weights_data(const mmi_weights *w, const mmi_exec *x);
void mmi_weights_release(mmi_weights *w);

#endif
