/* test_sampler.c - what a model's networks and chains do with rows: the posterior of a linear model is known in closed
 * form, and so is what each switch changes. */
#include "mmi_build.h"

#include "model/rows.h"
#include "../rig/learner_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/vec.h"
#include "backend/cpu/rows.h"
#include "../rig/device_rig.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static float *new_floats(size_t n)
{
	float *x = mmi_alloc(n, sizeof *x);
	assert_non_null(x);
	return x;
}

/* ---------------------------------------------------------------- a linear model: x_m = z A_m + b_m + sigma_m noise */

enum { LATENT = 2, WIDTH = 5, LINEAR_MODALITIES = 2, CHAINS = 2 };
/* An emulated GPU runs 256 threads a row, one after the other. */
#if defined(MMI_TEST_FEWER)
enum { ROWS = 128, CHUNK = 64 };
#else
enum { ROWS = 4096, CHUNK = 256 };
#endif

static mm_status linear_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->z_loc = ops->linear(g, io->x, "loc", io->latent_dim, 1, MM_INIT_DEFAULT);
	io->z_raw = ops->linear(g, io->x, "raw", io->latent_dim, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static mm_status linear_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->out = ops->linear(g, io->z, "out", WIDTH, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static mm_status linear_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->features = ops->linear(g, io->x, "features", 4, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static const mm_modality_desc linear_desc = {
	.struct_size = sizeof linear_desc,
	.id = "linear",
	.default_name = "linear",
	.build_encoder = linear_encoder,
	.build_decoder = linear_decoder,
	.build_features = linear_features,
};

static const float sigmas[LINEAR_MODALITIES] = { 0.5f, 0.8f }, weights[LINEAR_MODALITIES] = { 1, 2 };

typedef struct world {
	mmi_modality modality[LINEAR_MODALITIES];
	mmi_model *model;
	mmi_pool *pool;
	mmi_sampler *sampler;
	double precision[LATENT][LATENT]; /* of p(z | x): I + sum_m weight_m A_m A_m^T / sigma_m^2 */
	float *x[LINEAR_MODALITIES];      /* ROWS rows */
	mmi_latents z, start;             /* CHAINS * ROWS rows */
} world;

static const float *parameter(const world *w, uint32_t m, const char *what)
{
	char name[64];
	snprintf(name, sizeof name, "m%u.decoder.out.%s", m, what);
	for (uint32_t i = 0; i < w->model->generator->n; i++)
		if (!strcmp(w->model->generator->info[i].name, name))
			return (const float *)w->model->generator->raw_copy.host + w->model->generator->info[i].offset;
	fail_msg("the model lacks %s", name);
	return NULL;
}

static void find_precision(world *w)
{
	for (int i = 0; i < LATENT; i++)
		for (int j = 0; j < LATENT; j++) {
			w->precision[i][j] = i == j;
			for (uint32_t m = 0; m < LINEAR_MODALITIES; m++)
				for (int k = 0; k < WIDTH; k++)
					w->precision[i][j] += (double)weights[m] * (double)parameter(w, m, "weight")[i * WIDTH + k] *
					                      (double)parameter(w, m, "weight")[j * WIDTH + k] / pow((double)sigmas[m], 2);
		}
}

/* The posterior's mean for row r: the P-solution of sum_m weight_m A_m (x_m - b_m) / sigma_m^2. */
static void posterior_mean(const world *w, size_t r, double mean[LATENT])
{
	double v[LATENT] = { 0 };
	const double(*p)[LATENT] = w->precision;
	for (uint32_t m = 0; m < LINEAR_MODALITIES; m++)
		for (int i = 0; i < LATENT; i++)
			for (int k = 0; k < WIDTH; k++)
				v[i] += (double)weights[m] * (double)parameter(w, m, "weight")[i * WIDTH + k] *
				        (double)(w->x[m][r * WIDTH + (size_t)k] - parameter(w, m, "bias")[k]) /
				        pow((double)sigmas[m], 2);
	double det = p[0][0] * p[1][1] - p[0][1] * p[1][0];
	mean[0] = (p[1][1] * v[0] - p[0][1] * v[1]) / det;
	mean[1] = (p[0][0] * v[1] - p[1][0] * v[0]) / det;
}

static int world_setup(void **state)
{
	mm_error e = MM_ERROR_INIT;
	world *w = calloc(1, sizeof *w);
	const mmi_model_config config = { .latent_dim = LATENT, .nef = 4, .blocks = 1, .shortcut_kernel = 3, .seed = 5 };
	for (int m = 0; m < LINEAR_MODALITIES; m++) {
		w->modality[m] = (mmi_modality){ .desc = &linear_desc,
			                             .count = WIDTH,
			                             .x_scale = 1,
			                             .info = { .shape = mmi_shape(1, WIDTH),
			                                       .support = MM_SUPPORT_REAL,
			                                       .likelihood = MM_LIKELIHOOD_GAUSSIAN,
			                                       .likelihood_scale = sigmas[m],
			                                       .likelihood_weight = weights[m] } };
		snprintf(w->modality[m].name, sizeof w->modality[m].name, "m%d", m);
		w->x[m] = new_floats(ROWS * WIDTH);
	}
	must(mmi_model_create(tested_device(), w->modality, LINEAR_MODALITIES, &config, &w->model, &e), &e);
	must(mmi_latents_create(w->model, CHAINS * ROWS, &w->z, &e), &e);
	must(mmi_latents_create(w->model, CHAINS * ROWS, &w->start, &e), &e);
	must(mmi_pool_create(TESTED_THREADS, &w->pool, &e), &e);
	mmi_sampler_config sampler = { CHUNK, CHAINS * ROWS, 3, MMI_NET_ALL };
	must(mmi_sampler_create(w->model, w->pool, &sampler, &w->sampler, &e), &e);
	mmi_params_fetch(w->model->generator);
	find_precision(w);
	*state = w;
	return 0;
}

static int world_teardown(void **state)
{
	world *w = *state;
	mmi_sampler_destroy(w->sampler);
	mmi_pool_destroy(w->pool);
	mmi_model_destroy(w->model);
	for (int m = 0; m < LINEAR_MODALITIES; m++)
		mmi_free(w->x[m]);
	mmi_latents_clear(&w->z);
	mmi_latents_clear(&w->start);
	free(w);
	return 0;
}

/* The same observation in every row, or another one in each. */
static void observe(world *w, bool all_different)
{
	for (int m = 0; m < LINEAR_MODALITIES; m++)
		for (int i = 0; i < ROWS * WIDTH; i++)
			w->x[m][i] =
				(float)((i % WIDTH) * (m + 1)) * 0.3f - 1 + (all_different ? (float)(i / WIDTH % 17) * 0.1f : 0);
}

static mmi_chain_stats run_posterior(world *w, double s, double n, uint32_t steps, double grad_scale)
{
	mmi_chain_stats stats;
	mmi_posterior_args a = { .steps = steps, .step = s, .noise = n, .grad_scale = grad_scale };
	mmi_sampler_posterior(w->sampler, &a, (const float *const *)w->x, mmi_whole(ROWS), CHAINS, &w->z, &w->start,
	                      &stats);
	return stats;
}

/* n^2 / (1 - (1 - g s^2 l / 2)^2) in each eigendirection of the precision: what the chain with gradients scaled by g
 * settles at, discretisation included. */
static void settled_covariance(const world *w, double s, double n, double g, double cov[LATENT][LATENT])
{
	const double(*p)[LATENT] = w->precision;
	double half = (p[0][0] + p[1][1]) / 2, root = hypot((p[0][0] - p[1][1]) / 2, p[0][1]);
	double value[2] = { half + root, half - root }, angle = 0.5 * atan2(2 * p[0][1], p[0][0] - p[1][1]);
	double axis[2][2] = { { cos(angle), sin(angle) }, { -sin(angle), cos(angle) } };
	for (int i = 0; i < LATENT; i++)
		for (int j = 0; j < LATENT; j++) {
			cov[i][j] = 0;
			for (int k = 0; k < 2; k++)
				cov[i][j] += axis[k][i] * axis[k][j] * n * n / (1 - pow(1 - g * s * s * value[k] / 2, 2));
		}
}

static void assert_within(const char *what, double found, double expected, double standard_error)
{
	if (!(fabs(found - expected) <= 4.5 * standard_error))
		fail_msg("%s: %.6g, expected %.6g +- %.2g", what, found, expected, standard_error);
}

static void assert_posterior(const world *w, double s, double n, double g)
{
	const double count = CHAINS * ROWS;
	double mean[LATENT], found[LATENT] = { 0 }, cov[LATENT][LATENT], found_cov[LATENT][LATENT] = { { 0 } };
	posterior_mean(w, 0, mean);
	settled_covariance(w, s, n, g, cov);
	for (size_t r = 0; r < CHAINS * ROWS; r++)
		for (int i = 0; i < LATENT; i++)
			found[i] += (double)w->z.z[r * LATENT + (size_t)i] / count;
	for (size_t r = 0; r < CHAINS * ROWS; r++)
		for (int i = 0; i < LATENT; i++)
			for (int j = 0; j < LATENT; j++)
				found_cov[i][j] += ((double)w->z.z[r * LATENT + (size_t)i] - found[i]) *
				                   ((double)w->z.z[r * LATENT + (size_t)j] - found[j]) / count;
	for (int i = 0; i < LATENT; i++) {
		assert_within("mean", found[i], mean[i], sqrt(cov[i][i] / count));
		for (int j = 0; j < LATENT; j++)
			assert_within("covariance", found_cov[i][j], cov[i][j],
			              sqrt((cov[i][i] * cov[j][j] + cov[i][j] * cov[i][j]) / count));
	}
}

static void the_posterior_chain_samples_the_posterior(void **state)
{
	world *w = *state;
	observe(w, false);
	run_posterior(w, 0.2, 0.2, 300, 1);
	assert_posterior(w, 0.2, 0.2, 1);
}

/* The paper's listing averages the gradient over the M chains: the same as a posterior at temperature M. */
static void reduction_by_mean_flattens_the_posterior_by_the_number_of_chains(void **state)
{
	world *w = *state;
	double sharp[LATENT][LATENT], flat[LATENT][LATENT];
	observe(w, false);
	run_posterior(w, 0.2, 0.2, 500, 1.0 / CHAINS);
	assert_posterior(w, 0.2, 0.2, 1.0 / CHAINS);
	settled_covariance(w, 1e-3, 1e-3, 1, sharp);
	settled_covariance(w, 1e-3, 1e-3, 1.0 / CHAINS, flat);
	assert_true(fabs(flat[0][0] / sharp[0][0] - CHAINS) < 1e-3);
}

static void the_posterior_s_temperature_is_noise_over_step_squared(void **state)
{
	world *w = *state;
	observe(w, false);
	run_posterior(w, 0.2, 0.5, 300, 1);
	assert_posterior(w, 0.2, 0.5, 1);
}

#if defined(MMI_TEST_BF16)
static const double mode_error = 1e-2; /* its likelihood has rounded weights */
#else
static const double mode_error = 1e-4;
#endif

static void every_chain_sees_the_observation_of_its_own_row(void **state)
{
	world *w = *state;
	observe(w, true);
	run_posterior(w, 0.5, 0, 300, 1);
	for (size_t c = 0; c < CHAINS; c++)
		for (size_t r = 0; r < ROWS; r++) {
			double mode[LATENT];
			posterior_mean(w, r, mode);
			for (size_t i = 0; i < LATENT; i++)
				assert_true(fabs((double)w->z.z[(c * ROWS + r) * LATENT + i] - mode[i]) < mode_error);
		}
}

/* At z = 0: the likelihoods of the biases, and p0's normalisation. */
static void energies_of_the_posterior_are_in_nats(void **state)
{
	world *w = *state;
	double u = LATENT * 0.5 * log(2 * 3.14159265358979323846);
	observe(w, false);
	mmi_chain_stats stats = run_posterior(w, 0.1, 0, 1, 1);
	for (uint32_t m = 0; m < LINEAR_MODALITIES; m++)
		for (int k = 0; k < WIDTH; k++) {
			double d = (double)(w->x[m][k] - parameter(w, m, "bias")[k]), s = (double)sigmas[m];
			u += (double)weights[m] * (d * d / (2 * s * s) + log(s) + 0.5 * log(2 * 3.14159265358979323846));
		}
	assert_true(fabs(stats.energy / (CHAINS * ROWS) - u) < 1e-5 * fabs(u));
}

static void u_alone_is_that_of_a_chain_s_start(void **state)
{
	world *w = *state;
	static float observed[LINEAR_MODALITIES][CHAINS * ROWS];
	const float *rows[LINEAR_MODALITIES];
	for (uint32_t m = 0; m < LINEAR_MODALITIES; m++) {
		rows[m] = observed[m];
		for (uint32_t i = 0; i < CHAINS * ROWS; i++)
			observed[m][i] = (float)((i / 3 + m) % 2);
	}
	observe(w, true);
	run_posterior(w, 0.3, 0.3, 5, 1);
	for (int some = 0; some < 2; some++) {
		mmi_chain_stats stats;
		const mmi_posterior_args still = { .steps = 1, .grad_scale = 1, .observed = some ? rows : NULL };
		const float *const *x = (const float *const *)w->x;
		mmi_sampler_posterior(w->sampler, &still, x, mmi_whole(ROWS), CHAINS, &w->z, NULL, &stats);
		double u = mmi_sampler_potential(w->sampler, still.observed, x, ROWS, CHAINS, &w->z);
		assert_true(fabs(u - stats.energy) <= 1e-6 * fabs(stats.energy));
	}
}

/* ---------------------------------------------------------------- draws */

static void draws_have_the_family_s_moments_and_repeat(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	const double count = ROWS * LATENT;
	mmi_latents again;
	double mean = 0, square = 0, cross = 0;
	must(mmi_latents_create(w->model, ROWS, &again, &e), &e);
	mmi_sampler_prior(w->sampler, mmi_whole(ROWS), 0, 8, &w->z);
	mmi_sampler_prior(w->sampler, mmi_whole(ROWS), 0, 8, &again);
	assert_memory_equal(w->z.z, again.z, ROWS * LATENT * sizeof(float));
	mmi_sampler_prior(w->sampler, mmi_whole(ROWS), 0, 9, &again);
	for (int i = 0; i < ROWS * LATENT; i++) {
		mean += (double)w->z.z[i] / count;
		square += (double)w->z.z[i] * (double)w->z.z[i] / count;
		cross += (double)w->z.z[i] * (double)again.z[i] / count; /* another iteration: independent */
	}
	assert_within("mean", mean, 0, 1 / sqrt(count));
	assert_within("second moment", square, 1, sqrt(2 / count));
	assert_within("across iterations", cross, 0, 1 / sqrt(count));
	mmi_latents_clear(&again);
}

static void starts_are_draws_of_the_expert_asked_for_at_any_temperature(void **state)
{
	world *w = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_experts x;
	mmi_latents eps;
	uint32_t *expert = mmi_alloc(ROWS, sizeof *expert);
	must(mmi_experts_create(w->model, ROWS, &x, &e), &e);
	must(mmi_latents_create(w->model, ROWS, &eps, &e), &e);
	for (int i = 0; i < ROWS * LATENT; i++)
		for (int m = 0; m < LINEAR_MODALITIES; m++) {
			x.loc[m][i] = (float)(i + 1000 * m);
			x.scale[m][i] = (float)(m + 1);
		}
	for (uint32_t r = 0; r < ROWS; r++)
		expert[r] = r % LINEAR_MODALITIES;
	mmi_start_args a = { .iteration = 4, .chain = 1, .expert = expert, .temperature = 1 };
	mmi_sampler_standard(w->sampler, mmi_whole(ROWS), 1, 4, &eps);
	mmi_sampler_start(w->sampler, &a, &x, mmi_whole(ROWS), &w->z);
	for (int i = 0; i < ROWS * LATENT; i++)
		assert_true(w->z.z[i] == x.loc[expert[i / LATENT]][i] + x.scale[expert[i / LATENT]][i] * eps.z[i]);
	a.temperature = 0.25;
	mmi_sampler_start(w->sampler, &a, &x, mmi_whole(ROWS), &w->z);
	for (int i = 0; i < ROWS * LATENT; i++)
		assert_true(w->z.z[i] == x.loc[expert[i / LATENT]][i] + 0.25f * x.scale[expert[i / LATENT]][i] * eps.z[i]);
	a.temperature = 0;
	mmi_sampler_start(w->sampler, &a, &x, mmi_whole(ROWS), &w->z);
	for (int i = 0; i < ROWS * LATENT; i++)
		assert_true(w->z.z[i] == x.loc[expert[i / LATENT]][i]);
	mmi_experts_clear(&x);
	mmi_latents_clear(&eps);
	mmi_free(expert);
}

static void experts_are_picked_evenly(void **state)
{
	world *w = *state;
	uint32_t *expert = mmi_alloc(ROWS, sizeof *expert);
	double first = 0;
	mmi_sampler_pick(w->sampler, mmi_whole(ROWS), 2, NULL, expert);
	for (int r = 0; r < ROWS; r++) {
		assert_true(expert[r] < LINEAR_MODALITIES);
		first += expert[r] == 0;
	}
	assert_within("share of expert 0", first / ROWS, 0.5, 0.5 / sqrt(ROWS));
	mmi_free(expert);
}

static void reseeding_changes_all_draws_and_can_be_undone(void **state)
{
	world *w = *state;
	float before[LATENT * CHUNK], after[LATENT * CHUNK];
	mmi_latents first = { .z = before }, second = { .z = after };
	mmi_sampler_prior(w->sampler, mmi_whole(CHUNK), 0, 1, &first);
	mmi_sampler_reseed(w->sampler, 1);
	mmi_sampler_prior(w->sampler, mmi_whole(CHUNK), 0, 1, &second);
	for (int i = 0; i < LATENT * CHUNK; i++)
		assert_true(before[i] != after[i]);
	mmi_sampler_reseed(w->sampler, 0);
	mmi_sampler_prior(w->sampler, mmi_whole(CHUNK), 0, 1, &second);
	assert_memory_equal(before, after, sizeof before);
}

static void chunks_depend_on_the_batch_alone(void **state)
{
	(void)state;
	assert_int_equal(mmi_chunk_for(64, 16), 16);
	assert_int_equal(mmi_chunk_for(60, 16), 15);
	assert_int_equal(mmi_chunk_for(7, 16), 7);
	assert_int_equal(mmi_chunk_for(17, 16), 1);
	assert_int_equal(mmi_chunk_for(1, 1), 1);
	assert_int_equal(mmi_whole_chunks(1, 16), 16);
	assert_int_equal(mmi_whole_chunks(32, 16), 32);
	assert_int_equal(mmi_whole_chunks(33, 16), 48);
}

/* ---------------------------------------------------------------- the data chain on pictures, words and sensors */

enum { N = 16 };

typedef struct copy {
	float *x[RIG_MODALITIES];
} copy;

static copy copy_batch(learner_rig *r)
{
	copy c;
	const mmi_batch *b = rig_batch(r, 0);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		c.x[m] = new_floats(N * (size_t)r->modality[m].count);
		memcpy(c.x[m], b->x[m], N * (size_t)r->modality[m].count * sizeof(float));
	}
	return c;
}

static void free_copy(copy *c)
{
	for (int m = 0; m < RIG_MODALITIES; m++)
		mmi_free(c->x[m]);
}

/* Revised batches of two rigs must agree in every bit. */
static void assert_same_rows(const learner_rig *r, const copy *a, const copy *b)
{
	for (int m = 0; m < RIG_MODALITIES; m++)
		assert_memory_equal(a->x[m], b->x[m], N * (size_t)r->modality[m].count * sizeof(float));
}

static copy revise(learner_rig *r, const mmi_revise_args *a, mmi_chain_stats *stats)
{
	copy x = copy_batch(r), start = copy_batch(r);
	mmi_sampler_revise(r->learner->sampler, a, x.x, (const float *const *)start.x, mmi_whole(N), stats);
	free_copy(&start);
	return x;
}

static void open_scaled(learner_rig *r, double x_scale, const char *threads)
{
	mmi_modality all[RIG_MODALITIES];
	for (int m = 0; m < RIG_MODALITIES; m++) {
		all[m] = rig_modality(m);
		all[m].x_scale = x_scale;
	}
	rig_open_with(r, (const char *const[]){ threads, NULL }, all, RIG_MODALITIES);
}

static void x_scale_multiplies_step_and_noise(void **state)
{
	learner_rig plain, scaled;
	mmi_chain_stats stats[2];
	(void)state;
	open_scaled(&plain, 1, "run.threads=1");
	open_scaled(&scaled, 2, "run.threads=1");
	mmi_revise_args once = { .steps = 5, .iteration = 3, .step = 0.25, .noise = 0.125, .clamp = true }, twice = once;
	twice.step *= 2;
	twice.noise *= 2;
	copy a = revise(&plain, &twice, &stats[0]), b = revise(&scaled, &once, &stats[1]);
	assert_same_rows(&plain, &a, &b);
	assert_true(stats[0].drift2 > 0 && stats[0].drift2 == stats[1].drift2 && stats[0].noise2 == stats[1].noise2);
	free_copy(&a);
	free_copy(&b);
	rig_close(&plain);
	rig_close(&scaled);
}

static void revised_samples_stay_in_their_support(void **state)
{
	learner_rig r;
	mmi_chain_stats stats;
	float highest = 0;
	(void)state;
	rig_open_on(&r, tested_device(), NULL);
	mmi_revise_args a = { .steps = 20, .step = 0.5, .noise = 0.3, .clamp = true };
	for (int clamp = 1; clamp >= 0; clamp--) {
		a.clamp = clamp;
		copy x = revise(&r, &a, &stats);
		for (int64_t i = 0; i < N * r.modality[RIG_PICTURE].count; i++)
			highest = fmaxf(highest, fabsf(x.x[RIG_PICTURE][i]));
		assert_true(clamp ? highest == 1 : highest > 1.1f);
		for (int64_t i = 0; i < N * r.modality[RIG_WORDS].count; i += 4) { /* with or without: never off the simplex */
			const float *p = x.x[RIG_WORDS] + i;
			assert_true(fabsf(p[0] + p[1] + p[2] + p[3] - 1) < 1e-5f);
			assert_true(p[0] >= 0 && p[1] >= 0 && p[2] >= 0 && p[3] >= 0);
		}
		free_copy(&x);
	}
	rig_close(&r);
}

static void statistics_start_with_the_energy_and_measure_movement(void **state)
{
	learner_rig r;
	mmi_chain_stats stats;
	float energy[N];
	double sum = 0, moved = 0, elements = 0;
	(void)state;
	rig_open_on(&r, tested_device(), NULL);
	copy before = copy_batch(&r);
	mmi_revise_args a = { .steps = 3, .step = 0.3, .noise = 0.05, .clamp = true };
	copy x = revise(&r, &a, &stats);
	mmi_sampler_energy(r.learner->sampler, (const float *const *)before.x, N, energy);
	for (int i = 0; i < N; i++)
		sum += (double)energy[i];
	for (int m = 0; m < RIG_MODALITIES; m++) {
		double unit = m == RIG_PICTURE ? 2 : 1; /* -1..1 */
		for (int64_t i = 0; i < N * r.modality[m].count; i++)
			moved += pow((double)(x.x[m][i] - before.x[m][i]) / unit, 2);
		elements += N * (double)r.modality[m].count;
	}
	assert_true(fabs(stats.energy - sum) < 1e-5 * fabs(sum));
	assert_true(fabs(stats.move2 / moved - 1) < 1e-5);
	assert_true(stats.elements == elements);
	free_copy(&x);
	free_copy(&before);
	rig_close(&r);
}

static void no_steps_leave_everything_in_place(void **state)
{
	learner_rig r;
	mmi_chain_stats stats;
	(void)state;
	rig_open_on(&r, tested_device(), NULL);
	mmi_revise_args a = { .steps = 0, .step = 0.3, .noise = 0.05, .clamp = true };
	copy before = copy_batch(&r), x = revise(&r, &a, &stats);
	assert_same_rows(&r, &x, &before);
	assert_true(stats.move2 == 0 && stats.drift2 == 0);
	free_copy(&x);
	free_copy(&before);
	rig_close(&r);
}

static void rows_do_not_depend_on_the_number_of_threads(void **state)
{
	static const char *const threads[] = { "run.threads=1", "run.threads=2", "run.threads=3" };
	const mmi_revise_args a = { .steps = 4, .step = 0.3, .noise = 0.1, .clamp = true, .move_max = 0.1 };
	copy first = { { NULL } };
	mmi_chain_stats stats[3];
	(void)state;
	for (int t = 0; t < 3; t++) {
		learner_rig r;
		open_scaled(&r, 1, threads[t]);
		copy x = revise(&r, &a, &stats[t]);
		if (t == 0)
			first = x;
		else {
			assert_same_rows(&r, &x, &first);
			assert_memory_equal(&stats[t], &stats[0], sizeof stats[0]);
			free_copy(&x);
		}
		rig_close(&r);
	}
	free_copy(&first);
}

/* ---------------------------------------------------------------- projection on the simplex */

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* Held, Wolfe and Crowder 1974: sort, find how many stay positive. */
static void project_by_sorting(const float *x, double *out, int n)
{
	double sorted[64], sum = 0, t = 0;
	for (int i = 0; i < n; i++)
		sorted[i] = (double)x[i];
	qsort(sorted, (size_t)n, sizeof *sorted, descending);
	for (int i = 0; i < n; i++) {
		sum += sorted[i];
		if (sorted[i] - (sum - 1) / (i + 1) > 0)
			t = (sum - 1) / (i + 1);
	}
	for (int i = 0; i < n; i++)
		out[i] = fmax((double)x[i] - t, 0);
}

static void assert_projected(const float *given, int n)
{
	float x[64];
	double expected[64], sum = 0;
	memcpy(x, given, (size_t)n * sizeof *x);
	project_by_sorting(x, expected, n);
	mmi_simplex_project(x, n);
	for (int i = 0; i < n; i++) {
		if (!(fabs((double)x[i] - expected[i]) <= 1e-6))
			fail_msg("%d values, the %dth: %.9g, expected %.9g", n, i, (double)x[i], expected[i]);
		sum += (double)x[i];
	}
	assert_true(fabs(sum - 1) < 2e-6);
}

static void projection_is_the_nearest_point_of_the_simplex(void **state)
{
	static const float scales[] = { 0.01f, 0.3f, 1, 10, 1000 };
	float x[64];
	(void)state;
	for (int n = 1; n <= 64; n++)
		for (uint32_t trial = 0; trial < 40; trial++) {
			cpu_device()->vec->normal(x, (size_t)n, (mmi_rng){ .key = 9, .sample = (uint32_t)n, .step = trial });
			for (int i = 0; i < n; i++)
				x[i] = x[i] * scales[trial % MMI_COUNT(scales)] + (float)(trial % 3) - 1;
			assert_projected(x, n);
		}
}

static void projection_knows_corners_ties_and_points_already_there(void **state)
{
	(void)state;
	assert_projected((float[]){ 0, 0, 0, 0 }, 4);
	assert_projected((float[]){ 1, 1, 1 }, 3);
	assert_projected((float[]){ 0, 1, 0 }, 3);
	assert_projected((float[]){ -5, -5, 100, -5, 100 }, 5);
	assert_projected((float[]){ 0.25f, 0.5f, 0.125f, 0.125f }, 4);
	assert_projected((float[]){ -3 }, 1);
	assert_projected((float[]){ -1e6f, 1e6f }, 2);
	float there[4] = { 0.25f, 0.5f, 0.125f, 0.125f }, same[4];
	memcpy(same, there, sizeof same);
	mmi_simplex_project(there, 4);
	assert_memory_equal(there, same, sizeof same);
}

/* What a sampler on demand has compiled computes what that of one that has all does; the rest may be called without
 * steps. */
static void networks_on_demand_compute_the_same(void **state)
{
	mm_error e = MM_ERROR_INIT;
	world *w = *state;
	mmi_sampler *lazy;
	mmi_chain_stats stats = { .energy = 7 };
	const mmi_sampler_config config = { CHUNK, CHAINS * ROWS, 3, 0 };
	const mmi_posterior_args steps = { .steps = 3, .step = 0.1, .noise = 0.1, .grad_scale = 1 }, none = { .steps = 0 };
	const mmi_revise_args still = { .steps = 0 };
	float *once[LINEAR_MODALITIES];
	const size_t bytes = ROWS * LATENT * sizeof(float);
	observe(w, true);
	must(mmi_sampler_create(w->model, w->pool, &config, &lazy, &e), &e);
	for (int m = 0; m < LINEAR_MODALITIES; m++) {
		once[m] = new_floats(ROWS * WIDTH);
		memcpy(once[m], w->x[m], ROWS * WIDTH * sizeof(float));
	}
	mmi_sampler_prior(lazy, mmi_whole(ROWS), 0, 1, &w->z);
	mmi_sampler_posterior(lazy, &none, mmi_rows_read(w->x), mmi_whole(ROWS), 1, &w->z, NULL, &stats);
	assert_true(stats.energy < 1e-300 && stats.energy > -1e-300);
	mmi_sampler_revise(lazy, &still, once, NULL, mmi_whole(ROWS), &stats);
	assert_memory_equal(once[0], w->x[0], ROWS * WIDTH * sizeof(float));
	must(mmi_sampler_prepare(lazy, MMI_NET_POSTERIOR, &e), &e);
	must(mmi_sampler_prepare(lazy, MMI_NET_POSTERIOR, &e), &e);
	mmi_latents_copy(&w->start, &w->z, w->model, ROWS);
	mmi_sampler_posterior(lazy, &steps, mmi_rows_read(w->x), mmi_whole(ROWS), 1, &w->z, NULL, &stats);
	mmi_sampler_posterior(w->sampler, &steps, mmi_rows_read(w->x), mmi_whole(ROWS), 1, &w->start, NULL, &stats);
	assert_memory_equal(w->z.z, w->start.z, bytes);
	mmi_sampler_destroy(lazy);
	for (int m = 0; m < LINEAR_MODALITIES; m++)
		mmi_free(once[m]);
}

/* Devices of one block of memory after another that is refused, until all are given: what each try leaves is taken up
 * by the next (leaks are AddressSanitizer's to tell), and in the end the networks work. */
static int given;

static void *stingy_alloc(const mmi_device *d, size_t bytes)
{
	return given-- > 0 ? tested_device()->ops->alloc(d, bytes) : NULL;
}

static void preparing_may_be_tried_again(void **state)
{
	mm_error e = MM_ERROR_INIT;
	world *w = *state;
	mmi_sampler *lazy;
	int tries = 0;
	const mmi_sampler_config config = { CHUNK, ROWS, 3, 0 };
	const mmi_posterior_args steps = { .steps = 3, .step = 0.1, .noise = 0.1, .grad_scale = 1 };
	const mmi_device *whole = w->model->device;
	mmi_device_ops stingy_ops = *whole->ops;
	mmi_device stingy = *whole;
	mmi_chain_stats stats;
	stingy_ops.alloc = stingy_alloc;
	stingy.ops = &stingy_ops;
	observe(w, true);
	must(mmi_sampler_create(w->model, w->pool, &config, &lazy, &e), &e);
	w->model->device = &stingy;
	for (given = 0; mmi_sampler_prepare(lazy, MMI_NET_POSTERIOR, &e) == MM_ENOMEM; given = tries)
		tries++;
	w->model->device = whole;
	assert_true(tries > 1);
	mmi_sampler_prior(lazy, mmi_whole(ROWS), 0, 1, &w->z);
	mmi_latents_copy(&w->start, &w->z, w->model, ROWS);
	mmi_sampler_posterior(lazy, &steps, mmi_rows_read(w->x), mmi_whole(ROWS), 1, &w->z, NULL, &stats);
	mmi_sampler_posterior(w->sampler, &steps, mmi_rows_read(w->x), mmi_whole(ROWS), 1, &w->start, NULL, &stats);
	assert_memory_equal(w->z.z, w->start.z, ROWS * LATENT * sizeof(float));
	mmi_sampler_destroy(lazy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(preparing_may_be_tried_again, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(the_posterior_chain_samples_the_posterior, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(reduction_by_mean_flattens_the_posterior_by_the_number_of_chains, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(the_posterior_s_temperature_is_noise_over_step_squared, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(every_chain_sees_the_observation_of_its_own_row, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(energies_of_the_posterior_are_in_nats, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(u_alone_is_that_of_a_chain_s_start, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(draws_have_the_family_s_moments_and_repeat, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(starts_are_draws_of_the_expert_asked_for_at_any_temperature, world_setup,
		                                world_teardown),
		cmocka_unit_test_setup_teardown(experts_are_picked_evenly, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(reseeding_changes_all_draws_and_can_be_undone, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(networks_on_demand_compute_the_same, world_setup, world_teardown),
		cmocka_unit_test(chunks_depend_on_the_batch_alone),
		cmocka_unit_test(x_scale_multiplies_step_and_noise),
		cmocka_unit_test(revised_samples_stay_in_their_support),
		cmocka_unit_test(statistics_start_with_the_energy_and_measure_movement),
		cmocka_unit_test(no_steps_leave_everything_in_place),
		cmocka_unit_test(rows_do_not_depend_on_the_number_of_threads),
		cmocka_unit_test(projection_is_the_nearest_point_of_the_simplex),
		cmocka_unit_test(projection_knows_corners_ties_and_points_already_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
