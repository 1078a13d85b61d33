/* measure.h - what an iteration tells of its chains. */
#ifndef MMI_MEASURE_H
#define MMI_MEASURE_H

#include "learn/update.h"

/* What an update measures is no number until it was made: there may be none. */
mmi_measures mmi_measures_none(bool warm);
/* All of these are told at the end of the iteration. Of the chains over latents that have just moved. */
void mmi_measure_posterior(mmi_learner *l);
/* U where the posterior chains ended, with the parameters that moved them: measured by a forward run before any update,
 * or, where that is the same, taken from the NLL that the generator's first update finds: `data`, its first term. */
void mmi_measure_posterior_end(mmi_learner *l);
void mmi_measure_generator(mmi_learner *l, const mmi_segment *data);
/* Of the data chain that has just moved. */
void mmi_measure_data(mmi_learner *l);
/* Of the energy's terms on data, revised tuples and, if there are any, swapped ones; the guard looks at their gap. As
 * mmi_terms_check. */
void mmi_measure_energy(mmi_learner *l, const mmi_terms *t, mmi_doubles sums, mmi_doubles norms, uint32_t n, int first);

#endif
