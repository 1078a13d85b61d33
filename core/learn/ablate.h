/* ablate.h - a grid of training runs, each in a process and a folder of its own, and what came out of them. */
#ifndef MMI_ABLATE_H
#define MMI_ABLATE_H

#include "learn/figures.h"
#include "learn/setup.h"
#include "learn/sweep.h"

#include <stdio.h>

typedef struct mmi_ablation_request {
	mmi_setup_request setup;     /* what all runs have in common */
	const char *const *sweeps;   /* "SECTION.KEY=A,B,C" */
	size_t n_sweeps;
	uint32_t seeds;              /* runs of each combination, with run.seed, run.seed + 1, ...; 1 when run.seed is swept */
	uint32_t jobs;               /* runs at a time; with more than 1 they share out the processors */
	double window;               /* figures are means over this share of a run, at its end */
	const char *out;             /* folder of the runs' folders and of the tables */
} mmi_ablation_request;

typedef enum { MMI_RUN_NEW, MMI_RUN_HALF, MMI_RUN_FINISHED, MMI_RUN_FAILED } mmi_run_state;

typedef struct mmi_ablation_run {
	char *folder, *resolved;     /* resolved: the settings it must have been started with, if it is there already */
	mmi_run_state state;
	mmi_figures figures;         /* of a finished run */
	char message[MM_ERROR_TEXT]; /* of a failed one */
} mmi_ablation_run;

typedef struct mmi_ablation {
	const mmi_ablation_request *request;
	mmi_sweep *sweeps;           /* as asked for, then that of the seeds */
	size_t n_sweeps;
	mmi_points points;
	mmi_ablation_run *runs;      /* one a point */
	char threads[32];            /* "run.threads=N", or empty */
} mmi_ablation;

typedef struct mmi_ablation_hooks {
	void *ctx;
	bool (*stop)(void *ctx);                                        /* true: every run writes a checkpoint and stops */
	void (*progress)(void *ctx, size_t over, size_t total, double share); /* of all work; several times a second */
} mmi_ablation_hooks;

/* Makes the grid, checks the settings of every run, and looks at what is there: finished runs are taken as they are, half
 * ones will be resumed. Runs that were started with other settings are refused. Writes nothing. The request must outlive *out. */
mm_status mmi_ablation_create(const mmi_ablation_request *r, mmi_ablation **out, mm_error *e);
void mmi_ablation_destroy(mmi_ablation *a);
/* Trains what is not finished. A run that fails is told to the log and does not stop the others. MM_ECANCELLED after stop.
 * To be called while the process has one thread: each run is a child. */
mm_status mmi_ablation_train(mmi_ablation *a, const mmi_ablation_hooks *hooks, mm_error *e);
/* Runs in a state. */
size_t mmi_ablation_count(const mmi_ablation *a, mmi_run_state state);

/* OUT/runs.csv, a row a run with all figures; OUT/summary.csv, a row a combination with mean and spread (standard deviation)
 * over its seeds. */
mm_status mmi_ablation_write(const mmi_ablation *a, mm_error *e);
/* The summary's main figures as a table for reading. */
mm_status mmi_ablation_print(const mmi_ablation *a, FILE *out, mm_error *e);

#endif
