/* state.c - classes, vocabulary and vectors as bytes for a checkpoint.
 *
 * "mmtxt 1\n", then 32-bit little-endian numbers: representation, length, dim, words (the three that are no words
 * included), classes; then the words, each with a NUL, and the vectors' floats row by row. */
#include "mmi_build.h"

#include "txt.h"

#include "tokens.h"

#include <math.h>
#include <string.h>

static const char magic[8] = "mmtxt 1\n";
enum { N_NUMBERS = 5, HEADER = 8 + 4 * N_NUMBERS, WORDS_MAX = 1 << 24 };

static void put32(uint8_t *to, uint32_t value)
{
	for (int k = 0; k < 4; k++)
		to[k] = (uint8_t)(value >> (8 * k));
}

static uint32_t get32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static size_t vector_count(const mm_instance *i)
{
	return i->representation == TXT_EMBEDDING ? (size_t)i->vocabulary.n * (size_t)i->dim : 0;
}

static size_t word_bytes(const txt_vocabulary *v)
{
	size_t n = 0;
	for (uint32_t w = TXT_FIRST_WORD; w < v->n; w++)
		n += strlen(v->word[w]) + 1;
	return n;
}

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	const txt_vocabulary *v = &i->vocabulary;
	if (!i->ready)
		return mma_fail(e, MM_ESTATE, "there is no vocabulary yet; describe comes first");
	const uint32_t numbers[N_NUMBERS] = { (uint32_t)i->representation, (uint32_t)i->length, (uint32_t)i->dim, v->n,
		                                  i->n_classes };
	size_t n = HEADER + word_bytes(v) + 4 * vector_count(i);
	uint8_t *block = mma_new(i->host, n, 1), *at = block + HEADER;
	if (!block)
		return mma_no_memory(e, "a state");
	memcpy(block, magic, sizeof(magic));
	for (int k = 0; k < N_NUMBERS; k++)
		put32(block + 8 + 4 * k, numbers[k]);
	for (uint32_t w = TXT_FIRST_WORD; w < v->n; at += strlen(v->word[w]) + 1, w++)
		memcpy(at, v->word[w], strlen(v->word[w]) + 1);
	for (size_t k = 0; k < vector_count(i); k++, at += 4) {
		uint32_t bits;
		memcpy(&bits, &i->vector[k], 4);
		put32(at, bits);
	}
	*bytes = block;
	*size = n;
	return MM_OK;
}

/* ---------------------------------------------------------------- loading: the bytes may be anything */

static mm_status check_numbers(const mm_instance *i, const uint32_t numbers[N_NUMBERS], mm_error *e)
{
	static const char *const names[] = { "embedding", "onehot" };
	if (numbers[0] > TXT_ONEHOT || numbers[3] <= TXT_FIRST_WORD || numbers[3] > WORDS_MAX || numbers[4] > 1000000)
		return mma_fail(e, MM_EFORMAT, "the state's header holds numbers that cannot be");
	if (numbers[0] != (uint32_t)i->representation)
		return mma_fail(e, MM_ECONFIG, "trained with representation = %s, found %s in [%s]", names[numbers[0]],
		                names[i->representation], i->source.instance);
	if (numbers[1] != (uint32_t)i->length)
		return mma_fail(e, MM_ECONFIG, "trained with length = %u, found %d in [%s]", numbers[1], (int)i->length,
		                i->source.instance);
	bool vectors = i->representation == TXT_EMBEDDING;
	if (vectors ? numbers[2] < 4 || numbers[2] > 1002 : numbers[2] != 0)
		return mma_fail(e, MM_EFORMAT, "the state's header says dim = %u", numbers[2]);
	if (vectors && i->dim && numbers[2] != (uint32_t)i->dim)
		return mma_fail(e, MM_ECONFIG, "trained with dim = %u, found %d in [%s]", numbers[2], (int)i->dim,
		                i->source.instance);
	return MM_OK;
}

/* The words; *at moves behind them. */
static mm_status read_words(mm_instance *i, uint32_t n, const uint8_t **at, const uint8_t *end, mm_error *e)
{
	MMA_TRY(txt_vocabulary_open(&i->vocabulary, i->host, n, e));
	while (i->vocabulary.n < n) {
		const uint8_t *stop = memchr(*at, 0, (size_t)(end - *at));
		if (!stop || stop == *at || stop - *at >= TOKEN_BYTES)
			return mma_fail(e, MM_EFORMAT, "word %u of %u in the state is none: expected 1 to %d bytes and a NUL",
			                i->vocabulary.n, n, TOKEN_BYTES - 1);
		MMA_TRY(txt_vocabulary_add(&i->vocabulary, (const char *)*at, e));
		*at = stop + 1;
	}
	return MM_OK;
}

static mm_status read_vectors(mm_instance *i, const uint8_t *at, const uint8_t *end, mm_error *e)
{
	size_t count = vector_count(i);
	if ((size_t)(end - at) != 4 * count)
		return mma_fail(e, MM_EFORMAT, "the state has %zu bytes of vectors, expected %zu", (size_t)(end - at),
		                4 * count);
	i->vector = count ? mma_new(i->host, count, sizeof(*i->vector)) : NULL;
	if (count && !i->vector)
		return mma_no_memory(e, "word vectors");
	for (size_t k = 0; k < count; k++) {
		uint32_t bits = get32(at + 4 * k);
		memcpy(&i->vector[k], &bits, 4);
		if (!isfinite(i->vector[k]))
			return mma_fail(e, MM_EFORMAT, "the state holds a vector that is not finite");
	}
	return MM_OK;
}

static mm_status read_state(mm_instance *i, const uint8_t *bytes, size_t size, mm_error *e)
{
	const uint8_t *at = bytes + HEADER, *end = bytes + size;
	uint32_t numbers[N_NUMBERS];
	if (size < HEADER || memcmp(bytes, magic, sizeof(magic)))
		return mma_fail(e, MM_EFORMAT, "%zu bytes are no state of this plugin", size);
	for (int k = 0; k < N_NUMBERS; k++)
		numbers[k] = get32(bytes + 8 + 4 * k);
	MMA_TRY(check_numbers(i, numbers, e));
	if ((size_t)(numbers[3] - TXT_FIRST_WORD) > (size - HEADER) / 2)
		return mma_fail(e, MM_EFORMAT, "the state has %u words in %zu bytes", numbers[3], size);
	MMA_TRY(read_words(i, numbers[3], &at, end, e));
	i->dim = (int32_t)numbers[2];
	i->n_classes = numbers[4];
	return read_vectors(i, at, end, e);
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	if (i->ready)
		return mma_fail(e, MM_ESTATE, "there is a vocabulary already; a state is loaded before describe");
	const int32_t dim = i->dim;
	mm_status status = read_state(i, bytes, size, e);
	if (status != MM_OK) {
		txt_vocabulary_clear(&i->vocabulary);
		mma_free(i->host, i->vector);
		i->vector = NULL;
		i->dim = dim;
		return status;
	}
	i->ready = true;
	return MM_OK;
}

const mm_modality_state txt_state = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_state, load),
	.save = save,
	.load = load,
};
