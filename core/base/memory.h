/* memory.h - how much memory there is. The allocator is in base.h. */
#ifndef MMI_MEMORY_H
#define MMI_MEMORY_H

#include "base/base.h"

/* Bytes that this process can still fill: what the machine has available (machine: /proc/meminfo), or fewer where a
 * control group grants less (groups and self as in cgroup.h), and what may go to disk. Infinite where nothing could be
 * read. Asks for no memory. */
double mmi_memory_left(const char *machine, const char *groups, const char *self);
/* As mmi_alloc, but not written yet: it takes no memory before it is filled, and holds whatever it holds. */
void *mmi_promise(size_t bytes);

#endif
