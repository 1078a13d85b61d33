/* test_swaps.c - tuples with one modality swapped as negatives of the energy: which rows are mixed, their factors and
 * ranks from energies made by hand, rows that are left out, and the gradient that comes of it. */
#include "mmi_build.h"

#include "../rig/comm_rig.h"
#include "../rig/learner_rig.h"
#include "../rig/rows_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { A, B, N /* modalities: two sensors */, ROWS = 4, FLOATS = 6, NEF_FEATURES = 8 };

static float *tensor(const mmi_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name))
			return p->raw.at + p->info[i].offset;
	fail_msg("%s lacks %s", p->name, name);
	return NULL;
}

static void clear(const mmi_params *p)
{
	memset(p->raw.at, 0, p->count * sizeof *p->raw.at);
}

/* Two sensors and an energy of weights made by hand: E = x_a[0] + 10 x_b[0], for values that are not negative. */
static void open_rig(learner_rig *r)
{
	mmi_modality two[N] = { rig_modality(RIG_SENSOR), rig_modality(RIG_SENSOR) };
	snprintf(two[A].name, sizeof two[A].name, "a");
	snprintf(two[B].name, sizeof two[B].name, "b");
	rig_open_with(r, SETS("energy.head=linear", "energy.spectral_norm=no", "energy.swap_factor=1"), two, N);
	clear(r->model->energy);
	tensor(r->model->energy, "a.features.linear.weight")[0] = 1;
	tensor(r->model->energy, "b.features.linear.weight")[0] = 1;
	tensor(r->model->energy, "head.energy.weight")[0] = 1;
	tensor(r->model->energy, "head.energy.weight")[NEF_FEATURES] = 10;
	mmi_params_update(r->model->energy, 0);
}

typedef struct table { /* rows of both modalities; only the first value of each counts */
	float a[ROWS * FLOATS], b[ROWS * FLOATS];
	const float *x[N];
} table;

static void fill(table *t, const float value[ROWS])
{
	memset(t, 0, sizeof *t);
	for (int i = 0; i < ROWS; i++)
		t->a[i * FLOATS] = t->b[i * FLOATS] = value[i];
	t->x[A] = t->a;
	t->x[B] = t->b;
}

static void create(mmi_swaps *k, const learner_rig *r)
{
	const mmi_reduce all = reduce_alone(ROWS);
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_swaps_create(r->model, &all, k, &e), MM_OK);
}

/* The mean of E, and the rank. */
static const double *told(const mmi_swaps *k)
{
	return k->told.at;
}

static void make_swaps(mmi_swaps *k, learner_rig *r, const table *t, const float *whole, double factor, double margin,
                       uint32_t iteration, uint32_t number)
{
	static double of_last[2];
	const mmi_reduce all = reduce_alone(ROWS);
	const mmi_device_rows x = on_device(t->x, N);
	const mmi_all_rows none = { 0 };
	const mmi_swaps_args a = { .x = &x,
		                       .all = &none,
		                       .whole = whole,
		                       .whole_there = mmi_floats_direct(whole),
		                       .told = { of_last },
		                       .factor = factor,
		                       .margin = margin,
		                       .iteration = iteration,
		                       .number = number };
	mmi_swaps_make(k, r->learner->sampler, r->model, &all, &a);
}

/* Which row a modality's value of a swapped row came from. */
static int source(const mmi_swaps *k, const float *value, int m, int row)
{
	for (int i = 0; i < ROWS; i++)
		if (k->x.x[m].at[row * FLOATS] >= value[i] && k->x.x[m].at[row * FLOATS] <= value[i])
			return i;
	fail_msg("row %d has %g, which no row of the data has", row, (double)k->x.x[m].at[row * FLOATS]);
	return -1;
}

static void near(double found, double expected, const char *what)
{
	if (!(fabs(found - expected) <= 1e-5 * fmax(1, fabs(expected))))
		fail_msg("%s is %.9g, expected %.9g", what, found, expected);
}

