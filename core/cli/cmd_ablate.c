/* cmd_ablate.c - mmcore ablate: a grid of training runs and a table of what came out. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "ablate/assess.h"
#include "ablate/ablate.h"
#include "cli/slurm.h"
#include "cli/watch.h"
#include "comm/launch.h"
#include "comm/open.h"

#include <stdio.h>
#include <string.h>

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void progress(void *ctx, size_t over, size_t total, double share)
{
	mmi_progress *p = ctx;
	if (p->total == 0)
		mmi_progress_start(p, p->cli, "run", over, total);
	mmi_progress_update(p, over, "%.0f%% of all work", 100 * share);
}

typedef struct command {
	int argc;
	char **argv;
	bool slurm; /* print a script, and train nothing */
	bool json;
} command;

static int answer(const mmi_cli *cli, const mmi_ablation *ablation, size_t failed)
{
	mmi_answer a = mmi_answer_begin();
	const char *folder = ablation->request->out;
	char *runs = mmi_format("%s/runs.csv", folder), *summary = mmi_format("%s/summary.csv", folder);
	mmi_answer_text(&a, a.root, "folder", folder);
	mmi_answer_text(&a, a.root, "runs", runs);
	mmi_answer_text(&a, a.root, "summary", summary);
	mmi_answer_number(&a, a.root, "asked", (double)ablation->points.n);
	mmi_answer_number(&a, a.root, "failed", (double)failed);
	a.failed = a.failed || !runs || !summary;
	mmi_free(runs);
	mmi_free(summary);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

static int report(const mmi_cli *cli, const mmi_ablation *a, const command *c, mm_status status, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	size_t failed = mmi_ablation_count(a, MMI_RUN_FAILED);
	if (status != MM_OK && status != MM_ECANCELLED)
		return mmi_cli_fail(cli, e);
	if ((!c->json && mmi_ablation_print(a, cli->console->out, &own) != MM_OK) || mmi_ablation_write(a, &own) != MM_OK)
		return mmi_cli_fail(cli, &own);
	if (c->json && answer(cli, a, failed) != MMI_EXIT_OK)
		return MMI_EXIT_FAILURE;
	if (!c->json)
		fprintf(cli->console->out, "runs       %s/runs.csv\nsummary    %s/summary.csv\n", a->request->out,
		        a->request->out);
	if (status != MM_OK)
		return mmi_cli_fail(cli, e);
	if (!failed)
		return MMI_EXIT_OK;
	mmi_cli_error(cli, "%zu of %zu runs failed", failed, a->points.n);
	return MMI_EXIT_FAILURE;
}

/* The end of ranks: all come to know how the runs went, and the first makes the tables. They meet no sooner, for the
 * runs are processes of their own, and MPI does not like to be forked. */
static int meet(const mmi_cli *cli, mmi_ablation *a, const command *c, mm_status status, mm_error *e)
{
	mmi_comm comm;
	mm_error why = MM_ERROR_INIT;
	if (mmi_comm_join(mmi_interrupted, &cli->log, &comm, &why) != MM_OK)
		return mmi_cli_fail(cli, &why);
	status = mmi_comm_agree(&comm, status, e);
	int code = MMI_EXIT_OK;
	if (mmi_ablation_gather(a, &comm, &why) != MM_OK)
		code = comm.rank ? MMI_EXIT_FAILURE : mmi_cli_fail(cli, &why);
	else if (!comm.rank)
		code = report(cli, a, c, status, e);
	fflush(cli->console->out);
	mmi_watch_end();
	comm.ops->close(&comm);
	return code;
}

/* A part makes no tables: others may be under way. */
static int end_part(const mmi_cli *cli, const mmi_ablation *a, mm_status status, const mm_error *e)
{
	const mmi_ablation_request *r = a->request;
	if (status != MM_OK)
		return mmi_cli_fail(cli, e);
	fprintf(cli->console->out, "part %u of %u is over; the same command without --part makes the tables\n", r->part,
	        r->parts);
	return mmi_ablation_count(a, MMI_RUN_FAILED) ? MMI_EXIT_FAILURE : MMI_EXIT_OK;
}

static int end(const mmi_cli *cli, mmi_ablation *a, const command *c, uint32_t ranks, mm_status status, mm_error *e)
{
	mmi_console_settle(cli->console);
	return ranks > 1               ? meet(cli, a, c, status, e)
	       : a->request->parts > 1 ? end_part(cli, a, status, e)
	                               : report(cli, a, c, status, e);
}

/* Each rank of a launcher has a part of the runs. */
static mm_status share_out(mmi_ablation_request *r, const mmi_launch *launch, mm_error *e)
{
	if (launch->size == 1)
		return MM_OK;
	if (r->parts)
		return mmi_fail(e, MM_ECONFIG, "--part %u/%u for each of %u ranks: give one of --part and mpirun", r->part,
		                r->parts, launch->size);
	if (launch->size > MMI_MAX_RANKS)
		return mmi_fail(e, MM_ECONFIG,
		                "%u ranks; at most %d share out the runs of an ablation: --slurm and --part have no "
		                "limit",
		                launch->size, MMI_MAX_RANKS);
	r->part = launch->rank, r->parts = launch->size;
	return mmi_comm_check(e);
}

static int train(const mmi_cli *cli, mmi_ablation *a, const command *c, uint32_t ranks)
{
	mm_error e = MM_ERROR_INIT;
	mmi_progress shown = { .cli = cli };
	const mmi_ablation_hooks hooks = { &shown, stop, cli->console->rank ? NULL : progress };
	mmi_interrupt_install();
	mm_status status = mmi_ablation_train(a, &hooks, &e);
	if (a->is_child) /* its parent reports */
		return status == MM_OK ? MMI_EXIT_OK : MMI_EXIT_FAILURE;
	return end(cli, a, c, ranks, status, &e);
}

static int run(const mmi_cli *cli, mmi_ablation_request *request, const command *c)
{
	mm_error e = MM_ERROR_INIT;
	mmi_ablation *a;
	const mmi_launch launch = mmi_launch_read();
	int code = MMI_EXIT_OK;
	if (share_out(request, &launch, &e) != MM_OK || mmi_ablation_create(request, &a, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	if (c->slurm)
		mmi_slurm_print(cli->console->out, a, c->argc, c->argv);
	else
		code = train(cli, a, c, launch.size);
	mmi_ablation_destroy(a);
	return code;
}

/* ------------------------------------------------------------ what is given */

typedef struct given {
	const char *ini, *out, *split, *part;
	double minutes, window;
	int64_t seeds, jobs, count;
	mmi_strings plugins, sets, sweeps;
	mmi_assess assess;
	char minutes_text[MMI_MINUTES_TEXT];
	char *folder; /* of all runs */
	command as_given;
} given;

static void forget(given *g)
{
	mmi_free(g->folder);
	mmi_strings_clear(&g->plugins);
	mmi_strings_clear(&g->sets);
	mmi_strings_clear(&g->sweeps);
}

/* "I/N" */
static bool read_part(const char *text, uint32_t *part, uint32_t *parts)
{
	char rest;
	return sscanf(text, "%5u/%5u%c", part, parts, &rest) == 2 && *parts && *part < *parts;
}

/* What --judge, --eval-count and --eval-split say; false: they do not fit together, and *code is the command's. */
static bool read_assess(const mmi_cli *cli, const mmi_usage *usage, given *g, int *code)
{
	mmi_assess *to = &g->assess;
	const char *split = g->split, *wrong = NULL;
	if (!to->judge && (split || g->count > 0))
		wrong = split ? "--eval-split needs --judge" : "--eval-count needs --judge";
	to->has_part = split != NULL;
	to->part = split && !strcmp(split, "test") ? MMI_PART_TEST : MMI_PART_VALIDATION;
	to->count = g->count > 0 ? (uint32_t)g->count : 1000;
	if (wrong)
		*code = mmi_options_refuse(cli, usage, "%s", wrong);
	else if (split && strcmp(split, "test") && strcmp(split, "validation"))
		*code = mmi_options_refuse(cli, usage, "--eval-split is '%s'; expected test or validation", split);
	else
		return true;
	return false;
}

/* false: no grid can be made of what is given, and *code is the command's. */
static bool read_given(const mmi_cli *cli, const mmi_usage *usage, given *g, mmi_ablation_request *r, int *code)
{
	mm_error e = MM_ERROR_INIT;
	if (!g->ini || (!g->sweeps.n && g->seeds == 1))
		*code = mmi_options_refuse(cli, usage,
		                           g->ini ? "nothing to compare: give --sweep, --seeds or both" : "--ini is missing");
	else if (g->part && !read_part(g->part, &r->part, &r->parts))
		*code =
			mmi_options_refuse(cli, usage, "--part is '%s'; expected I/N with I from 0 to N - 1, e.g. 0/4", g->part);
	else if (!read_assess(cli, usage, g, code))
		return false;
	else if (!(g->folder = g->out ? mmi_strdup(g->out) : mmi_default_folder("ablations", g->ini)))
		*code = mmi_cli_no_memory(cli, "the name of the runs' folder");
	else if (mmi_minutes_set(g->minutes, &g->sets, g->minutes_text, &e) != MM_OK)
		*code = mmi_cli_fail(cli, &e);
	else
		return true;
	return false;
}

static int run_given(const mmi_cli *cli, const mmi_usage *usage, given *g)
{
	mmi_ablation_request r = { .parts = 0 };
	int code;
	if (!read_given(cli, usage, g, &r, &code))
		return code;
	const mmi_ablation_assessor assessor = mmi_assess_runs(&g->assess);
	r.setup = (mmi_setup_request){ g->ini, g->plugins.item, g->plugins.n, g->sets.item, g->sets.n, &cli->log };
	r.sweeps = g->sweeps.item;
	r.n_sweeps = g->sweeps.n;
	r.seeds = (uint32_t)g->seeds;
	r.jobs = (uint32_t)g->jobs;
	r.window = g->window;
	r.out = g->folder;
	r.assessor = g->assess.judge ? &assessor : NULL;
	return run(cli, &r, &g->as_given);
}

int mmi_cmd_ablate(const mmi_cli *cli, int argc, char **argv)
{
	given g = { .minutes = -1, .window = 0.25, .seeds = 1, .jobs = 1, .as_given = { .argc = argc, .argv = argv } };
	const mmi_option options[] = {
		MMI_OPTION_STRING("ini", "FILE", &g.ini, "the settings that all runs have in common"),
		MMI_OPTION_LIST("sweep", "SECTION.KEY=A,B,C", &g.sweeps,
		                "a setting and its values; repeatable, all combinations are run"),
		MMI_OPTION_MINUTES(&g.minutes),
		MMI_OPTION_INT("seeds", "N", &g.seeds, 1, 1000,
		               "runs of each combination, with run.seed and the numbers after it (default 1)"),
		MMI_OPTION_INT("jobs", "J", &g.jobs, 1, 64, "runs at a time; they share out the processors (default 1)"),
		MMI_OPTION_FLOAT("window", "W", &g.window, 1e-6, 1,
		                 "figures are means over this share of a run, at its end (default 0.25)"),
		MMI_OPTION_STRING("judge", "FILE", &g.assess.judge,
		                  "evaluate every trained run with what mmcore judge wrote, and compare that"),
		MMI_OPTION_INT("eval-count", "N", &g.count, 2, 1e8,
		               "samples, and tuples of the split at most, of an evaluation (default 1000)"),
		MMI_OPTION_STRING("eval-split", "NAME", &g.split,
		                  "test or validation (default: validation if [data] holdout is above 0)"),
		MMI_OPTION_STRING("part", "I/N", &g.part, "train every N-th run from number I = 0..N-1 on, and make no tables"),
		MMI_OPTION_FLAG("slurm", &g.as_given.slurm, "train nothing: print a script for sbatch, a task a run"),
		MMI_OPTION_STRING("out", "DIR", &g.out,
		                  "folder of all runs and of the tables (default: ablations/NAME, from the INI's name)"),
		MMI_OPTION_JSON(&g.as_given.json),
		MMI_OPTION_PLUGINS(&g.plugins),
		MMI_OPTION_SETS(&g.sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"ablate", "--ini FILE --sweep SECTION.KEY=A,B,C [options]",
		"Trains with every combination of the given values, "
		"each run in a folder of its own, and ends with a table. The same command goes on where it was stopped.",
		options
	};
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		code = run_given(cli, &usage, &g);
	forget(&g);
	return code;
}
