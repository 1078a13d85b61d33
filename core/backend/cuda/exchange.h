/* exchange.h - swaps of floats from card to card by NCCL, for a comm whose other calls are those of one of hosts. */
#ifndef MMI_CUDA_EXCHANGE_H
#define MMI_CUDA_EXCHANGE_H

#include "backend/cuda/cuda.h"
#include "engine/comm.h"

#ifdef MMI_CUDA_NCCL
/* See mmi_device_ops: join. */
mm_status mmi_exchange_join(const mmi_device *d, const mmi_comm *hosts, const mmi_log *log, mmi_comm *out, mm_error *e);
/* Returns when what was queued is done, or when the exchange was given up, and then what was queued comes to an end. */
void mmi_exchange_wait(mmi_exchange *x);
/* NULL is accepted. */
void mmi_exchange_destroy(mmi_exchange *x);
#else
#define mmi_exchange_join NULL
static inline void mmi_exchange_wait(mmi_exchange *x)
{
	(void)x;
}
static inline void mmi_exchange_destroy(mmi_exchange *x)
{
	(void)x;
}
#endif

#endif
