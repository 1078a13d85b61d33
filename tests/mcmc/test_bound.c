/* test_bound.c - a data chain that is taken back where the terms that say what fits have risen. */
#include "mmi_build.h"

#include "../rig/linear_rig.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 2048, FLOATS = ROWS * LINEAR_WIDTH, NUMBER = 4, AGREEMENT = 1 << MMI_TERM_AGREEMENT };

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

/* Samples, what the chain without a bound makes of them, and what the agreement of the experts says of both. */
typedef struct moved {
	linear_rig rig;
	float *start[LINEAR], *free[LINEAR], *bounded[LINEAR];
	float before[ROWS], after[ROWS];
} moved;

static const mmi_revise_args chain = {
	.steps = 5, .iteration = NUMBER, .step = 0.8, .noise = 0.05, .rise_terms = AGREEMENT
};

static void agreement(moved *m, float *const *x, float *energy)
{
	const mmi_energies out = { .term = { [MMI_TERM_AGREEMENT] = energy } };
	mmi_sampler_energies(m->rig.sampler, (const float *const *)x, ROWS, &out);
}

static void revise_in(mmi_sampler *s, moved *m, const mmi_revise_args *a, float *const *x)
{
	mmi_chain_stats stats;
	for (int i = 0; i < LINEAR; i++)
		memcpy(x[i], m->start[i], FLOATS * sizeof(float));
	mmi_sampler_revise(s, a, x, (const float *const *)m->start, mmi_whole(ROWS), &stats);
}

static void revise(moved *m, const mmi_revise_args *a, float *const *x)
{
	revise_in(m->rig.sampler, m, a, x);
}

static void open_moved(moved *m)
{
	mm_error e = MM_ERROR_INIT;
	mmi_latents z;
	linear_open(&m->rig, (mmi_model_config){ .latent_dim = 2, .agreement = 10 }, ROWS);
	must(mmi_sampler_prepare(m->rig.sampler, MMI_NET_FIT(AGREEMENT), &e), &e);
	for (int i = 0; i < LINEAR; i++) {
		float **const all[] = { &m->start[i], &m->free[i], &m->bounded[i] };
		for (size_t k = 0; k < MMI_COUNT(all); k++)
			assert_non_null(*all[k] = mmi_alloc(FLOATS, sizeof(float)));
	}
	must(mmi_latents_create(m->rig.model, ROWS, &z, &e), &e);
	mmi_sampler_prior(m->rig.sampler, mmi_whole(ROWS), 0, NUMBER, &z);
	mmi_sampler_decode(m->rig.sampler, &z, ROWS, m->start);
	mmi_latents_clear(&z);
	revise(m, &chain, m->free);
	agreement(m, m->start, m->before);
	agreement(m, m->free, m->after);
}

static void close_moved(moved *m)
{
	for (int i = 0; i < LINEAR; i++) {
		mmi_free(m->start[i]);
		mmi_free(m->free[i]);
		mmi_free(m->bounded[i]);
	}
	linear_close(&m->rig);
}

static bool same_row(float *const *a, float *const *b, uint32_t row)
{
	bool same = true;
	for (int i = 0; i < LINEAR; i++)
		same = same && !memcmp(a[i] + row * LINEAR_WIDTH, b[i] + row * LINEAR_WIDTH, LINEAR_WIDTH * sizeof(float));
	return same;
}

static void tuples_whose_fit_rose_beyond_the_bound_are_taken_back(void **state)
{
	moved m;
	mmi_revise_args a = chain;
	uint32_t stayed = 0;
	(void)state;
	open_moved(&m);
	a.rise_max = 0.05;
	revise(&m, &a, m.bounded);
	for (uint32_t r = 0; r < ROWS; r++) {
		const double rise = (double)m.after[r] - (double)m.before[r];
		assert_false(same_row(m.free, m.start, r));
		if (fabs(rise - a.rise_max) < 1e-4)
			continue; /* rounding may decide */
		assert_true(same_row(m.bounded, rise > a.rise_max ? m.start : m.free, r));
		stayed += rise > a.rise_max;
	}
	print_message("%u of %u rows stayed\n", stayed, (unsigned)ROWS);
	assert_true(stayed > ROWS / 20 && stayed < ROWS - ROWS / 20);
	assert_in_range(mmi_sampler_stayed(m.rig.sampler), stayed, stayed + 20);
	close_moved(&m);
}

