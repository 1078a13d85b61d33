/* test_resume.c - a learner that goes on from a checkpoint: the same bits as one that never stopped, and what it
 * refuses. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/store_rig.h"

#include <math.h>

#include "run/saved.h"
#include "store/checkpoint.h"

static void save(learner_rig *r, const char *path)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tensor_item *items;
	char **names;
	size_t n, n_names;
	assert_ok(mmi_learner_items(r->learner, &items, &n, &names, &n_names, &e), e);
	mmi_learner_fetch(r->learner, NULL);
	assert_ok(mmi_checkpoint_save(path, items, mmi_learner_items_due(r->learner, n), NULL, 0, &e), e);
	mmi_learner_items_free(items, names, n_names);
}

static mm_status load(learner_rig *r, const char *path, mm_error *e)
{
	mmi_tensor_item *items;
	char **names;
	size_t n, n_names;
	mmi_checkpoint *ck;
	assert_ok(mmi_learner_items(r->learner, &items, &n, &names, &n_names, e), *e);
	assert_ok(mmi_checkpoint_open(path, &ck, e), *e);
	mm_status status = mmi_learner_restore(r->learner, ck, items, n, e);
	mmi_checkpoint_close(ck);
	mmi_learner_items_free(items, names, n_names);
	return status;
}

/* Straight through, and stopped after `at` iterations; threads differ too. */
static void compare_with_resumed(rig *folder, uint32_t at, uint32_t total, const char *const *sets)
{
	const char *path = rig_path(folder, "state.safetensors");
	const char *resumed_sets[12] = { "run.threads=2" };
	mm_error e = MM_ERROR_INIT;
	learner_rig straight, stopped, resumed;
	for (size_t k = 0; sets && sets[k]; k++)
		resumed_sets[k + 1] = sets[k];
	rig_open(&straight, sets);
	rig_run(&straight, total);
	rig_open(&stopped, sets);
	rig_run(&stopped, at);
	save(&stopped, path);
	rig_close(&stopped);
	rig_open(&resumed, resumed_sets);
	rig_run(&resumed, 2); /* whatever was there before is replaced */
	assert_ok(load(&resumed, path, &e), e);
	assert_int_equal(resumed.learner->state.iteration, at);
	rig_run(&resumed, total - at);
	rig_assert_same(&straight, &resumed);
	rig_close(&straight);
	rig_close(&resumed);
}

static void resuming_gives_the_same_bits_as_not_stopping(void **state)
{
	(void)state;
	compare_with_resumed(*state, 3, 7, NULL);
	compare_with_resumed(*state, 3, 9, (const char *const[]){ "learner.warmup=5", "learner.experts=all", NULL });
	compare_with_resumed(*state, 6, 9, (const char *const[]){ "learner.warmup=5", "learner.experts=all", NULL });
	compare_with_resumed(
		*state, 55, 60,
		(const char *const[]){ "learner.x_step=auto(0.05)", "learner.x_steps=1", "learner.z_steps=1", NULL });
	compare_with_resumed(*state, 4, 8,
	                     (const char *const[]){ "learner.private_dim=3", "learner.private_chain=own",
	                                            "learner.x_start=buffer", "learner.x_buffer=40",
	                                            "learner.generator_ema=0.9", NULL });
	compare_with_resumed(*state, 4, 8,
	                     (const char *const[]){ "learner.objective=mmvae+", "learner.private_dim=3", NULL });
	compare_with_resumed(*state, 4, 8,
	                     (const char *const[]){ "learner.objective=mmvae", "learner.draws=3", "learner.gradient=dreg",
	                                            "learner.prior=laplace", NULL });
	compare_with_resumed(
		*state, 4, 8,
		(const char *const[]){ "learner.objective=mvebm", "learner.private_dim=3", "learner.prior_steps=5", NULL });
	compare_with_resumed(*state, 4, 8,
	                     (const char *const[]){ "learner.objective=cmvae", "learner.private_dim=3",
	                                            "learner.clusters=4", "learner.prior=laplace",
	                                            "learner.scale_head=softmax", "learner.amsgrad=yes",
	                                            "learner.generator_ema=0.9", NULL });
	compare_with_resumed(*state, 4, 8,
	                     (const char *const[]){ "energy.spectral_norm=no", "learner.weight_decay_energy=0.01",
	                                            "learner.schedule=linear(0.5)", NULL });
}

