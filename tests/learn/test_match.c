/* test_match.c - E_match: the ranking loss and the networks against PyTorch, what leaves them as they are, what is
 * learned of modalities whose mutual information is known, and E_match in the learner. */
#include "mmi_build.h"

#include "../reference/match_values.h"
#include "../rig/device_rig.h"
#include "../rig/learner_rig.h"
#include "../rig/rows_rig.h"
#include "model/rows.h"
#include "engine/vec.h"
#include "learn/measure.h"
#include "learn/terms/terms.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { M = RIG_MODALITIES };

static void near(double found, double expected, double relative, const char *what)
{
	if (!(fabs(found - expected) <= relative * (fabs(expected) + 1e-3)))
		fail_msg("%s: %.9g, expected %.9g", what, found, expected);
}

/* As make_match.py. */
static void numbers(uint32_t seed, size_t n, double factor, float *out)
{
	for (size_t i = 0; i < n; i++) {
		seed = 1664525u * seed + 1013904223u;
		out[i] = (float)(factor * (double)(float)((double)seed / 4294967296.0 - 0.5));
	}
}

/* ---------------------------------------------------------------- the loss */

typedef struct units {
	mmi_ranking ranking;
	float x[M][RANKING_ROWS * RANKING_DIM], there[M][RANKING_ROWS];
	uint32_t n;
	double told[MMI_RANK_TOLD];
} units;

static void open_units(units *u, uint32_t n)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_model model = { .device = cpu_device(), .n_modalities = n };
	*u = (units){ .n = n };
	assert_int_equal(mmi_ranking_create(&model, RANKING_ROWS, RANKING_DIM, &u->ranking, &e), MM_OK);
	for (uint32_t m = 0; m < n; m++) {
		numbers(10 + m, RANKING_ROWS * RANKING_DIM, 1, u->x[m]);
		for (uint32_t i = 0; i < RANKING_ROWS; i++) {
			float *x = u->x[m] + i * RANKING_DIM;
			double square = 0;
			for (int k = 0; k < RANKING_DIM; k++)
				square += (double)x[k] * (double)x[k];
			for (int k = 0; k < RANKING_DIM; k++)
				x[k] = (float)((double)x[k] / sqrt(square));
			u->there[m][i] = (i + m) % 4 == 0 || (i == 1 && m) ? 0 : 1;
		}
	}
}

static void close_units(units *u)
{
	const mmi_model model = { .device = cpu_device() };
	mmi_ranking_clear(&model, &u->ranking);
}

/* Of the first rows. Returns what is told. */
static const double *rank_units(units *u, bool lacking, uint32_t rows)
{
	mmi_floats unit[M], there[M];
	float scale = (float)ranking_scale;
	for (uint32_t m = 0; m < u->n; m++) {
		unit[m].at = u->x[m];
		there[m].at = u->there[m];
	}
	mmi_ranking_make(&u->ranking, cpu_device(), unit, lacking ? there : NULL, rows, (mmi_floats){ &scale },
	                 (mmi_doubles){ u->told });
	return u->told;
}

static void compare_ranking(uint32_t n, bool lacking, double loss, double scale, const double *grad)
{
	units u;
	open_units(&u, n);
	const double *told = rank_units(&u, lacking, RANKING_ROWS);
	near(told[MMI_RANK_LOSS], loss, 1e-6, "the loss");
	near(told[MMI_RANK_SCALE_GRAD], scale, 1e-5, "its gradient to log(1 / tau)");
	for (uint32_t m = 0; m < n; m++)
		for (size_t k = 0; k < RANKING_ROWS * RANKING_DIM; k++)
			near((double)u.ranking.grad.x[m].at[k], grad[m * RANKING_ROWS * RANKING_DIM + k], 1e-5, "a gradient");
	close_units(&u);
}

static void the_loss_and_its_gradient_are_pytorchs(void **state)
{
	(void)state;
	compare_ranking(2, false, ranking_two_loss, ranking_two_scale, ranking_two_grad);
	compare_ranking(3, false, ranking_three_loss, ranking_three_scale, ranking_three_grad);
	compare_ranking(3, true, ranking_lacking_loss, ranking_lacking_scale, ranking_lacking_grad);
}

