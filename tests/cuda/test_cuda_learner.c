/* test_cuda_learner.c - a learner on the emulated GPU: the course it takes is the host's within rounding, a run goes on
 * on the other device, what is not finite is rolled back, recorded sequences change no bit, and how often the host
 * waits. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <cuda_runtime_api.h>

#include "../rig/device_rig.h"
#include "../rig/learner_rig.h"
#include "cuda_rig.h"
#include "emu.h"
#include "engine/row_ops.h"

/* ------------------------------------------------------------ two learners */

/* |a - b| / |b| of all parameters of a model, Euclidean. */
static double apart(const mmi_params *a, const mmi_params *b)
{
	const float *x = a->raw_copy.host, *y = b->raw_copy.host;
	double difference = 0, size = 0;
	mmi_params_fetch(a);
	mmi_params_fetch(b);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		difference += pow((double)x[i] - (double)y[i], 2);
		size += pow((double)y[i], 2);
	}
	return sqrt(difference / size);
}

static void assert_close(const learner_rig *a, const learner_rig *b, double tolerance)
{
	const mmi_params *const pairs[][2] = { { a->model->generator, b->model->generator },
		                                   { a->model->inference, b->model->inference },
		                                   { a->model->energy, b->model->energy } };
	for (size_t i = 0; i < MMI_COUNT(pairs); i++) {
		const double error = apart(pairs[i][0], pairs[i][1]);
		if (!(error <= tolerance))
			fail_msg("parameters of the %s are %g apart", pairs[i][0]->name, error);
	}
}

static void iterate_on_both(const char *const *sets, bool lacking)
{
	learner_rig host, cuda;
	rig_open(&host, sets);
	rig_open_on(&cuda, cuda_device(), sets);
	host.lacking = cuda.lacking = lacking;
	const mmi_measures a = rig_run(&host, 2), b = rig_run(&cuda, 2);
	assert_true(isnan(a.gap) == isnan(b.gap));
	assert_close(&cuda, &host, 1e-3); /* Adam divides by the size of a gradient, rounding included */
	rig_close(&host);
	rig_close(&cuda);
}

static void iterations_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.warmup=1", "learner.x_step=auto(0.02)",
	                                       "energy.swap_factor=0.5", "learner.generator_ema=0.9",
	                                       "learner.translation_share=0.5", "learner.energy_updates=3", NULL },
	                false);
}

static void iterations_with_all_experts_and_the_contrastive_loss_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.experts=all", "learner.contrast_factor=1",
	                                       "learner.x_start=noise", "learner.prior=laplace", NULL },
	                false);
}

static void iterations_with_missing_modalities_and_private_latents_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "data.incomplete=keep", "learner.private_dim=3",
	                                       "learner.private_chain=own", "learner.x_start=buffer", "learner.x_buffer=32",
	                                       NULL },
	                true);
}

static void iterations_with_draws_weighted_by_importance_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.warmup=3", "learner.draws=3", NULL }, false);
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.objective=mmvae+", "learner.private_dim=2",
	                                       "learner.draws=3", "learner.gradient=dreg", "data.incomplete=keep", NULL },
	                true);
}

static void iterations_with_clusters_and_amsgrad_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.objective=cmvae", "learner.clusters=3",
	                                       "learner.private_dim=2", "learner.amsgrad=yes", NULL },
	                false);
}

static void iterations_with_an_energy_of_latents_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=16", "learner.objective=mvebm", "learner.prior_steps=4", NULL },
	                false);
}

/* A batch of 16 in chunks of 4: lanes, and losses with rows of several chains. */
static void iterations_in_several_chunks_are_the_hosts(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "run.chunk=4", "learner.warmup=1", "learner.x_step=auto(0.02)",
	                                       "energy.swap_factor=0.5", "learner.energy_updates=3", NULL },
	                false);
	iterate_on_both((const char *const[]){ "run.chunk=4", "learner.experts=all", "learner.contrast_factor=1",
	                                       "energy.match=towers", NULL },
	                false);
	iterate_on_both((const char *const[]){ "run.chunk=4", "learner.objective=mmvae+", "learner.private_dim=2",
	                                       "learner.draws=3", "learner.gradient=dreg", "data.incomplete=keep", NULL },
	                true);
}

static const char *const plain[] = { "run.chunk=16", "learner.warmup=1", "learner.generator_ema=0.9", NULL };

/* ------------------------------------------------------------ the same bits */

