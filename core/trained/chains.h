/* chains.h - the chains of a trained model, as its commands use them. */
#ifndef MMI_CHAINS_H
#define MMI_CHAINS_H

#include "run/saved.h"

/* Lengths of the chains, and draws that the guided one chooses from. Negative: as the settings have them. */
typedef struct mmi_use_steps {
	int64_t z, candidates, guide, x;
} mmi_use_steps;
#define MMI_USE_STEPS_AS_TRAINED { -1, -1, -1, -1 }

typedef struct mmi_use_chains {
	mmi_posterior_args posterior;
	mmi_guide_args guide, translation; /* of samples from the prior, and of translations */
	mmi_revise_args revise, revise_translation;
} mmi_use_chains;

/* A model that has no energy yet (a baseline, or a warm-up that was not over) gets no data chain and no guide, and is refused when
 * some of them are asked for; a baseline gets no posterior chain unless it is asked for. */
mm_status mmi_use_chains_of(const mmi_saved *s, const mmi_use_steps *steps, mmi_use_chains *out, mm_error *e);
/* MM_EUNSUPPORTED, with the reason, when the checkpoint's energy model was not trained. */
mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e);

#endif