static void the_gradient_is_that_of_central_differences(void **state)
{
	units u;
	float grad[M][RANKING_ROWS * RANKING_DIM];
	const double h = 1e-3;
	(void)state;
	open_units(&u, M);
	rank_units(&u, true, RANKING_ROWS);
	for (int m = 0; m < M; m++)
		memcpy(grad[m], u.ranking.grad.x[m].at, sizeof grad[m]);
	for (int m = 0; m < M; m++)
		for (int k = 0; k < RANKING_ROWS * RANKING_DIM; k++) {
			double value[2];
			const float kept = u.x[m][k];
			for (int side = 0; side < 2; side++) {
				u.x[m][k] = kept + (float)(side ? h : -h);
				value[side] = rank_units(&u, true, RANKING_ROWS)[MMI_RANK_LOSS];
			}
			const double apart = (double)(kept + (float)h) - (double)(kept - (float)h);
			u.x[m][k] = kept;
			if (!(fabs((value[1] - value[0]) / apart - (double)grad[m][k]) < 1e-5))
				fail_msg("modality %d, number %d: %g, by differences %g", m, k, (double)grad[m][k],
				         (value[1] - value[0]) / apart);
		}
	close_units(&u);
}

static void the_order_of_tuples_does_not_matter(void **state)
{
	units a, b;
	(void)state;
	open_units(&a, M);
	open_units(&b, M);
	for (int m = 0; m < M; m++)
		for (int i = 0; i < RANKING_ROWS; i++) {
			const int from = (i + 2) % RANKING_ROWS;
			memcpy(b.x[m] + i * RANKING_DIM, a.x[m] + from * RANKING_DIM, RANKING_DIM * sizeof(float));
			b.there[m][i] = a.there[m][from];
		}
	const double *of_a = rank_units(&a, true, RANKING_ROWS), *of_b = rank_units(&b, true, RANKING_ROWS);
	near(of_b[MMI_RANK_LOSS], of_a[MMI_RANK_LOSS], 1e-12, "the loss");
	near(of_b[MMI_RANK_FIRST], of_a[MMI_RANK_FIRST], 1e-12, "the share that is first");
	for (int m = 0; m < M; m++)
		for (int i = 0; i < RANKING_ROWS; i++)
			for (int k = 0; k < RANKING_DIM; k++)
				near((double)b.ranking.grad.x[m].at[i * RANKING_DIM + k],
				     (double)a.ranking.grad.x[m].at[(i + 2) % RANKING_ROWS * RANKING_DIM + k], 1e-6, "a gradient");
	close_units(&a);
	close_units(&b);
}

/* Of one tuple, and where no two have the same modalities, there is nothing to rank; of two there is. */
static void few_tuples_are_enough_or_left_alone(void **state)
{
	units u;
	(void)state;
	open_units(&u, M);
	const double *told = rank_units(&u, false, 1);
	assert_true(isnan(told[MMI_RANK_LOSS]) && isnan(told[MMI_RANK_FIRST]));
	for (int m = 0; m < M; m++)
		for (int k = 0; k < RANKING_DIM; k++)
			assert_true(!(fabsf(u.ranking.grad.x[m].at[k]) > 0));
	rank_units(&u, false, 2);
	assert_true(told[MMI_RANK_LOSS] > 0 && told[MMI_RANK_LOSS] < 10);
	for (int m = 0; m < M; m++)
		for (int i = 0; i < RANKING_ROWS; i++)
			u.there[m][i] = m == i % M;
	assert_true(isnan(rank_units(&u, true, RANKING_ROWS)[MMI_RANK_LOSS]));
	close_units(&u);
}

/* ---------------------------------------------------------------- the networks */

static double along(const float *x, size_t n, uint32_t seed)
{
	float *probe = malloc(n * sizeof *probe);
	double sum = 0;
	assert_non_null(probe);
	numbers(seed, n, 1, probe);
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)probe[i];
	free(probe);
	return sum;
}

static double squares(const float *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sum;
}

/* A rig with E_match, its parameters and the batch made by formula. */
static void open_formula(learner_rig *r)
{
	rig_open(r, SETS("energy.match=towers", "learner.batch=4"));
	mmi_params *p = r->model->match;
	for (size_t i = 0; i < p->n; i++)
		numbers(100 + (uint32_t)i, p->info[i].count, 4 / sqrt((double)p->info[i].fan_in),
		        p->raw.at + p->info[i].offset);
	mmi_params_update(p, 0);
	rig_batch(r, 0);
	for (uint32_t m = 0; m < M; m++)
		numbers(1 + m, MATCH_ROWS * (size_t)r->modality[m].count, 2, r->x[m]);
}

