/* test_learner.c - the learner on made-up data: the same bits for any number of threads, what its switches do, what its
 * guards catch. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/store_rig.h"
#include "../rig/rows_rig.h"

#include <math.h>

#include "run/saved.h"

/* ---------------------------------------------------------------- the same bits */

static void compare_threads(const char *const *sets)
{
	static const char *const threads[] = { "run.threads=1", "run.threads=2", "run.threads=3" };
	learner_rig r[MMI_COUNT(threads)];
	for (size_t i = 0; i < MMI_COUNT(threads); i++) {
		const char *all[12] = { threads[i] };
		for (size_t k = 0; sets[k]; k++)
			all[k + 1] = sets[k];
		rig_open(&r[i], all);
		rig_run(&r[i], 5);
		assert_int_equal(mmi_pool_threads(r[i].pool), i + 1);
	}
	for (size_t i = 1; i < MMI_COUNT(threads); i++) {
		rig_assert_same(&r[0], &r[i]);
		assert_memory_equal(r[0].learner->revised.x[RIG_PICTURE].at, r[i].learner->revised.x[RIG_PICTURE].at,
		                    r[0].settings.batch * (size_t)r[0].modality[RIG_PICTURE].count * sizeof(float));
		rig_close(&r[i]);
	}
	rig_close(&r[0]);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
	(void)state;
	compare_threads((const char *const[]){ "learner.experts=one", NULL });
	compare_threads((const char *const[]){ "learner.experts=all", NULL });
	compare_threads((const char *const[]){ "learner.experts=all", "learner.expert_reduce=mean", "learner.warmup=2",
	                                       "learner.x_move_max=0.1", "learner.inference_target=each",
	                                       "learner.clip_norm=5", NULL });
	compare_threads((const char *const[]){ "learner.batch=28", "run.chunk=5", "learner.prior=laplace",
	                                       "energy.energy_l2=0.1", NULL });
	compare_threads((const char *const[]){ "learner.private_dim=3", "learner.warmup=2", "learner.elbo_updates=1",
	                                       "sample.latent_steps=2", NULL });
}

static void another_seed_gives_other_bits(void **state)
{
	learner_rig a, b;
	(void)state;
	rig_open(&a, NULL);
	rig_open(&b, (const char *const[]){ "run.seed=2", NULL });
	assert_int_not_equal(rig_hash(a.model->generator), rig_hash(b.model->generator));
	rig_close(&a);
	rig_close(&b);
}

/* ---------------------------------------------------------------- what is trained when */

static void warm_up_leaves_the_energy_model_alone(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.warmup=3", NULL });
	rig_hashes before = rig_hash_all(&r);
	for (int i = 0; i < 4; i++) {
		mmi_measures m = rig_run(&r, 1);
		rig_hashes after = rig_hash_all(&r);
		assert_int_equal(m.warm, i < 3);
		assert_int_not_equal(after.generator, before.generator);
		assert_int_not_equal(after.inference, before.inference);
		assert_int_equal(after.energy == before.energy, i < 3);
		assert_int_equal(r.learner->energy.t, i < 3 ? 0 : 1);
		assert_int_equal(r.learner->state.x_step_n, i < 3 ? 0 : 1);
	}
	rig_close(&r);
}

static void warm_up_lowers_the_negative_elbo(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.warmup=200", "learner.lr_generator=3e-3", "learner.lr_inference=3e-3",
	                                    NULL });
	double first = rig_run(&r, 1).elbo;
	rig_run(&r, 120);
	double last = rig_run(&r, 1).elbo;
	assert_true(isfinite(first) && last < first - 40);
	rig_close(&r);
}

