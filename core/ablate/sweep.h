/* sweep.h - settings that take several values, and the grid of all their combinations. */
#ifndef MMI_SWEEP_H
#define MMI_SWEEP_H

#include "base/base.h"

#define MMI_SWEEP_SEED "run.seed" /* runs that differ in this key alone are one point of the grid */

/* "section.key" and its values. */
typedef struct mmi_sweep {
	char *key;
	char **value;
	size_t n;
} mmi_sweep;

/* "SECTION.KEY=A,B,C"; commas within brackets belong to their value: x_step=auto(0.02),0.1. */
mm_status mmi_sweep_parse(const char *text, mmi_sweep *out, mm_error *e);
/* n whole numbers from first on. */
mm_status mmi_sweep_count(const char *key, uint64_t first, size_t n, mmi_sweep *out, mm_error *e);
void mmi_sweep_clear(mmi_sweep *s);

/* One combination. */
typedef struct mmi_point {
	char *name;         /* "learner.x_steps=0,run.seed=2", as a folder may be called */
	const char **value; /* one a sweep; the sweeps' own texts */
	char **set;         /* one a sweep: "section.key=value" */
} mmi_point;

typedef struct mmi_points {
	mmi_point *item;
	size_t n, n_sweeps;
} mmi_points;

/* All combinations, the last sweep fastest. Refused: a key that is swept twice, a value twice, more than 10,000 points.
 * The sweeps must outlive the points. */
mm_status mmi_points_create(const mmi_sweep *sweeps, size_t n_sweeps, mmi_points *out, mm_error *e);
void mmi_points_clear(mmi_points *p);

#endif
