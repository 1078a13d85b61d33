/* fit.h - how captions fit what a model holds: `length` words, those of the vocabulary. */
#ifndef TXT_FIT_H
#define TXT_FIT_H

#include "tokens.h"
#include "txt.h"

typedef struct txt_words {
	uint32_t n, unknown;     /* words, marks included, and how many are not in the vocabulary */
	char first[TOKEN_BYTES]; /* of the latter; "": none */
} txt_words;

/* Counts the words of one caption. */
void txt_count_words(const mm_instance *i, const char *caption, txt_words *out);
/* Tells how many captions of a split are cut, and the share of its words that is unknown. `name`: of the split. */
void txt_report_fit(const mm_instance *i, const pairs *p, const char *name);

#endif
