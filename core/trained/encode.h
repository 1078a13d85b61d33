/* encode.h - the latents that each modality's encoder infers from tuples, and those of data as files. */
#ifndef MMI_ENCODE_H
#define MMI_ENCODE_H

#include "data/tuples.h"
#include "trained/hooks.h"
#include "trained/inputs.h"

/* What the encoders tell of tuples first to first + rows - 1. */
typedef mm_status mmi_latents_sink(void *ctx, uint32_t first, uint32_t rows, const mmi_experts *experts, mm_error *e);

/* Of n tuples, block by block (at most `block` rows, whole chunks, which the sampler must allow); latents that are not
 * finite are an error. What a tuple lacks is read as zeros, or anything finite, and what is told of it means nothing.
 */
mm_status mmi_latents_of(const mmi_saved *s, uint32_t n, uint32_t block, mmi_tuple_reader *read, void *from,
                         mmi_latents_sink *sink, void *to, const mmi_hooks *hooks, mm_error *e);

typedef struct mmi_encode_request {
	uint32_t count, block; /* the first tuples, all where there are fewer; rows at once, whole chunks, which the sampler
	                        * must allow */
	const char *folder;
	bool joint; /* what is told of z by all that is observed as well */
	mmi_hooks hooks;
} mmi_encode_request;

/* Writes into the folder, for N tuples:
 *   labels.npy [N] int32, -1 without a label; tuples.csv: row, key, label
 *   NAME-z-mean.npy, NAME-z-scale.npy [N][latent_dim] float32 for each modality, and NAME-w-... with private latents
 *   joint-z-mean.npy, joint-z-scale.npy of the joint posterior, as the model's fusion has it; of a mixture, which is
 *                   none of the family, its mean, and the scale of its variance
 *   NAME-latents.csv, joint-latents.csv: key, label and the same numbers, a tuple a line
 * A modality that a tuple lacks tells nothing: its rows are NaN. */
mm_status mmi_encode_write(const mmi_saved *s, mmi_tuples *tuples, const mmi_encode_request *r, mm_error *e);

#endif
