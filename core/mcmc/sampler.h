/* sampler.h - what a trained or training model can do with many samples at once: encode, decode, revise z, revise x.
 *
 * Where something is drawn, rows are a span of a batch (mmi_whole: all of it): two halves of a batch, one after the
 * other or on two machines, come to the same bits as the whole.
 *
 * Rows are cut into chunks of a fixed size; numbers of rows passed in are multiples of it. Nothing is allocated after
 * creation, and results do not depend on the number of threads. */
#ifndef MMI_SAMPLER_H
#define MMI_SAMPLER_H

#include "engine/network.h"
#include "engine/span.h"
#include "mcmc/langevin.h"
#include "model/latents.h"
#include "model/model.h"

typedef struct mmi_sampler mmi_sampler;

typedef struct mmi_sampler_config {
	uint32_t chunk;    /* samples a run */
	uint32_t max_rows; /* most rows of any call, chains of all experts included */
	uint64_t seed;
	uint32_t nets; /* that are compiled at once, as for mmi_sampler_prepare */
} mmi_sampler_config;

/* The networks of a sampler, as bits. */
typedef enum {
	MMI_NET_ENCODE = 1 << 0,
	MMI_NET_DECODE = 1 << 1,
	MMI_NET_POSTERIOR = 1 << 2, /* steps of the posterior chain */
	MMI_NET_POTENTIAL = 1 << 3, /* mmi_sampler_potential */
	MMI_NET_REVISE = 1 << 4,    /* steps of the data chain */
	MMI_NET_ENERGY = 1 << 5,
	MMI_NET_EMBED = 1 << 6,
	MMI_NET_MODEL = (1 << 7) - 1 /* all of these */
} mmi_sampler_net;
/* Steps of the guided chain, and candidates, by these terms of the joint energy (bits 1 << mmi_term; 0: all): each set
 * of terms is a network of its own, so that none computes what nobody asked for. */
#define MMI_NET_GUIDE(terms) (UINT32_C(1) << (8 + (terms)))
#define MMI_NET_SCREEN(terms) (UINT32_C(1) << (16 + (terms)))
/* The same terms of a tuple as it is: what bounds a data chain. */
#define MMI_NET_FIT(terms) (UINT32_C(1) << (24 + (terms)))
#define MMI_NET_ALL (MMI_NET_MODEL | MMI_NET_GUIDE(0) | MMI_NET_SCREEN(0))

mm_status mmi_sampler_create(const mmi_model *model, mmi_pool *pool, const mmi_sampler_config *config,
                             mmi_sampler **out, mm_error *e);
void mmi_sampler_destroy(mmi_sampler *s);
/* Compiles those of the networks that are not yet. What was not asked for must not be used, but for chains without
 * steps. */
mm_status mmi_sampler_prepare(mmi_sampler *s, uint32_t nets, mm_error *e);
/* Before that, where data chains are to have a watch: their program then runs a whole chunk, not a part that is faster.
 */
void mmi_sampler_expect_watch(mmi_sampler *s);
uint32_t mmi_sampler_chunk(const mmi_sampler *s);
typedef enum {
	MMI_SAMPLER_ENCODE,
	MMI_SAMPLER_DECODE,
	MMI_SAMPLER_POSTERIOR,
	MMI_SAMPLER_REVISE,
	MMI_SAMPLER_ENERGY
} mmi_sampler_part;
/* The first worker's program of one part, for reports of its cost. Its inputs may still be bound to rows of the last
 * call. */
mmi_program *mmi_sampler_program(const mmi_sampler *s, mmi_sampler_part part);
/* Its samples a run: a chunk, or of the data chain fewer. */
uint32_t mmi_sampler_program_rows(const mmi_sampler *s, mmi_sampler_part part);
/* Where U (posterior) or E (revise, energy) of each sample is in that part's program: for a chain's watch. */
mm_tensor mmi_sampler_energy_tensor(const mmi_sampler *s, mmi_sampler_part part);
/* The same of the chain that these terms guide. */
mm_tensor mmi_sampler_guide_tensor(const mmi_sampler *s, uint32_t terms);
/* The chunk for a batch: its largest divisor up to the wanted size. Depends on the batch alone, never on threads. */
uint32_t mmi_chunk_for(uint32_t batch, uint32_t wanted);
/* Rows rounded up to whole chunks. */
uint32_t mmi_whole_chunks(uint32_t rows, uint32_t chunk);
/* Mixes a count into the noise of everything drawn from now on (rollbacks of the learner). */
void mmi_sampler_reseed(mmi_sampler *s, uint64_t count);

/* Draws from the prior are those of the clusters from now on; they stay the caller's. NULL: the model's own again.
 * Chains over latents go down the model's own prior in any case. */
