/* vocabulary.c - words with numbers. */
#include "mmi_build.h"

#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *word)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *word; word++)
		h = (h ^ (unsigned char)*word) * 0x100000001b3u;
	return h ^ h >> 31;
}

/* ---------------------------------------------------------------- vocabulary */

static size_t table_size(size_t words)
{
	size_t n = 16;
	while (n < 2 * words)
		n *= 2;
	return n;
}

mm_status txt_vocabulary_open(txt_vocabulary *v, const mma_host *h, uint32_t n, mm_error *e)
{
	static const char *const special[] = { "<pad>", "<end>", "<unk>" };
	*v = (txt_vocabulary){ .host = h, .n_slots = table_size(n) };
	v->word = mma_new(h, n, sizeof(*v->word));
	v->slot = mma_new(h, v->n_slots, sizeof(*v->slot));
	if (!v->word || !v->slot)
		return mma_no_memory(e, "a vocabulary");
	for (uint32_t i = 0; i < TXT_FIRST_WORD; i++)
		v->word[i] = special[i];
	v->n = TXT_FIRST_WORD;
	return MM_OK;
}

void txt_vocabulary_clear(txt_vocabulary *v)
{
	if (!v->host)
		return;
	mma_free(v->host, v->word);
	mma_free(v->host, v->slot);
	com_arena_clear(v->host, &v->strings);
	*v = (txt_vocabulary){ .host = NULL };
}

mm_status txt_vocabulary_add(txt_vocabulary *v, const char *word, mm_error *e)
{
	char *kept = com_keep(v->host, &v->strings, word, strlen(word));
	if (!kept)
		return mma_no_memory(e, "a vocabulary");
	size_t at = hash(word) & (v->n_slots - 1);
	while (v->slot[at])
		at = (at + 1) & (v->n_slots - 1);
	v->word[v->n] = kept;
	v->slot[at] = ++v->n;
	return MM_OK;
}

uint32_t txt_vocabulary_find(const txt_vocabulary *v, const char *word)
{
	for (size_t at = hash(word) & (v->n_slots - 1); v->slot[at]; at = (at + 1) & (v->n_slots - 1))
		if (!strcmp(v->word[v->slot[at] - 1], word))
			return v->slot[at] - 1;
	return TXT_UNKNOWN;
}

/* ---------------------------------------------------------------- counting */

typedef struct entry {
	const char *word;
	uint64_t count;
} entry;

struct txt_counter {
	const mma_host *host;
	entry *entry;
	size_t n, capacity;
	uint32_t *slot; /* number + 1, or 0 */
	size_t n_slots;
	uint64_t tokens;
	com_arena strings;
};

mm_status txt_counter_create(const mma_host *h, txt_counter **out, mm_error *e)
{
	txt_counter *c = mma_new(h, 1, sizeof(*c));
	if (!c)
		return mma_no_memory(e, "a count of words");
	c->host = h;
	*out = c;
	return MM_OK;
}

void txt_counter_destroy(txt_counter *c)
{
	if (!c)
		return;
	const mma_host *h = c->host;
	mma_free(h, c->entry);
	mma_free(h, c->slot);
	com_arena_clear(h, &c->strings);
	mma_free(h, c);
}

static size_t place(const txt_counter *c, const char *word)
{
	size_t at = hash(word) & (c->n_slots - 1);
	while (c->slot[at] && strcmp(c->entry[c->slot[at] - 1].word, word))
		at = (at + 1) & (c->n_slots - 1);
	return at;
}

/* Keeps the table at most half full. */
static bool make_room(txt_counter *c)
{
	entry *grown = c->n >= UINT32_MAX - 1 ? NULL : mma_grow(c->host, c->entry, c->n, &c->capacity, sizeof(*grown));
	if (!grown)
		return false;
	c->entry = grown;
	if (2 * (c->n + 1) <= c->n_slots)
		return true;
	uint32_t *larger = mma_new(c->host, table_size(2 * c->n + 512), sizeof(*larger));
	if (!larger)
		return false;
	mma_free(c->host, c->slot);
	c->slot = larger;
	c->n_slots = table_size(2 * c->n + 512);
	for (size_t i = 0; i < c->n; i++)
		c->slot[place(c, c->entry[i].word)] = (uint32_t)i + 1;
	return true;
}

mm_status txt_counter_add(txt_counter *c, const char *word, mm_error *e)
{
	if (!make_room(c))
		return mma_no_memory(e, "a count of words");
	size_t at = place(c, word);
	if (!c->slot[at]) {
		char *kept = com_keep(c->host, &c->strings, word, strlen(word));
		if (!kept)
			return mma_no_memory(e, "a count of words");
		c->entry[c->n++] = (entry){ kept, 0 };
		c->slot[at] = (uint32_t)c->n;
	}
	c->entry[c->slot[at] - 1].count++;
	c->tokens++;
	return MM_OK;
}

static int compare(const void *a, const void *b)
{
	const entry *s = a, *t = b;
	if (s->count != t->count)
		return s->count > t->count ? -1 : 1;
	return strcmp(s->word, t->word);
}

mm_status txt_counter_finish(txt_counter *c, uint32_t min_count, uint32_t max_words, txt_vocabulary *out, mm_error *e)
{
	uint32_t n = 0;
	uint64_t known = 0;
	if (c->n)
		qsort(c->entry, c->n, sizeof(*c->entry), compare);
	c->n_slots = 0; /* the order it points to is gone */
	while (n < c->n && n < max_words && c->entry[n].count >= min_count)
		known += c->entry[n++].count;
	mm_status status = txt_vocabulary_open(out, c->host, TXT_FIRST_WORD + n, e);
	for (uint32_t i = 0; status == MM_OK && i < n; i++)
		status = txt_vocabulary_add(out, c->entry[i].word, e);
	if (status != MM_OK) {
		txt_vocabulary_clear(out);
		return status;
	}
	out->tokens = c->tokens;
	out->unknown = c->tokens - known;
	return MM_OK;
}
