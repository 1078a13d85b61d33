/* cmd_train.c - mmcore train: settings in, a trained model out. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct mmi_train_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started;
} mmi_train_view;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void step(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	mmi_train_view *v = ctx;
	if (!v->started) {
		mmi_progress_start(&v->progress, v->cli, "iteration", done, total);
		v->started = true;
	}
	v->progress.total = total;
	v->progress.seconds_left = seconds_left;
	if (!m->chains)
		mmi_progress_update(&v->progress, done, "%s-ELBO %.0f", m->warm ? "warm-up, " : "", m->elbo);
	else
		mmi_progress_update(&v->progress, done, "NLL %.0f, U %.0f to %.0f, E gap %.3g, x moved %.3f", m->nll_end, m->u_start, m->u_end,
		                    m->gap, m->x_move);
}

static int run(const mmi_cli *cli, const mmi_setup_request *request, const char *out, bool resume)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	mmi_train_view view = { .cli = cli };
	mmi_train_hooks hooks = { &view, stop, step, &cli->log };

	if ((resume ? mmi_setup_resume(request, out, &setup, &e) : mmi_setup_open(request, &setup, &e)) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	mm_status status = mmi_train(&setup, out, resume, &hooks, &result, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	mmi_setup_close(&setup);
	if (status != MM_OK)
		return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	printf("%s after %llu iterations\n", result.interrupted ? "interrupted" : "finished", (unsigned long long)result.iterations);
	if (result.checkpoint[0])
		printf("checkpoint %s\n", result.checkpoint);
	if (result.best[0])
		printf("best       %s, after %llu iterations: NLL %.6g\n", result.best, (unsigned long long)result.best_iteration, result.best_value);
	if (result.grid[0])
		printf("samples    %s\n", result.grid);
	return result.interrupted ? MMI_EXIT_INTERRUPTED : MMI_EXIT_OK;
}

int mmi_cmd_train(const mmi_cli *cli, int argc, char **argv)
{
	const char *ini = NULL, *out = NULL;
	bool resume = false;
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
		MMI_OPTION_END
	};
	const mmi_usage usage = { "train", "--ini FILE [options]", "Trains the three models on the data of the given modalities. Ctrl-C "
	                          "finishes the iteration and writes a checkpoint; --resume goes on from it.", options };
	int code;
	char *folder = NULL;

	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	if (!ini) {
		code = mmi_options_refuse(cli, &usage, "--ini is missing");
		goto done;
	}
	if (mmi_minutes_set(minutes, &sets, minutes_text, &e) != MM_OK) {
		code = mmi_cli_fail(cli, &e);
		goto done;
	}
	folder = out ? mmi_strdup(out) : mmi_default_folder("runs", ini);
	mmi_setup_request request = { ini, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
	code = folder ? run(cli, &request, folder, resume) : MMI_EXIT_FAILURE;
done:
	mmi_free(folder);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
