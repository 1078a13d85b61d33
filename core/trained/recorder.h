/* recorder.h - a chain as it runs: energies and movement of every step, and the state of some. Bounded in memory;
 * nothing of it is on the path of training. */
#ifndef MMI_RECORDER_H
#define MMI_RECORDER_H

#include "mcmc/sampler.h"

#define MMI_RECORDER_FRAMES 32u /* most states kept */

typedef struct mmi_recorder {
	uint32_t rows;                    /* samples: one chunk, since that is what a watch sees */
	uint32_t steps, stride, n_frames; /* of the chain; between frames; the last step is always one */
	mm_tensor energy_at;
	bool laplace; /* family of the latents' prior */
	uint32_t n_states;
	const float *state[MMI_MAX_STATES]; /* the caller's rows, moved by the chain */
	size_t count[MMI_MAX_STATES];
	double unit[MMI_MAX_STATES];       /* movement is told in these */
	float *last[MMI_MAX_STATES];       /* the step before */
	float *frame[MMI_MAX_STATES];      /* [n_frames][rows][count] */
	float *at_step;                    /* [rows] energies of the step at hand */
	double *energy, *move, *log_prior; /* [steps + 1][rows]; move: rms over elements since the step before */
} mmi_recorder;

/* steps is the chain's. Every second state is kept, fewer when there would be too many. Add the states before the chain
 * runs. */
mm_status mmi_recorder_create(uint32_t rows, uint32_t steps, mm_tensor energy_at, mmi_recorder *out, mm_error *e);
mm_status mmi_recorder_add(mmi_recorder *r, const float *state, size_t count, double unit, mm_error *e);
void mmi_recorder_clear(mmi_recorder *r);
mmi_chain_watch mmi_recorder_watch; /* ctx: the recorder */
/* The step a frame shows, and its rows of a state. */
uint32_t mmi_recorder_step(const mmi_recorder *r, uint32_t frame);
float *mmi_recorder_frame(const mmi_recorder *r, uint32_t frame, uint32_t state);

#endif
