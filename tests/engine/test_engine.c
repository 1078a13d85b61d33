/* test_engine.c - thread pool, programs: fusion, shared memory, bound inputs, what is computed. */
#include "mmi_build.h"

#include "../rig/random_graphs.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/pool.h"
#include "engine/program.h"
#include "engine/vec.h"
#include "../rig/device_rig.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

#define assert_ok(expression, e)                          \
	do {                                                  \
		if ((expression) != MM_OK)                        \
			fail_msg("%s: %s", #expression, (e).message); \
	} while (0)

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

/* ---------------------------------------------------------------- pool */

enum { MOST_TASKS = 5000, MOST_THREADS = 4 };

typedef struct tally {
	atomic_uint done[MOST_TASKS];
	atomic_uint busy[MOST_THREADS]; /* tasks a worker is in */
	atomic_uint wrong;
	uint32_t threads;
} tally;

static void count_task(void *ctx, uint32_t i, uint32_t worker)
{
	tally *t = ctx;
	if (worker >= t->threads || atomic_fetch_add(&t->busy[worker], 1) != 0)
		atomic_fetch_add(&t->wrong, 1);
	atomic_fetch_add(&t->done[i], 1);
	atomic_fetch_sub(&t->busy[worker], 1);
}

static void run_and_check(mmi_pool *pool, tally *t, uint32_t n)
{
	memset(t->done, 0, sizeof t->done);
	t->threads = mmi_pool_threads(pool);
	mmi_pool_run(pool, n, count_task, t);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(t->done[i], 1);
	assert_int_equal(t->wrong, 0);
}

static void every_task_runs_once_on_one_worker(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 2, 3, 7, 64, 1000, MOST_TASKS };
	mm_error e = MM_ERROR_INIT;
	tally *t = calloc(1, sizeof *t);
	(void)state;
	assert_non_null(t);
	for (uint32_t threads = 1; threads <= MOST_THREADS; threads++) {
		mmi_pool *pool;
		assert_ok(mmi_pool_create(threads, &pool, &e), e);
		assert_int_equal(mmi_pool_threads(pool), threads);
		for (int round = 0; round < 20; round++)
			for (size_t i = 0; i < MMI_COUNT(sizes); i++)
				run_and_check(pool, t, sizes[i]);
		mmi_pool_destroy(pool);
	}
	free(t);
}

static void small_jobs_in_quick_succession_lose_nothing(void **state)
{
	mm_error e = MM_ERROR_INIT;
	tally *t = calloc(1, sizeof *t);
	mmi_pool *pool;
	(void)state;
	assert_non_null(t);
	assert_ok(mmi_pool_create(MOST_THREADS, &pool, &e), e);
	t->threads = MOST_THREADS;
	for (uint32_t round = 0; round < 5000; round++)
		mmi_pool_run(pool, 1 + round % 5, count_task, t);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(t->done[i], 1000 * (5 - i));
	mmi_pool_destroy(pool);
	free(t);
}

static void one_inner_pool(void *ctx, uint32_t i, uint32_t worker)
{
	tally *outer = ctx, *inner = calloc(1, sizeof *inner);
	mmi_pool *pool;
	mm_error e = MM_ERROR_INIT;
	(void)worker;
	if (!inner || mmi_pool_create(1 + i % 3, &pool, &e) != MM_OK) {
		atomic_fetch_add(&outer->wrong, 1);
		free(inner);
		return;
	}
	inner->threads = mmi_pool_threads(pool);
	mmi_pool_run(pool, 100, count_task, inner);
	for (uint32_t k = 0; k < 100; k++)
		atomic_fetch_add(&outer->wrong, inner->done[k] != 1);
	mmi_pool_destroy(pool);
	free(inner);
	atomic_fetch_add(&outer->done[i], 1);
}

static void pools_live_and_die_inside_tasks_of_another(void **state)
{
	mm_error e = MM_ERROR_INIT;
	tally *t = calloc(1, sizeof *t);
	mmi_pool *pool;
	(void)state;
	assert_non_null(t);
	assert_ok(mmi_pool_create(3, &pool, &e), e);
	mmi_pool_run(pool, 30, one_inner_pool, t);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(t->done[i], 1);
	assert_int_equal(t->wrong, 0);
	mmi_pool_destroy(pool);
	free(t);
}

