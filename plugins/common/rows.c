/* rows.c - tables as text, a row at a time, taken apart where they stand in memory. */
#include "mmi_build.h"

#include "rows.h"

#include <string.h>

/* The one that occurs most in the first line, outside of quotes. */
static char find_delimiter(const com_text *t)
{
	static const char delimiters[] = ",;\t";
	size_t n[3] = { 0, 0, 0 }, best = 0;
	bool quoted = false;
	for (const char *at = t->bytes + t->at; *at && (*at != '\n' || quoted); at++) {
		const char *is = strchr(delimiters, *at);
		quoted = quoted != (*at == '"');
		if (is && !quoted)
			n[is - delimiters]++;
	}
	for (size_t i = 1; i < 3; i++)
		best = n[i] > n[best] ? i : best;
	return delimiters[best];
}

mm_status com_rows_open(const mma_host *h, const char *path, size_t limit, com_rows *out, mm_error *e)
{
	*out = (com_rows){ .host = h };
	MMA_TRY(com_text_open(h, path, limit, &out->text, e));
	out->delimiter = find_delimiter(&out->text);
	out->text.number = 1;
	return MM_OK;
}

void com_rows_close(com_rows *r)
{
	com_text_close(r->host, &r->text);
	mma_free(r->host, r->cell);
}

/* The cell at t->at, which moves to the character behind it; what is doubled within quotes is written once. */
static mm_status take_cell(com_rows *r, char **out, mm_error *e)
{
	com_text *t = &r->text;
	char *from = t->bytes + t->at, *to = from;
	const uint32_t begin = t->number;
	bool quoted = false;
	*out = from;
	for (; *from; from++) {
		if (*from == '"' && (quoted || from == *out)) {
			if (quoted && from[1] == '"')
				*to++ = *from++;
			else
				quoted = !quoted;
			continue;
		}
		if (!quoted && (*from == r->delimiter || *from == '\n'))
			break;
		t->number += *from == '\n';
		*to++ = *from;
	}
	t->at = (size_t)(from - t->bytes);
	if (quoted)
		return mma_fail(e, MM_EFORMAT, "%s:%u: a quote is opened and never closed", t->path, (unsigned)begin);
	while (to > *out && (to[-1] == '\r' || to[-1] == ' '))
		to--;
	if (to < from) /* the end itself is still to be looked at */
		*to = 0;
	return MM_OK;
}

static mm_status add_cell(com_rows *r, char *cell, mm_error *e)
{
	char **grown = mma_grow(r->host, r->cell, r->n, &r->capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "a table");
	r->cell = grown;
	r->cell[r->n++] = cell;
	return MM_OK;
}

static mm_status take_row(com_rows *r, mm_error *e)
{
	com_text *t = &r->text;
	r->n = 0;
	r->line = t->number;
	for (char end = r->delimiter; end == r->delimiter;) {
		char *cell;
		MMA_TRY(take_cell(r, &cell, e));
		end = t->bytes[t->at];
		t->bytes[t->at] = 0;
		t->at += end != 0;
		t->number += end == '\n';
		MMA_TRY(add_cell(r, cell, e));
	}
	return MM_OK;
}

mm_status com_rows_next(com_rows *r, bool *found, mm_error *e)
{
	const com_text *t = &r->text;
	*found = false;
	while (!*found && t->at < t->size) {
		if (!t->bytes[t->at])
			return mma_fail(e, MM_EFORMAT, "%s:%u: a NUL byte, expected a table of text", t->path, (unsigned)t->number);
		MMA_TRY(take_row(r, e));
		*found = r->n > 1 || *r->cell[0];
	}
	return MM_OK;
}