/* One update, and what it tells. */
static mm_status update_match(learner_rig *r, mmi_measures *m, mm_error *e)
{
	mmi_learner_take(r->learner, &r->batch);
	mmi_readings_begin(r->learner);
	mmi_update_match(r->learner, &r->batch);
	return mmi_readings_end(r->learner, m, e);
}

static void the_networks_and_their_gradients_are_pytorchs(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	float energy[MATCH_ROWS];
	(void)state;
	open_formula(&r);
	const mmi_params *p = r.model->match;
	assert_int_equal(p->n, MMI_COUNT(match_grad_along));
	mmi_sampler_energies(r.learner->sampler, (const float *const *)r.x, MATCH_ROWS,
	                     &(mmi_energies){ .term[MMI_TERM_MATCH] = energy });
	for (int i = 0; i < MATCH_ROWS; i++)
		near((double)energy[i], match_energy[i], 1e-5, "E_match");

	mmi_measures m = mmi_measures_none(true);
	r.learner->match_optimiser.config.rate = 0; /* the gradients, without the step */
	assert_int_equal(update_match(&r, &m, &e), MM_OK);
	near(m.match, match_loss, 1e-5, "the loss");
	for (size_t i = 0; i < p->n; i++) {
		const float *grad = r.learner->match_lanes.lane[0].at + p->info[i].offset;
		near(squares(grad, p->info[i].count), match_grad_squares[i], 1e-3, p->info[i].name);
		near(along(grad, p->info[i].count, 500 + (uint32_t)i), match_grad_along[i], 1e-3, p->info[i].name);
	}
	rig_close(&r);
}

/* The gradient to the samples, as latent chains send it on to the decoders. */
static void the_gradient_to_samples_is_pytorchs(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_network net;
	mm_tensor x[M], energy, dx[M];
	(void)state;
	open_formula(&r);
	assert_int_equal(mmi_network_open(&net, &e), MM_OK);
	for (int m = 0; m < M; m++)
		x[m] = mmi_input(net.graph, r.modality[m].name, r.modality[m].info.shape);
	assert_int_equal(mmi_model_term(r.model, MMI_TERM_MATCH, net.graph, x, &energy, &e), MM_OK);
	mmi_grad_request request = {
		.loss = energy, .seed = mmi_const(net.graph, mmi_shape(0), 1), .wrt = x, .n_wrt = M, .grads = dx
	};
	assert_int_equal(mmi_graph_grad(net.graph, &request, &e), MM_OK);
	assert_int_equal(mmi_network_compile(&net, r.model->device, dx, M, MATCH_ROWS, 1, &e), MM_OK);
	for (int m = 0; m < M; m++)
		mmi_program_feed(net.programs[0], x[m], MATCH_ROWS, r.x[m]);
	mmi_program_run(net.programs[0]);
	for (int m = 0; m < M; m++) {
		const size_t n = MATCH_ROWS * (size_t)r.modality[m].count;
		float *grad = malloc(n * sizeof *grad);
		assert_non_null(grad);
		mmi_program_read(net.programs[0], dx[m], MATCH_ROWS, grad);
		near(squares(grad, n), match_dx_squares[m], 1e-4, r.modality[m].name);
		near(along(grad, n, 300 + (uint32_t)m), match_dx_along[m], 1e-3, r.modality[m].name);
		free(grad);
	}
	mmi_network_clear(&net);
	rig_close(&r);
}

static void set_raw_scale(learner_rig *r, float raw)
{
	mmi_params *p = r->model->match;
	const mmi_param_info *last = &p->info[p->n - 1];
	assert_string_equal(last->name, "temperature.scale.weight");
	p->raw.at[last->offset] = raw;
	mmi_params_update(p, 0);
}

