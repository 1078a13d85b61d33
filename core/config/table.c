/* table.c - reading settings by the rows that describe them. */
#include "mmi_build.h"

#include "config/table.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

static mm_status read_whole(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	int64_t value;
	MMI_TRY(mmi_config_int(c, k->section, k->name, k->whole, k->min, k->max, &value, e));
	if (k->type == MMI_KEY_COUNT)
		*(uint32_t *)to = (uint32_t)value;
	else if (k->type == MMI_KEY_NUMBER)
		*(uint64_t *)to = (uint64_t)value;
	else
		*(int64_t *)to = value;
	return MM_OK;
}

static mm_status read_real(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	return mmi_config_float(c, k->section, k->name, k->real, k->real_min, k->real_max, to, e);
}

static mm_status read_switch(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	return mmi_config_bool(c, k->section, k->name, k->whole != 0, to, e);
}

static mm_status read_word(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	int word;
	MMI_TRY(mmi_config_choice(c, k->section, k->name, k->words, (int)k->whole, &word, e));
	if (k->type == MMI_KEY_SECOND)
		*(bool *)to = word == 1;
	else
		memcpy(to, &word, sizeof word); /* an enum of ours is as large as an int */
	return MM_OK;
}

static mm_status read_text(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	return mmi_config_string(c, k->section, k->name, k->text, to, e);
}

static mm_status read_path(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	return mmi_config_path(c, k->section, k->name, k->text, to, e);
}

static mm_status leave(mmi_config *c, const mmi_key *k, void *to, mm_error *e)
{
	(void)c, (void)k, (void)to, (void)e;
	return MM_OK;
}

static mm_status (*const readers[])(mmi_config *c, const mmi_key *k, void *to, mm_error *e) = {
	[MMI_KEY_COUNT] = read_whole, [MMI_KEY_NUMBER] = read_whole,  [MMI_KEY_SIGNED] = read_whole,
	[MMI_KEY_REAL] = read_real,   [MMI_KEY_SWITCH] = read_switch, [MMI_KEY_CHOICE] = read_word,
	[MMI_KEY_SECOND] = read_word, [MMI_KEY_TEXT] = read_text,     [MMI_KEY_PATH] = read_path,
	[MMI_KEY_OTHER] = leave,
};

mm_status mmi_keys_read(mmi_config *c, const mmi_key_table *table, void *out, mm_error *e)
{
	for (size_t i = 0; i < table->n; i++)
		MMI_TRY(readers[table->keys[i].type](c, &table->keys[i], (char *)out + table->keys[i].at, e));
	return MM_OK;
}

const char *mmi_key_default(const mmi_key *k, char text[MMI_KEY_DEFAULT_TEXT])
{
	char number[MMI_VALUE_TEXT];
	const char *shown = k->text ? k->text : "none";
	switch (k->type) {
	case MMI_KEY_COUNT:
	case MMI_KEY_NUMBER:
	case MMI_KEY_SIGNED:
		snprintf(text, MMI_KEY_DEFAULT_TEXT, "%lld", (long long)k->whole);
		return text;
	case MMI_KEY_REAL:
		shown = mmi_value_print(k->real, number);
		break;
	case MMI_KEY_SWITCH:
		shown = k->whole ? "yes" : "no";
		break;
	case MMI_KEY_CHOICE:
	case MMI_KEY_SECOND:
		shown = k->text ? k->text : k->words[k->whole];
		break;
	default:
		break;
	}
	snprintf(text, MMI_KEY_DEFAULT_TEXT, "%s", shown);
	return text;
}
