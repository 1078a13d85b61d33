/* test_candidates.c - of several draws of the latents one is chosen by the energy of what they decode to: which, how
 * often, from what. */
#include "mmi_build.h"

#include "../rig/linear_rig.h"

#include "mcmc/generate.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 4096, Z = 2, W = 1, MOST = 7, NUMBER = 11 };

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

/* Draws and, by way of the decoders and the energy's own program, their energies. */
typedef struct drawn {
	linear_rig rig;
	mmi_latents draw[MOST], chosen;
	mmi_experts experts;
	float *energy[MOST], *decoded[LINEAR];
	uint32_t *expert;
} drawn;

static void open_drawn(drawn *d)
{
	mm_error e = MM_ERROR_INIT;
	linear_open(&d->rig, (mmi_model_config){ .latent_dim = Z, .private_dim = W }, ROWS);
	for (int k = 0; k < MOST; k++) {
		must(mmi_latents_create(d->rig.model, ROWS, &d->draw[k], &e), &e);
		d->energy[k] = mmi_alloc(ROWS, sizeof(float));
	}
	must(mmi_latents_create(d->rig.model, ROWS, &d->chosen, &e), &e);
	must(mmi_experts_create(d->rig.model, ROWS, &d->experts, &e), &e);
	for (int m = 0; m < LINEAR; m++)
		d->decoded[m] = mmi_alloc((size_t)ROWS * LINEAR_WIDTH, sizeof(float));
	d->expert = mmi_alloc(ROWS, sizeof *d->expert);
}

static void close_drawn(drawn *d)
{
	for (int k = 0; k < MOST; k++) {
		mmi_latents_clear(&d->draw[k]);
		mmi_free(d->energy[k]);
	}
	for (int m = 0; m < LINEAR; m++)
		mmi_free(d->decoded[m]);
	mmi_latents_clear(&d->chosen);
	mmi_experts_clear(&d->experts);
	mmi_free(d->expert);
	linear_close(&d->rig);
}

/* given < 0: nothing is; otherwise that modality of the rig's data, which differ from row to row. */
static void measure(drawn *d, int k, int given)
{
	const size_t floats = (size_t)ROWS * LINEAR_WIDTH;
	mmi_sampler_decode(d->rig.sampler, &d->draw[k], ROWS, d->decoded);
	if (given >= 0)
		memcpy(d->decoded[given], d->rig.x[given], floats * sizeof(float));
	mmi_sampler_energy(d->rig.sampler, (const float *const *)d->decoded, ROWS, d->energy[k]);
}

static void draw_prior(drawn *d, int n)
{
	for (int k = 0; k < n; k++) {
		mmi_sampler_prior(d->rig.sampler, mmi_whole(ROWS), (uint32_t)k, NUMBER, &d->draw[k]);
		measure(d, k, -1);
	}
}

static mmi_start_args give(drawn *d, uint32_t modality)
{
	mmi_rng rng = { .key = 5 };
	for (rng.sample = 0; rng.sample < ROWS; rng.sample++) {
		d->expert[rng.sample] = modality;
		for (int k = 0; k < LINEAR_WIDTH; k++) {
			rng.step = (uint32_t)k;
			d->rig.x[modality][rng.sample * LINEAR_WIDTH + (uint32_t)k] = (float)mmi_rng_below(rng, 1000) / 250 - 2;
		}
	}
	linear_observe(&d->rig, 1U << modality);
	mmi_sampler_encode(d->rig.sampler, (const float *const *)d->rig.x, ROWS, &d->experts);
	return (mmi_start_args){
		.iteration = NUMBER, .expert = d->expert, .observed = (const float *const *)d->rig.observed, .temperature = 1
	};
}

static bool same(const drawn *d, uint32_t row, const mmi_latents *a, const mmi_latents *b)
{
	const mmi_latents at[2] = { mmi_latents_at(a, d->rig.model, row), mmi_latents_at(b, d->rig.model, row) };
	bool all = !memcmp(at[0].z, at[1].z, Z * sizeof(float));
	for (int m = 0; m < LINEAR; m++)
		all = all && !memcmp(at[0].w[m], at[1].w[m], W * sizeof(float));
	return all;
}

/* Which draw a row's latents are, all of them together. */
static int chosen_of(const drawn *d, uint32_t row, int n)
{
	for (int k = 0; k < n; k++)
		if (same(d, row, &d->chosen, &d->draw[k]))
			return k;
	fail_msg("row %u is none of its %d draws", row, n);
	return -1;
}