/* tau stays between 0.01 and 1 whatever its parameter, so E_match stays within the number of pairs over 0.01. */
static void the_temperature_has_bounds(void **state)
{
	static const struct {
		float raw;
		double tau;
	} cases[] = { { -1000, 1 }, { 0, 0.1 }, { 1000, 0.01 } };
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("energy.match=towers"));
	const mmi_batch *batch = rig_batch(&r, 0);
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		float energy[16];
		mmi_match *k = &r.learner->match;
		float *unit[MMI_MAX_MODALITIES];
		set_raw_scale(&r, cases[i].raw);
		mmi_sampler_embed(r.learner->sampler, (const float *const *)batch->x, 16, on_host(&k->unit, unit), k->scale.at);
		near(exp(-(double)k->scale.at[0]), cases[i].tau, 1e-5, "the temperature");
		mmi_sampler_energies(r.learner->sampler, (const float *const *)batch->x, 16,
		                     &(mmi_energies){ .term[MMI_TERM_MATCH] = energy });
		for (int b = 0; b < 16; b++) {
			near(squares(unit[0] + b * MMI_MATCH_DIM, MMI_MATCH_DIM), 1, 1e-5, "the length of a unit vector");
			assert_true(fabs((double)energy[b]) <= 1.0001 * M * (M - 1) / 2 / cases[i].tau);
		}
	}
	rig_close(&r);
}

/* ---------------------------------------------------------------- what it learns */

enum { PAIR_BATCH = 64, SENSORS = 6 };

/* Two sensors. `make` fills both rows of a sample and tells its pointwise mutual information. */
typedef double pair_maker(const double normal[4 * SENSORS], float *a, float *b);

