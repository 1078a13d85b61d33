/* staging.h - host memory that copies may be queued from: pinned. What lies elsewhere goes through it. */
#ifndef MMI_CUDA_STAGING_H
#define MMI_CUDA_STAGING_H

#include "backend/cuda/cuda.h"

mm_status mmi_staging_create(mmi_staging **out, mm_error *e);
void mmi_staging_destroy(mmi_staging *s);
/* Zeros that copies may be queued from; NULL: no memory. */
void *mmi_staging_alloc(mmi_staging *s, size_t bytes);
void mmi_staging_release(mmi_staging *s, void *p);
/* Queue copies; memory that is not pinned may be used again at once (upload), or is filled when delivered (download).
 */
void mmi_staging_upload(mmi_cuda *c, void *to, const void *host, size_t bytes);
void mmi_staging_download(mmi_cuda *c, void *host, const void *from, size_t bytes);
/* Everything that was queued is done: hands over what was downloaded, or NaN after a failure. */
void mmi_staging_deliver(mmi_cuda *c);

#endif
