/* matcher.h - the judge's second half: a tower for each modality that turns a sample into a vector of length 1, so that
 * the cosine of two vectors says how well two samples belong together (a dual encoder, as CLIP is one).
 *
 * A tower's layers follow from the shape of a sample alone: no plugin has to bring one, and one matcher serves models
 * whose networks differ, which could not be compared if each brought its own judge. */
#ifndef MMI_MATCHER_H
#define MMI_MATCHER_H

#include "data/tuples.h"
#include "engine/network.h"
#include "judge/retrieval.h"
#include "model/model.h"
#include "model/tower.h"

enum { MMI_MATCHER_DIM = 64, MMI_MATCHER_CHUNK = 16 }; /* floats of an embedding; rows a worker takes at once */

typedef struct mmi_tower {
	const mmi_modality *modality;
	mmi_network net;
	mm_tensor x, out; /* out: [dim], of any length */
} mmi_tower;

typedef struct mmi_matcher {
	mmi_params *params;
	mmi_pool *pool;
	uint32_t n; /* modalities, at least 2 */
	mmi_tower tower[MMI_MAX_MODALITIES];
	/* From each to each other on held-out tuples, as measured after training; queries is 0 before. */
	mmi_recall recall[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES];
} mmi_matcher;

/* Towers with fresh parameters. Device, modalities and pool must outlive it. */
mm_status mmi_matcher_create(const mmi_device *device, const mmi_modality *modalities, size_t n, uint64_t seed,
                             mmi_pool *pool, mmi_matcher **out, mm_error *e);
void mmi_matcher_destroy(mmi_matcher *m);
/* Records a tower in a graph whose scope and store are set: from x to its output. */
mm_tensor mmi_matcher_record(mmi_graph *g, mm_tensor x);
/* Embeddings [rows][dim] of length 1. A row does not depend on those beside it. */
void mmi_matcher_run(mmi_matcher *m, uint32_t i, const float *x, uint32_t rows, float *out);

/* x / |x| for each row, in place; a row of zeros stays. */
void mmi_matcher_normalise(float *x, size_t rows, uint32_t d);

/* A set of tuples as embeddings, and which of their samples are the same. */
typedef struct mmi_embedded {
	uint32_t n, modalities;
	float *of[MMI_MAX_MODALITIES];      /* [n][dim] */
	uint32_t *kind[MMI_MAX_MODALITIES]; /* [n] */
} mmi_embedded;

/* Of the first `count` of the tuples, which lack nothing; samples as they would be saved. tick, which may be NULL, is
 * called after each block of rows and may fail. */
mm_status mmi_matcher_embed(mmi_matcher *m, mmi_tuples *tuples, uint32_t count,
                            mm_status (*tick)(void *ctx, mm_error *e), void *ctx, mmi_embedded *out, mm_error *e);
void mmi_embedded_clear(mmi_embedded *x);
/* Retrieval of modality `to` by modality `from` within the set. */
mm_status mmi_embedded_recall(const mmi_embedded *x, uint32_t from, uint32_t to, mmi_pool *pool, mmi_recall *out,
                              mm_error *e);

/* "img -> txt 0.210 0.455 0.560 of 355" for each direction, for messages; text is returned. */
const char *mmi_matcher_text(const mmi_matcher *m, char *text, size_t size);

typedef struct mmi_matching {
	uint32_t epochs, batch;
	double rate;        /* Adam's, falling to 0 along a cosine */
	double temperature; /* of the contrastive loss */
} mmi_matching;

typedef struct mmi_matching_hooks {
	void *ctx;
	mm_status (*step)(void *ctx, uint64_t done, uint64_t total, double loss, mm_error *e); /* a failure ends training */
} mmi_matching_hooks;

/* Trains the towers on tuples that lack nothing, by the symmetric contrastive loss (contrast.h), the mean over all
 * pairs of modalities. A function of tuples, settings and seed, whatever the number of threads. MM_ECONFIG when there
 * are fewer tuples than a batch has rows. */
mm_status mmi_matcher_train(mmi_matcher *m, mmi_tuples *tuples, const mmi_matching *how, uint64_t seed,
                            const mmi_matching_hooks *hooks, mm_error *e);

#endif