static void models_without_updates_stay_as_they_are(void **state)
{
	static const char *const keys[] = { "learner.generator_updates=0", "learner.inference_updates=0",
		                                "learner.energy_updates=0" };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(keys); i++) {
		learner_rig r;
		rig_open(&r, (const char *const[]){ keys[i], NULL });
		rig_hashes before = rig_hash_all(&r);
		rig_run(&r, 2);
		rig_hashes after = rig_hash_all(&r);
		assert_int_equal(after.generator == before.generator, i == 0);
		assert_int_equal(after.inference == before.inference, i == 1);
		assert_int_equal(after.energy == before.energy, i == 2);
		rig_close(&r);
	}
}

static void figures_that_were_not_measured_are_no_numbers(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.generator_updates=0", "learner.inference_updates=0",
	                                    "learner.energy_updates=0", NULL });
	mmi_measures m = rig_run(&r, 1);
	assert_true(isnan(m.loss_generator) && isnan(m.norm_generator));
	assert_true(isnan(m.loss_inference) && isnan(m.norm_inference));
	assert_true(isnan(m.e_data) && isnan(m.e_revised) && isnan(m.gap) && isnan(m.norm_energy));
	assert_true(isfinite(m.u_start) && isfinite(m.u_end) && isfinite(m.nll_end) && isfinite(m.e_generated) &&
	            isfinite(m.x_move));
	rig_close(&r);
}

/* Chains that do not move end where they start, whatever the updates after them. */
static void u_at_the_end_is_of_the_parameters_that_moved_the_chain(void **state)
{
	static const char *const keys[] = { "learner.elbo_updates=2", "learner.generator_updates=3",
		                                "learner.generator_updates=0", "learner.inference=independent" };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(keys); i++) {
		learner_rig r;
		rig_open(&r, (const char *const[]){ "learner.experts=all", "learner.z_step=1e-9", "learner.z_noise=0",
		                                    "learner.lr_generator=0.01", keys[i], NULL });
		mmi_measures m = rig_run(&r, 1);
		const mmi_latents z = latents_on_host(&r.learner->z);
		double prior = mmi_latents_minus_log_prior(&z, r.model, RIG_MODALITIES * 16) / (RIG_MODALITIES * 16);
		if (!(fabs(m.u_end - m.u_start) <= 1e-6 * fabs(m.u_start)))
			fail_msg("%s: U is %.9g at the start and %.9g at the end", keys[i], m.u_start, m.u_end);
		assert_true(fabs(m.nll_end + prior - m.u_end) <= 1e-6 * fabs(m.u_end));
		rig_close(&r);
	}
}

static void several_updates_are_measured_at_the_first(void **state)
{
	static const char *const more[] = { "learner.elbo_updates=3", "learner.generator_updates=3",
		                                "learner.inference_updates=3", "learner.energy_updates=3" };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(more); i++) {
		learner_rig once, often;
		const char *one = i ? NULL : "learner.elbo_updates=1"; /* later losses are of what it leaves */
		rig_open(&once, (const char *const[]){ "learner.contrast_factor=1", one, NULL });
		rig_open(&often, (const char *const[]){ "learner.contrast_factor=1", more[i], NULL });
		mmi_measures a = rig_run(&once, 1), b = rig_run(&often, 1);
		const double pairs[][2] = { { a.elbo, b.elbo },
			                        { a.contrast, b.contrast },
			                        { a.loss_generator, b.loss_generator },
			                        { a.loss_inference, b.loss_inference },
			                        { a.e_data, b.e_data },
			                        { a.gap, b.gap },
			                        { a.norm_generator, b.norm_generator },
			                        { a.norm_inference, b.norm_inference },
			                        { a.norm_energy, b.norm_energy } };
		const bool of_elbo = !i;
		for (size_t k = of_elbo ? 0 : 1; k < (of_elbo ? 2 : MMI_COUNT(pairs)); k++)
			if (!(fabs(pairs[k][0] - pairs[k][1]) <= 1e-12 * fabs(pairs[k][0])))
				fail_msg("%s: figure %zu is %.9g, with one update %.9g", more[i], k, pairs[k][1], pairs[k][0]);
		rig_close(&once);
		rig_close(&often);
	}
}

