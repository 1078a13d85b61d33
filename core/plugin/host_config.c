/* host_config.c - "mm.host.config/1": a plugin's questions about its own INI section. */
#include "mmi_build.h"

#include "plugin/host.h"

#include <stdio.h>
#include <string.h>

struct mm_config {
	mmi_config *settings; /* NULL once create is over */
	char section[64];
	char *root; /* NULL: none */
	bool failed;
	char **texts; /* handed to the plugin */
	size_t n_texts, capacity;
};

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for a plugin's settings");
}

static mm_status find_root(mm_config *c, mm_error *e)
{
	const char *own, *common;

	MMI_TRY(mmi_config_path(c->settings, c->section, "root", NULL, &own, e));
	MMI_TRY(mmi_config_path(c->settings, "data", "root", NULL, &common, e));
	if (!own)
		own = common;
	if (own && !(c->root = mmi_strdup(own)))
		return no_memory(e);
	return MM_OK;
}

mm_status mmi_plugin_config_create(mmi_config *settings, const char *section, mm_config **out, mm_error *e)
{
	mm_config *c = mmi_alloc(1, sizeof *c);
	if (!c)
		return no_memory(e);
	c->settings = settings;
	snprintf(c->section, sizeof c->section, "%s", section);
	mm_status status = find_root(c, e);
	if (status != MM_OK) {
		mmi_plugin_config_destroy(c);
		return status;
	}
	*out = c;
	return MM_OK;
}

void mmi_plugin_config_close(mm_config *c)
{
	c->settings = NULL;
}

void mmi_plugin_config_destroy(mm_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_texts; i++)
		mmi_free(c->texts[i]);
	mmi_free(c->texts);
	mmi_free(c->root);
	mmi_free(c);
}

bool mmi_plugin_config_failed(const mm_config *c)
{
	return c->failed;
}

/* ---------------------------------------------------------------- the table */

static mm_status check_call(mm_config *c, const char *key, mm_error *e)
{
	c->failed = false;
	if (!c->settings)
		return mmi_fail(e, MM_ESTATE, "[%s]: settings can be read inside create only", c->section);
	if (!key)
		return mmi_fail(e, MM_EARG, "[%s]: the setting's key is NULL", c->section);
	return MM_OK;
}

static mm_status answered(mm_config *c, mm_status status)
{
	c->failed = status == MM_ECONFIG;
	return status;
}

/* Strings must outlive the settings they come from. */
static mm_status keep(mm_config *c, const char *text, const char **out, mm_error *e)
{
	if (!text) {
		*out = NULL;
		return MM_OK;
	}
	if (c->n_texts == c->capacity) {
		size_t more = c->capacity + 16;
		char **grown = mmi_grow(c->texts, c->n_texts, more, sizeof *grown);
		if (!grown)
			return no_memory(e);
		c->texts = grown;
		c->capacity = more;
	}
	char *copy = mmi_strdup(text);
	if (!copy)
		return no_memory(e);
	*out = c->texts[c->n_texts++] = copy;
	return MM_OK;
}

static mm_status get_string(mm_config *c, const char *key, const char *fallback, const char **out, mm_error *e)
{
	const char *text;
	MMI_TRY(check_call(c, key, e));
	MMI_TRY(answered(c, mmi_config_string(c->settings, c->section, key, fallback, &text, e)));
	return keep(c, text, out, e);
}

static mm_status get_int(mm_config *c, const char *key, int64_t fallback, int64_t min, int64_t max, int64_t *out,
                         mm_error *e)
{
	MMI_TRY(check_call(c, key, e));
	return answered(c, mmi_config_int(c->settings, c->section, key, fallback, min, max, out, e));
}

static mm_status get_float(mm_config *c, const char *key, double fallback, double min, double max, double *out,
                           mm_error *e)
{
	MMI_TRY(check_call(c, key, e));
	return answered(c, mmi_config_float(c->settings, c->section, key, fallback, min, max, out, e));
}

static mm_status get_bool(mm_config *c, const char *key, int fallback, int *out, mm_error *e)
{
	bool value;
	MMI_TRY(check_call(c, key, e));
	MMI_TRY(answered(c, mmi_config_bool(c->settings, c->section, key, fallback != 0, &value, e)));
	*out = value;
	return MM_OK;
}

static mm_status get_choice(mm_config *c, const char *key, const char *const *names, int fallback, int *out,
                            mm_error *e)
{
	MMI_TRY(check_call(c, key, e));
	return answered(c, mmi_config_choice(c->settings, c->section, key, names, fallback, out, e));
}

static mm_status get_path(mm_config *c, const char *key, const char *fallback, const char **out, mm_error *e)
{
	const char *text;
	MMI_TRY(check_call(c, key, e));
	MMI_TRY(answered(c, mmi_config_path(c->settings, c->section, key, fallback, &text, e)));
	return keep(c, text, out, e);
}

static const char *instance_name(mm_config *c)
{
	return c->section;
}

static const char *data_root(mm_config *c)
{
	return c->root;
}

static mm_status refuse(mm_config *c, const char *key, const char *expected, mm_error *e)
{
	MMI_TRY(check_call(c, key, e));
	return answered(c, mmi_config_refuse(c->settings, c->section, key, expected ? expected : "another value", e));
}

const mm_host_config mmi_host_config_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_config, refuse),
	.get_string = get_string,
	.get_int = get_int,
	.get_float = get_float,
	.get_bool = get_bool,
	.get_choice = get_choice,
	.get_path = get_path,
	.instance_name = instance_name,
	.data_root = data_root,
	.refuse = refuse,
};
