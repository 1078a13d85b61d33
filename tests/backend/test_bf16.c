/* test_bf16.c - the kernels whose products have operands in bfloat16, against plain loops in double: every kernel that
 * accepts a case, with every instruction set of this processor, emulated or not. */
#include "mmi_build.h"

#include "../rig/bf16_sets.h"
#include "../rig/conv_reference.h"
#include "../rig/kernel_rig.h"

#include "backend/cpu/bf16.h"
#include "backend/cpu/device.h"
#include "backend/cpu/isa.h"
#include "backend/cpu/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------ the sets */

static bool is_bf16(const mmi_kernel *k)
{
	return strstr(k->name, "bf16") != NULL;
}

static bool is_onednn(const mmi_kernel *k)
{
	return k == &mmi_kernel_onednn_product || k == &mmi_kernel_onednn_gradient;
}

/* ------------------------------------------------------------------ rounding */

static float bits_to_float(uint32_t bits)
{
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static void check_rounding(const mmi_device *d, void *ctx)
{
	static const struct {
		uint32_t from;
		uint16_t to;
	} cases[] = {
		{ 0x00000000, 0x0000 }, { 0x80000000, 0x8000 }, { 0x3f800000, 0x3f80 },
		{ 0x3f808000, 0x3f80 }, /* a tie, to even */
		{ 0x3f818000, 0x3f82 }, { 0x3f808001, 0x3f81 }, { 0x3f807fff, 0x3f80 },
		{ 0xbf808001, 0xbf81 }, { 0x7f7fffff, 0x7f80 }, /* larger than the largest */
		{ 0x7f800000, 0x7f80 }, { 0xff800000, 0xff80 },
	};
	enum { N = 67 };
	const mmi_isa *isa = d->own;
	float in[N];
	uint16_t out[N + 1];
	(void)ctx;
	for (size_t n = 0; n <= N; n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = bits_to_float(cases[i % MMI_COUNT(cases)].from);
		out[n] = 0x1234;
		isa->bf16->round(in, out, n);
		assert_int_equal(out[n], 0x1234);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(out[i], cases[i % MMI_COUNT(cases)].to);
			assert_int_equal(mmi_to_bf16(in[i]), out[i]);
		}
	}
	in[0] = bits_to_float(0x7fffffff);
	isa->bf16->round(in, out, 1);
	assert_true(isnan(bits_to_float((uint32_t)out[0] << 16)));
	assert_true(isnan(bits_to_float((uint32_t)mmi_to_bf16(in[0]) << 16)));
}

static void numbers_are_rounded_to_the_nearest(void **state)
{
	(void)state;
	each_bf16_set(check_rounding, NULL);
}

/* ------------------------------------------------------------------ products */

typedef struct product_case {
	rig_case c;
	double most; /* that an element is off, of the largest */
	conv_reference ref;
	double largest;
	int tried, of_onednn; /* kernels that accept the case, of the last set */
} product_case;

/* Each element within two hundredths of the largest before activation and mask, which are nowhere steeper than 1. And
 * where there are many, and nothing that bends them, the mean error is what rounding both operands leaves, which
 * Winograd's tiles multiply. */
static void compare(const rig *r, const product_case *p, const mmi_device *d, double scale)
{
	const bool winograd = strncmp(r->kernel->name, "winograd", 8) == 0;
	const double share = winograd ? 1.4e-2 : 4e-3;
	const conv_reference *ref = &p->ref;
	double error2 = 0, size2 = 0;
	char text[128];
	for (size_t i = 0; i < r->out_count; i++) {
		const double error = fabs((double)r->out[i] / scale - ref->sum[i]);
		if (!(error <= p->most * p->largest + 1e-7))
			fail_msg("%s, %s, %s: element %zu is %.9g, expected %.9g, %.3g of the largest",
			         rig_text(&r->c, text, sizeof text), r->kernel->name, d->text, i, (double)r->out[i],
			         scale * ref->sum[i], error / p->largest);
		error2 += error * error;
		size2 += ref->sum[i] * ref->sum[i];
	}
	if (r->out_count > 500 && r->c.act == MM_ACT_NONE && r->c.mask_act == MM_ACT_NONE && error2 > share * share * size2)
		fail_msg("%s, %s, %s: mean error %.3g of the mean size", rig_text(&r->c, text, sizeof text), r->kernel->name,
		         d->text, sqrt(error2 / size2));
}