static void unused_and_missing_pools_go_away_quietly(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_pool *pool = NULL;
	(void)state;
	for (uint32_t round = 0; round < 50; round++) {
		assert_ok(mmi_pool_create(1 + round % MOST_THREADS, &pool, &e), e);
		mmi_pool_destroy(pool);
	}
	mmi_pool_destroy(NULL);
	pool = NULL;
	assert_int_equal(mmi_pool_create(0, &pool, &e), MM_EARG);
	assert_null(pool);
	assert_says(e.message, "a pool of 0 threads; at least one is needed");
}

/* ---------------------------------------------------------------- programs */

enum { N = 5 };

/* The same values for the same graph, in the element type of the backend. */
static void fill_inputs(const random_graph *r, const mmi_backend *backend, void *const *to)
{
	for (uint32_t i = 0; i < RANDOM_INPUTS; i++) {
		int64_t count = N * mmi_shape_count(&mmi_graph_node(r->g, r->input[i])->shape);
		float *values = mmi_alloc((size_t)count, sizeof *values);
		assert_non_null(values);
		cpu_device()->vec->uniform(values, (size_t)count, (mmi_rng){ .key = 5, .step = i });
		for (int64_t k = 0; k < count; k++)
			if (backend->element_size == sizeof(double))
				((double *)to[i])[k] = (double)(2 * values[k] - 1);
			else
				((float *)to[i])[k] = 2 * values[k] - 1;
		mmi_free(values);
	}
}

typedef struct outcome {
	double *value[RANDOM_WANTED], *grads; /* of the wanted tensors, and of all parameters */
	size_t count[RANDOM_WANTED], n_grads;
	uint32_t n;
} outcome;

static double *as_doubles(const mmi_backend *backend, const void *from, size_t n)
{
	double *out = mmi_alloc(n + 1, sizeof *out);
	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		out[i] = backend->element_size == sizeof(double) ? ((const double *)from)[i] : (double)((const float *)from)[i];
	return out;
}

/* Which tensors are kept: all of them leaves the planner nothing to share. */
static uint32_t list_outputs(const random_graph *r, bool all, mm_tensor **out)
{
	uint32_t n = all ? (uint32_t)r->g->n : r->n_wanted;
	*out = mmi_alloc(n, sizeof **out);
	assert_non_null(*out);
	for (uint32_t i = 0; i < n; i++)
		(*out)[i] = all ? (mm_tensor)i : r->wanted[i];
	return n;
}

static outcome run_graph(const random_graph *r, const mmi_backend *backend, bool keep_all, bool fusion,
                         mmi_program_stats *stats)
{
	mm_error e = MM_ERROR_INIT;
	mm_tensor *outputs;
	mmi_program *p;
	mmi_program_spec spec = { .graph = r->g, .device = device_of(backend), .n = N, .no_fusion = !fusion };
	outcome o = { .n = r->n_wanted, .n_grads = r->store->count };
	spec.n_outputs = list_outputs(r, keep_all, &outputs);
	spec.outputs = outputs;
	assert_ok(mmi_program_create(&spec, &p, &e), e);
	void *grads = mmi_alloc(r->store->count + 1, backend->element_size), *own[RANDOM_INPUTS];
	assert_non_null(grads);
	mmi_program_bind_grads(p, r->store, mmi_floats_direct(grads));
	/* The caller's memory, so that inputs nothing needs have a place too. */
	for (uint32_t i = 0; i < RANDOM_INPUTS; i++) {
		own[i] =
			mmi_alloc(N * (size_t)mmi_shape_count(&mmi_graph_node(r->g, r->input[i])->shape), backend->element_size);
		assert_non_null(own[i]);
		mmi_program_bind(p, r->input[i], mmi_floats_direct(own[i]));
	}
	fill_inputs(r, backend, own);
	mmi_program_run(p);
	for (uint32_t i = 0; i < r->n_wanted; i++) {
		const mmi_node *node = mmi_graph_node(r->g, r->wanted[i]);
		if (!node->batched)
			continue;
		o.count[i] = N * (size_t)mmi_shape_count(&node->shape);
		o.value[i] = as_doubles(backend, mmi_program_data(p, r->wanted[i]).at, o.count[i]);
	}
	o.grads = as_doubles(backend, grads, o.n_grads);
	if (stats)
		*stats = mmi_program_info(p);
	mmi_program_destroy(p);
	for (uint32_t i = 0; i < RANDOM_INPUTS; i++)
		mmi_free(own[i]);
	mmi_free(grads);
	mmi_free(outputs);
	return o;
}

