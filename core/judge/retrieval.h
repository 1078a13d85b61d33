/* retrieval.h - counting how often the right item is among the most similar ones.
 *
 * What several tuples share counts once: items with the same contents are one candidate, and right for a query is
 * whatever the tuples with the same query hold (any of a picture's captions, any picture of a caption that two have).
 * Items that are equally similar stand in random order: a hit is counted with its probability, so embeddings that are
 * all alike get the chance level. */
#ifndef MMI_RETRIEVAL_H
#define MMI_RETRIEVAL_H

#include "engine/pool.h"

enum { MMI_RECALLS = 3 };
extern const uint32_t mmi_recall_at[MMI_RECALLS]; /* 1, 5, 10 */

/* The probability that one of the right ones is among the k most similar of n. NaN when none is right. */
double mmi_retrieval_hit(const float *similarity, const uint8_t *right, uint32_t n, uint32_t k);
/* The same for similarities that say nothing. */
double mmi_retrieval_chance(uint32_t n, uint32_t n_right, uint32_t k);
/* The probability that a right one is more similar than a wrong one, ties counted half: the area under the ROC curve,
 * which does not depend on n as recall does. NaN when none is right, or all are. */
double mmi_retrieval_area(const float *similarity, const uint8_t *right, uint32_t n);

/* kind[i] = the first row with the same contents as row i, by hash. */
mm_status mmi_retrieval_kinds(const uint64_t *hash, uint32_t n, uint32_t *kind, mm_error *e);

typedef struct mmi_retrieval {
	uint32_t n, d;             /* tuples; floats of an embedding */
	const float *item;         /* [n][d], of length 1 */
	const uint32_t *item_kind; /* [n], mmi_retrieval_kinds */
	uint32_t n_queries;
	const float *query; /* [n_queries][d] */
	/* Tuple j answers query i when query_kind[i] == answers[j]. */
	const uint32_t *query_kind, *answers; /* [n_queries], [n] */
} mmi_retrieval;

typedef struct mmi_recall {
	double at[MMI_RECALLS], chance[MMI_RECALLS], area; /* means over the queries */
	uint32_t queries, candidates;
} mmi_recall;

mm_status mmi_retrieve(const mmi_retrieval *r, mmi_pool *pool, mmi_recall *out, mm_error *e);

#endif
