/* names.c - what the names of files and of splits say. */
#include "mmi_build.h"

#include "entries.h"

#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- templates */

/* A field at the start of a template: its name, and what stands behind it. */
static bool field(const char *at, const char **name, size_t *length, const char **end)
{
	const char *close = *at == '{' ? strchr(at, '}') : NULL;
	if (!close)
		return false;
	*name = at + 1;
	*length = (size_t)(close - at - 1);
	*end = close + 1;
	return true;
}

static bool is(const char *word, const char *name, size_t length)
{
	return strlen(word) == length && !strncmp(word, name, length);
}

bool pairs_template_valid(const char *names)
{
	const char *name, *end;
	size_t length, n = 0;
	for (const char *at = names; *at; at = end) {
		end = at + 1;
		if (*at == '}' || (*at == '{' && !field(at, &name, &length, &end)))
			return false;
		if (*at != '{')
			continue;
		if (length && !is("label", name, length) && !is("group", name, length))
			return false;
		if (*end == '{') /* nothing says where one ends and the next begins */
			return false;
		n++;
	}
	return n > 0;
}

/* Where the text behind a field begins in the name: as early as it can, not at its start; NULL when it is not there. */
static const char *find(const char *from, const char *stop, const char *text, size_t length)
{
	for (const char *at = from + 1; at + length <= stop; at++)
		if (!strncmp(at, text, length))
			return at;
	return NULL;
}

static void note(pairs_said *out, const char *name, size_t length, const char *from, const char *to)
{
	if (is("label", name, length)) {
		out->label = from;
		out->label_length = (size_t)(to - from);
	} else if (length) {
		out->group = from;
		out->group_length = (size_t)(to - from);
	}
}

bool pairs_template_match(const char *names, const char *name, size_t length, pairs_said *out)
{
	const char *at = name, *stop = name + length, *word, *end;
	size_t n;
	*out = (pairs_said){ 0 };
	for (const char *t = names; *t; t = end) {
		if (!field(t, &word, &n, &end)) {
			if (at == stop || *at++ != *t)
				return false;
			end = t + 1;
			continue;
		}
		const size_t literal = strcspn(end, "{");
		const char *to = *end ? find(at, stop, end, literal) : stop;
		if (to && !end[literal] && *end) /* the last text stands at the end */
			to = (size_t)(stop - at) > literal && !strncmp(stop - literal, end, literal) ? stop - literal : NULL;
		if (!to || to == at)
			return false;
		note(out, word, n, at, to);
		at = to;
	}
	return at == stop;
}

/* ---------------------------------------------------------------- splits */

int32_t pairs_split_named(const char *word, size_t length)
{
	static const struct {
		const char *name;
		int32_t split;
	} words[] = {
		{ "train", MM_SPLIT_TRAIN },   { "training", MM_SPLIT_TRAIN },     { "test", MM_SPLIT_TEST },
		{ "testing", MM_SPLIT_TEST },  { "eval", MM_SPLIT_TEST },          { "val", PAIRS_VALIDATION },
		{ "valid", PAIRS_VALIDATION }, { "validation", PAIRS_VALIDATION }, { "dev", PAIRS_VALIDATION },
	};
	for (size_t i = 0; i < MMA_COUNT(words); i++)
		if (strlen(words[i].name) == length && !strncasecmp(words[i].name, word, length))
			return words[i].split;
	return PAIRS_UNSAID;
}
