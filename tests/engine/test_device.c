/* test_device.c - nothing above the engine reaches into the device: on one whose memory is closed to the host,
 * everything has the bits that it has on the host. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../rig/device_rig.h"
#include "../rig/far_device.h"
#include "../rig/learner_rig.h"
#include "mcmc/translate.h"
#include "model/rows.h"

enum { B = 16 };

static void the_host_dies_where_it_follows_an_address_of_the_far_device(void **state)
{
	const mmi_device *d = far_device();
	const mmi_floats x = mmi_floats_alloc(d, 4);
	int status;
	(void)state;
	assert_non_null(x.at);
	const pid_t child = fork();
	if (!child) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGSEGV, SIG_DFL);
		_exit(*(volatile float *)x.at > 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	float zero[4] = { 1, 1, 1, 1 };
	d->ops->download(d, zero, x.at, sizeof zero);
	for (int i = 0; i < 4; i++)
		assert_true(fpclassify(zero[i]) == FP_ZERO);
}

static void iterate_on_both(const char *const *sets, bool lacking)
{
	learner_rig near, far;
	rig_open(&near, sets);
	rig_open_on(&far, far_device(), sets);
	near.lacking = far.lacking = lacking;
	rig_assert_same(&near, &far);
	rig_run(&near, 3);
	rig_run(&far, 3);
	rig_assert_same(&near, &far);
	rig_close(&near);
	rig_close(&far);
}

static void iterations_have_the_same_bits(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "learner.warmup=1", "learner.x_step=auto(0.02)", "energy.swap_factor=0.5",
	                                       "learner.generator_ema=0.9", "learner.translation_share=0.5",
	                                       "energy.match=towers", "learner.energy_updates=2", NULL },
	                false);
}

static void iterations_with_all_experts_and_the_contrastive_loss_have_the_same_bits(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "learner.experts=all", "learner.contrast_factor=1", "learner.x_start=noise",
	                                       "learner.prior=laplace", NULL },
	                false);
}

static void iterations_with_missing_modalities_and_private_latents_have_the_same_bits(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "data.incomplete=keep", "learner.private_dim=3", "learner.private_chain=own",
	                                       "learner.x_start=buffer", "learner.x_buffer=32", NULL },
	                true);
}

static void iterations_with_draws_weighted_by_importance_have_the_same_bits(void **state)
{
	(void)state;
	iterate_on_both((const char *const[]){ "learner.warmup=2", "learner.draws=3", "learner.contrast_factor=1", NULL },
	                false);
	iterate_on_both((const char *const[]){ "learner.objective=mmvae+", "learner.private_dim=2", "learner.draws=3",
	                                       "learner.gradient=dreg", "data.incomplete=keep", NULL },
	                true);
}

static void iterations_with_an_energy_of_latents_have_the_same_bits(void **state)
{
	(void)state;
	iterate_on_both(
		(const char *const[]){ "learner.objective=mvebm", "learner.prior_steps=4", "data.incomplete=keep", NULL },
		true);
}

/* Of an iteration with all chains: three modalities of a batch, and what the host decides of it. How many rows the
 * chains revise, and how often, is nothing to it. */
static void a_batch_goes_to_the_device_once_an_iteration(void **state)
{
	static const char *const steps[] = { "learner.x_steps=1", "learner.x_steps=6" };
	uint64_t uploads[2], downloads[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		learner_rig r;
		rig_open_on(&r, far_device(), (const char *const[]){ steps[i], "learner.x_step=0.02", NULL });
		rig_run(&r, 2);
		const far_counts before = far_counted();
		rig_run(&r, 1);
		uploads[i] = far_counted().uploads - before.uploads;
		downloads[i] = far_counted().downloads - before.downloads;
		rig_close(&r);
	}
	assert_int_equal(uploads[0], uploads[1]);
	assert_int_equal(downloads[0], downloads[1]);
	assert_int_equal(uploads[0], RIG_MODALITIES + 2); /* samples; masks; what the guard remembers */
	assert_int_equal(downloads[0], 1);
}

static uint64_t waits_of(const char *const *sets, bool lacking, uint32_t before)
{
	learner_rig r;
	rig_open_on(&r, far_device(), sets);
	r.lacking = lacking;
	rig_run(&r, before);
	const far_counts then = far_counted();
	rig_run(&r, 1);
	const far_counts now = far_counted();
	rig_close(&r);
	assert_int_equal(now.downloads - then.downloads, now.waits - then.waits);
	return now.waits - then.waits;
}