/* Prepares, runs twice and compares; weights' gradients must double, the rest must repeat bit for bit. */
static void check_kernel(const product_case *p, const mmi_kernel *k, const mmi_device *d, bool with_packs)
{
	rig r;
	rig_make(&r, &p->c, with_packs);
	r.x.device = d;
	assert_true(rig_prepare(&r, k));
	if (r.node.batched)
		memset(r.out, 0xff, r.out_count * sizeof(float)); /* no numbers, to be written over */
	rig_run(&r, true);
	compare(&r, p, d, 1);
	float *first = mmi_alloc(r.out_count, sizeof(float));
	assert_non_null(first);
	memcpy(first, r.out, r.out_count * sizeof(float));
	if (!r.node.batched) {
		rig_run(&r, false);
		compare(&r, p, d, 2);
	}
	rig_run(&r, true);
	assert_memory_equal(first, r.out, r.out_count * sizeof(float));
	mmi_free(first);
	rig_free(&r);
}

static void check_product(const mmi_device *d, void *ctx)
{
	product_case *p = ctx;
	rig r;
	rig_make(&r, &p->c, false);
	r.x.device = d;
	p->tried = p->of_onednn = 0;
	for (const mmi_kernel *const *k = ((const mmi_isa *)d->own)->kernels[p->c.op]; *k; k++)
		if (is_bf16(*k) && (*k)->accepts(&r.x)) {
			check_kernel(p, *k, d, p->tried++ % 2 == 0);
			p->of_onednn += is_onednn(*k);
		}
	const mmi_kernel *selected = mmi_backend_cpu.select(&r.x);
	if (selected != &mmi_kernel_winograd_grad) /* in float32, of few products */
		assert_int_equal(is_bf16(selected), p->tried > 0);
	assert_true(p->tried > 0 || r.node.op == MMI_OP_CONV_BWD_W || r.node.op == MMI_OP_LINEAR_BWD_W);
	rig_free(&r);
}

static double largest_of_plain(const rig_case *c)
{
	rig_case plain = *c;
	double largest = 0;
	rig r;
	plain.act = plain.mask_act = MM_ACT_NONE;
	rig_make(&r, &plain, false);
	conv_reference ref = conv_reference_make(&r);
	for (size_t i = 0; i < r.out_count; i++)
		largest = fmax(largest, fabs(ref.sum[i]));
	conv_reference_free(&ref);
	rig_free(&r);
	return largest;
}

static void run_case(product_case *p)
{
	rig r;
	p->largest = largest_of_plain(&p->c);
	rig_make(&r, &p->c, false);
	p->ref = conv_reference_make(&r);
	each_bf16_set(check_product, p);
	conv_reference_free(&p->ref);
	rig_free(&r);
}

/* How many kernels of our own accept the case; *of_onednn more of oneDNN's. */
static int check_case_of(const rig_case *c, int *of_onednn)
{
	product_case p = { .c = *c, .most = 2e-2 };
	run_case(&p);
	*of_onednn = p.of_onednn;
	return p.tried - p.of_onednn;
}

static int check_case(const rig_case *c)
{
	int of_onednn;
	return check_case_of(c, &of_onednn);
}

static void check_conv_shapes(mmi_opcode op)
{
	for (size_t i = 0; i < RIG_CONV_SHAPES; i++) {
		const rig_case c = rig_conv_case(op, rig_conv_shapes[i]);
		check_case(&c);
	}
}

static void conv_is_near_double(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV);
}

static void conv_bwd_x_is_near_double(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV_BWD_X);
}

/* Winograd's tiles are of 2 to 5 outputs either way: all the ways in which they fill a map, and many blocks of each. */
static void maps_of_every_size_are_near_double(void **state)
{
	static const int32_t blocks[] = { 40, 7, 7, 130, 33, 3, 1, 1 }, wide[] = { 1, 8, 8, 350, 33, 3, 1, 1 };
	(void)state;
	for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++) {
		for (int32_t i = 0; i < 64; i++) {
			const int32_t h = 5 + i / 8, w = 5 + i % 8;
			const int32_t k3[] = { 2, h, w, 16, 17, 3, 1, 1 },
						  k4[] = { 1, 2 * h - i % 2, 2 * w, 40 + i % 2, 41, 4, 2, 1 };
			rig_case c = rig_conv_case((mmi_opcode)op, k3);
			check_case(&c);
			c = rig_conv_case((mmi_opcode)op, k4);
			check_case(&c);
		}
		rig_case c = rig_conv_case((mmi_opcode)op, blocks);
		check_case(&c);
		c = rig_conv_case((mmi_opcode)op, wide); /* more channels than are summed at a time */
		check_case(&c);
	}
}

