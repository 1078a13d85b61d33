/* update.h - one step of Adam of the models that some segments of loss train. */
#ifndef MMI_UPDATE_H
#define MMI_UPDATE_H

#include "learn/learner.h"

typedef struct mmi_terms { /* of one loss; each part of the learner that has one appends it */
	mmi_segment at[MMI_MAX_TERMS];
	uint32_t n;
} mmi_terms;

/* May refuse an update by the sums of its terms, [n][2], before the step, or by the norms of its models' gradients, the
 * first of which has number `first`: with the guard. */
typedef void mmi_terms_check(mmi_learner *l, const mmi_terms *t, mmi_doubles sums, mmi_doubles norms, uint32_t n,
                             int first);

/* The terms' gradients to the models that the first one's loss trains, and one step of each model; all of it queued.
 * The guard (guard.h) stops steps when the sums are refused, or a gradient or what a step makes is not finite. tell:
 * what the sums come to, [n terms][2]; check and tell may be NULL. */
void mmi_model_update(mmi_learner *l, mmi_terms *t, mmi_terms_check *check, mmi_teller *tell);

/* n updates of one kind, numbered; only the first one's measures are told. */
typedef void mmi_update(mmi_learner *l, const mmi_batch *batch, uint32_t number);
void mmi_updates(mmi_update *make, uint32_t n, mmi_learner *l, const mmi_batch *batch);

#endif
