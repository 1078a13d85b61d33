/* test_prior.c - what the sampler draws from priors other than the standard one: clusters that a model learned, and
 * mixtures that were fitted; their means and covariances are those of the mixture, and nothing else changes. */
#include "mmi_build.h"

#include "../rig/device_rig.h"
#include "../rig/linear_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { Z = 2, W = 1, ROWS = 16384 };

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

typedef struct moments {
	double mean[Z], covariance[Z][Z];
} moments;

static moments moments_of(const float *x, int dim)
{
	moments m = { .mean = { 0 } };
	for (int r = 0; r < ROWS; r++)
		for (int d = 0; d < dim; d++)
			m.mean[d] += (double)x[r * dim + d] / ROWS;
	for (int r = 0; r < ROWS; r++)
		for (int d = 0; d < dim; d++)
			for (int k = 0; k < dim; k++)
				m.covariance[d][k] +=
					((double)x[r * dim + d] - m.mean[d]) * ((double)x[r * dim + k] - m.mean[k]) / ROWS;
	return m;
}

/* Of clusters with these weights and means, and covariance `within` each. */
static moments mixture(const double *weight, const float mean[][Z], const double within[][Z][Z], int n)
{
	moments m = { .mean = { 0 } };
	for (int c = 0; c < n; c++)
		for (int d = 0; d < Z; d++)
			m.mean[d] += weight[c] * (double)mean[c][d];
	for (int c = 0; c < n; c++)
		for (int d = 0; d < Z; d++)
			for (int k = 0; k < Z; k++)
				m.covariance[d][k] +=
					weight[c] * (within[c][d][k] + ((double)mean[c][d] - m.mean[d]) * ((double)mean[c][k] - m.mean[k]));
	return m;
}

static void same(const moments *found, const moments *want, const char *what)
{
	for (int d = 0; d < Z; d++) {
		if (!(fabs(found->mean[d] - want->mean[d]) < 0.05))
			fail_msg("%s: mean %d is %g, expected %g", what, d, found->mean[d], want->mean[d]);
		for (int k = 0; k < Z; k++)
			if (!(fabs(found->covariance[d][k] - want->covariance[d][k]) < 0.08))
				fail_msg("%s: covariance %d %d is %g, expected %g", what, d, k, found->covariance[d][k],
				         want->covariance[d][k]);
	}
}

static float *set_parameter(linear_rig *r, const char *name, const float *values, size_t n)
{
	float *to = (float *)(uintptr_t)linear_parameter(r->model->generator, "%s", name);
	memcpy(to, values, n * sizeof *to);
	return to;
}

static const float means[2][Z] = { { 2, -1 }, { -1, 0.5f } };
static const double weights[2] = { 0.75, 0.25 };

static void a_model_s_clusters_are_drawn_from(void **state)
{
	static const char *const names[] = { "normal clusters", "Laplace clusters" };
	(void)state;
	for (int laplace = 0; laplace < 2; laplace++) {
		const double v = laplace ? 2 : 1, within[2][Z][Z] = { { { v, 0 }, { 0, v } }, { { v, 0 }, { 0, v } } };
		const float logits[] = { logf(3) + 50, 50 };
		linear_rig r;
		mmi_latents z;
		mm_error e = MM_ERROR_INIT;
		linear_open(&r,
		            (mmi_model_config){ .latent_dim = Z, .private_dim = W, .clusters = 2, .prior = (mmi_prior)laplace },
		            ROWS);
		set_parameter(&r, "prior.means.weight", &means[0][0], 2 * Z);
		set_parameter(&r, "prior.logits.weight", logits, 2);
		must(mmi_latents_create(r.model, ROWS, &z, &e), &e);
		mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 7, &z);
		const moments found = moments_of(z.z, Z), want = mixture(weights, means, within, 2);
		same(&found, &want, names[laplace]);
		const moments w = moments_of(z.w[1], W); /* is as it was */
		assert_true(fabs(w.mean[0]) < 0.05 && fabs(w.covariance[0][0] - v) < 0.1);
		mmi_latents_clear(&z);
		linear_close(&r);
	}
}

