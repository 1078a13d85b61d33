/* part_curves.c - the metrics of runs over their iterations. */
#include "mmi_build.h"

#include "report/chart.h"
#include "report/page_parts.h"

#include <string.h>

#define GROUP 4 /* columns of one chart, at most */

/* Columns that belong in one chart; whatever else metrics.csv has gets a chart of its own. */
static const struct {
	const char *title;
	const char *column[GROUP];
} groups[] = {
	{ "U along the posterior chain", { "u_start", "u_end" } },
	{ "Energy of data, generated and revised samples", { "e_data", "e_generated", "e_revised" } },
	{ "Movement of latents: drift, noise, in all", { "z_drift", "z_noise", "z_move" } },
	{ "Movement of samples: drift, noise, in all", { "x_drift", "x_noise", "x_move" } },
	{ "Norms of gradients", { "norm_generator", "norm_inference", "norm_energy" } },
};

static const struct {
	const char *column, *title;
} titles[] = {
	{ "elbo", "-ELBO" },
	{ "contrast", "Contrastive loss" },
	{ "nll_end", "Negative log-likelihood at the end of the posterior chain" },
	{ "loss_generator", "Generator's loss" },
	{ "loss_inference", "Inference model's loss" },
	{ "gap", "Energy gap: data less revised" },
	{ "x_step", "Langevin step size of the data chain" },
	{ "swap_rank", "Rank of tuples against swapped ones" },
	{ "rollbacks", "Rollbacks" },
	{ "nll_validation", "Negative log-likelihood of validation data" },
};

static const char *title_of(const char *column)
{
	for (size_t i = 0; i < MMI_COUNT(titles); i++)
		if (!strcmp(titles[i].column, column))
			return titles[i].title;
	return column;
}

static bool grouped(const char *column)
{
	for (size_t g = 0; g < MMI_COUNT(groups); g++)
		for (size_t c = 0; c < GROUP && groups[g].column[c]; c++)
			if (!strcmp(groups[g].column[c], column))
				return true;
	return false;
}

/* Colours tell runs apart where there are several, and dashes their columns; else colours tell columns apart. */
static void chart(const mmi_page *p, const char *title, const char *const *column, size_t n)
{
	mmi_chart_line line[MMI_CHART_LINES];
	char name[MMI_CHART_LINES][96];
	size_t lines = 0;
	for (size_t r = 0; r < p->n; r++)
		for (size_t c = 0; c < n && lines < MMI_CHART_LINES; c++) {
			const mmi_run_files *run = &p->run[r];
			const mmi_metric *m = mmi_run_metric(run, column[c]);
			if (!m)
				continue;
			snprintf(name[lines], sizeof name[lines], "%.40s%s%.40s", p->n > 1 ? run->name : "",
			         p->n > 1 && n > 1 ? ", " : "", p->n > 1 && n == 1 ? "" : column[c]);
			line[lines] = (mmi_chart_line){ name[lines], run->metric[0].value,    m->value,
				                            run->n_rows, (int)(p->n > 1 ? r : c), (int)(p->n > 1 ? c : 0) };
			lines++;
		}
	mmi_chart_write(p->out, title, line, lines);
}

static size_t count_columns(const char *const *column)
{
	size_t n = 0;
	while (n < GROUP && column[n])
		n++;
	return n;
}

/* A column that an earlier run has too was drawn with that one. */
static bool drawn_before(const mmi_page *p, size_t run, const char *column)
{
	for (size_t r = 0; r < run; r++)
		if (mmi_run_metric(&p->run[r], column))
			return true;
	return false;
}

mm_status mmi_page_curves(const mmi_page *p, mm_error *e)
{
	(void)e;
	mmi_page_heading(p, "curves", "Curves");
	fputs("<div class=\"charts\">\n", p->out);
	for (size_t g = 0; g < MMI_COUNT(groups); g++)
		chart(p, groups[g].title, groups[g].column, count_columns(groups[g].column));
	for (size_t r = 0; r < p->n; r++)
		for (size_t i = 1; i < p->run[r].n_metrics; i++) { /* 0 is the iteration */
			const char *column = p->run[r].metric[i].name;
			if (strcmp(column, "seconds") && !grouped(column) && !drawn_before(p, r, column))
				chart(p, title_of(column), &column, 1);
		}
	fputs("</div>\n", p->out);
	return MM_OK;
}
