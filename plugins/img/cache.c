/* cache.c - decoded pictures in bounded memory. */
#include "mmi_build.h"

#include "cache.h"

mm_status img_cache_open(img_cache *c, const mma_host *h, size_t picture_bytes, uint32_t n_pictures, size_t limit,
                         mm_error *e)
{
	size_t slots = limit / picture_bytes;
	*c = (img_cache){ .host = h,
		              .picture_bytes = picture_bytes,
		              .n_slots = slots < n_pictures ? (uint32_t)slots : n_pictures };
	c->slot = mma_new(h, n_pictures, sizeof(*c->slot));
	c->picture = mma_new(h, c->n_slots, sizeof(*c->picture));
	c->fresh = mma_new(h, c->n_slots, 1);
	c->bytes = mma_new(h, c->n_slots, picture_bytes);
	return c->slot && c->picture && c->fresh && c->bytes ? MM_OK
	                                                     : mma_no_memory(e, "decoded pictures; set a smaller cache_mb");
}

void img_cache_close(img_cache *c)
{
	if (!c->host)
		return;
	mma_free(c->host, c->slot);
	mma_free(c->host, c->picture);
	mma_free(c->host, c->fresh);
	mma_free(c->host, c->bytes);
}

const uint8_t *img_cache_get(img_cache *c, uint32_t picture)
{
	uint32_t slot = c->slot[picture];
	if (!slot)
		return NULL;
	c->fresh[slot - 1] = 1;
	return c->bytes + (slot - 1) * c->picture_bytes;
}

/* A slot never used, or the first from the hand on that nobody has looked at since. */
static uint32_t find_slot(img_cache *c)
{
	if (c->used < c->n_slots)
		return c->used++;
	while (c->fresh[c->hand]) {
		c->fresh[c->hand] = 0;
		c->hand = (c->hand + 1) % c->n_slots;
	}
	uint32_t found = c->hand;
	c->hand = (c->hand + 1) % c->n_slots;
	c->slot[c->picture[found]] = 0;
	return found;
}

uint8_t *img_cache_put(img_cache *c, uint32_t picture)
{
	if (!c->n_slots)
		return NULL;
	uint32_t slot = find_slot(c);
	c->picture[slot] = picture;
	c->fresh[slot] = 0;
	c->slot[picture] = slot + 1;
	return c->bytes + slot * c->picture_bytes;
}