void mmi_sampler_use_prior(mmi_sampler *s, const mmi_fitted_prior *fitted);

/* What all encoders tell of each row; rows of modalities that are not observed must be finite and tell nothing. */
void mmi_sampler_encode(mmi_sampler *s, const float *const *x, uint32_t rows, const mmi_experts *out);
/* Standard draws of the prior's family for every latent of each row, numbered by chain. */
void mmi_sampler_standard(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, mmi_latents *eps);
/* z ~ p0, w_m ~ p0, numbered by chain. */
void mmi_sampler_prior(mmi_sampler *s, mmi_span span, uint32_t chain, uint32_t iteration, mmi_latents *z);
/* Which expert each row starts from: uniform among those observed ([modality][rows] of 1 and 0; NULL: all). */
void mmi_sampler_pick(mmi_sampler *s, mmi_span span, uint32_t iteration, const float *const *observed,
                      uint32_t *expert);

/* Uniform in a box, uniform and then on the simplex, standard normal where there are no bounds: for starts of data
 * chains, with whose noise these draws share nothing. */
void mmi_sampler_noise(mmi_sampler *s, mmi_span span, uint32_t iteration, float *const *x);
/* 32 random bits for a row, numbered in the whole batch here and below: a subset of modalities. */
uint32_t mmi_sampler_subset(mmi_sampler *s, uint32_t row, uint32_t attempt, uint32_t iteration);

/* Uniform integer in 0..n-1, for choices beside the chains; `what` tells choices of one row apart. */
uint32_t mmi_sampler_below(const mmi_sampler *s, uint32_t row, uint32_t what, uint32_t iteration, uint32_t n);
/* Uniform in 0..1. */
double mmi_sampler_chance(const mmi_sampler *s, uint32_t row, uint32_t iteration);

typedef struct mmi_start_args {
	uint32_t iteration, chain;    /* of the draws */
	const uint32_t *expert;       /* [rows] whose q(z | x) each row takes */
	const float *const *observed; /* [modality][rows] of 1 and 0; NULL: all */
	bool single;        /* that expert alone (with the prior, after mvae), also where the model's fusion is a product */
	bool own;           /* only the expert's own w is inferred; otherwise that of every observed modality */
	double temperature; /* times the experts' scales: 1 draws, 0 their locations (and 0 for what would come from the
	                       prior) */
} mmi_start_args;
/* Where posterior chains start: z ~ q_e(z | x_e), w_m ~ q_m(w | x_m) where it is inferred, else w_m ~ p0. */
void mmi_sampler_start(mmi_sampler *s, const mmi_start_args *a, const mmi_experts *experts, mmi_span span,
                       mmi_latents *out);
/* Location and scale of what the observed experts come to in each row, [rows][z_dim], where the model's fusion makes
 * one distribution of them: any but a mixture. */
void mmi_sampler_fuse(mmi_sampler *s, const float *const *observed, const mmi_experts *experts, uint32_t rows,
                      float *loc, float *scale);
/* mean[m]: [rows][floats of modality m]. */
void mmi_sampler_decode(mmi_sampler *s, const mmi_latents *z, uint32_t rows, float *const *mean);
/* The joint energy of each row. */
void mmi_sampler_energy(mmi_sampler *s, const float *const *x, uint32_t rows, float *energy);
/* The same and its terms, [rows] each; NULL: not wanted. Those that the model has not are left as they are. */
typedef struct mmi_energies {
	float *joint, *term[MMI_TERMS];
} mmi_energies;
void mmi_sampler_energies(mmi_sampler *s, const float *const *x, uint32_t rows, const mmi_energies *out);
/* The unit vectors of E_match, [modality][rows][MMI_MATCH_DIM], and log(1 / tau) as each row has it, [rows]. The model
 * must have it. */
void mmi_sampler_embed(mmi_sampler *s, const float *const *x, uint32_t rows, float *const *unit, float *scale);

typedef struct mmi_posterior_args {
	uint32_t steps, iteration;
	double step, noise;           /* s, n */
	double grad_scale;            /* 1 (sum over chains: the true posterior) or 1 / chains (the paper's mean) */
	const float *const *observed; /* [modality][n_chains * rows] of 1 and 0: whose likelihood counts; NULL: all */
	const uint8_t *const *held;   /* [modality][n_chains * rows], 1: w_m stays as it is; NULL: all move */
	mmi_chain_watch *watch;       /* NULL, or called for the first chunk only */
	void *watch_ctx;
} mmi_posterior_args;
/* Latents of chain c of row b at c * rows + b (drawn for as row c * of + first + b), moved in place given x
 * [modality][rows]:
 * U(z, W) = sum_m observed_m weight_m NLL_m(x_m | z, w_m) - log p0(z) - sum_m log p0(w_m). U at the start is in stats.
 * start may be NULL: movement is not measured. */
