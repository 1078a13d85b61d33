/* test_subsets.c - any subset of the modalities may be observed, with private latents or without: posteriors of linear
 * models are known in closed form for every subset. */
#include "mmi_build.h"

#include "../rig/linear_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 2048, Z = 2, W = 1, DIM = Z + LINEAR * W, STEPS = 400 };
static const double s = 0.2, n = 0.2;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

/* ---------------------------------------------------------------- closed form: p(z, w_1..w_M | x_O) = N(P^-1 v, P^-1)
 */

typedef struct gaussian {
	int dim;
	double precision[DIM][DIM], v[DIM], mean[DIM], cov[DIM][DIM];
} gaussian;

/* Row k of modality m's decoder matrix acts on latent place(k): z first, then its own w. */
static int place(uint32_t m, int k)
{
	return k < Z ? k : Z + (int)m * W + (k - Z);
}

static void add_modality(gaussian *g, const linear_rig *r, uint32_t m, int inputs)
{
	const float *a = linear_parameter(r->model->generator, "m%u.decoder.out.weight", m);
	const float *b = linear_parameter(r->model->generator, "m%u.decoder.out.bias", m);
	double factor = (double)linear_weights[m] / pow((double)linear_sigmas[m], 2);
	for (int i = 0; i < inputs; i++)
		for (int k = 0; k < LINEAR_WIDTH; k++) {
			g->v[place(m, i)] += factor * (double)a[i * LINEAR_WIDTH + k] * (double)(r->x[m][k] - b[k]);
			for (int j = 0; j < inputs; j++)
				g->precision[place(m, i)][place(m, j)] +=
					factor * (double)a[i * LINEAR_WIDTH + k] * (double)a[j * LINEAR_WIDTH + k];
		}
}

static void solve(gaussian *g)
{
	double m[DIM][DIM + 1];
	for (int i = 0; i < g->dim; i++) {
		memcpy(m[i], g->precision[i], (size_t)g->dim * sizeof **m);
		m[i][g->dim] = g->v[i];
	}
	for (int i = 0; i < g->dim; i++) /* positive definite: no pivoting */
		for (int j = 0; j < g->dim; j++) {
			double factor = j == i ? 0 : m[j][i] / m[i][i];
			for (int k = i; k <= g->dim; k++)
				m[j][k] -= factor * m[i][k];
		}
	for (int i = 0; i < g->dim; i++)
		g->mean[i] = m[i][g->dim] / m[i][i];
}

/* What the chain with steps s, n settles at: C = (I - hP) C (I - hP) + n^2 I, h = s^2/2. */
static void settle(gaussian *g)
{
	double power[DIM][DIM] = { { 0 } }, next[DIM][DIM];
	memset(g->cov, 0, sizeof g->cov);
	for (int i = 0; i < g->dim; i++)
		power[i][i] = 1;
	for (int step = 0; step < 3000; step++) {
		for (int i = 0; i < g->dim; i++)
			for (int j = 0; j < g->dim; j++) {
				next[i][j] = power[i][j];
				for (int k = 0; k < g->dim; k++) {
					g->cov[i][j] += n * n * power[i][k] * power[j][k];
					next[i][j] -= s * s / 2 * power[i][k] * g->precision[k][j];
				}
			}
		memcpy(power, next, sizeof power);
	}
}

static gaussian posterior_of(const linear_rig *r, uint32_t subset, bool private)
{
	gaussian g = { .dim = private ? DIM : Z };
	for (int i = 0; i < g.dim; i++)
		g.precision[i][i] = 1;
	for (uint32_t m = 0; m < LINEAR; m++)
		if (subset >> m & 1)
			add_modality(&g, r, m, private ? Z + W : Z);
	solve(&g);
	settle(&g);
	return g;
}

/* ---------------------------------------------------------------- what the chain found */

static double latent(const mmi_latents *l, uint32_t row, int i)
{
	return (double)(i < Z ? l->z[row * Z + (uint32_t)i] : l->w[(i - Z) / W][row * W + (uint32_t)((i - Z) % W)]);
}

static void sample_moments(const mmi_latents *l, int dim, double mean[DIM], double cov[DIM][DIM])
{
	for (int i = 0; i < dim; i++) {
		mean[i] = 0;
		for (uint32_t row = 0; row < ROWS; row++)
			mean[i] += latent(l, row, i) / ROWS;
	}
	for (int i = 0; i < dim; i++)
		for (int j = 0; j < dim; j++) {
			cov[i][j] = 0;
			for (uint32_t row = 0; row < ROWS; row++)
				cov[i][j] += (latent(l, row, i) - mean[i]) * (latent(l, row, j) - mean[j]) / ROWS;
		}
}

