/* test_course.c - schedules of a run, and the step of the data chain that is measured while it goes. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/store_rig.h"

#include <math.h>

/* ---------------------------------------------------------------- the schedule */

static void schedules_run_from_one_to_their_end(void **state)
{
	mmi_settings s = { .iterations = 100, .schedule = MMI_SCHEDULE_CONSTANT, .schedule_end = 1 };
	(void)state;
	assert_true(mmi_settings_schedule(&s, 0) == 1 && mmi_settings_schedule(&s, 100) == 1);
	s.schedule_end = 0.2;
	s.schedule = MMI_SCHEDULE_LINEAR;
	assert_true(mmi_settings_schedule(&s, 0) == 1);
	assert_true(fabs(mmi_settings_schedule(&s, 50) - 0.6) < 1e-12);
	assert_true(fabs(mmi_settings_schedule(&s, 100) - 0.2) < 1e-12);
	assert_true(fabs(mmi_settings_schedule(&s, 1000) - 0.2) < 1e-12);
	s.schedule = MMI_SCHEDULE_COSINE;
	assert_true(fabs(mmi_settings_schedule(&s, 0) - 1) < 1e-12);
	assert_true(fabs(mmi_settings_schedule(&s, 25) - (0.2 + 0.4 * (1 + sqrt(0.5)))) < 1e-12);
	assert_true(fabs(mmi_settings_schedule(&s, 50) - 0.6) < 1e-12);
	assert_true(fabs(mmi_settings_schedule(&s, 100) - 0.2) < 1e-12);
}

static void the_schedule_s_end_stops_learning(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.iterations=2", "learner.schedule=linear(0)", NULL });
	rig_run(&r, 2);
	rig_hashes before = rig_hash_all(&r);
	rig_run(&r, 1); /* one beyond: the rate is 0 */
	rig_hashes after = rig_hash_all(&r);
	assert_memory_equal(&before, &after, sizeof before);
	rig_close(&r);
}

/* ---------------------------------------------------------------- calibration */

/* The rms drift of one step with the present s, in units of the modalities' ranges. */
static double first_drift(learner_rig *r)
{
	mmi_chain_stats stats;
	mmi_revise_args a = { .steps = 1, .step = r->learner->state.x_step };
	const mmi_parts all = { .expert = { NULL } };
	mmi_run_revise(r->learner->sampler, &a, &all, &r->learner->revised, &r->learner->generated, mmi_whole(16), &stats);
	return sqrt(stats.drift2 / stats.elements);
}

static void calibrate(double x_scale)
{
	mmi_modality all[RIG_MODALITIES];
	learner_rig r;
	double drift = 0, s = 0;
	for (int m = 0; m < RIG_MODALITIES; m++) {
		all[m] = rig_modality(m);
		all[m].x_scale = x_scale;
	}
	/* An energy model that does not learn, so that what was measured stays true. */
	rig_open_with(
		&r, (const char *const[]){ "learner.x_step=auto(0.03)", "learner.lr_energy=0", "learner.lr_generator=0", NULL },
		all, RIG_MODALITIES);
	assert_true(r.learner->state.x_step == 0);
	for (int i = 0; i < 60; i++) {
		mmi_measures m = rig_run(&r, 1);
		assert_true(m.x_step > 0 && m.x_step == r.learner->state.x_step);
		assert_int_equal(r.learner->state.x_step_n, i < MMI_CALIBRATE ? i + 1 : MMI_CALIBRATE);
		if (i == MMI_CALIBRATE - 1)
			s = m.x_step;
		else if (i >= MMI_CALIBRATE)
			assert_true(m.x_step == s); /* held */
		memcpy(r.learner->revised.x[0].at, r.learner->generated.x[0].at,
		       16 * (size_t)r.modality[0].count * sizeof(float));
		memcpy(r.learner->revised.x[1].at, r.learner->generated.x[1].at,
		       16 * (size_t)r.modality[1].count * sizeof(float));
		memcpy(r.learner->revised.x[2].at, r.learner->generated.x[2].at,
		       16 * (size_t)r.modality[2].count * sizeof(float));
		if (i >= MMI_CALIBRATE)
			drift += first_drift(&r) / 10;
	}
	if (!(fabs(drift - 0.03) < 0.1 * 0.03))
		fail_msg("x_scale %g: the first step drifts by %g, wanted is 0.03", x_scale, drift);
	rig_close(&r);
}

static void auto_steps_drift_as_far_as_asked(void **state)
{
	(void)state;
	calibrate(1);
	calibrate(3);
}

/* The energy is fixed. In every other iteration noise is nearly all that moves samples, and some chains climb. */
static void steps_whose_chains_climb_are_shortened_and_grow_again(void **state)
{
	learner_rig r;
	int climbed = 0;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.x_step=auto(0.03)", "learner.lr_energy=0", "learner.lr_generator=0",
	                                    "learner.x_noise=0.01", NULL });
	rig_run(&r, MMI_CALIBRATE);
	const double s = r.learner->state.x_step;
	for (int i = 0; i < 24; i++) {
		const double before = r.learner->state.x_step = i % 2 ? 1e-3 * s : s;
		const mmi_measures m = rig_run(&r, 1);
		const bool up = m.e_revised > m.e_generated;
		assert_true(i % 2 || !up);
		assert_true(m.x_step == before);
		assert_true(r.learner->state.x_step == (up ? 0.9 * before : fmin(s, 1.01 * before)));
		climbed += up;
	}
	assert_in_range(climbed, 1, 11);
	rig_close(&r);
}

static void a_given_step_is_used_as_it_is(void **state)
{
	static const char *const wrong[] = { "auto", "auto(0)", "auto(1.5)", "auto(x)", "automatic(0.1)",
		                                 "fast", "0",       "-0.1",      "0.1x",    "1e12" };
	learner_rig r;
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_config *c;
		mmi_settings s;
		char set[64];
		assert_ok(mmi_config_create(&c, &e), e);
		snprintf(set, sizeof set, "learner.x_step=%s", wrong[i]);
		assert_ok(mmi_config_set(c, set, &e), e);
		assert_fails(mmi_settings_read(c, &s, &e), MM_ECONFIG, e, "x_step");
		mmi_config_destroy(c);
	}
	rig_open(&r, (const char *const[]){ "learner.x_step=0.07", NULL });
	assert_true(rig_run(&r, 2).x_step == 0.07);
	assert_int_equal(r.learner->state.x_step_n, 0);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_run_from_one_to_their_end),
		cmocka_unit_test(the_schedule_s_end_stops_learning),
		cmocka_unit_test(auto_steps_drift_as_far_as_asked),
		cmocka_unit_test(steps_whose_chains_climb_are_shortened_and_grow_again),
		cmocka_unit_test(a_given_step_is_used_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
