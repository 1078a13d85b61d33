/* batches.h - the training data as a stream of batches, read ahead by a thread of its own.
 *
 * Batch t is a function of (seed, t) alone: epoch t / n has its own permutation, n = whole batches an epoch; the
 * samples left over come up in other epochs. So a resumed run sees the batches it would have seen. */
#ifndef MMI_BATCHES_H
#define MMI_BATCHES_H

#include "data/tuples.h"
#include "engine/span.h"

typedef struct mmi_batch {
	uint64_t iteration, epoch;
	size_t size;     /* samples: those of the span */
	float *const *x; /* [modality]: size samples one behind the other, 64-byte aligned */
	float *const
		*seen; /* the same as the encoders see them in training: x[m] where nothing is varied; NULL: x in all */
	const uint32_t *index;        /* of the tuples */
	const int32_t *label;         /* -1: none */
	const float *const *observed; /* [modality][sample] 1, or 0 where it is missing and x is 0; NULL: nothing ever is */
} mmi_batch;

typedef struct mmi_batches mmi_batches;

/* Starts the loader of a span of every batch; the tuples belong to it until destroy. varied: encoders see what the
 * plugins that vary samples make of them, of sample i of the whole batch t with draw t * batch + i; otherwise seen is
 * NULL. Nothing is allocated after this. */
mm_status mmi_batches_create(mmi_tuples *tuples, mmi_span span, uint64_t seed, uint64_t first_iteration, bool varied,
                             mmi_batches **out, mm_error *e);
/* Stops and joins the loader, whatever it is doing. */
void mmi_batches_destroy(mmi_batches *b);
/* The next batch, valid until the next call. A sample that cannot be read fails its own batch and all later ones. */
mm_status mmi_batches_next(mmi_batches *b, const mmi_batch **out, mm_error *e);
uint64_t mmi_batches_per_epoch(const mmi_batches *b);

#endif
