/* test_narrow.c - maps in bfloat16 on the host: every kernel that takes them makes of them what it makes of the same
 * numbers in floats, rounded once. With every instruction set of this processor. */
#include "mmi_build.h"

#include "../rig/bf16_sets.h"
#include "../rig/kernel_rig.h"

#include "backend/cpu/bf16.h"
#include "backend/cpu/device.h"
#include "backend/cpu/isa.h"
#include "backend/cpu/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What is narrow in a call, by bits; the next ones are for further inputs. */
enum { OUT = 1, MASK = 2, IN = 4 };

static void *must(void *p)
{
	assert_non_null(p);
	return p;
}

/* Numbers that bfloat16 has, so that floats and narrow maps hold the same. */
static void make_representable(float *x, size_t n)
{
	for (size_t i = 0; x && i < n; i++)
		x[i] = mmi_of_bf16(mmi_to_bf16(x[i]));
}

/* A copy of exactly the bytes that it needs, for checkers of memory to see who reads beyond. */
static uint16_t *narrowed(const float *x, size_t n)
{
	uint16_t *out = must(malloc(n * sizeof *out));
	for (size_t i = 0; i < n; i++)
		out[i] = mmi_to_bf16(x[i]);
	return out;
}

static bool same(float a, float b)
{
	return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void compare(const float *expected, const void *found, bool narrow, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		const float want = narrow ? mmi_of_bf16(mmi_to_bf16(expected[i])) : expected[i];
		const float is = narrow ? mmi_of_bf16(((const uint16_t *)found)[i]) : ((const float *)found)[i];
		if (!same(want, is))
			fail_msg("%s: element %zu of %zu is %.9g, in floats %.9g", text, i, n, (double)is, (double)want);
	}
}

/* ------------------------------------------------------------------ products */

static bool is_gradient(const rig_case *c)
{
	return c->op == MMI_OP_CONV_BWD_W || c->op == MMI_OP_LINEAR_BWD_W;
}

static void round_all(rig *r)
{
	make_representable(r->in[0], r->in_count[0]);
	make_representable(r->mask, r->mask ? r->out_count : 0);
	if (is_gradient(&r->c))
		make_representable(r->in[1], r->in_count[1]);
}

static void run_narrow(const rig_case *c, const mmi_device *d, const mmi_kernel *k, const float *expected, int narrow)
{
	char text[256], name[128];
	rig r;
	rig_make(&r, c, narrow % 2 == 0);
	r.x.device = d;
	round_all(&r);
	uint16_t *in = narrowed(r.in[0], r.in_count[0]), *mask = r.mask ? narrowed(r.mask, r.out_count) : NULL;
	uint16_t *second = narrowed(r.in[1], r.in_count[1]);
	uint16_t *out = must(malloc(r.out_count * sizeof *out));
	r.x.narrow_in[0] = (narrow & IN) != 0;
	r.x.narrow_in[1] = (narrow & 2 * IN) != 0;
	r.x.narrow_out = (narrow & OUT) != 0;
	r.x.narrow_mask = (narrow & MASK) != 0;
	r.x.in[0] = narrow & IN ? (void *)in : r.in[0];
	r.x.in[1] = narrow & 2 * IN ? (void *)second : r.in[1];
	r.x.out = narrow & OUT ? (void *)out : r.out;
	r.x.mask = narrow & MASK ? (void *)mask : r.mask;
	assert_true(rig_prepare(&r, k));
	rig_run(&r, true);
	snprintf(text, sizeof text, "%s, %s, %s, narrow %d", rig_text(c, name, sizeof name), k->name, d->text, narrow);
	compare(expected, r.x.out, narrow & OUT, r.out_count, text);
	free(in);
	free(second);
	free(mask);
	free(out);
	rig_free(&r);
}

/* Weights and their gradients are floats. */
static bool can_be(const rig *r, int narrow)
{
	return is_gradient(&r->c) ? !(narrow & (OUT | MASK)) : !(narrow & 2 * IN) && (r->mask || !(narrow & MASK));
}

static void check_kernel(const rig_case *c, const mmi_device *d, const mmi_kernel *k)
{
	rig r;
	rig_make(&r, c, false);
	r.x.device = d;
	round_all(&r);
	assert_true(rig_prepare(&r, k));
	rig_run(&r, true);
	for (int narrow = 1; narrow < 4 * IN; narrow++)
		if (can_be(&r, narrow))
			run_narrow(c, d, k, r.out, narrow);
	rig_free(&r);
}