void mmi_sampler_posterior(mmi_sampler *s, const mmi_posterior_args *a, const float *const *x, mmi_span span,
                           uint32_t n_chains, mmi_latents *z, const mmi_latents *start, mmi_chain_stats *stats);
/* U of those latents where they are, summed: forward alone. observed as in mmi_posterior_args. */
double mmi_sampler_potential(mmi_sampler *s, const float *const *observed, const float *const *x, uint32_t rows,
                             uint32_t n_chains, const mmi_latents *z);

typedef struct mmi_guide_args {
	uint32_t candidates; /* draws of the latents of which the first is chosen; 0 and 1: the first is taken */
	uint32_t steps, iteration;
	double step, noise;           /* s, n */
	double weight;                /* of the energy */
	uint32_t terms;               /* of the joint energy, as bits 1 << mmi_term; 0: all that the model has */
	const float *const *x;        /* [modality][rows][floats] of what is given; NULL: nothing is */
	const float *const *observed; /* [modality][rows] of 1 and 0, with x */
	const uint8_t *const *held;   /* [modality][rows], 1: w_m stays as it is; NULL: all move */
	mmi_chain_watch *watch;
	void *watch_ctx;
} mmi_guide_args;
/* Whether latents come out otherwise than they were drawn. */
static inline bool mmi_guide_acts(const mmi_guide_args *a)
{
	return a->candidates > 1 || a->steps;
}
/* Of a->candidates draws of p0 (mmi_sampler_prior with chain 0, 1, ...) one, with probability proportional to
 * exp(-weight E): sampling importance resampling (Rubin 1987) from the density that the guided chain then samples,
 * exact as draws become many. An energy that is not finite is chosen only where no draw has another. Takes candidates,
 * iteration, weight of a. */
void mmi_sampler_choose_prior(mmi_sampler *s, const mmi_guide_args *a, mmi_span span, mmi_latents *z);
/* The same of draws as mmi_sampler_start makes them (chain start->chain, start->chain + 1, ...): q(z | x) exp(-weight
 * E). Takes x and observed of a as well. Means do not differ from each other: the first is taken. */
void mmi_sampler_choose_start(mmi_sampler *s, const mmi_guide_args *a, const mmi_start_args *start,
                              const mmi_experts *experts, mmi_span span, mmi_latents *z);
/* Latents moved in place to where tuples have low energy, whose parts that are not observed are the decoders' means
 * g(z, W): U(z, W) = weight E(x observed, g(z, W) otherwise) + sum_m observed_m weight_m NLL_m(x_m | z, w_m) - log
 * p0(z) - sum_m log p0(w_m) With nothing given, from the prior, as VAEBM samples (Xiao et al. 2021); otherwise a
 * posterior chain that the energy guides. */
void mmi_sampler_guide(mmi_sampler *s, const mmi_guide_args *a, mmi_span span, mmi_latents *z, const mmi_latents *start,
                       mmi_chain_stats *stats);

typedef struct mmi_revise_args {
	uint32_t steps, iteration;
	double step, noise;  /* s, n; each times a modality's x_scale */
	double move_max;     /* 0: none */
	double rise_max;     /* most that the terms below of a tuple's joint energy may rise: one in which they rise more
	                        stays as it began. Without a start, and with 0: no bound */
	uint32_t rise_terms; /* as bits 1 << mmi_term; of none that the model has: no bound */
	bool clamp;          /* keep boxed modalities inside their box */
	bool from_noise; /* for who makes the start, see mmi_generate: samples start at mmi_sampler_noise, as in training */
	uint32_t number; /* of row 0 of the whole batch in the noise: chains on other data of one iteration differ */
	const uint8_t *const *held; /* [modality][rows], 1: stays as it is; NULL: all move */
	mmi_chain_watch *watch;     /* as above; called where the sampler was told to expect it */
	void *watch_ctx;
} mmi_revise_args;
/* Where the device has what the last chain came to in each chunk of its rows, in order: what its stats are the sum of.
 */
mmi_chain_sums mmi_sampler_chunk_stats(const mmi_sampler *s);
/* The networks of such a chain, as bits. */
static inline uint32_t mmi_revise_nets(const mmi_revise_args *a)
{
	return MMI_NET_REVISE | (a->rise_max > 0 ? MMI_NET_FIT(a->rise_terms) : 0u);
}
/* Those that stayed as they began, of the rows of the last chain with a bound. */
uint32_t mmi_sampler_stayed(const mmi_sampler *s);
/* x[m] [rows][floats] moved down the energy in place. start[m] as x[m], or NULL. */
void mmi_sampler_revise(mmi_sampler *s, const mmi_revise_args *a, float *const *x, const float *const *start,
                        mmi_span span, mmi_chain_stats *stats);

#endif
