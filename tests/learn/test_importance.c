/* test_importance.c - several draws of each expert in the learner: the gradient is that of the bound that it tells, by
 * central differences, whatever is missing; draws are of their own; the contrastive loss counts once. What weights and
 * gradients are of numbers is in test_baselines.c. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STILL "learner.lr_generator=0", "learner.lr_inference=0"
#define SETS(...) ((const char *const[]){ STILL, __VA_ARGS__, NULL })

/* The first iteration, again and again: parameters stay. */
static double bound(learner_rig *r)
{
	r->learner->state.iteration = 0;
	return rig_run(r, 1).elbo;
}

static float *gradient(learner_rig *r, const mmi_lanes *lanes)
{
	float *g = mmi_alloc(lanes->count, sizeof *g);
	assert_non_null(g);
	bound(r);
	memcpy(g, lanes->lane[0].at, lanes->count * sizeof *g);
	return g;
}

static double norm_of(const float *g, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)g[i] * (double)g[i];
	return sqrt(sum);
}

/* The bound at raw + h g / |g|. */
static double moved(learner_rig *r, mmi_params *p, const float *g, double norm, double h)
{
	float *kept = mmi_alloc(p->count, sizeof *kept);
	assert_non_null(kept);
	memcpy(kept, p->raw.at, p->count * sizeof *kept);
	for (size_t i = 0; i < p->count; i++)
		p->raw.at[i] += (float)(h * (double)g[i] / norm);
	mmi_params_update(p, 0);
	const double value = bound(r);
	memcpy(p->raw.at, kept, p->count * sizeof *kept);
	mmi_params_update(p, 0);
	mmi_free(kept);
	return value;
}

/* What the bound changes by along a gradient, in units of its norm. */
static double slope(learner_rig *r, const mmi_lanes *lanes, mmi_params *p)
{
	const double h = 2e-3;
	float *g = gradient(r, lanes);
	const double norm = norm_of(g, lanes->count);
	assert_true(norm > 1);
	const double along = (moved(r, p, g, norm, h) - moved(r, p, g, norm, -h)) / (2 * h);
	mmi_free(g);
	return along / norm;
}

static void check_slopes(const char *const *sets, bool lacking, bool inference)
{
	learner_rig r;
	rig_open(&r, sets);
	r.lacking = lacking;
	const double of_generator = slope(&r, &r.learner->generator_lanes, r.model->generator);
	if (!(fabs(of_generator - 1) < 5e-3))
		fail_msg("%s: the generator's gradient tells %g of the change", sets[2], of_generator);
	const double of_inference = inference ? slope(&r, &r.learner->inference_lanes, r.model->inference) : 1;
	if (!(fabs(of_inference - 1) < 5e-3))
		fail_msg("%s: the inference model's gradient tells %g of the change", sets[2], of_inference);
	rig_close(&r);
}

static void the_gradient_is_that_of_the_bound(void **state)
{
	(void)state;
	check_slopes(SETS("learner.objective=mmvae", "learner.draws=3"), false, true);
	check_slopes(SETS("learner.objective=mmvae", "learner.draws=3", "data.incomplete=keep"), true, true);
	check_slopes(SETS("learner.objective=mmvae+", "learner.draws=3", "learner.private_dim=2"), false, true);
	check_slopes(SETS("learner.objective=mmvae+", "learner.draws=3", "learner.private_dim=2", "data.incomplete=keep"),
	             true, true);
	check_slopes(SETS("learner.objective=cmvae", "learner.draws=2", "learner.private_dim=2", "learner.clusters=3"),
	             false, true);
	check_slopes(SETS("learner.warmup=5", "learner.draws=4", "learner.beta=2.5"), false, true);
}

