/* rehearse.h - what a run would take, without running it. */
#ifndef MMI_REHEARSE_H
#define MMI_REHEARSE_H

#include "run/setup.h"

typedef struct mmi_rehearsal {
	uint32_t tuples, shown;                /* of the training data, and of the data on sheets */
	uint64_t generator, inference, energy; /* parameters */
	double warm_seconds, chain_seconds;    /* of one iteration without and with chains; NaN: the run has none */
	double seconds;                        /* of the whole run, outputs aside */
	double iterations;                     /* of the whole run: an estimate where it has a time budget */
	double bytes;                          /* the most memory that the process has had by then */
} mmi_rehearsal;

/* Opens the data, builds the networks and makes two iterations of each kind that the run will have, the second of which
 * is timed. Writes no file. Fails as mmi_train would on its way there. */
mm_status mmi_train_rehearse(mmi_setup *setup, const mmi_log *log, mmi_rehearsal *out, mm_error *e);

#endif