/* In large maps, where tiles of 3x3 kernels are larger, now and then a result in a tile's corner is a little further
 * off: one convolution in fifteen has one. */
static void random_convolutions_are_near_double(void **state)
{
	static const int32_t channels[] = { 16, 20, 24, 32, 48, 64, 96, 160 };
	(void)state;
	for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++)
		for (int32_t i = 0; i < 40; i++) {
			const int32_t h = 5 + i * 7919 % 24, w = 5 + i * 104729 % 25;
			const int32_t k3[] = { 1 + i % 3, h, w, channels[i % 8], channels[i / 8], 3, 1, 1 };
			const int32_t k4[] = { 1 + i % 2, h + 3, w + 3, channels[i / 3 % 8], channels[i % 7], 4, 2, 1 };
			product_case square = { .c = rig_conv_case((mmi_opcode)op, k3), .most = 2.6e-2 };
			const rig_case c = rig_conv_case((mmi_opcode)op, k4);
			run_case(&square);
			check_case(&c);
		}
}

/* Kernels one row high, with steps along the row alone. */
static void lines_are_near_double(void **state)
{
	static const mmi_opcode ops[] = { MMI_OP_CONV, MMI_OP_CONV_BWD_X, MMI_OP_CONV_BWD_W };
	static const int32_t shapes[][8] = {
		{ 2, 1, 16, 32, 32, 3, 1, 1 },  { 3, 5, 16, 16, 24, 3, 1, 1 }, { 2, 1, 16, 32, 48, 4, 2, 1 },
		{ 16, 2, 24, 40, 17, 3, 1, 1 }, { 1, 1, 8, 7, 3, 5, 1, 2 },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes) * MMI_COUNT(ops); i++) {
		rig_case c = rig_conv_case(ops[i % MMI_COUNT(ops)], shapes[i / MMI_COUNT(ops)]);
		c.line = true;
		check_case(&c);
	}
}

static void linear_layers_are_near_double(void **state)
{
	static const int32_t sizes[][3] = { { 1, 1, 1 },  { 3, 5, 7 },    { 16, 32, 200 }, { 33, 200, 32 },
		                                { 7, 48, 3 }, { 16, 65, 33 }, { 5, 50, 4 },    { 64, 64, 1 },
		                                { 3, 2, 50 }, { 1, 300, 64 }, { 100, 16, 16 } };
	static const mmi_opcode ops[] = { MMI_OP_LINEAR, MMI_OP_LINEAR_BWD_X, MMI_OP_LINEAR_BWD_W };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(sizes) * MMI_COUNT(ops); i++) {
		const int32_t *size = sizes[i / MMI_COUNT(ops)];
		rig_case c = {
			.op = ops[i % MMI_COUNT(ops)], .n = size[0], .h = 1, .w = 1, .ci = size[1], .co = size[2], .k = 1, .s = 1
		};
		check_case(&c);
		if (c.op == MMI_OP_LINEAR_BWD_W)
			continue;
		c.bias = c.op == MMI_OP_LINEAR;
		c.act = MM_ACT_LEAKY_RELU;
		c.mask_act = MM_ACT_RELU;
		check_case(&c);
	}
}

