/* store.h - the sounds of one split: which there are, and their spectrograms, made once and kept as far as they fit. */
#ifndef AUDIO_STORE_H
#define AUDIO_STORE_H

#include "audio.h"

/* Shared by the data sets of an instance that are of one split. After it was opened nothing in it changes. */
struct audio_store {
	unsigned references;
	pairs *pairs;        /* without samples whose sound is bad */
	bool *usable;        /* [n_items] */
	uint32_t *place;     /* [n_items]: of its spectrogram among those kept; AUDIO_NOT_KEPT */
	float *spectrogram;  /* [kept][bands][frames] */
	uint32_t kept, room; /* how many, and for how many there is room */
};

#define AUDIO_NOT_KEPT UINT32_MAX

/* Reads every sound of the split once, or shares what was read: what is bad is known before training. */
mm_status audio_store_acquire(mm_instance *i, int32_t split, audio_store **out, mm_error *e);
void audio_store_release(mm_instance *i, audio_store *s); /* accepts NULL */
/* The spectrogram of a usable item, from the store, or made into `scratch` ([bands][frames]). */
mm_status audio_store_get(const mm_instance *i, const audio_store *s, uint32_t item, audio_mel *tool, float *scratch,
                          const float **out, mm_error *e);

#endif