typedef struct product_case {
	rig_case c;
	int tried;
	const char *name[8]; /* of kernels that took it */
} product_case;

static void note(product_case *p, const char *name)
{
	size_t i = 0;
	while (i < MMI_COUNT(p->name) && p->name[i] && strcmp(p->name[i], name))
		i++;
	assert_true(i < MMI_COUNT(p->name));
	p->name[i] = name;
	p->tried++;
}

static void check_product(const mmi_device *d, void *ctx)
{
	product_case *p = ctx;
	rig r;
	rig_make(&r, &p->c, false);
	r.x.device = d;
	for (const mmi_kernel *const *k = ((const mmi_isa *)d->own)->kernels[p->c.op]; *k; k++)
		if ((*k)->flags & MMI_KERNEL_NARROW && (!(*k)->accepts || (*k)->accepts(&r.x))) {
			check_kernel(&p->c, d, *k);
			note(p, (*k)->name);
		}
	rig_free(&r);
}

static void check_case(const rig_case *c)
{
	product_case p = { .c = *c };
	each_bf16_set(check_product, &p);
	assert_true(p.tried > 0);
}

/* The kernels that a case is for are among those that take it. */
static void expect_kernels(const rig_case *c, const char *const names[], size_t n)
{
	product_case p = { .c = *c };
	each_bf16_set(check_product, &p);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < MMI_COUNT(p.name) && p.name[k] && strcmp(p.name[k], names[i]))
			k++;
		if (k == MMI_COUNT(p.name) || !p.name[k])
			fail_msg("%s takes no narrow maps", names[i]);
	}
}

static void every_product_in_bfloat16_takes_narrow_maps(void **state)
{
	static const int32_t many[] = { 2, 28, 28, 32, 64, 3, 1, 1 }, few[] = { 2, 28, 28, 32, 3, 3, 1, 1 };
	static const char *const products[] = { "winograd/square-bf16", "patch/wide-bf16" };
	static const char *const narrow[] = { "patch/narrow-bf16" };
	static const char *const gradients[] = { "winograd/square-grad", "grad/wide-bf16", "grad/wide" };
	static const char *const few_gradients[] = { "grad/narrow" };
	(void)state;
	rig_case c = rig_conv_case(MMI_OP_CONV, many);
	expect_kernels(&c, products, MMI_COUNT(products));
	c.op = MMI_OP_CONV_BWD_X;
	expect_kernels(&c, products, MMI_COUNT(products));
	c.op = MMI_OP_CONV_BWD_W;
	expect_kernels(&c, gradients, MMI_COUNT(gradients));
	c = rig_conv_case(MMI_OP_CONV, few);
	expect_kernels(&c, narrow, 1);
	c.op = MMI_OP_CONV_BWD_W;
	expect_kernels(&c, few_gradients, 1);
}

/* What guards look for is not made a number on its way. */
static void check_no_number(const mmi_device *d, void *ctx)
{
	const rig_case *c = ctx;
	rig r;
	rig_make(&r, c, false);
	r.x.device = d;
	for (const mmi_kernel *const *k = ((const mmi_isa *)d->own)->kernels[c->op]; *k; k++) {
		if (!((*k)->flags & MMI_KERNEL_NARROW) || ((*k)->accepts && !(*k)->accepts(&r.x)))
			continue;
		uint16_t *in = narrowed(r.in[0], r.in_count[0]), *out = must(malloc(r.out_count * sizeof *out));
		size_t found = 0;
		in[0] = mmi_to_bf16(NAN);
		r.x.in[0] = in;
		r.x.out = out;
		r.x.narrow_in[0] = r.x.narrow_out = true;
		assert_true(rig_prepare(&r, *k));
		rig_run(&r, true);
		for (size_t i = 0; i < r.out_count; i++)
			found += isnan(mmi_of_bf16(out[i])) != 0;
		if (!found)
			fail_msg("%s, %s, activation %d: no NaN of an input is left", (*k)->name, d->text, c->act);
		rig_release(&r);
		r.x.narrow_in[0] = r.x.narrow_out = false;
		free(in);
		free(out);
	}
	rig_free(&r);
}