static void one_modality_comes_from_any_other_row(void **state)
{
	static const float value[ROWS] = { 1, 2, 3, 4 };
	learner_rig r;
	mmi_swaps k;
	table t;
	int times[N][ROWS][ROWS] = { { { 0 } } };
	(void)state;
	open_rig(&r);
	fill(&t, value);
	create(&k, &r);
	for (uint32_t iteration = 0; iteration < 1200; iteration++) {
		make_swaps(&k, &r, &t, NULL, 1, 0, iteration, 0);
		for (int row = 0; row < ROWS; row++) {
			int a = source(&k, value, A, row), b = source(&k, value, B, row);
			assert_true((a == row) != (b == row)); /* exactly one */
			times[a == row ? B : A][row][a == row ? b : a]++;
			near((double)k.e_data.at[row], 11.0 * (double)value[row], "E of a tuple");
			near((double)k.e_swapped.at[row], (double)value[a] + 10.0 * (double)value[b], "E of a swapped tuple");
		}
	}
	/* 1200 times one of six for each row: 200, with a standard deviation of 12.9. */
	for (int m = 0; m < N; m++)
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < ROWS; j++)
				assert_true(i == j ? times[m][i][j] == 0 : abs(times[m][i][j] - 200) < 60);
	mmi_swaps_clear(r.model, &k);
	rig_close(&r);
}

/* Six swaps of a row are possible: two updates of an iteration make the same one as often as two iterations do. */
static void every_update_of_an_iteration_swaps_anew(void **state)
{
	static const float value[ROWS] = { 1, 2, 3, 4 };
	learner_rig r;
	mmi_swaps k;
	table t;
	int same = 0;
	(void)state;
	open_rig(&r);
	fill(&t, value);
	create(&k, &r);
	for (uint32_t iteration = 0; iteration < 300; iteration++) {
		int from[2][N][ROWS];
		for (uint32_t number = 0; number < 2; number++) {
			make_swaps(&k, &r, &t, NULL, 1, 0, iteration, number);
			for (int m = 0; m < N; m++)
				for (int row = 0; row < ROWS; row++)
					from[number][m][row] = source(&k, value, m, row);
		}
		for (int row = 0; row < ROWS; row++)
			same += from[0][A][row] == from[1][A][row] && from[0][B][row] == from[1][B][row];
	}
	assert_true(abs(same - 200) < 60); /* a sixth of 1200, as above */
	mmi_swaps_clear(r.model, &k);
	rig_close(&r);
}

/* In the learner too: what the last update was shown depends on how many there were. */
static void the_learner_s_updates_swap_anew(void **state)
{
	const mmi_modality vectors[N] = { rig_modality(RIG_WORDS), rig_modality(RIG_SENSOR) };
	learner_rig r[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		rig_open_with(&r[i],
		              SETS("energy.swap_factor=1", "learner.lr_energy=0",
		                   i ? "learner.energy_updates=2" : "learner.energy_updates=1"),
		              vectors, N);
		rig_run(&r[i], 1);
	}
	assert_memory_not_equal(r[0].learner->swaps.x.x[B].at, r[1].learner->swaps.x.x[B].at, 16 * FLOATS * sizeof(float));
	rig_close(&r[0]);
	rig_close(&r[1]);
}

/* E(data) is 11, 22, 33, 44: their standard deviation is 11 sqrt(5) / 2 = 12.298. A swap of a changes E by 1 to 3, one
 * of b by 10 to 30: with a margin of half a deviation, 6.15, a rise by b is enough and one by a is not; with two, 24.6,
 * only one of 30. */
