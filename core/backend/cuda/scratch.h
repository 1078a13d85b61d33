/* scratch.h - a call's scratch memory in pieces, and inputs where a library can read them. */
#ifndef MMI_CUDA_SCRATCH_H
#define MMI_CUDA_SCRATCH_H

#include "backend/cuda/cuda.h"

enum { MMI_ALIGNMENT = 16 /* bytes that libraries count on */ };

/* In prepare: bytes more, aligned to 256. Returns their offset. */
size_t mmi_scratch_take(mmi_exec *x, size_t bytes);
void *mmi_scratch_at(const mmi_exec *x, size_t offset);
/* Room for a copy of input k, which callers may bind to rows that begin anywhere; none for what programs lay out. */
size_t mmi_scratch_for_input(mmi_exec *x, uint32_t k);
/* In run: input k, copied there unless it is aligned. */
const void *mmi_scratch_input(const mmi_exec *x, uint32_t k, size_t offset);

#endif
