/* ini.h - strict reading of an INI file: every line is checked here, values are taken from iniparser. */
#ifndef MMI_INI_H
#define MMI_INI_H

#include "base/base.h"

#define MMI_INI_LINE_MAX 1000 /* bytes; iniparser's buffer holds 1024 */

/* Called in file order; key and value are NULL for a section's own line. */
typedef mm_status (*mmi_ini_visit)(void *ctx, const char *section, const char *key, const char *value, int line,
                                   mm_error *e);

/* Nothing is visited unless the whole file is well formed. Names arrive in lower case. */
mm_status mmi_ini_read(const char *path, mmi_ini_visit visit, void *ctx, mm_error *e);
/* The same from memory; name: what messages call it. */
mm_status mmi_ini_read_text(const char *name, const char *text, mmi_ini_visit visit, void *ctx, mm_error *e);
/* 1 to 63 characters: letters, digits, '_' and '-'. */
bool mmi_ini_name_ok(const char *name, size_t length);
/* Writes the value as an INI file must spell it, with quotes where needed; false when an INI cannot hold it. */
bool mmi_ini_quote(const char *value, char *out, size_t size);

#endif
