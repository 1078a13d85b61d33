/* test_elementwise.c - the CPU's element-wise kernels by themselves: accuracy over the whole range of floats, and
 * results that take the place of their operands. Programs meet these cases only now and then; see test_ops.c for the
 * rest. */
#include "mmi_build.h"

#include "engine/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cpu/isa.h"

static void with_every_isa(void (*check)(void))
{
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		if (mmi_isa_get() == isa)
			check();
	}
	unsetenv("MMCORE_ISA");
}

/* A call of a node with up to three inputs of its own shape, or of no dimension where `scalars` has the input's bit. */
typedef struct call {
	mmi_node node, full, scalar;
	mmi_exec x;
} call;

static void call_open(call *c, mmi_opcode op, int64_t n, int count, uint32_t n_in, unsigned scalars)
{
	*c = (call){ 0 };
	c->full = (mmi_node){ .op = MMI_OP_INPUT, .batched = true, .shape = mmi_shape(1, count) };
	c->scalar = (mmi_node){ .op = MMI_OP_INPUT, .batched = true };
	c->node = (mmi_node){ .op = op, .n_in = n_in, .batched = true, .shape = c->full.shape };
	c->x = (mmi_exec){ .node = &c->node, .n = n, .n_in = n_in };
	for (uint32_t i = 0; i < n_in; i++)
		c->x.in_node[i] = scalars >> i & 1 ? &c->scalar : &c->full;
}

static void call_run(call *c)
{
	const mmi_kernel *k = mmi_backend_cpu.select(&c->x);

	/* The set "blas" has products of its own alone. */
	assert_string_equal(strrchr(k->name, '/') + 1, mmi_isa_get()->blas ? "generic" : mmi_isa_get()->name);
	k->run(&c->x);
}

/* ---------------------------------------------------------------- accuracy */

static double exact(mmi_opcode op, int32_t act, double v)
{
	if (op == MMI_OP_LOG)
		return log(v);
	switch (act) {
	case MM_ACT_TANH:
		return tanh(v);
	case MM_ACT_SIGMOID:
		return v < 0 ? exp(v) / (1 + exp(v)) : 1 / (1 + exp(-v));
	case MM_ACT_SOFTPLUS:
		return fmax(v, 0) + log1p(exp(-fabs(v)));
	case MM_ACT_EXP:
		return exp(v);
	case MM_ACT_LEAKY_RELU:
		return v > 0 ? v : 0.25 * v;
	default:
		return v < 0 ? 0 : v; /* NaN stays */
	}
}

/* Both sides of what a float can hold count as equal there. */
static bool close_enough(double found, double expected)
{
	if (isnan(expected) || isnan(found))
		return isnan(expected) && isnan(found);
	if (fabs(expected) > 3.4e38)
		return fabs(found) > 3.4e38 && (found > 0) == (expected > 0);
	return fabs(found - expected) <= 5e-7 * fabs(expected) + 3e-45;
}

static void check_accuracy(mmi_opcode op, int32_t act)
{
	enum { N = 20011 };
	const float special[] = { 0,       -0.f,    INFINITY, -INFINITY, NAN,    1e30f,  -1e30f, 3e38f,
		                      -3e38f,  1e-30f,  -1e-30f,  1e-42f,    88.7f,  88.8f,  -87.3f, -87.4f,
		                      -103.9f, -104.1f, 1,        -1,        0.625f, -0.625f };
	static float in[N], out[N];
	call c;

	for (int i = 0; i < N; i++)
		in[i] = (float)(i - N / 2) * 0.0105f;
	memcpy(in, special, sizeof special);
	call_open(&c, op, 1, N, 1, 0);
	c.node.attr = (mmi_attr){ .act = act, .a = 0.25f };
	c.x.in[0] = in;
	c.x.out = out;
	call_run(&c);
	for (int i = 0; i < N; i++)
		if (!close_enough((double)out[i], exact(op, act, (double)in[i])))
			fail_msg("%s, operation %d, activation %d at %.9g: %.9g, expected %.9g", mmi_isa_get()->name, op, act,
			         (double)in[i], (double)out[i], exact(op, act, (double)in[i]));
}

