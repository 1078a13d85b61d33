/* ask.c - typed questions: the text in effect, parsed whole and checked, and the messages when it does not fit. */
#include "mmi_build.h"

#include "config/config.h"
#include "config/settings.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- messages */

mm_status mmi_setting_complain(const mmi_config *c, const mmi_setting *s, mm_error *e, const char *format, ...)
{
	char rest[MM_ERROR_TEXT], value[MMI_SHOWN + 4];
	va_list ap;

	va_start(ap, format);
	vsnprintf(rest, sizeof rest, format, ap);
	va_end(ap);
	if (!s->value && !s->fallback)
		return mmi_fail(e, MM_ECONFIG, "%s%s[%s] %s is not set: %s", c->path ? c->path : "", c->path ? ": " : "",
		                s->section, s->key, rest);
	if (!s->value)
		return mmi_fail(e, MM_ECONFIG, "[%s] %s = %.*s (the default): %s", s->section, s->key, MMI_SHOWN, s->fallback,
		                rest);
	mmi_show(s->value, strlen(s->value), value, sizeof value);
	if (s->from_option)
		return mmi_fail(e, MM_ECONFIG, "--set %s.%s=%s: %s", s->section, s->key, value, rest);
	return mmi_fail(e, MM_ECONFIG, "%s:%d: [%s] %s = %s: %s", c->path, s->line, s->section, s->key, value, rest);
}

mm_status mmi_config_refuse(const mmi_config *c, const char *section_name, const char *key, const char *expected,
                            mm_error *e)
{
	const mmi_setting *s = mmi_setting_find(c, section_name, key);
	if (!s)
		return mmi_fail(e, MM_ECONFIG, "[%s] %s is not set: expected %s", section_name, key, expected);
	return mmi_setting_complain(c, s, e, "expected %s", expected);
}

mm_status mmi_config_retired(const mmi_config *c, const char *section_name, const char *key, const char *became,
                             mm_error *e)
{
	return mmi_setting_complain(c, mmi_setting_find(c, section_name, key), e, "this key is no more: %s", became);
}

/* ---------------------------------------------------------------- asking */

static mm_status check_fallback(const mmi_setting *s, const char *fallback, mm_error *e)
{
	if ((!fallback && !s->fallback) || (fallback && s->fallback && !strcmp(fallback, s->fallback)))
		return MM_OK;
	return mmi_fail(e, MM_EINTERNAL, "[%s] %s is asked for with two defaults, %s and %s: a bug in mmcore or a plugin",
	                s->section, s->key, s->fallback ? s->fallback : "none", fallback ? fallback : "none");
}

/* Records the question; (*out)->effect is the text in effect, NULL where nothing is set and no default exists. */
static mm_status ask(mmi_config *c, const char *section_name, const char *key, const char *fallback, mmi_setting **out,
                     mm_error *e)
{
	mmi_setting *s;

	MMI_TRY(mmi_setting_add(c, section_name, key, &s, e));
	if (s->asked) {
		MMI_TRY(check_fallback(s, fallback, e));
	} else {
		if (fallback)
			MMI_TRY(mmi_config_keep_copy(c, fallback, &s->fallback, e));
		s->effect = s->value ? s->value : s->fallback;
		s->asked = true;
		mmi_config_find_section(c, s->section)->asked = true;
	}
	*out = s;
	return MM_OK;
}

static const char *text_of(const mmi_setting *s)
{
	return s->value ? s->value : s->fallback ? s->fallback : "";
}

mm_status mmi_config_string(mmi_config *c, const char *section_name, const char *key, const char *fallback,
                            const char **out, mm_error *e)
{
	mmi_setting *s;
	MMI_TRY(ask(c, section_name, key, fallback, &s, e));
	*out = s->value ? s->value : s->fallback;
	return MM_OK;
}

mm_status mmi_config_int(mmi_config *c, const char *section_name, const char *key, int64_t fallback, int64_t min,
                         int64_t max, int64_t *out, mm_error *e)
{
	char text[MMI_VALUE_TEXT];
	mmi_setting *s;
	int64_t value;

	snprintf(text, sizeof text, "%lld", (long long)fallback);
	MMI_TRY(ask(c, section_name, key, text, &s, e));
	if (mmi_value_int(text_of(s), &value) && value >= min && value <= max) {
		*out = value;
		return MM_OK;
	}
	/* The largest number there is needs no mention, unless that is what is wrong. */
	const bool digits = text_of(s)[0] && !text_of(s)[strspn(text_of(s), "0123456789")];
	if (max == INT64_MAX && min == INT64_MIN && !digits)
		return mmi_setting_complain(c, s, e, "expected an integer");
	if (max == INT64_MAX && !digits)
		return mmi_setting_complain(c, s, e, "expected an integer of at least %lld", (long long)min);
	return mmi_setting_complain(c, s, e, "expected an integer from %lld to %lld", (long long)min, (long long)max);
}

