/* encode.h - the latents that each modality's encoder infers from a split of the data, as files. */
#ifndef MMI_ENCODE_H
#define MMI_ENCODE_H

#include "data/tuples.h"
#include "run/saved.h"

typedef struct mmi_encode_hooks {
	void *ctx;
	bool (*stop)(void *ctx);                                /* true: give up (MM_ECANCELLED), nothing is left behind */
	void (*step)(void *ctx, uint64_t done, uint64_t total); /* tuples */
} mmi_encode_hooks;

/* Writes into `folder`, for N tuples (the first `count` of them at most):
 *   labels.npy [N] int32, -1 without a label; tuples.csv: row, key, label
 *   NAME-z-mean.npy, NAME-z-scale.npy [N][latent_dim] float32 for each modality, and NAME-w-... with private latents
 *   NAME-latents.csv: key, label and the same numbers, a tuple a line
 * A modality that a tuple lacks tells nothing: its rows are NaN. The sampler allows `block` rows, whole chunks. */
mm_status mmi_encode_write(const mmi_saved *s, mmi_tuples *tuples, uint32_t count, uint32_t block, const char *folder,
                           const mmi_encode_hooks *hooks, mm_error *e);

#endif