static void free_outcome(outcome *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		mmi_free(o->value[i]);
	mmi_free(o->grads);
}

static void assert_near(uint32_t number, uint32_t which, const double *a, const double *b, size_t n, double tolerance)
{
	double largest = 1e-3;
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(b[i]));
	for (size_t i = 0; i < n; i++)
		if (!(fabs(a[i] - b[i]) <= tolerance * largest))
			fail_msg("graph %u, output %u, element %zu: %.9g, expected %.9g", number, which, i, a[i], b[i]);
}

static void assert_same(uint32_t number, outcome *a, outcome *b, double tolerance)
{
	for (uint32_t i = 0; i < a->n; i++)
		assert_near(number, i, a->value[i], b->value[i], a->count[i], tolerance);
	assert_near(number, RANDOM_WANTED, a->grads, b->grads, a->n_grads, tolerance);
	free_outcome(a);
}

enum { GRAPHS = 400 };

static void shared_memory_never_changes_a_result(void **state)
{
	static const mmi_backend *const backends[] = { &mmi_backend_ref64, &mmi_backend_ref32, &mmi_backend_cpu };
	size_t with = 0, without = 0;
	(void)state;
	for (uint32_t number = 0; number < GRAPHS; number++) {
		random_graph r;
		random_graph_make(&r, number, false);
		for (size_t k = 0; k < MMI_COUNT(backends); k++) {
			mmi_program_stats shared_stats, kept_stats;
			outcome kept = run_graph(&r, backends[k], true, false, &kept_stats);
			outcome shared = run_graph(&r, backends[k], false, false, &shared_stats);
			assert_same(number, &shared, &kept, 0);
			free_outcome(&kept);
			with += shared_stats.arena_bytes;
			without += kept_stats.arena_bytes;
		}
		random_graph_free(&r);
	}
	assert_true(with < without * 2 / 3); /* or there was nothing to go wrong */
}

static void fusion_never_changes_a_result(void **state)
{
	size_t fused = 0;
	(void)state;
	for (uint32_t number = 0; number < GRAPHS; number++) {
		random_graph r;
		mmi_program_stats stats;
		random_graph_make(&r, number, false);
		outcome plain = run_graph(&r, &mmi_backend_cpu, true, false, NULL);
		outcome with = run_graph(&r, &mmi_backend_cpu, false, true, &stats);
		assert_same(number, &with, &plain, 2e-6);
		free_outcome(&plain);
		fused += stats.n_fused;
		random_graph_free(&r);
	}
	assert_true(fused > GRAPHS); /* more than one a graph */
}

static void random_networks_agree_with_the_double_reference(void **state)
{
	(void)state;
	for (uint32_t number = GRAPHS; number < GRAPHS + GRAPHS / 2; number++) {
		random_graph r;
		random_graph_make(&r, number, true);
		outcome reference = run_graph(&r, &mmi_backend_ref64, true, false, NULL);
		outcome cpu = run_graph(&r, &mmi_backend_cpu, false, true, NULL);
		outcome plain = run_graph(&r, &mmi_backend_ref32, false, true, NULL);
		assert_same(number, &cpu, &reference, 1e-4);
		assert_same(number, &plain, &reference, 1e-4);
		free_outcome(&reference);
		random_graph_free(&r);
	}
}

/* Inputs in the program's own memory, or in the caller's. */
static void check_inputs_after_runs(uint32_t number, bool bound)
{
	mm_error e = MM_ERROR_INIT;
	random_graph r;
	mmi_program *p;
	void *values[RANDOM_INPUTS], *own[RANDOM_INPUTS] = { NULL }, *before[RANDOM_INPUTS];
	size_t bytes[RANDOM_INPUTS];
	random_graph_make(&r, number, false);
	mmi_program_spec spec = {
		.graph = r.g, .device = cpu_device(), .n = N, .outputs = r.wanted, .n_outputs = r.n_wanted
	};
	float *grads = mmi_alloc(r.store->count + 1, sizeof *grads);
	assert_ok(mmi_program_create(&spec, &p, &e), e);
	mmi_program_bind_grads(p, r.store, mmi_floats_direct(grads));
	for (uint32_t i = 0; i < RANDOM_INPUTS; i++) {
		bytes[i] = N * (size_t)mmi_shape_count(&mmi_graph_node(r.g, r.input[i])->shape) * sizeof(float);
		before[i] = mmi_alloc(bytes[i], 1);
		values[i] = bound ? NULL : mmi_program_data(p, r.input[i]).at;
		if (values[i])
			continue;
		values[i] = own[i] = mmi_alloc(bytes[i], 1); /* also where nothing needs the input */
		mmi_program_bind(p, r.input[i], mmi_floats_direct(own[i]));
	}
	fill_inputs(&r, &mmi_backend_cpu, values);
	fill_inputs(&r, &mmi_backend_cpu, before);
	for (int run = 0; run < 2; run++)
		mmi_program_run(p);
	for (uint32_t i = 0; i < RANDOM_INPUTS; i++) {
		assert_memory_equal(values[i], before[i], bytes[i]);
		mmi_free(before[i]);
		mmi_free(own[i]);
	}
	mmi_program_destroy(p);
	mmi_free(grads);
	random_graph_free(&r);
}