/* One shape for each kernel (wide, winograd, narrow), with all that can be fused. */
static void bias_activation_and_mask_are_fused(void **state)
{
	static const int32_t shapes[][8] = { { 2, 7, 6, 5, 21, 4, 2, 1 },
		                                 { 2, 6, 8, 16, 24, 3, 1, 1 },
		                                 { 3, 5, 7, 24, 3, 3, 1, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int32_t act = MM_ACT_NONE; act <= MM_ACT_EXP; act++)
			for (int back = 0; back < 2; back++) {
				rig_case c = rig_conv_case(back ? MMI_OP_CONV_BWD_X : MMI_OP_CONV, shapes[i]);
				c.bias = true;
				c.act = act == MM_ACT_EXP ? MM_ACT_NONE : act; /* errors of a sum grow by what it is the exponent of */
				check_case(&c);
				c.bias = false;
				c.act = MM_ACT_NONE;
				c.mask_act = act;
				check_case(&c);
			}
}

static void every_approach_is_reached(void **state)
{
	static const int32_t winograd[] = { 1, 8, 8, 16, 16, 3, 1, 1 }, narrow[] = { 1, 8, 8, 16, 3, 3, 1, 1 };
	static const int32_t stride[] = { 1, 16, 16, 32, 64, 4, 2, 1 }, few[] = { 1, 16, 16, 32, 32, 4, 2, 1 };
	rig_case c = rig_conv_case(MMI_OP_CONV, winograd);
	(void)state;
	assert_int_equal(check_case(&c), 2); /* winograd, wide */
	c = rig_conv_case(MMI_OP_CONV, stride);
	assert_int_equal(check_case(&c), 2);
	c = rig_conv_case(MMI_OP_CONV, few);
	assert_int_equal(check_case(&c), 1); /* wide */
	c = rig_conv_case(MMI_OP_CONV, narrow);
	assert_int_equal(check_case(&c), 2); /* narrow, wide */
	c = rig_conv_case(MMI_OP_CONV_BWD_W, winograd);
	assert_int_equal(check_case(&c), 1);
	c = rig_conv_case(MMI_OP_CONV_BWD_W, narrow);
	assert_int_equal(check_case(&c), 0); /* float32's */
}

/* ------------------------------------------------------------------ properties */

static void check_samples_alone(const mmi_device *d, void *ctx)
{
	const rig_case *c = ctx;
	rig_case single = *c;
	rig all, one;
	single.n = 1;
	rig_make(&all, c, true);
	all.x.device = d;
	for (const mmi_kernel *const *k = ((const mmi_isa *)d->own)->kernels[c->op]; *k; k++) {
		if (!is_bf16(*k) || !(*k)->accepts(&all.x))
			continue;
		assert_true(rig_prepare(&all, *k));
		rig_run(&all, true);
		rig_make(&one, &single, true);
		one.x.device = d;
		assert_true(rig_prepare(&one, *k));
		for (size_t i = 0; i < (size_t)c->n; i++) {
			one.x.in[0] = all.in[0] + i * one.in_count[0];
			rig_run(&one, true);
			assert_memory_equal(one.out, all.out + i * one.out_count, one.out_count * sizeof(float));
		}
		rig_free(&one);
		rig_release(&all);
	}
	rig_free(&all);
}

/* Sample i of a batch has the same bits as in a batch of its own. */
static void samples_do_not_depend_on_their_batch(void **state)
{
	static const int32_t shapes[][8] = { { 5, 9, 9, 16, 32, 3, 1, 1 },
		                                 { 7, 7, 7, 12, 3, 3, 1, 1 },
		                                 { 6, 14, 14, 8, 24, 4, 2, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++) {
			rig_case c = rig_conv_case((mmi_opcode)op, shapes[i]);
			each_bf16_set(check_samples_alone, &c);
		}
}

static void weights_packed_once_follow_a_refresh(void **state)
{
	static const int32_t shapes[][8] = { { 1, 8, 8, 16, 16, 3, 1, 1 }, { 1, 8, 8, 16, 16, 4, 2, 1 } };
	const mmi_device d = mmi_cpu_device_bf16();
	(void)state;
	for (size_t k = 0; k < MMI_COUNT(shapes); k++) {
		rig_case c = rig_conv_case(MMI_OP_CONV, shapes[k]);
		rig r;
		rig_make(&r, &c, true);
		r.x.device = &d;
		assert_true(rig_prepare(&r, mmi_backend_cpu.select(&r.x)));
		memset(r.in[1], 0, r.in_count[1] * sizeof(float));
		mmi_packs_refresh(r.packs);
		rig_run(&r, true);
		for (size_t i = 0; i < r.out_count; i++)
			assert_true(r.out[i] == 0);
		rig_free(&r);
	}
}

static void float32_has_none_of_it(void **state)
{
	static const int32_t shape[] = { 1, 8, 8, 16, 16, 3, 1, 1 };
	const mmi_device d = mmi_cpu_device();
	rig_case c = rig_conv_case(MMI_OP_CONV, shape);
	rig r;
	(void)state;
	rig_make(&r, &c, true);
	r.x.device = &d;
	assert_false(is_bf16(mmi_backend_cpu.select(&r.x)));
	assert_false(mmi_cpu_device_emulates(&d));
	rig_free(&r);
}

static void a_lower_set_emulates(void **state)
{
	(void)state;
	setenv("MMCORE_ISA", "generic", 1);
	const mmi_device d = mmi_cpu_device_bf16();
	assert_true(mmi_cpu_device_emulates(&d));
	assert_string_equal(d.text, "generic, bfloat16 emulated");
	unsetenv("MMCORE_ISA");
}

static void conv_bwd_w_adds_the_gradient(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV_BWD_W);
}

/* What the guards look for is not made a number on its way. */
static void check_no_number(const mmi_device *d, void *ctx)
{
	rig r;
	rig_make(&r, ctx, true);
	r.x.device = d;
	r.in[0][0] = NAN;
	for (const mmi_kernel *const *k = ((const mmi_isa *)d->own)->kernels[r.c.op]; *k; k++) {
		if (!is_bf16(*k) || !(*k)->accepts(&r.x))
			continue;
		assert_true(rig_prepare(&r, *k));
		rig_run(&r, true);
		size_t found = 0;
		for (size_t i = 0; i < r.out_count; i++)
			found += isnan(r.out[i]) != 0;
		if (!found)
			fail_msg("%s, %s, activation %d: no NaN of an input is left", (*k)->name, d->text, r.c.act);
		rig_release(&r);
	}
	rig_free(&r);
}

static void what_is_no_number_stays_none(void **state)
{
	static const int32_t acts[] = { MM_ACT_NONE, MM_ACT_RELU, MM_ACT_LEAKY_RELU, MM_ACT_TANH };
	static const int32_t shape[] = { 2, 8, 8, 16, 32, 3, 1, 1 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(acts); i++) {
		rig_case c = rig_conv_case(MMI_OP_CONV, shape);
		c.bias = true;
		c.act = acts[i];
		each_bf16_set(check_no_number, &c);
	}
}

/* ------------------------------------------------------------------ oneDNN, which stands before our own */

static const mmi_isa *set_called(const char *name)
{
	const mmi_isa *isa = mmi_isas_bf16;
	while (isa->name && strcmp(isa->name, name))
		isa++;
	return isa->name ? isa : NULL;
}

static const mmi_isa *taken(const char *wanted)
{
	setenv("MMCORE_ISA", wanted, 1);
	const mmi_isa *isa = mmi_isa_get_bf16();
	unsetenv("MMCORE_ISA");
	return isa;
}

/* Skips the rest where this build has no module, or this processor nothing for it. */
static void needs_onednn(void)
{
#if !HAVE_DNNL
	print_message("skipped: configure found no oneDNN\n");
	skip();
#endif
	const mmi_isa *own = set_called("avx512bf16");
	if (!own || !own->supported()) {
		print_message("skipped: no AVX512-BF16 here\n");
		skip();
	}
}

static void onednn_is_taken_on_request(void **state)
{
	static const int32_t conv[] = { 2, 8, 8, 32, 32, 3, 1, 1 };
	static const mmi_opcode ops[] = { MMI_OP_CONV, MMI_OP_CONV_BWD_X, MMI_OP_CONV_BWD_W };
	static const mmi_opcode linear[] = { MMI_OP_LINEAR, MMI_OP_LINEAR_BWD_X, MMI_OP_LINEAR_BWD_W };
	(void)state;
	needs_onednn();
	assert_string_equal(taken("onednn")->name, "onednn");
	for (size_t i = 0; i < MMI_COUNT(ops); i++) {
		rig_case c = rig_conv_case(ops[i], conv);
		int of_onednn;
		check_case_of(&c, &of_onednn);
		assert_int_equal(of_onednn, 1);
		c = (rig_case){ .op = linear[i], .n = 16, .h = 1, .w = 1, .ci = 64, .co = 32, .k = 1, .s = 1 };
		check_case_of(&c, &of_onednn);
		assert_int_equal(of_onednn, 1);
	}
}

/* Version and instruction set are in the text that checkpoints have. */
static void onednn_is_named(void **state)
{
	(void)state;
	needs_onednn();
	setenv("MMCORE_ISA", "onednn", 1);
	const mmi_device d = mmi_cpu_device_bf16();
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_isa_wants_onednn(&e), MM_OK);
	unsetenv("MMCORE_ISA");
	int version[3];
	assert_int_equal(sscanf(d.text, "oneDNN %d.%d.%d (", &version[0], &version[1], &version[2]), 3);
	assert_false(mmi_cpu_device_emulates(&d));
}

