/* part_figures.c - evaluations of runs, with their spread. */
#include "mmi_build.h"

#include "report/page_parts.h"

#include <math.h>
#include <string.h>

/* All evaluations of a run as one: "mean", "sd" and "runs" of every figure. */
static mm_status summaries(const mmi_page *p, mmi_report *out, mm_error *e)
{
	for (size_t r = 0; r < p->n; r++)
		if (p->run[r].n_evaluations)
			MMI_TRY(mmi_report_summary(p->run[r].evaluation, p->run[r].n_evaluations, &out[r], e));
	return MM_OK;
}

static void figure(const mmi_page *p, const mmi_report *f, const mmi_report_item *x)
{
	const mmi_report_item *mean = mmi_report_find(f, x->name, x->of, "mean");
	const mmi_report_item *sd = mmi_report_find(f, x->name, x->of, "sd");
	const mmi_report_item *runs = mmi_report_find(f, x->name, x->of, "runs");
	if (!mean || isnan(mean->value))
		fputs("<td></td>", p->out);
	else if (sd && !isnan(sd->value))
		fprintf(p->out, "<td>%.4g <small>&plusmn; %.2g (%.0f)</small></td>", mean->value, sd->value,
		        runs ? runs->value : 0);
	else
		fprintf(p->out, "<td>%.4g</td>", mean->value);
}

static bool has(const mmi_report *f, size_t n, const mmi_report_item *x)
{
	for (size_t r = 0; r < n; r++)
		if (mmi_report_find(&f[r], x->name, x->of, "mean"))
			return true;
	return false;
}

static void rows(const mmi_page *p, const mmi_report *f)
{
	for (size_t r = 0; r < p->n; r++)
		for (size_t i = 0; i < f[r].n; i++) {
			const mmi_report_item *x = &f[r].item[i];
			if (strcmp(x->variant, "mean") || has(f, r, x))
				continue;
			fputs("<tr>", p->out);
			mmi_page_cell(p, "th", x->name);
			mmi_page_cell(p, "td", x->of);
			for (size_t k = 0; k < p->n; k++)
				figure(p, &f[k], x);
			fputs("</tr>\n", p->out);
		}
}

static void facts(const mmi_page *p)
{
	for (size_t r = 0; r < p->n; r++)
		for (size_t v = 0; v < p->run[r].n_evaluations; v++) {
			const mmi_report *f = &p->run[r].evaluation[v];
			fputs("<p class=\"facts\">", p->out);
			for (size_t i = 0; i < f->n_facts; i++) {
				mmi_page_cell(p, "b", f->fact[i].key);
				fputc(' ', p->out);
				mmi_page_cell(p, "span", f->fact[i].value);
				fputs(" &middot; ", p->out);
			}
			fputs("</p>\n", p->out);
		}
}

static void table(const mmi_page *p, const mmi_report *f)
{
	mmi_page_heading(p, "figures", "Figures of evaluations");
	fputs("<table><thead><tr><th>figure</th><th>of</th>", p->out);
	for (size_t r = 0; r < p->n; r++)
		mmi_page_cell(p, "th", p->n > 1 ? p->run[r].name : "value");
	fputs("</tr></thead>\n", p->out);
	rows(p, f);
	fputs("</table>\n<details><summary>What was measured</summary>\n", p->out);
	facts(p);
	fputs("</details>\n", p->out);
}

mm_status mmi_page_figures(const mmi_page *p, mm_error *e)
{
	bool any = false;
	for (size_t r = 0; r < p->n; r++)
		any = any || p->run[r].n_evaluations;
	if (!any)
		return MM_OK;
	mmi_report *f = mmi_alloc(p->n, sizeof *f);
	if (!f)
		return mmi_fail(e, MM_ENOMEM, "out of memory for figures");
	mm_status status = summaries(p, f, e);
	if (status == MM_OK)
		table(p, f);
	for (size_t r = 0; r < p->n; r++)
		mmi_report_clear(&f[r]);
	mmi_free(f);
	return status;
}
