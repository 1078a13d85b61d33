/* test_trains.c - every objective learns on made-up data: 200 iterations, complete and with missing modalities, after
 * which its negative ELBO is lower than at the start; what it learns has the same bits for any number of threads. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "learn/objectives/objective.h"

enum { ITERATIONS = 200, AVERAGED = 10, MOST_SETS = 12 };

/* Further ways to learn by some of them. */
static const struct {
	const mmi_objective *objective;
	const char *sets[3];
} variants[] = {
	{ &mmi_objective_mmvae, { "learner.draws=3" } },
	{ &mmi_objective_mmvae, { "learner.draws=3", "learner.gradient=dreg" } },
	{ &mmi_objective_mmvae, { "learner.gradient=dreg" } },
	{ &mmi_objective_mmvae_plus, { "learner.draws=3", "learner.prior=laplace", "learner.scale_head=softmax" } },
	{ &mmi_objective_mmvae_plus, { "learner.draws=3", "learner.gradient=dreg" } },
	{ &mmi_objective_cmvae, { "learner.draws=2" } },
	{ &mmi_objective_mvebm, { "learner.private_dim=2", "learner.prior=laplace" } },
};

/* Settings of an objective, and of a variant of it unless that is negative. */
static size_t settings_of(const mmi_objective *o, int variant, char name[64], const char *sets[MOST_SETS])
{
	size_t n = 0;
	snprintf(name, 64, "learner.objective=%s", o->name);
	sets[n++] = name;
	sets[n++] = "learner.z_steps=0";
	sets[n++] = "learner.x_steps=0";
	if (o->private_only)
		sets[n++] = "learner.private_dim=2";
	if (o->clusters)
		sets[n++] = "learner.clusters=5";
	if (o->latent_energy)
		sets[n++] = "learner.prior_steps=10";
	for (int i = 0; variant >= 0 && i < 3 && variants[variant].sets[i]; i++)
		sets[n++] = variants[variant].sets[i];
	return n;
}

/* All objectives, then all variants. */
static void each(void (*call)(const mmi_objective *o, int variant, bool lacking), bool lacking)
{
	for (int i = 0; mmi_objectives[i]; i++)
		call(mmi_objectives[i], -1, lacking);
	for (size_t i = 0; i < MMI_COUNT(variants); i++)
		call(variants[i].objective, (int)i, lacking);
}

static double mean_elbo(learner_rig *r, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += rig_run(r, 1).elbo;
	return sum / n;
}

static void train(const mmi_objective *o, int variant, bool lacking)
{
	char name[64];
	const char *sets[MOST_SETS] = { NULL };
	learner_rig r;
	size_t n = settings_of(o, variant, name, sets);
	if (lacking)
		sets[n++] = "data.incomplete=keep";
	rig_open(&r, sets);
	r.lacking = lacking;
	const double start = mean_elbo(&r, AVERAGED);
	rig_run(&r, ITERATIONS - 2 * AVERAGED);
	const double end = mean_elbo(&r, AVERAGED);
	/* codevae has a constant far below 0 */
	if (!(end < start - 10))
		fail_msg("%s, variant %d%s: %g at the start, %g after %d iterations", o->name, variant,
		         lacking ? ", with missing modalities" : "", start, end, ITERATIONS);
	rig_close(&r);
}

static void every_objective_learns(void **state)
{
	(void)state;
	each(train, false);
}

static void every_objective_learns_from_incomplete_tuples(void **state)
{
	(void)state;
	each(train, true);
}

static void compare_threads(const mmi_objective *o, int variant, bool lacking)
{
	char name[64];
	const char *sets[MOST_SETS] = { NULL };
	learner_rig one, three;
	const size_t n = settings_of(o, variant, name, sets);
	(void)lacking;
	rig_open(&one, sets);
	sets[n] = "run.threads=3";
	rig_open(&three, sets);
	rig_run(&one, 3);
	rig_run(&three, 3);
	rig_assert_same(&one, &three);
	rig_close(&one);
	rig_close(&three);
}

/* All encoders say that latents are far from the standard prior, and do not learn: in time the chain finds them. */
static void the_energy_of_latents_leads_the_prior_to_the_experts(void **state)
{
	enum { UPDATES = 400 };
	const float far = 1.5f;
	learner_rig r;
	(void)state;
	rig_open(&r, (const char *const[]){ "learner.objective=mvebm", "learner.lr_generator=0", "learner.lr_inference=0",
	                                    "learner.lr_energy=1e-3", NULL });
	mmi_params *p = r.model->inference;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; strstr(p->info[i].name, "encoder.loc.bias") && k < p->info[i].count; k++)
			p->raw.at[p->info[i].offset + k] = far;
	mmi_params_update(p, 0);
	const mmi_measures first = rig_run(&r, 1);
	rig_run(&r, UPDATES - AVERAGED);
	double mean = 0, gap = 0;
	const size_t n = r.settings.batch * (size_t)mmi_model_z_dim(r.model);
	for (int i = 0; i < AVERAGED; i++) {
		gap += rig_run(&r, 1).gap / AVERAGED;
		for (size_t k = 0; k < n; k++)
			mean += (double)r.learner->z_prior.z.at[k] / (double)(n * AVERAGED);
	}
	print_message("latents from the prior are %.2f in the mean, the experts' %.1f; f is %.3g apart, %.3g at first\n",
	              mean, (double)far, gap, first.gap);
	assert_true(isfinite(first.gap) && isfinite(first.norm_energy) && isfinite(first.e_data));
	assert_true(fabs(mean - (double)far) < 0.4);
	rig_close(&r);
}

static void threads_do_not_matter_to_any_objective(void **state)
{
	(void)state;
	each(compare_threads, false);
}

static void settings_name_them_in_their_order(void **state)
{
	int i = 0;
	(void)state;
	for (; mmi_objectives[i]; i++)
		assert_string_equal(mmi_objective_names[i], mmi_objectives[i]->name);
	assert_null(mmi_objective_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_name_them_in_their_order),
		cmocka_unit_test(every_objective_learns),
		cmocka_unit_test(every_objective_learns_from_incomplete_tuples),
		cmocka_unit_test(the_energy_of_latents_leads_the_prior_to_the_experts),
		cmocka_unit_test(threads_do_not_matter_to_any_objective),
	};

	return cmocka_run_group_tests_name("training by objectives", tests, NULL, NULL);
}
