/* test_langevin.c - the chains sample the distributions they should: means and covariances against theory,
 * discretisation included, within standard errors of thousands of independent chains. All seeds are fixed. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcmc/langevin.h"
#include "../rig/device_rig.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

/* An emulated GPU runs 256 threads a row, one after the other. */
#if defined(MMI_TEST_FEWER)
enum { CHUNK = 128, CHAINS = 512 };
#else
enum { CHUNK = 512, CHAINS = 8192 };
#endif
enum { MOST = 3 /* dimensions */ };

/* ---------------------------------------------------------------- an energy as a program */

typedef struct field {
	mmi_graph *g;
	mmi_params *store;
	mmi_program *program;
	mmi_chain chain; /* steps and updates are the test's to set */
} field;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static void open_field(field *f, uint32_t n_states, const int *count)
{
	mm_error e = MM_ERROR_INIT;
	*f = (field){ .chain = { .n_states = n_states } };
	must(mmi_params_create(tested_device(), "field", &f->store, &e), &e);
	must(mmi_graph_create(&f->g, &e), &e);
	mmi_graph_scope(f->g, f->store, "field");
	for (uint32_t i = 0; i < n_states; i++) {
		char stream[16];
		snprintf(stream, sizeof stream, "chain/%u", i);
		f->chain.state[i] = mmi_input(f->g, "x", mmi_shape(1, count[i]));
		f->chain.count[i] = count[i];
		f->chain.key[i] = mmi_rng_key(11, stream);
		f->chain.unit[i] = f->chain.weight[i] = 1;
	}
}

/* Differentiates energy to all states and compiles; parameters get their values afterwards. */
static void close_recording(field *f, mm_tensor energy, int64_t chunk)
{
	mm_error e = MM_ERROR_INIT;
	mm_tensor outputs[1 + MMI_MAX_STATES] = { energy };
	mmi_grad_request q = { .loss = energy,
		                   .seed = mmi_const(f->g, mmi_shape(0), 1),
		                   .wrt = f->chain.state,
		                   .n_wrt = f->chain.n_states,
		                   .grads = f->chain.grad };
	must(mmi_graph_grad(f->g, &q, &e), &e);
	memcpy(outputs + 1, f->chain.grad, f->chain.n_states * sizeof *outputs);
	must(mmi_params_finalise(f->store, 1, &e), &e);
	f->chain.energy = energy;
	mmi_program_spec spec = {
		.graph = f->g, .device = tested_device(), .n = chunk, .outputs = outputs, .n_outputs = 1 + f->chain.n_states
	};
	must(mmi_program_create(&spec, &f->program, &e), &e);
}

static void close_field(field *f)
{
	mmi_program_destroy(f->program);
	mmi_graph_destroy(f->g);
	mmi_params_destroy(f->store);
}

static void set_steps(field *f, uint32_t steps, double s, double n)
{
	f->chain.steps = steps;
	for (uint32_t i = 0; i < f->chain.n_states; i++)
		f->chain.update[i] = (mmi_langevin){ (float)(0.5 * s * s), (float)n, -INFINITY, INFINITY };
}

/* scale |x - y|^2 */
static mm_tensor squared_distance(field *f, mm_tensor x, mm_tensor y, float scale)
{
	const mm_tensor d = ops->axpby(f->g, 1, x, -1, y);
	return mmi_sum_all(f->g, ops->mul(f->g, d, d), scale);
}

/* U = 0.5 (x - mu)^T P (x - mu) over the states joined, as 0.5 |x W + b|^2 with W W^T = P, b = -mu W. */
static void record_quadratic(field *f, int64_t chunk, int d, const double w[MOST][MOST], const double *mu)
{
	mm_tensor x = ops->concat(f->g, f->chain.state, f->chain.n_states, 0);
	mm_tensor y = ops->linear(f->g, x, "root", d, 1, MM_INIT_ZERO);
	close_recording(f, squared_distance(f, y, mmi_const(f->g, mmi_shape(1, d), 0), 0.5f), chunk);
	float *raw = f->store->raw_copy.host, *weight = raw + f->store->info[0].offset,
		  *bias = raw + f->store->info[1].offset;
	for (int j = 0; j < d; j++)
		for (int i = 0; i < d; i++) {
			weight[i * d + j] = (float)w[i][j];
			bias[j] -= (float)(mu[i] * w[i][j]);
		}
	mmi_params_push(f->store);
	mmi_params_update(f->store, 0);
}

