/* report.h - named numbers: what an evaluation found, as a table, JSON and CSV, and summarised over runs. */
#ifndef MMI_REPORT_H
#define MMI_REPORT_H

#include "base/base.h"

#include <stdio.h>

/* One number. Figures of one name follow one another; each of their variants becomes a column of the table. */
typedef struct mmi_report_item {
	char name[48];    /* "conditional coherence" */
	char of[64];      /* "m0 -> m1", "mean" */
	char variant[24]; /* "generator", "revised" */
	double value;     /* NaN: not available, and why says why */
	char why[200];
} mmi_report_item;

typedef struct mmi_fact { /* what the numbers are of */
	char key[24];
	char *value;
} mmi_fact;

typedef struct mmi_report {
	mmi_report_item *item;
	size_t n, capacity;
	mmi_fact *fact;
	size_t n_facts, fact_capacity;
} mmi_report;

void mmi_report_clear(mmi_report *f);
mm_status mmi_report_add(mmi_report *f, const char *name, const char *of, const char *variant, double value,
                         mm_error *e);
/* A figure that is not available. */
mm_status mmi_report_lack(mmi_report *f, const char *name, const char *why, mm_error *e);
/* "checkpoint", "runs/a/checkpoints/..." */
mm_status mmi_report_fact(mmi_report *f, const char *key, mm_error *e, const char *format, ...) MMI_PRINTF(4, 5);
/* NULL: none. */
const mmi_report_item *mmi_report_find(const mmi_report *f, const char *name, const char *of, const char *variant);

/* Facts, then a table for each name; figures of "a -> b" make a matrix for each variant, sources down, targets across.
 */
void mmi_report_print(const mmi_report *f, FILE *out);
/* Text freed with mmi_free: the facts and a list "figures" of name, of, variant, value (null with "why"). */
mm_status mmi_report_json(const mmi_report *f, char **out, mm_error *e);
/* FOLDER/NAME.json, and FOLDER/NAME.csv with a line a figure under "figure,of,variant,value"; the folder is made. */
mm_status mmi_report_write(const mmi_report *f, const char *folder, const char *name, mm_error *e);
/* Reads what mmi_report_json wrote. */
mm_status mmi_report_read(const char *path, mmi_report *out, mm_error *e);

/* Every figure of any run, as variants "mean", "sd" (of the runs, dividing by n - 1; NaN for one) and "runs", over
 * those runs that have it. The name becomes "NAME, VARIANT". A fact "runs differ in" names what was not the same:
 * split, counts, steps, judge. */
mm_status mmi_report_summary(const mmi_report *runs, size_t n, mmi_report *out, mm_error *e);

#endif