static void chains_of_no_steps_leave_their_start(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.x_steps=0", "learner.z_steps=0", NULL });
	mmi_measures m = rig_run(&r, 3);
	assert_true(m.z_move == 0 && m.x_move < 1e-7 && isfinite(m.loss_generator) && isfinite(m.gap));
	assert_memory_equal(r.learner->z.z.at, r.learner->z_start.z.at, 16 * 6 * sizeof(float));
	assert_memory_equal(r.learner->revised.x[0].at, r.learner->generated.x[0].at,
	                    16 * (size_t)r.modality[0].count * sizeof(float));
	rig_close(&r);
}

static void refreshed_negatives_come_from_the_updated_generator(void **state)
{
	learner_rig plain, fresh;
	(void)state;
	rig_open(&plain, NULL);
	rig_open(&fresh, (const char *const[]){ "learner.refresh_negatives=yes", NULL });
	rig_run(&plain, 1);
	rig_run(&fresh, 1);
	rig_hashes a = rig_hash_all(&plain), b = rig_hash_all(&fresh);
	assert_true(a.generator == b.generator && a.inference == b.inference);
	assert_int_not_equal(a.energy, b.energy);
	/* The same z and the new weights: the decoder's means now. */
	mmi_run_decode(fresh.learner->sampler, &fresh.learner->z_prior, 16, &plain.learner->generated);
	assert_memory_equal(plain.learner->generated.x[0].at, fresh.learner->generated.x[0].at,
	                    16 * (size_t)fresh.modality[0].count * sizeof(float));
	rig_close(&plain);
	rig_close(&fresh);
}

static void experts_one_starts_each_chain_from_its_expert(void **state)
{
	learner_rig r;
	uint32_t seen[RIG_MODALITIES] = { 0 };
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.z_steps=0", NULL });
	assert_int_equal(r.learner->n_chains, 1);
	rig_run(&r, 1);
	mm_error e = MM_ERROR_INIT;
	mmi_latents eps;
	assert_int_equal(mmi_latents_create(r.model, 16, &eps, &e), MM_OK);
	mmi_sampler_standard(r.learner->sampler, mmi_whole(16), 0, 0, &eps);
	for (int i = 0; i < 16 * 6; i++) {
		uint32_t expert = r.learner->masks.expert[i / 6];
		float expected = r.learner->experts.loc[expert].at[i] + r.learner->experts.scale[expert].at[i] * eps.z[i];
		assert_true(fabsf(r.learner->z.z.at[i] - expected) <= 1e-6f * fmaxf(1, fabsf(expected)));
		seen[expert]++;
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	mmi_latents_clear(&eps);
	rig_close(&r);
}

/* From the same starts, under the same noise: what a saved model's chain does is what the learner's did. */
static void the_posterior_chain_at_use_is_that_of_training(void **state)
{
	static const char *const ways[][2] = { { "learner.experts=all", "learner.expert_reduce=mean" },
		                                   { "learner.experts=all", "learner.expert_reduce=sum" },
		                                   { "learner.experts=one", "learner.expert_reduce=mean" } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		learner_rig r;
		mmi_chain_stats stats;
		rig_open(&r, (const char *const[]){ ways[i][0], ways[i][1], "learner.lr_generator=0", NULL });
		rig_run(&r, 1);
		mmi_learner *l = r.learner;
		const mmi_saved saved = { .setup = { .settings = r.settings, .n_modalities = r.n_modalities } };
		const mmi_recipe_change none = MMI_RECIPE_AS_IT_IS;
		const mmi_posterior_args args = mmi_saved_chains(&saved, &r.settings.translate, &none).posterior;
		mmi_latents start = latents_on_host(&l->z_start);
		mmi_sampler_posterior(l->sampler, &args, (const float *const *)r.x, mmi_whole(16), l->n_chains, &start, NULL,
		                      &stats);
		assert_memory_equal(l->z_start.z.at, l->z.z.at, l->n_chains * 16 * 6 * sizeof(float));
		rig_close(&r);
	}
}

/* ---------------------------------------------------------------- guards */

static float *tensor(const mmi_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name))
			return p->raw.at + p->info[i].offset;
	fail_msg("%s lacks %s", p->name, name);
	return NULL;
}

