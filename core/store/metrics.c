/* metrics.c - one CSV row an interval. */
#include "mmi_build.h"

#include "store/metrics.h"

#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CELL_BYTES = 256, QUOTED_BYTES = 2 * CELL_BYTES + 2 };
#define FILE_LIMIT ((size_t)1 << 32)

typedef struct {
	char text[CELL_BYTES];
} cell;

struct mmi_metrics {
	char *path;
	int fd;
	off_t size; /* of the whole rows */
	size_t n;
	cell *cells;
	char *row;     /* room for n quoted cells */
	char *waiting; /* rows that could not be written so far */
	size_t waiting_bytes;
	char *last; /* the last row when it was opened; NULL: none */
};

/* Writes a cell, quoted where CSV needs it; returns the bytes. */
static size_t put_cell(char *out, const char *text)
{
	size_t used = 0;

	if (!text[strcspn(text, ",\"\r\n")]) {
		memcpy(out, text, strlen(text));
		return strlen(text);
	}
	out[used++] = '"';
	for (; *text; text++) {
		if (*text == '"')
			out[used++] = '"';
		out[used++] = *text;
	}
	out[used++] = '"';
	return used;
}

static size_t put_row(const mmi_metrics *m, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < m->n; i++) {
		used += put_cell(out + used, m->cells[i].text);
		out[used++] = i + 1 < m->n ? ',' : '\n';
	}
	return used;
}

/* ---------------------------------------------------------------- rows */

void mmi_metrics_number(mmi_metrics *m, size_t column, double value)
{
	char *text = m->cells[column].text;

	snprintf(text, CELL_BYTES, "%.9g", isnan(value) ? fabs(value) : value); /* never "-nan" */
	char *comma = strchr(text, ',');
	if (comma)
		*comma = '.'; /* the program around us may have set a locale */
}

void mmi_metrics_integer(mmi_metrics *m, size_t column, int64_t value)
{
	snprintf(m->cells[column].text, CELL_BYTES, "%" PRId64, value);
}

void mmi_metrics_text(mmi_metrics *m, size_t column, const char *text)
{
	snprintf(m->cells[column].text, CELL_BYTES, "%s", text);
}

/* A row is there as a whole or not at all, so what a full disk cut off is taken back. */
static mm_status write_rows(mmi_metrics *m, const char *text, size_t bytes, mm_error *e)
{
	if (!mmi_write_all(m->fd, text, bytes)) {
		m->size += (off_t)bytes;
		return MM_OK;
	}
	int error = errno;
	bool undone = !ftruncate(m->fd, m->size);
	return mmi_fail(e, MM_EIO, "cannot write a row to %s: %s%s", m->path, strerror(error),
	                undone ? "" : "; part of it stays");
}

static mm_status write_waiting(mmi_metrics *m, mm_error *e)
{
	if (!m->waiting_bytes)
		return MM_OK;
	MMI_TRY(write_rows(m, m->waiting, m->waiting_bytes, e));
	m->waiting_bytes = 0;
	return MM_OK;
}

/* The first bytes of `row` wait for the next one, unless there is no room for them either. */
static void keep_waiting(mmi_metrics *m, size_t bytes)
{
	char *grown = mmi_grow(m->waiting, m->waiting_bytes, m->waiting_bytes + bytes, 1);
	if (!grown)
		return;
	m->waiting = grown;
	memcpy(m->waiting + m->waiting_bytes, m->row, bytes);
	m->waiting_bytes += bytes;
}

mm_status mmi_metrics_append(mmi_metrics *m, uint64_t iteration, mm_error *e)
{
	snprintf(m->cells[0].text, CELL_BYTES, "%" PRIu64, iteration);
	size_t bytes = put_row(m, m->row);
	memset(m->cells, 0, m->n * sizeof *m->cells);
	mm_status status = write_waiting(m, e);
	if (status == MM_OK)
		status = write_rows(m, m->row, bytes, e);
	if (status != MM_OK)
		keep_waiting(m, bytes);
	return status;
}

bool mmi_metrics_last(const mmi_metrics *m, size_t column, char *text, size_t size)
{
	const char *at = m->last;
	for (; at && column; column--) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	if (at)
		snprintf(text, size, "%.*s", (int)strcspn(at, ",\n"), at);
	return at != NULL;
}

/* ---------------------------------------------------------------- opening */

void mmi_metrics_close(mmi_metrics *m)
{
	if (!m)
		return;
	if (m->fd >= 0) {
		(void)write_waiting(m, NULL);
		close(m->fd);
	}
	mmi_free(m->path);
	mmi_free(m->cells);
	mmi_free(m->row);
	mmi_free(m->waiting);
	mmi_free(m->last);
	mmi_free(m);
}

