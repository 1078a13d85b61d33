/* test_switches.c - what each switch of the learner changes: private latents, missing modalities, other starts of the
 * data chain, moving averages, baselines; and combinations that are refused. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/rows_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { B = 16, W = 2, D = 6 };

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void private_chains_move_every_w_or_only_the_expert_s_own(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		learner_rig r;
		uint32_t moved = 0, held = 0;
		rig_open(&r, SETS("learner.private_dim=2", own ? "learner.private_chain=own" : "learner.private_chain=joint"));
		rig_run(&r, 1);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++)
			for (int i = 0; i < B * W; i++) {
				bool same = r.learner->z.w[m].at[i] == r.learner->z_start.w[m].at[i];
				moved += !same;
				held += same;
				if (own)
					assert_true(same == (r.learner->masks.expert[i / W] != m));
			}
		assert_int_equal(moved, own ? B * W : B * W * RIG_MODALITIES);
		assert_int_equal(held, own ? B * W * (RIG_MODALITIES - 1) : 0);
		rig_close(&r);
	}
}

static void chains_start_from_observed_experts_only(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		learner_rig r;
		rig_open(&r, SETS("data.hide=0.5", all ? "learner.experts=all" : "learner.experts=one"));
		r.lacking = true;
		rig_run(&r, 2);
		for (uint32_t i = 0; i < B * r.learner->n_chains; i++)
			assert_true(r.observed[r.learner->masks.expert[i]][i % B] > 0);
		for (uint32_t c = 0; all && c < RIG_MODALITIES; c++)
			assert_int_equal(r.learner->masks.expert[c * B + 3], c); /* complete: chain c is expert c's */
		rig_close(&r);
	}
}

/* What a chain makes of rows does not depend on what stands where nothing was observed: zeros or not. */
static void compare_missing(const char *const *sets)
{
	learner_rig a, b;
	mmi_measures m;
	mm_error e = MM_ERROR_INIT;
	rig_open(&a, sets);
	rig_open(&b, sets);
	a.lacking = b.lacking = true;
	for (uint64_t t = 0; t < 3; t++) {
		const mmi_batch *one = rig_batch(&a, t), *other = rig_batch(&b, t);
		for (uint32_t k = 0; k < RIG_MODALITIES; k++)
			for (int i = 0; i < B; i++)
				for (int64_t f = 0; !(b.observed[k][i] > 0) && f < b.modality[k].count; f++)
					b.x[k][i * b.modality[k].count + f] = 0.25f;
		assert_int_equal(mmi_learner_iterate(a.learner, one, &m, &e), MM_OK);
		assert_int_equal(mmi_learner_iterate(b.learner, other, &m, &e), MM_OK);
	}
	rig_assert_same(&a, &b);
	rig_close(&a);
	rig_close(&b);
}

static void what_is_missing_changes_nothing(void **state)
{
	(void)state;
	compare_missing(SETS("data.hide=0.5", "learner.missing_energy=skip"));
	compare_missing(SETS("data.hide=0.5", "learner.missing_energy=skip", "energy.swap_factor=1"));
}

static void incomplete_tuples_are_completed_with_what_is_there_held(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("data.hide=0.5"));
	r.lacking = true;
	rig_run(&r, 1);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		for (uint32_t i = 0; i < B; i++) {
			size_t count = (size_t)r.modality[m].count;
			const float *x = r.x[m] + i * count, *made = r.learner->imputed.x[m].at + i * count;
			double size = 0;
			for (size_t k = 0; k < count; k++)
				size += fabs((double)made[k]);
			if (r.observed[m][i] > 0)
				assert_memory_equal(x, made, count * sizeof *x);
			else
				assert_true(size > 0);
		}
	rig_close(&r);
}

