/* assess.h - the evaluation as what the runs of an ablation are judged by. */
#ifndef MMI_ASSESS_H
#define MMI_ASSESS_H

#include "data/tuples.h"
#include "ablate/ablate.h"

typedef struct mmi_assess {
	const char *judge; /* what mmcore judge wrote, for the data of all runs */
	uint32_t count;    /* samples, and tuples of the split at most */
	bool has_part;     /* false: validation where a run holds tuples out for it, else test */
	mmi_part part;
} mmi_assess;

/* All figures of evaluate.h but the cost, of the run's checkpoint, under "name/of/variant" with underlines for spaces;
 * they go into the run's folder as eval.json and eval.csv too. The stamp is judge, count and split. a must outlive the
 * result. */
mmi_ablation_assessor mmi_assess_runs(mmi_assess *a);

#endif
