/* pool.h - a fixed set of worker threads that share out numbered tasks.
 *
 * Which worker runs which task is left to chance; results never depend on it, because a task writes only what is its
 * own and sums go through lanes (engine/lanes.h). */
#ifndef MMI_POOL_H
#define MMI_POOL_H

#include "base/base.h"

typedef struct mmi_pool mmi_pool;

/* threads >= 1; the calling thread is worker 0, so threads - 1 are started. */
mm_status mmi_pool_create(uint32_t threads, mmi_pool **out, mm_error *e);
void mmi_pool_destroy(mmi_pool *p);
uint32_t mmi_pool_threads(const mmi_pool *p);
/* Calls task(ctx, i, worker) for i in 0..n-1 and returns when all are done. One caller at a time. */
void mmi_pool_run(mmi_pool *p, uint32_t n, void (*task)(void *ctx, uint32_t i, uint32_t worker), void *ctx);

#endif
