/* update.h - one step of Adam of the models that some segments of loss train. */
#ifndef MMI_UPDATE_H
#define MMI_UPDATE_H

#include "learn/learner.h"

typedef struct mmi_terms { /* of one loss; each part of the learner that has one appends it */
	mmi_segment at[MMI_MAX_TERMS];
	uint32_t n;
} mmi_terms;

/* Takes the measures of an update from the sums of its terms before the step, and may refuse it. */
typedef mm_status mmi_terms_read(mmi_learner *l, const mmi_terms *t, mmi_measures *m, mm_error *e);

/* The terms' gradients to the models that the first one's loss trains; what they came to is read (NULL: by nobody); one
 * step of each model. MM_ENUMERIC when the sums are refused, or a gradient or what a step makes is not finite:
 * m->culprit says whose. */
mm_status mmi_model_update(mmi_learner *l, mmi_terms *t, mmi_terms_read *read, mmi_measures *m, mm_error *e);

/* n updates of one kind, numbered; the first one's measures stay. */
typedef mm_status mmi_update(mmi_learner *l, const mmi_batch *batch, uint32_t number, mmi_measures *m, mm_error *e);
mm_status mmi_updates(mmi_update *make, uint32_t n, mmi_learner *l, const mmi_batch *batch, mmi_measures *m,
                      mm_error *e);

#endif
