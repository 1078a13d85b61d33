/* slabs.h - long blocks that are released together, side by side in large pages. By itself only a block that fills such
 * a page gets one, and a processor knows the addresses of some thousand pages at a time: few megabytes of small ones.
 */
#ifndef MMI_SLABS_H
#define MMI_SLABS_H

#include "base/base.h"

typedef struct mmi_slab {
	char *at;
	size_t used;
	bool full; /* one block's alone */
} mmi_slab;

typedef struct mmi_slabs {
	mmi_slab *slabs;
	size_t n, capacity;
} mmi_slabs;

/* Zero-filled, 64-byte aligned, released with the slabs; NULL when out of memory. */
void *mmi_slabs_take(mmi_slabs *s, size_t bytes);
void mmi_slabs_clear(mmi_slabs *s);

#endif