static void factors_are_those_of_rows_below_the_margin(void **state)
{
	static const float value[ROWS] = { 1, 2, 3, 4 };
	static const struct {
		double margin, enough; /* rises from here on count no more */
	} cases[] = { { 0, 0 }, { 0.5, 6.1492 }, { 2, 24.597 }, { 100, 1e9 } };
	learner_rig r;
	mmi_swaps k;
	table t;
	int counted[MMI_COUNT(cases)] = { 0 };
	(void)state;
	open_rig(&r);
	fill(&t, value);
	create(&k, &r);
	for (size_t c = 0; c < MMI_COUNT(cases); c++)
		for (uint32_t iteration = 0; iteration < 50; iteration++) {
			int right = 0;
			make_swaps(&k, &r, &t, NULL, 0.75, cases[c].margin, iteration, 0);
			for (int row = 0; row < ROWS; row++) {
				double rise = (double)value[source(&k, value, A, row)] +
				              10.0 * (double)value[source(&k, value, B, row)] - 11.0 * (double)value[row];
				bool counts = rise < cases[c].enough;
				near((double)k.seed_swapped.at[row], counts ? 0.75 : 0, "the factor of a swapped tuple");
				near((double)k.seed_data.at[row], counts ? 1.75 : 1, "the factor of a tuple");
				right += rise > 0;
				counted[c] += counts;
			}
			near(told(&k)[1], right / 4.0, "the rank");
			near(told(&k)[0], 27.5, "the mean of E");
		}
	/* A wider margin lets more of them count: those that fall, nearly half; then also rises by a; all but few; all. */
	assert_true(counted[0] > 70 && counted[0] < 130);
	assert_true(counted[0] < counted[1] && counted[1] < counted[2] && counted[2] < counted[3]);
	assert_int_equal(counted[3], 50 * ROWS);
	mmi_swaps_clear(r.model, &k);
	rig_close(&r);
}

/* Row 1 is incomplete; what stands there would change everything. The others have 11, 33, 44: mean 88 / 3, standard
 * deviation sqrt(1694 / 9) = 13.719. */
static void rows_that_are_left_out_have_no_part(void **state)
{
	static const float value[ROWS] = { 1, 1e6f, 3, 4 }, whole[ROWS] = { 1, 0, 1, 1 };
	learner_rig r;
	mmi_swaps k;
	table t;
	int at_margin = 0;
	(void)state;
	open_rig(&r);
	fill(&t, value);
	create(&k, &r);
	for (uint32_t iteration = 0; iteration < 100; iteration++) {
		int right = 0;
		make_swaps(&k, &r, &t, whole, 1, 1.5, iteration, 0);
		for (int row = 0; row < ROWS; row++) {
			int a = source(&k, value, A, row), b = source(&k, value, B, row);
			double rise = (double)value[a] + 10.0 * (double)value[b] - 11.0 * (double)value[row];
			if (row == 1) {
				assert_true(k.seed_data.at[row] == 0 && k.seed_swapped.at[row] == 0);
				continue;
			}
			assert_true(a != 1 && b != 1);
			assert_true((a == row) != (b == row));
			bool counts = rise < 1.5 * 13.719; /* 20.6: one of 20 counts, one of 30 does not */
			at_margin += rise > 15;
			near((double)k.seed_swapped.at[row], counts, "the factor of a swapped tuple");
			near((double)k.seed_data.at[row], 1 + counts, "the factor of a tuple");
			right += rise > 0;
		}
		near(told(&k)[1], right / 3.0, "the rank");
		near(told(&k)[0], 88.0 / 3, "the mean of E");
	}
	assert_true(at_margin > 20);
	/* One row alone has nothing to be swapped with: both factors, of the same tuple, cancel. */
	make_swaps(&k, &r, &t, (const float[]){ 0, 0, 1, 0 }, 1, 1, 0, 0);
	near((double)k.e_swapped.at[2], 33, "E of what could not be swapped");
	near((double)k.seed_data.at[2] - (double)k.seed_swapped.at[2], 1, "what is left of both factors");
	make_swaps(&k, &r, &t, (const float[]){ 0, 0, 0, 0 }, 1, 1, 0, 0);
	assert_true(isnan(told(&k)[1]));
	mmi_swaps_clear(r.model, &k);
	rig_close(&r);
}

/* ---------------------------------------------------------------- the gradient */

/* Feature k of the linear head, for each row: E with a head that reads it alone. */
static void feature(learner_rig *r, size_t k, float *const *x, float *out)
{
	float *head = tensor(r->model->energy, "head.energy.weight"), kept[64];
	size_t n = 2 * NEF_FEATURES;
	memcpy(kept, head, n * sizeof *head);
	memset(head, 0, n * sizeof *head);
	head[k] = 1;
	mmi_params_update(r->model->energy, 0);
	mmi_sampler_energy(r->learner->sampler, (const float *const *)x, r->settings.batch, out);
	memcpy(head, kept, n * sizeof *head);
	mmi_params_update(r->model->energy, 0);
}

