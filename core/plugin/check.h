/* check.h - what a plugin's static data must look like before any of its logic runs. */
#ifndef MMI_CHECK_H
#define MMI_CHECK_H

#include "base/base.h"
#include <mmcore/plugin.h>

/* Checks the data behind `raw` and copies it: *entry and *descs (entry->n_modalities, freed with mmi_free) have their
 * full size, zeros behind what the plugin knows. Messages do not name the file. */
mm_status mmi_check_entry(const mm_plugin_entry *raw, mm_plugin_entry *entry, mm_modality_desc **descs, mm_error *e);
/* The result of a callback as the host passes it on: unknown codes become MM_EINTERNAL, the text is made printable, or
 * filled in where the plugin gave none. `from` and `e` may be the same. */
mm_status mmi_check_result(mm_status status, const mm_error *from, mm_error *e);
/* 1..63 of [a-z0-9.-], a letter or digit first and last. */
bool mmi_check_id(const char *id);

#endif
