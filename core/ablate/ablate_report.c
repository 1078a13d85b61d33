/* ablate_report.c - tables of an ablation. */
#include "mmi_build.h"

#include "ablate/ablate.h"

#include "store/csv.h"
#include "store/files.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the tables of an ablation");
}

/* ---------------------------------------------------------------- which columns */

/* Names of all figures of all runs, in the order in which they first occur. */
static mm_status all_names(const mmi_ablation *a, mmi_figures *names, mm_error *e)
{
	for (size_t i = 0; i < a->points.n; i++)
		for (size_t k = 0; k < a->runs[i].figures.n; k++)
			if (isnan(mmi_figures_get(names, a->runs[i].figures.item[k].name)))
				MMI_TRY(mmi_figures_add(names, a->runs[i].figures.item[k].name, 0, e));
	return MM_OK;
}

static bool is_seed(const mmi_ablation *a, size_t sweep)
{
	return !strcasecmp(a->sweeps[sweep].key, MMI_SWEEP_SEED);
}

/* ---------------------------------------------------------------- combinations */

static bool same_but_for_seed(const mmi_ablation *a, size_t i, size_t k)
{
	for (size_t s = 0; s < a->n_sweeps; s++)
		if (!is_seed(a, s) && a->points.item[i].value[s] != a->points.item[k].value[s])
			return false;
	return true;
}

/* Whether run i is the first of its combination. */
static bool leads(const mmi_ablation *a, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_but_for_seed(a, i, k))
			return false;
	return true;
}

typedef struct spread {
	size_t n;
	double mean, sd; /* NaN where there are too few */
} spread;

/* Of one figure over the finished runs of the combination that run i leads. */
static spread over_seeds(const mmi_ablation *a, size_t i, const char *name)
{
	spread s = { .mean = NAN, .sd = NAN };
	double sum = 0, squares = 0;
	for (int pass = 0; pass < 2; pass++) {
		s.n = 0;
		for (size_t k = i; k < a->points.n; k++) {
			double value = same_but_for_seed(a, i, k) ? mmi_figures_get(&a->runs[k].figures, name) : NAN;
			if (!isfinite(value))
				continue;
			s.n++;
			sum += pass ? 0 : value;
			squares += pass ? (value - s.mean) * (value - s.mean) : 0;
		}
		if (!pass && s.n)
			s.mean = sum / (double)s.n;
	}
	if (s.n > 1)
		s.sd = sqrt(squares / (double)(s.n - 1));
	return s;
}

static size_t finished_seeds(const mmi_ablation *a, size_t i)
{
	size_t n = 0;
	for (size_t k = i; k < a->points.n; k++)
		n += same_but_for_seed(a, i, k) && a->runs[k].state == MMI_RUN_FINISHED;
	return n;
}

/* ---------------------------------------------------------------- files */

static void put_runs(const mmi_ablation *a, const mmi_figures *names, FILE *out)
{
	static const char *const states[] = { [MMI_RUN_NEW] = "new",
		                                  [MMI_RUN_HALF] = "unfinished",
		                                  [MMI_RUN_FINISHED] = "finished",
		                                  [MMI_RUN_FAILED] = "failed" };
	mmi_csv_put(out, true, "run");
	mmi_csv_put(out, false, "state");
	for (size_t s = 0; s < a->n_sweeps; s++)
		mmi_csv_put(out, false, a->sweeps[s].key);
	for (size_t k = 0; k < names->n; k++)
		mmi_csv_put(out, false, names->item[k].name);
	fputc('\n', out);
	for (size_t i = 0; i < a->points.n; i++) {
		mmi_csv_put(out, true, a->points.item[i].name);
		mmi_csv_put(out, false, states[a->runs[i].state]);
		for (size_t s = 0; s < a->n_sweeps; s++)
			mmi_csv_put(out, false, a->points.item[i].value[s]);
		for (size_t k = 0; k < names->n; k++)
			mmi_csv_put_number(out, false, mmi_figures_get(&a->runs[i].figures, names->item[k].name));
		fputc('\n', out);
	}
}

static void put_summary(const mmi_ablation *a, const mmi_figures *names, FILE *out)
{
	char spread_name[MMI_FIGURE_NAME + 8];
	mmi_csv_put(out, true, "seeds");
	for (size_t s = 0; s < a->n_sweeps; s++)
		if (!is_seed(a, s))
			mmi_csv_put(out, false, a->sweeps[s].key);
	for (size_t k = 0; k < names->n; k++) {
		snprintf(spread_name, sizeof spread_name, "%s_spread", names->item[k].name);
		mmi_csv_put(out, false, names->item[k].name);
		mmi_csv_put(out, false, spread_name);
	}
	fputc('\n', out);
	for (size_t i = 0; i < a->points.n; i++) {
		if (!leads(a, i))
			continue;
		mmi_csv_put_number(out, true, (double)finished_seeds(a, i));
		for (size_t s = 0; s < a->n_sweeps; s++)
			if (!is_seed(a, s))
				mmi_csv_put(out, false, a->points.item[i].value[s]);
		for (size_t k = 0; k < names->n; k++) {
			spread over = over_seeds(a, i, names->item[k].name);
			mmi_csv_put_number(out, false, over.mean);
			mmi_csv_put_number(out, false, over.sd);
		}
		fputc('\n', out);
	}
}