/* Rows of one chunk, and where a device that is not direct has them. */
typedef struct chunk_rows {
	mmi_chain_rows rows;
	mmi_floats state[MMI_MAX_STATES], start[MMI_MAX_STATES];
	mmi_mirror sums;
} chunk_rows;

static void open_rows(const field *f, uint32_t chunk, chunk_rows *c)
{
	const mmi_device *d = tested_device();
	mm_error e = MM_ERROR_INIT;
	*c = (chunk_rows){ .rows = { .n = chunk } };
	must(mmi_mirror_create(d, sizeof(mmi_chain_stats), &c->sums, &e), &e);
	c->rows.sums.at = c->sums.device;
	for (uint32_t i = 0; i < f->chain.n_states; i++) {
		c->state[i] = mmi_floats_alloc(d, chunk * (size_t)f->chain.count[i]);
		c->start[i] = mmi_floats_alloc(d, chunk * (size_t)f->chain.count[i]);
	}
}

static void close_rows(const field *f, chunk_rows *c)
{
	const mmi_device *d = tested_device();
	mmi_mirror_clear(d, &c->sums);
	for (uint32_t i = 0; i < f->chain.n_states; i++) {
		mmi_floats_release(d, &c->state[i]);
		mmi_floats_release(d, &c->start[i]);
	}
}

/* Runs the chains of one chunk; what they moved comes back to x. */
static mmi_chain_stats run_chunk(field *f, chunk_rows *c, float *const *x, const float *const *start)
{
	const mmi_device *d = tested_device();
	for (uint32_t i = 0; i < f->chain.n_states; i++) {
		const size_t at = c->rows.first * (size_t)f->chain.count[i], n = c->rows.n * (size_t)f->chain.count[i];
		c->rows.state[i] = mmi_floats_write(d, x[i] + at, n, c->state[i]);
		if (start)
			c->rows.start[i] = mmi_floats_write(d, start[i] + at, n, c->start[i]);
	}
	mmi_chain_run(&f->chain, f->program, &c->rows, NULL, NULL);
	for (uint32_t i = 0; i < f->chain.n_states && !d->ops->direct; i++)
		d->ops->download(d, x[i] + c->rows.first * (size_t)f->chain.count[i], c->rows.state[i].at,
		                 c->rows.n * (size_t)f->chain.count[i] * sizeof(float));
	mmi_mirror_pull(d, &c->sums, sizeof(mmi_chain_stats));
	return *(mmi_chain_stats *)c->sums.host;
}

/* Runs all chains from `start` in chunks; state i of chain r is at x[i] + r * count[i]. */
static mmi_chain_stats run_chains(field *f, float *const *x, const float *const *start, uint32_t chunk, uint32_t chains)
{
	mmi_chain_stats all = { 0 };
	chunk_rows c;
	open_rows(f, chunk, &c);
	for (; c.rows.first < chains; c.rows.first += chunk) {
		const mmi_chain_stats one = run_chunk(f, &c, x, start);
		mmi_chain_stats_add(&all, &one);
	}
	close_rows(f, &c);
	return all;
}

/* ---------------------------------------------------------------- moments */

typedef struct moments {
	double mean[MOST], cov[MOST][MOST];
} moments;

/* Of the first `chains` rows of d columns gathered from the states. */
static moments measure(const field *f, float *const *x, uint32_t chains, int d)
{
	moments m = { { 0 }, { { 0 } } };
	double row[MOST];
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t r = 0; r < chains; r++) {
			int at = 0;
			for (uint32_t i = 0; i < f->chain.n_states; i++)
				for (int64_t k = 0; k < f->chain.count[i]; k++)
					row[at++] = (double)x[i][r * f->chain.count[i] + k];
			assert_int_equal(at, d);
			for (int i = 0; i < d; i++)
				if (pass == 0)
					m.mean[i] += row[i] / chains;
				else
					for (int j = 0; j < d; j++)
						m.cov[i][j] += (row[i] - m.mean[i]) * (row[j] - m.mean[j]) / (chains - 1);
		}
	return m;
}

