/* sequence.h - work that is queued often, as a CUDA graph: one call in place of hundreds. */
#ifndef MMI_CUDA_SEQUENCE_H
#define MMI_CUDA_SEQUENCE_H

#include "backend/cuda/cuda.h"

mm_status mmi_sequences_create(mmi_sequences **out, mm_error *e);
void mmi_sequences_destroy(mmi_sequences *s);
/* Queues work: the first time with this owner and key as it is, which loads kernels and lets libraries allocate; the
 * second time it is recorded as well; then the record is replayed. */
void mmi_sequence_run(const mmi_device *d, const void *owner, uint64_t key, void (*work)(void *ctx), void *ctx);
/* The owner's addresses are about to go. */
void mmi_sequence_forget(const mmi_device *d, const void *owner);

#endif
