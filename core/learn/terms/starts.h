/* starts.h - where data chains start when not at the generator's samples (ablations): noise, or a buffer of persistent
 * chains (Tieleman 2008). */
#ifndef MMI_STARTS_H
#define MMI_STARTS_H

#include "learn/learner.h"

/* Replaces the generator's samples by the start x_start names. Chains of the buffer bring their latents into z_prior.
 */
void mmi_start_data_chain(mmi_learner *l, uint32_t t);
/* What the experts say of what is given, once they have learned: for data chains that start anew. */
void mmi_refresh_given(mmi_learner *l);
/* Negatives of a further update of the energy: the chain goes on from where it is, down the energy that the updates
 * before have changed, as persistent chains do. x_move_max bounds each stretch. */
void mmi_continue_data_chain(mmi_learner *l, uint32_t number);
/* Puts the revised chains back into the buffer. */
void mmi_keep_data_chain(mmi_learner *l);

#endif