static double normal_at(uint32_t iteration, uint32_t sample, uint32_t k)
{
	uint32_t w[4];
	mmi_philox(mmi_rng_key(5, "pairs"), (const uint32_t[4]){ k, sample, 0, iteration }, w);
	const double u = ((double)w[0] + 0.5) * 0x1p-32, v = ((double)w[1] + 0.5) * 0x1p-32;
	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

static void fill_pairs(learner_rig *r, uint32_t iteration, pair_maker *make, double *information)
{
	for (uint32_t i = 0; i < PAIR_BATCH; i++) {
		double normal[4 * SENSORS];
		for (uint32_t k = 0; k < 4 * SENSORS; k++)
			normal[k] = normal_at(iteration, i, k);
		const double pmi = make(normal, r->x[0] + i * SENSORS, r->x[1] + i * SENSORS);
		if (information)
			information[i] = pmi;
	}
	r->batch = (mmi_batch){ .iteration = iteration, .size = PAIR_BATCH, .x = r->x };
}

/* The first two numbers correlate by 0.8, the others are noise. */
static double correlated_information(const float *a, const float *b)
{
	const double rho = 0.8, rest = 1 - rho * rho;
	double sum = 0;
	for (int k = 0; k < 2; k++) {
		const double x = (double)a[k], y = (double)b[k];
		sum += -0.5 * log(rest) - (rho * rho * (x * x + y * y) - 2 * rho * x * y) / (2 * rest);
	}
	return sum;
}

static double correlated(const double *normal, float *a, float *b)
{
	for (int k = 0; k < SENSORS; k++) {
		const double rho = k < 2 ? 0.8 : 0;
		a[k] = (float)normal[k];
		b[k] = (float)(rho * normal[k] + sqrt(1 - rho * rho) * normal[SENSORS + k]);
	}
	return correlated_information(a, b);
}

static double independent(const double *normal, float *a, float *b)
{
	for (int k = 0; k < SENSORS; k++) {
		a[k] = (float)normal[k];
		b[k] = (float)normal[SENSORS + k];
	}
	return 0;
}

/* Four labels, shown by which of the first four numbers is 2 larger; in four of five cases b has the label of a, else
 * any. */
static int label_of(const float *x)
{
	int best = 0;
	for (int k = 1; k < 4; k++)
		best = x[k] > x[best] ? k : best;
	return best;
}

static int quarter(double normal)
{
	return normal < -0.6744897502 ? 0 : normal < 0 ? 1 : normal < 0.6744897502 ? 2 : 3;
}

static double label_information(const float *a, const float *b)
{
	return log(4 * (label_of(a) == label_of(b) ? 0.85 : 0.05));
}

static double labelled(const double *normal, float *a, float *b)
{
	const int label = quarter(normal[2 * SENSORS]),
			  theirs = normal[2 * SENSORS + 1] < 0.8416212336 ? label : quarter(normal[2 * SENSORS + 2]);
	for (int k = 0; k < SENSORS; k++) {
		a[k] = (float)(0.2 * normal[k] + 2 * (k == label));
		b[k] = (float)(0.2 * normal[SENSORS + k] + 2 * (k == theirs));
	}
	return label_information(a, b);
}

/* The same of a and b of different tuples. */
typedef double pair_information(const float *a, const float *b);

static void open_pairs(learner_rig *r, const char *rate)
{
	mmi_modality two[2] = { rig_modality(RIG_SENSOR), rig_modality(RIG_SENSOR) };
	snprintf(two[0].name, sizeof two[0].name, "a");
	snprintf(two[1].name, sizeof two[1].name, "b");
	rig_open_with(r, SETS("energy.match=towers", "learner.batch=64", "run.chunk=16", rate), two, 2);
}

static mmi_measures learn_pairs(learner_rig *r, uint32_t iterations, pair_maker *make)
{
	mm_error e = MM_ERROR_INIT;
	mmi_measures m = mmi_measures_none(true);
	for (uint32_t t = 0; t < iterations; t++) {
		fill_pairs(r, t, make, NULL);
		if (update_match(r, &m, &e) != MM_OK)
			fail_msg("%s", e.message);
	}
	return m;
}

/* -E_match of tuples that were not learned from, half of them with b of the next tuple, beside the pointwise mutual
 * information of each: correlation, and mean and sd of the difference. */
typedef struct agreement {
	double correlation, offset, spread, same,
		other; /* the last two: mean of -E_match in tuples as they are, and mixed */
} agreement;

static agreement compare_pairs(learner_rig *r, pair_maker *make, pair_information *information)
{
	enum { BLOCKS = 32 };
	double n = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, xy = 0, of[2] = { 0 };
	for (uint32_t block = 0; block < BLOCKS; block++) {
		float mixed[PAIR_BATCH * SENSORS], energy[PAIR_BATCH];
		double pmi[PAIR_BATCH];
		fill_pairs(r, 1000000 + block, make, pmi);
		memcpy(mixed, r->x[1], sizeof mixed);
		for (uint32_t i = 0; block % 2 && i < PAIR_BATCH; i++) {
			memcpy(mixed + i * SENSORS, r->x[1] + (i + 1) % PAIR_BATCH * SENSORS, SENSORS * sizeof(float));
			pmi[i] = information(r->x[0] + i * SENSORS, mixed + i * SENSORS);
		}
		mmi_sampler_energies(r->learner->sampler, (const float *const[]){ r->x[0], mixed }, PAIR_BATCH,
		                     &(mmi_energies){ .term[MMI_TERM_MATCH] = energy });
		for (uint32_t i = 0; i < PAIR_BATCH; i++) {
			const double x = pmi[i], y = -(double)energy[i];
			n++;
			x1 += x;
			y1 += y;
			x2 += x * x;
			y2 += y * y;
			xy += x * y;
			of[block % 2] += y;
		}
	}
	const double var_x = x2 / n - x1 / n * x1 / n, var_y = y2 / n - y1 / n * y1 / n, cov = xy / n - x1 / n * y1 / n;
	return (agreement){ .correlation = cov / sqrt(var_x * var_y),
		                .offset = (y1 - x1) / n,
		                .spread = sqrt(var_x + var_y - 2 * cov),
		                .same = 2 * of[0] / n,
		                .other = 2 * of[1] / n };
}

static void independent_modalities_stay_at_chance(void **state)
{
	learner_rig r;
	(void)state;
	open_pairs(&r, "learner.lr_match=1e-3");
	const mmi_measures m = learn_pairs(&r, 300, independent);
	const agreement a = compare_pairs(&r, independent, correlated_information);
	double first = 0;
	mm_error e = MM_ERROR_INIT;
	r.learner->match_optimiser.config.rate = 0;
	for (uint32_t t = 0; t < 50; t++) { /* 6,400 choices among 64 */
		mmi_measures now = mmi_measures_none(true);
		fill_pairs(&r, 2000000 + t, independent, NULL);
		assert_int_equal(update_match(&r, &now, &e), MM_OK);
		first += now.match_first / 50;
	}
	print_message(
		"independent: loss %.3f (log 64 = %.3f), %.3f first (chance %.3f), -E_match %.3f as they are and %.3f mixed\n",
		m.match, log(64), first, 1.0 / 64, a.same, a.other);
	assert_true(fabs(first - 1.0 / 64) < 0.006 && m.match > log(64) - 0.2 && fabs(a.same - a.other) < 0.1);
	rig_close(&r);
}

static void learned_matches_are_pointwise_mutual_information(void **state)
{
	static const struct {
		const char *name;
		pair_maker *make;
		pair_information *information;
		uint32_t iterations;
		double correlation, spread;
	} cases[] = { { "correlated normals", correlated, correlated_information, 2500, 0.95, 1.3 },
		          { "shared labels", labelled, label_information, 800, 0.98, 0.3 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		learner_rig r;
		open_pairs(&r, "learner.lr_match=2e-3");
		const mmi_measures m = learn_pairs(&r, cases[i].iterations, cases[i].make);
		const agreement a = compare_pairs(&r, cases[i].make, cases[i].information);
		print_message(
			"%s: loss %.3f, tau %.3f; -E_match and information correlate by %.4f, differ by %.3f with sd %.3f\n",
			cases[i].name, m.match, m.match_tau, a.correlation, a.offset, a.spread);
		assert_true(a.correlation > cases[i].correlation && a.spread < cases[i].spread);
		rig_close(&r);
	}
}

/* ---------------------------------------------------------------- in the learner */

/* From the first iteration on, and nothing else of the learner is touched by it. */
static void it_learns_in_warm_up_and_leaves_the_others_alone(void **state)
{
	learner_rig with, without;
	(void)state;
	rig_open(&with, SETS("energy.match=towers", "learner.warmup=3", "learner.match_interval=1"));
	rig_open(&without, SETS("energy.match=none", "learner.warmup=3"));
	assert_null(without.model->match);
	for (int i = 0; i < 2; i++) {
		const uint64_t before = rig_hash(with.model->match);
		const mmi_measures m = rig_run(&with, i ? 3 : 2);
		rig_run(&without, i ? 3 : 2);
		assert_true(m.match > 0 && m.match_tau > 0.05 && m.match_tau < 0.2 && m.norm_match > 0);
		assert_true(rig_hash(with.model->match) != before);
		assert_int_equal(rig_hash(with.model->energy), rig_hash(without.model->energy));
		assert_int_equal(rig_hash(with.model->generator), rig_hash(without.model->generator));
		assert_int_equal(rig_hash(with.model->inference), rig_hash(without.model->inference));
	}
	rig_close(&with);
	rig_close(&without);
}

/* In a warm-up at every so many-th iteration, with chains at each. */
static void it_learns_when_it_is_due(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("energy.match=towers", "learner.warmup=4", "learner.match_interval=3"));
	for (int i = 0; i < 7; i++) {
		const bool due = i % 3 == 0 || i >= 4;
		const int64_t before = r.learner->match_optimiser.t;
		const mmi_measures m = rig_run(&r, 1);
		assert_int_equal(r.learner->match_optimiser.t - before, due);
		assert_int_equal(!isnan(m.match), due);
	}
	rig_close(&r);
}

static void threads_do_not_matter(void **state)
{
	learner_rig one, two;
	(void)state;
	rig_open(&one, SETS("energy.match=towers", "learner.warmup=2", "run.threads=1", "learner.private_dim=2"));
	rig_open(&two, SETS("energy.match=towers", "learner.warmup=2", "run.threads=2", "learner.private_dim=2"));
	rig_run(&one, 6);
	rig_run(&two, 6);
	rig_assert_same(&one, &two);
	rig_close(&one);
	rig_close(&two);
}

/* Each tuple has one modality: no update is made, and no loss told. */
static void nothing_to_rank_teaches_nothing(void **state)
{
	learner_rig r;
	mmi_measures m;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open(&r, SETS("energy.match=towers", "data.incomplete=keep", "learner.warmup=5"));
	r.lacking = true;
	const mmi_batch *batch = rig_batch(&r, 0);
	for (uint32_t k = 0; k < M; k++)
		for (uint32_t i = 0; i < r.settings.batch; i++)
			r.observed[k][i] = i % M == k ? 1 : 0;
	assert_int_equal(mmi_learner_iterate(r.learner, batch, &m, &e), MM_OK);
	assert_true(isnan(m.match) && isnan(m.match_first) && isnan(m.norm_match) && m.match_tau > 0);
	assert_int_equal(r.learner->match_optimiser.t, 0);
	rig_close(&r);
}

/* Vectors that are not finite teach nothing for ever unless somebody says so. */
static void what_is_not_finite_is_rolled_back(void **state)
{
	learner_rig r;
	mmi_measures m;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open(&r, SETS("energy.match=towers", "learner.match_interval=1", "learner.warmup=5"));
	rig_run(&r, 1);
	r.model->match->raw.at[0] = NAN;
	mmi_params_update(r.model->match, 0);
	assert_int_equal(rig_iterate(&r, &m, &e), MM_ENUMERIC);
	assert_non_null(strstr(e.message, "iteration 2: the gradient of the match model is not finite"));
	assert_int_equal(m.culprit, 3);
	assert_int_equal(mmi_learner_rollback(r.learner, m.culprit, &e), MM_OK);
	assert_true(isfinite(rig_run(&r, 1).match));
	rig_close(&r);
}

/* Rows that lack something, and what is learned of the pairs that are there. */
static void incomplete_tuples_are_learned_from(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("energy.match=towers", "data.incomplete=keep", "learner.warmup=1", "learner.private_dim=2"));
	r.lacking = true;
	const mmi_measures m = rig_run(&r, 3);
	assert_true(m.match > 0 && m.match_first >= 0 && isfinite(m.norm_match));
	/* What is not there is of no account: the loss is the same with anything in its place. */
	const mmi_batch *batch = rig_batch(&r, 7);
	mmi_match *k = &r.learner->match;
	float *unit[MMI_MAX_MODALITIES];
	double loss[2];
	for (int i = 0; i < 2; i++) {
		mmi_sampler_embed(r.learner->sampler, (const float *const *)batch->x, 16, on_host(&k->unit, unit), k->scale.at);
		double told[MMI_RANK_TOLD];
		mmi_floats there[M];
		for (int m1 = 0; m1 < M; m1++)
			there[m1] = mmi_floats_direct(batch->observed[m1]);
		mmi_ranking_make(&k->ranking, cpu_device(), k->unit.x, there, 16, k->scale, (mmi_doubles){ told });
		loss[i] = told[MMI_RANK_LOSS];
		for (uint32_t m1 = 0; m1 < M; m1++)
			for (uint32_t b = 0; b < 16; b++)
				for (int64_t c = 0; !(batch->observed[m1][b] > 0) && c < r.modality[m1].count; c++)
					r.x[m1][b * r.modality[m1].count + c] = 0.25f;
	}
	assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
	rig_close(&r);
}

