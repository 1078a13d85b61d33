/* scaffold.h - a new plugin from the template: files with a name filled in. */
#ifndef MMI_SCAFFOLD_H
#define MMI_SCAFFOLD_H

#include "base/base.h"

typedef struct mmi_scaffold {
	const char *from; /* folder of the template */
	const char *name; /* takes the place of @NAME@: a letter, then up to 30 of a-z, 0-9 and _ */
	const char *to;   /* a folder that is not there yet, or is empty */
} mmi_scaffold;

/* Writes the files. Nothing that is there is written over. MM_ECONFIG: name or folder will not do, and nothing was
 * written; MM_EIO: it could not be. */
mm_status mmi_scaffold_write(const mmi_scaffold *s, mm_error *e);
/* Where the template was installed; the environment's MMCORE_TEMPLATE takes its place. */
const char *mmi_scaffold_template(void);

#endif
