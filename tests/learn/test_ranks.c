/* test_ranks.c - ranks that share every batch come to the bits of one that has it alone: parameters, moments, counters
 * and measures after iterations of every kind. Ranks are threads here, each with a learner, a model and a pool of its
 * own. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/thread_comm.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { MOST_ITERATIONS = 8 };

typedef struct course {
	const char *const *sets;
	uint32_t iterations;
	bool lacking;     /* batches with missing modalities */
	double usual_gap; /* the energy losses that the guard has seen; 0: none */
	bool broken;      /* the second batch has one number that is none, in its first row */
} course;

typedef struct rank {
	learner_rig rig;
	const course *course;
	pthread_t thread;
	mm_status status[MOST_ITERATIONS];
	mmi_measures measures[MOST_ITERATIONS];
	mm_error error;
	bool gives_up; /* after the first iteration */
} rank;

static void prepare(rank *r, const course *c)
{
	mmi_learner_state *s = &r->rig.learner->state;
	r->course = c;
	r->rig.lacking = c->lacking;
	for (int i = 0; c->usual_gap > 0 && i < MMI_GAPS; i++)
		s->gaps[i] = c->usual_gap;
	if (c->usual_gap > 0)
		s->n_gaps = MMI_GAPS;
}

/* As training goes: what a guard stops is taken back. */
static void *run(void *arg)
{
	rank *r = arg;
	mmi_learner *l = r->rig.learner;
	for (uint32_t i = 0; i < r->course->iterations; i++) {
		const mmi_batch *batch = rig_batch(&r->rig, (uint64_t)l->state.iteration);
		if (r->course->broken && i == 1 && !l->span.first)
			batch->x[0][0] = NAN;
		r->status[i] = mmi_learner_iterate(l, batch, &r->measures[i], &r->error);
		if (r->status[i] == MM_ENUMERIC)
			mmi_learner_rollback(l, r->measures[i].culprit, &r->error);
		else if (r->status[i] != MM_OK)
			break;
		if (r->gives_up) {
			l->reduce.share.comm->ops->stop(l->reduce.share.comm, "it was told to");
			break;
		}
	}
	return NULL;
}

static void run_all(rank *ranks, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(pthread_create(&ranks[i].thread, NULL, run, &ranks[i]), 0);
	for (uint32_t i = 0; i < n; i++)
		pthread_join(ranks[i].thread, NULL);
}

/* All numbers of mmi_measures. */
static void assert_same_measures(const mmi_measures *a, const mmi_measures *b)
{
	const size_t begin = offsetof(mmi_measures, elbo), end = offsetof(mmi_measures, culprit);
	assert_int_equal(a->culprit, b->culprit);
	for (size_t at = begin; at < end; at += sizeof(double))
		if (memcmp((const char *)a + at, (const char *)b + at, sizeof(double)))
			fail_msg("measure %zu differs: %.17g, %.17g", (at - begin) / sizeof(double),
			         *(const double *)((const char *)a + at), *(const double *)((const char *)b + at));
}

/* Whether one rank alone was stopped by a guard. */
static bool check(const course *c, uint32_t n)
{
	static rank alone, ranks[MMI_MAX_RANKS];
	mmi_comm comm[MMI_MAX_RANKS];
	thread_comm *t = thread_comm_create(n);
	memset(ranks, 0, sizeof ranks);
	memset(&alone, 0, sizeof alone);
	assert_non_null(t);
	rig_open(&alone.rig, c->sets);
	prepare(&alone, c);
	run(&alone);
	for (uint32_t i = 0; i < n; i++) {
		comm[i] = thread_comm_rank(t, i);
		rig_open_ranked(&ranks[i].rig, &comm[i], c->sets);
		assert_int_equal(ranks[i].rig.learner->span.rows, ranks[i].rig.settings.batch / n);
		prepare(&ranks[i], c);
	}
	run_all(ranks, n);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < c->iterations; k++) {
			assert_int_equal(ranks[i].status[k], alone.status[k]);
			assert_same_measures(&ranks[i].measures[k], &alone.measures[k]);
		}
		rig_assert_same(&alone.rig, &ranks[i].rig);
		rig_close(&ranks[i].rig);
	}
	const bool stopped = alone.rig.learner->state.rollbacks > 0;
	rig_close(&alone.rig);
	assert_true(thread_comm_fits(t));
	thread_comm_destroy(t);
	return stopped;
}

/* ------------------------------------------------------------ iterations */

static void with_the_paper_s_updates(void **state)
{
	const course c = { .sets = SETS("learner.x_step=auto(0.02)", "learner.energy_updates=2",
		                            "learner.refresh_negatives=yes"),
		               .iterations = 3 };
	(void)state;
	check(&c, 2);
	check(&c, 4);
}

