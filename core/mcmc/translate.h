/* translate.h - from any non-empty subset of the modalities to the others (the paper's Eq. 17): z starts from one
 * expert of the observed, is revised with their likelihoods only, the others are decoded, and the energy chain moves
 * them while the observed ones stay. */
#ifndef MMI_TRANSLATE_H
#define MMI_TRANSLATE_H

#include "mcmc/sampler.h"

typedef struct mmi_translate_args {
	uint32_t number; /* which draws */
	int32_t expert; /* whose q(z | x) starts: a modality's index, or -1: drawn among the observed, or their product (the
	                 * model's fusion) */
	double temperature;           /* of the expert's draws: 1 as they are, 0 its location */
	mmi_posterior_args posterior; /* steps 0: z is not revised. iteration, observed and held are set here */
	mmi_guide_args guide; /* of its candidates the posterior chain starts; its steps follow that chain. steps 0 and one
	                       * candidate: the energy does not guide z. iteration, x, observed and held are set here */
	mmi_revise_args revise;                          /* steps 0: no energy chain. iteration and held are set here */
	mmi_chain_stats *posterior_stats, *revise_stats; /* out; may be NULL */
} mmi_translate_args;

typedef struct mmi_translator mmi_translator;

/* Buffers for up to max_rows rows of the sampler's model. */
mm_status mmi_translator_create(const mmi_model *m, mmi_sampler *s, uint32_t max_rows, mmi_translator **out,
                                mm_error *e);
void mmi_translator_destroy(mmi_translator *t);
/* x[m] [rows][floats], whole chunks of a span of a batch; observed[m] [rows] of 1 and 0, at least one 1 a row (an
 * expert that is asked for must be observed in every row). Rows go to the device once and come back once. What is not
 * observed may hold anything finite and comes back decoded and revised; what is observed is not touched. latents gets
 * the z, w that were decoded; may be NULL. Allocates nothing. */
void mmi_translate(mmi_translator *t, const mmi_translate_args *a, float *const *x, const float *const *observed,
                   mmi_span span, mmi_latents *latents);

#endif
