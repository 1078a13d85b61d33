/* best.h - which checkpoint of a run is the best one, after any interruption.
 *
 * The checkpoints themselves remember their value, lower is better. Of those on disk, all are kept that could still be
 * the best one: a run may go back to its last snapshot, or to an older checkpoint when a newer one is damaged. */
#ifndef MMI_BEST_H
#define MMI_BEST_H

#include "store/checkpoint.h"
#include "store/runfolder.h"

#define MMI_BEST_META "validation nll" /* key of the value in a checkpoint's metadata */

typedef struct mmi_best_record {
	uint64_t iteration;
	double value;
} mmi_best_record;

/* Each record was better than all before it: values fall, iterations rise. */
typedef struct mmi_best {
	mmi_best_record *record;
	size_t n;
} mmi_best;

/* What the checkpoints of a folder up to an iteration tell. */
mm_status mmi_best_read(const char *checkpoints, uint64_t iteration, mmi_best *out, mm_error *e);
void mmi_best_clear(mmi_best *b);
/* A checkpoint's value; it becomes a record if it is one. */
mm_status mmi_best_add(mmi_best *b, uint64_t iteration, double value, mm_error *e);
/* Forgets what came later. */
void mmi_best_back(mmi_best *b, uint64_t iteration);
/* NULL: none. */
const mmi_best_record *mmi_best_last(const mmi_best *b);
const mmi_best_record *mmi_best_at(const mmi_best *b, uint64_t iteration);
/* Deletes all but the newest `keep` checkpoints and the records that a run may need that goes back, though not before
 * iteration `back` unless a kept checkpoint is older. */
mm_status mmi_best_prune(mmi_best *b, const char *checkpoints, size_t keep, uint64_t back, mm_error *e);
/* RUN/best.safetensors becomes the last record's checkpoint, as a second name of the same file where there are such; it
 * goes when there is no record. */
mm_status mmi_best_link(const mmi_best *b, const mmi_runfolder *folder, mm_error *e);

#endif