static void what_is_no_number_stays_none(void **state)
{
	static const int32_t acts[] = { MM_ACT_NONE, MM_ACT_RELU, MM_ACT_LEAKY_RELU, MM_ACT_TANH };
	static const int32_t shapes[][8] = { { 2, 8, 8, 16, 32, 3, 1, 1 }, { 2, 8, 8, 16, 3, 3, 1, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(acts) * MMI_COUNT(shapes); i++) {
		rig_case c = rig_conv_case(MMI_OP_CONV, shapes[i % MMI_COUNT(shapes)]);
		c.bias = true;
		c.act = acts[i / MMI_COUNT(shapes)];
		each_bf16_set(check_no_number, &c);
	}
}

/* With no mask and no activation, with ReLU, with its mask, and with what registers do not have. */
static void check_ends(rig_case c)
{
	static const int32_t ends[][2] = { { MM_ACT_NONE, MM_ACT_NONE },
		                               { MM_ACT_RELU, MM_ACT_NONE },
		                               { MM_ACT_NONE, MM_ACT_RELU },
		                               { MM_ACT_LEAKY_RELU, MM_ACT_TANH } };
	for (size_t i = 0; i < MMI_COUNT(ends); i++) {
		c.bias = i % 2 != 0;
		c.act = ends[i][0];
		c.mask_act = ends[i][1];
		check_case(&c);
	}
}

static void convolutions_take_narrow_maps(void **state)
{
	static const int32_t more[][8] = {
		{ 40, 7, 7, 130, 33, 3, 1, 1 }, { 1, 8, 8, 350, 33, 3, 1, 1 },   { 2, 28, 28, 40, 64, 3, 1, 1 },
		{ 1, 15, 28, 64, 48, 4, 2, 1 }, { 3, 14, 13, 64, 128, 4, 2, 1 }, { 5, 9, 6, 65, 64, 3, 1, 1 },
	};
	(void)state;
	for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++) {
		for (size_t i = 0; i < RIG_CONV_SHAPES; i++)
			check_ends(rig_conv_case((mmi_opcode)op, rig_conv_shapes[i]));
		for (size_t i = 0; i < MMI_COUNT(more); i++)
			check_ends(rig_conv_case((mmi_opcode)op, more[i]));
	}
}

static rig_case linear_case(mmi_opcode op, const int32_t size[3])
{
	return (rig_case){ .op = op, .n = size[0], .h = 1, .w = 1, .ci = size[1], .co = size[2], .k = 1, .s = 1 };
}

static void gradients_to_weights_take_narrow_maps(void **state)
{
	static const int32_t sizes[][3] = { { 3, 5, 7 }, { 16, 32, 200 }, { 33, 65, 3 } };
	(void)state;
	for (size_t i = 0; i < RIG_CONV_SHAPES; i++) {
		const rig_case c = rig_conv_case(MMI_OP_CONV_BWD_W, rig_conv_shapes[i]);
		check_case(&c);
	}
	for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
		const rig_case c = linear_case(MMI_OP_LINEAR_BWD_W, sizes[i]);
		check_case(&c);
	}
}

