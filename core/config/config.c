/* config.c - settings: the store, and the two places values come from, an INI file and --set. */
#include "mmi_build.h"

#include "config/config.h"
#include "config/ini.h"
#include "config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---------------------------------------------------------------- storage */

mm_status mmi_config_no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the settings");
}

static mm_status reserve(void **array, size_t n, size_t *capacity, size_t size, mm_error *e)
{
	if (n < *capacity)
		return MM_OK;
	size_t more = *capacity ? 2 * *capacity : 32;
	void *grown = mmi_grow(*array, n, more, size);
	if (!grown)
		return mmi_config_no_memory(e);
	*array = grown;
	*capacity = more;
	return MM_OK;
}

/* Takes ownership of text (NULL: it could not be made). */
mm_status mmi_config_keep(mmi_config *c, char *text, char **out, mm_error *e)
{
	void *texts = c->texts;
	mm_status status =
		text ? reserve(&texts, c->n_texts, &c->texts_capacity, sizeof *c->texts, e) : mmi_config_no_memory(e);

	c->texts = texts;
	if (status != MM_OK) {
		mmi_free(text);
		return status;
	}
	c->texts[c->n_texts++] = text;
	*out = text;
	return MM_OK;
}

mm_status mmi_config_keep_copy(mmi_config *c, const char *text, char **out, mm_error *e)
{
	return mmi_config_keep(c, mmi_strdup(text), out, e);
}

static mm_status keep_lower(mmi_config *c, const char *text, char **out, mm_error *e)
{
	MMI_TRY(mmi_config_keep_copy(c, text, out, e));
	for (char *p = *out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return MM_OK;
}

mmi_section *mmi_config_find_section(const mmi_config *c, const char *name)
{
	for (size_t i = 0; i < c->n_sections; i++)
		if (!strcasecmp(c->sections[i].name, name))
			return &c->sections[i];
	return NULL;
}

static uint32_t hash_on(uint32_t hash, const char *name)
{
	for (; *name; name++)
		hash = (hash ^ (uint32_t)tolower((unsigned char)*name)) * 16777619u;
	return hash * 16777619u;
}

/* FNV-1a: most comparisons of names are saved by it. */
static uint32_t hash_of(const char *section_name, const char *key)
{
	return hash_on(hash_on(2166136261u, section_name), key);
}

mmi_setting *mmi_setting_find(const mmi_config *c, const char *section_name, const char *key)
{
	const uint32_t hash = hash_of(section_name, key);
	for (size_t i = 0; i < c->n_settings; i++)
		if (c->settings[i].hash == hash && !strcasecmp(c->settings[i].section, section_name) &&
		    !strcasecmp(c->settings[i].key, key))
			return &c->settings[i];
	return NULL;
}

bool mmi_config_asked(const mmi_config *c, const char *section_name, const char *key)
{
	const mmi_setting *s = mmi_setting_find(c, section_name, key);
	return s && s->asked;
}

static mm_status add_section(mmi_config *c, const char *name, int line, mmi_section **out, mm_error *e)
{
	mmi_section *found = mmi_config_find_section(c, name);
	if (!found) {
		mmi_section made = { .line = line };
		void *sections = c->sections;
		MMI_TRY(keep_lower(c, name, &made.name, e));
		MMI_TRY(reserve(&sections, c->n_sections, &c->sections_capacity, sizeof made, e));
		c->sections = sections;
		found = &c->sections[c->n_sections++];
		*found = made;
	}
	*out = found;
	return MM_OK;
}

mm_status mmi_setting_add(mmi_config *c, const char *section_name, const char *key, mmi_setting **out, mm_error *e)
{
	mmi_section *owner;
	mmi_setting made = { .hash = hash_of(section_name, key) };
	void *settings = c->settings;

	*out = mmi_setting_find(c, section_name, key);
	if (*out)
		return MM_OK;
	MMI_TRY(add_section(c, section_name, 0, &owner, e));
	made.section = owner->name;
	MMI_TRY(keep_lower(c, key, &made.key, e));
	MMI_TRY(reserve(&settings, c->n_settings, &c->settings_capacity, sizeof made, e));
	c->settings = settings;
	c->settings[c->n_settings] = made;
	*out = &c->settings[c->n_settings++];
	return MM_OK;
}

/* ---------------------------------------------------------------- making one */

static mm_status keep_cwd(mmi_config *c, mm_error *e)
{
	char *cwd = getcwd(NULL, 0);
	if (!cwd)
		return mmi_fail(e, MM_EIO, "the current folder cannot be found: %s", strerror(errno));
	mm_status status = mmi_config_keep_copy(c, cwd, &c->cwd, e);
	free(cwd);
	c->folder = c->cwd;
	return status;
}

mm_status mmi_config_create(mmi_config **out, mm_error *e)
{
	mmi_config *c = mmi_alloc(1, sizeof *c);
	if (!c)
		return mmi_config_no_memory(e);
	mm_status status = keep_cwd(c, e);
	if (status != MM_OK) {
		mmi_config_destroy(c);
		return status;
	}
	*out = c;
	return MM_OK;
}

void mmi_config_destroy(mmi_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_texts; i++)
		mmi_free(c->texts[i]);
	mmi_free(c->texts);
	mmi_free(c->settings);
	mmi_free(c->sections);
	mmi_free(c);
}

