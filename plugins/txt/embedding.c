/* embedding.c - word vectors out of the captions themselves. */
#include "mmi_build.h"

#include "embedding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- counting pairs */

typedef struct cell {
	uint64_t key; /* row << 32 | column, plus 1; 0: free */
	double count;
} cell;

struct txt_contexts {
	const mma_host *host;
	uint32_t n_words, window;
	cell *cell;
	size_t n, n_cells; /* a power of two */
	double *total;     /* [n_words]: pairs a word is in */
};

mm_status txt_contexts_create(const mma_host *h, uint32_t n_words, uint32_t window, txt_contexts **out, mm_error *e)
{
	txt_contexts *c = mma_new(h, 1, sizeof(*c));
	double *total = mma_new(h, n_words, sizeof(*total));
	if (!c || !total) {
		mma_free(h, c);
		mma_free(h, total);
		return mma_no_memory(e, "a count of pairs of words");
	}
	*c = (txt_contexts){ .host = h, .n_words = n_words, .window = window, .total = total };
	*out = c;
	return MM_OK;
}

void txt_contexts_destroy(txt_contexts *c)
{
	if (!c)
		return;
	const mma_host *h = c->host;
	mma_free(h, c->cell);
	mma_free(h, c->total);
	mma_free(h, c);
}

static size_t place(const txt_contexts *c, uint64_t key)
{
	size_t at = (key * 0x9E3779B97F4A7C15u) >> 20 & (c->n_cells - 1);
	while (c->cell[at].key && c->cell[at].key != key)
		at = (at + 1) & (c->n_cells - 1);
	return at;
}

static bool make_room(txt_contexts *c)
{
	if (2 * (c->n + 1) <= c->n_cells)
		return true;
	txt_contexts larger = *c;
	larger.n_cells = c->n_cells ? 2 * c->n_cells : 1024;
	larger.cell = mma_new(c->host, larger.n_cells, sizeof(*larger.cell));
	if (!larger.cell)
		return false;
	for (size_t i = 0; i < c->n_cells; i++)
		if (c->cell[i].key)
			larger.cell[place(&larger, c->cell[i].key)] = c->cell[i];
	mma_free(c->host, c->cell);
	*c = larger;
	return true;
}

static bool count_pair(txt_contexts *c, uint32_t row, uint32_t column)
{
	if (!make_room(c))
		return false;
	uint64_t key = ((uint64_t)row << 32 | column) + 1;
	cell *at = &c->cell[place(c, key)];
	c->n += !at->key;
	at->key = key;
	at->count++;
	c->total[row]++;
	return true;
}

mm_status txt_contexts_add(txt_contexts *c, const uint32_t *ids, size_t n, mm_error *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && j <= i + c->window; j++)
			if (!count_pair(c, ids[i], ids[j]) || !count_pair(c, ids[j], ids[i]))
				return mma_no_memory(e, "a count of pairs of words");
	return MM_OK;
}

/* ---------------------------------------------------------------- the matrix */

static int compare(const void *a, const void *b)
{
	const cell *s = a, *t = b;
	return (s->key > t->key) - (s->key < t->key);
}

/* The table becomes a list in the order of its keys. */
static void sort_cells(txt_contexts *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_cells; i++)
		if (c->cell[i].key)
			c->cell[n++] = c->cell[i];
	if (n)
		qsort(c->cell, n, sizeof(*c->cell), compare);
	c->n_cells = 0;
}

typedef struct matrix {
	uint64_t *begin;
	uint32_t *column;
	float *value;
	size_t n;
} matrix;

static void release_matrix(const mma_host *h, matrix *m)
{
	mma_free(h, m->begin);
	mma_free(h, m->column);
	mma_free(h, m->value);
}

/* log of how much more often two words meet than chance; contexts count with the power 3/4, which is kinder to rare
 * ones. */
static mm_status fill_matrix(const txt_contexts *c, matrix *m, mm_error *e)
{
	double contexts = 0;
	*m = (matrix){ mma_new(c->host, c->n_words + 1u, sizeof(*m->begin)), mma_new(c->host, c->n + 1, sizeof(*m->column)),
		           mma_new(c->host, c->n + 1, sizeof(*m->value)), 0 };
	if (!m->begin || !m->column || !m->value)
		return mma_no_memory(e, "a matrix of words");
	for (uint32_t i = 0; i < c->n_words; i++)
		contexts += pow(c->total[i], 0.75);
	for (size_t k = 0, row = 0; row < c->n_words; row++) {
		for (; k < c->n && (c->cell[k].key - 1) >> 32 == row; k++) {
			uint32_t column = (uint32_t)(c->cell[k].key - 1);
			double information = log(c->cell[k].count * contexts / (c->total[row] * pow(c->total[column], 0.75)));
			if (information <= 0)
				continue;
			m->column[m->n] = column;
			m->value[m->n++] = (float)information;
		}
		m->begin[row + 1] = m->n;
	}
	return MM_OK;
}

