/* test_conv.c - the linear, convolution and pooling kernels of the CPU backend against plain loops in double, for every
 * kernel that accepts a case and every instruction set this processor has. */
#include "mmi_build.h"

#include "../rig/conv_reference.h"
#include "../rig/kernel_rig.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/isa.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ------------------------------------------------------------------ comparing */

static void compare(const rig *r, const conv_reference *ref, double scale)
{
	const bool winograd = strncmp(r->kernel->name, "winograd", 8) == 0;
	char text[128];
	for (size_t i = 0; i < r->out_count; i++) {
		const double want = scale * ref->sum[i], error = fabs((double)r->out[i] - want);
		const double allowed = winograd ? 1.2e-5 * ref->largest : 1e-6 * ref->size[i];
		if (!(error <= scale * (allowed + 3e-7 * fabs(ref->sum[i]) + 1e-7)))
			fail_msg("%s, %s, %s: element %zu is %.9g, expected %.9g", rig_text(&r->c, text, sizeof text),
			         r->kernel->name, mmi_isa_get()->name, i, (double)r->out[i], want);
	}
}

/* Prepares, runs twice and compares; weights' gradients must double, the rest must repeat bit for bit. */
static void check_kernel(const rig_case *c, const mmi_kernel *k, const conv_reference *ref, bool with_packs)
{
	rig r;
	rig_make(&r, c, with_packs);
	assert_true(rig_prepare(&r, k));
	rig_run(&r, true);
	compare(&r, ref, 1);
	float *first = mmi_alloc(r.out_count, sizeof(float));
	assert_non_null(first);
	memcpy(first, r.out, r.out_count * sizeof(float));
	if (!r.node.batched) {
		rig_run(&r, false);
		compare(&r, ref, 2);
	}
	rig_run(&r, true);
	assert_memory_equal(first, r.out, r.out_count * sizeof(float));
	mmi_free(first);
	rig_free(&r);
}

/* Every kernel that accepts the case, in every instruction set; returns how many were tried in the last one, the best.
 */
static int check_case(const rig_case *c)
{
	int tried = 0;
	rig r;
	rig_make(&r, c, false);
	conv_reference ref = conv_reference_make(&r);
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		if (mmi_isa_get() != isa)
			continue;
		tried = 0;
		for (const mmi_kernel *const *k = mmi_cpu_kernels(c->op); *k; k++)
			if (!(*k)->accepts || (*k)->accepts(&r.x)) {
				check_kernel(c, *k, &ref, tried % 2 == 0);
				tried++;
			}
		assert_true(tried > 0);
	}
	unsetenv("MMCORE_ISA");
	conv_reference_free(&ref);
	rig_free(&r);
	return tried;
}

/* ------------------------------------------------------------------ convolutions */

static void check_conv_shapes(mmi_opcode op)
{
	for (size_t i = 0; i < RIG_CONV_SHAPES; i++) {
		rig_case c = rig_conv_case(op, rig_conv_shapes[i]);
		check_case(&c);
	}
}

static void conv_matches_double(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV);
}

static void conv_bwd_x_matches_double(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV_BWD_X);
}

static void conv_bwd_w_adds_the_gradient(void **state)
{
	(void)state;
	check_conv_shapes(MMI_OP_CONV_BWD_W);
}

/* Along sequences, and rows of pictures: 1 x k. */
static void kernels_of_one_row_match_double(void **state)
{
	static const int32_t shapes[][8] = {
		{ 3, 1, 64, 32, 32, 3, 1, 1 },  { 2, 1, 61, 33, 40, 3, 1, 1 }, { 3, 1, 18, 160, 32, 3, 1, 0 },
		{ 2, 1, 7, 32, 32, 3, 1, 2 },   { 3, 1, 64, 32, 32, 4, 2, 1 }, { 2, 1, 63, 40, 33, 4, 2, 1 },
		{ 2, 5, 18, 32, 48, 3, 1, 1 },  { 2, 3, 18, 32, 33, 4, 2, 1 }, { 2, 1, 33, 32, 40, 4, 2, 2 },
		{ 17, 1, 8, 144, 32, 4, 2, 0 }, { 2, 1, 30, 5, 3, 5, 1, 2 },   { 3, 1, 32, 3, 16, 7, 2, 3 },
		{ 3, 1, 64, 16, 32, 3, 1, 1 },  { 2, 1, 61, 16, 40, 5, 1, 2 }, { 2, 1, 64, 33, 17, 5, 2, 2 },
		{ 2, 1, 63, 20, 16, 6, 2, 2 },  { 1, 1, 40, 16, 16, 2, 1, 0 }, { 2, 3, 50, 16, 18, 3, 2, 1 },
		{ 2, 1, 70, 16, 16, 8, 2, 3 },  { 2, 2, 64, 80, 16, 4, 1, 1 }, { 5, 1, 60, 70, 33, 7, 2, 3 },
		{ 8, 1, 64, 32, 40, 3, 1, 1 },  { 9, 2, 63, 17, 33, 5, 1, 2 }, { 12, 1, 64, 70, 16, 4, 2, 1 },
		{ 12, 1, 61, 16, 16, 7, 2, 3 },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_W; op++) {
			rig_case c = rig_conv_case((mmi_opcode)op, shapes[i]);
			c.line = true;
			check_case(&c);
		}
}