static void check_functions(void)
{
	for (int32_t act = MM_ACT_RELU; act <= MM_ACT_EXP; act++)
		check_accuracy(MMI_OP_ACT, act);
	check_accuracy(MMI_OP_LOG, 0);
}

static void functions_are_accurate_everywhere(void **state)
{
	(void)state;
	with_every_isa(check_functions);
}

static void check_softplus_slope(void)
{
	enum { N = 4001 };
	static float ones[N], y[N], out[N];
	call c;

	for (int i = 0; i < N; i++) {
		ones[i] = 1;
		y[i] = powf(10, (float)i / 400 - 8);
	}
	call_open(&c, MMI_OP_ACT_BWD, 1, N, 2, 0);
	c.node.attr.act = MM_ACT_SOFTPLUS;
	c.x.in[0] = ones;
	c.x.in[1] = y;
	c.x.out = out;
	call_run(&c);
	for (int i = 0; i < N; i++)
		if (!close_enough((double)out[i], -expm1(-(double)y[i])))
			fail_msg("%s at %g: %.9g, expected %.9g", mmi_isa_get()->name, (double)y[i], (double)out[i],
			         -expm1(-(double)y[i]));
}

/* 1 - exp(-y) of a small y keeps its relative accuracy. */
static void slope_of_softplus_is_accurate_for_small_outputs(void **state)
{
	(void)state;
	with_every_isa(check_softplus_slope);
}

/* ---------------------------------------------------------------- rows with large entries */

static void check_large_logits(void)
{
	for (int width = 1; width <= 40; width++) {
		for (int at = 0; at < width; at++) {
			float v[40], p[40], lse, nll;
			call c;

			for (int i = 0; i < width; i++)
				v[i] = i == at ? 1000.f : -1000.f + (float)i;
			call_open(&c, MMI_OP_SOFTMAX, 1, width, 1, 0);
			c.x.in[0] = v;
			c.x.out = p;
			call_run(&c);
			for (int i = 0; i < width; i++)
				assert_true(p[i] == (i == at ? 1.f : 0.f));
			c.node = (mmi_node){ .op = MMI_OP_LSE, .n_in = 1, .batched = true };
			c.x.out = &lse;
			call_run(&c);
			assert_true(lse == 1000.f);
			call_open(&c, MMI_OP_NLL_CATEGORICAL, 1, width, 2, 0);
			c.node.shape = mmi_shape(0);
			c.x.in[0] = p;
			c.x.in[1] = v;
			c.x.out = &nll;
			call_run(&c);
			assert_true(nll == 0.f);
		}
	}
}

static void large_logits_neither_overflow_nor_vanish(void **state)
{
	(void)state;
	with_every_isa(check_large_logits);
}

/* ---------------------------------------------------------------- in place */

enum { SAMPLES = 5, COUNT = 1100, TOTAL = SAMPLES * COUNT };

static void fill(float *x, int n, float shift)
{
	for (int i = 0; i < n; i++)
		x[i] = sinf((float)i + shift);
}

/* Runs c into a buffer of its own, then in the place of each input of the same size, which may also be the mask. */
static void check_places(call *c, int n_in)
{
	static float in[2][TOTAL], out[TOTAL], taken[TOTAL];

	for (int place = 0; place < n_in; place++) {
		fill(in[0], TOTAL, 0);
		fill(in[1], TOTAL, 1);
		for (int i = 0; i < n_in; i++)
			c->x.in[i] = in[i];
		c->x.out = out;
		c->x.mask = c->x.mask ? in[place] : NULL;
		call_run(c);
		memcpy(taken, in[place], sizeof taken);
		c->x.in[place] = c->x.out = taken;
		c->x.mask = c->x.mask ? taken : NULL;
		call_run(c);
		assert_memory_equal(taken, out, sizeof out);
	}
}

