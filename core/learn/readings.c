/* readings.c - see readings.h. */
#include "mmi_build.h"

#include "learn/guard.h"

#include <string.h>

/* Numbers of an iteration, and behind them two for each update of the energy: its guard's. */
enum { NUMBERS = 256, ALL = NUMBERS + 2 * MMI_ENERGY_UPDATES };

mm_status mmi_readings_create(const mmi_device *d, mmi_readings *out, mm_error *e)
{
	*out = (mmi_readings){ .device = d, .used = 1 };
	MMI_TRY(mmi_mirror_create(d, ALL * sizeof(double), &out->numbers, e));
	return mmi_mirror_create(d, MMI_GAPS * sizeof(double), &out->ring, e);
}

void mmi_readings_clear(mmi_readings *r)
{
	if (r->device) {
		mmi_mirror_clear(r->device, &r->numbers);
		mmi_mirror_clear(r->device, &r->ring);
	}
	*r = (mmi_readings){ .used = 0 };
}

void mmi_readings_begin(mmi_learner *l)
{
	mmi_readings *r = &l->readings;
	r->used = 1;
	r->n_due = r->n_gaps = 0;
	r->further = false;
	for (int i = 0; i < MMI_LEARNER_MODELS; i++)
		r->t[i] = mmi_learner_model(l, i) ? mmi_learner_model(l, i)->t : 0;
	memcpy(r->ring.host, l->state.gaps, sizeof l->state.gaps);
	mmi_mirror_push(r->device, &r->ring);
	r->device->ops->zero(r->device, r->numbers.device, sizeof(double));
}

mmi_doubles mmi_readings_take(mmi_readings *r, uint32_t n)
{
	const uint32_t at = r->used + n <= NUMBERS ? r->used : NUMBERS - n;
	r->used = at + n;
	return (mmi_doubles){ (double *)r->numbers.device + at };
}

mmi_doubles mmi_readings_gaps(const mmi_readings *r)
{
	return (mmi_doubles){ (double *)r->numbers.device + NUMBERS };
}

static uint32_t place_of(const mmi_readings *r, mmi_doubles at)
{
	return (uint32_t)(at.at - (const double *)r->numbers.device);
}

static void add(mmi_readings *r, mmi_doubles at, mmi_teller *tell, size_t measure)
{
	if (r->further || r->n_due == MMI_TELLERS)
		return;
	r->due[r->n_due].tell = tell;
	r->due[r->n_due].measure = measure;
	r->due[r->n_due++].at = place_of(r, at);
}

void mmi_readings_tell(mmi_readings *r, mmi_doubles at, mmi_teller *tell)
{
	add(r, at, tell, 0);
}

void mmi_readings_number(mmi_readings *r, mmi_doubles at, size_t measure)
{
	add(r, at, NULL, measure);
}

bool mmi_readings_told(const mmi_readings *r, mmi_teller *tell)
{
	for (uint32_t i = 0; i < r->n_due; i++)
		if (r->due[i].tell == tell)
			return true;
	return false;
}

const double *mmi_readings_now(const mmi_readings *r, mmi_doubles at, uint32_t n)
{
	double *host = (double *)r->numbers.host + place_of(r, at);
	if (!r->device->ops->direct) {
		r->device->ops->download(r->device, host, at.at, n * sizeof *host);
		r->device->ops->wait(r->device, NULL); /* a failure sticks: the end of the iteration is told */
	}
	return host;
}

mm_status mmi_readings_end(mmi_learner *l, mmi_measures *m, mm_error *e)
{
	const mmi_readings *r = &l->readings;
	const double *numbers = r->numbers.host;
	if (!r->device->ops->direct)
		r->device->ops->download(r->device, r->numbers.host, r->numbers.device, r->numbers.bytes);
	MMI_TRY(r->device->ops->wait(r->device, e));
	for (uint32_t i = 0; i < r->n_due; i++)
		if (r->due[i].tell)
			r->due[i].tell(l, numbers + r->due[i].at, m);
		else
			memcpy((char *)m + r->due[i].measure, numbers + r->due[i].at, sizeof *numbers);
	return mmi_guard_end(l, numbers, numbers + NUMBERS, m, e);
}
