/* slabs.c - long blocks side by side. */
#include "mmi_build.h"

#include "base/memory.h"
#include "base/slabs.h"

#include <string.h>

enum { SLAB_BYTES = 12 << 20 }; /* what nobody takes is not filled, and so takes no memory */

static size_t padded(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

static bool reserve(mmi_slabs *s)
{
	if (s->n < s->capacity)
		return true;
	const size_t capacity = s->capacity ? 2 * s->capacity : 8;
	mmi_slab *grown = mmi_grow(s->slabs, s->n, capacity, sizeof *grown);
	if (!grown)
		return false;
	s->slabs = grown;
	s->capacity = capacity;
	return true;
}

/* A further slab; of such a block alone, if that is longer or is all that the system gives. */
static mmi_slab *add(mmi_slabs *s, size_t bytes)
{
	if (!reserve(s))
		return NULL;
	mmi_slab *slab = &s->slabs[s->n];
	*slab = (mmi_slab){ .at = bytes > SLAB_BYTES ? NULL : mmi_promise(SLAB_BYTES) };
	if (!slab->at)
		*slab = (mmi_slab){ .at = mmi_promise(bytes), .full = true };
	s->n += slab->at != NULL;
	return slab->at ? slab : NULL;
}

static mmi_slab *with_room(const mmi_slabs *s, size_t bytes)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->slabs[i].full && bytes <= SLAB_BYTES && s->slabs[i].used <= SLAB_BYTES - bytes)
			return &s->slabs[i];
	return NULL;
}

void *mmi_slabs_take(mmi_slabs *s, size_t bytes)
{
	if (bytes > SIZE_MAX - 64)
		return NULL;
	mmi_slab *slab = with_room(s, padded(bytes));
	if (!slab)
		slab = add(s, padded(bytes));
	if (!slab)
		return NULL;
	void *block = slab->at + slab->used;
	slab->used += padded(bytes);
	return memset(block, 0, bytes);
}

void mmi_slabs_clear(mmi_slabs *s)
{
	for (size_t i = 0; i < s->n; i++)
		mmi_free(s->slabs[i].at);
	mmi_free(s->slabs);
	*s = (mmi_slabs){ .n = 0 };
}
