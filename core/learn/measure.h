/* measure.h - what an iteration tells of its chains. */
#ifndef MMI_MEASURE_H
#define MMI_MEASURE_H

#include "learn/learner.h"

/* What an update measures is no number until it was made: there may be none. */
mmi_measures mmi_measures_none(bool warm);
void mmi_measure_posterior(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m);
/* U where the posterior chains ended, with the parameters that moved them: `args` is of those chains. */
void mmi_measure_posterior_end(mmi_learner *l, const mmi_batch *batch, mmi_posterior_args args, mmi_measures *m);
void mmi_measure_data(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m);

#endif