static void big_convolutions_match_double(void **state)
{
	static const int32_t shapes[][8] = { { 2, 28, 28, 32, 64, 3, 1, 1 }, { 1, 28, 28, 64, 32, 4, 2, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_W; op++) {
			rig_case c = rig_conv_case((mmi_opcode)op, shapes[i]);
			check_case(&c);
		}
}

static void check_cases(mmi_opcode op, const int32_t shapes[][8], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rig_case c = rig_conv_case(op, shapes[i]);
		check_case(&c);
	}
}

/* Winograd's tiles are of two neighbouring sizes either way, up to 7: all the ways in which they fill a map. Gradients
 * to weights want many of them. */
static void check_maps_of_every_size(mmi_opcode op)
{
	for (int32_t i = 0; i < 81; i++) {
		const int32_t h = 5 + i / 9, w = 5 + i % 9, n = op != MMI_OP_CONV_BWD_W ? 2 : h * w < 64 ? 36 : 12;
		const int32_t shapes[][8] = { { n, h, w, 16, 17, 3, 1, 1 }, { n, 2 * h - i % 2, 2 * w, 16, 17, 4, 2, 1 } };
		check_cases(op, shapes, MMI_COUNT(shapes));
	}
}

/* And many blocks of tiles; weights so many that tiles are small along one axis or both. */
static void maps_of_every_size_match_double(void **state)
{
	static const int32_t blocks[][8] = { { 40, 7, 7, 130, 33, 3, 1, 1 },  { 20, 14, 14, 40, 18, 4, 2, 1 },
		                                 { 1, 14, 7, 160, 192, 3, 1, 1 }, { 1, 14, 14, 128, 64, 4, 2, 1 },
		                                 { 4, 16, 22, 20, 33, 3, 1, 1 },  { 2, 32, 45, 33, 16, 4, 2, 1 },
		                                 { 1, 7, 14, 256, 224, 3, 1, 1 } };
	static const int32_t thin[][8] = { { 2, 1, 8, 16, 16, 4, 2, 2 },
		                               { 2, 8, 1, 16, 16, 4, 2, 2 },
		                               { 1, 1, 8, 16, 16, 4, 2, 3 },
		                               { 2, 1, 1, 16, 16, 3, 1, 1 } };
	(void)state;
	for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_W; op++) {
		check_maps_of_every_size((mmi_opcode)op);
		check_cases((mmi_opcode)op, blocks, MMI_COUNT(blocks));
		check_cases((mmi_opcode)op, thin, MMI_COUNT(thin));
	}
}

