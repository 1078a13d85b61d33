/* options.c - reads command-line options by a table and prints its --help. */
#include "mmi_build.h"

#include "cli/options.h"

#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 26 /* where the explanations begin */
#define HELP_WIDTH 100

mm_status mmi_strings_add(mmi_strings *s, const char *text, mm_error *e)
{
	const char **grown = mmi_grow(s->item, s->n, s->n + 1, sizeof *s->item);

	if (!grown)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	s->item = grown;
	s->item[s->n++] = text;
	return MM_OK;
}

void mmi_strings_clear(mmi_strings *s)
{
	mmi_free(s->item);
	*s = (mmi_strings){ 0 };
}

/* ---------------------------------------------------------------- the nearest name */

#define NAME_MAX_LENGTH 63

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment), three rows. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_LENGTH + 1], la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LENGTH || lb > NAME_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3];
		const size_t *up = rows[(i + 2) % 3], *upup = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = least(least(up[j], row[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], upup[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *mmi_nearest(const char *text, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = strlen(text) / 3 + 1; /* the worst that still counts as a slip */

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(text, names[i]);
		if (d > best_distance || (best && d == best_distance))
			continue;
		best = names[i];
		best_distance = d;
	}
	return best;
}

/* ---------------------------------------------------------------- --help */

/* Words from column on; a line that is full goes on below at the same column. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	int at = column;

	while (*text) {
		int length = (int)strcspn(text, " ");
		if (at > column && at + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", length, text);
		at += length;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const char *name, const char *value, const char *help)
{
	int used = fprintf(out, "  --%s%s%s", name, value ? " " : "", value ? value : "");

	if (used > HELP_COLUMN - 2) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - used, "");
	print_wrapped(out, help, HELP_COLUMN);
}

static void print_help(const mmi_cli *cli, const mmi_usage *usage)
{
	FILE *out = cli->console->out;

	fprintf(out, "Usage: %s %s %s\n\n", cli->program, usage->command, usage->synopsis);
	print_wrapped(out, usage->text, 0);
	fprintf(out, "\nOptions:\n");
	for (const mmi_option *o = usage->options; o->kind != MMI_OPTION_KIND_END; o++)
		print_option(out, o->name, o->value, o->help);
	print_option(out, "quiet", NULL, "warnings and errors only: neither progress nor news");
	print_option(out, "help", NULL, "this text");
}

/* ---------------------------------------------------------------- reading */

static mm_status set_int(const mmi_option *o, const char *text, mm_error *e)
{
	char *end;

	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || *end || errno || (double)v < o->min || (double)v > o->max)
		return mmi_fail(e, MM_ECONFIG, "--%s: '%s' is no whole number from %.0f to %.0f", o->name, text, o->min,
		                o->max);
	*o->to.integer = v;
	return MM_OK;
}

static mm_status set_float(const mmi_option *o, const char *text, mm_error *e)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v) || v < o->min || v > o->max)
		return mmi_fail(e, MM_ECONFIG, "--%s: '%s' is no number from %g to %g", o->name, text, o->min, o->max);
	*o->to.real = v;
	return MM_OK;
}

static mm_status set_option(const mmi_option *o, const char *text, mm_error *e)
{
	switch (o->kind) {
	case MMI_OPTION_KIND_FLAG:
		*o->to.flag = true;
		return MM_OK;
	case MMI_OPTION_KIND_STRING:
		*o->to.string = text;
		return MM_OK;
	case MMI_OPTION_KIND_INT:
		return set_int(o, text, e);
	case MMI_OPTION_KIND_FLOAT:
		return set_float(o, text, e);
	case MMI_OPTION_KIND_LIST:
		return mmi_strings_add(o->to.list, text, e);
	case MMI_OPTION_KIND_END:
		break;
	}
	return mmi_fail(e, MM_EINTERNAL, "--%s has no kind", o->name);
}

static const mmi_option *find_option(const mmi_option *options, const char *name, size_t length)
{
	for (const mmi_option *o = options; o->kind != MMI_OPTION_KIND_END; o++)
		if (strncmp(o->name, name, length) == 0 && o->name[length] == 0)
			return o;
	return NULL;
}

#define MAX_NAMES 64

