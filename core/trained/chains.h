/* chains.h - the chains of a trained model, as its commands use them. */
#ifndef MMI_CHAINS_H
#define MMI_CHAINS_H

#include "run/saved.h"

typedef struct mmi_use_chains {
	mmi_chains sample, translate;
} mmi_use_chains;

/* A model that has no energy yet (a baseline, or a warm-up that was not over) gets no data chain, no latent chain and
 * no choice, and is refused when some of them are asked for; a baseline gets no posterior chain unless it is asked for.
 */
mm_status mmi_use_chains_of(const mmi_saved *s, const mmi_recipe_change *change, mmi_use_chains *out, mm_error *e);
/* MM_EUNSUPPORTED, with the reason, when the checkpoint's energy model was not trained. */
mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e);

#endif