/* To the encoders it is another one: how large, in units of the bound's. */
static double other_gradient(const char *const *sets, const char *const *doubly, bool lacking)
{
	learner_rig plain, dreg;
	rig_open(&plain, sets);
	rig_open(&dreg, doubly);
	plain.lacking = dreg.lacking = lacking;
	const size_t n = plain.learner->inference_lanes.count;
	float *a = gradient(&plain, &plain.learner->inference_lanes), *b = gradient(&dreg, &dreg.learner->inference_lanes);
	const double norm = norm_of(a, n);
	for (size_t i = 0; i < n; i++)
		b[i] -= a[i];
	const double apart = norm_of(b, n) / norm;
	mmi_free(a);
	mmi_free(b);
	rig_close(&plain);
	rig_close(&dreg);
	return apart;
}

#define SHARED "learner.objective=mmvae", "learner.draws=3"
#define PRIVATE "learner.objective=mmvae+", "learner.draws=3", "learner.private_dim=2", "data.incomplete=keep"

static void the_doubly_reparametrised_one_is_that_of_the_bound_to_the_generator_alone(void **state)
{
	(void)state;
	check_slopes(SETS(SHARED, "learner.gradient=dreg"), false, false);
	check_slopes(SETS(PRIVATE, "learner.gradient=dreg"), true, false);
	assert_true(other_gradient(SETS(SHARED), SETS(SHARED, "learner.gradient=dreg"), false) > 0.1);
	assert_true(other_gradient(SETS(PRIVATE), SETS(PRIVATE, "learner.gradient=dreg"), true) > 0.1);
}

/* The first draw is the one that there is without others. */
static void draws_are_of_their_own(void **state)
{
	learner_rig one, three;
	(void)state;
	rig_open(&one, SETS("learner.objective=mmvae"));
	rig_open(&three, SETS("learner.objective=mmvae", "learner.draws=3"));
	bound(&one);
	bound(&three);
	const size_t n = one.settings.batch * (size_t)mmi_model_z_dim(one.model);
	for (uint32_t i = 0; i < one.learner->n_eps; i++) {
		const float *z = three.learner->eps[i].z.at;
		assert_memory_equal(z, one.learner->eps[i].z.at, n * sizeof *z);
		for (size_t k = 0; k < 3; k++)
			for (uint32_t other = 0; other < i; other++)
				assert_memory_not_equal(z + k * n, three.learner->eps[other].z.at + k * n, n * sizeof *z);
		assert_memory_not_equal(z, z + n, n * sizeof *z);
		assert_memory_not_equal(z + n, z + 2 * n, n * sizeof *z);
	}
	rig_close(&one);
	rig_close(&three);
}

/* What an ELBO of so many draws and the contrastive loss give the inference model, less what the ELBO gives alone. */
static float *contrastive(const char *draws, size_t *n)
{
	learner_rig with, without;
	rig_open(&with, SETS("learner.objective=mmvae", "learner.contrast_factor=20", draws));
	rig_open(&without, SETS("learner.objective=mmvae", draws));
	float *g = gradient(&with, &with.learner->inference_lanes),
		  *alone = gradient(&without, &without.learner->inference_lanes);
	*n = with.learner->inference_lanes.count;
	for (size_t i = 0; i < *n; i++)
		g[i] -= alone[i];
	mmi_free(alone);
	rig_close(&with);
	rig_close(&without);
	return g;
}

static void the_contrastive_loss_counts_once(void **state)
{
	size_t n;
	(void)state;
	float *one = contrastive("learner.draws=1", &n), *three = contrastive("learner.draws=3", &n);
	const double norm = norm_of(one, n);
	assert_true(norm > 0.1);
	for (size_t i = 0; i < n; i++)
		three[i] -= one[i];
	assert_true(norm_of(three, n) < 1e-2 * norm);
	mmi_free(one);
	mmi_free(three);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gradient_is_that_of_the_bound),
		cmocka_unit_test(the_doubly_reparametrised_one_is_that_of_the_bound_to_the_generator_alone),
		cmocka_unit_test(draws_are_of_their_own),
		cmocka_unit_test(the_contrastive_loss_counts_once),
	};

	return cmocka_run_group_tests_name("draws weighted by importance", tests, NULL, NULL);
}