/* It is told as it is, and nothing that was read then gets into a checkpoint. */
static void a_failure_of_the_device_is_its_own(void **state)
{
	learner_rig r;
	mmi_measures m;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	rig_open_on(&r, far_device(), NULL);
	rig_run(&r, 1);
	assert_int_equal(mmi_learner_fetch(r.learner, &e), MM_OK);
	far_break();
	assert_int_equal(rig_iterate(&r, &m, &e), MM_EIO);
	assert_string_equal(e.message, "the far device has failed");
	assert_int_equal(r.learner->state.iteration, 1);
	assert_int_equal(mmi_learner_fetch(r.learner, &e), MM_EIO);
	r.x[RIG_SENSOR][0] = NAN;
	assert_int_equal(mmi_rows_check(r.model, B, r.x, "samples", &e), MM_EIO);
	rig_close(&r);
}

#define FIXED "learner.x_step=0.02"

/* Whatever is learned, the host waits once an iteration: for what it tells. While x_step is measured it waits for that
 * too. */
static void the_host_waits_once_an_iteration(void **state)
{
	static const char *const chains[] = { FIXED,
		                                  "energy.swap_factor=0.5",
		                                  "learner.translation_share=0.5",
		                                  "energy.match=towers",
		                                  "learner.energy_updates=3",
		                                  "learner.elbo_updates=2",
		                                  "learner.contrast_factor=1",
		                                  "learner.refresh_negatives=yes",
		                                  "learner.snapshot_interval=1",
		                                  NULL };
	static const char *const missing[] = { FIXED,
		                                   "data.incomplete=keep",
		                                   "learner.private_dim=3",
		                                   "learner.x_start=buffer",
		                                   "learner.x_buffer=32",
		                                   "energy.match=towers",
		                                   "energy.swap_factor=1",
		                                   NULL };
	static const char *const warm[] = { "learner.warmup=9", "learner.contrast_factor=1", "energy.match=towers", NULL };
	static const char *const draws[] = { FIXED, "learner.objective=mmvae", "learner.draws=3", NULL };
	static const char *const measured[] = { "learner.x_step=auto(0.02)", NULL };
	(void)state;
	assert_int_equal(waits_of(chains, false, 2), 1);
	assert_int_equal(waits_of(missing, true, 4), 1);
	assert_int_equal(waits_of(warm, false, 2), 1);
	assert_int_equal(waits_of(draws, false, 2), 1);
	assert_int_equal(waits_of(measured, false, 2), 2);
	assert_int_equal(waits_of(measured, false, MMI_CALIBRATE), 1);
}

/* A second rank that always has what the first one has. */
static void gather_twice(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	(void)c;
	memmove(all, part, bytes);
	memcpy((char *)all + bytes, all, bytes);
}

