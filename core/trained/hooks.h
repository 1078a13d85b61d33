/* hooks.h - what long work on a trained model asks and tells between its blocks. */
#ifndef MMI_HOOKS_H
#define MMI_HOOKS_H

#include "base/base.h"

typedef struct mmi_hooks {
	void *ctx;
	bool (*stop)(void *ctx);                                /* true: give up (MM_ECANCELLED); may be NULL */
	void (*step)(void *ctx, uint64_t done, uint64_t total); /* rows; may be NULL */
} mmi_hooks;

static inline bool mmi_hooks_stop(const mmi_hooks *h)
{
	return h->stop && h->stop(h->ctx);
}

static inline void mmi_hooks_step(const mmi_hooks *h, uint64_t done, uint64_t total)
{
	if (h->step)
		h->step(h->ctx, done, total);
}

#endif
