/* rng.c - the scalar parts of vec.h: keys, single Philox blocks, integers and permutations. */
#include "mmi_build.h"

#include "engine/vec.h"

/* One round of SplitMix64 (Steele et al. 2014): a bijection that spreads every bit. */
static uint64_t splitmix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

static uint64_t fnv1a(const char *text)
{
	uint64_t hash = 0xCBF29CE484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
	return hash;
}

uint64_t mmi_rng_key(uint64_t seed, const char *stream)
{
	return splitmix(splitmix(seed) ^ fnv1a(stream));
}

void mmi_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4])
{
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

	for (int round = 0; round < 10; round++) {
		const uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;

		c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)p1;
		c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/* The words of blocks 0, 1, 2, ... one after the other. */
typedef struct word_source {
	mmi_rng r;
	uint32_t block, used, words[4];
} word_source;

static word_source words_of(mmi_rng r)
{
	return (word_source){ .r = r, .used = 4 };
}

static uint32_t next_word(word_source *s)
{
	if (s->used == 4) {
		mmi_philox(s->r.key, (const uint32_t[4]){ s->block++, s->r.sample, s->r.step, s->r.iteration }, s->words);
		s->used = 0;
	}
	return s->words[s->used++];
}

/* Lemire's multiplication method: exactly uniform, words that would favour low results are drawn again. */
static uint32_t below(word_source *s, uint32_t n)
{
	const uint32_t surplus = (uint32_t)-n % n;
	uint64_t product;

	do
		product = (uint64_t)next_word(s) * n;
	while ((uint32_t)product < surplus);
	return (uint32_t)(product >> 32);
}

uint32_t mmi_rng_below(mmi_rng r, uint32_t n)
{
	word_source s = words_of(r);

	return below(&s, n);
}

void mmi_rng_permutation(mmi_rng r, uint32_t n, uint32_t *out)
{
	word_source s = words_of(r);

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t j = below(&s, i + 1);

		out[i] = out[j];
		out[j] = i;
	}
}