static double errors_of_mean(const gaussian *g, const double mean[DIM])
{
	double worst = 0;
	for (int i = 0; i < g->dim; i++)
		worst = fmax(worst, fabs(mean[i] - g->mean[i]) / sqrt(g->cov[i][i] / ROWS));
	return worst;
}

/* Within 4.5 standard errors of the mean and of every covariance. */
static void assert_posterior(const gaussian *g, const mmi_latents *l, uint32_t subset)
{
	double mean[DIM], cov[DIM][DIM];
	sample_moments(l, g->dim, mean, cov);
	if (errors_of_mean(g, mean) > 4.5)
		fail_msg("subset %u: the mean is %.1f standard errors off", subset, errors_of_mean(g, mean));
	for (int i = 0; i < g->dim; i++)
		for (int j = 0; j < g->dim; j++) {
			double se = sqrt((g->cov[i][i] * g->cov[j][j] + g->cov[i][j] * g->cov[i][j]) / ROWS);
			if (fabs(cov[i][j] - g->cov[i][j]) > 4.5 * se)
				fail_msg("subset %u: covariance %d,%d is %g, expected %g +- %g", subset, i, j, cov[i][j], g->cov[i][j],
				         se);
		}
}

static void run_chain(linear_rig *r, mmi_latents *l, bool held)
{
	mmi_chain_stats stats;
	mmi_posterior_args a = { .steps = STEPS,
		                     .step = s,
		                     .noise = n,
		                     .grad_scale = 1,
		                     .observed = (const float *const *)r->observed,
		                     .held = held ? (const uint8_t *const *)r->missing : NULL };
	mmi_sampler_posterior(r->sampler, &a, (const float *const *)r->x, mmi_whole(r->rows), 1, l, NULL, &stats);
}

/* ---------------------------------------------------------------- the tests */

static void check_all_subsets(bool private)
{
	linear_rig r;
	mmi_latents l;
	mm_error e = MM_ERROR_INIT;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = private ? W : 0 }, ROWS);
	must(mmi_latents_create(r.model, ROWS, &l, &e), &e);
	for (uint32_t subset = 1; subset < 1 << LINEAR; subset++) {
		gaussian g = posterior_of(&r, subset, private);
		linear_observe(&r, subset);
		run_chain(&r, &l, false);
		assert_posterior(&g, &l, subset);
	}
	mmi_latents_clear(&l);
	linear_close(&r);
}

static void the_chain_samples_the_posterior_of_every_subset(void **state)
{
	(void)state;
	check_all_subsets(false);
}

/* Unobserved w follow their prior, correlated with nothing; observed ones are correlated with z as the posterior says.
 */
static void the_chain_over_z_and_w_samples_their_joint_posterior(void **state)
{
	(void)state;
	check_all_subsets(true);
}

static void starts_from_single_experts_are_not_yet_the_posterior(void **state)
{
	linear_rig r;
	mmi_latents l;
	mmi_experts x;
	uint32_t expert[ROWS];
	double mean[DIM], cov[DIM][DIM];
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z }, ROWS);
	must(mmi_latents_create(r.model, ROWS, &l, &e), &e);
	must(mmi_experts_create(r.model, ROWS, &x, &e), &e);
	gaussian g = posterior_of(&r, 7, false);
	linear_observe(&r, 7);
	mmi_sampler_encode(r.sampler, (const float *const *)r.x, ROWS, &x);
	mmi_sampler_pick(r.sampler, mmi_whole(ROWS), 0, NULL, expert);
	mmi_sampler_start(r.sampler, &(mmi_start_args){ .expert = expert, .temperature = 1 }, &x, mmi_whole(ROWS), &l);
	sample_moments(&l, Z, mean, cov);
	assert_true(errors_of_mean(&g, mean) > 20);
	mmi_latents_clear(&l);
	mmi_experts_clear(&x);
	linear_close(&r);
}

/* Bit for bit: whatever x holds where nothing was observed. */
static void what_is_not_observed_drops_out_exactly(void **state)
{
	linear_rig r;
	mmi_latents a, b;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = W }, LINEAR_CHUNK);
	must(mmi_latents_create(r.model, LINEAR_CHUNK, &a, &e), &e);
	must(mmi_latents_create(r.model, LINEAR_CHUNK, &b, &e), &e);
	linear_observe(&r, 5);
	run_chain(&r, &a, true);
	for (int i = 0; i < LINEAR_CHUNK * LINEAR_WIDTH; i++)
		r.x[1][i] = 1e6f;
	run_chain(&r, &b, true);
	assert_memory_equal(a.z, b.z, LINEAR_CHUNK * Z * sizeof(float));
	for (int m = 0; m < LINEAR; m++)
		assert_memory_equal(a.w[m], b.w[m], LINEAR_CHUNK * W * sizeof(float));
	for (int i = 0; i < LINEAR_CHUNK * W; i++)
		assert_true(a.w[1][i] == 0 && a.w[0][i] != 0); /* held at the start; the others moved */
	mmi_latents_clear(&a);
	mmi_latents_clear(&b);
	linear_close(&r);
}

