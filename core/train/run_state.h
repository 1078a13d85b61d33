/* run_state.h - what the parts of a run in this room share: its state, its metrics, files, beginning and end. */
#ifndef MMI_RUN_STATE_H
#define MMI_RUN_STATE_H

#include "data/batches.h"
#include "data/tuples.h"
#include "store/metrics.h"
#include "store/runfolder.h"
#include "run/fitted.h"
#include "train/best.h"
#include "train/events.h"
#include "train/select.h"
#include "train/train.h"
#include "trained/gallery.h"

/* What a run can do without for a while. */
typedef enum {
	MMI_RUN_ROWS,
	MMI_RUN_SHEETS,
	MMI_RUN_BEST_LINK,
	MMI_RUN_OLD_CHECKPOINTS,
	MMI_RUN_LEFT_CHECKPOINTS,
	MMI_RUN_EVENTS,
	MMI_RUN_N_SECONDARY
} mmi_run_secondary;

typedef struct mmi_run {
	mmi_setup *setup;
	const mmi_comm *comm;
	bool writes; /* the first rank: it alone has a folder, and is all that is heard of the run */
	const mmi_settings *settings;
	const mmi_train_hooks *hooks;
	mmi_model *model;
	mmi_learner *learner;
	mmi_tuples *train, *shown;
	mmi_batches *batches;
	mmi_runfolder *folder;
	mmi_metrics *metrics;
	mmi_events *events;   /* for TensorBoard; NULL: none are wanted, or there is no file yet */
	uint64_t events_from; /* the first step that older files say nothing true of; 0: there are none */
	mmi_gallery *gallery;
	mmi_fitted fitted;  /* the prior that the last sheet's samples are of; empty before */
	bool prior_tried;   /* it was asked for, and is there or was told to be missing */
	mmi_select *select; /* NULL: no checkpoint is selected */
	mmi_best best;
	double validation; /* its figure after this iteration; NaN where it was not measured */
	mmi_tensor_item *items;
	char **names;
	size_t n_items, n_names;
	char *resolved, *portable, *modalities, *build, *plugins, *versions;
	char *settings_before; /* of a run that goes on, resolved; or NULL */
	double started;        /* seconds of the clock when training began */
	double seconds_before; /* of training, in processes before this one */
	bool told_energy;      /* that it has left all bounds */
	bool failing[MMI_RUN_N_SECONDARY];
	bool restored;        /* from a checkpoint */
	double sent_before;   /* bytes to other ranks before the first iteration */
	int64_t begun, saved; /* iterations when this process began, of the last checkpoint it wrote (-1: none) */
} mmi_run;

/* What fails beside the checkpoints must not cost hours of training: it is told once, and tried again whenever it is
 * due. */
void mmi_run_tolerate(mmi_run *r, mmi_run_secondary what, mm_status status, const mm_error *e);

/* Seconds on the run's clock ([run] clock), and of training, with those of processes before this one. */
double mmi_run_seconds_now(const mmi_settings *s);
double mmi_run_seconds(const mmi_run *r);

/* run_rows.c. Opens metrics.csv, or cuts it back to the learner's iteration. */
mm_status mmi_run_open_metrics(mmi_run *r, bool resume, mm_error *e);
/* The number of seconds in the last row of a run that goes on, if its checkpoint does not know them. */
void mmi_run_remember_seconds(mmi_run *r);
void mmi_run_log_measures(mmi_run *r, const mmi_measures *m);

/* run_events.c: nothing, unless [run] tensorboard. At the beginning, and when the run has gone back. */
void mmi_run_begin_events(mmi_run *r);
void mmi_run_tell_scalars(mmi_run *r, const mmi_scalar *s, size_t n);
void mmi_run_tell_sheet(mmi_run *r, const char *path);

/* run_ranks.c. MM_ECONFIG unless all ranks have the same settings, build, plugins and data: otherwise what each
 * computes for itself would drift apart without a word. */
mm_status mmi_run_compare_ranks(const mmi_run *r, mm_error *e);
/* What the first rank has restored, for all. */
mm_status mmi_run_spread(mmi_run *r, mm_error *e);

/* run_files.c, of the rank that writes: nothing is done by others. A checkpoint now, its link if it is the best, and
 * old ones deleted. */
mm_status mmi_run_save(mmi_run *r, mmi_train_result *result, mm_error *e);
/* After a rollback. The new checkpoint is written first, so that there is one at any moment. */
mm_status mmi_run_replace(mmi_run *r, mmi_train_result *result, mm_error *e);
void mmi_run_link_best(mmi_run *r);
void mmi_run_write_sheet(mmi_run *r, mmi_train_result *result);

/* run_prior.c. Once, when the run has ended: the prior for its samples, if settings want one and this rank writes. */
void mmi_run_fit_prior(mmi_run *r);

/* run_open.c. All ranks make the same calls. Data and networks, without a folder; then all that a run needs, from its
 * settings or its newest checkpoint; close takes what open left. */
mm_status mmi_run_open_parts(mmi_run *r, mm_error *e);
mm_status mmi_run_open(mmi_run *r, const char *out, mmi_train_start start, mm_error *e);
mm_status mmi_run_open_batches(mmi_run *r, mm_error *e); /* from the learner's iteration on */
void mmi_run_close(mmi_run *r);

#endif