/* Complete ones only: their mean, as the energy of the same rows says. */
static void skipped_tuples_do_not_enter_the_energy(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_measures m;
	float energy[B];
	double mean = 0;
	(void)state;
	rig_open(&r, SETS("data.hide=0.5", "learner.missing_energy=skip", "energy.spectral_norm=no"));
	r.lacking = true;
	const mmi_batch *batch = rig_batch(&r, 0);
	mmi_sampler_energy(r.learner->sampler, (const float *const *)batch->x, B, energy);
	for (int i = 3; i < B; i += 4)
		mean += (double)energy[i] / 4;
	assert_int_equal(mmi_learner_iterate(r.learner, batch, &m, &e), MM_OK);
	assert_true(fabs(m.e_data - mean) < 1e-5 * fmax(1, fabs(mean)));
	rig_close(&r);
}

/* ---------------------------------------------------------------- independent inference */

/* Which modality a chain saw changes its latent alone, and here it does not move: the generator makes all of the tuple
 * from it, in the loss beside the chains as in an ELBO. */
static void the_generator_learns_every_modality_from_chains_that_saw_one(void **state)
{
	(void)state;
	for (int warm = 0; warm < 2; warm++) {
		learner_rig joint, independent;
		const char *warmup = warm ? "learner.warmup=1" : "learner.warmup=0";
		rig_open(&joint,
		         SETS("learner.experts=all", "learner.s_factor=0", "learner.z_step=1e-9", "learner.z_noise=0", warmup));
		rig_open(&independent, SETS("learner.experts=all", "learner.s_factor=0", "learner.z_step=1e-9",
		                            "learner.z_noise=0", warmup, "learner.inference=independent"));
		mmi_measures a = rig_run(&joint, 1), b = rig_run(&independent, 1);
		double expected = warm ? a.elbo : a.loss_generator, found = warm ? b.elbo : b.loss_generator;
		if (!(fabs(found - expected) <= 1e-5 * fabs(expected)))
			fail_msg("%s: the loss is %.9g, with joint inference %.9g", warmup, found, expected);
		rig_close(&joint);
		rig_close(&independent);
	}
}

/* ---------------------------------------------------------------- what encoders see */

static void vary_nothing(const mm_instance *i, uint64_t draw, float *x)
{
	(void)i, (void)draw, (void)x;
}

/* A rig whose modalities may be seen otherwise than they are. */
static void open_varied(learner_rig *r, const char *const *sets)
{
	static const mm_modality_variation variation = { .struct_size = sizeof variation, .vary = vary_nothing };
	mmi_modality modality[RIG_MODALITIES];
	for (int m = 0; m < RIG_MODALITIES; m++) {
		modality[m] = rig_modality(m);
		modality[m].variation = &variation;
	}
	rig_open_with(r, sets, modality, RIG_MODALITIES);
}

/* One iteration in which the encoders see sample i * stride of the batch in row i: 0 the first in all, 1 what is there,
 * 3 another order. */
static mmi_measures iterate_seeing(learner_rig *r, size_t stride)
{
	mm_error e = MM_ERROR_INIT;
	mmi_measures m = { 0 };
	mmi_batch batch = *rig_batch(r, (uint64_t)r->learner->state.iteration);
	float *seen[RIG_MODALITIES];
	for (int k = 0; k < RIG_MODALITIES; k++) {
		const size_t count = (size_t)r->modality[k].count;
		assert_non_null(seen[k] = malloc(B * count * sizeof *seen[k]));
		for (size_t i = 0; i < B; i++)
			memcpy(seen[k] + i * count, r->x[k] + i * stride % B * count, count * sizeof *seen[k]);
	}
	batch.seen = seen;
	if (mmi_learner_iterate(r->learner, &batch, &m, &e))
		fail_msg("%s", e.message);
	for (int k = 0; k < RIG_MODALITIES; k++)
		free(seen[k]);
	return m;
}

/* Rows that look alike to the encoders cannot be told apart: the contrastive loss is that of a guess. */
static void the_contrastive_loss_is_of_what_encoders_see(void **state)
{
	(void)state;
	for (int chains = 0; chains < 2; chains++) {
		learner_rig r;
		open_varied(&r, SETS("learner.contrast_factor=2", chains ? "learner.warmup=0" : "learner.warmup=1"));
		double guess = iterate_seeing(&r, 0).contrast;
		rig_close(&r);
		open_varied(&r, SETS("learner.contrast_factor=2", chains ? "learner.warmup=0" : "learner.warmup=1"));
		double apart = iterate_seeing(&r, 1).contrast;
		rig_close(&r);
		assert_true(fabs(guess - log(B)) < 1e-5);
		assert_true(fabs(apart - log(B)) > 1e-3);
	}
}