static void with_all_experts_and_the_contrastive_loss(void **state)
{
	const course c = { .sets = SETS("learner.warmup=1", "learner.elbo_updates=1", "learner.experts=all",
		                            "learner.contrast_factor=1", "learner.prior=laplace", "learner.x_move_max=0.02",
		                            "learner.generator_ema=0.9"),
		               .iterations = 3 };
	(void)state;
	check(&c, 2);
	check(&c, 4);
}

static void with_draws_weighted_by_importance(void **state)
{
	const course warm = { .sets = SETS("learner.warmup=1", "learner.elbo_updates=2", "learner.draws=5",
		                               "learner.contrast_factor=1"),
		                  .iterations = 3 };
	const course doubly = { .sets = SETS("learner.objective=mmvae+", "learner.private_dim=2", "learner.draws=5",
		                                 "learner.gradient=dreg", "data.incomplete=keep"),
		                    .iterations = 3,
		                    .lacking = true };
	(void)state;
	check(&warm, 2);
	check(&doubly, 4);
}

static void with_an_energy_of_latents(void **state)
{
	const course c = { .sets = SETS("learner.objective=mvebm", "learner.prior_steps=3", "data.incomplete=keep"),
		               .iterations = 3,
		               .lacking = true };
	(void)state;
	check(&c, 2);
	check(&c, 4);
}

static void with_missing_modalities_and_private_latents(void **state)
{
	const course imputed = { .sets =
		                         SETS("data.incomplete=keep", "learner.private_dim=3", "learner.experts=all",
		                              "learner.contrast_factor=1", "learner.warmup=1", "learner.inference_target=both"),
		                     .iterations = 3,
		                     .lacking = true };
	const course skipped = { .sets = SETS("data.incomplete=keep", "learner.private_dim=3", "learner.private_chain=own",
		                                  "learner.missing_energy=skip", "energy.swap_factor=0.5"),
		                     .iterations = 3,
		                     .lacking = true };
	(void)state;
	check(&imputed, 2);
	check(&skipped, 2);
	check(&imputed, 4);
}

static void with_swapped_tuples_and_translations(void **state)
{
	const course c = { .sets = SETS("energy.swap_factor=0.5", "energy.swap_margin=0.5", "learner.translation_share=0.4",
		                            "learner.energy_updates=2"),
		               .iterations = 3 };
	(void)state;
	check(&c, 2);
	check(&c, 4);
}

static void with_a_match_learned_by_ranking(void **state)
{
	const course c = { .sets = SETS("energy.match=towers", "learner.warmup=1", "learner.energy_updates=2"),
		               .iterations = 3 };
	const course lacking = { .sets = SETS("energy.match=towers", "data.incomplete=keep"),
		                     .iterations = 3,
		                     .lacking = true };
	(void)state;
	check(&c, 2);
	check(&lacking, 4);
}

/* 24 rows are no multiple of the batch: what a rank puts into the buffer, another takes out. */
static void with_other_starts_of_the_data_chain(void **state)
{
	const course buffer = { .sets = SETS("learner.x_start=buffer", "learner.x_buffer=24", "learner.x_refresh=0.3"),
		                    .iterations = 4 };
	const course noise = { .sets = SETS("learner.x_start=noise"), .iterations = 2 };
	(void)state;
	check(&buffer, 2);
	check(&noise, 2);
}

/* Lanes of several chunks, of one each, and numbers of chunks that do not divide 8. */
static void with_batches_of_any_number_of_chunks(void **state)
{
	static const struct {
		const char *batch;
		uint32_t ranks[4];
	} cases[] = { { "learner.batch=8", { 2 } },       { "learner.batch=12", { 3 } },
		          { "learner.batch=16", { 2, 4 } },   { "learner.batch=24", { 2, 3, 6 } },
		          { "learner.batch=32", { 2, 8 } },   { "learner.batch=40", { 2 } },
		          { "learner.batch=64", { 2, 4, 8 } } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		const course c = { .sets = SETS(cases[i].batch, "learner.experts=all", "learner.contrast_factor=1",
			                            "learner.elbo_updates=1", "learner.x_steps=1", "learner.z_steps=1"),
			               .iterations = 2 };
		for (int k = 0; cases[i].ranks[k]; k++)
			check(&c, cases[i].ranks[k]);
	}
}

/* ------------------------------------------------------------ bytes */

static void *reduce(void *arg)
{
	rank *r = arg;
	mmi_lanes_reduce(&r->rig.learner->generator_lanes, r->rig.pool);
	return NULL;
}

