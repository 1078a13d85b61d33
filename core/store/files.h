/* files.h - files that are whole or absent: written under a temporary name in the same folder, synced, renamed.
 *
 * Killed at any moment, the program leaves the old file or the new one, and at worst a hidden temporary
 * (".NAME.tmp-PID-N") that mmi_temporaries_remove takes away. */
#ifndef MMI_FILES_H
#define MMI_FILES_H

#include "base/base.h"

typedef struct mmi_atomic mmi_atomic;

/* Starts a new version of `path`. A symbolic link is followed; what is there already must be a regular file. */
mm_status mmi_atomic_open(const char *path, mmi_atomic **out, mm_error *e);
/* Errors are sticky: after one, every later write and the commit fail with the first message. */
mm_status mmi_atomic_write(mmi_atomic *f, const void *data, size_t bytes, mm_error *e);
/* Syncs, renames, syncs the folder, and frees f in every case; on failure the old file is as it was. */
mm_status mmi_atomic_commit(mmi_atomic *f, mm_error *e);
/* Gives up: removes the temporary, frees f. Accepts NULL. */
void mmi_atomic_abort(mmi_atomic *f);

/* All of the above at once. */
mm_status mmi_write_file_atomic(const char *path, const void *data, size_t bytes, mm_error *e);
/* `to` becomes a second name of the file `from`, in the place of what it named before; a copy of it where a file can
 * have one name only. Nothing is done when it is that file already. */
mm_status mmi_link_atomic(const char *from, const char *to, mm_error *e);
/* Removes temporaries that killed processes left in a folder. Only when nobody is writing there. Returns how many. */
size_t mmi_temporaries_remove(const char *folder);

/* write(2) until done or failed; -1 with errno set. */
int mmi_write_all(int fd, const void *data, size_t bytes);
/* Whole file into NUL-terminated memory (mmi_free), refused above `limit` bytes. */
mm_status mmi_read_file(const char *path, size_t limit, char **text, size_t *bytes, mm_error *e);
/* mkdir -p. */
mm_status mmi_make_folders(const char *path, mm_error *e);
/* A new folder that nobody else knows, NAME-XXXXXX in TMPDIR, or in /tmp unless that is an absolute path; mmi_free. */
mm_status mmi_make_temporary(const char *name, char **out, mm_error *e);

#endif