/* Bounds as words: "from 0 to 1", "of at least 0", "above 0 ...". */
static void float_range(double min, double max, char *out, size_t size)
{
	char low[MMI_VALUE_TEXT], high[MMI_VALUE_TEXT];
	bool above = min > 0 && min<1e-300, has_min = min> - 1e300, has_max = max < 1e300;

	mmi_value_print(above ? 0 : min, low);
	mmi_value_print(max, high);
	if (has_min && has_max)
		snprintf(out, size, above ? " above %s and up to %s" : " from %s to %s", low, high);
	else if (has_min)
		snprintf(out, size, above ? " above %s" : " of at least %s", low);
	else if (has_max)
		snprintf(out, size, " of at most %s", high);
	else
		out[0] = 0;
}

mm_status mmi_config_float(mmi_config *c, const char *section_name, const char *key, double fallback, double min,
                           double max, double *out, mm_error *e)
{
	char text[MMI_VALUE_TEXT], range[3 * MMI_VALUE_TEXT];
	mmi_setting *s;
	double value;

	MMI_TRY(ask(c, section_name, key, mmi_value_print(fallback, text), &s, e));
	if (mmi_value_float(text_of(s), &value) && value >= min && value <= max) {
		*out = value;
		return MM_OK;
	}
	float_range(min, max, range, sizeof range);
	return mmi_setting_complain(c, s, e, "expected a number%s", range);
}

mm_status mmi_config_bool(mmi_config *c, const char *section_name, const char *key, bool fallback, bool *out,
                          mm_error *e)
{
	mmi_setting *s;
	MMI_TRY(ask(c, section_name, key, fallback ? "yes" : "no", &s, e));
	if (mmi_value_bool(text_of(s), out))
		return MM_OK;
	return mmi_setting_complain(c, s, e, "expected yes or no");
}

static void join(const char *const *names, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (size_t i = 0; names[i] && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", names[i]);
}

static int word_index(const char *const *names, const char *word, size_t length)
{
	for (int i = 0; names[i]; i++)
		if (strlen(names[i]) == length && !strncmp(names[i], word, length))
			return i;
	return -1;
}

mm_status mmi_config_choice(mmi_config *c, const char *section_name, const char *key, const char *const *names,
                            int fallback, int *out, mm_error *e)
{
	char list[256];
	mmi_setting *s;

	MMI_TRY(ask(c, section_name, key, fallback < 0 ? NULL : names[fallback], &s, e));
	int index = word_index(names, text_of(s), strlen(text_of(s)));
	if (index >= 0) {
		*out = index;
		return MM_OK;
	}
	join(names, list, sizeof list);
	return mmi_setting_complain(c, s, e, "expected one of %s", list);
}

mm_status mmi_config_call(mmi_config *c, const char *section_name, const char *key, const char *const *names,
                          const char *fallback, int *which, bool *has_value, double *value, mm_error *e)
{
	char list[256];
	mmi_setting *s;
	size_t length;
	double argument = 0;
	bool has_argument;

	MMI_TRY(ask(c, section_name, key, fallback, &s, e));
	bool parsed = mmi_value_call(text_of(s), &length, &has_argument, &argument);
	int index = parsed ? word_index(names, text_of(s), length) : -1;
	if (index >= 0) {
		*which = index;
		*has_value = has_argument;
		if (has_argument)
			*value = argument;
		return MM_OK;
	}
	join(names, list, sizeof list);
	return mmi_setting_complain(c, s, e, "expected NAME or NAME(NUMBER), where NAME is one of %s", list);
}

mm_status mmi_config_path(mmi_config *c, const char *section_name, const char *key, const char *fallback,
                          const char **out, mm_error *e)
{
	mmi_setting *s;
	char *absolute;

	MMI_TRY(ask(c, section_name, key, fallback, &s, e));
	const char *text = s->value ? s->value : s->fallback;
	if (!text) {
		*out = NULL;
		return MM_OK;
	}
	if (!*text)
		return mmi_setting_complain(c, s, e, "expected a path");
	const char *base = s->from_option ? c->cwd : c->folder;
	while (text[0] == '.' && text[1] == '/')
		text += 2;
	bool root = !strcmp(base, "/");
	MMI_TRY(mmi_config_keep(c, text[0] == '/' ? mmi_strdup(text) : mmi_format("%s/%s", root ? "" : base, text),
	                        &absolute, e));
	s->effect = *out = absolute;
	return MM_OK;
}
