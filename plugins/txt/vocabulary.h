/* vocabulary.h - words with numbers: the most frequent first, after three that are no words. */
#ifndef TXT_VOCABULARY_H
#define TXT_VOCABULARY_H

#include "common.h"

enum { TXT_LENGTH_MAX = 256 }; /* tokens of a caption */
enum { TXT_PAD = 0, TXT_END = 1, TXT_UNKNOWN = 2, TXT_FIRST_WORD = 3 };

/* Zero is an empty one. */
typedef struct txt_vocabulary {
	const mma_host *host;
	const char **word; /* [n]; "<pad>", "<end>", "<unk>" first */
	uint32_t n;
	uint32_t *slot; /* hash table: number + 1, or 0 */
	size_t n_slots; /* a power of two */
	com_arena strings;
	uint64_t tokens, unknown; /* of the captions it was made from */
} txt_vocabulary;

/* Counts words, then keeps the frequent ones. */
typedef struct txt_counter txt_counter;
mm_status txt_counter_create(const mma_host *h, txt_counter **out, mm_error *e);
void txt_counter_destroy(txt_counter *c); /* accepts NULL */
mm_status txt_counter_add(txt_counter *c, const char *word, mm_error *e);
/* Words with at least min_count occurrences, at most max_words: by falling count, then by bytes. */
mm_status txt_counter_finish(txt_counter *c, uint32_t min_count, uint32_t max_words, txt_vocabulary *out, mm_error *e);

/* For loading: the first three, then words one by one. */
mm_status txt_vocabulary_open(txt_vocabulary *v, const mma_host *h, uint32_t n, mm_error *e);
mm_status txt_vocabulary_add(txt_vocabulary *v, const char *word, mm_error *e);
void txt_vocabulary_clear(txt_vocabulary *v);
/* TXT_UNKNOWN when it is not there. */
uint32_t txt_vocabulary_find(const txt_vocabulary *v, const char *word);

#endif