/* Both kinds of covariance; w has a mixture of its own. Other models' draws of the same name do not change. */
static void fitted_mixtures_are_drawn_from_while_they_are_used(void **state)
{
	static float log_weight[] = { 0.28768207f, -0.81093022f }, diagonal[2][Z] = { { 0.5f, 2 }, { 1, 0.25f } },
				 lower[2][Z][Z] = { { { 1, 0 }, { -0.5f, 0.5f } }, { { 0.5f, 0 }, { 1, 2 } } }, w_loc[] = { 5 },
				 w_scale[] = { 0.5f }, one[] = { 0 };
	const double of_diagonal[2][Z][Z] = { { { 0.25, 0 }, { 0, 4 } }, { { 1, 0 }, { 0, 0.0625 } } },
				 of_lower[2][Z][Z] = { { { 1, -0.5 }, { -0.5, 0.5 } }, { { 0.25, 0.5 }, { 0.5, 5 } } };
	mmi_fitted_prior prior = { .z = { .n = 2,
		                              .dim = Z,
		                              .log_weight = { log_weight },
		                              .loc = { (float *)(uintptr_t)means },
		                              .scale = { &diagonal[0][0] } } };
	linear_rig r;
	mmi_latents before, z;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	log_weight[0] = logf(3) + log_weight[1]; /* 0.75 and 0.25 */
	prior.w[2] = (mmi_clusters){ .n = 1, .dim = W, .log_weight = { one }, .loc = { w_loc }, .scale = { w_scale } };
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = W }, ROWS);
	must(mmi_latents_create(r.model, ROWS, &z, &e), &e);
	must(mmi_latents_create(r.model, ROWS, &before, &e), &e);
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 7, &before);
	mmi_sampler_use_prior(r.sampler, &prior);
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 7, &z);
	moments found = moments_of(z.z, Z), want = mixture(weights, means, of_diagonal, 2);
	same(&found, &want, "diagonal");
	found = moments_of(z.w[2], W);
	assert_true(fabs(found.mean[0] - 5) < 0.05 && fabs(found.covariance[0][0] - 0.25) < 0.05);
	assert_memory_equal(z.w[0], before.w[0], ROWS * sizeof(float));
	prior.z.full = true;
	prior.z.scale.at = &lower[0][0][0];
	mmi_sampler_use_prior(r.sampler, &prior);
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 7, &z);
	found = moments_of(z.z, Z), want = mixture(weights, means, of_lower, 2);
	same(&found, &want, "full");
	mmi_sampler_use_prior(r.sampler, NULL);
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 7, &z);
	assert_memory_equal(z.z, before.z, Z * ROWS * sizeof(float));
	mmi_latents_clear(&z);
	mmi_latents_clear(&before);
	linear_close(&r);
}

/* ---------------------------------------------------------------- an energy of latents */

/* f(z) = slope . z: of a leaky layer, whose leaky(x) - leaky(-x) is 1.2 x, on another. */
static void set_energy(linear_rig *r, const float slope[Z])
{
	enum { HIDDEN = 200 };
	mmi_params *p = r->model->energy;
	for (size_t i = 0; i < p->n; i++)
		if (!strncmp(p->info[i].name, "prior.", 6))
			memset(p->raw.at + p->info[i].offset, 0, p->info[i].count * sizeof(float));
	float *first = (float *)(uintptr_t)linear_parameter(p, "prior.hidden1.weight"),
		  *second = (float *)(uintptr_t)linear_parameter(p, "prior.hidden2.weight"),
		  *out = (float *)(uintptr_t)linear_parameter(p, "prior.out.weight");
	for (int k = 0; k < 2; k++) {
		const float sign = k ? -1.0f : 1.0f;
		for (int d = 0; d < Z; d++)
			first[d * HIDDEN + k] = sign * slope[d];
		second[k * HIDDEN] = sign / 1.2f;
		second[k * HIDDEN + 1] = -sign / 1.2f;
		out[k] = sign / 1.2f;
	}
	mmi_params_update(p, 0);
}

static const float slope[Z] = { 1.5f, -0.5f }, flat[Z] = { 0, 0 };

/* ROWS draws of a model whose chain has so many steps. */
static void draw_with_energy(uint32_t steps, const float of[Z], const mmi_fitted_prior *fitted, uint32_t chain,
                             mmi_span span, float *z)
{
	linear_rig r;
	mmi_latents l;
	mm_error e = MM_ERROR_INIT;
	linear_open(&r,
	            (mmi_model_config){
					.latent_dim = Z, .private_dim = W, .latent_energy = true, .prior_steps = steps, .prior_step = 0.4 },
	            ROWS);
	set_energy(&r, of);
	must(mmi_latents_create(r.model, ROWS, &l, &e), &e);
	mmi_sampler_use_prior(r.sampler, fitted);
	mmi_sampler_prior(r.sampler, span, chain, 7, &l);
	memcpy(z, l.z, (size_t)span.rows * Z * sizeof *z);
	mmi_latents_clear(&l);
	linear_close(&r);
}

/* exp(slope . z) times the standard density is N(slope, 1). After n steps of z + s^2/2 (slope - z) + s noise the mean
 * is short of it by (1 - s^2/2)^n, and the variance has come from 1 to that of these steps. */