/* Copies what a checkpoint holds. */
static void carry_over(learner_rig *from, learner_rig *to)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tensor_item *items[2];
	char **names[2];
	size_t n[2], n_names[2];
	mmi_learner_fetch(from->learner, NULL);
	assert_int_equal(mmi_learner_items(from->learner, &items[0], &n[0], &names[0], &n_names[0], &e), MM_OK);
	assert_int_equal(mmi_learner_items(to->learner, &items[1], &n[1], &names[1], &n_names[1], &e), MM_OK);
	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		size_t bytes = mmi_dtype_size(items[0][i].dtype);
		for (uint32_t k = 0; k < items[0][i].rank; k++)
			bytes *= (size_t)items[0][i].dim[k];
		memcpy(items[1][i].data, items[0][i].data, bytes);
	}
	mmi_learner_restored(to->learner, true);
	for (int i = 0; i < 2; i++)
		mmi_learner_items_free(items[i], names[i], n_names[i]);
}

static void a_run_goes_on_to_the_bit(void **state)
{
	learner_rig whole, resumed;
	(void)state;
	rig_open(&whole, SETS("energy.match=towers", "learner.warmup=2"));
	rig_open(&resumed, SETS("energy.match=towers", "learner.warmup=2"));
	rig_run(&whole, 4);
	carry_over(&whole, &resumed);
	rig_run(&whole, 3);
	rig_run(&resumed, 3);
	rig_assert_same(&whole, &resumed);
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_learner_rollback(whole.learner, 3, &e), MM_OK);
	assert_true(whole.learner->match_optimiser.rate_factor < 0.6 && whole.learner->energy.rate_factor > 0.9);
	rig_close(&whole);
	rig_close(&resumed);
}