/* Left singular vectors times the square root of the singular values, into the first coordinates of [n_words][dim]. */
static mm_status decompose(const txt_contexts *c, const matrix *m, const mm_host_linalg *linalg, uint32_t rank,
                           int32_t dim, float *vector, mm_error *e)
{
	const mm_sparse a = { .struct_size = MM_SIZE_THROUGH(mm_sparse, value),
		                  .rows = c->n_words,
		                  .columns = c->n_words,
		                  .begin = m->begin,
		                  .column = m->column,
		                  .value = m->value };
	float *left = mma_new(c->host, (size_t)c->n_words * rank, sizeof(*left));
	float *singular = mma_new(c->host, rank, sizeof(*singular));
	mm_status status = left && singular ? linalg->truncated_svd(c->host->api->host, &a, rank, left, singular, NULL, e)
	                                    : mma_no_memory(e, "word vectors");
	for (size_t i = 0; status == MM_OK && i < c->n_words; i++)
		for (size_t k = 0; k < rank; k++)
			vector[i * (size_t)dim + k] = left[i * rank + k] * sqrtf(singular[k]);
	mma_free(c->host, left);
	mma_free(c->host, singular);
	return status;
}

mm_status txt_contexts_finish(txt_contexts *c, const txt_vocabulary *v, const mm_host_linalg *linalg, int32_t dim,
                              float **out, mm_error *e)
{
	matrix m;
	uint32_t rank = (uint32_t)(dim - EMBEDDING_OWN) < c->n_words ? (uint32_t)(dim - EMBEDDING_OWN) : c->n_words;
	float *vector = mma_new(c->host, (size_t)c->n_words * (size_t)dim, sizeof(*vector));
	if (!vector)
		return mma_no_memory(e, "word vectors");
	sort_cells(c);
	mm_status status = fill_matrix(c, &m, e);
	if (status == MM_OK)
		status = decompose(c, &m, linalg, rank, dim, vector, e);
	release_matrix(c->host, &m);
	if (status != MM_OK) {
		mma_free(c->host, vector);
		return status;
	}
	txt_vectors_normalise(v, dim, vector);
	*out = vector;
	return MM_OK;
}

/* ---------------------------------------------------------------- one length for all */

static float length(const float *x, size_t n)
{
	double sum = 0;
	for (size_t k = 0; k < n; k++)
		sum += (double)x[k] * (double)x[k];
	return (float)sqrt(sum);
}

/* FNV-1a. */
static uint64_t hash(const char *word)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (const unsigned char *at = (const unsigned char *)word; *at; at++)
		h = (h ^ *at) * 0x100000001b3u;
	return h;
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A direction of the word's own, of length `size`, added to x: a function of the word alone, so that runs of other
 * seeds speak the same language and one judge reads them all. */
static void add_own_direction(const char *word, float size, size_t n, float *x)
{
	uint64_t state = hash(word);
	float own[1024];
	for (size_t k = 0; k < n; k++)
		own[k] = (float)(next(&state) >> 40) / 8388608.0f - 1.0f;
	float scale = size / length(own, n);
	for (size_t k = 0; k < n; k++)
		x[k] += scale * own[k];
}

void txt_vectors_normalise(const txt_vocabulary *v, int32_t dim, float *vector)
{
	const float apart = 0.3f; /* words that always come together would share a vector */
	const size_t d = (size_t)dim, n = d - EMBEDDING_OWN;
	const float whole = sqrtf((float)dim);
	for (uint32_t i = 0; i < v->n; i++) {
		float *x = vector + i * d, found = length(x, n);
		for (size_t k = 0; k < n; k++)
			x[k] = found > 0 ? x[k] / found : 0;
		add_own_direction(v->word[i], apart, n, x);
		float scale = whole / length(x, n);
		for (size_t k = 0; k < n; k++)
			x[k] *= scale;
	}
	memset(vector + TXT_PAD * d, 0, d * sizeof(*vector));
	memset(vector + TXT_END * d, 0, d * sizeof(*vector));
	vector[TXT_END * d + n] = whole;
	vector[TXT_PAD * d + n + 1] = whole;
}