/* What the contrastive loss adds to the gradient of the inference model beside the chains, into what the caller frees.
 */
static double *contrast_gradient(size_t stride, size_t *count)
{
	double *out = NULL;
	for (int with = 0; with < 2; with++) {
		learner_rig r;
		open_varied(&r, SETS("learner.warmup=0", with ? "learner.contrast_factor=2" : "learner.contrast_factor=0"));
		iterate_seeing(&r, stride);
		const mmi_lanes *lanes = &r.learner->inference_lanes;
		*count = lanes->count;
		out = out ? out : calloc(lanes->count, sizeof *out);
		assert_non_null(out);
		for (size_t i = 0; i < lanes->count; i++)
			out[i] += (with ? 1 : -1) * (double)lanes->lane[0].at[i];
		rig_close(&r);
	}
	return out;
}

/* Its value and its way back are of the same rows: what is seen in another order changes neither. */
static void the_contrastive_gradient_is_of_what_encoders_see(void **state)
{
	size_t n = 0;
	double *plain = contrast_gradient(1, &n), *turned = contrast_gradient(3, &n), length = 0, apart = 0;
	(void)state;
	for (size_t i = 0; i < n; i++) {
		length += plain[i] * plain[i];
		apart += (plain[i] - turned[i]) * (plain[i] - turned[i]);
	}
	assert_true(length > 1e-6 && apart < 1e-6 * length);
	free(plain);
	free(turned);
}

/* Chains and the losses of generator and energy model are of the samples as they are; a copy of them changes nothing at
 * all. */
static void only_the_inference_model_learns_from_what_encoders_see(void **state)
{
	learner_rig plain, same, varied;
	(void)state;
	open_varied(&plain, SETS("learner.warmup=0"));
	open_varied(&same, SETS("learner.warmup=0"));
	open_varied(&varied, SETS("learner.warmup=0"));
	rig_run(&plain, 1);
	iterate_seeing(&same, 1);
	iterate_seeing(&varied, 0);
	rig_assert_same(&plain, &same);
	assert_int_equal(rig_hash(plain.model->generator), rig_hash(varied.model->generator));
	assert_int_equal(rig_hash(plain.model->energy), rig_hash(varied.model->energy));
	assert_int_not_equal(rig_hash(plain.model->inference), rig_hash(varied.model->inference));
	rig_close(&plain);
	rig_close(&same);
	rig_close(&varied);
}

static void noise_starts_are_in_the_support_and_teach_no_pairs(void **state)
{
	learner_rig r, other;
	(void)state;
	rig_open(&r, SETS("learner.x_start=noise", "learner.x_steps=0"));
	rig_open(&other, SETS("learner.x_start=noise", "learner.x_steps=0", "learner.s_factor=9", "learner.i_factor=9"));
	rig_run(&r, 2);
	rig_run(&other, 2);
	double square = 0;
	for (int64_t i = 0; i < B * r.modality[0].count; i++) {
		float x = r.learner->revised.x[0].at[i];
		assert_true(x >= -1 && x <= 1);
		square += (double)x * (double)x / (double)(B * r.modality[0].count);
	}
	assert_true(fabs(square - 1.0 / 3) < 0.03);
	for (int64_t i = 0; i < B * 5; i++) {
		double sum = 0;
		for (int k = 0; k < 4; k++)
			sum += (double)r.learner->revised.x[1].at[i * 4 + k];
		assert_true(fabs(sum - 1) < 1e-5);
	}
	assert_true(rig_hash(r.model->generator) == rig_hash(other.model->generator)); /* the factors have no terms */
	rig_close(&r);
	rig_close(&other);
}

