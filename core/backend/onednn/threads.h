/* threads.h - oneDNN on the calling thread alone: workers call it side by side. */
#ifndef MMI_ONEDNN_THREADS_H
#define MMI_ONEDNN_THREADS_H

#include "base/base.h"

/* Whether the library, as it was built, can be kept to one thread. */
mm_status mmi_dnnl_threads_check(mm_error *e);
/* What the calling thread had before, for mmi_dnnl_threads_restore: descriptions, primitives and calls of these go
 * between the two. */
int mmi_dnnl_threads_one(void);
void mmi_dnnl_threads_restore(int before);

#endif