/* Rows and sums of all ranks, where the host cannot reach what the device has. */
static void ranks_meet_by_way_of_the_host(void **state)
{
	enum { ROWS = 4, COUNT = 3 };
	static const mmi_comm_ops ops = { .name = "twice", .gather = gather_twice };
	const mmi_comm comm = { .ops = &ops, .size = 2 };
	const mmi_device *d = far_device();
	const double parts[2][2] = { { 1, 2 }, { 0.5, 8 } };
	float rows[ROWS * COUNT], all[2 * ROWS * COUNT];
	double sum[2];
	mmi_reduce r;
	mmi_mirror room;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	assert_int_equal(mmi_reduce_create(&comm, 2 * ROWS, 2, 1, &r, &e), MM_OK);
	assert_int_equal(mmi_reduce_room(&r, d, COUNT, &room, &e), MM_OK);
	for (int i = 0; i < ROWS * COUNT; i++)
		rows[i] = (float)i;
	const mmi_floats here = mmi_floats_alloc(d, ROWS * COUNT);
	d->ops->upload(d, here.at, rows, sizeof rows);
	d->ops->download(d, all, mmi_reduce_on_device(&r, d, here, COUNT, &room).at, sizeof all);
	assert_memory_equal(all, rows, sizeof rows);
	assert_memory_equal(all + ROWS * COUNT, rows, sizeof rows);
	const mmi_doubles from = { d->ops->alloc(d, sizeof parts) }, to = { d->ops->alloc(d, sizeof sum) };
	d->ops->upload(d, from.at, parts, sizeof parts);
	mmi_reduce_chunks(&r, d, from, 1, 2, to);
	d->ops->download(d, sum, to.at, sizeof sum);
	assert_memory_equal(sum, ((const double[2]){ 3, 20 }), sizeof sum);
	mmi_mirror_clear(d, &room);
	mmi_reduce_clear(&r);
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

static void a_run_goes_on_on_another_device(void **state)
{
	static const char *const sets[] = { "learner.warmup=1", "learner.x_step=auto(0.02)", NULL };
	learner_rig near, far;
	(void)state;
	rig_open(&near, sets);
	rig_open_on(&far, far_device(), sets);
	rig_run(&near, 3);
	carry_over(&near, &far);
	rig_run(&near, 2);
	rig_run(&far, 2);
	rig_assert_same(&near, &far);
	carry_over(&far, &near);
	rig_run(&near, 1);
	rig_run(&far, 1);
	rig_assert_same(&near, &far);
	rig_close(&near);
	rig_close(&far);
}

typedef struct translation {
	float *x[MMI_MAX_MODALITIES];
	mmi_latents z;
} translation;

/* The picture of the rig's data is given; guided latents among candidates, then both chains. */
static translation translate(learner_rig *r, far_counts *before)
{
	static const float given[B] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, missing[B] = { 0 };
	const float *const observed[MMI_MAX_MODALITIES] = { given, missing, missing };
	const mmi_translate_args a = {
		.number = 7,
		.expert = -1,
		.temperature = 1,
		.posterior = { .steps = 2, .step = 0.1, .noise = 0.1, .grad_scale = 1 },
		.guide = { .candidates = 3, .steps = 2, .step = 0.1, .noise = 0.1, .weight = 2 },
		.revise = { .steps = 2, .step = 0.1, .noise = 0.01, .move_max = 0.01, .clamp = true },
	};
	mm_error e = MM_ERROR_INIT;
	mmi_translator *t;
	translation out = { { NULL }, { .z = NULL } };
	const mmi_batch *batch = rig_batch(r, 3);
	assert_int_equal(mmi_rows_create(r->model, B, out.x, &e), MM_OK);
	assert_int_equal(mmi_latents_create(r->model, B, &out.z, &e), MM_OK);
	for (uint32_t m = 0; m < r->n_modalities; m++)
		memcpy(out.x[m], batch->x[m], B * (size_t)r->modality[m].count * sizeof(float));
	assert_int_equal(mmi_translator_create(r->model, r->learner->sampler, B, &t, &e), MM_OK);
	*before = far_counted();
	mmi_translate(t, &a, out.x, observed, mmi_whole(B), &out.z);
	mmi_translator_destroy(t);
	return out;
}

static void translations_have_the_same_bits(void **state)
{
	static const char *const sets[] = { "learner.private_dim=3", "energy.agreement=3", "learner.contrast_factor=1",
		                                NULL };
	learner_rig near, far;
	(void)state;
	rig_open(&near, sets);
	rig_open_on(&far, far_device(), sets);
	far_counts begun;
	translation a = translate(&near, &begun), b = translate(&far, &begun);
	const far_counts done = far_counted();
	/* Samples, who takes part, and the weight of the energy; back come samples, z and each w. */
	assert_int_equal(done.uploads - begun.uploads, RIG_MODALITIES + 2);
	assert_int_equal(done.downloads - begun.downloads, 2 * RIG_MODALITIES + 1);
	assert_int_equal(done.waits - begun.waits, 1);
	for (uint32_t m = 0; m < near.n_modalities; m++) {
		assert_memory_equal(a.x[m], b.x[m], B * (size_t)near.modality[m].count * sizeof(float));
		assert_memory_equal(a.z.w[m], b.z.w[m], B * 3 * sizeof(float));
	}
	assert_memory_equal(a.z.z, b.z.z, B * (size_t)mmi_model_z_dim(near.model) * sizeof(float));
	mmi_rows_clear(a.x);
	mmi_rows_clear(b.x);
	mmi_latents_clear(&a.z);
	mmi_latents_clear(&b.z);
	rig_close(&near);
	rig_close(&far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_dies_where_it_follows_an_address_of_the_far_device),
		cmocka_unit_test(iterations_have_the_same_bits),
		cmocka_unit_test(iterations_with_all_experts_and_the_contrastive_loss_have_the_same_bits),
		cmocka_unit_test(iterations_with_missing_modalities_and_private_latents_have_the_same_bits),
		cmocka_unit_test(iterations_with_draws_weighted_by_importance_have_the_same_bits),
		cmocka_unit_test(iterations_with_an_energy_of_latents_have_the_same_bits),
		cmocka_unit_test(a_batch_goes_to_the_device_once_an_iteration),
		cmocka_unit_test(the_host_waits_once_an_iteration),
		cmocka_unit_test(a_failure_of_the_device_is_its_own),
		cmocka_unit_test(ranks_meet_by_way_of_the_host),
		cmocka_unit_test(a_run_goes_on_on_another_device),
		cmocka_unit_test(translations_have_the_same_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