/* loc + scale * eps for a row's z, and its expert's own w; the other w are the draws themselves. */
static void assert_expert_s_draw(const learner_rig *r, const mmi_latents *eps, size_t b)
{
	const mmi_learner *l = r->learner;
	uint32_t e = l->given.expert[b];
	for (size_t i = b * D; i < (b + 1) * D; i++) {
		double expected = (double)l->experts.loc[e].at[i] + (double)l->experts.scale[e].at[i] * (double)eps->z[i];
		assert_true(fabs((double)l->z_prior.z.at[i] - expected) < 1e-5);
	}
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		for (size_t i = b * W; i < (b + 1) * W; i++) {
			double loc = m == e ? (double)l->experts.w_loc[m].at[i] : 0,
				   scale = m == e ? (double)l->experts.w_scale[m].at[i] : 1;
			assert_true(fabs((double)l->z_prior.w[m].at[i] - (loc + scale * (double)eps->w[m][i])) < 1e-5);
		}
}

/* Rows of the first half: what is given is the data's and stays, the rest is decoded from its expert and moved. */
static void translations_start_from_one_modality_and_hold_it(void **state)
{
	enum { DRAW = 255 };
	learner_rig r;
	mmi_latents eps, prior;
	mm_error e = MM_ERROR_INIT;
	uint32_t times[RIG_MODALITIES] = { 0 };
	(void)state;
	rig_open(&r, SETS("learner.translation_share=0.5", "learner.private_dim=2", "data.hide=0.3",
	                  "learner.missing_energy=skip"));
	r.lacking = true;
	rig_run(&r, 1);
	mmi_learner *l = r.learner;
	assert_int_equal(l->given.rows, B / 2);
	assert_int_equal(mmi_latents_create(r.model, B, &eps, &e), MM_OK);
	assert_int_equal(mmi_latents_create(r.model, B, &prior, &e), MM_OK);
	mmi_sampler_standard(l->sampler, mmi_whole(B), DRAW, 0, &eps);
	mmi_sampler_prior(l->sampler, mmi_whole(B), 0, 0, &prior);
	for (uint32_t b = 0; b < B; b++) {
		if (b < B / 2)
			assert_expert_s_draw(&r, &eps, b);
		else
			assert_memory_equal(l->z_prior.z.at + b * D, prior.z + b * D, D * sizeof(float));
		for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
			size_t count = (size_t)r.modality[m].count, at = b * count;
			bool given = b < B / 2 && l->given.expert[b] == m;
			times[m] += given;
			assert_true(!given || r.observed[m][b] > 0);
			assert_true(given == !memcmp(l->generated.x[m].at + at, r.x[m] + at, count * sizeof(float)));
			assert_true(given == !memcmp(l->generated.x[m].at + at, l->revised.x[m].at + at, count * sizeof(float)));
		}
	}
	assert_true(times[0] && times[1] && times[2]); /* of 8 draws */
	mmi_latents_clear(&eps);
	mmi_latents_clear(&prior);
	rig_close(&r);
}

/* By then the encoders have been run on what they see of the batch, for the contrastive loss, and have learned. */
static void refreshed_translations_start_from_the_data_as_experts_tell_it_now(void **state)
{
	enum { DRAW = 255 };
	learner_rig r;
	mmi_latents eps;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	open_varied(&r, SETS("learner.translation_share=1", "learner.private_dim=2", "learner.refresh_negatives=yes",
	                     "learner.contrast_factor=2", "learner.lr_inference=0.01"));
	iterate_seeing(&r, 3);
	assert_int_equal(mmi_latents_create(r.model, B, &eps, &e), MM_OK);
	mmi_sampler_standard(r.learner->sampler, mmi_whole(B), DRAW, 0, &eps);
	const mmi_experts experts = experts_on_host(&r.learner->experts);
	mmi_sampler_encode(r.learner->sampler, (const float *const *)r.x, B, &experts);
	for (uint32_t b = 0; b < B; b++)
		assert_expert_s_draw(&r, &eps, b);
	mmi_latents_clear(&eps);
	rig_close(&r);
}

/* Three pictures, of which translations hold one: k steps of noise n move an element by n sqrt(k), in units of its
 * range of 2, and s is such that what moves drifts as far as asked. Of latents likewise, where chains hold two w of
 * three. */
