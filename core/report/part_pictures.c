/* part_pictures.c - sheets and other pictures, inside the page. */
#include "mmi_build.h"

#include "report/html.h"
#include "report/page_parts.h"
#include "store/files.h"

#include <string.h>

/* Bytes of PNG files in one page, shared by its runs; base64 makes a third more of them. */
#define SHEETS_BYTES (1100u << 10)
#define OTHERS_BYTES (700u << 10)
#define SHEETS_SHOWN 6 /* of one run, at most */

static mm_status embed(const mmi_page *p, const mmi_run_files *r, const mmi_run_picture *picture, mm_error *e)
{
	char *data;
	size_t bytes;
	const char *name = picture->path + strlen(r->path) + 1;
	mm_error why = MM_ERROR_INIT;
	mm_status status = mmi_read_file(picture->path, SHEETS_BYTES, &data, &bytes, &why);
	if (status == MM_ENOMEM)
		return mmi_fail(e, status, "%s", why.message);
	if (status != MM_OK) { /* gone, or grown, since the folder was read; or it cannot be */
		fputs("<p class=\"facts\">", p->out);
		mmi_html_text(p->out, why.message);
		fputs("</p>\n", p->out);
		mmi_logf(p->log, MM_LOG_WARNING, "%s; the page does without", why.message);
		return MM_OK;
	}
	fputs("<figure><figcaption>", p->out);
	mmi_html_text(p->out, name);
	fputs("</figcaption><img alt=\"", p->out);
	mmi_html_text(p->out, name);
	fputs("\" src=\"data:image/png;base64,", p->out);
	mmi_html_base64(p->out, (const uint8_t *)data, bytes);
	fputs("\"></figure>\n", p->out);
	mmi_free(data);
	return MM_OK;
}

static size_t count(const mmi_run_files *r, bool sheets)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_pictures; i++)
		n += r->picture[i].sheet == sheets;
	return n;
}

static bool any(const mmi_page *p, bool sheets)
{
	for (size_t r = 0; r < p->n; r++)
		if (count(&p->run[r], sheets))
			return true;
	return false;
}

static void left_out(const mmi_page *p, size_t shown, size_t n)
{
	if (shown < n)
		fprintf(p->out, "<p class=\"facts\">%zu of %zu pictures; the others are in the run's folder.</p>\n", shown, n);
}

static void name_run(const mmi_page *p, const mmi_run_files *r)
{
	if (p->n > 1)
		mmi_page_cell(p, "h3", r->name);
}

/* Evenly over the run, the last one always: sheet number k of `shown`. */
static size_t pick(size_t k, size_t shown, size_t n)
{
	return shown < 2 ? n - 1 : k * (n - 1) / (shown - 1);
}

/* As many of a run's sheets as fit; they are alike in size. */
static size_t sheets_that_fit(const mmi_run_files *r, size_t n, size_t budget)
{
	size_t largest = 1;
	for (size_t i = 0; i < n; i++)
		largest = r->picture[i].bytes > largest ? r->picture[i].bytes : largest;
	size_t shown = budget / largest;
	shown = shown > SHEETS_SHOWN ? SHEETS_SHOWN : shown;
	return shown < n ? shown : n;
}

mm_status mmi_page_sheets(const mmi_page *p, mm_error *e)
{
	if (!any(p, true))
		return MM_OK;
	mmi_page_heading(p, "sheets", "Samples while the run went on");
	for (size_t r = 0; r < p->n; r++) {
		const mmi_run_files *run = &p->run[r];
		const size_t n = count(run, true), shown = sheets_that_fit(run, n, SHEETS_BYTES / p->n);
		name_run(p, run);
		fputs("<div class=\"strip\">\n", p->out);
		for (size_t k = 0; k < shown; k++)
			MMI_TRY(embed(p, run, &run->picture[pick(k, shown, n)], e));
		fputs("</div>\n", p->out);
		left_out(p, shown, n);
	}
	return MM_OK;
}

mm_status mmi_page_pictures(const mmi_page *p, mm_error *e)
{
	if (!any(p, false))
		return MM_OK;
	mmi_page_heading(p, "pictures", "Chains, translations and other pictures");
	for (size_t r = 0; r < p->n; r++) {
		const mmi_run_files *run = &p->run[r];
		size_t left = OTHERS_BYTES / p->n, shown = 0;
		name_run(p, run);
		for (size_t i = 0; i < run->n_pictures; i++) {
			const mmi_run_picture *picture = &run->picture[i];
			if (picture->sheet || picture->bytes > left)
				continue;
			MMI_TRY(embed(p, run, picture, e));
			left -= picture->bytes;
			shown++;
		}
		left_out(p, shown, count(run, false));
	}
	return MM_OK;
}
