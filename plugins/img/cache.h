/* cache.h - decoded pictures in bounded memory. One thread at a time. */
#ifndef IMG_CACHE_H
#define IMG_CACHE_H

#include "img.h"

/* Second chance: a picture looked at since the hand came by stays another round. */
typedef struct img_cache {
	const mma_host *host;
	size_t picture_bytes;
	uint32_t n_slots, used, hand;
	uint8_t *bytes;    /* [n_slots][picture_bytes] */
	uint32_t *picture; /* [n_slots]: which is there */
	uint8_t *fresh;    /* [n_slots] */
	uint32_t *slot;    /* [n_pictures]: slot + 1, 0: none */
} img_cache;

/* Room for as many of n_pictures as `limit` bytes hold; none is well. */
mm_status img_cache_open(img_cache *c, const mma_host *h, size_t picture_bytes, uint32_t n_pictures, size_t limit,
                         mm_error *e);
void img_cache_close(img_cache *c);
/* The picture, or NULL. Valid until the next put. */
const uint8_t *img_cache_get(img_cache *c, uint32_t picture);
/* Room to put a picture in; NULL when the cache has none. */
uint8_t *img_cache_put(img_cache *c, uint32_t picture);

#endif