static void what_is_held_is_no_part_of_how_far_chains_move(void **state)
{
	static const char *const shares[] = { "learner.translation_share=0", "learner.translation_share=0.5",
		                                  "learner.translation_share=1" };
	mmi_modality three[RIG_MODALITIES];
	(void)state;
	for (int m = 0; m < RIG_MODALITIES; m++) {
		three[m] = rig_modality(RIG_PICTURE);
		snprintf(three[m].name, sizeof three[m].name, "m%d", m);
	}
	for (size_t i = 0; i < MMI_COUNT(shares); i++) {
		learner_rig r;
		double z_noise2 = 0, drift = 0;
		rig_open_with(&r,
		              SETS(shares[i], "learner.x_step=auto(0.03)", "learner.x_steps=1", "learner.x_noise=0.02",
		                   "learner.clamp=no", "learner.lr_energy=0", "learner.lr_generator=0", "learner.private_dim=2",
		                   "learner.private_chain=own", "learner.z_steps=4", "learner.z_noise=0.3"),
		              three, RIG_MODALITIES);
		for (int t = 0; t < MMI_CALIBRATE; t++) {
			mmi_measures m = rig_run(&r, 1);
			z_noise2 += m.z_noise * m.z_noise / MMI_CALIBRATE;
		}
		for (int t = 0; t < 4; t++) { /* a batch's own drift is up to a ninth off */
			mmi_measures m = rig_run(&r, 1);
			drift += m.x_drift / 4;
			if (!(fabs(m.x_noise - 0.01) < 0.02 * 0.01))
				fail_msg("%s: noise %g", shares[i], m.x_noise);
		}
		if (!(fabs(drift - 0.03) < 0.1 * 0.03))
			fail_msg("%s: drift %g", shares[i], drift);
		if (!(fabs(sqrt(z_noise2) - 0.6) < 0.03 * 0.6))
			fail_msg("%s: noise of the latents %g", shares[i], sqrt(z_noise2));
		rig_close(&r);
	}
}

/* A generator that no update reaches is its own average. */
static void an_average_of_no_updates_is_the_generator(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.generator_ema=0.9", "learner.generator_updates=0"));
	rig_run(&r, 2);
	mmi_learner_fetch(r.learner, NULL);
	assert_memory_equal(r.learner->generator.ema_copy.host, r.model->generator->raw_copy.host,
	                    r.model->generator->count * sizeof(float));
	rig_close(&r);
}

static void translations_do_not_depend_on_threads(void **state)
{
	learner_rig one, three;
	(void)state;
	rig_open(&one, SETS("learner.translation_share=0.75", "learner.private_dim=2", "run.threads=1"));
	rig_open(&three, SETS("learner.translation_share=0.75", "learner.private_dim=2", "run.threads=3"));
	rig_run(&one, 3);
	rig_run(&three, 3);
	rig_assert_same(&one, &three);
	rig_close(&one);
	rig_close(&three);
}

static void buffered_chains_go_on_where_they_stopped(void **state)
{
	learner_rig r;
	float before[B * D];
	(void)state;
	rig_open(&r, SETS("learner.x_start=buffer", "learner.x_buffer=16", "learner.x_refresh=0"));
	rig_run(&r, 1);
	size_t bytes = B * (size_t)r.modality[0].count * sizeof(float);
	float *revised = mmi_alloc(1, bytes);
	memcpy(revised, r.learner->revised.x[0].at, bytes);
	memcpy(before, r.learner->z_prior.z.at, sizeof before);
	rig_run(&r, 1);
	assert_memory_equal(r.learner->generated.x[0].at, revised, bytes);
	assert_memory_equal(r.learner->z_prior.z.at, before, sizeof before);
	assert_memory_not_equal(r.learner->revised.x[0].at, revised, bytes);
	mmi_free(revised);
	rig_close(&r);
	rig_open(&r, SETS("learner.x_start=buffer", "learner.x_buffer=16", "learner.x_refresh=1"));
	rig_run(&r, 2);
	assert_memory_not_equal(r.learner->z_prior.z.at, before, sizeof before);
	rig_close(&r);
}

