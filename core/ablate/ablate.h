/* ablate.h - a grid of training runs, each in a process and a folder of its own, and what came out of them. */
#ifndef MMI_ABLATE_H
#define MMI_ABLATE_H

#include "ablate/figures.h"
#include "run/setup.h"
#include "ablate/sweep.h"

#include <stdio.h>

/* A figure that the table shows, and its heading there. */
typedef struct mmi_ablation_column {
	const char *figure, *heading;
} mmi_ablation_column;

/* A trained run that is to be assessed, in its own process; its figures so far are its stamp. */
typedef struct mmi_ablation_trained {
	const char *folder;
	mmi_setup_request setup; /* changes to what its checkpoint remembers */
	void *ctx;
	bool (*stop)(void *ctx); /* true: give up (MM_ECANCELLED) */
} mmi_ablation_trained;

/* Finds out what a run is worth from its models, beside what its metrics say: an evaluation, of which training knows
 * nothing. */
typedef struct mmi_ablation_assessor {
	void *ctx;
	/* Whether a run with this setup can be assessed; adds to *stamp figures that tell this assessment from others. */
	mm_status (*check)(void *ctx, const mmi_setup *setup, mmi_figures *stamp, mm_error *e);
	mm_status (*assess)(void *ctx, const mmi_ablation_trained *run, mmi_figures *out, mm_error *e);
	const mmi_ablation_column *columns; /* of the table, in the place of those from the metrics */
	size_t n_columns;
} mmi_ablation_assessor;

typedef struct mmi_ablation_request {
	mmi_setup_request setup;   /* what all runs have in common */
	const char *const *sweeps; /* "SECTION.KEY=A,B,C" */
	size_t n_sweeps;
	uint32_t seeds;       /* runs of each combination, with run.seed, run.seed + 1, ...; 1 when run.seed is swept */
	uint32_t jobs;        /* runs at a time; with more than 1 they share out the processors */
	uint32_t part, parts; /* of every `parts` runs only the one of this number is trained; parts 0: all are */
	double window;        /* figures are means over this share of a run, at its end */
	const char *out;      /* folder of the runs' folders and of the tables */
	const mmi_ablation_assessor *assessor; /* NULL: runs are judged by their metrics alone */
} mmi_ablation_request;

typedef enum { MMI_RUN_NEW, MMI_RUN_HALF, MMI_RUN_FINISHED, MMI_RUN_FAILED } mmi_run_state;

typedef struct mmi_ablation_run {
	char *folder, *resolved; /* resolved: the settings it must have been started with, if it is there already */
	mmi_run_state state;
	bool trained, measured;      /* training is over; its figures are there, over the window asked for */
	mmi_figures stamp;           /* what an assessment of this run must say of itself */
	mmi_figures figures;         /* of a finished run */
	char message[MM_ERROR_TEXT]; /* of a failed one */
} mmi_ablation_run;

typedef struct mmi_ablation {
	const mmi_ablation_request *request;
	mmi_sweep *sweeps; /* as asked for, then that of the seeds */
	size_t n_sweeps;
	mmi_points points;
	mmi_ablation_run *runs; /* one a point */
	char threads[32];       /* "run.threads=N", or empty */
	uint32_t processors;    /* that a run makes use of */
	bool is_child;          /* this process was one of the runs; it has nothing more to do than to end */
} mmi_ablation;

typedef struct mmi_ablation_hooks {
	void *ctx;
	bool (*stop)(void *ctx); /* true: every run writes a checkpoint and stops */
	void (*progress)(void *ctx, size_t over, size_t total, double share); /* of all work; several times a second */
} mmi_ablation_hooks;

/* Makes the grid, checks the settings of every run, and looks at what is there: finished runs are taken as they are,
 * half ones will be resumed. Runs that were started with other settings are refused. Writes nothing. The request must
 * outlive *out. */
mm_status mmi_ablation_create(const mmi_ablation_request *r, mmi_ablation **out, mm_error *e);
void mmi_ablation_destroy(mmi_ablation *a);
/* Trains, and assesses, what is not finished. A run that fails is told to the log and does not stop the others.
 * MM_ECANCELLED after stop. To be called while the process has one thread: each run is a child. It returns in those as
 * well, with a->is_child set and how the run went: they leave as the program does, not in the midst of things, so that
 * whatever watches their end (sanitizers, a plugin's atexit) sees it. */
mm_status mmi_ablation_train(mmi_ablation *a, const mmi_ablation_hooks *hooks, mm_error *e);
/* After training by several ranks, each its own part of the runs: all come to know how all runs went. Every rank calls.
 */
mm_status mmi_ablation_gather(mmi_ablation *a, const mmi_comm *comm, mm_error *e);
/* Runs in a state. */
size_t mmi_ablation_count(const mmi_ablation *a, mmi_run_state state);

/* OUT/runs.csv, a row a run with all figures; OUT/summary.csv, a row a combination with mean and spread (standard
 * deviation) over its seeds. */
mm_status mmi_ablation_write(const mmi_ablation *a, mm_error *e);
/* The summary's main figures as a table for reading. */
mm_status mmi_ablation_print(const mmi_ablation *a, FILE *out, mm_error *e);

#endif