static double weighed(const float *value, const float *factor, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += (factor ? (double)factor[i] : 1) * (double)value[i] / n;
	return sum;
}

/* To the head's weights it is the features' means: of the data with their factors, less those of the swapped tuples
 * with theirs, less those of the revised tuples. */
static void the_energy_learns_with_these_factors(void **state)
{
	const mmi_modality vectors[N] = { rig_modality(RIG_WORDS), rig_modality(RIG_SENSOR) };
	learner_rig r;
	float value[16];
	(void)state;
	rig_open_with(&r,
	              SETS("energy.head=linear", "energy.spectral_norm=no", "energy.swap_factor=0.6",
	                   "energy.swap_margin=0.5", "learner.lr_energy=0", "learner.x_noise=0"),
	              vectors, N);
	mmi_measures m = rig_run(&r, 1);
	const mmi_learner *l = r.learner;
	const float *gradient =
		l->energy_lanes.lane[0].at + (tensor(r.model->energy, "head.energy.weight") - r.model->energy->raw.at);
	double size = 0;
	float *made[MMI_MAX_MODALITIES];
	int counted = 0;
	for (uint32_t i = 0; i < 16; i++)
		counted += l->swaps.seed_swapped.at[i] > 0;
	assert_in_range(counted, 1, 15); /* some do, some do not */
	for (size_t k = 0; k < 2 * NEF_FEATURES; k++) {
		feature(&r, k, r.x, value);
		double expected = weighed(value, l->swaps.seed_data.at, 16);
		feature(&r, k, on_host(&l->swaps.x, made), value);
		expected -= weighed(value, l->swaps.seed_swapped.at, 16);
		feature(&r, k, on_host(&l->revised, made), value);
		expected -= weighed(value, NULL, 16);
		near((double)gradient[k], expected, "a head weight's gradient");
		size += fabs(expected);
	}
	assert_true(size > 0.01);
	near(m.e_data, weighed(l->swaps.e_data.at, NULL, 16), "the mean of E(data), without factors");
	near(m.swap_rank, told(&l->swaps)[1], "the rank in the metrics");
	rig_close(&r);
}

/* The experts' agreement is no part of what swaps teach: neither of their ranks nor of the gradient. */
static void agreement_changes_nothing_that_swaps_teach(void **state)
{
	const mmi_modality vectors[N] = { rig_modality(RIG_WORDS), rig_modality(RIG_SENSOR) };
	learner_rig with, without;
	mmi_measures m[2];
	(void)state;
	rig_open_with(&without, SETS("energy.swap_factor=1", "energy.swap_margin=0.5"), vectors, N);
	rig_open_with(&with, SETS("energy.swap_factor=1", "energy.swap_margin=0.5", "energy.agreement=50"), vectors, N);
	m[0] = rig_run(&without, 3);
	m[1] = rig_run(&with, 3);
	near(m[1].swap_rank, m[0].swap_rank, "the rank");
	near(m[1].e_data, m[0].e_data, "the mean of E(data)");
	assert_memory_equal(without.learner->swaps.seed_swapped.at, with.learner->swaps.seed_swapped.at,
	                    16 * sizeof(float));
	rig_assert_same(&without, &with);
	rig_close(&without);
	rig_close(&with);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_modality_comes_from_any_other_row),
		cmocka_unit_test(every_update_of_an_iteration_swaps_anew),
		cmocka_unit_test(the_learner_s_updates_swap_anew),
		cmocka_unit_test(factors_are_those_of_rows_below_the_margin),
		cmocka_unit_test(rows_that_are_left_out_have_no_part),
		cmocka_unit_test(the_energy_learns_with_these_factors),
		cmocka_unit_test(agreement_changes_nothing_that_swaps_teach),
	};
	return cmocka_run_group_tests_name("swaps", tests, NULL, NULL);
}
