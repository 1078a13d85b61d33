/* search.h - the folders where a plugin named without a slash is looked for, in order. */
#ifndef MMI_SEARCH_H
#define MMI_SEARCH_H

#include "base/base.h"

typedef struct mmi_search mmi_search;

/* Order: `extra` (colons between folders; may be NULL), $MMCORE_PLUGIN_PATH, ~/.local/lib/mmcore/modalities-1, the
 * installed folder. Relative and empty parts are left out and told to the log: the current folder is never searched.
 * The environment is ignored in programs that run with raised rights. */
mm_status mmi_search_create(const char *extra, const mmi_log *log, mmi_search **out, mm_error *e);
void mmi_search_destroy(mmi_search *s);
size_t mmi_search_count(const mmi_search *s);
const char *mmi_search_folder(const mmi_search *s, size_t i);
/* The first folder with a regular file of that name, or of that name and ".so". *path is freed with mmi_free. */
mm_status mmi_search_find(const mmi_search *s, const char *name, char **path, mm_error *e);
/* Names of the *.so files in a folder, sorted; none if there is no such folder. Freed with mmi_search_free_list. */
mm_status mmi_search_list(const char *folder, char ***names, size_t *n, mm_error *e);
void mmi_search_free_list(char **names, size_t n);

#endif
