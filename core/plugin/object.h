/* object.h - a shared object file: may it be loaded, and its entry function. */
#ifndef MMI_OBJECT_H
#define MMI_OBJECT_H

#include "base/base.h"
#include <mmcore/plugin.h>
#include <sys/types.h>

/* What makes two paths the same file. */
typedef struct mmi_file_id {
	dev_t device;
	ino_t inode;
} mmi_file_id;

/* Finds the file behind path: *real (freed with mmi_free) has no links, *id identifies it. */
mm_status mmi_object_locate(const char *path, char **real, mmi_file_id *id, mm_error *e);
/* Refuses files of other users, root's aside; under root also those that others may write or exchange, and says which.
 * `path` and `real` as from locate. */
mm_status mmi_object_safe(const char *path, const char *real, mm_error *e);
/* The same for a user id given by the caller, for tests. */
mm_status mmi_object_safe_for(uid_t user, const char *path, const char *real, mm_error *e);
/* Maps the object for the rest of the process and finds its own mm_plugin_query_1 (not one of a library it uses).
 * Constructors run: those linked in by -ffast-math change the floating point mode, so this belongs between
 * mmi_call_begin and mmi_call_leave. */
mm_status mmi_object_open(const char *real, mm_plugin_query *query, mm_error *e);

#endif