static const double sigmas =
	4.5; /* some forty comparisons a test: chance of a false alarm below 1e-3, and seeds are fixed */

static void assert_within(const char *what, double found, double expected, double standard_error)
{
	if (!(fabs(found - expected) <= sigmas * standard_error))
		fail_msg("%s: %.6g, expected %.6g +- %.2g", what, found, expected, standard_error);
}

/* Standard errors of a normal distribution's sample moments. */
static void assert_moments(const char *what, const moments *m, const double *mean, const double cov[MOST][MOST], int d,
                           uint32_t chains)
{
	char text[96];
	for (int i = 0; i < d; i++) {
		snprintf(text, sizeof text, "%s, mean %d", what, i);
		assert_within(text, m->mean[i], mean[i], sqrt(cov[i][i] / chains));
		for (int j = 0; j < d; j++) {
			snprintf(text, sizeof text, "%s, covariance %d %d", what, i, j);
			assert_within(text, m->cov[i][j], cov[i][j],
			              sqrt((cov[i][i] * cov[j][j] + cov[i][j] * cov[i][j]) / chains));
		}
	}
}

static float *new_floats(size_t n)
{
	float *x = mmi_alloc(n, sizeof *x);
	assert_non_null(x);
	return x;
}

/* ---------------------------------------------------------------- Gaussians */

/* A rotation of three dimensions; P = R diag(l) R^T. */
static const double rotation[MOST][MOST] = { { 2 / 3.0, -1 / 3.0, 2 / 3.0 },
	                                         { 2 / 3.0, 2 / 3.0, -1 / 3.0 },
	                                         { -1 / 3.0, 2 / 3.0, 2 / 3.0 } };
static const double eigenvalue[MOST] = { 0.5, 1, 2 };
static const double centre[MOST] = { 1, -2, 0.5 };

/* The covariance after k steps from covariance v0 in every direction: an autoregression in each eigendirection with
 * factor a = 1 - s^2 l / 2 and noise n^2. For k to infinity and n = s this is 1 / (l (1 - s^2 l / 4)). */
static void theory(double s, double n, uint32_t steps, double v0, double cov[MOST][MOST])
{
	for (int i = 0; i < MOST; i++)
		for (int j = 0; j < MOST; j++) {
			cov[i][j] = 0;
			for (int k = 0; k < MOST; k++) {
				double a = 1 - s * s * eigenvalue[k] / 2, still = n * n / (1 - a * a), decay = pow(a * a, steps);
				cov[i][j] += rotation[i][k] * rotation[j][k] * (decay * v0 + (1 - decay) * still);
			}
		}
}

static void open_gaussian(field *f, uint32_t n_states, const int *count, int64_t chunk)
{
	double w[MOST][MOST];
	for (int i = 0; i < MOST; i++)
		for (int k = 0; k < MOST; k++)
			w[i][k] = rotation[i][k] * sqrt(eigenvalue[k]);
	open_field(f, n_states, count);
	record_quadratic(f, chunk, MOST, w, centre);
}

/* Chains start from a normal distribution around the centre with variance v0. */
static void gaussian_chain(double s, double n, uint32_t steps, double v0)
{
	field f;
	char what[96];
	double cov[MOST][MOST];
	float *x = new_floats(CHAINS * MOST);
	open_gaussian(&f, 1, (int[]){ MOST }, CHUNK);
	cpu_device()->vec->normal(x, CHAINS * MOST, (mmi_rng){ .key = 21 });
	for (size_t i = 0; i < CHAINS * MOST; i++)
		x[i] = (float)(centre[i % MOST] + sqrt(v0) * (double)x[i]);
	set_steps(&f, steps, s, n);
	run_chains(&f, &x, NULL, CHUNK, CHAINS);
	moments m = measure(&f, &x, CHAINS, MOST);
	theory(s, n, steps, v0, cov);
	snprintf(what, sizeof what, "s %g, n %g, %u steps", s, n, steps);
	assert_moments(what, &m, centre, cov, MOST, CHAINS);
	close_field(&f);
	mmi_free(x);
}