static void the_moving_average_is_a_mean_at_first(void **state)
{
	learner_rig r;
	double sum = 0;
	(void)state;
	rig_open(&r, SETS("learner.generator_ema=0.999"));
	for (int t = 0; t < 4; t++) {
		rig_run(&r, 1);
		sum += (double)r.model->generator->raw.at[0] / 4;
	}
	assert_true(fabs((double)r.learner->generator.ema.at[0] - sum) < 1e-6);
	assert_null(r.learner->energy.ema.at);
	rig_close(&r);
}

static void independent_inference_gives_each_chain_its_own_modality(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.inference=independent", "learner.experts=all"));
	rig_run(&r, 1);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		for (uint32_t i = 0; i < B * RIG_MODALITIES; i++)
			assert_true(r.learner->masks.observed[m][i] == (i / B == m ? 1.0f : 0.0f));
	rig_close(&r);
}

static void independent_generators_share_no_latent(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.generators=independent"));
	mmi_measures m = rig_run(&r, 3);
	assert_null(r.learner->z.z.at);
	assert_true(isfinite(m.loss_generator) && isfinite(m.loss_inference) && isfinite(m.gap) && m.u_end < m.u_start);
	rig_close(&r);
}

static void baselines_train_all_but_the_energy(void **state)
{
	static const char *const objectives[] = { "learner.objective=mmvae", "learner.objective=mvae",
		                                      "learner.objective=mopoe", "learner.objective=mvtcae" };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(objectives); i++) {
		learner_rig r;
		rig_open(&r, SETS(objectives[i]));
		uint64_t energy = rig_hash(r.model->energy), generator = rig_hash(r.model->generator);
		double first = rig_run(&r, 1).elbo, last = rig_run(&r, 60).elbo;
		assert_true(last < first);
		assert_true(rig_hash(r.model->energy) == energy && rig_hash(r.model->generator) != generator);
		rig_close(&r);
	}
}

static void elbo_updates_come_on_top_of_the_chains(void **state)
{
	learner_rig plain, both;
	(void)state;
	rig_open(&plain, NULL);
	rig_open(&both, SETS("learner.elbo_updates=1"));
	mmi_measures a = rig_run(&plain, 1), b = rig_run(&both, 1);
	assert_true(isnan(a.elbo) && isfinite(b.elbo));
	assert_true(a.u_start == b.u_start && rig_hash(plain.model->generator) != rig_hash(both.model->generator));
	rig_close(&plain);
	rig_close(&both);
}

/* ---------------------------------------------------------------- settings of older checkpoints */

static mmi_settings migrated(const char *const *sets)
{
	mmi_config *c;
	mmi_settings s;
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_config_create(&c, &e), MM_OK);
	for (size_t i = 0; sets[i]; i++)
		assert_int_equal(mmi_config_set(c, sets[i], &e), MM_OK);
	assert_int_equal(mmi_settings_migrate(c, &e), MM_OK);
	assert_int_equal(mmi_settings_read(c, &s, &e), MM_OK);
	assert_int_equal(mmi_config_check(c, &e), MM_OK);
	mmi_config_destroy(c);
	return s;
}

static void older_checkpoints_keep_what_their_settings_mean(void **state)
{
	(void)state;
	mmi_settings s = migrated(SETS("learner.guide_steps=40", "learner.guide_weight=30", "learner.guide_candidates=2",
	                               "learner.translation_candidates=16", "learner.translation_guide_steps=-1",
	                               "learner.translation_x_steps=0", "learner.translation_temperature=0.25",
	                               "learner.chain_interval=8", "learner.guide_training=no"));
	assert_int_equal(s.sample.latent_steps, 40);
	assert_int_equal(s.translate.latent_steps, 40);
	assert_true(s.sample.weight == 30 && s.translate.weight == 30 && s.translate.temperature == 0.25);
	assert_int_equal(s.sample.candidates, 2);
	assert_int_equal(s.translate.candidates, 16);
	assert_int_equal(s.translate.data_steps, 0);
	assert_int_equal(s.sample.data_steps, -1);
}

/* ---------------------------------------------------------------- refusals */

