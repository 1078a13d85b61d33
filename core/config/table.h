/* table.h - settings as rows of tables: name, type, default, range and one sentence, in the room that uses them.
 *
 * From the same rows come the values in a room's structure, the resolved INI, the check of unknown keys, mmcore help
 * settings and mmcore-settings(5). What one row cannot say (this key needs that one) the room checks behind
 * mmi_keys_read. */
#ifndef MMI_TABLE_H
#define MMI_TABLE_H

#include "config/config.h"

#include <stddef.h>

typedef enum mmi_key_type {
	MMI_KEY_COUNT,  /* uint32_t */
	MMI_KEY_NUMBER, /* uint64_t */
	MMI_KEY_SIGNED, /* int64_t */
	MMI_KEY_REAL,   /* double */
	MMI_KEY_SWITCH, /* bool: yes or no */
	MMI_KEY_CHOICE, /* an enum: the number of a word */
	MMI_KEY_SECOND, /* bool: the second of two words */
	MMI_KEY_TEXT,   /* const char *; NULL where there is neither value nor default */
	MMI_KEY_PATH,   /* the same, absolute */
	MMI_KEY_OTHER   /* documented here, read by the room itself */
} mmi_key_type;

typedef struct mmi_key {
	const char *section, *name;
	const char *about;        /* one sentence or a few, in plain English */
	const char *const *words; /* of a choice; ends with NULL */
	const char *text; /* default of a text, path or other; NULL: none. Of a choice: what the manual shows instead */
	double real, real_min, real_max;
	int64_t whole, min, max; /* default and range of whole numbers; default of switches and choices */
	size_t at;               /* offset in the room's structure */
	mmi_key_type type;
} mmi_key;

/* Rows: MMI_COUNT_ROW("run", "threads", mmi_run_settings, threads, 0, 0, 1024, "..."). */
#define MMI_WHOLE_ROW(type_, s, n, t, field, fallback, min_, max_, about_)                                             \
	{                                                                                                                  \
		.section = s, .name = n, .type = type_, .at = offsetof(t, field), .whole = fallback, .min = min_, .max = max_, \
		.about = about_                                                                                                \
	}
#define MMI_COUNT_ROW(s, n, t, field, fallback, min, max, about) \
	MMI_WHOLE_ROW(MMI_KEY_COUNT, s, n, t, field, fallback, min, max, about)
#define MMI_NUMBER_ROW(s, n, t, field, fallback, min, max, about) \
	MMI_WHOLE_ROW(MMI_KEY_NUMBER, s, n, t, field, fallback, min, max, about)
#define MMI_SIGNED_ROW(s, n, t, field, fallback, min, max, about) \
	MMI_WHOLE_ROW(MMI_KEY_SIGNED, s, n, t, field, fallback, min, max, about)
#define MMI_REAL_ROW(s, n, t, field, fallback, min_, max_, about_)                                                   \
	{                                                                                                                \
		.section = s, .name = n, .type = MMI_KEY_REAL, .at = offsetof(t, field), .real = fallback, .real_min = min_, \
		.real_max = max_, .about = about_                                                                            \
	}
#define MMI_SWITCH_ROW(s, n, t, field, fallback, about) \
	MMI_WHOLE_ROW(MMI_KEY_SWITCH, s, n, t, field, fallback, 0, 1, about)
#define MMI_WORD_ROW(type_, s, n, t, field, words_, fallback, about_)                                         \
	{                                                                                                         \
		.section = s, .name = n, .type = type_, .at = offsetof(t, field), .words = words_, .whole = fallback, \
		.about = about_                                                                                       \
	}
#define MMI_CHOICE_ROW(s, n, t, field, words, fallback, about) \
	MMI_WORD_ROW(MMI_KEY_CHOICE, s, n, t, field, words, fallback, about)
#define MMI_SECOND_ROW(s, n, t, field, words, fallback, about) \
	MMI_WORD_ROW(MMI_KEY_SECOND, s, n, t, field, words, fallback, about)
#define MMI_TEXT_ROW(s, n, t, field, fallback, about_)                                                             \
	{                                                                                                              \
		.section = s, .name = n, .type = MMI_KEY_TEXT, .at = offsetof(t, field), .text = fallback, .about = about_ \
	}
#define MMI_PATH_ROW(s, n, t, field, about_)                                                     \
	{                                                                                            \
		.section = s, .name = n, .type = MMI_KEY_PATH, .at = offsetof(t, field), .about = about_ \
	}
#define MMI_OTHER_ROW(s, n, fallback, about_)                                             \
	{                                                                                     \
		.section = s, .name = n, .type = MMI_KEY_OTHER, .text = fallback, .about = about_ \
	}

#define MMI_LIMIT 1000000000 /* upper bound of counts and factors: beyond it something was mistyped */

typedef struct mmi_key_table {
	const char *title; /* "[run]: the program" */
	const mmi_key *keys;
	size_t n;
} mmi_key_table;

/* Asks for every key of a table in its order and writes the values into `out`, the structure that the offsets are of.
 */
mm_status mmi_keys_read(mmi_config *c, const mmi_key_table *table, void *out, mm_error *e);
/* A row's default as the manual shows it, into text; returns text. */
#define MMI_KEY_DEFAULT_TEXT 64
const char *mmi_key_default(const mmi_key *key, char text[MMI_KEY_DEFAULT_TEXT]);

#endif
