/* embedding.h - a vector for every word.
 *
 * All vectors have length sqrt(dim), so the elements of a caption have an rms of 1 and the nearest vector is the one in
 * whose direction a value points, however short it is. The last two coordinates belong to <end> and <pad>, which are at
 * right angles to every word. */
#ifndef TXT_EMBEDDING_H
#define TXT_EMBEDDING_H

#include "vocabulary.h"

enum { EMBEDDING_OWN = 2 }; /* coordinates of <end> and <pad> */

/* Learned: positive pointwise mutual information of words within `window` of each other, then a truncated SVD (Levy and
 * Goldberg 2014). Fed with captions as numbers. */
typedef struct txt_contexts txt_contexts;
mm_status txt_contexts_create(const mma_host *h, uint32_t n_words, uint32_t window, txt_contexts **out, mm_error *e);
void txt_contexts_destroy(txt_contexts *c); /* accepts NULL */
mm_status txt_contexts_add(txt_contexts *c, const uint32_t *ids, size_t n, mm_error *e);
/* vector [n_words][dim], host memory. */
mm_status txt_contexts_finish(txt_contexts *c, const txt_vocabulary *v, const mm_host_linalg *linalg, int32_t dim,
                              float **out, mm_error *e);

/* Read: the text form of word2vec, fastText and GloVe, or word2vec's binary one, as they are or in gzip. A file that
 * has none of the vocabulary's words is refused. *dim is what the caller expects, or 0, and becomes the file's
 * own plus EMBEDDING_OWN. */
mm_status txt_vectors_read(const mma_host *h, const txt_vocabulary *v, const char *path, const char *instance,
                           int32_t *dim, float **out, mm_error *e);

/* Both: brings raw word vectors (their first dim - EMBEDDING_OWN coordinates) to one length, apart from each other, and
 * sets those of <end> and <pad>. Words without one get a direction of their own. */
void txt_vectors_normalise(const txt_vocabulary *v, int32_t dim, float *vector);

#endif