static uint64_t hash_after(const mmi_device *d, const char *chunk, unsigned order, uint32_t iterations)
{
	const char *const sets[] = { chunk,
		                         "learner.warmup=1",
		                         "learner.generator_ema=0.9",
		                         "energy.match=towers",
		                         "learner.contrast_factor=1",
		                         "energy.swap_factor=0.5",
		                         "learner.clip_norm=0.1",
		                         NULL };
	learner_rig r;
	uint64_t hash = 0;
	emu_set_order(order);
	rig_open_on(&r, d, sets);
	rig_run(&r, iterations);
	mmi_learner_fetch(r.learner, NULL);
	const mmi_params *const all[] = { r.model->generator, r.model->inference, r.model->energy };
	for (size_t i = 0; i < MMI_COUNT(all); i++) {
		const unsigned char *p = all[i]->raw_copy.host;
		for (size_t k = 0; k < all[i]->raw_copy.bytes; k++)
			hash = (hash ^ p[k]) * 0x100000001b3u;
	}
	rig_close(&r);
	return hash;
}

static void any_order_of_execution_gives_the_same_bits(void **state)
{
	static const char *const chunks[] = { "run.chunk=16", "run.chunk=4" };
	const uint64_t narrow = hash_after(cuda_device_bf16(), chunks[0], 0, 2);
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(chunks); i++) {
		const uint64_t first = hash_after(cuda_device(), chunks[i], 0, 2);
		for (unsigned order = 1; order < 3; order++)
			assert_true(hash_after(cuda_device(), chunks[i], order, 2) == first);
		assert_true(narrow != first);
	}
	for (unsigned order = 1; order < 3; order++)
		assert_true(hash_after(cuda_device_bf16(), chunks[0], order, 2) == narrow);
}

/* A device that records nothing. */
static const mmi_device *without_sequences(void)
{
	static mmi_device_ops ops;
	static mmi_device d;
	d = *cuda_device();
	ops = *d.ops;
	ops.sequence = NULL;
	d.ops = &ops;
	return &d;
}

static void check_sequences(const char *const *sets)
{
	learner_rig with, without;
#if EMULATED
	const unsigned long before = emu_counted().captures;
#endif
	emu_set_order(0);
	rig_open_on(&with, cuda_device(), sets);
	rig_open_on(&without, without_sequences(), sets);
	rig_run(&with, 3);
#if EMULATED
	assert_true(emu_counted().captures > before);
#endif
	rig_run(&without, 3);
	rig_assert_same(&with, &without);
	rig_close(&with);
	rig_close(&without);
}

static void recorded_sequences_change_no_bit(void **state)
{
	(void)state;
	check_sequences(plain);
	check_sequences((const char *const[]){ "run.chunk=4", "learner.experts=all", NULL });
}

#if EMULATED /* a card's waits are not counted */
/* Once an iteration, whatever is learned in it; once more while x_step is measured. */
static unsigned long waits_of(const char *chunk, const char *step)
{
	learner_rig r;
	emu_set_order(0);
	rig_open_on(&r, cuda_device(),
	            (const char *const[]){ chunk, step, "energy.swap_factor=0.5", "energy.match=towers",
	                                   "learner.contrast_factor=1", "learner.energy_updates=2",
	                                   "learner.elbo_updates=1", NULL });
	rig_run(&r, 2);
	const unsigned long before = emu_counted().waits;
	rig_run(&r, 1);
	const unsigned long waits = emu_counted().waits - before;
	rig_close(&r);
	return waits;
}

static void the_host_waits_once_an_iteration(void **state)
{
	(void)state;
	assert_int_equal(waits_of("run.chunk=16", "learner.x_step=0.02"), 1);
	assert_int_equal(waits_of("run.chunk=16", "learner.x_step=auto(0.02)"), 2);
	assert_int_equal(waits_of("run.chunk=4", "learner.x_step=0.02"), 1);
}

/* Bytes of the device that a learner takes. */
static size_t taken(const char *chunk)
{
	size_t before, after, total;
	learner_rig r;
	cudaMemGetInfo(&before, &total);
	rig_open_on(&r, cuda_device(), (const char *const[]){ "learner.batch=512", chunk, NULL });
	cudaMemGetInfo(&after, &total);
	rig_close(&r);
	return before - after;
}

static void memory_grows_with_the_chunk(void **state)
{
	const size_t whole = taken("run.chunk=512"), half = taken("run.chunk=256"), small = taken("run.chunk=64");
	(void)state;
	assert_true(3 * half < 2 * whole && 2 * small < half);
}
#endif

/* ------------------------------------------------------------ from device to device */

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

/* 3 on the host, 3 on the GPU, 3 on the host, against 9 on the host. */
static void a_run_goes_on_on_the_other_device(void **state)
{
	learner_rig host, cuda, all;
	(void)state;
	rig_open(&host, plain);
	rig_open(&all, plain);
	rig_open_on(&cuda, cuda_device(), plain);
	rig_run(&all, 9);
	rig_run(&host, 3);
	carry_over(&host, &cuda);
	rig_run(&cuda, 3);
	carry_over(&cuda, &host);
	rig_run(&host, 3);
	assert_int_equal(host.learner->state.iteration, 9);
	assert_close(&host, &all, 2e-3);
	rig_close(&host);
	rig_close(&cuda);
	rig_close(&all);
}

