/* cmd_train.c - mmcore train: settings in, a trained model out. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "cli/watch.h"
#include "comm/open.h"
#include "fit/fit_file.h"
#include "report/page.h"
#include "train/rehearse.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct mmi_train_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool cooperative, started;
	const mmi_setup_request *request;
} mmi_train_view;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

/* "U 412 to 380, ": what was not measured has no place. */
static void add(char *note, size_t size, const char *format, double value)
{
	size_t used = strlen(note);
	if (isfinite(value)) {
		used += (size_t)snprintf(note + used, size - used, "%s", used ? ", " : "");
		snprintf(note + used, size - used, format, value);
	}
}

static void chains_note(const mmi_measures *m, char *note, size_t size)
{
	note[0] = 0;
	add(note, size, "NLL %.0f", m->nll_end);
	if (isfinite(m->u_start) && isfinite(m->u_end)) {
		add(note, size, "U %.0f", m->u_start);
		snprintf(note + strlen(note), size - strlen(note), " to %.0f", m->u_end);
	}
	add(note, size, "E gap %.3g", m->gap);
	add(note, size, "x moved %.3f", m->x_move);
}

static void step(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	mmi_train_view *v = ctx;
	char note[128];
	if (!v->started) {
		mmi_progress_start(&v->progress, v->cli, "iteration", done, total);
		v->started = true;
	}
	v->progress.total = total;
	v->progress.seconds_left = seconds_left;
	if (m->chains) {
		chains_note(m, note, sizeof note);
		mmi_progress_update(&v->progress, done, "%s", note);
	} else {
		mmi_progress_update(&v->progress, done, "%s-ELBO %.0f", m->warm && v->cooperative ? "warm-up, " : "", m->elbo);
	}
}

static void print_result(const mmi_train_result *r, const char *how)
{
	printf("%s after %llu iteration%s\n", how, (unsigned long long)r->iterations, MMI_S(r->iterations));
	if (r->checkpoint[0])
		printf("checkpoint %s\n", r->checkpoint);
	if (r->best[0])
		printf("best       %s, after %llu iteration%s: NLL %.6g\n", r->best, (unsigned long long)r->best_iteration,
		       MMI_S(r->best_iteration), r->best_value);
	if (r->grid[0])
		printf("samples    %s\n", r->grid);
}

/* What all ranks know the first one tells; another, what it alone found. */
static int refuse(const mmi_cli *cli, const mmi_comm *comm, const mm_error *e)
{
	return comm->rank ? MMI_EXIT_OK : mmi_cli_refuse(cli, e);
}

static const char *or_null(const char *path)
{
	return path[0] ? path : NULL;
}

static int answer_result(const mmi_cli *cli, const mmi_train_result *r, const char *how, const char *folder, int code)
{
	mmi_answer a = mmi_answer_begin();
	mmi_answer_text(&a, a.root, "ended", how);
	mmi_answer_number(&a, a.root, "iterations", (double)r->iterations);
	mmi_answer_text(&a, a.root, "run", folder);
	mmi_answer_text(&a, a.root, "checkpoint", or_null(r->checkpoint));
	mmi_answer_text(&a, a.root, "best", or_null(r->best));
	mmi_answer_number(&a, a.root, "best_iteration", r->best[0] ? (double)r->best_iteration : (double)NAN);
	mmi_answer_number(&a, a.root, "best_nll", r->best[0] ? r->best_value : (double)NAN);
	mmi_answer_text(&a, a.root, "samples", or_null(r->grid));
	return mmi_answer_print(cli, &a, code);
}

typedef struct mmi_train_job {
	mmi_setup_request request;
	const char *out;
	bool resume, changed_data, dry_run, json;
	mmi_comm comm;
} mmi_train_job;

static int tell(const mmi_cli *cli, const mmi_train_job *j, const mmi_train_result *r, const char *how, int code)
{
	if (j->json)
		return answer_result(cli, r, how, j->out, code);
	print_result(r, how);
	return code;
}

/* What was written stays, and is named: the error says why there is no more. */
static int fail(const mmi_cli *cli, const mmi_train_job *j, const mmi_train_result *r, const mm_error *e)
{
	int code = tell(cli, j, r, "stopped", MMI_EXIT_FAILURE);
	fflush(stdout);
	mmi_cli_error(cli, "%s", e->message);
	return code;
}

static mmi_train_start start_of(const mmi_train_job *j)
{
	return !j->resume ? MMI_TRAIN_NEW : j->changed_data ? MMI_TRAIN_RESUME_CHANGED_DATA : MMI_TRAIN_RESUME;
}