static void a_gaussian_s_mean_and_covariance_come_out(void **state)
{
	(void)state;
	gaussian_chain(0.2, 0.2, 500, 0);
}

static void large_steps_widen_the_distribution_as_theory_says(void **state)
{
	(void)state;
	gaussian_chain(0.7, 0.7, 60, 1);
	gaussian_chain(1.0, 1.0, 40, 1);
	gaussian_chain(1.3, 1.3, 60, 1); /* the stiffest direction: 6.5 times the variance of the target */
}

static void steps_beyond_the_limit_diverge(void **state)
{
	double cov[MOST][MOST];
	(void)state;
	theory(1.5, 1.5, 20, 1, cov); /* s^2 l / 4 > 1 */
	assert_true(cov[0][0] > 50);
	gaussian_chain(1.5, 1.5, 20, 1);
}

static void short_chains_are_on_their_way_as_theory_says(void **state)
{
	(void)state;
	gaussian_chain(0.4, 0.4, 1, 4);
	gaussian_chain(0.4, 0.4, 5, 4);
	gaussian_chain(0.4, 0.4, 10, 0);
}

static void temperature_scales_the_covariance(void **state)
{
	double cold[MOST][MOST], hot[MOST][MOST];
	(void)state;
	theory(0.3, 0.3, 100000, 0, cold);
	theory(0.3, 0.6, 100000, 0, hot);
	assert_true(fabs(hot[0][1] / cold[0][1] - 4) < 1e-9); /* T = (n / s)^2 */
	gaussian_chain(0.3, 0.6, 250, 0);
	gaussian_chain(0.3, 0.03, 250, 0);
}

/* The same energy over x_1 and x_2 apart: correlations between modalities come out, so their noise must be independent.
 */
static void states_of_one_chain_are_sampled_jointly(void **state)
{
	field f;
	double cov[MOST][MOST];
	float *x[2] = { new_floats(CHAINS), new_floats(CHAINS * 2) };
	(void)state;
	open_gaussian(&f, 2, (int[]){ 1, 2 }, CHUNK);
	set_steps(&f, 250, 0.3, 0.3);
	run_chains(&f, x, NULL, CHUNK, CHAINS);
	moments m = measure(&f, x, CHAINS, MOST);
	theory(0.3, 0.3, 100000, 0, cov);
	assert_moments("two states", &m, centre, cov, MOST, CHAINS);
	close_field(&f);
	mmi_free(x[0]);
	mmi_free(x[1]);
}

/* ---------------------------------------------------------------- without noise, and noise alone */

static void without_noise_the_chain_is_gradient_descent(void **state)
{
	field f;
	float x[CHUNK * MOST];
	float *states[1] = { x };
	const double s = 0.6;
	(void)state;
	open_gaussian(&f, 1, (int[]){ MOST }, CHUNK);
	for (uint32_t steps = 0; steps < 400; steps = 2 * steps + 1) {
		for (int i = 0; i < CHUNK * MOST; i++)
			x[i] = 3;
		set_steps(&f, steps, s, 0);
		run_chains(&f, states, NULL, CHUNK, CHUNK);
		for (int i = 0; i < CHUNK * MOST; i++) {
			double expected = centre[i % MOST];
			for (int k = 0; k < MOST; k++) {
				double along = 0; /* of the start's distance in eigendirection k */
				for (int j = 0; j < MOST; j++)
					along += rotation[j][k] * (3 - centre[j]);
				expected += rotation[i % MOST][k] * along * pow(1 - s * s * eigenvalue[k] / 2, steps);
			}
			assert_true(fabs((double)x[i] - expected) < 2e-6 * (1 + steps));
		}
	}
	for (int i = 0; i < CHUNK * MOST; i++)
		assert_true(fabs((double)x[i] - centre[i % MOST]) < 1e-5); /* the minimum */
	close_field(&f);
}

