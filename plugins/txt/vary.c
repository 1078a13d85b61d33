/* vary.c - captions that say less: in training encoders may miss each word. */
#include "mmi_build.h"

#include "txt.h"

#include <string.h>

static bool is_word(const mm_instance *i, const float *row)
{
	const size_t bytes = (size_t)txt_features(i) * sizeof(*row);
	if (i->representation == TXT_ONEHOT)
		return !(row[TXT_END] > 0) && !(row[TXT_PAD] > 0);
	return memcmp(row, i->vector + TXT_END * (size_t)i->dim, bytes) &&
	       memcmp(row, i->vector + TXT_PAD * (size_t)i->dim, bytes);
}

/* 0..1, one for each place. */
static void draw_chances(const mm_instance *i, uint64_t draw, size_t n, double *chance)
{
	uint32_t words[4];
	for (size_t t = 0; t < n; t++) {
		if (t % 4 == 0)
			i->host->random->words(i->host->api->host, i->drop_stream, draw, (uint32_t)(t / 4), words);
		chance[t] = (double)words[t % 4] / 4294967296.0;
	}
}

/* What would go is kept when it would be the last: the word that had the best chance. */
static size_t keep_words(const mm_instance *i, size_t n, const double *chance, float *x)
{
	const size_t width = (size_t)txt_features(i);
	size_t kept = 0, best = 0;
	for (size_t t = 0; t < n; t++)
		best = chance[t] > chance[best] ? t : best;
	for (size_t t = 0; t < n; t++)
		if (chance[t] >= i->drop || t == best)
			memmove(x + kept++ * width, x + t * width, width * sizeof(*x));
	return kept;
}

void txt_vary(const mm_instance *i, uint64_t draw, float *x)
{
	const size_t width = (size_t)txt_features(i), length = (size_t)i->length;
	double chance[TXT_LENGTH_MAX];
	size_t n = 0;
	if (!(i->drop > 0))
		return;
	while (n < length && is_word(i, x + n * width))
		n++;
	draw_chances(i, draw, n, chance);
	for (size_t t = keep_words(i, n, chance, x), first = t; t < length; t++)
		txt_put_token(i, t == first ? TXT_END : TXT_PAD, x + t * width);
}