/* A value that is not finite in one model stops the step, and rolling back undoes everything but rate, count and noise.
 */
static void damage(int which, const char *name, float value, const char *message)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_measures m;
	rig_open(&r, (const char *const[]){ "learner.snapshot_interval=5", "energy.spectral_norm=no", NULL });
	mmi_params *models[3] = { r.model->generator, r.model->inference, r.model->energy };
	mmi_optimiser *optimisers[3] = { &r.learner->generator, &r.learner->inference, &r.learner->energy };
	rig_run(&r, 5);
	rig_hashes good = rig_hash_all(&r);
	rig_run(&r, 3); /* the snapshot is of 5 */
	tensor(models[which], name)[0] = value;
	mmi_params_update(models[which], 0);
	assert_fails(rig_iterate(&r, &m, &e), MM_ENUMERIC, e, "iteration 9: ");
	if (!strstr(e.message, message))
		fail_msg("'%s' lacks '%s'", e.message, message);
	assert_int_equal(r.learner->state.iteration, 8);
	assert_in_range(m.culprit, 0, 2);
	assert_ok(mmi_learner_rollback(r.learner, m.culprit, &e), e);
	rig_hashes back = rig_hash_all(&r);
	assert_memory_equal(&good, &back, sizeof good);
	assert_int_equal(r.learner->state.iteration, 5);
	assert_int_equal(r.learner->state.rollbacks, 1);
	for (int i = 0; i < 3; i++) {
		assert_true(optimisers[i]->rate_factor == (i == m.culprit ? 0.5 : 1));
		assert_int_equal(optimisers[i]->t, 5);
	}
	rig_run(&r, 5);
	assert_int_equal(r.learner->state.iteration, 10);
	rig_close(&r);
}

static void values_that_are_not_finite_stop_the_step(void **state)
{
	(void)state;
	damage(0, "picture.decoder.out.bias", NAN, "generator model is not finite");
	damage(0, "sensor.decoder.out.weight", INFINITY, "not finite");
	damage(1, "words.encoder.loc.bias", NAN, "not finite");
	damage(2, "head.energy.weight", NAN, "not finite");
	damage(2, "picture.features.conv.weight", INFINITY, "not finite");
}

static void a_damaged_warm_up_names_the_model(void **state)
{
	static const char *const names[2] = { "picture.decoder.out.bias", "picture.encoder.raw.bias" };
	(void)state;
	for (int which = 0; which < 2; which++) {
		learner_rig r;
		mm_error e = MM_ERROR_INIT;
		mmi_measures m;
		rig_open(&r, (const char *const[]){ "learner.warmup=10", NULL });
		rig_run(&r, 2);
		tensor(which ? r.model->inference : r.model->generator, names[which])[0] = NAN;
		assert_fails(rig_iterate(&r, &m, &e), MM_ENUMERIC, e, "iteration 3: the ELBO or its gradient is not finite");
		assert_ok(mmi_learner_rollback(r.learner, m.culprit, &e), e);
		rig_run(&r, 3);
		rig_close(&r);
	}
}

static void an_exploding_energy_loss_stops_the_step(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_measures m;
	(void)state;
	rig_open(&r,
	         (const char *const[]){ "learner.snapshot_interval=60", "energy.spectral_norm=no", "learner.x_step=0.05",
	                                "learner.x_steps=1", "learner.z_steps=1", "learner.gap_limit=100", NULL });
	rig_run(&r, 65);
	float *weight = tensor(r.model->energy, "head.energy.weight");
	for (int i = 0; i < r.settings.model.nef; i++)
		weight[i] *= 1e5f;
	mmi_params_update(r.model->energy, 0);
	assert_fails(rig_iterate(&r, &m, &e), MM_ENUMERIC, e, "more than 100 times its running median");
	assert_int_equal(m.culprit, 2);
	assert_ok(mmi_learner_rollback(r.learner, m.culprit, &e), e);
	assert_int_equal(r.learner->state.iteration, 60);
	assert_true(r.learner->energy.rate_factor == 0.5 && r.learner->generator.rate_factor == 1);
	rig_run(&r, 10);
	rig_close(&r);
}