static void refuse(const char *const *sets, const char *said)
{
	mmi_config *c;
	mmi_settings s;
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_config_create(&c, &e), MM_OK);
	for (; *sets; sets++)
		assert_int_equal(mmi_config_set(c, *sets, &e), MM_OK);
	assert_int_equal(mmi_settings_read(c, &s, &e), MM_ECONFIG);
	if (!strstr(e.message, said))
		fail_msg("\"%s\" does not say \"%s\"", e.message, said);
	mmi_config_destroy(c);
}

static mmi_settings settings_of(const char *const *sets)
{
	mmi_config *c = NULL;
	mmi_settings s;
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_config_create(&c, &e), MM_OK);
	for (; *sets; sets++)
		assert_int_equal(mmi_config_set(c, *sets, &e), MM_OK);
	assert_int_equal(mmi_settings_read(c, &s, &e), MM_OK);
	mmi_config_destroy(c);
	return s;
}

/* Chains of the learner start from single experts whatever is asked for at use. */
static void what_translations_from_several_start_from(void **state)
{
	const struct {
		const char *sets[3];
		mmi_fusion at_use, learning;
	} cases[] = {
		{ { NULL }, MMI_FUSION_MIXTURE, MMI_FUSION_MIXTURE },
		{ { "learner.fusion=product" }, MMI_FUSION_PRODUCT, MMI_FUSION_MIXTURE },
		{ { "learner.warmup_objective=mopoe" }, MMI_FUSION_PRODUCT, MMI_FUSION_MIXTURE },
		{ { "learner.warmup_objective=mopoe", "learner.fusion=mixture" }, MMI_FUSION_MIXTURE, MMI_FUSION_MIXTURE },
		{ { "learner.warmup_objective=mvtcae" }, MMI_FUSION_PRODUCT, MMI_FUSION_MIXTURE },
		{ { "learner.objective=mvae" }, MMI_FUSION_PRODUCT_PRIOR, MMI_FUSION_PRODUCT_PRIOR },
		{ { "learner.warmup_objective=helvae" }, MMI_FUSION_HELLINGER, MMI_FUSION_MIXTURE },
		{ { "learner.objective=helvae" }, MMI_FUSION_HELLINGER, MMI_FUSION_HELLINGER },
		{ { "learner.objective=mmjsd" }, MMI_FUSION_MIXTURE, MMI_FUSION_MIXTURE },
		{ { "learner.objective=mwbvae", "learner.prior=laplace" }, MMI_FUSION_BARYCENTRE, MMI_FUSION_BARYCENTRE },
		{ { "learner.objective=codevae" }, MMI_FUSION_CONSENSUS, MMI_FUSION_CONSENSUS },
		{ { "learner.fusion=consensus" }, MMI_FUSION_CONSENSUS, MMI_FUSION_MIXTURE },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mmi_settings s = settings_of(cases[i].sets);
		assert_int_equal(s.fusion, cases[i].at_use);
		assert_int_equal(s.model.fusion, cases[i].learning);
	}
	refuse(SETS("learner.fusion=product", "learner.prior=laplace"), "a product of Laplace experts is no Laplace");
}

