/* dataset.c - one split of the sounds. */
#include "mmi_build.h"

#include "deal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct mm_dataset {
	mm_instance *instance;
	audio_store *store;
	audio_deal deal; /* of keys = class */
	audio_mel *tool; /* for what the store has no room for */
	float *scratch;
	bool vary; /* the training split: sounds that come again are changed a little */
	uint64_t stream;
};

/* ---------------------------------------------------------------- life */

static mm_status prepare(mm_dataset *d, int32_t split, mm_error *e)
{
	mm_instance *i = d->instance;
	const mma_host *h = i->host;
	d->scratch = mma_new(h, audio_floats(i), sizeof(*d->scratch));
	if (!d->scratch)
		return mma_no_memory(e, "a data set");
	MMA_TRY(pairs_know(h, &i->source, &i->known, e));
	MMA_TRY(audio_mel_create(h, &i->mel, &d->tool, e));
	MMA_TRY(audio_store_acquire(i, split, &d->store, e));
	d->vary = split == MM_SPLIT_TRAIN && (i->jitter > 0 || i->gain > 0);
	d->stream = h->random->stream(h->api->host, "audio/vary");
	return i->keys == AUDIO_KEYS_CLASS ? audio_deal_open(i, d->store, split, &d->deal, e) : MM_OK;
}

mm_status audio_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST)
		return mma_fail(e, MM_EUNSUPPORTED, "split %d is unknown; there are 0 (train) and 1 (test)", (int)split);
	mm_dataset *d = mma_new(i->host, 1, sizeof(*d));
	if (!d)
		return mma_no_memory(e, "a data set");
	d->instance = i;
	mm_status status = prepare(d, split, e);
	if (status != MM_OK) {
		audio_close(d);
		return status;
	}
	*out = d;
	return MM_OK;
}

void audio_close(mm_dataset *d)
{
	if (!d)
		return;
	const mma_host *h = d->instance->host;
	audio_deal_close(h, &d->deal);
	audio_store_release(d->instance, d->store);
	audio_mel_destroy(d->tool);
	mma_free(h, d->scratch);
	mma_free(h, d);
}

/* ---------------------------------------------------------------- samples */

static bool by_class(const mm_dataset *d)
{
	return d->instance->keys == AUDIO_KEYS_CLASS;
}

uint64_t audio_count(const mm_dataset *d)
{
	return by_class(d) ? d->deal.n : d->store->pairs->n_samples;
}

static mm_status check(const mm_dataset *d, uint64_t index, mm_error *e)
{
	return index < audio_count(d) ? MM_OK
	                              : mma_fail(e, MM_EARG, "sample %llu of a data set of %llu", (unsigned long long)index,
	                                         (unsigned long long)audio_count(d));
}

mm_status audio_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	char text[32];
	if (!by_class(d))
		return pairs_key(d->store->pairs, index, out, size, e);
	MMA_TRY(check(d, index, e));
	const audio_tuple *t = &d->deal.tuple[index];
	const int length = snprintf(text, sizeof(text), "%u.%u", (unsigned)t->ordinal, (unsigned)t->class);
	if ((size_t)length >= size)
		return mma_fail(e, MM_EARG, "key %s needs %d bytes, the buffer has %zu", text, length + 1, size);
	memcpy(out, text, (size_t)length + 1);
	return MM_OK;
}

int32_t audio_label(const mm_dataset *d, uint64_t index)
{
	if (!by_class(d))
		return pairs_label(d->store->pairs, index);
	return index < d->deal.n ? (int32_t)d->deal.tuple[index].class : -1;
}

/* Later by some frames and softer by some decibels: another draw for each sample, the same each time it is read. */
static void copy_varied(const mm_dataset *d, uint64_t index, const float *x, float *out)
{
	const mm_instance *i = d->instance;
	const size_t bands = (size_t)i->mel.bands, frames = (size_t)i->mel.frames;
	uint32_t word[4];
	i->host->random->words(i->host->api->host, d->stream, index, 0, word);
	const size_t shift = (size_t)((uint64_t)word[0] * (uint32_t)(i->jitter + 1) >> 32);
	const double softer = i->gain * (word[1] / 4294967296.0);
	const float down = (float)(2 * softer / (double)(i->mel.high_db - i->mel.low_db));
	for (size_t b = 0; b < bands; b++)
		for (size_t t = 0; t < frames; t++)
			out[b * frames + t] = t < shift ? -1 : fmaxf(-1, x[b * frames + t - shift] - down);
}

mm_status audio_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	const float *x;
	MMA_TRY(check(d, index, e));
	const uint32_t item = by_class(d) ? d->deal.tuple[index].item : d->store->pairs->sample[index].item;
	MMA_TRY(audio_store_get(d->instance, d->store, item, d->tool, d->scratch, &x, e));
	if (d->vary && by_class(d) && d->deal.tuple[index].again)
		copy_varied(d, index, x, out);
	else
		memcpy(out, x, audio_floats(d->instance) * sizeof(*out));
	return MM_OK;
}

static uint64_t group(const mm_dataset *d, uint64_t index)
{
	const pairs *p = d->store->pairs;
	if (!by_class(d))
		return pairs_group(p, index);
	return index < d->deal.n ? p->item[d->deal.tuple[index].item].group : 0;
}

const mm_modality_group audio_group = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_group, group),
	.group = group,
};