static void private_starts_are_inferred_where_observed_and_prior_draws_elsewhere(void **state)
{
	linear_rig r;
	mmi_latents l, eps;
	mmi_experts x;
	uint32_t expert[LINEAR_CHUNK];
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = W }, LINEAR_CHUNK);
	must(mmi_latents_create(r.model, LINEAR_CHUNK, &l, &e), &e);
	must(mmi_latents_create(r.model, LINEAR_CHUNK, &eps, &e), &e);
	must(mmi_experts_create(r.model, LINEAR_CHUNK, &x, &e), &e);
	linear_observe(&r, 3);
	mmi_sampler_encode(r.sampler, (const float *const *)r.x, LINEAR_CHUNK, &x);
	mmi_sampler_pick(r.sampler, mmi_whole(LINEAR_CHUNK), 0, (const float *const *)r.observed, expert);
	mmi_sampler_standard(r.sampler, mmi_whole(LINEAR_CHUNK), 0, 0, &eps);
	for (int own = 0; own < 2; own++) {
		mmi_start_args a = {
			.expert = expert, .observed = (const float *const *)r.observed, .own = own, .temperature = 1
		};
		mmi_sampler_start(r.sampler, &a, &x, mmi_whole(LINEAR_CHUNK), &l);
		for (uint32_t i = 0; i < LINEAR_CHUNK; i++)
			for (uint32_t m = 0; m < LINEAR; m++) {
				bool inferred = m < 2 && (!own || expert[i] == m);
				float expected = inferred ? x.w_loc[m][i] + x.w_scale[m][i] * eps.w[m][i] : eps.w[m][i];
				assert_true(expert[i] < 2 && fabsf(l.w[m][i] - expected) < 1e-6f);
			}
	}
	mmi_latents_clear(&l);
	mmi_latents_clear(&eps);
	mmi_experts_clear(&x);
	linear_close(&r);
}

/* N(loc, scale) with 1/scale^2 = [1 +] sum 1/scale_m^2 and loc = scale^2 sum loc_m / scale_m^2, over what is observed.
 */
static void products_of_experts_add_precisions(void **state)
{
	(void)state;
	for (int prior = 0; prior < 2; prior++) {
		linear_rig r;
		mmi_latents l;
		mmi_experts x;
		mm_error e = MM_ERROR_INIT;
		uint32_t expert[LINEAR_CHUNK] = { 0 };
		linear_open(
			&r, (mmi_model_config){ .latent_dim = Z, .fusion = prior ? MMI_FUSION_PRODUCT_PRIOR : MMI_FUSION_PRODUCT },
			LINEAR_CHUNK);
		must(mmi_latents_create(r.model, LINEAR_CHUNK, &l, &e), &e);
		must(mmi_experts_create(r.model, LINEAR_CHUNK, &x, &e), &e);
		linear_observe(&r, 6);
		mmi_sampler_encode(r.sampler, (const float *const *)r.x, LINEAR_CHUNK, &x);
		mmi_sampler_start(r.sampler,
		                  &(mmi_start_args){ .expert = expert, .observed = (const float *const *)r.observed }, &x,
		                  mmi_whole(LINEAR_CHUNK), &l);
		for (int i = 0; i < LINEAR_CHUNK * Z; i++) {
			double precision = prior, pulled = 0;
			for (int m = 1; m < LINEAR; m++) {
				precision += 1 / pow((double)x.scale[m][i], 2);
				pulled += (double)x.loc[m][i] / pow((double)x.scale[m][i], 2);
			}
			assert_true(fabs((double)l.z[i] - pulled / precision) < 1e-6);
		}
		/* An expert that is asked for stands alone, but for the prior where it means nothing without. */
		for (int i = 0; i < LINEAR_CHUNK; i++)
			expert[i] = 2;
		mmi_sampler_start(
			r.sampler,
			&(mmi_start_args){ .expert = expert, .observed = (const float *const *)r.observed, .single = true }, &x,
			mmi_whole(LINEAR_CHUNK), &l);
		for (int i = 0; i < LINEAR_CHUNK * Z; i++) {
			double own = 1 / pow((double)x.scale[2][i], 2);
			assert_true(fabs((double)l.z[i] - (double)x.loc[2][i] * own / (own + prior)) < (prior ? 1e-6 : 1e-30));
		}
		mmi_latents_clear(&l);
		mmi_experts_clear(&x);
		linear_close(&r);
	}
}