static void a_replay_after_a_rollback_meets_other_noise(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open(&r, NULL);
	rig_run(&r, 1);
	float first = r.learner->z_prior.z.at[0];
	assert_ok(mmi_learner_rollback(r.learner, 0, &e), e);
	assert_int_equal(r.learner->state.iteration, 0);
	rig_run(&r, 1);
	assert_true(r.learner->z_prior.z.at[0] != first);
	rig_close(&r);
}

static void too_many_rollbacks_end_the_run_with_advice(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.max_rollbacks=3", NULL });
	rig_run(&r, 2);
	for (int i = 0; i < 3; i++)
		assert_ok(mmi_learner_rollback(r.learner, 1, &e), e);
	assert_true(r.learner->inference.rate_factor == 0.125);
	rig_hashes before = rig_hash_all(&r);
	assert_fails(mmi_learner_rollback(r.learner, 1, &e), MM_ENUMERIC, e,
	             "at most 3 rollbacks are allowed ([learner] max_rollbacks)");
	rig_hashes after = rig_hash_all(&r);
	assert_memory_equal(&before, &after, sizeof before);
	rig_close(&r);
}

/* ---------------------------------------------------------------- learning */

static void both_chains_go_down_and_models_learn(void **state)
{
	learner_rig r;
	double nll[2] = { 0 }, u = 0, energy = 0, largest_gap = 0;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.warmup=100", "learner.lr_generator=3e-3", "learner.lr_inference=3e-3",
	                                    "learner.x_step=auto(0.02)", "learner.experts=all", "run.threads=2", NULL });
	rig_run(&r, 100);
	for (int i = 0; i < 200; i++) {
		mmi_measures m = rig_run(&r, 1);
		nll[i >= 180] += i < 20 || i >= 180 ? m.nll_end / 20 : 0;
		if (i < 100)
			continue;
		u += m.u_end - m.u_start;
		energy += m.e_revised - m.e_generated;
		largest_gap = fmax(largest_gap, fabs(m.gap));
	}
	assert_true(nll[1] < nll[0] - 1);
	assert_true(u < 0);
	assert_true(energy < 0);
	assert_true(largest_gap < 20);
	assert_int_equal(r.learner->state.rollbacks, 0);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
		cmocka_unit_test(another_seed_gives_other_bits),
		cmocka_unit_test(warm_up_leaves_the_energy_model_alone),
		cmocka_unit_test(warm_up_lowers_the_negative_elbo),
		cmocka_unit_test(models_without_updates_stay_as_they_are),
		cmocka_unit_test(figures_that_were_not_measured_are_no_numbers),
		cmocka_unit_test(u_at_the_end_is_of_the_parameters_that_moved_the_chain),
		cmocka_unit_test(several_updates_are_measured_at_the_first),
		cmocka_unit_test(chains_of_no_steps_leave_their_start),
		cmocka_unit_test(refreshed_negatives_come_from_the_updated_generator),
		cmocka_unit_test(experts_one_starts_each_chain_from_its_expert),
		cmocka_unit_test(the_posterior_chain_at_use_is_that_of_training),
		cmocka_unit_test(values_that_are_not_finite_stop_the_step),
		cmocka_unit_test(a_damaged_warm_up_names_the_model),
		cmocka_unit_test(an_exploding_energy_loss_stops_the_step),
		cmocka_unit_test(a_replay_after_a_rollback_meets_other_noise),
		cmocka_unit_test(too_many_rollbacks_end_the_run_with_advice),
		cmocka_unit_test(both_chains_go_down_and_models_learn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