/* One shape for each kernel (wide, winograd, narrow), with all that can be fused. */
static void bias_activation_and_mask_are_fused(void **state)
{
	static const int32_t shapes[][8] = { { 2, 7, 6, 5, 21, 4, 2, 1 },
		                                 { 2, 6, 8, 16, 24, 3, 1, 1 },
		                                 { 3, 5, 7, 24, 3, 3, 1, 1 },
		                                 { 3, 5, 7, 2, 24, 3, 1, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int32_t act = MM_ACT_NONE; act <= MM_ACT_EXP; act++)
			for (int back = 0; back < 2; back++) {
				rig_case c = rig_conv_case(back ? MMI_OP_CONV_BWD_X : MMI_OP_CONV, shapes[i]);
				c.bias = true;
				c.act = act;
				check_case(&c);
				c.bias = false;
				c.act = MM_ACT_NONE;
				c.mask_act = act;
				check_case(&c);
			}
}

static void lines_fuse_the_same(void **state)
{
	static const int32_t shape[] = { 2, 1, 30, 32, 37, 3, 1, 1 };
	(void)state;
	for (int back = 0; back < 2; back++) {
		rig_case c = rig_conv_case(back ? MMI_OP_CONV_BWD_X : MMI_OP_CONV, shape);
		c.line = c.bias = true;
		c.act = MM_ACT_TANH;
		c.mask_act = MM_ACT_RELU;
		check_case(&c);
	}
}

static void activation_comes_before_mask(void **state)
{
	static const int32_t shape[] = { 2, 6, 6, 16, 16, 3, 1, 1 };
	rig_case c = rig_conv_case(MMI_OP_CONV, shape);
	(void)state;
	c.bias = true;
	c.act = MM_ACT_TANH;
	c.mask_act = MM_ACT_LEAKY_RELU;
	check_case(&c);
}

static void every_approach_is_reached(void **state)
{
	static const int32_t winograd[] = { 1, 8, 8, 16, 16, 3, 1, 1 }, narrow[] = { 1, 8, 8, 16, 3, 3, 1, 1 };
	static const int32_t many[][8] = { { 16, 5, 5, 16, 16, 3, 1, 1 }, { 40, 10, 10, 16, 16, 4, 2, 1 } };
	rig_case c = rig_conv_case(MMI_OP_CONV, winograd);
	(void)state;
	assert_int_equal(check_case(&c), 2); /* winograd, wide */
	c = rig_conv_case(MMI_OP_CONV, narrow);
	assert_int_equal(check_case(&c), 2); /* narrow, wide */
	c = rig_conv_case(MMI_OP_CONV_BWD_W, narrow);
	assert_int_equal(check_case(&c), 2);
	for (size_t i = 0; i < MMI_COUNT(many); i++) {
		c = rig_conv_case(MMI_OP_CONV_BWD_W, many[i]);
		assert_int_equal(check_case(&c), 2); /* winograd, wide */
	}
	for (int32_t k = 3; k <= (mmi_isa_get()->simd->width == 16 ? 4 : 3); k++)
		for (int back = 0; back < 2; back++) {
			const int32_t line[] = { 1, 1, 32, 32, 32, k, k - 2, 1 };
			c = rig_conv_case(back ? MMI_OP_CONV_BWD_X : MMI_OP_CONV, line);
			c.line = true;
			assert_int_equal(check_case(&c), 2); /* line, wide */
		}
	const int32_t line[] = { 8, 1, 64, 16, 16, 3, 1, 1 };
	c = rig_conv_case(MMI_OP_CONV_BWD_W, line);
	c.line = true;
	assert_int_equal(check_case(&c), 2); /* line, wide */
}

/* ------------------------------------------------------------------ linear layers */

static void check_linear(mmi_opcode op)
{
	static const int32_t sizes[][3] = { { 1, 1, 1 },    { 3, 5, 7 },    { 16, 32, 200 }, { 33, 200, 32 },
		                                { 16, 65, 33 }, { 7, 48, 3 },   { 5, 50, 4 },    { 64, 64, 1 },
		                                { 3, 2, 50 },   { 1, 300, 64 }, { 100, 16, 16 } };
	for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
		rig_case c = {
			.op = op, .n = sizes[i][0], .h = 1, .w = 1, .ci = sizes[i][1], .co = sizes[i][2], .k = 1, .s = 1
		};
		check_case(&c);
		if (op == MMI_OP_LINEAR_BWD_W)
			continue;
		c.bias = op == MMI_OP_LINEAR;
		c.act = MM_ACT_LEAKY_RELU;
		c.mask_act = MM_ACT_RELU;
		check_case(&c);
	}
}

static void linear_matches_double(void **state)
{
	(void)state;
	check_linear(MMI_OP_LINEAR);
}

static void linear_bwd_x_matches_double(void **state)
{
	(void)state;
	check_linear(MMI_OP_LINEAR_BWD_X);
}

static void linear_bwd_w_adds_the_gradient(void **state)
{
	(void)state;
	check_linear(MMI_OP_LINEAR_BWD_W);
}

/* ------------------------------------------------------------------ pooling, bias */

/* A pooling [h, w, c] -> [oh, ow, c], or an upsampling by k the other way round (oh, ow its source). */
typedef struct pool_case {
	int32_t h, w, c, k, s, p, count_pad;
} pool_case;

