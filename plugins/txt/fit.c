/* fit.c - how captions fit what a model holds. */
#include "mmi_build.h"

#include "fit.h"

#include <stdio.h>
#include <string.h>

enum {
	LONGEST = 4 * PAIRS_CAPTION_MAX,
	PLACES = 1024
}; /* bytes of a caption, joined ones included; words that are told apart */

void txt_count_words(const mm_instance *i, const char *caption, txt_words *out)
{
	char token[TOKEN_BYTES];
	*out = (txt_words){ 0 };
	while (token_next_of(&caption, i->punctuation, token)) {
		out->n++;
		if (txt_vocabulary_find(&i->vocabulary, token) == TXT_UNKNOWN && !out->unknown++)
			memcpy(out->first, token, TOKEN_BYTES);
	}
}

/* The smallest `length`, the end and steps of 8 included, that holds 99 % of the captions. */
static uint32_t length_of_most(const uint32_t with[PLACES], uint32_t n)
{
	uint64_t held = 0;
	uint32_t words = 0;
	while (words < PLACES - 1 && (held += with[words]) * 100 < (uint64_t)n * 99)
		words++;
	return (words + 1 + 7) / 8 * 8;
}

static void report_cut(const mm_instance *i, const char *name, const uint32_t with[PLACES], uint32_t n,
                       uint32_t longest)
{
	const uint32_t most = length_of_most(with, n);
	uint32_t cut = n;
	char advice[80];
	for (int32_t words = 0; words < i->length; words++)
		cut -= with[words];
	if (!cut)
		return;
	snprintf(advice, sizeof(advice),
	         most > TXT_LENGTH_MAX ? "no length holds 99 %%; %u would be the largest" : "length = %u holds 99 %%",
	         most > TXT_LENGTH_MAX ? (unsigned)TXT_LENGTH_MAX : (unsigned)most);
	mma_log(i->host, MM_LOG_WARNING,
	        "[%s] %u of %u %s captions have more than %d words and are cut by length = %d; the longest has %u, %s",
	        i->source.instance, (unsigned)cut, (unsigned)n, name, (int)i->length - 1, (int)i->length, (unsigned)longest,
	        advice);
}

void txt_report_fit(const mm_instance *i, const pairs *p, const char *name)
{
	uint32_t with[PLACES] = { 0 }, longest = 0;
	uint64_t all = 0, unknown = 0;
	char caption[LONGEST];
	txt_words words;
	for (uint32_t s = 0; s < p->n_samples; s++) {
		pairs_caption(p, &p->sample[s], caption, sizeof(caption));
		txt_count_words(i, caption, &words);
		with[words.n < PLACES ? words.n : PLACES - 1]++;
		longest = words.n > longest ? words.n : longest;
		all += words.n;
		unknown += words.unknown;
	}
	mma_log(i->host, MM_LOG_INFO, "[%s] %u %s captions, %.1f %% of their words are unknown", i->source.instance,
	        (unsigned)p->n_samples, name, all ? 100.0 * (double)unknown / (double)all : 0.0);
	report_cut(i, name, with, p->n_samples, longest);
}