static bool yes(void)
{
	return true;
}

static bool no(void)
{
	return false;
}

static void sets_are_chosen_in_the_order_of_their_table(void **state)
{
	const mmi_isa with[] = { { .name = "a", .supported = yes },
		                     { .name = "b", .supported = yes },
		                     { .name = "c", .supported = no, .on_request = yes },
		                     { .name = "d", .supported = no, .on_request = no },
		                     { 0 } };
	(void)state;
	assert_string_equal(mmi_isa_best(with, NULL)->name, "b");
	assert_string_equal(mmi_isa_best(with, "a")->name, "a");
	assert_string_equal(mmi_isa_best(with, "c")->name, "c");
	assert_string_equal(mmi_isa_best(with, "d")->name, "b");
	assert_string_equal(mmi_isa_best(with, "nonsense")->name, "b");
	/* As with AMX: the last is the best. */
	const mmi_isa amx[] = { { .name = "a", .supported = yes },
		                    { .name = "c", .supported = yes, .on_request = yes },
		                    { 0 } };
	assert_string_equal(mmi_isa_best(amx, NULL)->name, "c");
	assert_string_equal(mmi_isa_best(amx, "a")->name, "a");
}

/* Our own kernels are taken then, and why is told. */
static void check_without(const char *folder, const char *message)
{
	char before[1024];
	mm_error e = MM_ERROR_INIT;
	const char *modules = getenv("MMCORE_BACKENDS");
	snprintf(before, sizeof before, "%s", modules ? modules : "");
	setenv("MMCORE_BACKENDS", folder, 1);
	setenv("MMCORE_ISA", "onednn", 1);
	const mmi_isa *isa = mmi_isa_get_bf16();
	const mm_status status = mmi_isa_wants_onednn(&e);
	setenv("MMCORE_ISA", "avx512bf16", 1);
	mm_error none = MM_ERROR_INIT;
	const mm_status lowered = mmi_isa_wants_onednn(&none);
	unsetenv("MMCORE_ISA");
	setenv("MMCORE_BACKENDS", before, 1);
	assert_string_equal(isa->name, "avx512bf16");
	assert_int_equal(status, MM_EUNSUPPORTED);
	if (!strstr(e.message, message))
		fail_msg("\"%s\" has no \"%s\"", e.message, message);
	assert_int_equal(lowered, MM_OK);
}

