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
	};

	return cmocka_run_group_tests_name("priors", tests, NULL, NULL);
}
