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

/* Settings of an objective, and whether it is of those asked for. */
static size_t settings_of(const mmi_objective *o, char name[64], const char *sets[MOST_SETS])
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
	return n;
}

static double mean_elbo(learner_rig *r, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += rig_run(r, 1).elbo;
	return sum / n;
}

static void train(const mmi_objective *o, bool lacking)
{
	char name[64];
	const char *sets[MOST_SETS] = { NULL };
	learner_rig r;
	size_t n = settings_of(o, name, sets);
	if (lacking)
		sets[n++] = "data.incomplete=keep";
	rig_open(&r, sets);
	r.lacking = lacking;
	const double start = mean_elbo(&r, AVERAGED);
	rig_run(&r, ITERATIONS - 2 * AVERAGED);
	const double end = mean_elbo(&r, AVERAGED);
	/* codevae has a constant far below 0 */
	if (!(end < start - 10))
		fail_msg("%s%s: %g at the start, %g after %d iterations", o->name, lacking ? ", with missing modalities" : "",
		         start, end, ITERATIONS);
	rig_close(&r);
}

static void every_objective_learns(void **state)
{
	(void)state;
	for (int i = 0; mmi_objectives[i]; i++)
		train(mmi_objectives[i], false);
}

static void every_objective_learns_from_incomplete_tuples(void **state)
{
	(void)state;
	for (int i = 0; mmi_objectives[i]; i++)
		train(mmi_objectives[i], true);
}

static void threads_do_not_matter_to_any_objective(void **state)
{
	char name[64];
	(void)state;
	for (int i = 0; mmi_objectives[i]; i++) {
		const char *sets[MOST_SETS] = { NULL };
		learner_rig one, three;
		const size_t n = settings_of(mmi_objectives[i], name, sets);
		rig_open(&one, sets);
		sets[n] = "run.threads=3";
		rig_open(&three, sets);
		rig_run(&one, 3);
		rig_run(&three, 3);
		rig_assert_same(&one, &three);
		rig_close(&one);
		rig_close(&three);
	}
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
		cmocka_unit_test(threads_do_not_matter_to_any_objective),
	};

	return cmocka_run_group_tests_name("training by objectives", tests, NULL, NULL);
}
