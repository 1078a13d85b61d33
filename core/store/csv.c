/* csv.c - comma-separated text. */
#include "mmi_build.h"

#include "store/csv.h"

#include "config/value.h"
#include "store/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)1 << 30)

/* Where a file is being read; cells are unquoted in place. */
typedef struct reader {
	const char *path;
	char *at;
	const char *end;
	size_t line;
	size_t capacity;
} reader;

static mm_status add_cell(reader *r, mmi_csv *c, size_t n, char *cell, mm_error *e)
{
	if (n == r->capacity) {
		size_t more = r->capacity ? 2 * r->capacity : 64;
		const char **grown = mmi_grow(c->cell, r->capacity, more, sizeof *grown);
		if (!grown)
			return mmi_fail(e, MM_ENOMEM, "%s: out of memory", r->path);
		c->cell = grown;
		r->capacity = more;
	}
	c->cell[n] = cell;
	return MM_OK;
}

/* The text of a quoted cell, "" for a quote; leaves r->at behind the closing quote. */
static mm_status read_quoted(reader *r, char **to, mm_error *e)
{
	size_t line = r->line;
	for (r->at++; r->at < r->end; r->at++) {
		if (*r->at == '"' && r->at[1] != '"') {
			r->at++;
			return MM_OK;
		}
		r->at += *r->at == '"';
		r->line += *r->at == '\n';
		*(*to)++ = *r->at;
	}
	return mmi_fail(e, MM_EFORMAT, "%s:%zu: a quote is opened and never closed", r->path, line);
}

/* One cell; *last tells whether its row ends with it. */
static mm_status read_cell(reader *r, char **cell, bool *last, mm_error *e)
{
	char *to = r->at;
	*cell = to;
	if (r->at < r->end && *r->at == '"')
		MMI_TRY(read_quoted(r, &to, e));
	else
		for (; r->at < r->end && *r->at != ',' && *r->at != '\n'; r->at++)
			*to++ = *r->at;
	if (r->at < r->end && *r->at == '\r')
		r->at++;
	else if (to > *cell && to[-1] == '\r' && to == r->at)
		to--;
	if (r->at < r->end && *r->at != ',' && *r->at != '\n')
		return mmi_fail(e, MM_EFORMAT, "%s:%zu: '%.20s' behind a closing quote, expected a comma or the line's end",
		                r->path, r->line, r->at);
	*last = r->at >= r->end || *r->at == '\n';
	r->line += *last;
	r->at += r->at < r->end;
	*to = 0;
	return MM_OK;
}

static mm_status read_row(reader *r, mmi_csv *c, mm_error *e)
{
	size_t n = 0, line = r->line;
	for (bool last = false; !last; n++) {
		char *cell;
		MMI_TRY(read_cell(r, &cell, &last, e));
		MMI_TRY(add_cell(r, c, c->rows * c->columns + n, cell, e));
	}
	if (c->rows == 0)
		c->columns = n;
	if (n != c->columns)
		return mmi_fail(e, MM_EFORMAT, "%s:%zu: %zu cells, expected %zu as in the header", r->path, line, n,
		                c->columns);
	c->rows++;
	return MM_OK;
}

static mm_status read_rows(reader *r, mmi_csv *c, mm_error *e)
{
	while (r->at < r->end) {
		if (*r->at == '\n' || (*r->at == '\r' && r->at[1] == '\n')) {
			r->line += *r->at == '\n';
			r->at++;
		} else {
			MMI_TRY(read_row(r, c, e));
		}
	}
	return c->rows ? MM_OK : mmi_fail(e, MM_EFORMAT, "%s: empty, expected a header of column names", r->path);
}

mm_status mmi_csv_read(const char *path, mmi_csv *out, mm_error *e)
{
	mmi_csv c = { 0 };
	size_t bytes, skip = 0;
	MMI_TRY(mmi_read_file(path, FILE_LIMIT, &c.text, &bytes, e));
	mm_status status = mmi_text_begin(path, c.text, bytes, &skip, e);
	reader r = { .path = path, .at = c.text + skip, .end = c.text + bytes, .line = 1 };
	if (status == MM_OK)
		status = strlen(c.text) == bytes ? read_rows(&r, &c, e)
		                                 : mmi_fail(e, MM_EFORMAT, "%s: holds a byte 0, expected text", path);
	if (status != MM_OK) {
		mmi_csv_clear(&c);
		return status;
	}
	*out = c;
	return MM_OK;
}

void mmi_csv_clear(mmi_csv *c)
{
	mmi_free(c->cell);
	mmi_free(c->text);
	*c = (mmi_csv){ 0 };
}

const char *mmi_csv_cell(const mmi_csv *c, size_t row, size_t column)
{
	return c->cell[row * c->columns + column];
}

size_t mmi_csv_find(const mmi_csv *c, const char *name)
{
	for (size_t i = 0; i < c->columns; i++)
		if (!strcmp(c->cell[i], name))
			return i;
	return MMI_CSV_NONE;
}

/* ---------------------------------------------------------------- writing */

void mmi_csv_put(FILE *out, bool first, const char *text)
{
	if (!first)
		fputc(',', out);
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

void mmi_csv_put_number(FILE *out, bool first, double value)
{
	char text[MMI_VALUE_TEXT];
	mmi_csv_put(out, first, isfinite(value) ? mmi_value_print(value, text) : "");
}

mm_status mmi_csv_begin(mmi_csv_file *out, mm_error *e)
{
	*out = (mmi_csv_file){ .out = NULL };
	out->out = open_memstream(&out->text, &out->bytes);
	return out->out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a table");
}

mm_status mmi_csv_finish(mmi_csv_file *f, const char *folder, const char *name, mm_error *e)
{
	char *path = folder ? mmi_format("%s/%s", folder, name) : mmi_strdup(name);
	bool failed = ferror(f->out);
	failed = fclose(f->out) || failed;
	f->out = NULL;
	mm_status status = failed || !path ? mmi_fail(e, MM_ENOMEM, "%s: out of memory", name)
	                                   : mmi_write_file_atomic(path, f->text, f->bytes, e);
	mmi_free(path);
	mmi_csv_drop(f);
	return status;
}

void mmi_csv_drop(mmi_csv_file *f)
{
	if (f->out)
		fclose(f->out);
	free(f->text);
	*f = (mmi_csv_file){ .out = NULL };
}
