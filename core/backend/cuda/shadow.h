/* shadow.h - a parameter in bfloat16, in its own order: made once an update, or in each run where nobody keeps it. */
#ifndef MMI_CUDA_SHADOW_H
#define MMI_CUDA_SHADOW_H

#include "backend/cuda/cuda.h"
#include "engine/params.h"

typedef struct mmi_shadow {
	const mmi_pack *pack; /* or NULL */
	size_t room;          /* otherwise: offset in the scratch memory */
} mmi_shadow;

/* In prepare: of input k, which is a parameter. */
mm_status mmi_shadow_prepare(mmi_exec *x, uint32_t k, mmi_shadow *out, mm_error *e);
/* In run. */
const void *mmi_shadow_at(const mmi_exec *x, uint32_t k, const mmi_shadow *s);

#endif
