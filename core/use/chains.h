/* chains.h - the chains of a trained model, as its commands use them. */
#ifndef MMI_CHAINS_H
#define MMI_CHAINS_H

#include "learn/saved.h"

typedef struct mmi_use_chains {
	mmi_posterior_args posterior;
	mmi_guide_args guide;
	mmi_revise_args revise;
} mmi_use_chains;

/* As trained where steps are negative. A model that has no energy yet (a baseline, or a warm-up that was not over) gets no data
 * chain and no guide, and is refused when steps of them are asked for; a baseline gets no posterior chain unless it is asked for. */
mm_status mmi_use_chains_of(const mmi_saved *s, int64_t z_steps, int64_t guide_steps, int64_t x_steps, mmi_use_chains *out, mm_error *e);
/* MM_EUNSUPPORTED, with the reason, when the checkpoint's energy model was not trained. */
mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e);

#endif