typedef void put_table(const mmi_ablation *a, const mmi_figures *names, FILE *out);

static mm_status write_table(const mmi_ablation *a, const mmi_figures *names, put_table *put, const char *name,
                             mm_error *e)
{
	mmi_csv_file csv;
	MMI_TRY(mmi_csv_begin(&csv, e));
	put(a, names, csv.out);
	return mmi_csv_finish(&csv, a->request->out, name, e);
}

mm_status mmi_ablation_write(const mmi_ablation *a, mm_error *e)
{
	mmi_figures names = { 0 };
	mm_status status = all_names(a, &names, e);
	if (status == MM_OK)
		status = mmi_make_folders(a->request->out, e);
	if (status == MM_OK)
		status = write_table(a, &names, put_runs, "runs.csv", e);
	if (status == MM_OK)
		status = write_table(a, &names, put_summary, "summary.csv", e);
	mmi_figures_clear(&names);
	return status;
}

/* ---------------------------------------------------------------- for reading */

/* The figures that fit on a line; those that no run has are left out. */
static const mmi_ablation_column from_metrics[] = {
#define COLUMN(name) \
	{                \
		name, name   \
	}
	COLUMN("iterations"),     COLUMN("elbo"), COLUMN("nll_end"), COLUMN("u_start"), COLUMN("u_end"),
	COLUMN("loss_inference"), COLUMN("gap"),  COLUMN("gap_sd"),  COLUMN("z_move"),  COLUMN("x_move"),
#undef COLUMN
};

typedef struct shown_columns {
	const mmi_ablation_column *item[32];
	size_t n;
} shown_columns;

static bool any_has(const mmi_ablation *a, const char *figure)
{
	for (size_t i = 0; i < a->points.n; i++)
		if (isfinite(mmi_figures_get(&a->runs[i].figures, figure)))
			return true;
	return false;
}

static shown_columns choose_columns(const mmi_ablation *a)
{
	const mmi_ablation_assessor *assessor = a->request->assessor;
	const mmi_ablation_column *all = assessor ? assessor->columns : from_metrics;
	size_t n = assessor ? assessor->n_columns : MMI_COUNT(from_metrics);
	shown_columns s = { .n = 0 };
	for (size_t k = 0; k < n && s.n < MMI_COUNT(s.item); k++)
		if (any_has(a, all[k].figure))
			s.item[s.n++] = &all[k];
	return s;
}

enum { CELL = 48 };

typedef struct text_table {
	size_t columns, rows;
	char (*cell)[CELL];
} text_table;

static char *cell_at(text_table *t, size_t row, size_t column)
{
	return t->cell[row * t->columns + column];
}

static void print_columns(text_table *t, FILE *out)
{
	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++) {
			int width = 0;
			for (size_t k = 0; k < t->rows; k++)
				width = (int)strlen(cell_at(t, k, c)) > width ? (int)strlen(cell_at(t, k, c)) : width;
			fprintf(out, "%*s%s", width, cell_at(t, r, c), c + 1 < t->columns ? "  " : "\n");
		}
}

static void fill_row(const mmi_ablation *a, text_table *t, size_t row, size_t i, const shown_columns *shown)
{
	size_t c = 0;
	for (size_t s = 0; s < a->n_sweeps; s++)
		if (!is_seed(a, s))
			snprintf(cell_at(t, row, c++), CELL, "%s", a->points.item[i].value[s]);
	snprintf(cell_at(t, row, c++), CELL, "%zu", finished_seeds(a, i));
	for (size_t k = 0; k < shown->n; k++, c++) {
		spread s = over_seeds(a, i, shown->item[k]->figure);
		if (s.n > 1)
			snprintf(cell_at(t, row, c), CELL, "%.4g +- %.2g", s.mean, s.sd);
		else
			snprintf(cell_at(t, row, c), CELL, s.n ? "%.4g" : "-", s.mean);
	}
}

static void fill_header(const mmi_ablation *a, text_table *t, const shown_columns *shown)
{
	size_t c = 0;
	for (size_t s = 0; s < a->n_sweeps; s++)
		if (!is_seed(a, s))
			snprintf(cell_at(t, 0, c++), CELL, "%s", a->sweeps[s].key);
	snprintf(cell_at(t, 0, c++), CELL, "seeds");
	for (size_t k = 0; k < shown->n; k++)
		snprintf(cell_at(t, 0, c++), CELL, "%s", shown->item[k]->heading);
	t->rows = 1;
}

mm_status mmi_ablation_print(const mmi_ablation *a, FILE *out, mm_error *e)
{
	const shown_columns shown = choose_columns(a);
	text_table t = { .columns = 1 + shown.n };
	for (size_t s = 0; s < a->n_sweeps; s++)
		t.columns += !is_seed(a, s);
	t.cell = mmi_alloc((a->points.n + 1) * t.columns, sizeof *t.cell);
	if (!t.cell)
		return no_memory(e);
	fill_header(a, &t, &shown);
	for (size_t i = 0; i < a->points.n; i++)
		if (leads(a, i)) {
			fill_row(a, &t, t.rows, i, &shown);
			t.rows++;
		}
	print_columns(&t, out);
	mmi_free(t.cell);
	return MM_OK;
}
