/* figures.c - what a finished run is judged by. */
#include "mmi_build.h"

#include "ablate/figures.h"

#include "config/value.h"
#include "store/csv.h"

#include <math.h>
#include <string.h>

mm_status mmi_figures_add(mmi_figures *f, const char *name, double value, mm_error *e)
{
	mmi_figure *grown = mmi_grow(f->item, f->n, f->n + 1, sizeof *grown);
	if (!grown)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the figures of a run");
	f->item = grown;
	snprintf(grown[f->n].name, sizeof grown->name, "%s", name);
	grown[f->n++].value = value;
	return MM_OK;
}

double mmi_figures_get(const mmi_figures *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->item[i].name, name))
			return f->item[i].value;
	return NAN;
}

mm_status mmi_figures_append(mmi_figures *f, const mmi_figures *more, mm_error *e)
{
	for (size_t i = 0; i < more->n; i++)
		MMI_TRY(mmi_figures_add(f, more->item[i].name, more->item[i].value, e));
	return MM_OK;
}

bool mmi_figures_match(const mmi_figures *f, const mmi_figures *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		double found = mmi_figures_get(f, wanted->item[i].name), value = wanted->item[i].value;
		if (!(found >= value && found <= value))
			return false;
	}
	return true;
}

void mmi_figures_clear(mmi_figures *f)
{
	mmi_free(f->item);
	*f = (mmi_figures){ 0 };
}

/* ---------------------------------------------------------------- from metrics */

/* NaN for an empty cell. */
static double number_at(const mmi_csv *c, size_t row, size_t column)
{
	double value;
	return mmi_value_float(mmi_csv_cell(c, row, column), &value) ? value : NAN;
}

static size_t first_of_window(const mmi_csv *c, double window)
{
	double last = number_at(c, c->rows - 1, 0);
	size_t row = c->rows - 1;
	while (row > 1 && number_at(c, row - 1, 0) > (1 - window) * last)
		row--;
	return row;
}

/* Mean and standard deviation in two passes, over rows where there is a number. */
static mm_status add_column(mmi_figures *f, const mmi_csv *c, size_t column, size_t first, mm_error *e)
{
	const char *name = mmi_csv_cell(c, 0, column);
	double sum = 0, squares = 0;
	size_t n = 0;
	char sd_name[MMI_FIGURE_NAME];
	for (size_t r = first; r < c->rows; r++)
		if (isfinite(number_at(c, r, column))) {
			sum += number_at(c, r, column);
			n++;
		}
	if (!n)
		return MM_OK;
	double mean = sum / (double)n;
	for (size_t r = first; r < c->rows; r++)
		if (isfinite(number_at(c, r, column)))
			squares += (number_at(c, r, column) - mean) * (number_at(c, r, column) - mean);
	MMI_TRY(mmi_figures_add(f, name, mean, e));
	snprintf(sd_name, sizeof sd_name, "%.60s_sd", name);
	return n > 1 ? mmi_figures_add(f, sd_name, sqrt(squares / (double)(n - 1)), e) : MM_OK;
}

static mm_status from_metrics(const mmi_csv *c, const char *path, double window, mmi_figures *f, mm_error *e)
{
	size_t seconds = mmi_csv_find(c, "seconds");
	if (c->rows < 2 || strcmp(mmi_csv_cell(c, 0, 0), "iteration"))
		return mmi_fail(e, MM_EFORMAT, "%s: no rows, or no column iteration at the left; expected the metrics of a run",
		                path);
	MMI_TRY(mmi_figures_add(f, "iterations", number_at(c, c->rows - 1, 0), e));
	if (seconds != MMI_CSV_NONE)
		MMI_TRY(mmi_figures_add(f, "seconds", number_at(c, c->rows - 1, seconds), e));
	MMI_TRY(mmi_figures_add(f, "window", window, e));
	size_t first = first_of_window(c, window);
	for (size_t i = 1; i < c->columns; i++)
		if (i != seconds)
			MMI_TRY(add_column(f, c, i, first, e));
	return MM_OK;
}

mm_status mmi_figures_of_run(const char *folder, double window, mmi_figures *out, mm_error *e)
{
	mmi_csv metrics = { 0 };
	mmi_figures f = { 0 };
	char *path = mmi_format("%s/metrics.csv", folder);
	mm_status status = path ? mmi_csv_read(path, &metrics, e) : mmi_fail(e, MM_ENOMEM, "%s: out of memory", folder);
	if (status == MM_OK)
		status = from_metrics(&metrics, path, window, &f, e);
	mmi_csv_clear(&metrics);
	mmi_free(path);
	if (status == MM_OK)
		*out = f;
	else
		mmi_figures_clear(&f);
	return status;
}

/* ---------------------------------------------------------------- as a file */

mm_status mmi_figures_write(const mmi_figures *f, const char *path, mm_error *e)
{
	mmi_csv_file csv;
	MMI_TRY(mmi_csv_begin(&csv, e));
	fputs("name,value\n", csv.out);
	for (size_t i = 0; i < f->n; i++) {
		mmi_csv_put(csv.out, true, f->item[i].name);
		mmi_csv_put_number(csv.out, false, f->item[i].value);
		fputc('\n', csv.out);
	}
	return mmi_csv_finish(&csv, NULL, path, e);
}

mm_status mmi_figures_read(const char *path, mmi_figures *out, mm_error *e)
{
	mmi_csv c;
	mmi_figures f = { 0 };
	MMI_TRY(mmi_csv_read(path, &c, e));
	bool good = c.columns == 2 && !strcmp(mmi_csv_cell(&c, 0, 0), "name") && !strcmp(mmi_csv_cell(&c, 0, 1), "value");
	mm_status status = good ? MM_OK : mmi_fail(e, MM_EFORMAT, "%s: expected the columns name and value", path);
	for (size_t r = 1; status == MM_OK && r < c.rows; r++)
		status = mmi_figures_add(&f, mmi_csv_cell(&c, r, 0), number_at(&c, r, 1), e);
	mmi_csv_clear(&c);
	if (status == MM_OK)
		*out = f;
	else
		mmi_figures_clear(&f);
	return status;
}
