/* saved.h - a trained model out of a checkpoint, ready to sample from. */
#ifndef MMI_SAVED_H
#define MMI_SAVED_H

#include "run/fitted.h"
#include "run/setup.h"
#include "mcmc/sampler.h"

typedef struct mmi_saved {
	mmi_setup setup;
	mmi_model *model;
	mmi_sampler *sampler;
	double x_step;     /* s of the data chain, as calibrated in training */
	int64_t iteration; /* of training */
	bool has_energy;   /* the energy was trained: not by a baseline, and not while warm-up lasts */
	bool has_match;    /* there is an E_match, and it was trained */
	bool has_fitted;   /* a prior was fitted to it, and [sample] prior wants it: */
	mmi_fitted fitted; /* what the sampler's draws from the prior are of */
} mmi_saved;

/* path: a checkpoint, or a run folder for its best or newest one. Rebuilds the modalities from the checkpoint's
 * settings (changed by the request's sets and plugins; its ini is not used), restores the three models, and makes a
 * sampler for up to max_rows rows, whose networks mmi_sampler_prepare compiles. *out must stay where it is until
 * closed.
 */
mm_status mmi_saved_open(const char *path, const mmi_setup_request *request, uint32_t max_rows, mmi_saved *out,
                         mm_error *e);
/* The same of an open checkpoint, which stays the caller's and is not needed afterwards. max_rows 0: without a sampler.
 */
mm_status mmi_saved_open_checkpoint(const mmi_checkpoint *ck, const mmi_setup_request *request, uint32_t max_rows,
                                    mmi_saved *out, mm_error *e);
/* A sampler of another chunk: rows come out as with every other, to the bit. Its networks are compiled
 * by mmi_sampler_prepare, too. */
mm_status mmi_saved_sampler(const mmi_saved *s, uint32_t chunk, uint32_t max_rows, mmi_sampler **out, mm_error *e);
void mmi_saved_close(mmi_saved *s);
/* The chains of a recipe (settings.sample or .translate), changed: with the steps and noise that they were trained
 * with. No posterior chain after a baseline, which knows none, unless the change asks for one; nothing of the energy
 * where it was not trained. */
mmi_chains mmi_saved_chains(const mmi_saved *s, const mmi_recipe *recipe, const mmi_recipe_change *change);

#endif
