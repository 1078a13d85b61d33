/* fuzz_csv.c - tables: any, metrics that a run goes on with, figures of runs. */
#include "mmi_build.h"

#include "fuzz.h"
#include "ablate/figures.h"
#include "store/csv.h"
#include "store/metrics.h"

#include <stdio.h>
#include <string.h>

static void any_table(const char *path, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_csv c;
	if (!fuzz_ok(mmi_csv_read(path, &c, &e), &e))
		return;
	for (size_t r = 0; r < c.rows; r++)
		for (size_t k = 0; k < c.columns; k++)
			if (strlen(mmi_csv_cell(&c, r, k)) > n)
				fuzz_fail("a cell is longer than the file");
	mmi_csv_find(&c, "m0");
	mmi_csv_clear(&c);
}

static void figures(const char *path)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_figures x;
	if (fuzz_ok(mmi_figures_read(path, &x, &e), &e))
		mmi_figures_clear(&x);
	if (fuzz_ok(mmi_figures_of_run(fuzz_folder(), 0.1, &x, &f), &f))
		mmi_figures_clear(&x);
}

/* Resumed and appended to, the file must be one of ours. */
static void metrics(const char *path)
{
	static const char *const columns[] = { "iteration", "seconds", "a,b", "loss" };
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_metrics *m;
	char text[64];
	if (!fuzz_ok(mmi_metrics_resume(path, columns, MMI_COUNT(columns), 50, &m, &e), &e))
		return;
	mmi_metrics_last(m, 1, text, sizeof text);
	mmi_metrics_number(m, 1, 1.5);
	if (mmi_metrics_append(m, 51, &f) != MM_OK)
		fuzz_fail("no row can be appended: %s", f.message);
	mmi_metrics_close(m);
	if (mmi_metrics_resume(path, columns, MMI_COUNT(columns), 51, &m, &f) != MM_OK)
		fuzz_fail("what was appended to cannot be gone on with: %s", f.message);
	mmi_metrics_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char path[128];
	if (!path[0])
		snprintf(path, sizeof path, "%s/metrics.csv", fuzz_folder());
	fuzz_put("metrics.csv", data, n);
	any_table(path, n);
	if (!fuzz_rarely(data, n, 2))
		return 0;
	figures(path);
	metrics(path);
	return 0;
}