/* Stopped between snapshots, at one, and just after one; what breaks down later goes back as far as without the stop.
 */
static void a_resumed_run_rolls_back_as_far_as_one_that_never_stopped(void **state)
{
	static const struct {
		uint32_t stop, breakdown, back;
	} courses[] = { { 2, 3, 0 }, { 4, 5, 4 }, { 5, 7, 4 }, { 3, 6, 4 } };
	const char *path = rig_path(*state, "between.safetensors");
	mm_error e = MM_ERROR_INIT;
	for (size_t i = 0; i < MMI_COUNT(courses); i++) {
		const char *const sets[] = { "learner.snapshot_interval=4", "learner.x_start=buffer", "learner.x_buffer=40",
			                         "learner.generator_ema=0.9", NULL };
		learner_rig straight, resumed;
		rig_open(&straight, sets);
		rig_run(&straight, courses[i].stop);
		save(&straight, path);
		rig_run(&straight, courses[i].breakdown - courses[i].stop);
		rig_open(&resumed, sets);
		rig_run(&resumed, 1); /* whatever was there before is replaced */
		assert_ok(load(&resumed, path, &e), e);
		rig_run(&resumed, courses[i].breakdown - courses[i].stop);
		assert_ok(mmi_learner_rollback(straight.learner, 1, &e), e);
		assert_ok(mmi_learner_rollback(resumed.learner, 1, &e), e);
		assert_int_equal(straight.learner->state.iteration, courses[i].back);
		assert_int_equal(resumed.learner->state.iteration, courses[i].back);
		rig_run(&straight, 3);
		rig_run(&resumed, 3);
		rig_assert_same(&straight, &resumed);
		rig_close(&straight);
		rig_close(&resumed);
	}
}

static void resuming_after_a_rollback_keeps_its_other_noise(void **state)
{
	mm_error e = MM_ERROR_INIT;
	learner_rig straight, resumed, plain;
	const char *path = rig_path(*state, "rolled.safetensors");
	rig_open(&straight, NULL);
	rig_run(&straight, 2);
	assert_ok(mmi_learner_rollback(straight.learner, 2, &e), e);
	rig_run(&straight, 3);
	save(&straight, path);
	rig_run(&straight, 3);
	rig_open(&resumed, NULL);
	assert_ok(load(&resumed, path, &e), e);
	assert_int_equal(resumed.learner->state.rollbacks, 1);
	rig_run(&resumed, 3);
	rig_assert_same(&straight, &resumed);
	rig_open(&plain, NULL);
	rig_run(&plain, 6);
	assert_int_equal(plain.learner->state.iteration, straight.learner->state.iteration);
	assert_int_not_equal(rig_hash(plain.model->generator), rig_hash(straight.model->generator));
	rig_close(&straight);
	rig_close(&resumed);
	rig_close(&plain);
}

