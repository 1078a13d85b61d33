/* changes.h - a run that goes on with other settings than it had. */
#ifndef MMI_CHANGES_H
#define MMI_CHANGES_H

#include "run/setup.h"

/* The settings of a run as its checkpoint has them, and those it goes on with; both are texts of mmi_config_resolved.
 */
typedef struct mmi_changes {
	const char *was, *is;
	const mmi_setup *setup; /* of those it goes on with */
} mmi_changes;

/* MM_ECONFIG, naming the first, when settings differ that decide which data is seen in which order: the seed, the
 * batch, [data], and in the modalities' sections all that the core does not know to be about something else. */
mm_status mmi_changes_check_data(const mmi_changes *c, const char *checkpoint, mm_error *e);
/* Of a checkpoint that does not fit: puts behind the message in e which settings differ from its own, a few at most. */
void mmi_changes_blame(const mmi_changes *c, mm_error *e);
/* A line to the log for each setting that differs, and one where the learning rates' schedule jumps. The run has made
 * so many iterations in so many seconds. */
void mmi_changes_tell(const mmi_changes *c, uint64_t iterations, double seconds, const mmi_log *log);

#endif
