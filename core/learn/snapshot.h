/* snapshot.h - the learner's state in memory: what a rollback returns to. */
#ifndef MMI_SNAPSHOT_H
#define MMI_SNAPSHOT_H

#include "learn/learner.h"

mm_status mmi_snapshot_create(mmi_learner *l, mm_error *e);
void mmi_snapshot_take(mmi_learner *l);

#endif
