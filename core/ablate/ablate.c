/* ablate.c - the grid of an ablation and what is there of it already. */
#include "mmi_build.h"

#include "ablate/ablate.h"

#include "ablate/ablate_job.h"
#include "comm/launch.h"
#include "store/files.h"
#include "engine/processors.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { INI_LIMIT = 1 << 24 };

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the runs of an ablation");
}

/* ---------------------------------------------------------------- the grid */

static bool sweeps_seed(const mmi_ablation *a)
{
	for (size_t i = 0; i < a->n_sweeps; i++)
		if (!strcasecmp(a->sweeps[i].key, MMI_SWEEP_SEED))
			return true;
	return false;
}

static mm_status make_sweeps(mmi_ablation *a, uint64_t seed, mm_error *e)
{
	const mmi_ablation_request *r = a->request;
	a->sweeps = mmi_alloc(r->n_sweeps + 1, sizeof *a->sweeps);
	if (!a->sweeps)
		return no_memory(e);
	for (; a->n_sweeps < r->n_sweeps; a->n_sweeps++)
		MMI_TRY(mmi_sweep_parse(r->sweeps[a->n_sweeps], &a->sweeps[a->n_sweeps], e));
	if (sweeps_seed(a))
		return r->seeds == 1 ? MM_OK
		                     : mmi_fail(e, MM_ECONFIG, "--seeds %u and --sweep %s=...: give one of them", r->seeds,
		                                MMI_SWEEP_SEED);
	MMI_TRY(mmi_sweep_count(MMI_SWEEP_SEED, seed, r->seeds, &a->sweeps[a->n_sweeps], e));
	a->n_sweeps++;
	return MM_OK;
}

/* With several at a time each has its share of the processors; what a rank has, its runs cannot find out by themselves.
 */
static void set_threads(mmi_ablation *a, uint32_t wanted)
{
	const mmi_launch launch = mmi_launch_read();
	const uint32_t share = mmi_processors_part(launch.here) / a->request->jobs, most = share ? share : 1;
	a->processors = a->request->jobs > 1 && wanted > most ? most : wanted;
	if (a->processors < wanted || launch.size > 1)
		snprintf(a->threads, sizeof a->threads, "run.threads=%u", a->processors);
}

/* Opens the settings that all runs share, for their seed and threads. */
static mm_status make_grid(mmi_ablation *a, mm_error *e)
{
	mmi_setup setup;
	MMI_TRY(mmi_setup_open(&a->request->setup, &setup, e));
	const uint64_t seed = setup.settings.seed;
	set_threads(a, setup.settings.threads);
	mmi_setup_close(&setup);
	MMI_TRY(make_sweeps(a, seed, e));
	MMI_TRY(mmi_points_create(a->sweeps, a->n_sweeps, &a->points, e));
	a->runs = mmi_alloc(a->points.n, sizeof *a->runs);
	return a->runs ? MM_OK : no_memory(e);
}

/* ---------------------------------------------------------------- what is there */

mm_status mmi_ablation_open_run(const mmi_ablation *a, size_t i, const mmi_log *log, mmi_setup *out, mm_error *e)
{
	const mmi_setup_request *base = &a->request->setup;
	mmi_setup_request r = *base;
	const char **sets = mmi_alloc(base->n_sets + a->n_sweeps + 1, sizeof *sets);
	if (!sets)
		return no_memory(e);
	r.n_sets = 0;
	for (size_t k = 0; k < base->n_sets; k++)
		sets[r.n_sets++] = base->sets[k];
	if (a->threads[0])
		sets[r.n_sets++] = a->threads; /* before the sweeps: they may be about threads */
	for (size_t k = 0; k < a->n_sweeps; k++)
		sets[r.n_sets++] = a->points.item[i].set[k];
	r.sets = sets;
	r.log = log;
	bool half = a->runs[i].state == MMI_RUN_HALF;
	mm_status status = half ? mmi_setup_resume(&r, a->runs[i].folder, out, e) : mmi_setup_open(&r, out, e);
	mmi_free(sets);
	return status;
}

/* Length of the line at text, and whether it can make no difference to what a run comes to. */
static size_t line_length(const char *text, bool *ignored)
{
	static const char threads[] = "threads = ";
	*ignored = !strncmp(text, threads, sizeof threads - 1);
	return strcspn(text, "\n");
}

static const char *next_line(const char *text, size_t *length)
{
	bool ignored;
	for (*length = line_length(text, &ignored); ignored; *length = line_length(text, &ignored))
		text += *length + (text[*length] == '\n');
	return text;
}

/* The folder's settings must be those that this run would be started with. */
static mm_status check_settings(const mmi_ablation_run *run, const char *path, const char *found, mm_error *e)
{
	const char *wanted = run->resolved;
	for (;;) {
		size_t n, m;
		found = next_line(found, &n);
		wanted = next_line(wanted, &m);
		if (n != m || strncmp(found, wanted, n))
			return mmi_fail(
				e, MM_ECONFIG,
				"%s: '%.*s', but this run has '%.*s': it was started with other settings; choose another --out, "
				"or move the folder away",
				path, (int)(n < 80 ? n : 80), found, (int)(m < 80 ? m : 80), wanted);
		if (!found[n] && !wanted[m])
			return MM_OK;
		found += n + (found[n] != 0);
		wanted += m + (wanted[m] != 0);
	}
}

