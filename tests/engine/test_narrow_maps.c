/* test_narrow_maps.c - which tensors of a program are in bfloat16 on the host, and what comes out of it. With every
 * instruction set of this processor. */
#include "mmi_build.h"

#include "../rig/bf16_sets.h"
#include "../rig/conv_layer.h"

#include "backend/cpu/device.h"
#include "engine/op.h"
#include "engine/plan.h"
#include "engine/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void *must(void *p)
{
	assert_non_null(p);
	return p;
}

static float *values(size_t n)
{
	float *x = must(malloc(n * sizeof *x));
	for (size_t i = 0; i < n; i++)
		x[i] = sinf((float)i * 1.7f);
	return x;
}

static const mm_host_graph *const ops = &mmi_graph_ops;

/* A residual block with what stands around it in an energy network, and the gradient to its input. */
typedef struct network {
	mmi_graph *g;
	mmi_params *store;
	mm_tensor x, seed, h[4], small, total, grads[1];
} network;

static mm_tensor conv_of(mmi_graph *g, mm_tensor x, const char *name, int32_t channels)
{
	const mm_conv c = rig_conv3x3(channels, 1);
	return ops->conv2d(g, x, name, &c);
}

static void record(network *m)
{
	mmi_graph *g = m->g;
	m->x = mmi_input(g, "x", mmi_shape(3, 16, 16, 3));
	m->seed = mmi_input(g, "seed", mmi_shape(0));
	const mm_tensor parts[] = { conv_of(g, m->x, "a", 16), conv_of(g, m->x, "b", 32) };
	m->h[0] = ops->concat(g, parts, 2, 2);
	m->h[1] = ops->activation(g, conv_of(g, m->h[0], "c", 32), MM_ACT_RELU, 0);
	m->h[2] = ops->avg_pool(g, conv_of(g, m->h[1], "d", 32), 2, 2, 0, 0);
	m->h[3] = mmi_op(g, MMI_OP_ADD, 2, (mm_tensor[]){ m->h[2], ops->avg_pool(g, parts[1], 2, 2, 0, 0) },
	                 &(mmi_attr){ .a = 1, .b = 1 });
	m->small = ops->avg_pool(g, m->h[3], 2, 2, 0, 0);
	m->total = mmi_sum_all(g, ops->linear(g, m->small, "e", 1, 1, MM_INIT_DEFAULT), 1);
}

