/* keys.c - a set of texts, found by hashing. */
#include "mmi_build.h"

#include "data/keys.h"

#include <string.h>

struct mmi_keys {
	uint32_t *slot; /* open addressing: number + 1, 0 is free */
	size_t n_slots; /* a power of two, at least twice the limit */
	size_t *offset; /* of each key in the pool */
	uint32_t n, limit;
	char *pool;
	size_t used, capacity;
};

void mmi_keys_destroy(mmi_keys *k)
{
	if (!k)
		return;
	mmi_free(k->slot);
	mmi_free(k->offset);
	mmi_free(k->pool);
	mmi_free(k);
}

mm_status mmi_keys_create(uint32_t limit, mmi_keys **out, mm_error *e)
{
	mmi_keys *k = mmi_alloc(1, sizeof *k);

	if (!k)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u keys", limit);
	k->limit = limit;
	for (k->n_slots = 16; k->n_slots < 2 * (size_t)limit;)
		k->n_slots *= 2;
	k->slot = mmi_alloc(k->n_slots, sizeof *k->slot);
	k->offset = mmi_alloc(limit, sizeof *k->offset);
	if (!k->slot || !k->offset) {
		mmi_keys_destroy(k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u keys", limit);
	}
	*out = k;
	return MM_OK;
}

static uint64_t hash_text(const char *text)
{
	uint64_t h = 0xCBF29CE484222325u; /* FNV-1a, then mixed: the table uses the low bits */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001B3u;
	h ^= h >> 32;
	h *= 0xD6E8FEB86659FD93u;
	return h ^ (h >> 32);
}

/* Slot of the text, or the free one where it belongs. */
static uint32_t *locate(const mmi_keys *k, const char *text)
{
	size_t mask = k->n_slots - 1;
	size_t at = (size_t)hash_text(text) & mask;

	while (k->slot[at] && strcmp(k->pool + k->offset[k->slot[at] - 1], text))
		at = (at + 1) & mask;
	return &k->slot[at];
}

static mm_status store_text(mmi_keys *k, const char *text, mm_error *e)
{
	size_t bytes = strlen(text) + 1;

	if (bytes > k->capacity - k->used) {
		size_t capacity = 2 * k->capacity + bytes + 4096;
		char *grown = mmi_grow(k->pool, k->capacity, capacity, 1);
		if (!grown)
			return mmi_fail(e, MM_ENOMEM, "out of memory for %u keys", k->limit);
		k->pool = grown;
		k->capacity = capacity;
	}
	memcpy(k->pool + k->used, text, bytes);
	k->offset[k->n] = k->used;
	k->used += bytes;
	return MM_OK;
}

mm_status mmi_keys_add(mmi_keys *k, const char *text, uint32_t *number, mm_error *e)
{
	uint32_t *slot = locate(k, text);

	if (*slot) {
		*number = MMI_NO_KEY;
		return MM_OK;
	}
	if (k->n == k->limit)
		return mmi_fail(e, MM_EINTERNAL, "more than %u keys", k->limit);
	MMI_TRY(store_text(k, text, e));
	*number = k->n++;
	*slot = k->n;
	return MM_OK;
}

uint32_t mmi_keys_find(const mmi_keys *k, const char *text)
{
	const uint32_t *slot = locate(k, text);
	return *slot ? *slot - 1 : MMI_NO_KEY;
}

uint32_t mmi_keys_count(const mmi_keys *k)
{
	return k->n;
}

const char *mmi_keys_text(const mmi_keys *k, uint32_t number)
{
	return k->pool + k->offset[number];
}
