/* runs.h - what sampler.h offers, on rows of the model's device: for whoever keeps them there from one call to the
 * next, as the learner does. Work is queued; calls that tell sums wait for them, unless `stats` is NULL: then they stay
 * on the device, chunk by chunk, until the next chain (mmi_sampler_chunk_stats). Of the structs of arguments the
 * pointers to rows are not looked at: mmi_parts has them. */
#ifndef MMI_RUNS_H
#define MMI_RUNS_H

#include "mcmc/sampler.h"
#include "model/device_rows.h"

/* Who takes part in each row; .at NULL: all, or none is held. */
typedef struct mmi_parts {
	mmi_floats observed[MMI_MAX_MODALITIES]; /* [rows] of 1 and 0 */
	mmi_bytes held[MMI_MAX_MODALITIES];      /* [rows] 1: that modality, or its w, stays as it is */
	mmi_words expert;                        /* [rows] whose q(z | x) it takes */
} mmi_parts;

void mmi_run_encode(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_experts *out);
void mmi_run_standard(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, const mmi_device_latents *eps);
void mmi_run_prior(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, const mmi_device_latents *z);
void mmi_run_start(mmi_sampler *s, const mmi_start_args *a, const mmi_parts *p, const mmi_device_experts *experts,
                   mmi_span span, const mmi_device_latents *out);
/* `points`, [rows][z_dim], which were numbers of scales, become where so many of them from the location are. */
void mmi_run_fuse(mmi_sampler *s, const mmi_parts *p, const mmi_device_experts *experts, uint32_t rows,
                  mmi_floats points);
void mmi_run_noise(mmi_sampler *s, mmi_span span, uint32_t iteration, const mmi_device_rows *x);
void mmi_run_decode(mmi_sampler *s, const mmi_device_latents *z, uint32_t rows, const mmi_device_rows *mean);
typedef struct mmi_device_energies { /* as mmi_energies */
	mmi_floats joint, term[MMI_TERMS];
} mmi_device_energies;
void mmi_run_energies(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_energies *out);
void mmi_run_embed(mmi_sampler *s, const mmi_device_rows *x, uint32_t rows, const mmi_device_rows *unit,
                   mmi_floats scale);
void mmi_run_posterior(mmi_sampler *s, const mmi_posterior_args *a, const mmi_parts *p, const mmi_device_rows *x,
                       mmi_span span, uint32_t n_chains, const mmi_device_latents *z, const mmi_device_latents *start,
                       mmi_chain_stats *stats);
/* U is the energy of the stats. */
void mmi_run_potential(mmi_sampler *s, const mmi_parts *p, const mmi_device_rows *x, uint32_t rows, uint32_t n_chains,
                       const mmi_device_latents *z, mmi_chain_stats *stats);
/* x NULL: nothing is given. */
void mmi_run_guide(mmi_sampler *s, const mmi_guide_args *a, const mmi_parts *p, const mmi_device_rows *x, mmi_span span,
                   const mmi_device_latents *z, const mmi_device_latents *start, mmi_chain_stats *stats);
/* How draws to choose from are made: as by mmi_run_start, or, where start is NULL, from the prior. */
typedef struct mmi_proposal {
	const mmi_start_args *start;
	const mmi_parts *parts;
	const mmi_device_experts *experts;
} mmi_proposal;
/* mmi_sampler_choose_start and mmi_sampler_choose_prior. */
void mmi_run_choose(mmi_sampler *s, const mmi_guide_args *a, const mmi_parts *p, const mmi_device_rows *x,
                    const mmi_proposal *from, mmi_span span, const mmi_device_latents *z);
void mmi_run_revise(mmi_sampler *s, const mmi_revise_args *a, const mmi_parts *p, const mmi_device_rows *x,
                    const mmi_device_rows *start, mmi_span span, mmi_chain_stats *stats);

#endif