static void a_bound_far_away_changes_nothing(void **state)
{
	moved m;
	mmi_revise_args a = chain;
	(void)state;
	open_moved(&m);
	a.rise_max = 1e6;
	revise(&m, &a, m.bounded);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_true(same_row(m.bounded, m.free, r));
	assert_int_equal(mmi_sampler_stayed(m.rig.sampler), 0);
	close_moved(&m);
}

/* A chain that left all numbers is told by whoever checks its rows, as without a bound. */
static void what_is_no_number_is_not_hidden(void **state)
{
	moved m;
	mmi_revise_args a = chain;
	(void)state;
	open_moved(&m);
	for (uint32_t r = 0; r < ROWS; r++)
		m.start[r % LINEAR][r * LINEAR_WIDTH] = NAN;
	a.rise_max = 0.05;
	revise(&m, &chain, m.free);
	revise(&m, &a, m.bounded);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_true(isnan(m.bounded[r % LINEAR][r * LINEAR_WIDTH]));
	assert_int_equal(mmi_sampler_stayed(m.rig.sampler), 0);
	close_moved(&m);
}

static void what_is_held_counts_in_the_fit_and_stays(void **state)
{
	moved m;
	mmi_revise_args a = chain;
	uint8_t *held[LINEAR] = { NULL };
	uint32_t gone = 0;
	(void)state;
	open_moved(&m);
	held[1] = mmi_alloc(ROWS, 1);
	memset(held[1], 1, ROWS);
	a.held = (const uint8_t *const *)held;
	revise(&m, &a, m.free);
	agreement(&m, m.free, m.after);
	a.rise_max = 0.05;
	revise(&m, &a, m.bounded);
	for (uint32_t r = 0; r < ROWS; r++) {
		const double rise = (double)m.after[r] - (double)m.before[r];
		if (fabs(rise - a.rise_max) < 1e-4)
			continue;
		assert_true(same_row(m.bounded, rise > a.rise_max ? m.start : m.free, r));
		gone += rise <= a.rise_max;
	}
	assert_true(gone > 0 && gone < ROWS);
	assert_memory_equal(m.bounded[1], m.start[1], FLOATS * sizeof(float));
	mmi_free(held[1]);
	close_moved(&m);
}

static void bounds_do_not_depend_on_the_thread_count(void **state)
{
	moved m;
	mmi_pool *pool;
	mmi_sampler *single;
	mm_error e = MM_ERROR_INIT;
	const mmi_sampler_config config = { LINEAR_CHUNK, ROWS, 3, MMI_NET_REVISE | MMI_NET_FIT(AGREEMENT) };
	mmi_revise_args a = chain;
	(void)state;
	open_moved(&m);
	must(mmi_pool_create(1, &pool, &e), &e);
	must(mmi_sampler_create(m.rig.model, pool, &config, &single, &e), &e);
	a.rise_max = 0.05;
	revise(&m, &a, m.bounded);
	revise_in(single, &m, &a, m.free);
	for (uint32_t r = 0; r < ROWS; r++)
		assert_true(same_row(m.bounded, m.free, r));
	mmi_sampler_destroy(single);
	mmi_pool_destroy(pool);
	close_moved(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuples_whose_fit_rose_beyond_the_bound_are_taken_back),
		cmocka_unit_test(a_bound_far_away_changes_nothing),
		cmocka_unit_test(what_is_no_number_is_not_hidden),
		cmocka_unit_test(what_is_held_counts_in_the_fit_and_stays),
		cmocka_unit_test(bounds_do_not_depend_on_the_thread_count),
	};

	return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