/* The draw of the lowest energy, or -1 where rounding may decide between two. */
static int lowest_of(const drawn *d, uint32_t row, int n)
{
	int best = 0;
	for (int k = 1; k < n; k++)
		best = d->energy[k][row] < d->energy[best][row] ? k : best;
	for (int k = 0; k < n; k++)
		if (k != best && d->energy[k][row] - d->energy[best][row] < 1e-4f)
			return -1;
	return best;
}

static void assert_lowest(const drawn *d, int n)
{
	uint32_t clear = 0, later = 0;
	for (uint32_t r = 0; r < ROWS; r++) {
		int lowest = lowest_of(d, r, n);
		if (lowest < 0)
			continue;
		assert_int_equal(chosen_of(d, r, n), lowest);
		clear++;
		later += lowest > 0;
	}
	assert_true(clear > ROWS / 2 && later > ROWS / 2);
}

/* ---------------------------------------------------------------- which */

static void one_candidate_is_the_first_draw(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	draw_prior(&d, 2);
	for (uint32_t n = 0; n < 2; n++) {
		const mmi_guide_args a = { .candidates = n, .iteration = NUMBER, .weight = 1e6 };
		mmi_sampler_choose_prior(d.rig.sampler, &a, mmi_whole(ROWS), &d.chosen);
		for (uint32_t r = 0; r < ROWS; r++)
			assert_int_equal(chosen_of(&d, r, 2), 0);
	}
	close_drawn(&d);
}

static void a_large_weight_chooses_the_lowest_energy(void **state)
{
	drawn d;
	const mmi_guide_args a = { .candidates = MOST, .iteration = NUMBER, .weight = 1e7 };
	(void)state;
	open_drawn(&d);
	draw_prior(&d, MOST);
	mmi_sampler_choose_prior(d.rig.sampler, &a, mmi_whole(ROWS), &d.chosen);
	assert_lowest(&d, MOST);
	close_drawn(&d);
}

static void what_is_given_takes_part_in_the_energy(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	for (uint32_t given = 0; given < LINEAR; given++) {
		const mmi_start_args start = give(&d, given);
		const mmi_guide_args a = { .candidates = MOST,
			                       .iteration = NUMBER,
			                       .weight = 1e7,
			                       .x = (const float *const *)d.rig.x,
			                       .observed = start.observed };
		for (uint32_t k = 0; k < MOST; k++) {
			mmi_start_args one = start;
			one.chain = k;
			mmi_sampler_start(d.rig.sampler, &one, &d.experts, mmi_whole(ROWS), &d.draw[k]);
			measure(&d, (int)k, (int)given);
		}
		mmi_sampler_choose_start(d.rig.sampler, &a, &start, &d.experts, mmi_whole(ROWS), &d.chosen);
		assert_lowest(&d, MOST);
	}
	close_drawn(&d);
}

static void means_do_not_differ_so_the_first_is_taken(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	mmi_start_args start = give(&d, 1);
	start.temperature = 0;
	const mmi_guide_args a = { .candidates = MOST,
		                       .iteration = NUMBER,
		                       .weight = 1,
		                       .x = (const float *const *)d.rig.x,
		                       .observed = start.observed };
	mmi_sampler_start(d.rig.sampler, &start, &d.experts, mmi_whole(ROWS), &d.draw[0]);
	mmi_sampler_choose_start(d.rig.sampler, &a, &start, &d.experts, mmi_whole(ROWS), &d.chosen);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_int_equal(chosen_of(&d, r, 1), 0);
	close_drawn(&d);
}

/* With a head that gives no number no draw has an energy: the first is taken, and nothing else comes of it. */
static void without_an_energy_the_first_is_taken(void **state)
{
	drawn d;
	const mmi_guide_args a = { .candidates = MOST, .iteration = NUMBER, .weight = 1 };
	(void)state;
	open_drawn(&d);
	draw_prior(&d, 1);
	mmi_params *p = d.rig.model->energy;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->info[i].count; k++)
			p->raw.at[p->info[i].offset + k] = NAN;
	mmi_params_update(p, 0);
	mmi_sampler_choose_prior(d.rig.sampler, &a, mmi_whole(ROWS), &d.chosen);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_int_equal(chosen_of(&d, r, 1), 0);
	close_drawn(&d);
}

/* ---------------------------------------------------------------- how often */

/* p_k = exp(-weight E_k) / sum, of one row. */
static void chances(const drawn *d, uint32_t row, int n, double weight, double *p)
{
	double sum = 0;
	for (int k = 0; k < n; k++)
		sum += p[k] = exp(weight * ((double)d->energy[0][row] - (double)d->energy[k][row]));
	for (int k = 0; k < n; k++)
		p[k] /= sum;
}

