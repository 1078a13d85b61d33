/* csv.h - tables as comma-separated text (RFC 4180): reading a whole file, and writing cells. */
#ifndef MMI_CSV_H
#define MMI_CSV_H

#include "base/base.h"

#include <stdio.h>

#define MMI_CSV_NONE SIZE_MAX

typedef struct mmi_csv {
	char *text;           /* the file; cells point into it */
	const char **cell;    /* [row][column]; row 0 is the header */
	size_t rows, columns; /* rows: the header included */
} mmi_csv;

/* Every row must have as many cells as the header. Empty lines are skipped, as is a byte order mark. Refused above 1
 * GiB. */
mm_status mmi_csv_read(const char *path, mmi_csv *out, mm_error *e);
void mmi_csv_clear(mmi_csv *c);
const char *mmi_csv_cell(const mmi_csv *c, size_t row, size_t column);
/* The column of that name, or MMI_CSV_NONE. */
size_t mmi_csv_find(const mmi_csv *c, const char *name);

/* One cell, quoted where needed; a comma before it unless it is the row's first. Errors show in ferror(out). */
void mmi_csv_put(FILE *out, bool first, const char *text);
/* The same for a number: as short as reads back, empty when it is not finite. */
void mmi_csv_put_number(FILE *out, bool first, double value);

/* A table that is made in memory and becomes a file whole. Zero is none. */
typedef struct mmi_csv_file {
	FILE *out; /* to put cells into */
	char *text;
	size_t bytes;
} mmi_csv_file;

mm_status mmi_csv_begin(mmi_csv_file *out, mm_error *e);
/* FOLDER/NAME, or NAME where folder is NULL. Nothing is left of f, whatever comes of it. */
mm_status mmi_csv_finish(mmi_csv_file *f, const char *folder, const char *name, mm_error *e);
/* A table that is not wanted any more; none is accepted. */
void mmi_csv_drop(mmi_csv_file *f);

#endif