static mm_status compare_settings(const mmi_ablation_run *run, const char *path, mm_error *e)
{
	char *text;
	size_t bytes;
	MMI_TRY(mmi_read_file(path, INI_LIMIT, &text, &bytes, e));
	mm_status status = check_settings(run, path, text, e);
	mmi_free(text);
	return status;
}

char *mmi_ablation_file(const mmi_ablation *a, size_t i, const char *name)
{
	return mmi_format("%s/%s/%s", a->request->out, a->points.item[i].name, name);
}

/* Figures of a file, if it is there and they are what was asked for; otherwise they will be made anew. */
static mm_status read_wanted(const mmi_ablation *a, size_t i, const char *name, const mmi_figures *wanted, bool *there,
                             bool *good, mm_error *e)
{
	mmi_figures found = { 0 };
	char *path = mmi_ablation_file(a, i, name);
	if (!path)
		return no_memory(e);
	*there = !access(path, F_OK);
	mm_status status = *there ? mmi_figures_read(path, &found, e) : MM_OK;
	if (status == MM_EFORMAT) { /* one file is no reason to refuse all runs */
		mmi_logf(a->request->setup.log, MM_LOG_WARNING, "%s; it will be made anew", e->message);
		status = MM_OK;
	}
	*good = *there && status == MM_OK && mmi_figures_match(&found, wanted);
	if (*good)
		status = mmi_figures_append(&a->runs[i].figures, &found, e);
	mmi_figures_clear(&found);
	mmi_free(path);
	return status;
}

mm_status mmi_ablation_read(mmi_ablation *a, size_t i, mm_error *e)
{
	mmi_ablation_run *run = &a->runs[i];
	mmi_figures window = { 0 };
	bool there, assessed = !a->request->assessor;
	mmi_figures_clear(&run->figures);
	mm_status status = mmi_figures_add(&window, "window", a->request->window, e);
	if (status == MM_OK)
		status = read_wanted(a, i, MMI_ABLATION_FIGURES, &window, &run->trained, &run->measured, e);
	if (status == MM_OK && run->measured && !assessed)
		status = read_wanted(a, i, MMI_ABLATION_ASSESSED, &run->stamp, &there, &assessed, e);
	if (status == MM_OK && run->measured && assessed)
		run->state = MMI_RUN_FINISHED;
	else
		mmi_figures_clear(&run->figures);
	mmi_figures_clear(&window);
	return status;
}

static mm_status look(mmi_ablation *a, size_t i, mm_error *e)
{
	mmi_ablation_run *run = &a->runs[i];
	char *ini = mmi_ablation_file(a, i, "run.ini");
	if (!ini)
		return no_memory(e);
	bool there = !access(ini, F_OK);
	run->state = there ? MMI_RUN_HALF : MMI_RUN_NEW;
	mm_status status = there ? compare_settings(run, ini, e) : MM_OK;
	mmi_free(ini);
	MMI_TRY(status);
	return there ? mmi_ablation_read(a, i, e) : MM_OK;
}

static mm_status prepare_run(mmi_ablation *a, size_t i, mm_error *e)
{
	mmi_ablation_run *run = &a->runs[i];
	const mmi_ablation_assessor *assessor = a->request->assessor;
	mmi_setup setup;
	MMI_TRY(mmi_ablation_open_run(a, i, NULL, &setup, e));
	mm_status status = mmi_config_resolved(setup.config, &run->resolved, e);
	if (status == MM_OK && assessor)
		status = assessor->check(assessor->ctx, &setup, &run->stamp, e);
	mmi_setup_close(&setup);
	MMI_TRY(status);
	run->folder = mmi_format("%s/%s", a->request->out, a->points.item[i].name);
	return run->folder ? look(a, i, e) : no_memory(e);
}

/* ---------------------------------------------------------------- life */

mm_status mmi_ablation_create(const mmi_ablation_request *r, mmi_ablation **out, mm_error *e)
{
	mmi_ablation *a = mmi_alloc(1, sizeof *a);
	if (!a)
		return no_memory(e);
	a->request = r;
	mm_status status = make_grid(a, e);
	for (size_t i = 0; status == MM_OK && i < a->points.n; i++)
		status = prepare_run(a, i, e);
	if (status == MM_OK)
		*out = a;
	else
		mmi_ablation_destroy(a);
	return status;
}

void mmi_ablation_destroy(mmi_ablation *a)
{
	if (!a)
		return;
	for (size_t i = 0; a->runs && i < a->points.n; i++) {
		mmi_free(a->runs[i].folder);
		mmi_free(a->runs[i].resolved);
		mmi_figures_clear(&a->runs[i].stamp);
		mmi_figures_clear(&a->runs[i].figures);
	}
	mmi_free(a->runs);
	mmi_points_clear(&a->points);
	for (size_t i = 0; i < a->n_sweeps; i++)
		mmi_sweep_clear(&a->sweeps[i]);
	mmi_free(a->sweeps);
	mmi_free(a);
}

size_t mmi_ablation_count(const mmi_ablation *a, mmi_run_state state)
{
	size_t n = 0;
	for (size_t i = 0; i < a->points.n; i++)
		n += a->runs[i].state == state;
	return n;
}