static void linear_layers_take_narrow_maps(void **state)
{
	static const int32_t sizes[][3] = { { 1, 1, 1 },    { 3, 5, 7 },  { 16, 32, 200 }, { 33, 200, 32 },
		                                { 16, 65, 33 }, { 5, 50, 4 }, { 64, 64, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		for (int back = 0; back < 2; back++)
			check_ends(linear_case(back ? MMI_OP_LINEAR_BWD_X : MMI_OP_LINEAR, sizes[i]));
}

/* ------------------------------------------------------------------ everything else */

enum { SAMPLES = 3 };

typedef struct map_case {
	const char *name;
	mmi_opcode op;
	uint32_t n_in;
	mm_shape in[3], out;
	mmi_attr attr;
	int32_t act, mask_act;
	uint32_t in_floats; /* bits of inputs that are never narrow */
} map_case;

typedef struct map_call {
	mmi_node node, in_node[3];
	mmi_exec x;
	float *in[3], *mask, *out;
	void *narrow_in[3], *narrow_mask;
	size_t in_count[3], out_count;
} map_call;

static float *values(size_t n, float shift)
{
	float *x = must(malloc(n * sizeof *x));
	for (size_t i = 0; i < n; i++)
		x[i] = sinf((float)i * 1.7f + shift);
	make_representable(x, n);
	return x;
}

static void open_call(map_call *c, const map_case *m, const mmi_device *d)
{
	*c = (map_call){ .out_count = SAMPLES * (size_t)mmi_shape_count(&m->out) };
	c->node = (mmi_node){ .op = m->op, .n_in = m->n_in, .batched = true, .shape = m->out, .attr = m->attr };
	c->x = (mmi_exec){
		.device = d, .node = &c->node, .n = SAMPLES, .n_in = m->n_in, .act = m->act, .mask_act = m->mask_act
	};
	c->x.act_alpha = c->x.mask_alpha = 0.25f;
	for (uint32_t k = 0; k < m->n_in; k++) {
		c->in_node[k] = (mmi_node){ .op = MMI_OP_INPUT, .batched = true, .shape = m->in[k] };
		c->in_count[k] = SAMPLES * (size_t)mmi_shape_count(&m->in[k]);
		c->in[k] = values(c->in_count[k], (float)k);
		c->narrow_in[k] = narrowed(c->in[k], c->in_count[k]);
		c->x.in_node[k] = &c->in_node[k];
	}
	if (m->mask_act != MM_ACT_NONE) {
		c->mask = values(c->out_count, 5);
		c->narrow_mask = narrowed(c->mask, c->out_count);
	}
	c->out = must(malloc(c->out_count * sizeof *c->out));
}

static void close_call(map_call *c)
{
	for (int k = 0; k < 3; k++) {
		free(c->in[k]);
		free(c->narrow_in[k]);
	}
	free(c->mask);
	free(c->narrow_mask);
	free(c->out);
}

/* Into exactly as many bytes as the result has. */
static void *run_map(map_call *c, const mmi_kernel *k, int narrow)
{
	mm_error e = MM_ERROR_INIT;
	for (uint32_t i = 0; i < c->x.n_in; i++) {
		c->x.narrow_in[i] = narrow & (IN << i);
		c->x.in[i] = c->x.narrow_in[i] ? c->narrow_in[i] : c->in[i];
	}
	c->x.narrow_out = narrow & OUT;
	c->x.narrow_mask = narrow & MASK;
	c->x.mask = narrow & MASK ? c->narrow_mask : c->mask;
	c->x.out = must(malloc(c->out_count * (narrow & OUT ? sizeof(uint16_t) : sizeof(float))));
	memset(c->x.out, 0xff, c->out_count * (narrow & OUT ? sizeof(uint16_t) : sizeof(float)));
	c->x.scratch_bytes = 0;
	if (k->prepare)
		assert_int_equal(k->prepare(&c->x, &e), MM_OK);
	c->x.scratch = must(malloc(c->x.scratch_bytes + 1));
	memset(c->x.scratch, 0xff, c->x.scratch_bytes);
	k->run(&c->x);
	free(c->x.scratch);
	if (k->release)
		k->release(&c->x);
	return c->x.out;
}

static void check_map(const mmi_device *d, void *ctx)
{
	const map_case *m = ctx;
	const int kinds = IN << m->n_in;
	char text[256];
	map_call c;
	open_call(&c, m, d);
	const mmi_kernel *k = mmi_backend_cpu.select(&c.x);
	assert_true(k->flags & MMI_KERNEL_NARROW);
	float *expected = run_map(&c, k, 0);
	for (int narrow = 1; narrow < kinds; narrow++) {
		if ((!c.mask && narrow & MASK) || (uint32_t)narrow / IN & m->in_floats)
			continue;
		void *found = run_map(&c, k, narrow);
		snprintf(text, sizeof text, "%s, act %d, mask %d, %s, narrow %d", m->name, m->act, m->mask_act, d->text,
		         narrow);
		compare(expected, found, narrow & OUT, c.out_count, text);
		free(found);
	}
	free(expected);
	close_call(&c);
}

/* In the place of an input of its kind, which may be the mask as well. */
static void check_place(const mmi_device *d, void *ctx)
{
	const map_case *m = ctx;
	map_call c;
	open_call(&c, m, d);
	const mmi_kernel *k = mmi_backend_cpu.select(&c.x);
	assert_true(k->flags & MMI_KERNEL_INPLACE);
	for (uint32_t place = 0; place < m->n_in; place++) {
		uint16_t *taken = narrowed(c.in[place], c.in_count[place]);
		for (uint32_t i = 0; i < m->n_in; i++) {
			c.x.narrow_in[i] = true;
			c.x.in[i] = c.narrow_in[i];
		}
		c.x.narrow_out = c.x.narrow_mask = true;
		c.x.mask = m->mask_act != MM_ACT_NONE ? c.narrow_in[place] : NULL;
		c.x.out = c.out;
		k->run(&c.x);
		c.x.in[place] = c.x.out = taken;
		c.x.mask = c.x.mask ? taken : NULL;
		k->run(&c.x);
		assert_memory_equal(taken, c.out, c.out_count * sizeof *taken);
		free(taken);
	}
	close_call(&c);
}

static void results_may_take_the_place_of_narrow_operands_and_masks(void **state)
{
	static const struct {
		mmi_opcode op;
		uint32_t n_in;
		int32_t act;
		bool fuses;
	} cases[] = { { MMI_OP_ADD, 2, MM_ACT_NONE, true },
		          { MMI_OP_MUL, 2, MM_ACT_NONE, true },
		          { MMI_OP_AFFINE, 1, MM_ACT_NONE, true },
		          { MMI_OP_ACT, 1, MM_ACT_TANH, false },
		          { MMI_OP_ACT_BWD, 2, MM_ACT_RELU, false } };
	const mm_shape s = mmi_shape(1, 4321);
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++)
		for (int masked = 0; masked <= cases[i].fuses; masked++) {
			map_case m = { .op = cases[i].op,
				           .n_in = cases[i].n_in,
				           .in = { s, s },
				           .out = s,
				           .attr = { .a = 0.7f, .b = 0.4f, .act = cases[i].act },
				           .mask_act = masked ? MM_ACT_LEAKY_RELU : MM_ACT_NONE };
			each_bf16_set(check_place, &m);
		}
}

static void check_maps(map_case m)
{
	each_bf16_set(check_map, &m);
}

/* Elements of a few blocks, and the end of a vector. */
static mm_shape row(int32_t n)
{
	return mmi_shape(1, n);
}

static void sums_and_activations_take_narrow_maps(void **state)
{
	static const int32_t counts[] = { 2, 16, 37, 2731 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(counts); i++) {
		const mm_shape s = row(counts[i]);
		map_case m = { .n_in = 2, .in = { s, s }, .out = s, .attr = { .a = 0.7f, .b = -1.3f } };
		for (int fused = 0; fused < 3; fused++) {
			m.act = fused == 1 ? MM_ACT_RELU : MM_ACT_NONE;
			m.mask_act = fused == 2 ? MM_ACT_LEAKY_RELU : MM_ACT_NONE;
			m.name = "add";
			m.op = MMI_OP_ADD;
			check_maps(m);
			m.name = "mul";
			m.op = MMI_OP_MUL;
			check_maps(m);
			map_case one = m;
			one.name = "affine";
			one.op = MMI_OP_AFFINE;
			one.n_in = 1;
			check_maps(one);
			map_case scalar = m;
			scalar.name = "add of a number";
			scalar.op = MMI_OP_ADD;
			scalar.in[1] = mmi_shape(0);
			scalar.in_floats = 2;
			check_maps(scalar);
		}
		for (int32_t act = MM_ACT_RELU; act <= MM_ACT_EXP; act++) {
			check_maps((map_case){ .name = "act",
			                       .op = MMI_OP_ACT,
			                       .n_in = 1,
			                       .in = { s },
			                       .out = s,
			                       .attr = { .act = act, .a = 0.25f } });
			check_maps((map_case){ .name = "act_bwd",
			                       .op = MMI_OP_ACT_BWD,
			                       .n_in = 2,
			                       .in = { s, s },
			                       .out = s,
			                       .attr = { .act = act, .a = 0.25f } });
		}
	}
}

static void joining_and_slicing_take_narrow_maps(void **state)
{
	const mm_shape a = mmi_shape(3, 3, 4, 5), b = mmi_shape(3, 3, 4, 64), c = mmi_shape(3, 3, 4, 16);
	const mm_shape whole = mmi_shape(3, 3, 4, 85), top = mmi_shape(3, 2, 4, 5), both = mmi_shape(3, 5, 4, 5);
	(void)state;
	check_maps((map_case){
		.name = "concat", .op = MMI_OP_CONCAT, .n_in = 3, .in = { a, b, c }, .out = whole, .attr = { .axis = 2 } });
	check_maps((map_case){ .name = "concat of rows",
	                       .op = MMI_OP_CONCAT,
	                       .n_in = 2,
	                       .in = { a, top },
	                       .out = both,
	                       .attr = { .axis = 0 } });
	for (int32_t begin = 0; begin <= 69; begin += 5) {
		const mmi_attr at = { .axis = 2, .begin = begin, .count = 16 };
		check_maps((map_case){ .name = "slice", .op = MMI_OP_SLICE, .n_in = 1, .in = { whole }, .out = c, .attr = at });
		check_maps((map_case){
			.name = "slice_bwd", .op = MMI_OP_SLICE_BWD, .n_in = 1, .in = { c }, .out = whole, .attr = at });
	}
}

static void check_pools(mm_shape large, mm_shape small, mmi_attr attr, bool average)
{
	for (int fused = 0; fused < 3; fused++)
		for (int down = 0; down < 2; down++) {
			map_case m = { .name = average ? "avg_pool" : "upsample", .n_in = 1, .attr = attr };
			m.op = average ? down ? MMI_OP_AVG_POOL : MMI_OP_AVG_POOL_BWD
			       : down  ? MMI_OP_UPSAMPLE_BWD
			               : MMI_OP_UPSAMPLE;
			m.in[0] = down ? large : small;
			m.out = down ? small : large;
			m.act = fused == 1 ? MM_ACT_LEAKY_RELU : MM_ACT_NONE;
			m.mask_act = fused == 2 ? MM_ACT_TANH : MM_ACT_NONE;
			check_maps(m);
		}
}

static void pooling_takes_narrow_maps(void **state)
{
	static const int32_t channels[] = { 3, 16, 40 };
	const mmi_attr two = { .kh = 2, .kw = 2, .sh = 2, .sw = 2 };
	const mmi_attr three = { .kh = 3, .kw = 3, .sh = 2, .sw = 2, .ph = 1, .pw = 1 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(channels); i++) {
		const int32_t c = channels[i];
		check_pools(mmi_shape(3, 6, 8, c), mmi_shape(3, 3, 4, c), two, true);
		check_pools(mmi_shape(3, 7, 9, c), mmi_shape(3, 3, 4, c), two, true); /* cells in no window */
		check_pools(mmi_shape(3, 7, 9, c), mmi_shape(3, 4, 5, c), three, true);
		check_pools(mmi_shape(3, 6, 8, c), mmi_shape(3, 3, 4, c), two, false);
	}
}

/* Sums of other blocks: near, not the same. */
static void check_bias(const mmi_device *d, void *ctx)
{
	static const int32_t counts[][2] = { { 49, 3 }, { 700, 64 }, { 1, 5000 } };
	(void)ctx;
	for (size_t i = 0; i < MMI_COUNT(counts); i++) {
		const mm_shape maps = mmi_shape(2, counts[i][0], counts[i][1]), bias = row(counts[i][1]);
		const map_case m = { .name = "bias_bwd", .op = MMI_OP_BIAS_BWD, .n_in = 1, .in = { maps }, .out = bias };
		map_call c;
		mm_error e = MM_ERROR_INIT;
		float *sums[2];
		open_call(&c, &m, d);
		c.node.batched = false;
		for (int narrow = 0; narrow < 2; narrow++) {
			const mmi_kernel *k = mmi_backend_cpu.select(&c.x);
			sums[narrow] = must(calloc((size_t)counts[i][1], sizeof(float)));
			c.x.narrow_in[0] = narrow;
			c.x.in[0] = narrow ? c.narrow_in[0] : c.in[0];
			c.x.out = sums[narrow];
			assert_true(k->flags & MMI_KERNEL_NARROW);
			assert_int_equal(k->prepare(&c.x, &e), MM_OK);
			c.x.scratch = must(malloc(c.x.scratch_bytes));
			k->run(&c.x);
			free(c.x.scratch);
		}
		for (int32_t k = 0; k < counts[i][1]; k++)
			assert_true(fabsf(sums[0][k] - sums[1][k]) <= 1e-5f * (1 + fabsf(sums[0][k])));
		free(sums[0]);
		free(sums[1]);
		close_call(&c);
	}
}

static void gradients_to_biases_take_narrow_maps(void **state)
{
	(void)state;
	each_bf16_set(check_bias, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_product_in_bfloat16_takes_narrow_maps),
		cmocka_unit_test(what_is_no_number_stays_none),
		cmocka_unit_test(convolutions_take_narrow_maps),
		cmocka_unit_test(linear_layers_take_narrow_maps),
		cmocka_unit_test(gradients_to_weights_take_narrow_maps),
		cmocka_unit_test(gradients_to_biases_take_narrow_maps),
		cmocka_unit_test(sums_and_activations_take_narrow_maps),
		cmocka_unit_test(results_may_take_the_place_of_narrow_operands_and_masks),
		cmocka_unit_test(joining_and_slicing_take_narrow_maps),
		cmocka_unit_test(pooling_takes_narrow_maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