/* The same batch again and again: its own loss falls. */
static void the_energy_tells_swapped_tuples(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("energy.match=towers", "learner.warmup=1000", "learner.batch=32", "learner.match_interval=1"));
	const mmi_measures m = rig_run(&r, 150);
	float here[32], swapped[32];
	const mmi_batch *batch = rig_batch(&r, 50000);
	const float *x[M] = { batch->x[0], batch->x[1], batch->x[2] };
	double right = 0, n = 0;
	mmi_energies out = { .term[MMI_TERM_MATCH] = here };
	mmi_sampler_energies(r.learner->sampler, x, 32, &out);
	for (uint32_t shift = 1; shift < 32; shift++) {
		const size_t count = (size_t)r.modality[RIG_SENSOR].count, words = (size_t)r.modality[RIG_WORDS].count;
		float *moved = r.learner->revised.x[RIG_SENSOR].at;
		for (uint32_t i = 0; i < 32; i++)
			memcpy(moved + i * count, batch->x[RIG_SENSOR] + (i + shift) % 32 * count, count * sizeof(float));
		x[RIG_SENSOR] = moved;
		out.term[MMI_TERM_MATCH] = swapped;
		mmi_sampler_energies(r.learner->sampler, x, 32, &out);
		for (uint32_t i = 0; i < 32; i++) {
			const bool other = memcmp(batch->x[RIG_WORDS] + i * words, batch->x[RIG_WORDS] + (i + shift) % 32 * words,
			                          words * sizeof(float)) != 0;
			right += other && here[i] < swapped[i];
			n += other;
		}
	}
	print_message("paired rank %.4f of %.0f, loss %.3f\n", right / n, n, m.match);
	assert_true(right / n > 0.99);
	rig_close(&r);
}