static double window_weight(const pool_case *c, int oy, int ox, bool average)
{
	int inside = 0;
	for (int k = 0; k < c->k * c->k; k++) {
		const int y = oy * c->s - c->p + k / c->k, x = ox * c->s - c->p + k % c->k;
		inside += y >= 0 && y < c->h && x >= 0 && x < c->w;
	}
	return !average ? 1 : 1.0 / (c->count_pad ? c->k * c->k : inside);
}

static void pool_reference(const pool_case *c, int oh, int ow, bool average, bool down, const float *in, double *out)
{
	for (int oy = 0; oy < oh; oy++)
		for (int ox = 0; ox < ow; ox++)
			for (int k = 0; k < c->k * c->k; k++) {
				const int y = oy * c->s - c->p + k / c->k, x = ox * c->s - c->p + k % c->k;
				const double weight = window_weight(c, oy, ox, average);
				for (int i = 0; i < c->c && y >= 0 && y < c->h && x >= 0 && x < c->w; i++) {
					const int large = (y * c->w + x) * c->c + i, small = (oy * ow + ox) * c->c + i;
					out[down ? small : large] += weight * (double)in[down ? large : small];
				}
			}
}

static void check_pool_run(mmi_exec *x, const double *want, size_t out_count)
{
	const mmi_kernel *k = mmi_cpu_kernels(x->node->op)[0];
	const size_t n = (size_t)x->n;
	mm_error e = MM_ERROR_INIT;
	if (k->prepare)
		assert_int_equal(k->prepare(x, &e), MM_OK);
	k->run(x);
	for (size_t i = 0; i < n * out_count; i++)
		assert_true(fabs((double)((float *)x->out)[i] - want[i]) <= 1e-6 * (1 + fabs(want[i])));
	if (k->release)
		k->release(x);
}

static void check_pool(const pool_case *c, mmi_opcode op)
{
	enum { N = 2 };
	const bool average = op == MMI_OP_AVG_POOL || op == MMI_OP_AVG_POOL_BWD;
	const bool down = op == MMI_OP_AVG_POOL || op == MMI_OP_UPSAMPLE_BWD;
	const int oh = (c->h + 2 * c->p - c->k) / c->s + 1, ow = (c->w + 2 * c->p - c->k) / c->s + 1;
	const mm_shape large = mmi_shape(3, c->h, c->w, c->c), small = mmi_shape(3, oh, ow, c->c);
	const size_t in_count = (size_t)mmi_shape_count(down ? &large : &small);
	const size_t out_count = (size_t)mmi_shape_count(down ? &small : &large);
	mmi_node in_node = { .op = MMI_OP_INPUT, .shape = down ? large : small, .batched = true };
	mmi_node node = {
		.op = op,
		.n_in = 1,
		.shape = down ? small : large,
		.batched = true,
		.attr = { .kh = c->k, .kw = c->k, .sh = c->s, .sw = c->s, .ph = c->p, .pw = c->p, .flag = c->count_pad }
	};
	float *in = mmi_alloc(N * in_count, sizeof *in), *out = mmi_alloc(N * out_count, sizeof *out);
	double *want = mmi_alloc(N * out_count, sizeof *want);
	for (size_t i = 0; i < N * in_count; i++)
		in[i] = (float)((i * 37 + 11) % 101) / 50 - 1;
	for (size_t i = 0; i < N; i++)
		pool_reference(c, oh, ow, average, down, in + i * in_count, want + i * out_count);
	mmi_exec x = { .node = &node, .n = N, .n_in = 1, .in_node = { &in_node }, .in = { in }, .out = out };
	check_pool_run(&x, want, out_count);
	x.act = MM_ACT_RELU;
	for (size_t i = 0; i < N * out_count; i++)
		want[i] = want[i] > 0 ? want[i] : 0;
	check_pool_run(&x, want, out_count);
	mmi_free(in);
	mmi_free(out);
	mmi_free(want);
}

static void check_pools(mmi_opcode op, const pool_case *cases, size_t n)
{
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		for (size_t i = 0; i < n; i++)
			check_pool(&cases[i], op);
	}
	unsetenv("MMCORE_ISA");
}

static void pooling_matches_double(void **state)
{
	static const pool_case cases[] = { { 4, 6, 16, 2, 2, 0, 0 }, { 7, 7, 5, 2, 2, 0, 1 },  { 7, 5, 35, 3, 2, 1, 0 },
		                               { 7, 5, 35, 3, 2, 1, 1 }, { 5, 5, 64, 3, 1, 1, 0 }, { 7, 7, 3, 7, 7, 0, 0 } };
	(void)state;
	check_pools(MMI_OP_AVG_POOL, cases, MMI_COUNT(cases));
	check_pools(MMI_OP_AVG_POOL_BWD, cases, MMI_COUNT(cases));
}