static void check_in_place(void)
{
	static const struct {
		mmi_opcode op;
		uint32_t n_in;
	} cases[] = { { MMI_OP_ADD, 2 }, { MMI_OP_MUL, 2 }, { MMI_OP_AFFINE, 1 } };
	static const float marker = 0;

	for (size_t i = 0; i < MMI_COUNT(cases); i++)
		for (int masked = 0; masked < 2; masked++) {
			call c;

			call_open(&c, cases[i].op, SAMPLES, COUNT, cases[i].n_in, 0);
			c.node.attr = (mmi_attr){ .a = 0.7f, .b = 0.4f };
			c.x.act = MM_ACT_TANH;
			c.x.mask = masked ? &marker : NULL;
			c.x.mask_act = MM_ACT_RELU;
			check_places(&c, (int)cases[i].n_in);
		}
}

static void results_may_take_the_place_of_operands_and_masks(void **state)
{
	(void)state;
	with_every_isa(check_in_place);
}

static void check_masks(void)
{
	static float x[TOTAL], mask[TOTAL], out[TOTAL];
	call c;

	fill(x, TOTAL, 0);
	fill(mask, TOTAL, 2);
	call_open(&c, MMI_OP_AFFINE, SAMPLES, COUNT, 1, 0);
	c.node.attr = (mmi_attr){ .a = 2, .b = -0.5f };
	c.x.in[0] = x;
	c.x.out = out;
	c.x.act = MM_ACT_LEAKY_RELU;
	c.x.act_alpha = 0.25f;
	c.x.mask = mask;
	c.x.mask_act = MM_ACT_TANH;
	call_run(&c);
	for (int i = 0; i < TOTAL; i++) {
		const float v = 2 * x[i] - 0.5f, y = v > 0 ? v : 0.25f * v;

		assert_true(fabsf(out[i] - y * (1 - mask[i] * mask[i])) < 1e-6f);
	}
}

static void activation_comes_before_the_mask(void **state)
{
	(void)state;
	with_every_isa(check_masks);
}

/* Small tensors: a slot of 64 bytes may pass from the scalars to the result although their sizes differ. */
static void check_place_of_scalars(void)
{
	enum { N = 5, EACH = 3 };
	const struct {
		mmi_opcode op;
		unsigned scalars; /* bits of inputs */
		uint32_t n_in, taken;
	} cases[] = { { MMI_OP_ADD, 2, 2, 1 }, { MMI_OP_MUL, 2, 2, 1 }, { MMI_OP_NLL_GAUSSIAN_BWD, 1, 3, 0 } };

	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		float in[3][N * EACH], out[N * EACH];
		call c;

		call_open(&c, cases[i].op, N, EACH, cases[i].n_in, cases[i].scalars);
		c.node.attr = (mmi_attr){ .a = 0.7f, .b = 0.4f };
		for (uint32_t k = 0; k < cases[i].n_in; k++) {
			fill(in[k], N * EACH, (float)k);
			c.x.in[k] = in[k];
		}
		c.x.out = out;
		call_run(&c);
		c.x.out = in[cases[i].taken];
		call_run(&c);
		assert_memory_equal(c.x.out, out, sizeof out);
	}
}

static void results_may_take_the_place_of_scalars(void **state)
{
	(void)state;
	with_every_isa(check_place_of_scalars);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_accurate_everywhere),
		cmocka_unit_test(slope_of_softplus_is_accurate_for_small_outputs),
		cmocka_unit_test(large_logits_neither_overflow_nor_vanish),
		cmocka_unit_test(results_may_take_the_place_of_operands_and_masks),
		cmocka_unit_test(activation_comes_before_the_mask),
		cmocka_unit_test(results_may_take_the_place_of_scalars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
