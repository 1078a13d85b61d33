/* retrieval.c - ranks of the right items, and recall. */
#include "mmi_build.h"

#include "judge/retrieval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const uint32_t mmi_recall_at[MMI_RECALLS] = { 1, 5, 10 };

/* ------------------------------------------------------------ one query */

double mmi_retrieval_chance(uint32_t n, uint32_t n_right, uint32_t k)
{
	double miss = 1;
	if (!n_right)
		return NAN;
	/* The places 1..k, one after the other, all miss. */
	for (uint32_t i = 0; i < k && miss > 0; i++)
		miss *= i + n_right < n ? (double)(n - n_right - i) / (double)(n - i) : 0;
	return 1 - miss;
}

double mmi_retrieval_hit(const float *similarity, const uint8_t *right, uint32_t n, uint32_t k)
{
	float best = -INFINITY;
	uint32_t n_right = 0, above = 0, level = 0, level_right = 0;
	for (uint32_t c = 0; c < n; c++)
		if (right[c]) {
			best = fmaxf(best, similarity[c]);
			n_right++;
		}
	for (uint32_t c = 0; c < n; c++) {
		above += similarity[c] > best;
		level += similarity[c] == best;
		level_right += similarity[c] == best && right[c];
	}
	if (!n_right)
		return NAN;
	return k > above ? mmi_retrieval_chance(level, level_right, k - above) : 0;
}

double mmi_retrieval_area(const float *similarity, const uint8_t *right, uint32_t n)
{
	double sum = 0, pairs = 0;
	for (uint32_t r = 0; r < n; r++) {
		if (!right[r])
			continue;
		for (uint32_t c = 0; c < n; c++)
			if (!right[c]) {
				sum += similarity[r] > similarity[c] ? 1 : similarity[r] == similarity[c] ? 0.5 : 0;
				pairs++;
			}
	}
	return pairs > 0 ? sum / pairs : NAN;
}

/* ------------------------------------------------------------ equal contents */

typedef struct numbered {
	uint64_t hash;
	uint32_t row;
} numbered;

static int by_hash_and_row(const void *a, const void *b)
{
	const numbered *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

mm_status mmi_retrieval_kinds(const uint64_t *hash, uint32_t n, uint32_t *kind, mm_error *e)
{
	numbered *order = mmi_alloc(n, sizeof *order);
	if (!order)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the kinds of %u samples", n);
	for (uint32_t i = 0; i < n; i++)
		order[i] = (numbered){ hash[i], i };
	qsort(order, n, sizeof *order, by_hash_and_row);
	for (uint32_t i = 0, first = 0; i < n; i++) {
		if (order[i].hash != order[first].hash)
			first = i;
		kind[order[i].row] = order[first].row;
	}
	mmi_free(order);
	return MM_OK;
}

/* ------------------------------------------------------------ all queries */

enum { FIGURES = 2 * MMI_RECALLS + 1 };

typedef struct job {
	const mmi_retrieval *r;
	uint32_t *place;     /* [n]: of a tuple's item among the candidates */
	uint32_t *candidate; /* [candidates]: rows */
	uint32_t n_candidates;
	float *similarity;         /* [worker][candidates] */
	uint8_t *right;            /* [worker][candidates] */
	double (*figure)[FIGURES]; /* [query] */
} job;

static void find_candidates(job *j)
{
	for (uint32_t i = 0; i < j->r->n; i++)
		if (j->r->item_kind[i] == i) {
			j->place[i] = j->n_candidates;
			j->candidate[j->n_candidates++] = i;
		}
	for (uint32_t i = 0; i < j->r->n; i++)
		j->place[i] = j->place[j->r->item_kind[i]];
}

static uint32_t mark_right(const job *j, uint32_t query, uint8_t *right)
{
	uint32_t n = 0;
	memset(right, 0, j->n_candidates);
	for (uint32_t i = 0; i < j->r->n; i++)
		if (j->r->answers[i] == j->r->query_kind[query]) {
			n += !right[j->place[i]];
			right[j->place[i]] = 1;
		}
	return n;
}

static void run_query(void *ctx, uint32_t query, uint32_t worker)
{
	const job *j = ctx;
	const mmi_retrieval *r = j->r;
	const float *q = r->query + (size_t)query * r->d;
	float *similarity = j->similarity + (size_t)worker * j->n_candidates;
	uint8_t *right = j->right + (size_t)worker * j->n_candidates;
	uint32_t n_right = mark_right(j, query, right);
	for (uint32_t c = 0; c < j->n_candidates; c++) {
		const float *x = r->item + (size_t)j->candidate[c] * r->d;
		double sum = 0;
		for (uint32_t k = 0; k < r->d; k++)
			sum += (double)q[k] * (double)x[k];
		similarity[c] = (float)sum;
	}
	double *figure = j->figure[query];
	for (int k = 0; k < MMI_RECALLS; k++) {
		figure[k] = mmi_retrieval_hit(similarity, right, j->n_candidates, mmi_recall_at[k]);
		figure[MMI_RECALLS + k] = mmi_retrieval_chance(j->n_candidates, n_right, mmi_recall_at[k]);
	}
	figure[2 * MMI_RECALLS] = mmi_retrieval_area(similarity, right, j->n_candidates);
}

/* The mean of one figure over the queries that have it. */
static double mean(const job *j, int figure)
{
	double sum = 0, n = 0;
	for (uint32_t q = 0; q < j->r->n_queries; q++)
		if (!isnan(j->figure[q][figure])) {
			sum += j->figure[q][figure];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

static void clear(job *j)
{
	mmi_free(j->place);
	mmi_free(j->candidate);
	mmi_free(j->similarity);
	mmi_free(j->right);
	mmi_free(j->figure);
}

mm_status mmi_retrieve(const mmi_retrieval *r, mmi_pool *pool, mmi_recall *out, mm_error *e)
{
	const size_t workers = mmi_pool_threads(pool);
	job j = { .r = r };
	j.place = mmi_alloc(r->n, sizeof *j.place);
	j.candidate = mmi_alloc(r->n, sizeof *j.candidate);
	j.similarity = mmi_alloc(workers * r->n, sizeof *j.similarity);
	j.right = mmi_alloc(workers * r->n, 1);
	j.figure = mmi_alloc(r->n_queries, sizeof *j.figure);
	if (!j.place || !j.candidate || !j.similarity || !j.right || !j.figure) {
		clear(&j);
		return mmi_fail(e, MM_ENOMEM, "out of memory for retrieval among %u tuples", r->n);
	}
	find_candidates(&j);
	mmi_pool_run(pool, r->n_queries, run_query, &j);
	*out = (mmi_recall){ .queries = r->n_queries, .candidates = j.n_candidates, .area = mean(&j, 2 * MMI_RECALLS) };
	for (int k = 0; k < MMI_RECALLS; k++) {
		out->at[k] = mean(&j, k);
		out->chance[k] = mean(&j, MMI_RECALLS + k);
	}
	clear(&j);
	return MM_OK;
}
