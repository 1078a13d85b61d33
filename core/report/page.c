/* page.c - the page as a whole: its head, its parts in their order, its script. */
#include "mmi_build.h"

#include "report/page.h"
#include "report/html.h"
#include "report/page_parts.h"
#include "store/files.h"

#include <stdlib.h>
#include <unistd.h>

/* Colours that are told apart in both schemes, and by those who see red and green as one (Okabe and Ito 2008). */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--grid:#ddd;--soft:#666}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#161616;--grid:#3a3a3a;--soft:#aaa}}"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2rem "
	"auto;max-width:1400px;"
	"padding:0 1.2rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid var(--grid)}"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
	"th,td{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
	"tbody th,tr th:first-child{font-weight:500;white-space:nowrap}tr+tr{border-top:1px solid "
	"var(--grid)}small,.facts{color:var(--soft)}"
	".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(400px,1fr));gap:1rem}figure{margin:0 0 1rem}"
	"figcaption{font-weight:500}.chart>svg{width:100%}.chart text{font-size:11px;fill:var(--soft)}"
	".chart output{display:block;min-height:1.3em;font-size:12px;color:var(--soft)}.legend span{margin-right:1rem;"
	"font-size:12px}.grid{stroke:var(--grid)}.cursor{stroke:var(--soft);visibility:hidden}"
	"polyline{fill:none;stroke-width:1.4}svg .c0{stroke:#0072b2}svg .c1{stroke:#d55e00}svg .c2{stroke:#009e73}"
	"svg .c3{stroke:#cc79a7}svg .c4{stroke:#e69f00}svg .c5{stroke:#56b4e9}svg .c6{stroke:#8a6d3b}svg .c7{stroke:#777}"
	".d1{stroke-dasharray:5 3}.d2{stroke-dasharray:1.5 2.5}.d3{stroke-dasharray:8 3 2 3}"
	"img{max-width:100%;image-rendering:pixelated}.strip{display:grid;grid-template-columns:repeat(auto-fill,"
	"minmax(420px,1fr));gap:1rem}";

/* The value of each line at the pointer. Widths are those of chart.c. */
static const char script[] =
	"for(const f of document.querySelectorAll('.chart')){const s=f.querySelector('svg'),o=f.querySelector('output'),"
	"c=f.querySelector('.cursor');const L=[...s.querySelectorAll('polyline')].map(p=>({n:p.dataset.name,"
	"x:p.dataset.x.split(' ').map(Number),y:p.dataset.y.split(' '),q:p.getAttribute('points').split(' ').map(t=>"
	"+t.split(',')[0])}));const hide=()=>{o.textContent='';c.style.visibility='hidden'};"
	"s.addEventListener('pointerleave',hide);s.addEventListener('pointermove',e=>{const b=s.getBoundingClientRect(),"
	"px=(e.clientX-b.left)*s.viewBox.baseVal.width/b.width;let at=null,t=[];for(const l of L){let k=0;"
	"l.q.forEach((v,i)=>{if(i<l.x.length&&Math.abs(v-px)<Math.abs(l.q[k]-px))k=i});if(at===null)at=k,"
	"c.setAttribute('x1',l.q[k]),c.setAttribute('x2',l.q[k]),t.push('iteration '+l.x[k]);t.push(l.n+' '+l.y[k])}"
	"c.style.visibility=t.length?'visible':'hidden';o.textContent=t.join(' · ')})}";

void mmi_page_heading(const mmi_page *p, const char *id, const char *text)
{
	fprintf(p->out, "<h2 id=\"%s\">", id);
	mmi_html_text(p->out, text);
	fputs("</h2>\n", p->out);
}

void mmi_page_cell(const mmi_page *p, const char *tag, const char *text)
{
	fprintf(p->out, "<%s>", tag);
	mmi_html_text(p->out, text);
	fprintf(p->out, "</%s>", tag);
}