/* A rank other than the first, which has told what there was to tell. */
static int end_rank(const mmi_cli *cli, const mmi_comm *comm, mm_status status, const mm_error *e)
{
	mm_error lost = MM_ERROR_INIT;
	if (status == MM_OK || comm->ops->status(comm, &lost) == MM_OK)
		return MMI_EXIT_OK;
	if (lost.code != MM_ECANCELLED)
		mmi_cli_error(cli, "%s", e->message);
	return MMI_EXIT_FAILURE;
}

static void fit_prior(void *ctx, const char *run, uint32_t components)
{
	const mmi_train_view *v = ctx;
	mmi_fit_end(run, v->request, components, &(mmi_fit_hooks){ .stop = stop });
}

static int train(const mmi_cli *cli, const mmi_train_job *j, mmi_setup *setup)
{
	mm_error e = MM_ERROR_INIT;
	mmi_train_result result;
	mmi_train_view view = { .cli = cli, .cooperative = setup->settings.cooperative, .request = &j->request };
	mmi_train_hooks hooks = { &view, stop, j->comm.rank ? NULL : step, fit_prior, &cli->log };
	mmi_interrupt_install();
	mm_status status = mmi_train(setup, j->out, start_of(j), &hooks, &result, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	if (j->comm.rank)
		return end_rank(cli, &j->comm, status, &e);
	if (status != MM_OK)
		return view.started || status == MM_ECANCELLED ? fail(cli, j, &result, &e) : mmi_cli_refuse(cli, &e);
	mmi_page_of_run(j->out, &cli->log);
	return tell(cli, j, &result, result.interrupted ? "interrupted" : "finished",
	            result.interrupted ? mmi_interrupt_status() : MMI_EXIT_OK);
}

/* ------------------------------------------------------------ --dry-run */

static void print_seconds(const char *what, double seconds)
{
	if (isfinite(seconds))
		printf("%-14s %.4g s\n", what, seconds);
}

static void print_rehearsal(const mmi_rehearsal *r, const char *settings)
{
	printf("%s\n; ---------------------------------------- what the run would take\n", settings);
	printf("training data  %u tuples; sheets show %u others\n", r->tuples, r->shown);
	printf("parameters     generator %llu, inference %llu, energy %llu\n", (unsigned long long)r->generator,
	       (unsigned long long)r->inference, (unsigned long long)r->energy);
	print_seconds("iteration", r->warm_seconds);
	print_seconds("with chains", r->chain_seconds);
	printf("run            about %.0f iterations in %.3g minutes, outputs aside\n", r->iterations, r->seconds / 60);
	printf("memory         %.0f MB so far; checkpoints and evaluations take more\n", r->bytes / 1e6);
}

static int answer_rehearsal(const mmi_cli *cli, const mmi_rehearsal *r, const char *settings)
{
	mmi_answer a = mmi_answer_begin();
	mmi_answer_settings(&a, a.root, "settings", settings);
	mmi_answer_number(&a, a.root, "training_tuples", r->tuples);
	mmi_answer_number(&a, a.root, "shown_tuples", r->shown);
	cJSON *parameters = mmi_answer_object(&a, a.root, "parameters");
	mmi_answer_number(&a, parameters, "generator", (double)r->generator);
	mmi_answer_number(&a, parameters, "inference", (double)r->inference);
	mmi_answer_number(&a, parameters, "energy", (double)r->energy);
	mmi_answer_number(&a, a.root, "iteration_seconds", r->warm_seconds);
	mmi_answer_number(&a, a.root, "chain_iteration_seconds", r->chain_seconds);
	mmi_answer_number(&a, a.root, "iterations", r->iterations);
	mmi_answer_number(&a, a.root, "seconds", r->seconds);
	mmi_answer_number(&a, a.root, "memory_bytes", r->bytes);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

/* Everything up to the first iterations, and no file. */
static int rehearse(const mmi_cli *cli, const mmi_train_job *j, mmi_setup *setup)
{
	mm_error e = MM_ERROR_INIT;
	mmi_rehearsal r;
	char *settings = NULL;
	mm_status status = mmi_train_rehearse(setup, &cli->log, &r, &e);
	if (status == MM_OK)
		status = mmi_config_resolved(setup->config, &settings, &e);
	int code = MMI_EXIT_OK;
	if (status == MM_OK && !j->comm.rank && j->json)
		code = answer_rehearsal(cli, &r, settings);
	else if (status == MM_OK && !j->comm.rank)
		print_rehearsal(&r, settings);
	mmi_free(settings);
	return status == MM_OK ? code : refuse(cli, &j->comm, &e);
}

static void tell_ranks(const mmi_cli *cli, const mmi_train_job *j, const mmi_setup *setup)
{
	if (j->comm.size > 1)
		mmi_logf(&cli->log, MM_LOG_INFO, "%u ranks, the first with %u thread%s", j->comm.size, setup->settings.threads,
		         MMI_S(setup->settings.threads));
}

static int open_and_train(const mmi_cli *cli, const mmi_train_job *j)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	const mm_status here =
		j->resume ? mmi_setup_resume(&j->request, j->out, &setup, &e) : mmi_setup_open(&j->request, &setup, &e);
	mm_status all = mmi_comm_agree(&j->comm, here, &e);
	int code = MMI_EXIT_OK;
	if (all == MM_OK)
		all = mmi_setup_share(&setup, &j->comm, &cli->log, &e);
	if (all == MM_OK) {
		tell_ranks(cli, j, &setup);
		code = j->dry_run ? rehearse(cli, j, &setup) : train(cli, j, &setup);
	} else {
		code = refuse(cli, &j->comm, &e);
	}
	if (here == MM_OK)
		mmi_setup_close(&setup);
	return code;
}

/* The end of a comm may be that of the process: what was said must be out by then. */
static int join_and_train(const mmi_cli *cli, mmi_train_job *j)
{
	mm_error e = MM_ERROR_INIT;
	if (mmi_comm_join(mmi_interrupted, &cli->log, &j->comm, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	if (j->comm.rank)
		cli->console->level = MM_LOG_ERROR;
	const int code = open_and_train(cli, j);
	fflush(cli->console->out);
	if (j->comm.size > 1)
		mmi_watch_end();
	j->comm.ops->close(&j->comm);
	return code;
}

static int run(const mmi_cli *cli, const mmi_usage *usage, mmi_train_job *j)
{
	char *own = NULL, *folder = NULL;
	int code;
	if (j->changed_data && !j->resume)
		return mmi_options_refuse(cli, usage, "--changed-data needs --resume");
	if (j->dry_run && j->resume)
		return mmi_options_refuse(cli, usage, "--dry-run is for a run that has not begun; leave out --resume");
	if (!j->request.ini && !(j->resume && j->out))
		return mmi_options_refuse(cli, usage, "--ini is missing");
	if (!j->request.ini)
		j->request.ini = own = mmi_format("%s/run.ini", j->out); /* goes on as it was */
	if (!j->out && j->request.ini)
		j->out = folder = mmi_default_folder("runs", j->request.ini);
	code = j->request.ini && j->out ? join_and_train(cli, j) : mmi_cli_no_memory(cli, "the name of the run's folder");
	mmi_free(own);
	mmi_free(folder);
	return code;
}

int mmi_cmd_train(const mmi_cli *cli, int argc, char **argv)
{
	mmi_train_job j = { .request.log = &cli->log };
	double minutes = -1;
	char minutes_text[MMI_MINUTES_TEXT];
	mmi_strings plugins = { 0 }, sets = { 0 };
	mm_error e = MM_ERROR_INIT;
	const mmi_option options[] = {
		MMI_OPTION_STRING("ini", "FILE", &j.request.ini, "the settings; paths in it are relative to it"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_STRING("out", "DIR", &j.out, "the run's folder (default: runs/NAME, from the INI's name)"),
		MMI_OPTION_MINUTES(&minutes),
		MMI_OPTION_FLAG(
			"resume", &j.resume,
			"go on from the newest checkpoint in the run's folder; without --ini with the run's own settings"),
		MMI_OPTION_FLAG("changed-data", &j.changed_data,
		                "with --resume: even if settings that decide which data is seen have changed"),
		MMI_OPTION_FLAG("dry-run", &j.dry_run,
		                "write nothing: print all settings, and what data, memory and time the run would take"),
		MMI_OPTION_JSON(&j.json),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "train", "--ini FILE [options]",
		                      "Trains the three models on the data of the given modalities. Ctrl-C "
		                      "finishes the iteration and writes a checkpoint; --resume goes on from it.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code)) {
		if (mmi_minutes_set(minutes, &sets, minutes_text, &e) == MM_OK) {
			j.request.plugins = plugins.item, j.request.n_plugins = plugins.n;
			j.request.sets = sets.item, j.request.n_sets = sets.n;
			code = run(cli, &usage, &j);
		} else {
			code = mmi_cli_fail(cli, &e);
		}
	}
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