/* Refused where there is nothing to go by; a baseline has no E_match; one modality matches nothing. */
static void settings_say_what_there_is(void **state)
{
	static const struct {
		const char *set, *acts, *says;
	} cases[] = { { "sample.guide=match", "sample.latent_steps=1", "no match to go by" },
		          { "translate.guide=both", "translate.candidates=2", "no match to go by" },
		          { "sample.guide=agreement", "sample.candidates=2", "no agreement to go by" },
		          { "translate.guide=agreement", "translate.rise_max=1", "no agreement to go by" } };
	const mmi_modality one = rig_modality(RIG_SENSOR);
	learner_rig r;
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mmi_config *c = NULL;
		mmi_settings s;
		mm_error e = MM_ERROR_INIT;
		assert_int_equal(mmi_config_create(&c, &e), MM_OK);
		assert_int_equal(mmi_config_set(c, cases[i].set, &e), MM_OK);
		assert_int_equal(mmi_config_set(c, cases[i].acts, &e), MM_OK);
		assert_int_equal(mmi_settings_read(c, &s, &e), MM_ECONFIG);
		assert_non_null(strstr(e.message, cases[i].says));
		mmi_config_destroy(c);
	}
	rig_open(&r, SETS("energy.match=towers", "learner.objective=mopoe", "sample.guide=agreement",
	                  "translate.guide=match", "sample.latent_steps=4"));
	assert_null(r.model->match);
	rig_run(&r, 1);
	rig_close(&r);
	rig_open_with(&r, SETS("energy.match=towers"), &one, 1);
	assert_null(r.model->match);
	rig_run(&r, 2);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loss_and_its_gradient_are_pytorchs),
		cmocka_unit_test(the_gradient_is_that_of_central_differences),
		cmocka_unit_test(the_order_of_tuples_does_not_matter),
		cmocka_unit_test(few_tuples_are_enough_or_left_alone),
		cmocka_unit_test(the_networks_and_their_gradients_are_pytorchs),
		cmocka_unit_test(the_gradient_to_samples_is_pytorchs),
		cmocka_unit_test(the_temperature_has_bounds),
		cmocka_unit_test(independent_modalities_stay_at_chance),
		cmocka_unit_test(learned_matches_are_pointwise_mutual_information),
		cmocka_unit_test(it_learns_in_warm_up_and_leaves_the_others_alone),
		cmocka_unit_test(it_learns_when_it_is_due),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(nothing_to_rank_teaches_nothing),
		cmocka_unit_test(what_is_not_finite_is_rolled_back),
		cmocka_unit_test(incomplete_tuples_are_learned_from),
		cmocka_unit_test(a_run_goes_on_to_the_bit),
		cmocka_unit_test(the_energy_tells_swapped_tuples),
		cmocka_unit_test(settings_say_what_there_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
