/* deal.c - sounds dealt out to keys of their class. */
#include "mmi_build.h"

#include "deal.h"

/* The sounds of one class, in the order of the round being dealt. */
typedef struct hand {
	uint32_t n, pairs;    /* sounds, tuples */
	const uint32_t *item; /* [n] */
	uint32_t *order;      /* [n] */
} hand;

typedef struct table {
	hand *hand;     /* [classes] */
	uint32_t *item; /* usable items, by class */
	uint32_t *order;
	uint32_t n;    /* of both */
	uint32_t most; /* tuples of a class */
} table;

/* Label of an item that takes part; -1: none. */
static int32_t label_of(const audio_store *s, uint32_t item)
{
	return s->usable[item] ? s->pairs->item[item].label : -1;
}

static void sort_by_class(const mm_instance *i, const audio_store *s, table *t)
{
	for (uint32_t k = 0; k < s->pairs->n_items; k++)
		if (label_of(s, k) >= 0)
			t->hand[label_of(s, k)].n++;
	uint32_t at = 0;
	for (uint32_t c = 0; c < i->known.classes; c++) {
		t->hand[c].item = t->item + at;
		t->hand[c].order = t->order + at;
		at += t->hand[c].n;
		t->hand[c].n = 0;
	}
	for (uint32_t k = 0; k < s->pairs->n_items; k++)
		if (label_of(s, k) >= 0) {
			hand *h = &t->hand[label_of(s, k)];
			t->item[(h->item - t->item) + h->n++] = k;
		}
}

static uint64_t count_tuples(const mm_instance *i, int32_t split, table *t)
{
	uint64_t n = 0;
	for (uint32_t c = 0; c < i->known.classes; c++) {
		hand *h = &t->hand[c];
		h->pairs = h->n && i->pairs[split] ? (uint32_t)i->pairs[split] : h->n;
		t->most = h->pairs > t->most ? h->pairs : t->most;
		n += h->pairs;
	}
	return n;
}

/* Another order in each round of training; test data are the same whatever the seed. */
static void shuffle(const mm_instance *i, int32_t split, uint32_t class, uint32_t round, hand *h)
{
	const mma_host *host = i->host;
	if (split == MM_SPLIT_TRAIN)
		host->random->permutation(host->api->host, host->random->stream(host->api->host, "audio/deal"),
		                          (uint64_t) class << 32 | round, h->n, h->order);
	for (uint32_t k = 0; k < h->n && split != MM_SPLIT_TRAIN; k++)
		h->order[k] = k;
}

static void deal_all(const mm_instance *i, int32_t split, table *t, audio_tuple *out)
{
	for (uint32_t k = 0; k < t->most; k++)
		for (uint32_t c = 0; c < i->known.classes; c++) {
			hand *h = &t->hand[c];
			if (k >= h->pairs)
				continue;
			if (k % h->n == 0)
				shuffle(i, split, c, k / h->n, h);
			*out++ = (audio_tuple){ k, c, h->item[h->order[k % h->n]], k >= h->n };
		}
}

mm_status audio_deal_open(const mm_instance *i, const audio_store *s, int32_t split, audio_deal *out, mm_error *e)
{
	const mma_host *h = i->host;
	table t = { .n = s->pairs->n_items };
	if (!i->known.classes)
		return mma_fail(
			e, MM_ECONFIG,
			"keys = class in [%s], but the data has no classes; set classes = folder, or names with {label}",
			i->source.instance);
	t.hand = mma_new(h, i->known.classes, sizeof(*t.hand));
	t.item = mma_new(h, t.n, sizeof(*t.item));
	t.order = mma_new(h, t.n, sizeof(*t.order));
	mm_status status = t.hand && t.item && t.order ? MM_OK : mma_no_memory(e, "the pairing");
	if (status == MM_OK) {
		sort_by_class(i, s, &t);
		out->n = count_tuples(i, split, &t);
		out->tuple = mma_new(h, out->n ? (size_t)out->n : 1, sizeof(*out->tuple));
		if (out->tuple)
			deal_all(i, split, &t, out->tuple);
		else
			status = mma_no_memory(e, "the pairing");
	}
	mma_free(h, t.hand);
	mma_free(h, t.item);
	mma_free(h, t.order);
	return status;
}

void audio_deal_close(const mma_host *h, audio_deal *d)
{
	mma_free(h, d->tuple);
}
