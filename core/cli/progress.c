/* progress.c - how far long work is, how fast, how much longer. */
#include "mmi_build.h"

#include "cli/progress.h"

#include "cli/cli.h"

#include <math.h>
#include <stdio.h>

#define TERMINAL_INTERVAL 0.2 /* seconds between redrawings */
#define PLAIN_INTERVAL 10.0   /* seconds between plain lines */
#define RATE_WINDOW 20.0      /* seconds over which the rate forgets, at least ... */
#define RATE_UNITS 4          /* ... and so many units of work */

static double now(const mmi_progress *p)
{
	return p->cli->console->now();
}

void mmi_progress_start(mmi_progress *p, const mmi_cli *cli, const char *unit, uint64_t done, uint64_t total)
{
	*p = (mmi_progress){ .cli = cli, .unit = unit, .first = done, .done = done, .total = total, .seconds_left = NAN };
	p->started = p->updated = p->shown = now(p);
}

/* Seconds over which the rate forgets: a unit that takes longer than that would never count. */
static double window(const mmi_progress *p, double t, uint64_t done)
{
	double elapsed = t - p->started, units = done > p->first ? (double)(done - p->first) : 1;
	double wanted = RATE_UNITS * elapsed / units;
	return wanted > RATE_WINDOW ? wanted : RATE_WINDOW;
}

/* Both sums decay with the same weight, so the rate is right from the first update on. */
static void measure(mmi_progress *p, uint64_t done)
{
	double t = now(p), passed = t - p->updated, length = window(p, t, done);
	double keep = passed < length ? 1 - passed / length : 0;
	double advanced = done > p->done ? (double)(done - p->done) : 0;

	p->recent_done = keep * p->recent_done + advanced;
	p->recent_seconds = keep * p->recent_seconds + passed;
	p->updated = t;
	p->done = done;
}

/* "4.2 s", "3:07", "2:15:09" */
static void duration_text(double seconds, char *text, size_t size)
{
	long s = (long)(seconds + 0.5);

	if (seconds < 9.95)
		snprintf(text, size, "%.1f s", seconds);
	else if (s < 3600)
		snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
	else
		snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

/* Fast work in units a second, slow work in seconds a unit. */
static void rate_text(const mmi_progress *p, char *text, size_t size)
{
	double rate = p->recent_seconds > 0 ? p->recent_done / p->recent_seconds : 0;

	if (rate >= 1)
		snprintf(text, size, "%.1f/s", rate);
	else if (rate > 0)
		snprintf(text, size, "%.1f s each", 1 / rate);
	else
		snprintf(text, size, "-/s");
}

static void left_text(const mmi_progress *p, char *text, size_t size)
{
	char duration[32];

	if (p->recent_done <= 0 || p->done >= p->total) {
		text[0] = 0;
		return;
	}
	double seconds = (double)(p->total - p->done) * p->recent_seconds / p->recent_done;
	duration_text(isfinite(p->seconds_left) ? p->seconds_left : seconds, duration, sizeof duration);
	snprintf(text, size, "  %s left", duration);
}

/* Units in the end: what the rest of a time budget is enough for at the present rate. */
static uint64_t units_in_all(const mmi_progress *p)
{
	if (!isfinite(p->seconds_left) || p->recent_seconds <= 0)
		return p->total;
	return p->done + (uint64_t)(p->seconds_left * p->recent_done / p->recent_seconds);
}

static void line_text(const mmi_progress *p, char *text, size_t size)
{
	char rate[32], left[48];
	int percent = p->total > 0 ? (int)(100.0 * (double)p->done / (double)p->total) : 100;

	rate_text(p, rate, sizeof rate);
	left_text(p, left, sizeof left);
	snprintf(text, size, "%s %llu/%llu  %d%%  %s%s%s%s", p->unit, (unsigned long long)p->done,
	         (unsigned long long)units_in_all(p), percent, rate, left, p->note[0] ? "  " : "", p->note);
}

static void show(mmi_progress *p)
{
	mmi_console *console = p->cli->console;
	char text[320];

	line_text(p, text, sizeof text);
	if (console->terminal && console->level <= MM_LOG_INFO)
		mmi_console_live(console, text);
	else
		mmi_console_line(console, MM_LOG_INFO, text);
	p->shown = p->updated;
}

bool mmi_progress_update(mmi_progress *p, uint64_t done, const char *format, ...)
{
	double interval = p->cli->console->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;

	measure(p, done);
	if (format) {
		va_list ap;
		va_start(ap, format);
		vsnprintf(p->note, sizeof p->note, format, ap);
		va_end(ap);
	}
	if (p->updated - p->shown < interval)
		return false;
	show(p);
	return true;
}

void mmi_progress_finish(mmi_progress *p)
{
	char duration[32], text[64];

	measure(p, p->done);
	show(p);
	mmi_console_settle(p->cli->console);
	duration_text(p->updated - p->started, duration, sizeof duration);
	snprintf(text, sizeof text, "%s %llu after %s", p->unit, (unsigned long long)p->done, duration);
	mmi_console_line(p->cli->console, MM_LOG_INFO, text);
}
