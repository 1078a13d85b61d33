/* cli.h - what every command gets and returns. One file a command: core/cli/cmd_<name>.c with one function
 * mmi_cmd_<name>, listed in the table in main.c. Commands hold no logic: they read options and call the library.
 *
 * A command in full:
 *
 *	int mmi_cmd_greet(const mmi_cli *cli, int argc, char **argv)
 *	{
 *		const char *name = "world";
 *		int64_t times = 1;
 *		const mmi_option options[] = {
 *			MMI_OPTION_STRING("name", "WORD", &name, "whom to greet"),
 *			MMI_OPTION_INT("times", "N", &times, 1, 100, "how often"),
 *			MMI_OPTION_END
 *		};
 *		const mmi_usage usage = { "greet", "[options]", "Greets.", options };
 *		int code;
 *		if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
 *			return code;
 *		...
 *	}
 */
#ifndef MMI_CLI_H
#define MMI_CLI_H

#include "base/base.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"

enum {
	MMI_EXIT_OK = 0,
	MMI_EXIT_FAILURE = 1, /* something went wrong while running */
	MMI_EXIT_USAGE = 2    /* options, settings, or files that do not fit them; nothing was written */
	/* 128 and the signal's number (mmi_interrupt_status): the user stopped the program; its state was saved */
};

struct mmi_cli {
	const char *program;  /* "mmcore", for messages */
	mmi_console *console; /* standard output and error, and the line of progress */
	mmi_log log;          /* prints through the console: pass it to the library */
};

/* One command: argv[0] is a name, argv[1..argc) are its arguments. Returns the exit status. */
typedef struct mmi_command {
	const char *name;
	const char *summary; /* one line of `mmcore --help` */
	int (*run)(const mmi_cli *cli, int argc, char **argv);
} mmi_command;

/* NULL-name terminated; the first one is the default when the first argument is an option. */
extern const mmi_command mmi_commands[];

/* "mmcore: message" on standard error. */
void mmi_cli_error(const mmi_cli *cli, const char *format, ...) MMI_PRINTF(2, 3);
/* "out of memory for WHAT", and the exit status of that. */
int mmi_cli_no_memory(const mmi_cli *cli, const char *what);
/* Prints the message and returns the exit status of a failure while running: 2 for MM_ECONFIG, mmi_interrupt_status for
 * MM_ECANCELLED, else 1. */
int mmi_cli_fail(const mmi_cli *cli, const mm_error *e);
/* The same while options, settings and input files are taken in, before anything is written: always 2, but for
 * MM_ENOMEM, MM_EINTERNAL (1) and MM_ECANCELLED (mmi_interrupt_status). */
int mmi_cli_refuse(const mmi_cli *cli, const mm_error *e);

int mmi_cmd_train(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_ablate(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_sample(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_translate(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_score(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_trace(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_interpolate(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_info(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_plugins(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_new_plugin(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_validate(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_encode(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_fit_prior(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_eval(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_report(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_judge(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_bench(const mmi_cli *cli, int argc, char **argv);
int mmi_cmd_help(const mmi_cli *cli, int argc, char **argv);
/* The list of commands; returns MMI_EXIT_OK. */
int mmi_cli_overview(const mmi_cli *cli);

#endif