static void without_its_module_our_own_are_taken(void **state)
{
	char folder[] = "/tmp/mmcore-test-XXXXXX", path[64];
	const mmi_isa *own = set_called("avx512bf16");
	(void)state;
	if (!own || !own->supported()) {
		print_message("skipped: no AVX512-BF16 here\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	check_without(folder, "MMCORE_ISA=onednn, but there is no backend-onednn.so in /tmp/mmcore-test-");
	snprintf(path, sizeof path, "%s/backend-onednn.so", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("no library", f);
	fclose(f);
	check_without(folder, path);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_rounded_to_the_nearest),
		cmocka_unit_test(conv_is_near_double),
		cmocka_unit_test(conv_bwd_x_is_near_double),
		cmocka_unit_test(conv_bwd_w_adds_the_gradient),
		cmocka_unit_test(maps_of_every_size_are_near_double),
		cmocka_unit_test(random_convolutions_are_near_double),
		cmocka_unit_test(lines_are_near_double),
		cmocka_unit_test(linear_layers_are_near_double),
		cmocka_unit_test(bias_activation_and_mask_are_fused),
		cmocka_unit_test(every_approach_is_reached),
		cmocka_unit_test(samples_do_not_depend_on_their_batch),
		cmocka_unit_test(weights_packed_once_follow_a_refresh),
		cmocka_unit_test(float32_has_none_of_it),
		cmocka_unit_test(a_lower_set_emulates),
		cmocka_unit_test(what_is_no_number_stays_none),
		cmocka_unit_test(onednn_is_taken_on_request),
		cmocka_unit_test(onednn_is_named),
		cmocka_unit_test(sets_are_chosen_in_the_order_of_their_table),
		cmocka_unit_test(without_its_module_our_own_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
