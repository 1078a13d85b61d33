/* answer.c - answers of commands as JSON. */
#include "mmi_build.h"

#include "cli/answer.h"

#include "config/ini.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mmi_answer mmi_answer_begin(void)
{
	cJSON *root = cJSON_CreateObject();
	return (mmi_answer){ .root = root, .failed = !root };
}

void mmi_answer_drop(mmi_answer *a)
{
	cJSON_Delete(a->root);
	*a = (mmi_answer){ .root = NULL };
}

int mmi_answer_print(const mmi_cli *cli, mmi_answer *a, int status)
{
	char *text = a->failed ? NULL : cJSON_Print(a->root);
	if (text)
		fprintf(cli->console->out, "%s\n", text);
	else
		mmi_cli_error(cli, "out of memory for the answer as JSON");
	const bool told = text != NULL;
	cJSON_free(text);
	mmi_answer_drop(a);
	return told || status != MMI_EXIT_OK ? status : MMI_EXIT_FAILURE;
}

void mmi_answer_take(mmi_answer *a, cJSON *to, const char *name, cJSON *value)
{
	if (value && to && (name ? cJSON_AddItemToObject(to, name, value) : cJSON_AddItemToArray(to, value)))
		return;
	cJSON_Delete(value);
	a->failed = true;
}

static cJSON *put(mmi_answer *a, cJSON *to, const char *name, cJSON *value)
{
	mmi_answer_take(a, to, name, value);
	return a->failed ? NULL : value;
}

cJSON *mmi_answer_object(mmi_answer *a, cJSON *to, const char *name)
{
	return put(a, to, name, cJSON_CreateObject());
}

cJSON *mmi_answer_array(mmi_answer *a, cJSON *to, const char *name)
{
	return put(a, to, name, cJSON_CreateArray());
}

/* Bytes of the character that begins here, 0 when it is none: overlong forms, surrogates and what lies beyond U+10FFFF
 * are none. */
static size_t character(const unsigned char *s)
{
	static const struct {
		unsigned char from, to, second_from, second_to;
		size_t length;
	} leads[] = {
		{ 0x01, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};
	for (size_t i = 0; i < MMI_COUNT(leads); i++) {
		if (*s < leads[i].from || *s > leads[i].to)
			continue;
		if (leads[i].length > 1 && (s[1] < leads[i].second_from || s[1] > leads[i].second_to))
			return 0;
		for (size_t k = 2; k < leads[i].length; k++)
			if ((s[k] & 0xC0) != 0x80)
				return 0;
		return leads[i].length;
	}
	return 0;
}

static char *as_utf8(const char *text)
{
	char *out = mmi_alloc(3 * strlen(text) + 1, 1), *to = out;
	for (const unsigned char *s = (const unsigned char *)text; out && *s;) {
		const size_t length = character(s);
		memcpy(to, length ? (const char *)s : "\xEF\xBF\xBD", length ? length : 3);
		to += length ? length : 3;
		s += length ? length : 1;
	}
	return out;
}

void mmi_answer_text(mmi_answer *a, cJSON *to, const char *name, const char *text)
{
	char *clean = text ? as_utf8(text) : NULL;
	mmi_answer_take(a, to, name, !text ? cJSON_CreateNull() : clean ? cJSON_CreateString(clean) : NULL);
	mmi_free(clean);
}

void mmi_answer_number(mmi_answer *a, cJSON *to, const char *name, double value)
{
	mmi_answer_take(a, to, name, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void mmi_answer_float(mmi_answer *a, cJSON *to, const char *name, float value)
{
	char text[32];
	snprintf(text, sizeof text, "%.9g", (double)value);
	mmi_answer_number(a, to, name, strtod(text, NULL));
}

void mmi_answer_bool(mmi_answer *a, cJSON *to, const char *name, bool value)
{
	mmi_answer_take(a, to, name, cJSON_CreateBool(value));
}

typedef struct settings_reader {
	mmi_answer *answer;
	cJSON *all, *section;
} settings_reader;

static mm_status take_setting(void *ctx, const char *section, const char *key, const char *value, int line, mm_error *e)
{
	settings_reader *r = ctx;
	(void)line, (void)e;
	if (key)
		mmi_answer_text(r->answer, r->section, key, value);
	else
		r->section = mmi_answer_object(r->answer, r->all, section);
	return MM_OK;
}

void mmi_answer_settings(mmi_answer *a, cJSON *to, const char *name, const char *ini)
{
	mm_error e = MM_ERROR_INIT;
	settings_reader r = { .answer = a, .all = mmi_answer_object(a, to, name) };
	if (mmi_ini_read_text(name, ini, take_setting, &r, &e) != MM_OK && e.code == MM_ENOMEM)
		a->failed = true;
}

int mmi_answer_path(const mmi_cli *cli, bool json, const char *label, const char *path)
{
	if (!json) {
		fprintf(cli->console->out, "%-10s %s\n", label, path);
		return MMI_EXIT_OK;
	}
	mmi_answer a = mmi_answer_begin();
	mmi_answer_text(&a, a.root, label, path);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}
