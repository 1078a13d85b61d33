/* changes.c - a run that goes on with other settings than it had. */
#include "mmi_build.h"

#include "train/changes.h"
#include "config/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------ resolved settings, line by line */

typedef struct line {
	char section[64], key[64];
	const char *value; /* up to the end of its line */
	int length;
} line;

/* The next setting; *at moves behind it. `l` keeps the section from call to call. */
static bool next(const char **at, line *l)
{
	while (**at) {
		const char *text = *at, *end = text + strcspn(text, "\n");
		*at = end + (*end != 0);
		const char *equals = strstr(text, " = ");
		if (*text == '[')
			snprintf(l->section, sizeof l->section, "%.*s", (int)strcspn(text + 1, "]\n"), text + 1);
		if (*text == '[' || !equals || equals > end)
			continue;
		snprintf(l->key, sizeof l->key, "%.*s", (int)(equals - text), text);
		l->value = equals + 3;
		l->length = (int)(end - l->value);
		return true;
	}
	return false;
}

static bool find(const char *text, const char *section, const char *key, line *l)
{
	*l = (line){ .value = NULL };
	while (next(&text, l))
		if (!strcmp(l->section, section) && !strcmp(l->key, key))
			return true;
	return false;
}

/* The next setting that differs from what it was. A key that was unknown then and is not set now has its default: no
 * difference. */
static bool next_change(const mmi_changes *c, const char **at, line *is, line *was)
{
	while (next(at, is)) {
		if (!find(c->was, is->section, is->key, was)) {
			*was = (line){ .value = "not set", .length = 7 };
			if (mmi_config_has(c->setup->config, is->section, is->key))
				return true;
		} else if (is->length != was->length || strncmp(is->value, was->value, (size_t)is->length)) {
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------ data */

static bool is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(word, *list))
		list++;
	return *list != NULL;
}

/* Of a modality's section the core knows its own keys; any other may be about the data. What is about networks has been
 * refused by then: the tensors do not fit. */
static bool decides_data(const mmi_changes *c, const line *l)
{
	static const char *const own[] = { "plugin", "modality", "likelihood", "likelihood_weight", "x_scale", NULL };
	for (size_t i = 0; i < c->setup->n_modalities; i++)
		if (!strcmp(l->section, c->setup->modalities[i].name))
			return !is_one_of(l->key, own);
	return !strcmp(l->section, "data") || (!strcmp(l->section, "run") && !strcmp(l->key, "seed")) ||
	       (!strcmp(l->section, "learner") && !strcmp(l->key, "batch"));
}

mm_status mmi_changes_check_data(const mmi_changes *c, const char *checkpoint, mm_error *e)
{
	line is = { .value = NULL }, was;
	for (const char *at = c->is; next_change(c, &at, &is, &was);)
		if (decides_data(c, &is))
			return mmi_fail(
				e, MM_ECONFIG,
				"%s: [%s] %s was %.*s, is %.*s: the run would go on with other data, or see it in another order; "
				"give the former value, or --changed-data to go on all the same",
				checkpoint, is.section, is.key, was.length, was.value, is.length, is.value);
	return MM_OK;
}

/* ------------------------------------------------------------ telling */

#define BLAMED 4 /* settings, at most */

void mmi_changes_blame(const mmi_changes *c, mm_error *e)
{
	char message[sizeof e->message];
	line is = { .value = NULL }, was;
	size_t n = 0;
	for (const char *at = c->is; n < BLAMED && next_change(c, &at, &is, &was);) {
		if (!strcmp(is.section, "run") || !strcmp(is.section, "sample") || !strcmp(is.section, "translate"))
			continue; /* about no network */
		snprintf(message, sizeof message, "%s", e->message);
		mmi_fail(e, e->code, "%s%s[%s] %s was %.*s, is %.*s", message,
		         n ? ", " : "; settings that differ: ", is.section, is.key, was.length, was.value, is.length, is.value);
		n++;
	}
}

/* Numbers end at the end of their line. */
static const char *value_of(const char *text, const char *section, const char *key, char copy[MMI_VALUE_TEXT])
{
	line l;
	bool found = find(text, section, key, &l);
	snprintf(copy, MMI_VALUE_TEXT, "%.*s", found ? l.length : 0, found ? l.value : "");
	return copy;
}

/* The settings as they were, as far as the schedule looks at them. */
static mmi_settings schedule_before(const mmi_changes *c)
{
	static const char *const names[] = { "constant", "linear", "cosine" };
	mmi_settings s = c->setup->settings;
	char text[MMI_VALUE_TEXT];
	int64_t iterations;
	size_t length;
	bool has_end;
	if (mmi_value_int(value_of(c->was, "learner", "iterations", text), &iterations) && iterations >= 0)
		s.iterations = (uint64_t)iterations;
	if (!mmi_value_float(value_of(c->was, "run", "minutes", text), &s.minutes))
		s.minutes = 0;
	if (!mmi_value_call(value_of(c->was, "learner", "schedule", text), &length, &has_end, &s.schedule_end))
		return s;
	for (size_t i = 0; i < MMI_COUNT(names); i++)
		if (strlen(names[i]) == length && !strncmp(names[i], text, length))
			s.schedule = (mmi_schedule)i;
	if (!has_end)
		s.schedule_end = s.schedule == MMI_SCHEDULE_CONSTANT ? 1 : 0;
	return s;
}

static double factor(const mmi_settings *s, uint64_t iterations, double seconds)
{
	return s->minutes > 0 ? mmi_settings_schedule_at(s, seconds / (60 * s->minutes))
	                      : mmi_settings_schedule(s, iterations);
}

void mmi_changes_tell(const mmi_changes *c, uint64_t iterations, double seconds, const mmi_log *log)
{
	line is = { .value = NULL }, was;
	for (const char *at = c->is; next_change(c, &at, &is, &was);)
		mmi_logf(log, MM_LOG_INFO, "changed: [%s] %s was %.*s, is %.*s", is.section, is.key, was.length, was.value,
		         is.length, is.value);
	const mmi_settings before = schedule_before(c);
	double f = factor(&before, iterations, seconds), g = factor(&c->setup->settings, iterations, seconds);
	if (fabs(f - g) > 1e-9)
		mmi_logf(log, MM_LOG_INFO,
		         "changed: the schedule's factor of the learning rates was %.3g at this point, is %.3g", f, g);
}
