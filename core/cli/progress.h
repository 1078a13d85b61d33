/* progress.h - how far long work is: one line with rate and time left, redrawn on a terminal; elsewhere a plain line
 * every ten seconds. On standard error. */
#ifndef MMI_PROGRESS_H
#define MMI_PROGRESS_H

#include "base/base.h"

typedef struct mmi_cli mmi_cli;

typedef struct mmi_progress {
	const mmi_cli *cli;
	const char *unit;            /* "iteration" */
	uint64_t first, done, total; /* done at the start, now, in the end */
	double started, updated;     /* seconds: at start, at the last update */
	double seconds_left; /* of a time budget, set by the caller: `total` then gives the share done only. NaN: none */
	double shown;        /* when a line was printed last */
	double recent_done, recent_seconds; /* decaying sums for the rate */
	char note[160];                     /* the last note, repeated at the end */
} mmi_progress;

/* done > 0 for resumed work. */
void mmi_progress_start(mmi_progress *p, const mmi_cli *cli, const char *unit, uint64_t done, uint64_t total);
/* Call as often as you like; format may be NULL or a short note ("E gap 0.31"). Returns true if a line was printed. */
bool mmi_progress_update(mmi_progress *p, uint64_t done, const char *format, ...) MMI_PRINTF(3, 4);
/* Prints the last state and the time taken. */
void mmi_progress_finish(mmi_progress *p);

#endif