static mm_status refuse_unknown(const mmi_usage *usage, const char *argument, size_t length, mm_error *e)
{
	char name[NAME_MAX_LENGTH + 1];
	const char *names[MAX_NAMES] = { "help", "quiet" };
	size_t n = 2;

	snprintf(name, sizeof name, "%.*s", (int)least(length, NAME_MAX_LENGTH), argument);
	for (const mmi_option *o = usage->options; o->kind != MMI_OPTION_KIND_END && n < MAX_NAMES; o++)
		names[n++] = o->name;
	const char *near = mmi_nearest(name, names, n);
	if (near)
		return mmi_fail(e, MM_ECONFIG, "unknown option '--%s'; did you mean '--%s'?", name, near);
	return mmi_fail(e, MM_ECONFIG, "unknown option '--%s'", name);
}

/* The arguments still to be read. */
typedef struct reader {
	char **argv;
	int argc, next;
} reader;

/* One option, its value in the same argument or in the next. text is behind the dashes. */
static mm_status read_option(const mmi_usage *usage, reader *r, const char *text, mm_error *e)
{
	size_t length = strcspn(text, "=");
	const char *value = text[length] == '=' ? text + length + 1 : NULL;
	const mmi_option *o = find_option(usage->options, text, length);

	if (!o)
		return refuse_unknown(usage, text, length, e);
	if (o->kind == MMI_OPTION_KIND_FLAG) {
		if (value)
			return mmi_fail(e, MM_ECONFIG, "--%s takes no value, found '%s'", o->name, value);
		return set_option(o, NULL, e);
	}
	if (!value && r->next >= r->argc)
		return mmi_fail(e, MM_ECONFIG, "--%s needs a value: %s", o->name, o->value);
	return set_option(o, value ? value : r->argv[r->next++], e);
}

/* What a surplus argument was meant for, as people have it from other programs: a file in its own right. */
static const char *meant_option(const mmi_usage *usage, const char *text)
{
	const char *dot = strrchr(text, '.');
	const bool ini = dot && !strcmp(dot, ".ini");
	if (ini && find_option(usage->options, "ini", 3))
		return "; the settings go with --ini";
	return find_option(usage->options, "ckpt", 4) ? "; a checkpoint or a run goes with --ckpt" : "";
}

static mm_status read_operand(const mmi_usage *usage, const char *text, mmi_strings *operands, mm_error *e)
{
	if (!operands)
		return mmi_fail(e, MM_ECONFIG, "unexpected argument '%s'%s", text, meant_option(usage, text));
	return mmi_strings_add(operands, text, e);
}

static bool is_help(const char *text)
{
	return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0;
}

/* What every command understands. */
typedef struct common {
	bool help, quiet;
} common;

static mm_status read_all(const mmi_usage *usage, reader *r, mmi_strings *operands, common *c, mm_error *e)
{
	bool options = true;

	while (r->next < r->argc) {
		const char *text = r->argv[r->next++];
		if (!options || text[0] != '-' || !text[1]) {
			MMI_TRY(read_operand(usage, text, operands, e));
		} else if (strcmp(text, "--") == 0) {
			options = false;
		} else if (is_help(text)) {
			c->help = true;
			return MM_OK;
		} else if (strcmp(text, "--quiet") == 0) {
			c->quiet = true;
		} else if (text[1] != '-') {
			return mmi_fail(e, MM_ECONFIG, "unknown option '%s'; options begin with two dashes", text);
		} else {
			MMI_TRY(read_option(usage, r, text + 2, e));
		}
	}
	return MM_OK;
}

bool mmi_options_parse(const mmi_cli *cli, const mmi_usage *usage, int argc, char **argv, mmi_strings *operands,
                       int *exit_code)
{
	reader r = { argv, argc, 1 };
	common c = { .help = false };
	mm_error e = MM_ERROR_INIT;

	if (read_all(usage, &r, operands, &c, &e) != MM_OK) {
		*exit_code = e.code == MM_ECONFIG ? mmi_options_refuse(cli, usage, "%s", e.message) : mmi_cli_fail(cli, &e);
		return false;
	}
	if (c.quiet)
		cli->console->level = MM_LOG_WARNING;
	if (!c.help)
		return true;
	print_help(cli, usage);
	*exit_code = MMI_EXIT_OK;
	return false;
}

int mmi_options_refuse(const mmi_cli *cli, const mmi_usage *usage, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	char *text = mmi_vformat(format, ap);
	va_end(ap);
	mmi_cli_error(cli, "%s ('%s %s --help' lists the options)", text ? text : "out of memory", cli->program,
	              usage->command);
	mmi_free(text);
	return MMI_EXIT_USAGE;
}