void mmi_page_table(const mmi_page *p, const char *first)
{
	fputs("<table>", p->out);
	if (p->n < 2)
		return;
	fputs("<thead><tr>", p->out);
	mmi_page_cell(p, "th", first);
	for (size_t r = 0; r < p->n; r++)
		mmi_page_cell(p, "th", p->run[r].name);
	fputs("</tr></thead>\n", p->out);
}

static void head(const mmi_page *p)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>mmcore: ", p->out);
	for (size_t r = 0; r < p->n; r++) {
		fputs(r ? ", " : "", p->out);
		mmi_html_text(p->out, p->run[r].name);
	}
	fprintf(p->out,
	        "</title><meta name=\"viewport\" content=\"width=device-width\"><style>%s</style></head>\n<body><h1>",
	        style);
	for (size_t r = 0; r < p->n; r++) {
		fputs(r ? ", " : "", p->out);
		mmi_html_text(p->out, p->run[r].name);
	}
	fputs("</h1>\n", p->out);
}

static mm_status parts(const mmi_page *p, mm_error *e)
{
	static mm_status (*const in_order[])(const mmi_page *, mm_error *) = {
		mmi_page_summary, mmi_page_figures, mmi_page_curves, mmi_page_sheets, mmi_page_pictures, mmi_page_settings,
	};
	for (size_t i = 0; i < MMI_COUNT(in_order); i++)
		MMI_TRY(in_order[i](p, e));
	return MM_OK;
}

static mm_status write_page(const mmi_run_files *runs, size_t n, const char *path, const mmi_log *log, mm_error *e)
{
	char *text = NULL;
	size_t bytes = 0;
	mmi_page p = { open_memstream(&text, &bytes), runs, n, log };
	if (!p.out)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a page");
	head(&p);
	mm_status status = parts(&p, e);
	fprintf(p.out, "<script>%s</script></body></html>\n", script);
	const bool failed = ferror(p.out) != 0;
	if ((fclose(p.out) || failed) && status == MM_OK)
		status = mmi_fail(e, MM_ENOMEM, "out of memory for a page");
	if (status == MM_OK)
		status = mmi_write_file_atomic(path, text, bytes, e);
	free(text);
	return status;
}

mm_status mmi_page_write(const char *const *runs, size_t n, const char *path, const mmi_log *log, mm_error *e)
{
	mmi_run_files files[MMI_PAGE_RUNS] = { 0 };
	size_t read = 0;
	if (!n || n > MMI_PAGE_RUNS)
		return mmi_fail(e, MM_ECONFIG, "%zu runs for one page; expected 1 to %d", n, MMI_PAGE_RUNS);
	mm_status status = MM_OK;
	while (read < n && (status = mmi_run_files_read(runs[read], log, &files[read], e)) == MM_OK)
		read++;
	if (status == MM_OK)
		status = write_page(files, n, path, log, e);
	for (size_t i = 0; i < read; i++)
		mmi_run_files_clear(&files[i]);
	return status;
}

void mmi_page_of_run(const char *run, const mmi_log *log)
{
	mm_error e = MM_ERROR_INIT;
	char *path = mmi_format("%s/" MMI_PAGE_NAME, run);
	mm_status status = path ? mmi_page_write(&run, 1, path, log, &e) : mmi_fail(&e, MM_ENOMEM, "out of memory");
	mmi_free(path);
	if (status != MM_OK)
		mmi_logf(log, MM_LOG_WARNING, "no page of the run was made: %s", e.message);
}

static bool is_run(const char *folder)
{
	char *ini = mmi_format("%s/run.ini", folder);
	const bool there = ini && access(ini, R_OK) == 0;
	mmi_free(ini);
	return there;
}

void mmi_page_around(const char *folder, const mmi_log *log)
{
	char *above = mmi_format("%s/..", folder);
	if (is_run(folder))
		mmi_page_of_run(folder, log);
	else if (above && is_run(above))
		mmi_page_of_run(above, log);
	mmi_free(above);
}
