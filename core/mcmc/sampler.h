/* sampler.h - what a trained or training model can do with many samples at once: encode, decode, revise z, revise x.
 *
 * Rows are cut into chunks of a fixed size; numbers of rows passed in are multiples of it. Nothing is allocated after
 * creation, and results do not depend on the number of threads. */
#ifndef MMI_SAMPLER_H
#define MMI_SAMPLER_H

#include "engine/network.h"
#include "mcmc/langevin.h"
#include "model/model.h"

typedef struct mmi_sampler mmi_sampler;

typedef struct mmi_sampler_config {
	uint32_t chunk;     /* samples a run */
	uint32_t max_rows;  /* most rows of any call, chains of all experts included */
	uint64_t seed;
	const mmi_backend *backend; /* a float backend */
} mmi_sampler_config;

mm_status mmi_sampler_create(const mmi_model *model, mmi_pool *pool, const mmi_sampler_config *config, mmi_sampler **out, mm_error *e);
void mmi_sampler_destroy(mmi_sampler *s);
uint32_t mmi_sampler_chunk(const mmi_sampler *s);
/* Bytes of all programs' arenas and scratch. */
size_t mmi_sampler_bytes(const mmi_sampler *s);
typedef enum { MMI_SAMPLER_ENCODE, MMI_SAMPLER_DECODE, MMI_SAMPLER_POSTERIOR, MMI_SAMPLER_REVISE, MMI_SAMPLER_ENERGY } mmi_sampler_part;
/* The first worker's program of one part, for reports of its cost. Its inputs may still be bound to rows of the last call. */
mmi_program *mmi_sampler_program(const mmi_sampler *s, mmi_sampler_part part);
/* The chunk for a batch: its largest divisor up to the wanted size. Depends on the batch alone, never on threads. */
uint32_t mmi_chunk_for(uint32_t batch, uint32_t wanted);
/* Rows rounded up to whole chunks. */
uint32_t mmi_whole_chunks(uint32_t rows, uint32_t chunk);
/* Mixes a count into the noise of everything drawn from now on (rollbacks of the learner). */
void mmi_sampler_reseed(mmi_sampler *s, uint64_t count);

/* loc[m], scale[m]: [rows][latent_dim]. */
void mmi_sampler_encode(mmi_sampler *s, const float *const *x, uint32_t rows, float *const *loc, float *const *scale);
/* Standard draws eps of the prior's family [rows][latent_dim], numbered by expert. */
void mmi_sampler_standard(mmi_sampler *s, uint32_t rows, uint32_t expert, uint32_t iteration, float *eps);
/* z = loc + scale * eps with the same draws: one sample of q_expert(z | x) for each row. */
void mmi_sampler_draw(mmi_sampler *s, const float *loc, const float *scale, uint32_t rows, uint32_t expert, uint32_t iteration,
                      float *z);
/* z ~ p0. */
void mmi_sampler_prior(mmi_sampler *s, uint32_t rows, uint32_t iteration, float *z);
/* Which expert each row starts from: uniform in 0..n_modalities-1. */
void mmi_sampler_pick(mmi_sampler *s, uint32_t rows, uint32_t iteration, uint32_t *expert);
/* mean[m]: [rows][floats of modality m]. */
void mmi_sampler_decode(mmi_sampler *s, const float *z, uint32_t rows, float *const *mean);
/* E of each row. */
void mmi_sampler_energy(mmi_sampler *s, const float *const *x, uint32_t rows, float *energy);

typedef struct mmi_posterior_args {
	uint32_t steps, iteration;
	double step, noise;      /* s, n */
	double grad_scale;       /* 1 (sum over chains: the true posterior) or 1 / chains (the paper's mean) */
	mmi_chain_watch *watch;  /* NULL, or called for the first chunk only */
	void *watch_ctx;
} mmi_posterior_args;
/* z [n_chains * rows][latent_dim], chain c of row b at c * rows + b, moved in place given x. U at the start is in stats. */
void mmi_sampler_posterior(mmi_sampler *s, const mmi_posterior_args *a, const float *const *x, uint32_t rows, uint32_t n_chains,
                           float *z, const float *start, mmi_chain_stats *stats);

typedef struct mmi_revise_args {
	uint32_t steps, iteration;
	double step, noise;      /* s, n; each times a modality's x_scale */
	double move_max;         /* 0: none */
	bool clamp;              /* keep boxed modalities inside their box */
	mmi_chain_watch *watch;
	void *watch_ctx;
} mmi_revise_args;
/* x[m] [rows][floats] moved down the energy in place. start[m] as x[m], or all NULL. */
void mmi_sampler_revise(mmi_sampler *s, const mmi_revise_args *a, float *const *x, const float *const *start, uint32_t rows,
                        mmi_chain_stats *stats);

#endif
