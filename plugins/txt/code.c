/* code.c - captions as numbers and back. */
#include "mmi_build.h"

#include "txt.h"

#include "tokens.h"

#include <float.h>
#include <string.h>

void txt_encode(const mm_instance *i, const char *caption, uint32_t *ids)
{
	char token[TOKEN_BYTES];
	int32_t n = 0;
	while (n < i->length - 1 && token_next_of(&caption, i->punctuation, token))
		ids[n++] = txt_vocabulary_find(&i->vocabulary, token);
	ids[n++] = TXT_END;
	while (n < i->length)
		ids[n++] = TXT_PAD;
}

void txt_put_token(const mm_instance *i, uint32_t id, float *row)
{
	const size_t width = (size_t)txt_features(i);
	if (i->representation == TXT_EMBEDDING) {
		memcpy(row, i->vector + id * width, width * sizeof(*row));
	} else {
		memset(row, 0, width * sizeof(*row));
		row[id] = 1;
	}
}

void txt_expand(const mm_instance *i, const uint32_t *ids, float *x)
{
	const size_t width = (size_t)txt_features(i);
	for (size_t t = 0; t < (size_t)i->length; t++)
		txt_put_token(i, ids[t], x + t * width);
}

/* All vectors have one length, so the nearest is the one with the largest product. */
static uint32_t nearest_vector(const mm_instance *i, const float *x)
{
	const size_t dim = (size_t)i->dim;
	uint32_t best = TXT_PAD;
	float most = -FLT_MAX;
	for (uint32_t w = 0; w < i->vocabulary.n; w++) {
		const float *v = i->vector + w * dim;
		float product = 0;
		for (size_t k = 0; k < dim; k++)
			product += x[k] * v[k];
		if (product > most) {
			most = product;
			best = w;
		}
	}
	return best;
}

static uint32_t largest(const float *x, uint32_t n)
{
	uint32_t best = 0;
	for (uint32_t w = 1; w < n; w++)
		if (x[w] > x[best])
			best = w;
	return best;
}

void txt_nearest(const mm_instance *i, const float *x, uint32_t *ids)
{
	const size_t width = (size_t)txt_features(i);
	for (size_t t = 0; t < (size_t)i->length; t++)
		ids[t] = i->representation == TXT_EMBEDDING ? nearest_vector(i, x + t * width)
		                                            : largest(x + t * width, i->vocabulary.n);
}

/* As txt_encode makes it of the words that are written: they end at the first end or padding, at the last place at
 * most. */
void txt_round(const mm_instance *i, float *x)
{
	uint32_t ids[TXT_LENGTH_MAX];
	int32_t n = 0;
	txt_nearest(i, x, ids);
	while (n < i->length - 1 && ids[n] != TXT_END && ids[n] != TXT_PAD)
		n++;
	ids[n++] = TXT_END;
	while (n < i->length)
		ids[n++] = TXT_PAD;
	txt_expand(i, ids, x);
}

char *txt_decode(const mm_instance *i, const uint32_t *ids)
{
	char *text = mma_new(i->host, (size_t)i->length * (TOKEN_BYTES + 1) + 1, 1);
	size_t used = 0;
	const char *before = NULL;
	for (int32_t t = 0; text && t < i->length && ids[t] != TXT_END && ids[t] != TXT_PAD; t++) {
		const char *word = i->vocabulary.word[ids[t]];
		if (before && token_blank_between(before, word))
			text[used++] = ' ';
		memcpy(text + used, word, strlen(word));
		used += strlen(word);
		before = word;
	}
	return text;
}