static void inputs_are_only_read(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 100; number++)
		for (int bound = 0; bound < 2; bound++)
			check_inputs_after_runs(number, bound);
}

/* ---------------------------------------------------------------- what a program computes */

typedef struct chain_net { /* U(z) = |x - decoder(z)|^2 with something beside it that nothing needs */
	mmi_graph *g;
	mmi_params *store;
	mm_tensor z, x, mean, u, aside, dz, dx;
} chain_net;

static void open_chain_net(chain_net *c)
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(mmi_params_create(cpu_device(), "net", &c->store, &e), e);
	assert_ok(mmi_graph_create(&c->g, &e), e);
	mmi_graph_scope(c->g, c->store, "net");
	c->z = mmi_input(c->g, "z", mmi_shape(1, 4));
	c->x = mmi_input(c->g, "x", mmi_shape(1, 6));
	mm_tensor h = ops->activation(c->g, ops->linear(c->g, c->z, "one", 20, 1, 0), MM_ACT_RELU, 0);
	c->mean = ops->linear(c->g, h, "two", 6, 1, 0);
	c->aside = ops->softmax(c->g, ops->linear(c->g, h, "aside", 9, 1, 0));
	mm_tensor all[3] = { c->x, c->mean, mmi_const(c->g, mmi_shape(1, 6), 1) }, wrt[2] = { c->z, c->x }, grads[2];
	c->u = mmi_op(c->g, MMI_OP_LOGPDF_NORMAL, 3, all, NULL);
	mmi_grad_request q = {
		.loss = c->u, .seed = mmi_const(c->g, mmi_shape(0), 1), .wrt = wrt, .n_wrt = 2, .grads = grads
	};
	assert_ok(mmi_graph_grad(c->g, &q, &e), e);
	assert_int_equal(q.n_param_grads, 0);
	c->dz = grads[0];
	c->dx = grads[1];
	assert_ok(mmi_params_finalise(c->store, 1, &e), e);
}

static void close_chain_net(chain_net *c)
{
	mmi_graph_destroy(c->g);
	mmi_params_destroy(c->store);
}

static mmi_program *compile(const mmi_graph *g, int64_t n, bool fusion, const mm_tensor *outputs, uint32_t n_outputs)
{
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	mmi_program_spec spec = {
		.graph = g, .device = cpu_device(), .n = n, .outputs = outputs, .n_outputs = n_outputs, .no_fusion = !fusion
	};
	assert_ok(mmi_program_create(&spec, &p, &e), e);
	return p;
}

/* "linear act linear": the operations' names in order. */
static void collect_name(void *ctx, const char *line)
{
	char *text = ctx;
	size_t length = strlen(text);
	snprintf(text + length, 512 - length, "%s%.*s", length ? " " : "", (int)strcspn(line, " "), line);
}

static void assert_calls(const chain_net *c, bool fusion, const mm_tensor *outputs, uint32_t n, const char *expected)
{
	char text[512] = "";
	mmi_program *p = compile(c->g, 8, fusion, outputs, n);
	mmi_program_describe(p, collect_name, text);
	mmi_program_destroy(p);
	assert_string_equal(text, expected);
}