static void check_status(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static void open_network(network *m, const mmi_device *d)
{
	mm_error e = MM_ERROR_INIT;
	*m = (network){ .g = NULL };
	check_status(mmi_graph_create(&m->g, &e), &e);
	check_status(mmi_params_create(d, "t", &m->store, &e), &e);
	mmi_graph_scope(m->g, m->store, "t");
	record(m);
	check_status(mmi_graph_check(m->g, &e), &e);
	check_status(mmi_params_finalise(m->store, 7, &e), &e);
	mmi_grad_request r = { .loss = m->total, .seed = m->seed, .wrt = &m->x, .n_wrt = 1, .grads = m->grads };
	check_status(mmi_graph_grad(m->g, &r, &e), &e);
}

static void close_network(network *m)
{
	mmi_graph_destroy(m->g);
	mmi_params_destroy(m->store);
}

static mmi_plan *plan_of(const network *m, const mmi_device *d, int64_t n)
{
	const mm_tensor outputs[] = { m->total, m->grads[0] };
	const mmi_program_spec spec = { .graph = m->g, .device = d, .n = n, .outputs = outputs, .n_outputs = 2 };
	mm_error e = MM_ERROR_INIT;
	mmi_plan *p = NULL;
	check_status(mmi_plan_create(&spec, &p, &e), &e);
	return p;
}

static bool is_narrow(const mmi_plan *p, mm_tensor id)
{
	return p->narrow[p->root[id]];
}

static void check_choice(const mmi_device *d, void *ctx)
{
	network m;
	(void)ctx;
	open_network(&m, d);
	mmi_plan *p = plan_of(&m, d, 4);
	const mm_tensor floats[] = { m.x, m.seed, m.small, m.total, m.grads[0] };
	for (size_t i = 0; i < MMI_COUNT(floats); i++)
		assert_false(is_narrow(p, floats[i]));
	for (size_t i = 0; i < 4; i++)
		assert_true(is_narrow(p, m.h[i]));
	size_t gradients = 0;
	for (size_t i = 0; i < p->n_nodes; i++) {
		const mmi_opcode op = p->nodes[i].op;
		if (p->needed[i] && !p->output[i])
			gradients += (op == MMI_OP_CONV_BWD_X || op == MMI_OP_AVG_POOL_BWD) && is_narrow(p, (mm_tensor)i);
	}
	assert_true(gradients >= 3);
	mmi_plan_destroy(p);
	close_network(&m);
}

static void maps_of_a_chain_are_narrow_and_what_callers_see_is_not(void **state)
{
	(void)state;
	each_bf16_set(check_choice, NULL);
}

static void float32_has_no_narrow_maps(void **state)
{
	const mmi_device d = mmi_cpu_device(), b = mmi_cpu_device_bf16();
	network m;
	(void)state;
	open_network(&m, &d);
	mmi_plan *wide = plan_of(&m, &d, 4), *narrow = plan_of(&m, &b, 4);
	for (size_t i = 0; i < wide->n_nodes; i++)
		assert_false(wide->narrow[i]);
	assert_true((double)narrow->arena_bytes < 0.7 * (double)wide->arena_bytes);
	mmi_plan_destroy(wide);
	mmi_plan_destroy(narrow);
	close_network(&m);
}

/* What a kernel reads or writes that has no narrow maps is in floats, whoever else reads it. */
static void check_other_kernels(const mmi_device *d, void *ctx)
{
	mm_error e = MM_ERROR_INIT;
	mmi_plan *p = NULL;
	network m;
	(void)ctx;
	open_network(&m, d);
	const mm_tensor clamped = mmi_op(m.g, MMI_OP_CLAMP, 1, &m.h[0], &(mmi_attr){ .a = -1, .b = 1 });
	const mm_tensor outputs[] = { m.total, m.grads[0], ops->avg_pool(m.g, clamped, 2, 2, 0, 0) };
	const mmi_program_spec spec = { .graph = m.g, .device = d, .n = 2, .outputs = outputs, .n_outputs = 3 };
	check_status(mmi_plan_create(&spec, &p, &e), &e);
	assert_false(is_narrow(p, m.h[0]));
	assert_false(is_narrow(p, clamped));
	assert_true(is_narrow(p, m.h[1]));
	mmi_plan_destroy(p);
	close_network(&m);
}

static void kernels_that_want_floats_get_them(void **state)
{
	(void)state;
	each_bf16_set(check_other_kernels, NULL);
}

enum { N = 5, PIXELS = 16 * 16 * 3 };

/* A program of so many outputs on x. */
static void run_program(network *m, const mmi_device *d, const mm_tensor *outputs, uint32_t n, float *const results[])
{
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	float seed[N], *x = values(N * PIXELS);
	const mmi_program_spec spec = { .graph = m->g, .device = d, .n = N, .outputs = outputs, .n_outputs = n };
	check_status(mmi_program_create(&spec, &p, &e), &e);
	for (int i = 0; i < N; i++)
		seed[i] = 1;
	mmi_program_write(p, m->x, N, x);
	if (mmi_program_data(p, m->seed).at)
		mmi_program_write(p, m->seed, N, seed);
	mmi_program_run(p);
	for (uint32_t i = 0; i < n; i++)
		mmi_program_read(p, outputs[i], N, results[i]);
	mmi_program_destroy(p);
	free(x);
}

/* The total and the gradient. */
static void run_network(const mmi_device *d, float total[N], float gradient[N * PIXELS])
{
	network m;
	open_network(&m, d);
	run_program(&m, d, (mm_tensor[]){ m.total, m.grads[0] }, 2, (float *[]){ total, gradient });
	close_network(&m);
}

typedef struct run_result {
	float total[N], gradient[N * PIXELS];
} run_result;

static void expect_near(const float *a, const float *b, int n, float share, const char *text)
{
	double size2 = 0, error2 = 0;
	for (int i = 0; i < n; i++) {
		size2 += (double)b[i] * (double)b[i];
		error2 += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	}
	if (!(error2 <= (double)share * (double)share * size2))
		fail_msg("%s: %.3g off", text, sqrt(error2 / size2));
}

static void check_results(const mmi_device *d, void *ctx)
{
	const run_result *wide = ctx;
	run_result r;
	run_network(d, r.total, r.gradient);
	expect_near(r.total, wide->total, N, 2e-2f, d->text);
	expect_near(r.gradient, wide->gradient, N * PIXELS, 4e-2f, d->text);
}

static void a_chain_of_narrow_maps_is_near_floats(void **state)
{
	const mmi_device d = mmi_cpu_device();
	run_result wide;
	(void)state;
	run_network(&d, wide.total, wide.gradient);
	each_bf16_set(check_results, &wide);
}

enum { FLOATS = 16 * 16 * 32, POOLED = 8 * 8 * 48 };

/* Sums whose operand ends there and is of the other kind: narrow for floats, and the other way round. */
static void run_kinds(const mmi_device *d, float *floats, float *pooled)
{
	const mmi_attr third = { .a = 0.3f, .b = 0.1f }, bounds = { .a = -0.5f, .b = 0.5f };
	network m;
	open_network(&m, d);
	const mm_tensor clamped = mmi_op(m.g, MMI_OP_CLAMP, 1, &m.h[0], &bounds);
	const mm_tensor outputs[] = { mmi_op(m.g, MMI_OP_AFFINE, 1, &m.h[1], &third),
		                          ops->avg_pool(m.g, mmi_op(m.g, MMI_OP_AFFINE, 1, &clamped, &third), 2, 2, 0, 0) };
	run_program(&m, d, outputs, 2, (float *[]){ floats, pooled });
	close_network(&m);
}

typedef struct kinds {
	float *floats, *pooled;
} kinds;

static void check_kinds(const mmi_device *d, void *ctx)
{
	const kinds *wide = ctx;
	kinds found = { must(malloc(N * FLOATS * sizeof(float))), must(malloc(N * POOLED * sizeof(float))) };
	run_kinds(d, found.floats, found.pooled);
	expect_near(found.floats, wide->floats, N * FLOATS, 2e-2f, d->text);
	expect_near(found.pooled, wide->pooled, N * POOLED, 2e-2f, d->text);
	free(found.floats);
	free(found.pooled);
}

static void storage_passes_between_maps_of_a_kind_alone(void **state)
{
	const mmi_device d = mmi_cpu_device();
	kinds wide = { must(malloc(N * FLOATS * sizeof(float))), must(malloc(N * POOLED * sizeof(float))) };
	(void)state;
	run_kinds(&d, wide.floats, wide.pooled);
	each_bf16_set(check_kinds, &wide);
	free(wide.floats);
	free(wide.pooled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_of_a_chain_are_narrow_and_what_callers_see_is_not),
		cmocka_unit_test(float32_has_no_narrow_maps),
		cmocka_unit_test(kernels_that_want_floats_get_them),
		cmocka_unit_test(a_chain_of_narrow_maps_is_near_floats),
		cmocka_unit_test(storage_passes_between_maps_of_a_kind_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