/* What each of n ranks sends of a gradient, against 4 bytes a parameter and direction: no less than is needed. */
static void check_sent(const char *const *sets, uint32_t n)
{
	static rank ranks[MMI_MAX_RANKS];
	mmi_comm comm[MMI_MAX_RANKS];
	thread_comm *t = thread_comm_create(n);
	memset(ranks, 0, sizeof ranks);
	assert_non_null(t);
	for (uint32_t i = 0; i < n; i++) {
		comm[i] = thread_comm_rank(t, i);
		rig_open_ranked(&ranks[i].rig, &comm[i], sets);
	}
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(pthread_create(&ranks[i].thread, NULL, reduce, &ranks[i]), 0);
	for (uint32_t i = 0; i < n; i++)
		pthread_join(ranks[i].thread, NULL);
	const double bytes = 4.0 * (double)ranks[0].rig.model->generator->count, others = (n - 1.0) / n;
	for (uint32_t i = 0; i < n; i++) {
		const double sent = (double)comm[i].ops->sent(&comm[i]);
		if (sent < 1.8 * others * bytes || sent > 2 * others * 1.05 * bytes + 64 * n)
			fail_msg("%s: rank %u of %u sent %g bytes of %g", sets[0], i, n, sent, bytes);
		rig_close(&ranks[i].rig);
	}
	thread_comm_destroy(t);
}

/* Its own share goes nowhere, the others' are sent once as sums and once as results: with as many chunks as ranks,
 * whose losses are of several chains, as well as with more. */
static void a_gradient_is_sent_once_in_each_direction(void **state)
{
	static const struct {
		const char *batch, *experts;
		uint32_t most;
	} cases[] = { { "learner.batch=8", "learner.experts=one", 2 },
		          { "learner.batch=8", "learner.experts=all", 2 },
		          { "learner.batch=16", "learner.experts=all", 4 },
		          { "learner.batch=32", "learner.experts=all", 8 },
		          { "learner.batch=64", "learner.experts=one", 8 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++)
		for (uint32_t n = 2; n <= cases[i].most; n *= 2)
			check_sent(SETS(cases[i].batch, cases[i].experts), n);
}

/* ------------------------------------------------------------ guards */

static void a_guard_stops_all_ranks_alike(void **state)
{
	const course gap = { .sets = SETS("learner.x_step=auto(0.02)"), .iterations = 4, .usual_gap = 1e-12 };
	const course broken = { .sets = SETS("learner.snapshot_interval=1"), .iterations = 3, .broken = true };
	(void)state;
	assert_true(check(&gap, 2));
	assert_true(check(&broken, 2));
}

static void what_one_rank_gives_up_ends_the_others(void **state)
{
	const course c = { .sets = SETS("learner.x_steps=1"), .iterations = 3 };
	static rank ranks[2];
	mmi_comm comm[2];
	thread_comm *t = thread_comm_create(2);
	(void)state;
	assert_non_null(t);
	for (uint32_t i = 0; i < 2; i++) {
		comm[i] = thread_comm_rank(t, i);
		rig_open_ranked(&ranks[i].rig, &comm[i], c.sets);
		prepare(&ranks[i], &c);
	}
	ranks[1].gives_up = true;
	run_all(ranks, 2);
	assert_true(ranks[0].status[0] == MM_ECANCELLED || ranks[0].status[1] == MM_ECANCELLED);
	assert_string_equal(ranks[0].error.message, "another rank gave up");
	for (uint32_t i = 0; i < 2; i++)
		rig_close(&ranks[i].rig);
	thread_comm_destroy(t);
}

/* ------------------------------------------------------------ who cannot share */

static void batches_that_cannot_be_shared_are_refused(void **state)
{
	static const struct {
		uint32_t batch, ranks;
	} cases[] = { { 16, 8 }, { 16, 3 }, { 20, 2 }, { 36, 3 }, { 64, 16 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		const mmi_comm comm = { .size = cases[i].ranks };
		mm_error e = MM_ERROR_INIT;
		mmi_reduce r;
		assert_int_equal(mmi_reduce_create(&comm, cases[i].batch, 4, 1, &r, &e), MM_ECONFIG);
		assert_non_null(strstr(e.message, "ranks cannot share"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_the_paper_s_updates),
		cmocka_unit_test(with_all_experts_and_the_contrastive_loss),
		cmocka_unit_test(with_draws_weighted_by_importance),
		cmocka_unit_test(with_an_energy_of_latents),
		cmocka_unit_test(with_missing_modalities_and_private_latents),
		cmocka_unit_test(with_swapped_tuples_and_translations),
		cmocka_unit_test(with_a_match_learned_by_ranking),
		cmocka_unit_test(with_other_starts_of_the_data_chain),
		cmocka_unit_test(with_batches_of_any_number_of_chunks),
		cmocka_unit_test(a_gradient_is_sent_once_in_each_direction),
		cmocka_unit_test(a_guard_stops_all_ranks_alike),
		cmocka_unit_test(what_one_rank_gives_up_ends_the_others),
		cmocka_unit_test(batches_that_cannot_be_shared_are_refused),
	};
	return cmocka_run_group_tests_name("ranks have the bits of one", tests, NULL, NULL);
}