/* Standard errors between the mean log-chance of what was chosen and what is expected of choices with these chances,
 * or, if even, of choices that do not look at the energy. */
static double errors_of_choice(const drawn *d, int n, double weight, bool even)
{
	double p[MOST], gap = 0, variance = 0;
	for (uint32_t r = 0; r < ROWS; r++) {
		double first = 0, second = 0;
		chances(d, r, n, weight, p);
		for (int k = 0; k < n; k++) {
			double share = even ? 1.0 / n : p[k];
			first += share * log(p[k]);
			second += share * log(p[k]) * log(p[k]);
		}
		gap += log(p[chosen_of(d, r, n)]) - first;
		variance += second - first * first;
	}
	return fabs(gap) / sqrt(variance);
}

static double spread_of_energies(const drawn *d)
{
	double sum = 0, squares = 0;
	for (uint32_t r = 0; r < ROWS; r++) {
		sum += (double)d->energy[0][r];
		squares += (double)d->energy[0][r] * (double)d->energy[0][r];
	}
	return sqrt(squares / ROWS - sum / ROWS * sum / ROWS);
}

static void choices_are_as_frequent_as_the_energy_says(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	draw_prior(&d, 3);
	const mmi_guide_args a = { .candidates = 3, .iteration = NUMBER, .weight = 1 / spread_of_energies(&d) };
	mmi_sampler_choose_prior(d.rig.sampler, &a, mmi_whole(ROWS), &d.chosen);
	assert_true(errors_of_choice(&d, 3, a.weight, false) < 4);
	assert_true(errors_of_choice(&d, 3, a.weight, true) > 8);
	const mmi_guide_args none = { .candidates = 3, .iteration = NUMBER };
	mmi_sampler_choose_prior(d.rig.sampler, &none, mmi_whole(ROWS), &d.chosen);
	assert_true(errors_of_choice(&d, 3, a.weight, true) < 4);
	close_drawn(&d);
}

static void choices_do_not_depend_on_the_thread_count(void **state)
{
	drawn d;
	mmi_pool *pool;
	mmi_sampler *single;
	mm_error e = MM_ERROR_INIT;
	const mmi_sampler_config config = { LINEAR_CHUNK, ROWS, 3, MMI_NET_ALL };
	const mmi_guide_args a = { .candidates = 3, .iteration = NUMBER, .weight = 5 };
	(void)state;
	open_drawn(&d);
	must(mmi_pool_create(1, &pool, &e), &e);
	must(mmi_sampler_create(d.rig.model, pool, &config, &single, &e), &e);
	mmi_sampler_choose_prior(d.rig.sampler, &a, mmi_whole(ROWS), &d.chosen);
	mmi_sampler_choose_prior(single, &a, mmi_whole(ROWS), &d.draw[0]);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_true(same(&d, r, &d.chosen, &d.draw[0]));
	mmi_sampler_destroy(single);
	mmi_pool_destroy(pool);
	close_drawn(&d);
}

/* A sheet names what moved its samples, and nothing that did not. */
static void moved_samples_are_named_after_what_moved_them(void **state)
{
	static const struct {
		uint32_t candidates, guide, data;
		const char *label;
		double rise_max;
	} cases[] = {
		{ 1, 40, 10, "guided latents + data chain", 0 },
		{ 16, 40, 10, "guided latents + data chain", 0 },
		{ 16, 0, 10, "chosen latents + data chain", 0 },
		{ 1, 40, 0, "guided latents", 0 },
		{ 16, 0, 0, "chosen latents", 0 },
		{ 1, 0, 10, "data chain", 0 },
		{ 1, 40, 10, "guided latents + bounded data chain", 1 },
		{ 1, 40, 0, "guided latents", 1 },
		{ 1, 0, 0, "not moved", 0 },
	};
	char text[MMI_GENERATE_TEXT];
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		const mmi_chains a = { .guide = { .candidates = cases[i].candidates, .steps = cases[i].guide },
			                   .revise = { .steps = cases[i].data, .rise_max = cases[i].rise_max } };
		assert_string_equal(mmi_generate_label(&a, text), cases[i].label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_candidate_is_the_first_draw),
		cmocka_unit_test(a_large_weight_chooses_the_lowest_energy),
		cmocka_unit_test(what_is_given_takes_part_in_the_energy),
		cmocka_unit_test(means_do_not_differ_so_the_first_is_taken),
		cmocka_unit_test(without_an_energy_the_first_is_taken),
		cmocka_unit_test(choices_are_as_frequent_as_the_energy_says),
		cmocka_unit_test(choices_do_not_depend_on_the_thread_count),
		cmocka_unit_test(moved_samples_are_named_after_what_moved_them),
	};

	return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
