/* rows.h - tables as text: comma, semicolon or tab between cells, quoted as spreadsheets do. */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include "common.h"

typedef struct com_rows {
	const mma_host *host;
	com_text text;
	char delimiter;
	char **cell; /* of the row read last: NUL-terminated, in text */
	size_t n, capacity;
	uint32_t line; /* where it begins */
} com_rows;

/* The path must outlive the rows. The first row is not read yet. */
mm_status com_rows_open(const mma_host *h, const char *path, size_t limit, com_rows *out, mm_error *e);
void com_rows_close(com_rows *r);
/* The next row that is not empty; *found is false at the end. A quote that is never closed is an error. */
mm_status com_rows_next(com_rows *r, bool *found, mm_error *e);

#endif
