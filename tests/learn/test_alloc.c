/* test_alloc.c - nothing is allocated inside a training step: the allocator of the whole process, libraries included,
 * is counted while the learner iterates. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/vec.h"
#include "run/setup.h"
#include "../rig/device_rig.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(MMCORE_SANITIZED)
#define SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)
#define COUNTED 1
#endif

static atomic_bool counting;
static atomic_uint calls;
static _Atomic(size_t) largest;

#ifdef COUNTED

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void count(size_t bytes)
{
	if (!atomic_load_explicit(&counting, memory_order_relaxed))
		return;
	atomic_fetch_add(&calls, 1);
	if (bytes > atomic_load(&largest))
		atomic_store(&largest, bytes);
}

/* These take the place of the C library's for the program and every library it loads. */
void *malloc(size_t bytes)
{
	count(bytes);
	return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t size)
{
	count(n * size);
	return __libc_calloc(n, size);
}

void *realloc(void *block, size_t bytes)
{
	count(bytes);
	return __libc_realloc(block, bytes);
}

void *memalign(size_t alignment, size_t bytes);
void *memalign(size_t alignment, size_t bytes)
{
	count(bytes);
	return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	count(bytes);
	return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
	count(bytes);
	void *block = __libc_memalign(alignment, bytes);
	if (!block)
		return ENOMEM;
	*out = block;
	return 0;
}

/* free counts too: what is released in a step was allocated in one. */
void free(void *block)
{
	if (block)
		count(0);
	__libc_free(block);
}

#endif

static void start_counting(void)
{
	atomic_store(&calls, 0);
	atomic_store(&largest, 0);
	atomic_store(&counting, true);
}

static void stop_counting_and_expect_none(const char *what, uint32_t iteration)
{
	atomic_store(&counting, false);
	if (atomic_load(&calls))
		fail_msg("%s, iteration %u: %u calls of the allocator, the largest of %zu bytes", what, iteration,
		         atomic_load(&calls), atomic_load(&largest));
}

/* Sanitizers bring their own allocator, and other C libraries keep theirs to themselves. */
static void needs_the_allocator(void)
{
#ifndef COUNTED
	print_message("the allocator of this build cannot be counted\n");
	skip();
#endif
}

/* ---------------------------------------------------------------- the counter itself */

static void the_counter_sees_all_allocations(void **state)
{
	mm_error e = MM_ERROR_INIT;
	(void)state;
	needs_the_allocator();
	void *volatile block[5] = { NULL };
	start_counting();
	block[0] = malloc(10);
	block[1] = calloc(3, 7);
	block[2] = realloc(NULL, 100);
	block[3] = mmi_alloc(5, 40);
	if (posix_memalign((void **)&block[4], 64, 64))
		block[4] = NULL;
	atomic_store(&counting, false);
	assert_int_equal(atomic_load(&calls), 5);
	assert_in_range(atomic_load(&largest), 200, 256);
	start_counting();
	for (int i = 0; i < 5; i++)
		free(block[i]);
	atomic_store(&counting, false);
	assert_int_equal(atomic_load(&calls), 5);
	start_counting(); /* inside the library too */
	mmi_graph *g = NULL;
	assert_int_equal(mmi_graph_create(&g, &e), MM_OK);
	mmi_graph_destroy(g);
	atomic_store(&counting, false);
	assert_true(atomic_load(&calls) >= 2);
}

/* ---------------------------------------------------------------- steps */

/* One warm-up iteration and one with chains go uncounted: libraries may set themselves up at their first call. */
static void expect_no_allocations(const char *what, const char *const *sets)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	rig_open(&r, sets);
	uint64_t warmup = r.settings.warmup;
	for (uint32_t i = 0; i < warmup + 5; i++) {
		mmi_measures m;
		const mmi_batch *batch = rig_batch(&r, i);
		bool first = i == 0 || i == warmup;
		if (!first)
			start_counting();
		mm_status status = mmi_learner_iterate(r.learner, batch, &m, &e);
		if (!first)
			stop_counting_and_expect_none(what, i);
		if (status != MM_OK)
			fail_msg("%s", e.message);
		assert_int_equal(m.warm, i < warmup);
	}
	rig_close(&r);
}

static void no_allocation_in_a_step(void **state)
{
	(void)state;
	needs_the_allocator();
	expect_no_allocations("one expert", (const char *const[]){ "learner.warmup=4", "run.threads=1", NULL });
	expect_no_allocations("one expert, 3 threads", (const char *const[]){ "learner.warmup=4", "run.threads=3", NULL });
	expect_no_allocations("all experts", (const char *const[]){ "learner.experts=all", "learner.expert_reduce=mean",
	                                                            "run.threads=2", "learner.warmup=3", NULL });
}

