/* main.c - the program: a table of commands, and how one is chosen. */
#include "mmi_build.h"

#include "backend/cpu/device.h"
#include "cli/cli.h"
#include "cli/watch.h"
#include "comm/launch.h"
#include "run/setup.h"

#include <mmcore/plugin.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_IN_PLUGIN 10 /* a callback that lasts longer is named */

const mmi_command mmi_commands[] = {
	{ "train", "train a model, or go on with a run (the default)", mmi_cmd_train },
	{ "ablate", "train a grid of settings and compare them", mmi_cmd_ablate },
	{ "sample", "draw samples from a checkpoint", mmi_cmd_sample },
	{ "translate", "make modalities from others", mmi_cmd_translate },
	{ "score", "how well the modalities of a tuple fit", mmi_cmd_score },
	{ "trace", "the chains, step by step", mmi_cmd_trace },
	{ "interpolate", "from one tuple to another through the latent space", mmi_cmd_interpolate },
	{ "eval", "measure a checkpoint: coherence, Frechet distance and more", mmi_cmd_eval },
	{ "report", "runs as one HTML page: curves, sheets, figures", mmi_cmd_report },
	{ "encode", "write the latents of data as .npy and CSV files", mmi_cmd_encode },
	{ "fit-prior", "fit a prior for samples to a trained model", mmi_cmd_fit_prior },
	{ "judge", "train the classifiers that eval judges samples with", mmi_cmd_judge },
	{ "info", "what a checkpoint or a plugin holds", mmi_cmd_info },
	{ "plugins", "which plugins were found, which refused, and why", mmi_cmd_plugins },
	{ "new-plugin", "write the sources of a new modality", mmi_cmd_new_plugin },
	{ "validate", "put a plugin to the test", mmi_cmd_validate },
	{ "bench", "measure the speed of the inner loops", mmi_cmd_bench },
	{ "help", "explain a command, or the settings", mmi_cmd_help },
	{ NULL, NULL, NULL },
};

#ifdef HAVE_LAPACK
#define LAPACK_WORD "yes"
#else
#define LAPACK_WORD "no"
#endif
#ifdef HAVE_LIBJPEG
#define JPEG_WORD "yes"
#else
#define JPEG_WORD "no"
#endif

/* What was built in, and what computes here: what a report of a fault should say. */
static int print_version(const mmi_cli *cli)
{
	char *build = mmi_setup_build_text();
	if (!build)
		return mmi_cli_no_memory(cli, "the program's version");
	fprintf(cli->console->out, "%s\nbuild      %s\nbfloat16   %s\nplugin ABI %d.%d\nLAPACK     %s\nJPEG       %s\n",
	        PACKAGE_STRING, build, mmi_cpu_device_bf16().text, MM_ABI_MAJOR, MM_ABI_MINOR, LAPACK_WORD, JPEG_WORD);
	mmi_free(build);
	return MMI_EXIT_OK;
}

static const mmi_command *find_command(const char *name)
{
	for (const mmi_command *c = mmi_commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int refuse_command(const mmi_cli *cli, const char *name)
{
	const char *names[MMI_COUNT(mmi_commands)];
	size_t n = 0;

	for (const mmi_command *c = mmi_commands; c->name; c++)
		names[n++] = c->name;
	const char *near = mmi_nearest(name, names, n), *dot = strrchr(name, '.');
	if (!strcmp(name, "version"))
		mmi_cli_error(cli, "unknown command 'version'; did you mean '--version'?");
	else if (dot && !strcmp(dot, ".ini"))
		mmi_cli_error(cli, "unknown command '%s'; settings go with --ini: %s --ini %s", name, cli->program, name);
	else if (near)
		mmi_cli_error(cli, "unknown command '%s'; did you mean '%s'?", name, near);
	else
		mmi_cli_error(cli, "unknown command '%s'; '%s --help' lists the commands", name, cli->program);
	return MMI_EXIT_USAGE;
}

static int run_program(const mmi_cli *cli, int argc, char **argv)
{
	if (argc < 2) {
		mmi_cli_error(cli, "nothing to do; '%s --help' lists the commands", cli->program);
		return MMI_EXIT_USAGE;
	}
	const char *first = argv[1];
	if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
		return mmi_cli_overview(cli);
	if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
		return print_version(cli);
	if (first[0] == '-')
		return mmi_commands[0].run(cli, argc, argv);
	const mmi_command *command = find_command(first);
	if (!command)
		return refuse_command(cli, first);
	return command->run(cli, argc - 1, argv + 1);
}

/* Results that could not be written (a full disk, a closed pipe) are a failure even if the work went well. */
static int close_output(const mmi_cli *cli, int status)
{
	if (fflush(cli->console->out) == 0 && !ferror(cli->console->out))
		return status;
	mmi_cli_error(cli, "cannot write to standard output");
	return status == MMI_EXIT_OK ? MMI_EXIT_FAILURE : status;
}

int main(int argc, char **argv)
{
	static const char program[] = "mmcore";
	mmi_console console = mmi_console_standard(program);
	console.rank = mmi_launch_read().rank;
	mmi_cli cli = { .program = program, .console = &console, .log = mmi_console_log(&console) };

	mmi_interrupt_files();
	cli.log.call = mmi_watch_call;
	mmi_watch_start(&console, SECONDS_IN_PLUGIN);
	int status = close_output(&cli, run_program(&cli, argc, argv));
	mmi_watch_end();
	return status;
}