/* Everything but the file; the header is ready in the cells. */
static mm_status prepare(const char *path, const char *const *columns, size_t n, mmi_metrics **out, mm_error *e)
{
	mmi_metrics *m = mmi_alloc(1, sizeof *m);

	if (!m)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	m->fd = -1;
	m->n = n;
	m->path = mmi_strdup(path);
	m->cells = mmi_alloc(n, sizeof *m->cells);
	m->row = mmi_alloc(n, QUOTED_BYTES + 1);
	if (!m->path || !m->cells || !m->row) {
		mmi_metrics_close(m);
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	}
	for (size_t i = 0; i < n; i++)
		mmi_metrics_text(m, i, columns[i]);
	*out = m;
	return MM_OK;
}

static mm_status create_file(mmi_metrics *m, mm_error *e)
{
	m->fd = open(m->path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (m->fd < 0)
		return mmi_fail(e, MM_EIO, "cannot create %s: %s", m->path, strerror(errno));
	mm_status status = write_rows(m, m->row, put_row(m, m->row), e);
	if (status != MM_OK)
		unlink(m->path);
	return status;
}

mm_status mmi_metrics_create(const char *path, const char *const *columns, size_t n, mmi_metrics **out, mm_error *e)
{
	mmi_metrics *m;

	MMI_TRY(prepare(path, columns, n, &m, e));
	mm_status status = create_file(m, e);
	if (status != MM_OK) {
		mmi_metrics_close(m);
		return status;
	}
	memset(m->cells, 0, n * sizeof *m->cells);
	*out = m;
	return MM_OK;
}

/* ---------------------------------------------------------------- resuming */

/* End of the row that starts at text, newline included; NULL when the row is not finished. */
static const char *row_end(const char *text, const char *end)
{
	bool quoted = false;

	for (; text < end; text++) {
		quoted ^= *text == '"';
		if (*text == '\n' && !quoted)
			return text + 1;
	}
	return NULL;
}

/* Bytes to keep: the header and the rows up to the iteration. What is not a whole row ends the file. *last: where the
 * last one begins; NULL without rows. */
static size_t kept_bytes(const char *text, size_t bytes, size_t header, uint64_t iteration, const char **last)
{
	const char *row = text + header, *end = text + bytes;

	*last = NULL;

	for (const char *next = row_end(row, end); next; next = row_end(row, end)) {
		char *digits_end;
		uint64_t found = strtoull(row, &digits_end, 10);
		if (digits_end == row || (*digits_end != ',' && *digits_end != '\n') || found > iteration)
			break;
		*last = row;
		row = next;
	}
	return (size_t)(row - text);
}

/* Columns before the first that differs. */
static size_t columns_alike(const char *found, size_t found_bytes, const char *expected, size_t expected_bytes)
{
	size_t same = 0, columns = 0;

	for (; same < found_bytes && same < expected_bytes && found[same] == expected[same]; same++)
		columns += found[same] == ',';
	if (same == found_bytes || same == expected_bytes)
		return columns;
	bool one_ends = (found[same] == '\n' && expected[same] == ',') || (found[same] == ',' && expected[same] == '\n');
	return columns + one_ends;
}

static mm_status check_header(const mmi_metrics *m, const char *text, size_t bytes, size_t *header, mm_error *e)
{
	const char *end = row_end(text, text + bytes);
	size_t found = end ? (size_t)(end - text) : bytes;

	*header = put_row(m, m->row);
	if (found == *header && !memcmp(text, m->row, found))
		return MM_OK;
	size_t columns = columns_alike(text, found, m->row, *header);
	return mmi_fail(e, MM_EFORMAT,
	                "%s: column %zu of the header differs: found '%.*s', expected '%s'; move the file away", m->path,
	                columns + 1, (int)(found < 200 ? found - (found > 0) : 200), text,
	                columns < m->n ? m->cells[columns].text : "none");
}

static mm_status cut_file(mmi_metrics *m, size_t bytes, mm_error *e)
{
	m->fd = open(m->path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)bytes))
		return mmi_fail(e, MM_EIO, "cannot go on with %s: %s", m->path, strerror(errno));
	m->size = (off_t)bytes;
	memset(m->cells, 0, m->n * sizeof *m->cells);
	return MM_OK;
}

static mm_status resume_file(mmi_metrics *m, uint64_t iteration, mm_error *e)
{
	char *text;
	size_t bytes, header;

	MMI_TRY(mmi_read_file(m->path, FILE_LIMIT, &text, &bytes, e));
	mm_status status = check_header(m, text, bytes, &header, e);
	if (status == MM_OK) {
		const char *last;
		size_t kept = kept_bytes(text, bytes, header, iteration, &last);
		status = cut_file(m, kept, e);
		if (last)
			m->last = mmi_format("%.*s", (int)(text + kept - last), last);
	}
	mmi_free(text);
	return status;
}

mm_status mmi_metrics_resume(const char *path, const char *const *columns, size_t n, uint64_t iteration,
                             mmi_metrics **out, mm_error *e)
{
	mmi_metrics *m;
	struct stat st;

	if (stat(path, &st) && errno == ENOENT)
		return mmi_metrics_create(path, columns, n, out, e);
	MMI_TRY(prepare(path, columns, n, &m, e));
	mm_status status = resume_file(m, iteration, e);
	if (status != MM_OK) {
		mmi_metrics_close(m);
		return status;
	}
	*out = m;
	return MM_OK;
}
