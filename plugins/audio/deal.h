/* deal.h - sounds dealt out to keys "i.c", the i-th tuple of class c, which is how mnist.so calls its digits: so sounds
 * pair with pictures of the same class. */
#ifndef AUDIO_DEAL_H
#define AUDIO_DEAL_H

#include "store.h"

typedef struct audio_tuple {
	uint32_t ordinal, class; /* key "ordinal.class" */
	uint32_t item;
	bool again; /* the item has an earlier tuple */
} audio_tuple;

typedef struct audio_deal {
	audio_tuple *tuple; /* classes in turn, since the first tuples may be looked at alone */
	uint64_t n;
} audio_deal;

/* `pairs` tuples a class, or one for each sound where that is 0. Training tuple i of a class has the sound at place i
 * mod n of a permutation of its n sounds, a new one for each round, which class and the run's seed decide; test tuples
 * have them in the order of their names. */
mm_status audio_deal_open(const mm_instance *i, const audio_store *s, int32_t split, audio_deal *out, mm_error *e);
void audio_deal_close(const mma_host *h, audio_deal *d);

#endif
