/* langevin.h - a Langevin chain over the inputs of one program: both kernels of the learner are this function, once over z
 * with U and once over x_1..x_M with E.
 *
 *   state <- clamp(state - drift_i d energy/d state_i + noise_i xi),   drift = s^2/2, noise = n
 *
 * A chunk of samples goes through all steps at once, so its working set stays in cache and no barrier falls inside. */
#ifndef MMI_LANGEVIN_H
#define MMI_LANGEVIN_H

#include "engine/program.h"
#include "engine/vec.h"

#define MMI_MAX_STATES 32

/* What does not change from chunk to chunk. */
typedef struct mmi_chain {
	uint32_t n_states;
	mm_tensor state[MMI_MAX_STATES], grad[MMI_MAX_STATES]; /* inputs of the program, and outputs */
	mm_tensor energy;                                      /* output, a number per sample */
	int64_t count[MMI_MAX_STATES];                         /* floats of one sample */
	mmi_langevin update[MMI_MAX_STATES];
	uint64_t key[MMI_MAX_STATES];                          /* of the noise */
	float unit[MMI_MAX_STATES];                            /* the state's natural unit (range of a picture's values; 1) */
	float weight[MMI_MAX_STATES];                          /* of its gradient in the drift, relative to s^2/2 (x_scale^2; 1) */
	int64_t simplex[MMI_MAX_STATES];                       /* project each run of so many values on the simplex; 0: no */
	uint32_t steps, iteration;
	float move_max;                                        /* bound on a sample's rms movement in units; 0: none */
} mmi_chain;

/* Sums over samples and steps; add up chunk by chunk in order. */
typedef struct mmi_chain_stats {
	double energy;   /* at the start, summed over samples */
	double grad2;    /* squared gradient of what may move, at the start, times (weight / unit)^2: for calibration */
	double drift2, noise2; /* squared, in units, over all steps */
	double move2;    /* squared displacement end - start, in units; 0 without start */
	double elements; /* floats of all samples that may move, none that are held: what the squares above are summed over */
} mmi_chain_stats;

/* Called with the state before each step and after the last (step == steps), for traces. */
typedef void mmi_chain_watch(void *ctx, uint32_t step, const mmi_program *program);

typedef struct mmi_chain_rows {
	float *state[MMI_MAX_STATES];       /* moved in place: n samples each */
	const float *start[MMI_MAX_STATES]; /* where they began, for movement and its bound; all NULL: not measured */
	const uint8_t *held[MMI_MAX_STATES]; /* per sample, 1: this state stays where it is; NULL: all move */
	uint32_t n, first;                  /* samples, and the first one's number in the batch (of the noise) */
} mmi_chain_rows;

void mmi_chain_run(const mmi_chain *c, mmi_program *program, const mmi_chain_rows *rows, mmi_chain_stats *stats,
                   mmi_chain_watch *watch, void *ctx);
/* Euclidean projection of x[0..n) on the probability simplex, in place (Michelot 1986). */
void mmi_simplex_project(float *x, int64_t n);
void mmi_chain_stats_add(mmi_chain_stats *sum, const mmi_chain_stats *part);

#endif