static mm_status keep_folder(mmi_config *c, const char *path, mm_error *e)
{
	char *folder, *slash;

	MMI_TRY(mmi_config_keep_copy(c, path, &folder, e));
	slash = strrchr(folder, '/');
	if (!slash)
		return MM_OK; /* the current folder */
	slash[slash == folder] = 0;
	char *absolute = realpath(folder, NULL);
	if (!absolute)
		return mmi_fail(e, MM_EIO, "%s: the INI's folder cannot be found: %s", path, strerror(errno));
	mm_status status = mmi_config_keep_copy(c, absolute, &c->folder, e);
	free(absolute);
	return status;
}

static mm_status from_file(void *ctx, const char *section_name, const char *key, const char *value, int line,
                           mm_error *e)
{
	mmi_config *c = ctx;
	mmi_setting *s;
	mmi_section *owner;

	MMI_TRY(add_section(c, section_name, line, &owner, e));
	if (!key)
		return MM_OK;
	MMI_TRY(mmi_setting_add(c, section_name, key, &s, e));
	if (s->value)
		return mmi_fail(e, MM_ECONFIG, "%s:%d: [%s] %s is set twice; the first time on line %d", c->path, line,
		                section_name, key, s->line);
	s->line = line;
	return mmi_config_keep_copy(c, value, &s->value, e);
}

mm_status mmi_config_load(const char *path, mmi_config **out, mm_error *e)
{
	mmi_config *c = NULL;
	mm_status status;

	MMI_TRY_GOTO(mmi_config_create(&c, e), done);
	MMI_TRY_GOTO(mmi_config_keep_copy(c, path, &c->path, e), done);
	MMI_TRY_GOTO(mmi_ini_read(path, from_file, c, e), done);
	MMI_TRY_GOTO(keep_folder(c, path, e), done);
	*out = c;
	return MM_OK;
done:
	mmi_config_destroy(c);
	return status;
}

mm_status mmi_config_load_text(const char *name, const char *text, mmi_config **out, mm_error *e)
{
	mmi_config *c = NULL;
	mm_status status;

	MMI_TRY_GOTO(mmi_config_create(&c, e), done);
	MMI_TRY_GOTO(mmi_config_keep_copy(c, name, &c->path, e), done);
	MMI_TRY_GOTO(mmi_ini_read_text(name, text, from_file, c, e), done);
	*out = c;
	return MM_OK;
done:
	mmi_config_destroy(c);
	return status;
}

static mm_status bad_assignment(const char *assignment, const char *why, mm_error *e)
{
	return mmi_fail(e, MM_ECONFIG, "--set %.*s: %s, e.g. --set learner.batch=64", MMI_SHOWN, assignment, why);
}

mm_status mmi_config_set(mmi_config *c, const char *assignment, mm_error *e)
{
	char name[2 * 64 + 1], quoted[MMI_INI_LINE_MAX];
	const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
	mmi_setting *s;

	if (!equals || !dot || dot > equals)
		return bad_assignment(assignment, "expected SECTION.KEY=VALUE", e);
	size_t section_length = (size_t)(dot - assignment), key_length = (size_t)(equals - dot - 1);
	if (!mmi_ini_name_ok(assignment, section_length) || !mmi_ini_name_ok(dot + 1, key_length))
		return bad_assignment(assignment, "section and key are 1 to 63 letters, digits, _ or -", e);
	if (!mmi_ini_quote(equals + 1, quoted, sizeof quoted - sizeof name))
		return bad_assignment(assignment,
		                      "a value cannot hold a backslash, a control character, both kinds of quotes "
		                      "or more than 800 bytes",
		                      e);
	memcpy(name, assignment, section_length + 1 + key_length);
	name[section_length] = name[section_length + 1 + key_length] = 0;
	MMI_TRY(mmi_setting_add(c, name, name + section_length + 1, &s, e));
	MMI_TRY(mmi_config_keep_copy(c, equals + 1, &s->value, e));
	s->from_option = true;
	s->effect = s->value;
	return MM_OK;
}

const char *mmi_config_take(mmi_config *c, const char *section_name, const char *key)
{
	mmi_setting *s = mmi_setting_find(c, section_name, key);
	const char *value = s ? s->value : NULL;
	if (s)
		s->value = NULL;
	return value;
}

mm_status mmi_config_put(mmi_config *c, const char *section_name, const char *key, const char *value, mm_error *e)
{
	mmi_setting *s;
	MMI_TRY(mmi_setting_add(c, section_name, key, &s, e));
	return mmi_config_keep_copy(c, value, &s->value, e);
}

bool mmi_config_has(const mmi_config *c, const char *section_name, const char *key)
{
	if (key) {
		const mmi_setting *s = mmi_setting_find(c, section_name, key);
		return s && s->value;
	}
	const mmi_section *found = mmi_config_find_section(c, section_name);
	if (found && found->line)
		return true;
	for (size_t i = 0; i < c->n_settings; i++)
		if (c->settings[i].value && !strcasecmp(c->settings[i].section, section_name))
			return true;
	return false;
}

bool mmi_config_has_option(const mmi_config *c, const char *section_name, const char *key)
{
	const mmi_setting *s = mmi_setting_find(c, section_name, key);
	return s && s->from_option;
}

const char *mmi_config_given(const mmi_config *c, const char *section_name, const char *key)
{
	const mmi_setting *s = mmi_setting_find(c, section_name, key);
	return s ? s->value : NULL;
}

void mmi_config_forget(mmi_config *c, const char *section_name, const char *key)
{
	mmi_setting *s = mmi_setting_find(c, section_name, key);
	if (s && !s->from_option)
		s->value = NULL;
}

size_t mmi_config_sections(const mmi_config *c)
{
	return c->n_sections;
}

const char *mmi_config_section(const mmi_config *c, size_t i)
{
	return i < c->n_sections ? c->sections[i].name : NULL;
}