static void programs_compute_what_their_outputs_need_and_nothing_else(void **state)
{
	chain_net c;
	(void)state;
	open_chain_net(&c);
	/* The gradient alone does without the loss; no parameter's gradient and nothing from aside is in any of them. */
	assert_calls(&c, false, &c.dz, 1, "linear act linear logpdf_normal_bwd linear_bwd_x act_bwd linear_bwd_x");
	assert_calls(&c, true, &c.dz, 1, "linear linear logpdf_normal_bwd linear_bwd_x linear_bwd_x");
	assert_calls(&c, true, &c.dx, 1, "linear linear logpdf_normal_bwd");
	assert_calls(&c, true, &c.u, 1, "linear linear logpdf_normal");
	assert_calls(&c, true, (mm_tensor[]){ c.u, c.dz }, 2,
	             "linear linear logpdf_normal logpdf_normal_bwd linear_bwd_x linear_bwd_x");
	assert_calls(&c, true, &c.mean, 1, "linear linear");
	assert_calls(&c, true, &c.aside, 1, "linear linear softmax");
	assert_calls(&c, true, &c.x, 1, "");
	mmi_program *p = compile(c.g, 8, true, &c.dz, 1);
	assert_null(mmi_program_data(p, c.aside).at);
	assert_null(mmi_program_data(p, c.u).at);
	assert_null(mmi_program_data(p, MM_NO_TENSOR).at);
	assert_non_null(mmi_program_data(p, c.z).at);
	mmi_program_destroy(p);
	close_chain_net(&c);
}

/* U(z) of so many decoders and its gradient. */
static mmi_program *open_branches(chain_net *c, uint32_t n)
{
	mm_error e = MM_ERROR_INIT;
	*c = (chain_net){ .u = MM_NO_TENSOR };
	assert_ok(mmi_params_create(cpu_device(), "net", &c->store, &e), e);
	assert_ok(mmi_graph_create(&c->g, &e), e);
	mmi_graph_scope(c->g, c->store, "net");
	c->z = mmi_input(c->g, "z", mmi_shape(1, 4));
	c->x = mmi_input(c->g, "x", mmi_shape(1, 600));
	const mm_tensor ones = mmi_const(c->g, mmi_shape(1, 600), 1);
	for (uint32_t i = 0; i < n; i++) {
		char name[2][8];
		snprintf(name[0], sizeof name[0], "one%u", i);
		snprintf(name[1], sizeof name[1], "two%u", i);
		mm_tensor h = ops->activation(c->g, ops->linear(c->g, c->z, name[0], 800, 1, 0), MM_ACT_RELU, 0);
		mm_tensor all[3] = { c->x, ops->linear(c->g, h, name[1], 600, 1, 0), ones };
		const mm_tensor u = mmi_op(c->g, MMI_OP_LOGPDF_NORMAL, 3, all, NULL);
		c->u = i ? ops->add(c->g, c->u, u) : u;
	}
	mmi_grad_request q = {
		.loss = c->u, .seed = mmi_const(c->g, mmi_shape(0), 1), .wrt = &c->z, .n_wrt = 1, .grads = &c->dz
	};
	assert_ok(mmi_graph_grad(c->g, &q, &e), e);
	assert_ok(mmi_params_finalise(c->store, 1, &e), e);
	return compile(c->g, 8, true, (mm_tensor[]){ c->u, c->dz }, 2);
}

/* So that what one of them has computed is read back at once, and the next one takes its room. */
static void branches_are_computed_one_after_the_other(void **state)
{
	size_t bytes[2];
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		chain_net c;
		mmi_program *p = open_branches(&c, i ? 6 : 2);
		char text[4096] = "";
		mmi_program_describe(p, collect_name, text);
		if (!i)
			assert_string_equal(text,
			                    "linear linear logpdf_normal logpdf_normal_bwd linear_bwd_x linear_bwd_x linear linear "
			                    "logpdf_normal add logpdf_normal_bwd linear_bwd_x linear_bwd_x add");
		bytes[i] = mmi_program_info(p).arena_bytes;
		mmi_program_destroy(p);
		close_chain_net(&c);
	}
	assert_in_range(bytes[1], 1, bytes[0] * 3 / 2);
}

static void binding_takes_effect_at_the_next_run_and_again(void **state)
{
	chain_net c;
	float z[2][3 * 4], x[3 * 6] = { 0 }, first[3], second[3];
	(void)state;
	open_chain_net(&c);
	mmi_program *p = compile(c.g, 3, true, &c.u, 1);
	for (int i = 0; i < 12; i++) {
		z[0][i] = 0.1f * (float)i;
		z[1][i] = 1 - 0.3f * (float)i;
	}
	mmi_program_bind(p, c.x, mmi_floats_direct(x));
	mmi_program_bind(p, c.z, mmi_floats_direct(z[0]));
	mmi_program_run(p);
	memcpy(first, mmi_program_data(p, c.u).at, sizeof first);
	mmi_program_bind(p, c.z, mmi_floats_direct(z[1]));
	assert_memory_equal(mmi_program_data(p, c.u).at, first, sizeof first); /* kept until the next run */
	mmi_program_run(p);
	memcpy(second, mmi_program_data(p, c.u).at, sizeof second);
	assert_memory_not_equal(first, second, sizeof first);
	memcpy(z[1], z[0], sizeof z[0]); /* other values in the same place */
	mmi_program_run(p);
	assert_memory_equal(mmi_program_data(p, c.u).at, first, sizeof first);
	mmi_program_destroy(p);
	close_chain_net(&c);
}

