/* console.c - standard output and error, shared by messages and by the one line of progress. */
#include "mmi_build.h"

#include "cli/console.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define RANK_LAG 3 /* seconds */

static double monotonic_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

mmi_console mmi_console_standard(const char *program)
{
	mmi_console c = {
		.out = stdout,
		.err = stderr,
		.program = program,
		.terminal = isatty(STDERR_FILENO) == 1,
		.columns = terminal_columns(),
		.level = MM_LOG_INFO,
		.now = monotonic_seconds,
	};
	return c;
}

/* The cursor goes to the start of an empty line. */
static void wipe(mmi_console *c)
{
	if (c->live > 0)
		fprintf(c->err, "\r%*s\r", c->live, "");
	c->live = 0;
}

static const char *level_words(int level)
{
	switch (level) {
	case MM_LOG_WARNING:
		return "warning: ";
	case MM_LOG_HOST_MISBEHAVING:
		return "bug in the host: ";
	case MM_LOG_PLUGIN_MISBEHAVING:
		return "bug in a plugin: ";
	default:
		return "";
	}
}

void mmi_console_text(FILE *out, const char *text)
{
	char part[256]; /* no memory is asked for: what is told may be that there is none */
	for (size_t n; *text; text += n) {
		n = strnlen(text, sizeof part - 1);
		if (text[n])
			while (n > sizeof part / 2 && ((unsigned char)text[n] & 0xC0) == 0x80)
				n--; /* characters stay whole */
		memcpy(part, text, n);
		part[n] = 0;
		fputs(mmi_clean(part), out);
	}
}

void mmi_console_line(mmi_console *c, int level, const char *text)
{
	if (level < c->level)
		return;
	wipe(c);
	if (level >= MM_LOG_ERROR && c->rank)
		sleep(RANK_LAG);
	if (level >= MM_LOG_WARNING && c->rank)
		fprintf(c->err, "%s, rank %u: ", c->program, c->rank);
	else if (level >= MM_LOG_WARNING)
		fprintf(c->err, "%s: ", c->program);
	fputs(level_words(level), c->err);
	mmi_console_text(c->err, text);
	fputc('\n', c->err);
	fflush(c->err);
}

void mmi_console_live(mmi_console *c, const char *text)
{
	if (!c->terminal || c->columns < 2)
		return;
	/* One column stays free: some terminals wrap when the last one is written. */
	int room = c->columns - 1;
	int length = (int)strnlen(text, (size_t)room);
	int rest = c->live > length ? c->live - length : 0;
	fprintf(c->err, "\r%.*s%*s", length, text, rest, "");
	for (int i = 0; i < rest; i++)
		fputc('\b', c->err);
	fflush(c->err);
	c->live = length;
}

void mmi_console_settle(mmi_console *c)
{
	if (c->live > 0) {
		fputc('\n', c->err);
		fflush(c->err);
	}
	c->live = 0;
}

static void log_line(void *ctx, int level, const char *text)
{
	mmi_console_line(ctx, level, text);
}

mmi_log mmi_console_log(mmi_console *c)
{
	return (mmi_log){ .line = log_line, .ctx = c };
}