static void upsampling_matches_double(void **state)
{
	static const pool_case cases[] = { { 4, 6, 16, 2, 2, 0, 0 }, { 9, 3, 5, 3, 3, 0, 0 }, { 5, 5, 35, 1, 1, 0, 0 } };
	(void)state;
	check_pools(MMI_OP_UPSAMPLE, cases, MMI_COUNT(cases));
	check_pools(MMI_OP_UPSAMPLE_BWD, cases, MMI_COUNT(cases));
}

static void check_bias_gradient(int32_t pixels, int32_t channels)
{
	enum { N = 3 };
	mmi_node in_node = { .op = MMI_OP_INPUT, .shape = mmi_shape(2, pixels, channels), .batched = true };
	mmi_node node = { .op = MMI_OP_BIAS_BWD, .n_in = 1, .shape = mmi_shape(1, channels) };
	const int32_t rows = N * pixels;
	float *dy = mmi_alloc((size_t)(rows * channels), sizeof *dy), *out = mmi_alloc((size_t)channels, sizeof *out);
	double *want = mmi_alloc((size_t)channels, sizeof *want);
	for (int32_t i = 0; i < rows * channels; i++) {
		dy[i] = (float)((i * 31 + 7) % 97) / 48 - 1;
		want[i % channels] += (double)dy[i];
	}
	for (int32_t i = 0; i < channels; i++)
		want[i] += out[i] = (float)i;
	mmi_exec x = { .node = &node, .n = N, .n_in = 1, .in_node = { &in_node }, .in = { dy }, .out = out };
	const mmi_kernel *k = mmi_cpu_kernels(MMI_OP_BIAS_BWD)[0];
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(k->prepare(&x, &e), MM_OK);
	x.scratch = mmi_alloc(x.scratch_bytes, 1);
	k->run(&x);
	for (int32_t i = 0; i < channels; i++)
		assert_true(fabs((double)out[i] - want[i]) <= 2e-5);
	mmi_free(x.scratch);
	mmi_free(dy);
	mmi_free(out);
	mmi_free(want);
}

static void bias_gradient_adds_column_sums(void **state)
{
	(void)state;
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		check_bias_gradient(1, 1);
		check_bias_gradient(300, 3);
		check_bias_gradient(49, 64);
		check_bias_gradient(200, 21);
	}
	unsetenv("MMCORE_ISA");
}

/* ------------------------------------------------------------------ properties */

