/* cmd_train.c - mmcore train: settings in, a trained model out. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "report/page.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct mmi_train_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool cooperative, started;
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
	printf("%s after %llu iterations\n", how, (unsigned long long)r->iterations);
	if (r->checkpoint[0])
		printf("checkpoint %s\n", r->checkpoint);
	if (r->best[0])
		printf("best       %s, after %llu iterations: NLL %.6g\n", r->best, (unsigned long long)r->best_iteration,
		       r->best_value);
	if (r->grid[0])
		printf("samples    %s\n", r->grid);
}

/* What was written stays, and is named: the error says why there is no more. */
static int fail(const mmi_cli *cli, const mmi_train_result *r, const mm_error *e)
{
	print_result(r, "stopped");
	fflush(stdout);
	mmi_cli_error(cli, "%s", e->message);
	return MMI_EXIT_FAILURE;
}

static int run(const mmi_cli *cli, const mmi_setup_request *request, const char *out, mmi_train_start start)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	mmi_train_view view = { .cli = cli };
	mmi_train_hooks hooks = { &view, stop, step, &cli->log };

	if ((start != MMI_TRAIN_NEW ? mmi_setup_resume(request, out, &setup, &e) : mmi_setup_open(request, &setup, &e)) !=
	    MM_OK)
		return mmi_cli_refuse(cli, &e);
	view.cooperative = setup.settings.cooperative;
	mmi_interrupt_install();
	mm_status status = mmi_train(&setup, out, start, &hooks, &result, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	mmi_setup_close(&setup);
	if (status != MM_OK)
		return view.started ? fail(cli, &result, &e) : mmi_cli_refuse(cli, &e);
	mmi_page_of_run(out, &cli->log);
	print_result(&result, result.interrupted ? "interrupted" : "finished");
	return result.interrupted ? mmi_interrupt_status() : MMI_EXIT_OK;
}

int mmi_cmd_train(const mmi_cli *cli, int argc, char **argv)
{
	const char *ini = NULL, *out = NULL;
	bool resume = false, changed_data = false;
	double minutes = -1;
	char minutes_text[MMI_MINUTES_TEXT];
	mmi_strings plugins = { 0 }, sets = { 0 };
	mm_error e = MM_ERROR_INIT;
	const mmi_option options[] = {
		MMI_OPTION_STRING("ini", "FILE", &ini, "the settings; paths in it are relative to it"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_STRING("out", "DIR", &out, "the run's folder (default: runs/NAME, from the INI's name)"),
		MMI_OPTION_MINUTES(&minutes),
		MMI_OPTION_FLAG("resume", &resume, "go on from the newest checkpoint in the run's folder"),
		MMI_OPTION_FLAG("changed-data", &changed_data,
		                "with --resume: even if settings that decide which data is seen have changed"),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "train", "--ini FILE [options]",
		                      "Trains the three models on the data of the given modalities. Ctrl-C "
		                      "finishes the iteration and writes a checkpoint; --resume goes on from it.",
		                      options };
	int code;
	char *folder = NULL;

	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	if (!ini || (changed_data && !resume)) {
		code = mmi_options_refuse(cli, &usage, ini ? "--changed-data needs --resume" : "--ini is missing");
		goto done;
	}
	if (mmi_minutes_set(minutes, &sets, minutes_text, &e) != MM_OK) {
		code = mmi_cli_fail(cli, &e);
		goto done;
	}
	folder = out ? mmi_strdup(out) : mmi_default_folder("runs", ini);
	mmi_setup_request request = { ini, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
	if (folder)
		code = run(cli, &request, folder,
		           !resume        ? MMI_TRAIN_NEW
		           : changed_data ? MMI_TRAIN_RESUME_CHANGED_DATA
		                          : MMI_TRAIN_RESUME);
	else
		code = mmi_cli_no_memory(cli, "the name of the run's folder");
done:
	mmi_free(folder);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
