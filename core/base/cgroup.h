/* cgroup.h - limits that control groups set for this process (cgroups(7)), of both versions. */
#ifndef MMI_CGROUP_H
#define MMI_CGROUP_H

#include "base/base.h"

/* A small file as text, cut to what fits; false where it cannot be read. Asks for no memory. */
bool mmi_cgroup_read(const char *folder, const char *name, char *text, size_t size);

/* What a folder of a group limits; infinite where it has no limit that could be read. */
typedef double mmi_cgroup_limit(const char *folder);

/* The least limit of this process's groups and of those above them, since a limit holds for all below. `groups`: where
 * they are mounted (/sys/fs/cgroup); `self`: the process's list (/proc/self/cgroup); controller: "cpu", "memory". */
double mmi_cgroup_least(const char *groups, const char *self, const char *controller, mmi_cgroup_limit *v1,
                        mmi_cgroup_limit *v2);

#endif
