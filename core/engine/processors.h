/* processors.h - how many processors this process may keep busy. */
#ifndef MMI_PROCESSORS_H
#define MMI_PROCESSORS_H

#include "base/base.h"

/* Those of its affinity mask, or fewer where a control group grants less time (containers do). At least 1. */
uint32_t mmi_processors(void);

/* The same, shared with so many processes that one launcher started here: its own processors, but no more than its part
 * of the launcher's. At least 1. */
uint32_t mmi_processors_part(uint32_t processes);

/* What the control groups above a process grant, in processors, rounded up; 0: no limit that could be read.
 * `groups`: where they are mounted (/sys/fs/cgroup), version 2 or 1; `self`: the process's list (/proc/self/cgroup). */
uint32_t mmi_processors_granted(const char *groups, const char *self);

#endif