static void noise_depends_on_a_chain_s_number_and_not_on_its_chunk(void **state)
{
	float *x[2] = { new_floats(CHUNK * MOST), new_floats(CHUNK * MOST) };
	(void)state;
	for (int i = 0; i < 2; i++) {
		field f;
		uint32_t chunk = i ? 32 : CHUNK;
		open_gaussian(&f, 1, (int[]){ MOST }, chunk);
		set_steps(&f, 7, 0, 0.5);
		f.chain.iteration = 3;
		run_chains(&f, &x[i], NULL, chunk, CHUNK);
		close_field(&f);
	}
	assert_memory_equal(x[0], x[1], CHUNK * MOST * sizeof(float));
	assert_true(fabsf(x[0][0]) > 1e-6f);
	mmi_free(x[0]);
	mmi_free(x[1]);
}

static void statistics_add_up(void **state)
{
	field f;
	const double s = 0.2, n = 0.4;
	const uint32_t steps = 50;
	float *x = new_floats(CHAINS * MOST), *start = new_floats(CHAINS * MOST);
	const float *starts[1] = { start };
	double moved = 0, u = 0;
	(void)state;
	open_gaussian(&f, 1, (int[]){ MOST }, CHUNK);
	f.chain.unit[0] = 2;
	set_steps(&f, steps, s, n);
	mmi_chain_stats stats = run_chains(&f, &x, starts, CHUNK, CHAINS);
	for (size_t i = 0; i < CHAINS * MOST; i++)
		moved += 0.25 * (double)x[i] * (double)x[i];
	for (int i = 0; i < MOST; i++) /* U at 0 is 0.5 mu^T P mu */
		for (int j = 0; j < MOST; j++)
			for (int k = 0; k < MOST; k++)
				u += 0.5 * centre[i] * centre[j] * rotation[i][k] * rotation[j][k] * eigenvalue[k];
	assert_true(stats.elements == CHAINS * MOST);
	assert_true(fabs(stats.energy / CHAINS - u) < 1e-5 * u);
	assert_true(fabs(stats.move2 / moved - 1) < 1e-6);
	/* n^2 a step and element, in units; a normal's square has variance 2. */
	double draws = (double)CHAINS * MOST * steps;
	assert_within("noise", stats.noise2 / draws, n * n / 4, n * n / 4 * sqrt(2 / draws));
	assert_true(stats.drift2 > 0 && stats.drift2 < stats.noise2);
	close_field(&f);
	mmi_free(x);
	mmi_free(start);
}

/* ---------------------------------------------------------------- two modes */

/* exp(-U) = sum_k w_k N(mu_k, sigma^2) in two dimensions: 30 % at (-1, 0), 70 % at (1, 0.5). */
static const double mode[2][2] = { { -1, 0 }, { 1, 0.5 } }, weight[2] = { 0.3, 0.7 }, sigma = 0.5;

static void open_mixture(field *f)
{
	mm_tensor parts[2];
	mm_shape one = mmi_shape(1, 1);
	open_field(f, 1, (int[]){ 2 });
	for (int k = 0; k < 2; k++) {
		mm_tensor column[2];
		for (int i = 0; i < 2; i++)
			column[i] = mmi_const(f->g, one, (float)mode[k][i]);
		mm_tensor u =
			squared_distance(f, f->chain.state[0], ops->concat(f->g, column, 2, 0), (float)(0.5 / (sigma * sigma)));
		parts[k] = ops->reshape(f->g, ops->affine(f->g, u, -1, (float)log(weight[k])), &one);
	}
	close_recording(f, ops->affine(f->g, ops->log_sum_exp(f->g, ops->concat(f->g, parts, 2, 0)), -1, 0), CHUNK);
}

static double below(double x)
{
	return 0.5 * erfc(-x / sqrt(2));
}