/* Whatever they count, they lead to places in memory and to exponents. */
static void restored_numbers_out_of_range_are_refused_by_name(void **state)
{
	const char *path = rig_path(*state, "state.safetensors");
	learner_rig r, other;
	rig_open(&r, NULL);
	rig_open(&other, NULL);
	rig_run(&r, 2);
	mmi_learner_state *s = &r.learner->state;
	const struct {
		const char *name;
		int64_t *counter;
		double *number;
		int64_t value;
	} cases[] = {
		{ "state.iteration", &s->iteration, NULL, -1 },
		{ "state.iteration", &s->iteration, NULL, (int64_t)1 << 32 },
		{ "state.rollbacks", &s->rollbacks, NULL, -1 },
		{ "state.x_step_n", &s->x_step_n, NULL, MMI_CALIBRATE + 1 },
		{ "state.n_gaps", &s->n_gaps, NULL, -1 },
		{ "state.n_gaps", &s->n_gaps, NULL, INT64_MAX },
		{ "state.n_buffered", &s->n_buffered, NULL, INT64_MIN },
		{ "adam_t.generator", &r.learner->generator.t, NULL, INT64_MAX },
		{ "adam_t.energy", &r.learner->energy.t, NULL, -1 },
		{ "rate_factor.inference", NULL, &r.learner->inference.rate_factor, -1 },
		{ "state.x_step", NULL, &s->x_step, -1 },
		{ "state.x_step_sum", NULL, &s->x_step_sum, INT64_MAX },
		{ "state.gaps", NULL, &s->gaps[7], -1 },
	};
	const mmi_learner_state before = other.learner->state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		int64_t counter = cases[i].counter ? *cases[i].counter : 0;
		double number = cases[i].number ? *cases[i].number : 0;
		if (cases[i].counter)
			*cases[i].counter = cases[i].value;
		else
			*cases[i].number = (double)cases[i].value;
		save(&r, path);
		assert_fails(load(&other, path, &e), MM_EFORMAT, e, cases[i].name);
		assert_non_null(strstr(e.message, "expected "));
		if (cases[i].counter)
			*cases[i].counter = counter;
		else
			*cases[i].number = number;
	}
	assert_memory_equal(&before, &other.learner->state, sizeof before);
	mm_error e = MM_ERROR_INIT;
	save(&r, path);
	assert_ok(load(&other, path, &e), e);
	rig_close(&r);
	rig_close(&other);
}

static void a_checkpoint_of_another_architecture_is_refused(void **state)
{
	static const struct {
		const char *set, *named;
	} others[] = {
		{ "learner.latent_dim=7", "generator.picture.decoder.hidden.weight" },
		{ "energy.nef=9", "energy.trunk8x8.block0.conv1.weight" },
		{ "energy.blocks=4", "energy.trunk8x8.block3.conv1.weight" },
		{ "energy.head=linear", "energy.head." },
		{ "energy.spectral_norm=no", "spectral.energy" },
	};
	mm_error e = MM_ERROR_INIT;
	learner_rig r;
	const char *path = rig_path(*state, "other.safetensors");
	rig_open(&r, NULL);
	save(&r, path);
	rig_close(&r);
	for (size_t i = 0; i < MMI_COUNT(others); i++) {
		rig_open(&r, (const char *const[]){ others[i].set, NULL });
		uint64_t before = rig_hash(r.model->generator);
		assert_int_not_equal(load(&r, path, &e), MM_OK);
		if (!strstr(e.message, others[i].named))
			fail_msg("%s: '%s' does not name %s", others[i].set, e.message, others[i].named);
		assert_int_equal(rig_hash(r.model->generator), before);
		rig_close(&r);
	}
}

/* A step that is set counts from then on, whatever was measured before. */
static void a_run_goes_on_with_another_step(void **state)
{
	mm_error e = MM_ERROR_INIT;
	learner_rig before, after;
	const char *path = rig_path(*state, "state.safetensors");
	rig_open(&before, (const char *const[]){ "learner.x_step=auto(0.03)", NULL });
	rig_run(&before, 2);
	save(&before, path);
	rig_open(&after, (const char *const[]){ "learner.x_step=0.07", NULL });
	assert_ok(load(&after, path, &e), e);
	assert_true(rig_run(&after, 1).x_step == 0.07);
	assert_ok(mmi_learner_rollback(after.learner, 0, &e), e);
	assert_true(rig_run(&after, 1).x_step == 0.07);
	rig_close(&after);
	rig_open(&after, (const char *const[]){ "learner.x_step=auto(0.03)", NULL });
	assert_ok(load(&after, path, &e), e);
	assert_true(after.learner->state.x_step == before.learner->state.x_step);
	rig_close(&after);
	rig_close(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(resuming_gives_the_same_bits_as_not_stopping, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_resumed_run_rolls_back_as_far_as_one_that_never_stopped, rig_setup,
		                                rig_teardown),
		cmocka_unit_test_setup_teardown(resuming_after_a_rollback_keeps_its_other_noise, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(restored_numbers_out_of_range_are_refused_by_name, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_of_another_architecture_is_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_run_goes_on_with_another_step, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