static void translation_leaves_what_was_given_and_decodes_the_rest(void **state)
{
	linear_rig r;
	mmi_translator *t;
	mmi_latents l;
	float *x[LINEAR], before[LINEAR_CHUNK * LINEAR_WIDTH], *mean[LINEAR];
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z, .private_dim = W }, LINEAR_CHUNK);
	must(mmi_translator_create(r.model, r.sampler, LINEAR_CHUNK, &t, &e), &e);
	must(mmi_latents_create(r.model, LINEAR_CHUNK, &l, &e), &e);
	for (int m = 0; m < LINEAR; m++) {
		x[m] = r.x[m];
		mean[m] = mmi_alloc(LINEAR_CHUNK * LINEAR_WIDTH, sizeof(float));
	}
	memcpy(before, r.x[1], sizeof before);
	linear_observe(&r, 2);
	mmi_translate_args a = { .number = 4,
		                     .expert = -1,
		                     .temperature = 1,
		                     .posterior = { .steps = 5, .step = 0.1, .noise = 0.1, .grad_scale = 1 } };
	mmi_translate(t, &a, x, (const float *const *)r.observed, mmi_whole(LINEAR_CHUNK), &l);
	mmi_sampler_decode(r.sampler, &l, LINEAR_CHUNK, mean);
	assert_memory_equal(x[1], before, sizeof before);
	assert_memory_equal(x[0], mean[0], sizeof before);
	assert_memory_equal(x[2], mean[2], sizeof before);
	a.revise = (mmi_revise_args){ .steps = 3, .step = 0.5, .noise = 0.01 };
	mmi_translate(t, &a, x, (const float *const *)r.observed, mmi_whole(LINEAR_CHUNK), NULL);
	assert_memory_equal(x[1], before, sizeof before);
	assert_memory_not_equal(x[0], mean[0], sizeof before);
	for (int m = 0; m < LINEAR; m++)
		mmi_free(mean[m]);
	mmi_latents_clear(&l);
	mmi_translator_destroy(t);
	linear_close(&r);
}

/* With weight 0 nothing but the prior is left; with the energy, samples have less of it than the prior's. */
static void the_guide_samples_the_prior_tilted_by_the_energy(void **state)
{
	linear_rig r;
	mmi_latents l;
	mmi_chain_stats stats, tilted;
	double mean[DIM], cov[DIM][DIM];
	gaussian g = { .dim = Z, .precision = { { 1, 0 }, { 0, 1 } } };
	mm_error e = MM_ERROR_INIT;
	(void)state;
	linear_open(&r, (mmi_model_config){ .latent_dim = Z }, ROWS);
	must(mmi_latents_create(r.model, ROWS, &l, &e), &e);
	mmi_guide_args a = { .steps = STEPS, .step = s, .noise = n };
	mmi_sampler_prior(r.sampler, mmi_whole(ROWS), 0, 0, &l);
	mmi_sampler_guide(r.sampler, &a, mmi_whole(ROWS), &l, NULL, &stats);
	settle(&g);
	assert_posterior(&g, &l, 0);
	a.weight = 3;
	a.iteration = 1;
	mmi_sampler_guide(r.sampler, &a, mmi_whole(ROWS), &l, NULL, &stats);
	a.steps = 1; /* measures where the last chain ended */
	mmi_sampler_guide(r.sampler, &a, mmi_whole(ROWS), &l, NULL, &tilted);
	assert_true(tilted.energy < stats.energy);
	sample_moments(&l, Z, mean, cov);
	assert_true(errors_of_mean(&g, mean) > 4.5);
	mmi_latents_clear(&l);
	linear_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chain_samples_the_posterior_of_every_subset),
		cmocka_unit_test(the_chain_over_z_and_w_samples_their_joint_posterior),
		cmocka_unit_test(starts_from_single_experts_are_not_yet_the_posterior),
		cmocka_unit_test(what_is_not_observed_drops_out_exactly),
		cmocka_unit_test(private_starts_are_inferred_where_observed_and_prior_draws_elsewhere),
		cmocka_unit_test(products_of_experts_add_precisions),
		cmocka_unit_test(translation_leaves_what_was_given_and_decodes_the_rest),
		cmocka_unit_test(the_guide_samples_the_prior_tilted_by_the_energy),
	};

	return cmocka_run_group_tests_name("subsets of modalities", tests, NULL, NULL);
}
