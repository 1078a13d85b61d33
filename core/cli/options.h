/* options.h - declarative command-line options: a table a command, --help made from it.
 *
 * `--name value` and `--name=value`; a flag takes no value. `--` ends the options. --help and --quiet are known
 * everywhere. */
#ifndef MMI_OPTIONS_H
#define MMI_OPTIONS_H

#include "base/base.h"

typedef struct mmi_cli mmi_cli;

/* Arguments in order; the texts are those of argv. Free with mmi_strings_clear. */
typedef struct mmi_strings {
	const char **item;
	size_t n;
} mmi_strings;

mm_status mmi_strings_add(mmi_strings *s, const char *text, mm_error *e);
void mmi_strings_clear(mmi_strings *s);

typedef enum mmi_option_kind {
	MMI_OPTION_KIND_END, /* ends a table */
	MMI_OPTION_KIND_FLAG,
	MMI_OPTION_KIND_STRING,
	MMI_OPTION_KIND_INT,
	MMI_OPTION_KIND_FLOAT,
	MMI_OPTION_KIND_LIST /* may be given several times */
} mmi_option_kind;

typedef struct mmi_option {
	mmi_option_kind kind;
	const char *name;  /* without the dashes */
	const char *value; /* what --help calls the value, "FILE"; NULL for a flag */
	const char *help;  /* no full stop; the default belongs here in words if it is worth knowing */
	double min, max;   /* of numbers */
	union {            /* what the option sets; untouched when it is not given */
		bool *flag;
		const char **string;
		int64_t *integer;
		double *real;
		mmi_strings *list;
	} to;
} mmi_option;

#define MMI_OPTION_FLAG(name, to_flag, help)          \
	{                                                 \
		MMI_OPTION_KIND_FLAG, name, NULL, help, 0, 0, \
		{                                             \
			.flag = to_flag                           \
		}                                             \
	}
#define MMI_OPTION_STRING(name, value, to_string, help)  \
	{                                                    \
		MMI_OPTION_KIND_STRING, name, value, help, 0, 0, \
		{                                                \
			.string = to_string                          \
		}                                                \
	}
#define MMI_OPTION_INT(name, value, to_integer, min, max, help) \
	{                                                           \
		MMI_OPTION_KIND_INT, name, value, help, min, max,       \
		{                                                       \
			.integer = to_integer                               \
		}                                                       \
	}
#define MMI_OPTION_FLOAT(name, value, to_real, min, max, help) \
	{                                                          \
		MMI_OPTION_KIND_FLOAT, name, value, help, min, max,    \
		{                                                      \
			.real = to_real                                    \
		}                                                      \
	}
#define MMI_OPTION_LIST(name, value, to_list, help)    \
	{                                                  \
		MMI_OPTION_KIND_LIST, name, value, help, 0, 0, \
		{                                              \
			.list = to_list                            \
		}                                              \
	}
#define MMI_OPTION_END                               \
	{                                                \
		MMI_OPTION_KIND_END, NULL, NULL, NULL, 0, 0, \
		{                                            \
			.flag = NULL                             \
		}                                            \
	}

typedef struct mmi_usage {
	const char *command;       /* "sample" */
	const char *synopsis;      /* what follows the command's name: "--ckpt FILE [options]" */
	const char *text;          /* a paragraph for --help */
	const mmi_option *options; /* ends with MMI_OPTION_END */
} mmi_usage;

/* Reads argv[1..argc). True: go on. False: return *exit_code (0 after --help, 2 after a message about a bad option).
 * Arguments that are no options go to operands; with NULL they are an error. The caller clears lists in every case. */
bool mmi_options_parse(const mmi_cli *cli, const mmi_usage *usage, int argc, char **argv, mmi_strings *operands,
                       int *exit_code);
/* For what a table cannot say (a missing option, two that exclude each other): prints the message and a hint at --help,
 * returns 2. */
int mmi_options_refuse(const mmi_cli *cli, const mmi_usage *usage, const char *format, ...) MMI_PRINTF(3, 4);

/* The name out of names[0..n) that is nearest to text, NULL when none is close: for "did you mean". */
const char *mmi_nearest(const char *text, const char *const *names, size_t n);

#endif
