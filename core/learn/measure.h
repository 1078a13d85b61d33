/* measure.h - what an iteration tells of its chains. */
#ifndef MMI_MEASURE_H
#define MMI_MEASURE_H

#include "learn/update.h"

/* What an update measures is no number until it was made: there may be none. */
mmi_measures mmi_measures_none(bool warm);
void mmi_measure_posterior(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m);
/* U where the posterior chains ended, with the parameters that moved them: measured by a forward run before any update,
 * or, where that is the same, taken from the mean NLL that the generator's first update finds. */
void mmi_measure_posterior_end(mmi_learner *l, mmi_measures *m);
void mmi_measure_generator(const mmi_learner *l, double nll, mmi_measures *m);
/* Of the energy's terms on data, revised tuples and, if there are any, swapped ones. */
void mmi_measure_energy(const mmi_learner *l, const mmi_terms *t, mmi_measures *m);
void mmi_measure_data(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m);

#endif
