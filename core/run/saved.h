/* saved.h - a trained model out of a checkpoint, ready to sample from. */
#ifndef MMI_SAVED_H
#define MMI_SAVED_H

#include "run/setup.h"
#include "mcmc/sampler.h"

typedef struct mmi_saved {
	mmi_setup setup;
	mmi_model *model;
	mmi_sampler *sampler;
	double x_step;         /* s of the data chain, as calibrated in training */
	int64_t iteration;     /* of training */
	bool has_energy;       /* the energy was trained: not by a baseline, and not while warm-up lasts */
} mmi_saved;

/* path: a checkpoint, or a run folder for its best or newest one. Rebuilds the modalities from the checkpoint's settings (changed by the request's sets and plugins; its ini is not
 * used), restores the three models, and makes a sampler for up to max_rows rows. *out must stay where it is until closed. */
mm_status mmi_saved_open(const char *path, const mmi_setup_request *request, uint32_t max_rows, mmi_saved *out, mm_error *e);
void mmi_saved_close(mmi_saved *s);
/* The posterior chain with the steps it was trained with, or none after a baseline, which knows no chains; with another number if
 * steps >= 0. It is the chain of one start, whatever training started: its gradient is whole (experts = all may have shared it out). */
mmi_posterior_args mmi_saved_posterior(const mmi_saved *s, int64_t steps);
/* The chain in which the joint energy guides latents, as the settings have it for samples or translations, with another number of
 * candidates or steps where they are >= 0; none where the energy was not trained. */
mmi_guide_args mmi_saved_guide(const mmi_saved *s, bool translation, int64_t candidates, int64_t steps);
/* The data chain as the settings have it for samples or translations, with another number of steps if steps >= 0; none where the
 * energy was not trained. */
mmi_revise_args mmi_saved_revise(const mmi_saved *s, bool translation, int64_t steps);

#endif
