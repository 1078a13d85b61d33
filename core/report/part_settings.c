/* part_settings.c - what runs are, and which settings made them so. */
#include "mmi_build.h"

#include "report/page_parts.h"
#include "config/ini.h"
#include "config/value.h"
#include "run/settings.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ summary */

typedef void cell_text(const mmi_run_files *r, char *text, size_t size);

static double last_of(const mmi_run_files *r, const char *name)
{
	const mmi_metric *m = mmi_run_metric(r, name);
	for (size_t i = m ? r->n_rows : 0; i-- > 0;)
		if (isfinite(m->value[i]))
			return m->value[i];
	return NAN;
}

static void put_number(char *text, size_t size, const char *format, double value)
{
	if (isfinite(value))
		snprintf(text, size, format, value);
}

static void iterations(const mmi_run_files *r, char *text, size_t size)
{
	put_number(text, size, "%.0f", last_of(r, "iteration"));
}

static void time_trained(const mmi_run_files *r, char *text, size_t size)
{
	const double s = last_of(r, "seconds");
	if (isfinite(s))
		snprintf(text, size, s < 600 ? "%.1f s" : "%.1f min", s < 600 ? s : s / 60);
}

static void time_each(const mmi_run_files *r, char *text, size_t size)
{
	put_number(text, size, "%.4g ms", 1000 * last_of(r, "seconds") / last_of(r, "iteration"));
}

static void rollbacks(const mmi_run_files *r, char *text, size_t size)
{
	put_number(text, size, "%.0f", last_of(r, "rollbacks"));
}

static void checkpoint_size(const mmi_run_files *r, char *text, size_t size)
{
	if (r->checkpoint)
		snprintf(text, size, "%.2f MB", (double)r->checkpoint_bytes / 1e6);
}

static void copy(const char *from, char *text, size_t size)
{
	if (from)
		snprintf(text, size, "%s", from);
}

static void folder(const mmi_run_files *r, char *text, size_t size)
{
	copy(r->path, text, size);
}
static void modalities(const mmi_run_files *r, char *text, size_t size)
{
	copy(r->modalities, text, size);
}
static void plugins(const mmi_run_files *r, char *text, size_t size)
{
	copy(r->plugins, text, size);
}
static void version(const mmi_run_files *r, char *text, size_t size)
{
	copy(r->version, text, size);
}
static void build(const mmi_run_files *r, char *text, size_t size)
{
	copy(r->build, text, size);
}

static const struct {
	const char *name;
	cell_text *text;
} facts[] = {
	{ "folder", folder },
	{ "modalities", modalities },
	{ "iterations", iterations },
	{ "training time", time_trained },
	{ "an iteration", time_each },
	{ "rollbacks", rollbacks },
	{ "checkpoint", checkpoint_size },
	{ "plugins", plugins },
	{ "mmcore", version },
	{ "build", build },
};

mm_status mmi_page_summary(const mmi_page *p, mm_error *e)
{
	char text[1024];
	(void)e;
	mmi_page_heading(p, "runs", p->n > 1 ? "Runs" : "Run");
	mmi_page_table(p, "");
	for (size_t i = 0; i < MMI_COUNT(facts); i++) {
		fputs("<tr>", p->out);
		mmi_page_cell(p, "th", facts[i].name);
		for (size_t r = 0; r < p->n; r++) {
			text[0] = 0;
			facts[i].text(&p->run[r], text, sizeof text);
			mmi_page_cell(p, "td", text);
		}
		fputs("</tr>\n", p->out);
	}
	fputs("</table>\n", p->out);
	return MM_OK;
}

/* ------------------------------------------------------------ settings */

typedef struct walk {
	const mmi_page *page;
	size_t run; /* whose run.ini is walked */
} walk;

static const mmi_key *row_of(const char *section, const char *key)
{
	for (size_t t = 0; t < mmi_n_setting_tables; t++)
		for (size_t i = 0; i < mmi_setting_tables[t]->n; i++) {
			const mmi_key *k = &mmi_setting_tables[t]->keys[i];
			if (!strcmp(k->section, section) && !strcmp(k->name, key))
				return k;
		}
	return NULL;
}

static bool same_value(const char *a, const char *b)
{
	double x, y;
	if (!a || !b)
		return a == b;
	return !strcmp(a, b) || (mmi_value_float(a, &x) && mmi_value_float(b, &y) && !(x < y) && !(x > y));
}

static bool differs(const mmi_page *p, const char *section, const char *key)
{
	char text[MMI_KEY_DEFAULT_TEXT];
	const mmi_key *row = row_of(section, key);
	const char *fallback = row ? mmi_key_default(row, text) : NULL;
	for (size_t r = 0; r < p->n; r++) {
		const char *value = mmi_config_given(p->run[r].settings, section, key);
		if (value && !same_value(value, fallback))
			return true;
	}
	return false;
}

/* A setting that an earlier run's walk has shown. */
static bool shown_before(const walk *w, const char *section, const char *key)
{
	for (size_t r = 0; r < w->run; r++)
		if (mmi_config_given(w->page->run[r].settings, section, key))
			return true;
	return false;
}

static mm_status show(void *ctx, const char *section, const char *key, const char *value, int line, mm_error *e)
{
	walk *w = ctx;
	char name[160];
	(void)value, (void)line, (void)e;
	if (!key || shown_before(w, section, key) || !differs(w->page, section, key))
		return MM_OK;
	const mmi_key *row = row_of(section, key);
	char text[MMI_KEY_DEFAULT_TEXT];
	snprintf(name, sizeof name, "%s.%s", section, key);
	fputs("<tr>", w->page->out);
	mmi_page_cell(w->page, "th", name);
	for (size_t r = 0; r < w->page->n; r++) {
		const char *given = mmi_config_given(w->page->run[r].settings, section, key);
		mmi_page_cell(w->page, "td", given ? given : "");
	}
	mmi_page_cell(w->page, "td", row ? mmi_key_default(row, text) : "");
	fputs("</tr>\n", w->page->out);
	return MM_OK;
}

mm_status mmi_page_settings(const mmi_page *p, mm_error *e)
{
	walk w = { .page = p };
	mmi_page_heading(p, "settings", "Settings that differ from their defaults, and those of modalities");
	fputs("<table><thead><tr><th></th>", p->out);
	for (size_t r = 0; r < p->n; r++)
		mmi_page_cell(p, "th", p->n > 1 ? p->run[r].name : "value");
	fputs("<th>default</th></tr></thead>\n", p->out);
	for (w.run = 0; w.run < p->n; w.run++)
		MMI_TRY(mmi_ini_read_text(p->run[w.run].path, p->run[w.run].text, show, &w, e));
	fputs("</table>\n", p->out);
	return MM_OK;
}
