/* resolve.c - after everybody asked: what nobody asked for, and the INI with every value in effect. */
#include "mmi_build.h"

#include "config/config.h"
#include "config/ini.h"
#include "config/settings.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- unknown keys and sections */

static bool nearer(const char *wanted, const char *candidate, size_t *best)
{
	size_t distance = mmi_value_distance(wanted, candidate), limit = 1 + strlen(wanted) / 4;
	if (distance > limit || distance >= *best)
		return false;
	*best = distance;
	return true;
}

static const char *nearest_section(const mmi_config *c, const char *name)
{
	const char *found = NULL;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < c->n_sections; i++)
		if (c->sections[i].asked && nearer(name, c->sections[i].name, &best))
			found = c->sections[i].name;
	return found;
}

static const mmi_setting *nearest_key(const mmi_config *c, const mmi_setting *unknown)
{
	const mmi_setting *found = NULL;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < c->n_settings; i++) {
		const mmi_setting *s = &c->settings[i];
		if (s->asked && !strcmp(s->section, unknown->section) && nearer(unknown->key, s->key, &best))
			found = s;
	}
	for (size_t i = 0; i < c->n_settings && !found; i++)
		if (c->settings[i].asked && !strcmp(c->settings[i].key, unknown->key))
			found = &c->settings[i];
	return found;
}

static mm_status unknown_section(const mmi_config *c, const char *name, const mmi_setting *s, int line, mm_error *e)
{
	const char *near = nearest_section(c, name);
	char hint[128] = "nothing in this run uses it; remove it";

	if (near)
		snprintf(hint, sizeof hint, "did you mean [%s]?", near);
	if (s && s->from_option)
		return mmi_setting_complain(c, s, e, "unknown section [%s]: %s", name, hint);
	return mmi_fail(e, MM_ECONFIG, "%s:%d: unknown section [%s]: %s", c->path, line, name, hint);
}

static void list_keys(const mmi_config *c, const char *section_name, char *out, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < c->n_settings; i++) {
		const mmi_setting *s = &c->settings[i];
		if (!s->asked || strcmp(s->section, section_name))
			continue;
		if (used + strlen(s->key) + 8 > size) {
			snprintf(out + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", s->key);
	}
}

static mm_status unknown_key(const mmi_config *c, const mmi_setting *s, mm_error *e)
{
	const mmi_setting *near = nearest_key(c, s);
	char keys[256] = "";

	if (near && strcmp(near->section, s->section))
		return mmi_setting_complain(c, s, e, "unknown key; it belongs to [%s]", near->section);
	if (near)
		return mmi_setting_complain(c, s, e, "unknown key; did you mean \"%s\"?", near->key);
	list_keys(c, s->section, keys, sizeof keys);
	return mmi_setting_complain(c, s, e, "unknown key; [%s] knows %s", s->section, keys);
}

mm_status mmi_config_check(const mmi_config *c, mm_error *e)
{
	for (size_t i = 0; i < c->n_settings; i++) {
		const mmi_setting *s = &c->settings[i];
		if (!s->value || s->asked)
			continue;
		const mmi_section *owner = mmi_config_find_section(c, s->section);
		return owner->asked ? unknown_key(c, s, e) : unknown_section(c, s->section, s, owner->line, e);
	}
	for (size_t i = 0; i < c->n_sections; i++)
		if (!c->sections[i].asked)
			return unknown_section(c, c->sections[i].name, NULL, c->sections[i].line, e);
	return MM_OK;
}

/* ---------------------------------------------------------------- the resolved INI */

/* What of the values is for this machine alone. */
typedef struct local {
	const char *file_key, *left_out; /* or NULL */
} local;

static mm_status write_setting(const mmi_config *c, const mmi_setting *s, const local *l, FILE *out, mm_error *e)
{
	char quoted[MMI_INI_LINE_MAX - 2 * 64];
	const char *slash = l->file_key && !strcmp(s->key, l->file_key) ? strrchr(s->effect, '/') : NULL;
	if (!mmi_ini_quote(slash ? slash + 1 : s->effect, quoted, sizeof quoted))
		return mmi_setting_complain(c, s, e,
		                            "an INI file cannot hold the value in effect, %.*s (backslash, control character, "
		                            "both kinds of quotes or too long)",
		                            MMI_SHOWN, s->effect);
	fprintf(out, "%s = %s\n", s->key, quoted);
	return MM_OK;
}

static mm_status write_section(const mmi_config *c, const char *name, const local *l, FILE *out, mm_error *e)
{
	bool begun = false;
	for (size_t i = 0; i < c->n_settings; i++) {
		const mmi_setting *s = &c->settings[i];
		if (!s->asked || !s->effect || strcmp(s->section, name) || (l->left_out && !strcmp(s->key, l->left_out)))
			continue;
		if (!begun)
			fprintf(out, "%s[%s]\n", ftell(out) ? "\n" : "", name);
		begun = true;
		MMI_TRY(write_setting(c, s, l, out, e));
	}
	return MM_OK;
}

static mm_status write_all(const mmi_config *c, const local *l, char **text, mm_error *e)
{
	char *buffer = NULL;
	size_t bytes = 0;
	mm_status status = MM_OK;
	FILE *out = open_memstream(&buffer, &bytes);

	if (!out)
		return mmi_config_no_memory(e);
	for (size_t i = 0; i < c->n_sections && status == MM_OK; i++)
		status = write_section(c, c->sections[i].name, l, out, e);
	bool failed = ferror(out);
	if (fclose(out) != 0 || failed)
		status = status == MM_OK ? mmi_config_no_memory(e) : status;
	char *copy = status == MM_OK ? mmi_strdup(buffer) : NULL;
	free(buffer);
	if (status != MM_OK)
		return status;
	if (!copy)
		return mmi_config_no_memory(e);
	*text = copy;
	return MM_OK;
}

mm_status mmi_config_resolved(const mmi_config *c, char **text, mm_error *e)
{
	return write_all(c, &(local){ NULL, NULL }, text, e);
}

mm_status mmi_config_portable(const mmi_config *c, const char *file_key, const char *left_out, char **text, mm_error *e)
{
	return write_all(c, &(local){ file_key, left_out }, text, e);
}