static void a_chain_draws_from_a_prior_with_an_energy(void **state)
{
	static float z[ROWS * Z];
	const double keep = 1 - 0.08;
	(void)state;
	for (uint32_t steps = 0; steps <= 60; steps += 20) {
		double variance = 1;
		moments want = { .mean = { 0 } };
		char name[32];
		for (uint32_t k = 0; k < steps; k++)
			variance = keep * keep * variance + 0.16;
		for (int d = 0; d < Z; d++) {
			want.mean[d] = (double)slope[d] * (1 - pow(keep, steps));
			want.covariance[d][d] = variance;
		}
		snprintf(name, sizeof name, "%u steps", steps);
		draw_with_energy(steps, slope, NULL, 0, mmi_whole(ROWS), z);
		const moments found = moments_of(z, Z);
		same(&found, &want, name);
	}
}

/* Two chains with the same noise differ by the drift of the energy alone; a chain has noise of its own for each draw;
 * part of a batch has the draws of the whole. */
static void a_step_is_the_drift_and_noise_of_its_own(void **state)
{
	enum { PART = 128, FIRST = 256 };
	static float with[ROWS * Z], without[ROWS * Z], start[2][ROWS * Z], second[ROWS * Z], part[PART * Z];
	(void)state;
	draw_with_energy(1, slope, NULL, 0, mmi_whole(ROWS), with);
	draw_with_energy(1, flat, NULL, 0, mmi_whole(ROWS), without);
	draw_with_energy(0, flat, NULL, 0, mmi_whole(ROWS), start[0]);
	draw_with_energy(0, flat, NULL, 1, mmi_whole(ROWS), start[1]);
	draw_with_energy(1, flat, NULL, 1, mmi_whole(ROWS), second);
	double together = 0;
	for (int i = 0; i < ROWS * Z; i++) {
		assert_true(fabs((double)with[i] - (double)without[i] - 0.08 * (double)slope[i % Z]) < 1e-5);
		const double first = (double)without[i] - 0.92 * (double)start[0][i],
					 other = (double)second[i] - 0.92 * (double)start[1][i];
		together += first * other / (0.16 * ROWS * Z);
	}
	assert_true(fabs(together) < 0.03);
	draw_with_energy(1, slope, NULL, 0, (mmi_span){ FIRST, PART, ROWS }, part);
	assert_memory_equal(part, with + FIRST * Z, sizeof part);
}

/* Its draws are those of the mixture: nothing is to be moved. */
static void a_fitted_prior_takes_the_chain_s_place(void **state)
{
	static float many[ROWS * Z], none[ROWS * Z], log_weight[] = { 0, 0 };
	const mmi_fitted_prior prior = {
		.z = { .n = 2, .dim = Z, .log_weight = { log_weight }, .loc = { (float *)(uintptr_t)means } }
	};
	(void)state;
	draw_with_energy(20, slope, &prior, 0, mmi_whole(ROWS), many);
	draw_with_energy(0, slope, &prior, 0, mmi_whole(ROWS), none);
	assert_memory_equal(many, none, sizeof many);
}

/* A part of a batch has the draws that it has in the whole. */
static void parts_of_a_batch_have_its_draws(void **state)
{
	enum { PART = 128, FIRST = 256 };
	const float logits[] = { 0, 0.5f };
	linear_rig r;
	mmi_latents all, part;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = W, .clusters = 2 }, ROWS);
	set_parameter(&r, "prior.means.weight", &means[0][0], 2 * Z);
	set_parameter(&r, "prior.logits.weight", logits, 2);
	must(mmi_latents_create(r.model, ROWS, &all, &e), &e);
	must(mmi_latents_create(r.model, PART, &part, &e), &e);
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 1, 3, &all);
	mmi_sampler_prior(r.sampler, (mmi_span){ FIRST, PART, ROWS }, 1, 3, &part);
	assert_memory_equal(part.z, all.z + FIRST * Z, PART * Z * sizeof(float));
	mmi_latents_clear(&all);
	mmi_latents_clear(&part);
	linear_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_s_clusters_are_drawn_from),
		cmocka_unit_test(fitted_mixtures_are_drawn_from_while_they_are_used),
		cmocka_unit_test(parts_of_a_batch_have_its_draws),
		cmocka_unit_test(a_chain_draws_from_a_prior_with_an_energy),
		cmocka_unit_test(a_step_is_the_drift_and_noise_of_its_own),
		cmocka_unit_test(a_fitted_prior_takes_the_chain_s_place),
	};

	return cmocka_run_group_tests_name("priors", tests, NULL, NULL);
}
