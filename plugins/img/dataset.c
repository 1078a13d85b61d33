/* dataset.c - one split of the pictures: which are there, decoded when they are read. */
#include "mmi_build.h"

#include "cache.h"
#include "picture.h"
#include "resize.h"

#include <string.h>

struct mm_dataset {
	const mm_instance *instance;
	pairs *pairs;
	bool *usable; /* [n_items] */
	img_cache cache;
	uint8_t *scratch; /* one picture, where the cache has no room */
	bool mirror;      /* the training split, if wanted */
	uint64_t mirror_stream;
};

static size_t floats(const mm_instance *i)
{
	return (size_t)i->fit.size * (size_t)i->fit.size * 3;
}

/* ---------------------------------------------------------------- decoding */

static mm_status decode_into(mm_dataset *d, uint32_t picture, uint8_t *out, mm_error *e)
{
	const mm_instance *i = d->instance;
	char *path = pairs_file(d->pairs, &i->source, picture);
	if (!path)
		return mma_no_memory(e, "a path");
	mm_status status = img_square(i->host, path, &i->fit, out, e);
	mma_free(i->host, path);
	return status;
}

/* The picture's bytes, from the cache or into it. A failure leaves the cache as it was. */
static mm_status get_picture(mm_dataset *d, uint32_t picture, const uint8_t **out, mm_error *e)
{
	*out = img_cache_get(&d->cache, picture);
	if (*out)
		return MM_OK;
	MMA_TRY(decode_into(d, picture, d->scratch, e));
	uint8_t *room = img_cache_put(&d->cache, picture);
	if (room)
		memcpy(room, d->scratch, floats(d->instance));
	*out = d->scratch;
	return MM_OK;
}

/* ---------------------------------------------------------------- what is there */

static bool is_usable(const pairs *p, const pairs_sample *s, void *ctx)
{
	const bool *usable = ctx;
	(void)p;
	return usable[s->item];
}

/* broken = skip: every picture is decoded once, so that what cannot be read is known before training. */
static mm_status find_broken(mm_dataset *d, mm_error *e)
{
	const mm_instance *i = d->instance;
	uint32_t broken = 0;
	for (uint32_t k = 0; k < d->pairs->n_items; k++) {
		mm_error why = MM_ERROR_INIT;
		const uint8_t *rgb;
		mm_status status = d->usable[k] ? get_picture(d, k, &rgb, &why) : MM_OK;
		if (status == MM_ENOMEM)
			return mma_fail(e, status, "%s", why.message);
		if (status == MM_OK)
			continue;
		d->usable[k] = false;
		if (broken++ < 10)
			mma_log(i->host, MM_LOG_WARNING, "[%s] left out: %s", i->source.instance, why.message);
	}
	if (broken)
		mma_log(i->host, MM_LOG_WARNING, "[%s] %u of %u pictures cannot be read and are left out (broken = skip)%s",
		        i->source.instance, broken, d->pairs->n_items, broken > 10 ? "; the first ten are named above" : "");
	return MM_OK;
}

/* ---------------------------------------------------------------- life */

static mm_status prepare(mm_dataset *d, int32_t split, mm_error *e)
{
	const mm_instance *i = d->instance;
	MMA_TRY(pairs_open(i->host, &i->source, split, &d->pairs, e));
	d->usable = mma_new(i->host, d->pairs->n_items, sizeof(*d->usable));
	d->scratch = mma_new(i->host, floats(i), 1);
	if (!d->usable || !d->scratch)
		return mma_no_memory(e, "a data set");
	MMA_TRY(img_cache_open(&d->cache, i->host, floats(i), d->pairs->n_items, (size_t)i->cache_mb << 20, e));
	d->mirror = i->mirror && split == MM_SPLIT_TRAIN;
	d->mirror_stream = i->host->random->stream(i->host->api->host, i->source.instance);
	MMA_TRY(pairs_present(d->pairs, &i->source, "picture", d->usable, e));
	if (i->broken == IMG_BROKEN_SKIP)
		MMA_TRY(find_broken(d, e));
	pairs_filter(d->pairs, is_usable, d->usable);
	return MM_OK;
}

mm_status img_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	mm_dataset *d = mma_new(i->host, 1, sizeof(*d));
	if (!d)
		return mma_no_memory(e, "a data set");
	d->instance = i;
	mm_status status = prepare(d, split, e);
	if (status != MM_OK) {
		img_close(d);
		return status;
	}
	*out = d;
	return MM_OK;
}

void img_close(mm_dataset *d)
{
	if (!d)
		return;
	const mma_host *h = d->instance->host;
	img_cache_close(&d->cache);
	pairs_close(d->pairs);
	mma_free(h, d->usable);
	mma_free(h, d->scratch);
	mma_free(h, d);
}

/* ---------------------------------------------------------------- samples */

uint64_t img_count(const mm_dataset *d)
{
	return d->pairs->n_samples;
}

mm_status img_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	return pairs_key(d->pairs, index, out, size, e);
}

int32_t img_label(const mm_dataset *d, uint64_t index)
{
	return pairs_label(d->pairs, index);
}

static void turn_around(float *x, size_t side)
{
	for (size_t y = 0; y < side; y++)
		for (size_t left = 0, right = side - 1; left < right; left++, right--)
			for (size_t c = 0; c < 3; c++) {
				float *a = x + (y * side + left) * 3 + c, *b = x + (y * side + right) * 3 + c, keep = *a;
				*a = *b;
				*b = keep;
			}
}

/* A coin of the run's seed and the sample: one picture with several captions comes both ways. */
static bool is_mirrored(const mm_dataset *d, uint64_t index)
{
	const mma_host *h = d->instance->host;
	uint32_t words[4];
	if (!d->mirror)
		return false;
	h->random->words(h->api->host, d->mirror_stream, index, 0, words);
	return words[0] & 1;
}

mm_status img_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	const uint8_t *rgb;
	MMA_TRY(pairs_check(d->pairs, index, e));
	mm_error why = MM_ERROR_INIT;
	mm_status status = get_picture(d, d->pairs->sample[index].item, &rgb, &why);
	if (status == MM_EFORMAT && d->instance->broken == IMG_BROKEN_REFUSE)
		return mma_fail(e, status, "%s; [%s] broken = skip leaves out what cannot be read", why.message,
		                d->instance->source.instance);
	if (status != MM_OK)
		return mma_fail(e, status, "%s", why.message);
	com_samples(rgb, floats(d->instance), out);
	if (is_mirrored(d, index))
		turn_around(out, (size_t)d->instance->fit.size);
	return MM_OK;
}

static uint64_t group(const mm_dataset *d, uint64_t index)
{
	return pairs_group(d->pairs, index);
}

const mm_modality_group img_group = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_group, group),
	.group = group,
};
