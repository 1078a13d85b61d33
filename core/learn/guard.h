/* guard.h - what stops an update. Checks are made where the numbers are, on the device; the first that fails stops all
 * updates behind it, and the host is told at the end of the iteration. */
#ifndef MMI_GUARD_H
#define MMI_GUARD_H

#include "learn/learner.h"

/* The word that checks set: no update is made while it is not 0. */
mmi_words mmi_guard_word(const mmi_learner *l);
/* The sum of an ELBO, and of its models, the first of which has this number, the norms: who is to blame. */
void mmi_guard_elbo(mmi_learner *l, mmi_doubles sum, mmi_doubles norms, uint32_t n, int first);
/* A gradient of model `which`, by its norm. */
void mmi_guard_gradient(mmi_learner *l, mmi_doubles norm, int which);
/* What the update of model `which` made that was queued last. */
void mmi_guard_update(mmi_learner *l, int which);
/* The energy loss data / of_data - revised / of_revised: when it is not finite, or so far beyond its running median
 * that it has left the regime in which its gradient means something. Otherwise it goes into the median. Returns where
 * the loss is. */
mmi_doubles mmi_guard_gap(mmi_learner *l, mmi_doubles data, double of_data, mmi_doubles revised, double of_revised);
/* The end of an iteration, from what was read: the word in numbers[0], gap and median of each update of the energy. The
 * medians' losses go into the learner's state, unless something failed: MM_ENUMERIC, with m->culprit. */
mm_status mmi_guard_end(mmi_learner *l, const double *numbers, const double *gaps, mmi_measures *m, mm_error *e);

#endif