static void combinations_without_meaning_are_refused(void **state)
{
	(void)state;
	refuse(SETS("learner.objective=mvae", "learner.prior=laplace"), "learner.objective=mvae: expected");
	refuse(SETS("learner.objective=mvae", "learner.prior=laplace"), "a product of Laplace experts is no Laplace");
	refuse(SETS("learner.objective=mopoe", "learner.prior=laplace"), "a product of Laplace experts is no Laplace");
	refuse(SETS("learner.objective=mvtcae", "learner.prior=laplace"), "a product of Laplace experts is no Laplace");
	refuse(SETS("learner.latent_dim=8", "learner.contrast_dim=9"), "at most latent_dim");
	refuse(SETS("learner.objective=helvae", "learner.prior=laplace"), "a product of Laplace experts is no Laplace");
	refuse(SETS("learner.fusion=hellinger", "learner.prior=laplace"), "mixture or barycentre");
	refuse(SETS("learner.warmup=10", "learner.warmup_objective=codevae"), "a baseline only");
	refuse(SETS("learner.correlation=1"), "learner.correlation");
	refuse(SETS("learner.objective=mmvae+"), "need private latents");
	refuse(SETS("learner.objective=cmvae"), "need private latents");
	refuse(SETS("learner.objective=mvebm", "learner.draws=2"), "no mean over experts");
	refuse(SETS("learner.warmup=10", "learner.warmup_objective=mvebm"), "a baseline only");
	refuse(SETS("learner.private_dim=3", "learner.warmup=9", "learner.warmup_objective=cmvae"), "a baseline only");
	refuse(SETS("learner.objective=mvae", "learner.private_dim=4"), "know no private latents");
	refuse(SETS("learner.objective=mopoe", "learner.draws=2"), "no mean over experts");
	refuse(SETS("learner.objective=helvae", "learner.gradient=dreg"), "no weights of draws");
	refuse(SETS("learner.warmup=10", "learner.warmup_objective=mopoe", "learner.draws=2"), "no mean over experts");
	refuse(SETS("learner.draws=0"), "from 1 to");
	refuse(SETS("learner.generators=independent", "learner.private_dim=4"), "private_dim");
	refuse(SETS("learner.generators=independent", "learner.warmup=10"), "an ELBO needs a shared latent");
	refuse(SETS("learner.inference=independent"), "experts = all");
	refuse(SETS("learner.inference=independent", "learner.experts=all", "data.hide=0.1"), "may be missing");
	refuse(SETS("learner.warmup=10", "learner.warmup_objective=mvae"), "single experts");
	refuse(SETS("learner.objective=mvae", "learner.fusion=mixture"), "nothing but multiplied");
	refuse(SETS("learner.generators=independent", "energy.agreement=1"), "agree on");
	refuse(SETS("learner.x_start=noise", "learner.translation_share=0.5"), "a translation starts at the generator");
	refuse(SETS("learner.generators=independent", "learner.translation_share=0.5"),
	       "nothing is shared to translate by");
	refuse(SETS("learner.translation_share=1.5"), "translation_share");
	refuse(SETS("learner.x_start=buffer", "learner.x_buffer=3"), "at least one batch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_checkpoints_keep_what_their_settings_mean),
		cmocka_unit_test(the_generator_learns_every_modality_from_chains_that_saw_one),
		cmocka_unit_test(private_chains_move_every_w_or_only_the_expert_s_own),
		cmocka_unit_test(chains_start_from_observed_experts_only),
		cmocka_unit_test(what_is_missing_changes_nothing),
		cmocka_unit_test(incomplete_tuples_are_completed_with_what_is_there_held),
		cmocka_unit_test(skipped_tuples_do_not_enter_the_energy),
		cmocka_unit_test(the_contrastive_loss_is_of_what_encoders_see),
		cmocka_unit_test(the_contrastive_gradient_is_of_what_encoders_see),
		cmocka_unit_test(only_the_inference_model_learns_from_what_encoders_see),
		cmocka_unit_test(noise_starts_are_in_the_support_and_teach_no_pairs),
		cmocka_unit_test(translations_start_from_one_modality_and_hold_it),
		cmocka_unit_test(refreshed_translations_start_from_the_data_as_experts_tell_it_now),
		cmocka_unit_test(what_is_held_is_no_part_of_how_far_chains_move),
		cmocka_unit_test(an_average_of_no_updates_is_the_generator),
		cmocka_unit_test(translations_do_not_depend_on_threads),
		cmocka_unit_test(buffered_chains_go_on_where_they_stopped),
		cmocka_unit_test(the_moving_average_is_a_mean_at_first),
		cmocka_unit_test(independent_inference_gives_each_chain_its_own_modality),
		cmocka_unit_test(independent_generators_share_no_latent),
		cmocka_unit_test(baselines_train_all_but_the_energy),
		cmocka_unit_test(elbo_updates_come_on_top_of_the_chains),
		cmocka_unit_test(what_translations_from_several_start_from),
		cmocka_unit_test(combinations_without_meaning_are_refused),
	};

	return cmocka_run_group_tests_name("switches", tests, NULL, NULL);
}
