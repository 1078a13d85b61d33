/* course.c - how far a run is. */
#include "mmi_build.h"

#include "learn/course.h"

#include <math.h>

bool mmi_course_before(const mmi_learner *l, uint64_t iterations)
{
	if (l->clock < 0)
		return (uint64_t)l->state.iteration < iterations;
	return l->clock * (double)l->settings->iterations < (double)iterations;
}

double mmi_course_rate(const mmi_learner *l)
{
	return l->clock < 0 ? mmi_settings_schedule(l->settings, (uint64_t)l->state.iteration)
	                    : mmi_settings_schedule_at(l->settings, l->clock);
}

double mmi_course_energy_rate(const mmi_learner *l)
{
	const double all = (double)l->settings->iterations, warmup = (double)l->settings->warmup;
	const double at = l->clock < 0 ? (double)l->state.iteration : l->clock * all;
	if (!(warmup > 0) || warmup >= all)
		return mmi_course_rate(l);
	return mmi_settings_schedule_at(l->settings, at > warmup ? (at - warmup) / (all - warmup) : 0);
}

void mmi_course_calibrate(mmi_learner *l)
{
	const mmi_revise_args still = { .steps = 1 };
	const mmi_parts held = mmi_given_parts(&l->given, l->model);
	if (!(l->settings->x_drift > 0) || l->state.x_step_n >= MMI_CALIBRATE)
		return;
	const mmi_doubles at = mmi_readings_take(&l->readings, MMI_CHAIN_SUMS);
	mmi_run_revise(l->sampler, &still, &held, &l->revised, &l->generated, l->span, NULL);
	mmi_reduce_chain(&l->reduce, l->model->device, l->sampler, 1, at);
	const mmi_chain_stats *stats = (const mmi_chain_stats *)mmi_readings_now(&l->readings, at, MMI_CHAIN_SUMS);
	double rms = sqrt(stats->grad2 / stats->elements);
	l->state.x_step_sum += sqrt(2 * l->settings->x_drift / (rms > 1e-20 ? rms : 1e-20));
	l->state.x_step_n++;
	l->state.x_step = l->state.x_step_sum / (double)l->state.x_step_n;
}

void mmi_course_adapt(mmi_learner *l, const mmi_measures *m)
{
	if (!(l->settings->x_drift > 0) || l->state.x_step_n < MMI_CALIBRATE || l->settings->x_start != MMI_START_GENERATOR)
		return;
	const double measured = l->state.x_step_sum / (double)l->state.x_step_n;
	l->state.x_step = m->e_revised > m->e_generated ? 0.9 * l->state.x_step : fmin(measured, 1.01 * l->state.x_step);
}
