/* train.h - a training run: learner, data, run folder, checkpoints, metrics and sample sheets. */
#ifndef MMI_TRAIN_H
#define MMI_TRAIN_H

#include "learn/learner.h"
#include "run/setup.h"

typedef struct mmi_train_hooks {
	void *ctx;
	bool (*stop)(void *ctx); /* true: finish the step and stop */
	/* After each iteration. With a time budget done / total is the share of it that is used, and seconds_left what is
	 * left of it; without one that is NaN. */
	void (*step)(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m);
	/* [sample] components: puts a fitted prior into the checkpoint that stands for the run in this folder, which has
	 * ended but for its last sheet; what fails is told and ends nothing. NULL: there is nobody who could. */
	void (*fit_prior)(void *ctx, const char *run, uint32_t components);
	const mmi_log *log;
} mmi_train_hooks;

typedef enum mmi_train_start {
	MMI_TRAIN_NEW,
	MMI_TRAIN_RESUME,
	MMI_TRAIN_RESUME_CHANGED_DATA /* even where settings differ that decide which data is seen in which order */
} mmi_train_start;

typedef struct mmi_train_result {
	bool interrupted;
	uint64_t iterations;   /* done in all */
	char checkpoint[4096]; /* last one written */
	char grid[4096];       /* last sheet written; empty if none */
	char best[4096];       /* the best checkpoint's second name; empty if there is none */
	uint64_t best_iteration;
	double best_value;
} mmi_train_result;

/* Trains into folder `out`, or goes on from the newest loadable checkpoint there; settings that differ from that one's
 * are told.
 *
 * Whatever ends the run after its first iteration, an interruption or an error, the last whole state is written first
 * and named in the result. What fails beside checkpoints (metrics, sheets, the link to the best one, deleting old ones)
 * is told once, tried again when it is due again, and ends nothing.
 *
 * [run] minutes = T, T > 0: the run ends at the first iteration after T minutes of training (checkpoints remember how
 * many have passed, so stops in between do not count), its rates follow the time that has passed, and warm-up is the
 * share warmup / iterations of it. Such a run depends on the machine; all others are a function of their settings.
 * [run] clock says whether minutes are those on the wall or of processor time.
 *
 * [run] select = nll: with each checkpoint that is due the validation tuples are measured (train/select.h), and
 * RUN/best.safetensors is the one with the least so far, warm-up of a cooperative run aside. It is as much a function
 * of the settings as the rest.
 */
mm_status mmi_train(mmi_setup *setup, const char *out, mmi_train_start start, const mmi_train_hooks *hooks,
                    mmi_train_result *result, mm_error *e);

#endif
