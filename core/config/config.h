/* config.h - settings from an INI file and --set options, typed, with every key accounted for.
 *
 * Each get records key, default and value in effect, so the run folder's resolved INI lists them all and a key nobody
 * asked for is an error (mmi_config_check). Messages: file, section, key, value found, what was expected.
 *
 * Section and key are the same in any case. Strings handed out live until destroy. A default must itself be a legal
 * value, and the same each time the key is asked for: a second one is MM_EINTERNAL, since the resolved INI could not
 * read back. min = DBL_MIN reads "above 0" in messages, infinite bounds are left out. */
#ifndef MMI_CONFIG_H
#define MMI_CONFIG_H

#include "base/base.h"

typedef struct mmi_config mmi_config;

mm_status mmi_config_create(mmi_config **out, mm_error *e);                 /* no file: for tests and commands */
mm_status mmi_config_load(const char *path, mmi_config **out, mm_error *e); /* relative paths: to the INI's folder */
mm_status mmi_config_load_text(const char *name, const char *text, mmi_config **out,
                               mm_error *e); /* name: for messages */
void mmi_config_destroy(mmi_config *c);
/* One --set argument, "section.key=value"; overrides the file. Relative paths: to the current folder. */
mm_status mmi_config_set(mmi_config *c, const char *assignment, mm_error *e);
bool mmi_config_has(const mmi_config *c, const char *section, const char *key); /* key NULL: the section itself */
bool mmi_config_has_option(const mmi_config *c, const char *section, const char *key); /* by --set */
const char *mmi_config_given(const mmi_config *c, const char *section,
                             const char *key);                               /* as it stands there; NULL: not set */
void mmi_config_forget(mmi_config *c, const char *section, const char *key); /* as if the file had not set it */
size_t mmi_config_sections(const mmi_config *c);
const char *mmi_config_section(const mmi_config *c, size_t i); /* in file order */

mm_status mmi_config_string(mmi_config *c, const char *section, const char *key, const char *fallback, const char **out,
                            mm_error *e);
mm_status mmi_config_int(mmi_config *c, const char *section, const char *key, int64_t fallback, int64_t min,
                         int64_t max, int64_t *out, mm_error *e);
mm_status mmi_config_float(mmi_config *c, const char *section, const char *key, double fallback, double min, double max,
                           double *out, mm_error *e);
mm_status mmi_config_bool(mmi_config *c, const char *section, const char *key, bool fallback, bool *out, mm_error *e);
mm_status mmi_config_choice(mmi_config *c, const char *section, const char *key, const char *const *names, int fallback,
                            int *out, mm_error *e);
mm_status mmi_config_path(mmi_config *c, const char *section, const char *key, const char *fallback, const char **out,
                          mm_error *e);
/* "name(0.7)" or "name": word is one of names, *has_value tells whether a number in brackets was given. */
mm_status mmi_config_call(mmi_config *c, const char *section, const char *key, const char *const *names,
                          const char *fallback, int *which, bool *has_value, double *value, mm_error *e);
/* MM_ECONFIG with the standard wording for a value the caller refuses. */
mm_status mmi_config_refuse(const mmi_config *c, const char *section, const char *key, const char *expected,
                            mm_error *e);
/* MM_ECONFIG for a key that is no more, with what became of it. */
mm_status mmi_config_retired(const mmi_config *c, const char *section, const char *key, const char *became,
                             mm_error *e);
/* Forgets a value and hands it out, as if it had not been set; NULL: it was not. */
const char *mmi_config_take(mmi_config *c, const char *section, const char *key);
/* Sets a value as the file would have. */
mm_status mmi_config_put(mmi_config *c, const char *section, const char *key, const char *value, mm_error *e);
/* Fails on the first key (or section) that nothing asked for; names the nearest known key when one is close. */
mm_status mmi_config_check(const mmi_config *c, mm_error *e);
/* The resolved INI: every key asked for with the value in effect, text freed with mmi_free. */
mm_status mmi_config_resolved(const mmi_config *c, char **text, mm_error *e);
/* The same for files that others get: of the values of `file_key` only the file's name, and nothing of the key
 * `left_out`. */
mm_status mmi_config_portable(const mmi_config *c, const char *file_key, const char *left_out, char **text,
                              mm_error *e);
/* Whether somebody asked for the key, with a default or without. */
bool mmi_config_asked(const mmi_config *c, const char *section_name, const char *key);

#endif
