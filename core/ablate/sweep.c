/* sweep.c - grids of settings. */
#include "mmi_build.h"

#include "ablate/sweep.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_POINTS = 10000, NAME_ROOM = 200 /* of a folder's 255 bytes */ };

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for a grid of settings");
}

static mm_status refuse(const char *text, const char *why, mm_error *e)
{
	return mmi_fail(e, MM_ECONFIG, "--sweep %.80s: %s, e.g. --sweep learner.x_steps=0,10,30", text, why);
}

/* ---------------------------------------------------------------- one sweep */

static mm_status add_value(mmi_sweep *s, const char *from, size_t length, mm_error *e)
{
	char **grown = mmi_grow(s->value, s->n, s->n + 1, sizeof *grown);
	if (!grown)
		return no_memory(e);
	s->value = grown;
	s->value[s->n] = mmi_format("%.*s", (int)length, from);
	return s->value[s->n++] ? MM_OK : no_memory(e);
}

/* Up to the next comma outside brackets; SIZE_MAX when brackets do not close. */
static size_t value_length(const char *text)
{
	size_t depth = 0, i = 0;
	for (; text[i] && (depth || text[i] != ','); i++) {
		if (text[i] == ')' && !depth)
			return SIZE_MAX;
		depth += (size_t)(text[i] == '(') - (size_t)(text[i] == ')');
	}
	return depth ? SIZE_MAX : i;
}

static mm_status add_trimmed(mmi_sweep *s, const char *text, const char *from, size_t length, mm_error *e)
{
	while (length && isspace((unsigned char)*from))
		from++, length--;
	while (length && isspace((unsigned char)from[length - 1]))
		length--;
	if (!length)
		return refuse(text, "a value is empty", e);
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->value[i]) == length && !strncmp(s->value[i], from, length))
			return refuse(text, "a value occurs twice", e);
	return add_value(s, from, length, e);
}

static mm_status parse(mmi_sweep *s, const char *text, mm_error *e)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	if (!equals || !dot || dot > equals || dot == text || dot + 1 == equals)
		return refuse(text, "expected SECTION.KEY=VALUE,VALUE", e);
	s->key = mmi_format("%.*s", (int)(equals - text), text);
	if (!s->key)
		return no_memory(e);
	for (const char *at = equals + 1;; at++) {
		size_t length = value_length(at);
		if (length == SIZE_MAX)
			return refuse(text, "brackets do not match", e);
		MMI_TRY(add_trimmed(s, text, at, length, e));
		at += length;
		if (!*at)
			return MM_OK;
	}
}

mm_status mmi_sweep_parse(const char *text, mmi_sweep *out, mm_error *e)
{
	mmi_sweep s = { 0 };
	mm_status status = parse(&s, text, e);
	if (status == MM_OK)
		*out = s;
	else
		mmi_sweep_clear(&s);
	return status;
}

mm_status mmi_sweep_count(const char *key, uint64_t first, size_t n, mmi_sweep *out, mm_error *e)
{
	mmi_sweep s = { .key = mmi_strdup(key) };
	mm_status status = s.key ? MM_OK : no_memory(e);
	for (size_t i = 0; status == MM_OK && i < n; i++) {
		char text[24];
		int length = snprintf(text, sizeof text, "%" PRIu64, first + i);
		status = add_value(&s, text, (size_t)length, e);
	}
	if (status == MM_OK)
		*out = s;
	else
		mmi_sweep_clear(&s);
	return status;
}

void mmi_sweep_clear(mmi_sweep *s)
{
	for (size_t i = 0; i < s->n; i++)
		mmi_free(s->value[i]);
	mmi_free(s->value);
	mmi_free(s->key);
	*s = (mmi_sweep){ 0 };
}

/* ---------------------------------------------------------------- the grid */

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

/* Joined settings, as a name that no shell or file system minds; a long one is cut and gets a number that tells it from
 * others. */
static char *folder_name(const char *joined)
{
	char name[NAME_ROOM + 1];
	size_t n = 0;
	for (const char *p = joined; *p && n < NAME_ROOM; p++)
		if (*p != ')')
			name[n++] = (char)(isalnum((unsigned char)*p) || strchr("._=,+-", *p) ? *p : '-');
	name[n] = 0;
	return strlen(joined) <= NAME_ROOM ? mmi_strdup(name)
	                                   : mmi_format("%.*s-%08x", NAME_ROOM - 9, name, (unsigned)hash(joined));
}

static mm_status fill_point(const mmi_sweep *sweeps, size_t n, size_t number, mmi_point *p, mm_error *e)
{
	char *joined = mmi_strdup("");
	p->value = mmi_alloc(n, sizeof *p->value);
	p->set = mmi_alloc(n, sizeof *p->set);
	for (size_t i = n; p->value && i-- > 0; number /= sweeps[i].n)
		p->value[i] = sweeps[i].value[number % sweeps[i].n];
	for (size_t i = 0; p->value && p->set && joined && i < n; i++) {
		p->set[i] = mmi_format("%s=%s", sweeps[i].key, p->value[i]);
		char *longer = p->set[i] ? mmi_format("%s%s%s", joined, i ? "," : "", p->set[i]) : NULL;
		mmi_free(joined);
		joined = longer;
	}
	p->name = joined && p->value && p->set ? folder_name(joined) : NULL;
	mmi_free(joined);
	return p->name ? MM_OK : no_memory(e);
}

static mm_status count_points(const mmi_sweep *sweeps, size_t n, size_t *count, mm_error *e)
{
	*count = 1;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			if (!strcasecmp(sweeps[i].key, sweeps[k].key))
				return mmi_fail(e, MM_ECONFIG, "--sweep %s is given twice; list all its values in one", sweeps[i].key);
		*count *= sweeps[i].n;
		if (*count > MAX_POINTS)
			return mmi_fail(e, MM_ECONFIG, "the sweeps make more than %d runs; leave some values out", MAX_POINTS);
	}
	return MM_OK;
}

static mm_status check_names(const mmi_points *p, mm_error *e)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->item[i].name, p->item[k].name))
				return mmi_fail(
					e, MM_ECONFIG,
					"two runs would share the folder %s; their values differ only in characters that a folder's "
					"name cannot hold",
					p->item[i].name);
	return MM_OK;
}

mm_status mmi_points_create(const mmi_sweep *sweeps, size_t n_sweeps, mmi_points *out, mm_error *e)
{
	mmi_points p = { .n_sweeps = n_sweeps };
	MMI_TRY(count_points(sweeps, n_sweeps, &p.n, e));
	p.item = mmi_alloc(p.n, sizeof *p.item);
	mm_status status = p.item ? MM_OK : no_memory(e);
	for (size_t i = 0; status == MM_OK && i < p.n; i++)
		status = fill_point(sweeps, n_sweeps, i, &p.item[i], e);
	if (status == MM_OK)
		status = check_names(&p, e);
	if (status == MM_OK)
		*out = p;
	else
		mmi_points_clear(&p);
	return status;
}

void mmi_points_clear(mmi_points *p)
{
	for (size_t i = 0; p->item && i < p->n; i++) {
		for (size_t k = 0; p->item[i].set && k < p->n_sweeps; k++)
			mmi_free(p->item[i].set[k]);
		mmi_free(p->item[i].set);
		mmi_free(p->item[i].value);
		mmi_free(p->item[i].name);
	}
	mmi_free(p->item);
	*p = (mmi_points){ 0 };
}