static void reshapes_of_bound_inputs_follow_the_binding(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_graph *g;
	float x[2][6] = { { 1, 2, 3, 4, 5, 6 }, { 60, 50, 40, 30, 20, 10 } };
	(void)state;
	assert_ok(mmi_graph_create(&g, &e), e);
	mm_shape square = mmi_shape(2, 3, 2);
	mm_tensor in = mmi_input(g, "x", mmi_shape(1, 6)), view = ops->reshape(g, in, &square);
	mm_tensor outputs[2] = { ops->sum(g, view, 0), view };
	mmi_program *p = compile(g, 1, true, outputs, 2);
	for (int i = 0; i < 2; i++) {
		mmi_program_bind(p, in, mmi_floats_direct(x[i]));
		mmi_program_run(p);
		assert_ptr_equal(mmi_program_data(p, view).at, x[i]);
		const float *sums = mmi_program_data(p, outputs[0]).at;
		assert_true(sums[0] == x[i][0] + x[i][2] + x[i][4] && sums[1] == x[i][1] + x[i][3] + x[i][5]);
	}
	mmi_program_destroy(p);
	mmi_graph_destroy(g);
}

static void parameter_gradients_are_added_where_they_are_bound(void **state)
{
	mm_error e = MM_ERROR_INIT;
	chain_net c;
	(void)state;
	open_chain_net(&c);
	mmi_grad_request q = { .loss = c.u, .seed = mmi_const(c.g, mmi_shape(0), 1), .stores = &c.store, .n_stores = 1 };
	assert_ok(mmi_graph_grad(c.g, &q, &e), e);
	assert_int_equal(q.n_param_grads, 4); /* weights and biases of one and two, none of aside */
	mmi_program *p = compile(c.g, 3, true, q.param_grads, q.n_param_grads);
	float *once = mmi_alloc(c.store->count, sizeof *once), *twice = mmi_alloc(c.store->count, sizeof *twice);
	float *z = mmi_program_data(p, c.z).at, *x = mmi_program_data(p, c.x).at, total = 0;
	for (int i = 0; i < 12; i++)
		z[i] = 0.25f * (float)(i % 5) - 0.3f;
	for (int i = 0; i < 18; i++)
		x[i] = (float)(i % 3);
	mmi_program_bind_grads(p, c.store, mmi_floats_direct(once));
	mmi_program_run(p);
	mmi_program_bind_grads(p, c.store, mmi_floats_direct(twice));
	mmi_program_run(p);
	mmi_program_run(p);
	for (size_t i = 0; i < c.store->count; i++) {
		assert_true(fabsf(twice[i] - 2 * once[i]) <= 1e-5f * fabsf(once[i]) + 1e-6f);
		total += fabsf(once[i]);
	}
	assert_true(total > 1);
	mmi_program_destroy(p);
	mmi_free(once);
	mmi_free(twice);
	mmi_free(q.param_grads);
	close_chain_net(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_task_runs_once_on_one_worker),
		cmocka_unit_test(small_jobs_in_quick_succession_lose_nothing),
		cmocka_unit_test(pools_live_and_die_inside_tasks_of_another),
		cmocka_unit_test(unused_and_missing_pools_go_away_quietly),
		cmocka_unit_test(shared_memory_never_changes_a_result),
		cmocka_unit_test(fusion_never_changes_a_result),
		cmocka_unit_test(random_networks_agree_with_the_double_reference),
		cmocka_unit_test(inputs_are_only_read),
		cmocka_unit_test(programs_compute_what_their_outputs_need_and_nothing_else),
		cmocka_unit_test(branches_are_computed_one_after_the_other),
		cmocka_unit_test(binding_takes_effect_at_the_next_run_and_again),
		cmocka_unit_test(reshapes_of_bound_inputs_follow_the_binding),
		cmocka_unit_test(parameter_gradients_are_added_where_they_are_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