static void no_allocation_with_the_switches_turned(void **state)
{
	(void)state;
	needs_the_allocator();
	expect_no_allocations("bounded and refreshed",
	                      (const char *const[]){ "learner.x_move_max=0.05", "learner.refresh_negatives=yes",
	                                             "learner.clamp=no", "learner.generator_updates=2",
	                                             "learner.energy_updates=2", "learner.clip_norm=1", NULL });
	expect_no_allocations("laplace",
	                      (const char *const[]){ "learner.prior=laplace", "learner.inference_target=both",
	                                             "learner.scale_head=log_variance", "learner.warmup=2", NULL });
	expect_no_allocations("plain energy",
	                      (const char *const[]){ "energy.spectral_norm=no", "energy.head=linear", "energy.pool=mean",
	                                             "energy.energy_l2=0.1", "energy.shortcut_kernel=1", NULL });
	expect_no_allocations("translations", (const char *const[]){ "learner.translation_share=0.5", NULL });
	expect_no_allocations("snapshots in each step", (const char *const[]){ "learner.snapshot_interval=1", NULL });
	expect_no_allocations("draws weighted", (const char *const[]){ "learner.warmup=3", "learner.draws=3",
	                                                               "learner.contrast_factor=1", NULL });
	expect_no_allocations("doubly reparametrised",
	                      (const char *const[]){ "learner.objective=mmvae+", "learner.private_dim=2", "learner.draws=3",
	                                             "learner.gradient=dreg", "learner.iterations=5", NULL });
	expect_no_allocations("a latent energy", (const char *const[]){ "learner.objective=mvebm", "learner.prior_steps=3",
	                                                                "learner.iterations=5", NULL });
	expect_no_allocations("a schedule", (const char *const[]){ "learner.schedule=cosine(0.1)", NULL });
}

/* ---------------------------------------------------------------- the networks people train */

static void write_settings(const char *path, const char *net, const char *width, int batch)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	        "[run]\nthreads = 2\n[learner]\nbatch = %d\nwarmup = 2\nx_steps = 2\nz_steps = 2\nexperts = "
	        "all\n[energy]\nnef = 32\n",
	        batch);
	for (int m = 0; m < 2; m++)
		fprintf(f, "[m%d]\nplugin = mnist.so\nnet = %s\n%s", m, net, width);
	assert_int_equal(fclose(f), 0);
}

static void fill_randomly(float *const *x, const mmi_model *model, uint32_t rows, uint32_t iteration)
{
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		size_t n = rows * (size_t)model->modalities[m].count;
		cpu_device()->vec->uniform(x[m], n, (mmi_rng){ .key = 3, .step = m, .iteration = iteration });
		for (size_t i = 0; i < n; i++)
			x[m][i] = 2 * x[m][i] - 1;
	}
}

static void expect_no_allocations_in_plugin_networks(const char *net, const char *width, int batch_size)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup s;
	mmi_model *model;
	mmi_learner *l;
	char path[] = "/tmp/mmcore-alloc-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	write_settings(path, net, width, batch_size);
	mmi_setup_request request = { .ini = path };
	mm_status status = mmi_setup_open(&request, &s, &e);
	remove(path);
	if (status != MM_OK)
		fail_msg("%s", e.message);
	assert_int_equal(mmi_model_create(cpu_device(), s.modalities, s.n_modalities, &s.settings.model, &model, &e),
	                 MM_OK);
	assert_int_equal(mmi_learner_create(&s.settings, model, s.pool, &s.comm, &l, &e), MM_OK);
	float *x[2];
	for (int m = 0; m < 2; m++)
		x[m] = mmi_alloc(s.settings.batch * (size_t)model->modalities[m].count, sizeof(float));
	const mmi_batch batch = { .size = s.settings.batch, .x = x };
	for (uint32_t i = 0; i < 4; i++) {
		mmi_measures m;
		fill_randomly(x, model, s.settings.batch, i);
		if (i % 2)
			start_counting();
		status = mmi_learner_iterate(l, &batch, &m, &e);
		if (i % 2)
			stop_counting_and_expect_none(net, i);
		if (status != MM_OK)
			fail_msg("%s", e.message);
		assert_int_equal(m.warm, i < 2);
	}
	for (int m = 0; m < 2; m++)
		mmi_free(x[m]);
	mmi_learner_destroy(l);
	mmi_model_destroy(model);
	mmi_setup_close(&s);
}

static void no_allocation_in_the_mnist_plugin_s_networks(void **state)
{
	(void)state;
	needs_the_allocator();
	if (!getenv("MMCORE_PLUGIN_PATH")) {
		print_message("MMCORE_PLUGIN_PATH is not set, so there is no plugin\n");
		skip();
	}
	expect_no_allocations_in_plugin_networks("conv", "width = 16\n", 16);
	expect_no_allocations_in_plugin_networks("resnet", "", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_sees_all_allocations),
		cmocka_unit_test(no_allocation_in_a_step),
		cmocka_unit_test(no_allocation_with_the_switches_turned),
		cmocka_unit_test(no_allocation_in_the_mnist_plugin_s_networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
