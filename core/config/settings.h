/* settings.h - what the files of this folder share: the store behind mmi_config. */
#ifndef MMI_SETTINGS_H
#define MMI_SETTINGS_H

#include "config/config.h"

#define MMI_SHOWN 80 /* longest part of a value repeated in a message */

typedef struct mmi_setting {
	uint32_t hash; /* of both names */
	char *section, *key;
	char *value;      /* as given; NULL: only asked for */
	bool from_option; /* by --set, not the file */
	int line;         /* in the file */
	bool asked;
	char *fallback;     /* NULL: none */
	const char *effect; /* what the asker got; NULL: nothing */
} mmi_setting;

typedef struct mmi_section {
	char *name;
	int line; /* 0: not from the file */
	bool asked;
} mmi_section;

struct mmi_config {
	char *path;         /* the INI; NULL without one */
	char *folder, *cwd; /* absolute: what relative paths of the file and of options start from */
	mmi_setting *settings;
	size_t n_settings, settings_capacity;
	mmi_section *sections;
	size_t n_sections, sections_capacity;
	char **texts; /* every string above and every string handed out, freed with the whole */
	size_t n_texts, texts_capacity;
};

mm_status mmi_config_no_memory(mm_error *e);
/* Takes ownership of text, also on failure (NULL: it could not be made). */
mm_status mmi_config_keep(mmi_config *c, char *text, char **out, mm_error *e);
mm_status mmi_config_keep_copy(mmi_config *c, const char *text, char **out, mm_error *e);
mmi_section *mmi_config_find_section(const mmi_config *c, const char *name);
/* The pointers hold until the next setting is added. */
mmi_setting *mmi_setting_find(const mmi_config *c, const char *section, const char *key);
mm_status mmi_setting_add(mmi_config *c, const char *section, const char *key, mmi_setting **out, mm_error *e);
/* MM_ECONFIG with "cub.ini:12: [learner] batch = 0: " and the rest. */
mm_status mmi_setting_complain(const mmi_config *c, const mmi_setting *s, mm_error *e, const char *format, ...)
	MMI_PRINTF(4, 5);

#endif