/* Sample i of a batch has the same bits as in a batch of its own: results do not depend on how batches are cut. */
static void check_samples_alone(const rig_case *c)
{
	rig all, one;
	rig_case single = *c;
	single.n = 1;
	rig_make(&all, c, true);
	for (const mmi_kernel *const *k = mmi_cpu_kernels(c->op); *k; k++) {
		if ((*k)->accepts && !(*k)->accepts(&all.x))
			continue;
		assert_true(rig_prepare(&all, *k));
		rig_run(&all, true);
		rig_make(&one, &single, true);
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

static void samples_do_not_depend_on_their_batch(void **state)
{
	static const int32_t shapes[][8] = { { 5, 9, 9, 16, 32, 3, 1, 1 },
		                                 { 7, 7, 7, 12, 3, 3, 1, 1 },
		                                 { 6, 14, 14, 8, 24, 4, 2, 1 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++)
		for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++) {
			rig_case c = rig_conv_case((mmi_opcode)op, shapes[i]);
			check_samples_alone(&c);
		}
	for (int32_t k = 3; k <= 4; k++)
		for (int op = MMI_OP_CONV; op <= MMI_OP_CONV_BWD_X; op++) {
			const int32_t line[] = { 7, 1, 34, 32, 40, k, k - 2, 1 };
			rig_case c = rig_conv_case((mmi_opcode)op, line);
			c.line = true;
			check_samples_alone(&c);
		}
	rig_case c = { .op = MMI_OP_LINEAR, .n = 9, .h = 1, .w = 1, .ci = 70, .co = 40, .k = 1, .s = 1 };
	check_samples_alone(&c);
}

/* A value that is not finite reaches only the pixels whose patch holds it. */
static void zero_padding_does_not_spread_infinities(void **state)
{
	static const int32_t shape[] = { 2, 6, 6, 16, 8, 3, 1, 1 };
	rig_case c = rig_conv_case(MMI_OP_CONV, shape);
	rig r;
	(void)state;
	rig_make(&r, &c, true);
	r.in[0][0] = INFINITY;
	assert_true(rig_prepare(&r, &mmi_kernel_patch_wide));
	rig_run(&r, true);
	for (size_t i = 0; i < r.out_count; i++) {
		const size_t pixel = i / 8, y = pixel / 6, x = pixel % 6;
		assert_int_equal(isfinite(r.out[i]) != 0, !(y < 2 && x < 2));
	}
	rig_free(&r);
}

static void weights_packed_once_follow_a_refresh(void **state)
{
	static const int32_t shape[] = { 1, 8, 8, 16, 16, 3, 1, 1 };
	rig_case c = rig_conv_case(MMI_OP_CONV, shape);
	rig r;
	(void)state;
	rig_make(&r, &c, true);
	assert_true(rig_prepare(&r, mmi_backend_cpu.select(&r.x)));
	memset(r.in[1], 0, r.in_count[1] * sizeof(float));
	mmi_packs_refresh(r.packs);
	rig_run(&r, true);
	for (size_t i = 0; i < r.out_count; i++)
		assert_true(r.out[i] == 0);
	rig_free(&r);
}

/* Its product comes before all others but Winograd's 3x3, its gradient first; and in no other set. */
static void openblas_is_taken_on_request(void **state)
{
	static const int32_t wide[] = { 2, 8, 8, 16, 16, 4, 2, 1 }, winograd[] = { 2, 8, 8, 16, 16, 3, 1, 1 };
	(void)state;
	if (!mmi_isas[0].blas)
		skip();
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		rig_case c = rig_conv_case(MMI_OP_CONV, wide);
		rig r;
		setenv("MMCORE_ISA", isa->name, 1);
		rig_make(&r, &c, false);
		assert_int_equal(strcmp(mmi_backend_cpu.select(&r.x)->name, "product/blas") == 0, isa->blas != NULL);
		rig_free(&r);
		c = rig_conv_case(MMI_OP_CONV, winograd);
		rig_make(&r, &c, false);
		assert_string_not_equal(mmi_backend_cpu.select(&r.x)->name, "product/blas");
		rig_free(&r);
		c = rig_conv_case(MMI_OP_CONV_BWD_W, winograd);
		rig_make(&r, &c, false);
		assert_int_equal(strcmp(mmi_backend_cpu.select(&r.x)->name, "gradient/blas") == 0, isa->blas != NULL);
		rig_free(&r);
	}
	unsetenv("MMCORE_ISA");
}

static void environment_lowers_the_instruction_set(void **state)
{
	(void)state;
	unsetenv("MMCORE_ISA");
	const mmi_isa *best = mmi_isa_get();
	setenv("MMCORE_ISA", "generic", 1);
	assert_string_equal(mmi_isa_get()->name, "generic");
	setenv("MMCORE_ISA", "avx512", 1);
	assert_ptr_equal(mmi_isa_get(), best);
	setenv("MMCORE_ISA", "nonsense", 1);
	assert_ptr_equal(mmi_isa_get(), best);
	unsetenv("MMCORE_ISA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_matches_double),
		cmocka_unit_test(conv_bwd_x_matches_double),
		cmocka_unit_test(conv_bwd_w_adds_the_gradient),
		cmocka_unit_test(kernels_of_one_row_match_double),
		cmocka_unit_test(big_convolutions_match_double),
		cmocka_unit_test(maps_of_every_size_match_double),
		cmocka_unit_test(bias_activation_and_mask_are_fused),
		cmocka_unit_test(lines_fuse_the_same),
		cmocka_unit_test(activation_comes_before_mask),
		cmocka_unit_test(every_approach_is_reached),
		cmocka_unit_test(linear_matches_double),
		cmocka_unit_test(linear_bwd_x_matches_double),
		cmocka_unit_test(linear_bwd_w_adds_the_gradient),
		cmocka_unit_test(pooling_matches_double),
		cmocka_unit_test(upsampling_matches_double),
		cmocka_unit_test(bias_gradient_adds_column_sums),
		cmocka_unit_test(samples_do_not_depend_on_their_batch),
		cmocka_unit_test(zero_padding_does_not_spread_infinities),
		cmocka_unit_test(weights_packed_once_follow_a_refresh),
		cmocka_unit_test(openblas_is_taken_on_request),
		cmocka_unit_test(environment_lowers_the_instruction_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