/* ------------------------------------------------------------ maps in bfloat16 */

/* Adam's first steps go by the sign of a gradient, so that rounding turns some of them over: parameters of three steps
 * are as far apart as a part of those steps is long. */
static void iterations_in_bfloat16_stay_near_those_in_floats(void **state)
{
	learner_rig narrow, wide, start;
	(void)state;
	rig_open(&start, plain);
	rig_open_on(&narrow, cuda_device_bf16(), plain);
	rig_open_on(&wide, cuda_device(), plain);
	const mmi_measures a = rig_run(&narrow, 3), b = rig_run(&wide, 3);
	assert_true(fabs(a.u_start - b.u_start) <= 0.02 * fabs(b.u_start));
	assert_true(fabs(a.u_end - b.u_end) <= 0.02 * fabs(b.u_end));
	const mmi_params *const all[][3] = {
		{ narrow.model->generator, wide.model->generator, start.model->generator },
		{ narrow.model->inference, wide.model->inference, start.model->inference },
		{ narrow.model->energy, wide.model->energy, start.model->energy },
	};
	for (size_t i = 0; i < MMI_COUNT(all); i++) {
		const double error = apart(all[i][0], all[i][1]), way = apart(all[i][2], all[i][1]);
		if (!(error > 0 && error <= 0.35 * way))
			fail_msg("%s: %g apart, after a way of %g", all[i][0]->name, error, way);
	}
	rig_close(&start);
	rig_close(&narrow);
	rig_close(&wide);
}

/* 2 and 2, carried over as checkpoints are, against 4; the host takes what is carried over as it is. */
static void a_run_in_bfloat16_goes_on_with_the_same_bits(void **state)
{
	learner_rig all, first, second, host;
	(void)state;
	emu_set_order(0);
	rig_open_on(&all, cuda_device_bf16(), plain);
	rig_open_on(&first, cuda_device_bf16(), plain);
	rig_open_on(&second, cuda_device_bf16(), plain);
	rig_open(&host, plain);
	rig_run(&all, 4);
	rig_run(&first, 2);
	carry_over(&first, &second);
	carry_over(&first, &host);
	rig_assert_same(&host, &first);
	rig_run(&second, 2);
	rig_assert_same(&second, &all);
	rig_run(&host, 2);
	rig_close(&all);
	rig_close(&first);
	rig_close(&second);
	rig_close(&host);
}

/* ------------------------------------------------------------ guards */

static void what_is_not_finite_is_rolled_back(void **state)
{
	learner_rig r;
	mmi_measures m;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open_on(&r, cuda_device(), plain);
	rig_run(&r, 2);
	const mmi_device *d = cuda_device();
	d->ops->upload(d, r.model->generator->raw.at, &(float){ NAN }, sizeof(float));
	mmi_params_update(r.model->generator, 0);
	assert_int_equal(rig_iterate(&r, &m, &e), MM_ENUMERIC);
	assert_int_equal(mmi_learner_rollback(r.learner, m.culprit, &e), MM_OK);
	assert_int_equal(r.learner->state.rollbacks, 1);
	rig_run(&r, 2);
	mmi_params_fetch(r.model->generator);
	for (size_t i = 0; i < r.model->generator->count; i++)
		assert_true(isfinite(((const float *)r.model->generator->raw_copy.host)[i]));
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iterations_are_the_hosts),
		cmocka_unit_test(iterations_with_all_experts_and_the_contrastive_loss_are_the_hosts),
		cmocka_unit_test(iterations_with_missing_modalities_and_private_latents_are_the_hosts),
		cmocka_unit_test(iterations_with_clusters_and_amsgrad_are_the_hosts),
		cmocka_unit_test(iterations_with_draws_weighted_by_importance_are_the_hosts),
		cmocka_unit_test(iterations_with_an_energy_of_latents_are_the_hosts),
		cmocka_unit_test(iterations_in_several_chunks_are_the_hosts),
		cmocka_unit_test(any_order_of_execution_gives_the_same_bits),
		cmocka_unit_test(recorded_sequences_change_no_bit),
#if EMULATED
		cmocka_unit_test(the_host_waits_once_an_iteration),
		cmocka_unit_test(memory_grows_with_the_chunk),
#endif
		cmocka_unit_test(a_run_goes_on_on_the_other_device),
		cmocka_unit_test(iterations_in_bfloat16_stay_near_those_in_floats),
		cmocka_unit_test(a_run_in_bfloat16_goes_on_with_the_same_bits),
		cmocka_unit_test(what_is_not_finite_is_rolled_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
