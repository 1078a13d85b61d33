/* readings.h - what an iteration tells: numbers that the device has until all of it is queued. The host reads them at
 * once, so it waits once. */
#ifndef MMI_READINGS_H
#define MMI_READINGS_H

#include "engine/row_ops.h"

typedef struct mmi_learner mmi_learner;
typedef struct mmi_measures mmi_measures;

/* Makes measures of the numbers at a place. */
typedef void mmi_teller(const mmi_learner *l, const double *at, mmi_measures *m);

enum { MMI_TELLERS = 32, MMI_ENERGY_UPDATES = 64 /* most of an iteration */ };

typedef struct mmi_readings {
	const mmi_device *device;
	mmi_mirror numbers; /* doubles; the first one's place has the guard, a word */
	mmi_mirror ring;    /* doubles [MMI_GAPS]: of the learner's state, for guards */
	uint32_t used, n_due, n_gaps;
	bool further; /* updates behind the first of their kind: nobody is told */
	struct {
		mmi_teller *tell; /* NULL: the number is the measure */
		size_t measure;   /* its offset */
		uint32_t at;
	} due[MMI_TELLERS];
	int64_t t[4]; /* updates of each model when the iteration began */
} mmi_readings;

mm_status mmi_readings_create(const mmi_device *d, mmi_readings *out, mm_error *e);
void mmi_readings_clear(mmi_readings *r);
/* An iteration begins: nothing is told yet, nothing has failed. */
void mmi_readings_begin(mmi_learner *l);
/* Room for n numbers of this iteration. Those of further updates are overwritten by what comes after. */
mmi_doubles mmi_readings_take(mmi_readings *r, uint32_t n);
/* What becomes of them in the end, in the order of the calls. */
void mmi_readings_tell(mmi_readings *r, mmi_doubles at, mmi_teller *tell);
/* The same of a number that is a measure: its offset in mmi_measures. */
void mmi_readings_number(mmi_readings *r, mmi_doubles at, size_t measure);
/* Two numbers for each update of the energy, kept for all of an iteration. */
mmi_doubles mmi_readings_gaps(const mmi_readings *r);
bool mmi_readings_told(const mmi_readings *r, mmi_teller *tell);
/* n numbers now: waits. */
const double *mmi_readings_now(const mmi_readings *r, mmi_doubles at, uint32_t n);
/* The end: waits, then tells. MM_ENUMERIC when a guard stopped something, with m->culprit; or what failed on the
 * device.
 */
mm_status mmi_readings_end(mmi_learner *l, mmi_measures *m, mm_error *e);

#endif