static void both_modes_of_a_mixture_get_their_weights(void **state)
{
	enum { FEWER = CHAINS / 2 };
	field f;
	float *x = new_floats(FEWER * 2);
	double right = 0, expected = 0, mean[2] = { 0 }, var = 0;
	(void)state;
	open_mixture(&f);
	for (int i = 0; i < FEWER; i++)
		x[2 * i] = -1; /* all begin in the lighter mode */
	set_steps(&f, 1500, 0.2, 0.2);
	run_chains(&f, &x, NULL, CHUNK, FEWER);
	for (int i = 0; i < FEWER; i++) {
		right += x[2 * i] > 0;
		mean[0] += (double)x[2 * i] / FEWER;
		mean[1] += (double)x[2 * i + 1] / FEWER;
	}
	for (int i = 0; i < FEWER; i++)
		var += pow((double)x[2 * i] - mean[0], 2) / (FEWER - 1);
	for (int k = 0; k < 2; k++)
		expected += weight[k] * below(mode[k][0] / sigma);
	/* The step widens each mode's variance by s^2 / (4 sigma^2) = 4 %, which is 1 % of the whole: below the standard
	 * error. */
	assert_within("share of the right half", right / FEWER, expected, sqrt(expected * (1 - expected) / FEWER));
	assert_within("mean 0", mean[0], 0.4, sqrt(0.84 + 0.25) / sqrt(FEWER));
	assert_within("mean 1", mean[1], 0.35, sqrt(0.0525 + 0.25) / sqrt(FEWER));
	assert_within("variance", var, 0.84 + 0.25, 1.09 * sqrt(2.0 / FEWER));
	close_field(&f);
	mmi_free(x);
}

/* ---------------------------------------------------------------- constraints */

/* Mean and variance of a standard normal cut to [lo, hi]. */
static void truncated_normal(double lo, double hi, double *mean, double *var)
{
	double mass = below(hi) - below(lo), scale = 1 / (sqrt(2 * 3.14159265358979323846) * mass);
	double at_lo = scale * exp(-lo * lo / 2), at_hi = scale * exp(-hi * hi / 2);
	*mean = at_lo - at_hi;
	*var = 1 + lo * at_lo - hi * at_hi - *mean * *mean;
}

/* Standard normals clamped to [-1, 0.5]: every element is a chain of its own. */
static void run_clamped(double s, uint32_t steps, double *mean, double *var)
{
	enum { ROW = 64, ROWS = CHAINS / ROW };
	field f;
	float *x = new_floats(CHAINS);
	open_field(&f, 1, (int[]){ ROW });
	close_recording(&f, squared_distance(&f, f.chain.state[0], mmi_const(f.g, mmi_shape(1, ROW), 0), 0.5f), ROWS);
	set_steps(&f, steps, s, s);
	f.chain.update[0].lo = -1;
	f.chain.update[0].hi = 0.5f;
	run_chains(&f, &x, NULL, ROWS, ROWS);
	f.chain.count[0] = 1;
	moments m = measure(&f, &x, CHAINS, 1);
	for (int i = 0; i < CHAINS; i++)
		assert_true(x[i] >= -1 && x[i] <= 0.5f);
	*mean = m.mean[0];
	*var = m.cov[0][0];
	close_field(&f);
	mmi_free(x);
}

/* Clamping leaves a share of about s on the walls, so the error is first order in s: measured at s and s / 2, it is
 * extrapolated to 0, where the truncated normal must be. */
static void a_clamped_chain_samples_the_truncated_distribution(void **state)
{
	double mean, var, coarse[2], fine[2], error = sqrt(0.18 / CHAINS);
	(void)state;
	truncated_normal(-1, 0.5, &mean, &var);
	run_clamped(0.1, 400, &coarse[0], &coarse[1]);
	run_clamped(0.05, 1600, &fine[0], &fine[1]);
	assert_within("mean", 2 * fine[0] - coarse[0], mean, sqrt(5) * error);
	assert_within("variance", 2 * fine[1] - coarse[1], var, sqrt(5) * var * sqrt(2.0 / CHAINS));
	assert_true(fabs(fine[1] - var) < fabs(coarse[1] - var));
	assert_true(fabs(fine[1] - var) < 0.1 * var);
}

typedef struct leash {
	const float *const *start;
	float *const *state;
	double limit, farthest;
	uint32_t seen, taut; /* steps; samples found at the limit */
} leash;

