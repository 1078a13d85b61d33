/* masks.h - who takes part: which modalities each row has, which expert starts its chain, whose private latent moves
 * and learns. Made once; filled for each batch without allocating. */
#ifndef MMI_MASKS_H
#define MMI_MASKS_H

#include "learn/losses.h"
#include "learn/settings.h"
#include "mcmc/runs.h"

typedef struct mmi_masks {
	uint32_t n, batch, chains;        /* modalities, samples here, chains a sample */
	bool own, separate;               /* private_chain = own; inference = independent */
	bool single;                      /* subsets are of one modality */
	float *there[MMI_MAX_MODALITIES]; /* [batch] 1: in the data, so its likelihood counts in losses, whatever moved the
	                                     chain */
	float *observed[MMI_MAX_MODALITIES]; /* [chains * batch] 1: its likelihood moves this chain */
	float *share[MMI_MAX_MODALITIES], *log_share[MMI_MAX_MODALITIES]; /* [batch] */
	float *counts_w[MMI_MAX_MODALITIES]; /* [chains * batch] 1: its w is revised and learned from */
	uint8_t *held_w[MMI_MAX_MODALITIES]; /* [chains * batch] 1: its w is not */
	uint8_t *held_x[MMI_MAX_MODALITIES]; /* [batch] 1: in the data, so not to be imputed */
	float *subset[MMI_MAX_MODALITIES];   /* [batch] 1: in a random non-empty subset of what is there */
	float *whole;                        /* [batch] 1: nothing is missing */
	uint32_t n_whole;                    /* of the whole batch */
	uint32_t *expert;                    /* [chains * batch] whose q(z | x) starts the chain */
	float *ones, *part, *log_part;       /* [chains * batch] 1, 1/M, log(1/M) */
	mmi_mirror all;                      /* all of these arrays, and where the device has them */
	mmi_mask data, generated;            /* for losses on data, and on complete tuples of our own */
} mmi_masks;

mm_status mmi_masks_create(const mmi_model *m, const mmi_settings *s, uint32_t rows, uint32_t chains, mmi_masks *out,
                           mm_error *e);
void mmi_masks_clear(const mmi_model *m, mmi_masks *k);
/* Where the device has what an array here has on the host. */
void *mmi_masks_on_device(const mmi_masks *k, const void *host);
/* Whose likelihoods move the posterior chains, and what of them stays; who is there, for where chain `c` starts; who is
 * there and stays where the others are imputed. */
mmi_parts mmi_masks_moved(const mmi_masks *k);
mmi_parts mmi_masks_start(const mmi_masks *k, uint32_t c);
mmi_parts mmi_masks_imputed(const mmi_masks *k);
/* For the rows of a batch that are computed here; observed as in mmi_batch. Experts and subsets are drawn with the
 * sampler's noise of the iteration. */
void mmi_masks_fill(const mmi_model *m, mmi_masks *k, mmi_sampler *s, const mmi_reduce *r, const float *const *observed,
                    uint32_t iteration);

#endif