static void measure_distance(void *ctx, uint32_t step, const mmi_program *program)
{
	leash *l = ctx;
	(void)program;
	assert_int_equal(step, l->seen++);
	for (int r = 0; r < CHUNK; r++) {
		double d2 = pow((double)(l->state[0][r] - l->start[0][r]) / 2, 2); /* its unit is 2 */
		for (int k = 0; k < 2; k++)
			d2 += pow((double)(l->state[1][2 * r + k] - l->start[1][2 * r + k]), 2);
		l->farthest = fmax(l->farthest, sqrt(d2 / 3));
		l->taut += fabs(sqrt(d2 / 3) - l->limit) < 1e-5;
	}
}

static void movement_stays_within_its_bound(void **state)
{
	(void)state;
	if (!tested_device()->ops->direct)
		skip(); /* what watches the chain reads rows of the host */
	field f;
	float *x[2] = { new_floats(CHUNK), new_floats(CHUNK * 2) };
	const float *start[2] = { new_floats(CHUNK), new_floats(CHUNK * 2) };
	open_gaussian(&f, 2, (int[]){ 1, 2 }, CHUNK);
	f.chain.unit[0] = 2;
	for (int bounded = 0; bounded < 2; bounded++) {
		leash l = { .start = start, .state = x, .limit = 0.7 };
		mmi_chain_stats stats;
		mmi_chain_rows rows = { .state = { { x[0] }, { x[1] } },
			                    .start = { mmi_floats_direct(start[0]), mmi_floats_direct(start[1]) },
			                    .n = CHUNK,
			                    .sums = { &stats } };
		memset(x[0], 0, CHUNK * sizeof(float));
		memset(x[1], 0, 2 * CHUNK * sizeof(float));
		set_steps(&f, 100, 0.3, 0.3);
		f.chain.move_max = bounded ? 0.7f : 0;
		mmi_chain_run(&f.chain, f.program, &rows, measure_distance, &l);
		assert_int_equal(l.seen, 101);
		if (bounded)
			assert_true(l.farthest < 0.7 * (1 + 1e-5) && l.taut > 100 * CHUNK / 10);
		else
			assert_true(l.farthest > 1.5 && l.taut < 10);
		assert_true(sqrt(stats.move2 / stats.elements) <= l.farthest * (1 + 1e-6));
	}
	close_field(&f);
	for (int i = 0; i < 2; i++) {
		mmi_free(x[i]);
		mmi_free((void *)(uintptr_t)start[i]);
	}
}

static void probabilities_stay_on_the_simplex(void **state)
{
	field f;
	float *x = new_floats(CHUNK * 6);
	(void)state;
	open_field(&f, 1, (int[]){ 6 });
	close_recording(&f, squared_distance(&f, f.chain.state[0], mmi_const(f.g, mmi_shape(1, 6), 2), 1), CHUNK);
	f.chain.simplex[0] = 3; /* two positions of three values */
	for (int i = 0; i < CHUNK * 6; i++)
		x[i] = i % 3 == 0;
	set_steps(&f, 30, 0.3, 0.3);
	run_chains(&f, &x, NULL, CHUNK, CHUNK);
	for (int i = 0; i < CHUNK * 2; i++) {
		const float *p = x + 3 * i;
		assert_true(p[0] >= 0 && p[1] >= 0 && p[2] >= 0);
		assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-5f);
	}
	close_field(&f);
	mmi_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gaussian_s_mean_and_covariance_come_out),
		cmocka_unit_test(large_steps_widen_the_distribution_as_theory_says),
		cmocka_unit_test(steps_beyond_the_limit_diverge),
		cmocka_unit_test(short_chains_are_on_their_way_as_theory_says),
		cmocka_unit_test(temperature_scales_the_covariance),
		cmocka_unit_test(states_of_one_chain_are_sampled_jointly),
		cmocka_unit_test(without_noise_the_chain_is_gradient_descent),
		cmocka_unit_test(noise_depends_on_a_chain_s_number_and_not_on_its_chunk),
		cmocka_unit_test(statistics_add_up),
		cmocka_unit_test(both_modes_of_a_mixture_get_their_weights),
		cmocka_unit_test(a_clamped_chain_samples_the_truncated_distribution),
		cmocka_unit_test(movement_stays_within_its_bound),
		cmocka_unit_test(probabilities_stay_on_the_simplex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
