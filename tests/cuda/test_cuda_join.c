/* test_cuda_join.c - calls that are joined yield what single ones do, and what they save is counted. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../rig/random_graphs.h"
#include "cuda_rig.h"
#include "emu.h"
#include "engine/op.h"
#include "engine/plan.h"
#include "engine/program.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

/* ------------------------------------------------------------ a graph and what is wanted of it */

enum { MOST = 96 };

typedef struct net {
	mmi_graph *g;
	mmi_params *store;
	mm_tensor in[4], wanted[MOST];
	uint32_t n_in, n_wanted;
} net;

static void open_net(net *t, const mmi_device *d)
{
	mm_error e = MM_ERROR_INIT;
	*t = (net){ .g = NULL };
	must(mmi_graph_create(&t->g, &e), &e);
	must(mmi_params_create(d, "t", &t->store, &e), &e);
	mmi_graph_scope(t->g, t->store, "t");
}

static void close_net(net *t)
{
	mmi_graph_destroy(t->g);
	mmi_params_destroy(t->store);
}

static mm_tensor input(net *t, const char *name, mm_shape shape)
{
	return t->in[t->n_in++] = mmi_input(t->g, name, shape);
}

static void want(net *t, mm_tensor x)
{
	assert_true(t->n_wanted < MOST);
	t->wanted[t->n_wanted++] = x;
}

/* The gradients of the loss to all inputs and, with_params, to all parameters are wanted, too. */
static void differentiate(net *t, mm_tensor loss, bool with_params)
{
	mm_error e = MM_ERROR_INIT;
	mm_tensor grads[4];
	mmi_grad_request q = { .loss = loss,
		                   .seed = mmi_const(t->g, mmi_shape(0), 0.5f),
		                   .wrt = t->in,
		                   .n_wrt = t->n_in,
		                   .grads = grads,
		                   .stores = &t->store,
		                   .n_stores = with_params };
	want(t, loss);
	must(mmi_graph_check(t->g, &e), &e);
	must(mmi_graph_grad(t->g, &q, &e), &e);
	for (uint32_t i = 0; i < t->n_in; i++)
		if (grads[i] != MMI_NONE)
			want(t, grads[i]);
	for (uint32_t i = 0; i < q.n_param_grads; i++)
		want(t, q.param_grads[i]);
	mmi_free(q.param_grads);
}

static mmi_program_spec spec_of(const net *t, const mmi_device *d, int64_t n, bool joined)
{
	return (mmi_program_spec){
		.graph = t->g, .device = d, .n = n, .outputs = t->wanted, .n_outputs = t->n_wanted, .no_fusion = !joined
	};
}

static mmi_plan *plan_of(const net *t, const mmi_device *d, bool joined)
{
	mm_error e = MM_ERROR_INIT;
	mmi_plan *p = NULL;
	const mmi_program_spec spec = spec_of(t, d, 3, joined);
	must(mmi_plan_create(&spec, &p, &e), &e);
	return p;
}

/* ------------------------------------------------------------ running it */

/* All wanted values and gradients, one behind the other. */
typedef struct numbers {
	float *at;
	size_t n;
	mmi_program_stats stats;
} numbers;

static void write_inputs(mmi_program *p, const net *t, int64_t n, uint64_t seed)
{
	for (uint32_t i = 0; i < t->n_in; i++) {
		const int64_t count = n * mmi_shape_count(&mmi_graph_node(t->g, t->in[i])->shape);
		float *values = mmi_alloc((size_t)count, sizeof *values);
		assert_non_null(values);
		for (int64_t k = 0; k < count; k++) {
			uint32_t w[4];
			mmi_philox(seed + i, (const uint32_t[4]){ (uint32_t)k, 0, 0, 0 }, w);
			/* In quarters, some of them 0: activations are at their kinks, too. */
			values[k] = w[1] % 3 ? (float)(w[0] >> 8) * 0x1p-23f - 1 : (float)(w[0] % 9) * 0.25f - 1;
		}
		mmi_program_write(p, t->in[i], n, values);
		mmi_free(values);
	}
}

static void collect(const net *t, const mmi_program *p, int64_t n, mmi_floats grads, numbers *out)
{
	const mmi_device *d = mmi_program_device(p);
	size_t total = t->store->count;
	for (uint32_t i = 0; i < t->n_wanted; i++)
		total += (size_t)(n * mmi_shape_count(&mmi_graph_node(t->g, t->wanted[i])->shape));
	out->at = mmi_alloc(total + 1, sizeof *out->at);
	assert_non_null(out->at);
	out->n = 0;
	for (uint32_t i = 0; i < t->n_wanted; i++) {
		const mmi_node *node = mmi_graph_node(t->g, t->wanted[i]);
		if (mmi_ops[node->op]->param_grad)
			continue;
		mmi_program_read(p, t->wanted[i], n, out->at + out->n);
		out->n += (size_t)(n * mmi_shape_count(&node->shape));
	}
	d->ops->download(d, out->at + out->n, grads.at, t->store->count * sizeof(float));
	out->n += t->store->count;
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
}

/* The last of three runs, which is a replay. */
static numbers run_net(const net *t, const mmi_device *d, int64_t n, bool joined)
{
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	numbers out;
	const mmi_program_spec spec = spec_of(t, d, n, joined);
	must(mmi_program_create(&spec, &p, &e), &e);
	mmi_floats grads = mmi_floats_alloc(d, t->store->count + 1);
	mmi_program_bind_grads(p, t->store, grads);
	for (uint64_t run = 0; run < 3; run++) {
		write_inputs(p, t, n, 100 * run);
		mmi_floats_zero(d, grads, t->store->count);
		mmi_program_run(p);
	}
	collect(t, p, n, grads, &out);
	out.stats = mmi_program_info(p);
	mmi_program_destroy(p);
	mmi_floats_release(d, &grads);
	return out;
}

static double norm(const numbers *x, const numbers *less)
{
	double sum = 0;
	for (size_t i = 0; i < x->n; i++)
		sum += pow((double)x->at[i] - (less ? (double)less->at[i] : 0), 2);
	return sqrt(sum);
}

/* A card's libraries add in other orders for other shapes: ten times as much is allowed in float32, twice elsewhere. */
static double on_a_card(double tolerance)
{
	return EMULATED ? tolerance : tolerance < 1e-4 ? 10 * tolerance : 2 * tolerance;
}

static void assert_near(const char *what, uint32_t number, const numbers *a, const numbers *b, double tolerance)
{
	assert_int_equal(a->n, b->n);
	tolerance = on_a_card(tolerance);
	if (!(norm(a, b) <= tolerance * (norm(b, NULL) + 1e-3)))
		fail_msg("%s %u: %g off in norm, of %g", what, number, norm(a, b), norm(b, NULL));
}

static void free_numbers(numbers *a)
{
	mmi_free(a->at);
}

/* ------------------------------------------------------------ whole networks */

static mm_tensor conv(net *t, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t bias)
{
	const mm_conv c = { .struct_size = sizeof c,
		                .out_channels = channels,
		                .kernel_h = kernel,
		                .kernel_w = kernel,
		                .stride_h = 1,
		                .stride_w = 1,
		                .pad_h = kernel / 2,
		                .pad_w = kernel / 2,
		                .bias = bias };
	return ops->conv2d(t->g, x, name, &c);
}

static mm_tensor leaky(net *t, mm_tensor x)
{
	return ops->activation(t->g, x, MM_ACT_LEAKY_RELU, 0.2f);
}

/* As a decoder of MMVAE+ has them: a residual block of a map that is upsampled, with a shortcut where channels change.
 */
static mm_tensor residual(net *t, mm_tensor x, int32_t number, int32_t channels)
{
	static const char *const names[2][3] = { { "a1", "a2", "a3" }, { "b1", "b2", "b3" } };
	const bool same = ops->shape(t->g, x).dim[2] == channels;
	mm_tensor h = conv(t, ops->upsample_nearest(t->g, leaky(t, x), 2), names[number][0], channels, 3, 1);
	h = conv(t, leaky(t, h), names[number][1], channels, 3, 1);
	const mm_tensor across = same ? x : conv(t, x, names[number][2], channels, 1, 0);
	return ops->axpby(t->g, 1, ops->upsample_nearest(t->g, across, 2), 0.1f, h);
}

/* channels: of the blocks; by 8 whole groups of elements lie in rows, otherwise they do not. */
static void record_decoder(net *t, int32_t wide, int32_t slim)
{
	const mm_tensor z = input(t, "z", mmi_shape(1, 5)), x = input(t, "x", mmi_shape(3, 8, 12, 3));
	mm_tensor h = ops->linear(t->g, z, "linear", 2 * 3 * wide, 1, MM_INIT_DEFAULT);
	const mm_shape map = mmi_shape(3, 2, 3, wide);
	h = residual(t, ops->reshape(t->g, h, &map), 0, slim);
	h = conv(t, leaky(t, residual(t, h, 1, slim)), "out", 3, 3, 1);
	const mm_tensor likelihood = mmi_op(t->g, MMI_OP_NLL_GAUSSIAN, 2, (mm_tensor[]){ x, h }, &(mmi_attr){ .a = 0.7f });
	t->n_in = 1; /* nobody wants a gradient to x */
	differentiate(t, likelihood, true);
	t->n_in = 2;
}

static void a_decoder_is_what_single_calls_make_of_it(void **state)
{
	static const int64_t sizes[] = { 1, 3 };
	static const int32_t channels[][2] = { { 16, 8 }, { 7, 5 } };
	const mmi_device *const devices[] = { cuda_device_poisoned(), cuda_device_tf32(), cuda_device_bf16_poisoned() };
	const double tolerances[] = { 5e-6, 2e-3, 3e-2 };
	(void)state;
	for (size_t c = 0; c < MMI_COUNT(channels); c++)
		for (size_t k = 0; k < MMI_COUNT(devices); k++) {
			net t;
			mm_error e = MM_ERROR_INIT;
			open_net(&t, devices[k]);
			record_decoder(&t, channels[c][0], channels[c][1]);
			must(mmi_params_finalise(t.store, 3, &e), &e);
			for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
				emu_set_order((unsigned)i);
				numbers plain = run_net(&t, devices[k], sizes[i], false),
						with = run_net(&t, devices[k], sizes[i], true);
				assert_near("channels", (uint32_t)channels[c][0], &with, &plain, tolerances[k]);
				assert_true(with.stats.n_fused >= 12);
				free_numbers(&plain);
				free_numbers(&with);
			}
			close_net(&t);
		}
}

enum { GRAPHS = 120 };

static void joining_never_changes_a_result(void **state)
{
	const mmi_device *const devices[] = { cuda_device_poisoned(), cuda_device_bf16_poisoned() };
	size_t joined = 0;
	(void)state;
	for (uint32_t number = 0; number < GRAPHS; number++) {
		const mmi_device *d = devices[number % 2];
		random_graph r;
		random_graph_make_on(&r, number, false, d);
		net t = { .g = r.g, .store = r.store, .n_in = RANDOM_INPUTS, .n_wanted = r.n_wanted };
		memcpy(t.in, r.input, sizeof r.input);
		memcpy(t.wanted, r.wanted, sizeof r.wanted);
		numbers plain = run_net(&t, d, 5, false), with = run_net(&t, d, 5, true);
		assert_near("graph", number, &with, &plain, d->backend->narrow ? 0.1 : 1e-5);
		joined += with.stats.n_fused;
		free_numbers(&plain);
		free_numbers(&with);
		random_graph_free(&r);
	}
	assert_true(joined > 3 * GRAPHS);
}

/* ------------------------------------------------------------ the same bits */

static mm_tensor two(net *t, mmi_opcode op, mm_tensor a, mm_tensor b)
{
	return mmi_op(t->g, op, 2, (mm_tensor[]){ a, b }, &(mmi_attr){ .a = 0.75f, .b = -1.25f });
}

/* Every operation on elements that joins, resampling up and down, values that others read, and one that is wanted. */
static void record_elements(net *t, int32_t channels)
{
	const mm_shape small = mmi_shape(3, 3, 5, channels);
	const mm_tensor a = input(t, "a", small), b = input(t, "b", small), s = input(t, "s", mmi_shape(0));
	mm_tensor h = two(t, MMI_OP_ADD, ops->activation(t->g, a, MM_ACT_TANH, 0), b);
	const mm_tensor read_by_others = leaky(t, h);
	h = two(t, MMI_OP_MUL, ops->clamp(t->g, read_by_others, -0.5f, 0.75f), s);
	h = ops->affine(t->g, h, 0.5f, 3);
	h = two(t, MMI_OP_ADD, mmi_op(t->g, MMI_OP_LOG, 1, &h, NULL), read_by_others);
	want(t, h);
	mm_tensor large = ops->activation(t->g, ops->upsample_nearest(t->g, h, 2), MM_ACT_RELU, 0);
	large = two(t, MMI_OP_ADD, large, ops->upsample_nearest(t->g, b, 2));
	const mm_tensor back = two(t, MMI_OP_MUL, ops->avg_pool(t->g, large, 2, 2, 0, 1), a);
	differentiate(t, mmi_sum_all(t->g, two(t, MMI_OP_ADD, back, h), 1), false);
}

static void operations_on_elements_keep_their_bits(void **state)
{
	static const int64_t sizes[] = { 1, 3, 9 };
	static const int32_t channels[] = { 1, 7, 8, 24 };
	const mmi_device *d = cuda_device_poisoned();
	(void)state;
	for (size_t c = 0; c < MMI_COUNT(channels); c++)
		for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
			net t;
			open_net(&t, d);
			record_elements(&t, channels[c]);
			emu_set_order((unsigned)i);
			numbers plain = run_net(&t, d, sizes[i], false), with = run_net(&t, d, sizes[i], true);
			assert_near("channels", (uint32_t)channels[c], &with, &plain, 1e-6);
			if (EMULATED) /* nvcc may round once where there is a product and a sum */
				assert_memory_equal(with.at, plain.at, plain.n * sizeof *plain.at);
			assert_true(2 * with.stats.n_calls < plain.stats.n_calls);
			free_numbers(&plain);
			free_numbers(&with);
			close_net(&t);
		}
}

/* ------------------------------------------------------------ what is joined */

static size_t calls_of(const mmi_plan *p, mmi_opcode op)
{
	size_t n = 0;
	for (size_t c = 0; c < p->n_calls; c++)
		n += p->nodes[p->calls[c].node].op == op;
	return n;
}

/* Of a decoder that only gradients to latents are wanted of nothing is left beside products, the likelihood, its
 * gradient, and a gradient that is summed up for a shortcut; no activation is kept for its gradient alone. */
static void a_decoders_plan_has_products_alone(void **state)
{
	const mmi_device *const devices[] = { cuda_device(), cuda_device_bf16() };
	(void)state;
	for (size_t k = 0; k < MMI_COUNT(devices); k++) {
		net t;
		mm_error e = MM_ERROR_INIT;
		open_net(&t, devices[k]);
		record_decoder(&t, 16, 8);
		t.n_wanted = 2; /* the loss, and the gradient to z */
		must(mmi_params_finalise(t.store, 3, &e), &e);
		mmi_plan *p = plan_of(&t, devices[k], true);
		const size_t copies = calls_of(p, MMI_OP_AFFINE); /* in bfloat16, of z */
		assert_int_equal(copies, devices[k]->backend->narrow ? 1 : 0);
		assert_int_equal(calls_of(p, MMI_OP_LINEAR) + calls_of(p, MMI_OP_LINEAR_BWD_X), 2);
		assert_int_equal(calls_of(p, MMI_OP_CONV) + calls_of(p, MMI_OP_CONV_BWD_X), 12);
		assert_int_equal(calls_of(p, MMI_OP_UPSAMPLE_BWD), 1);
		assert_int_equal(p->n_calls, 2 + 12 + 2 + 1 + copies);
		for (size_t i = 0; i < p->n_nodes; i++)
			assert_true(p->nodes[i].op != MMI_OP_ACT_BWD || !p->needed[i] || p->by_signs[i]);
		mmi_plan_destroy(p);
		p = plan_of(&t, devices[k], false);
		assert_true(p->n_calls > 35);
		mmi_plan_destroy(p);
		close_net(&t);
	}
}

/* A value that others read is stored, and goes on in registers. */
static void a_value_that_others_read_is_stored(void **state)
{
	net t;
	(void)state;
	open_net(&t, cuda_device());
	const mm_tensor x = input(&t, "x", mmi_shape(1, 11)), a = ops->affine(t.g, x, 2, 1),
					b = ops->activation(t.g, a, MM_ACT_TANH, 0), c = ops->affine(t.g, b, 3, 1);
	want(&t, mmi_sum_all(t.g, b, 1));
	want(&t, c);
	mmi_plan *p = plan_of(&t, cuda_device(), true);
	assert_int_equal(p->n_calls, 2);
	assert_false(p->stored[a]);
	assert_true(p->stored[b] && p->stored[c]);
	mmi_plan_destroy(p);
	close_net(&t);
}

/* The factor of a branch goes into the products of its gradient, where the gradient is kept for another branch. */
static void a_factor_goes_into_products(void **state)
{
	net t;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	open_net(&t, cuda_device());
	const mm_tensor x = input(&t, "x", mmi_shape(3, 4, 4, 8)), h = conv(&t, x, "a", 8, 3, 1);
	const mm_tensor y = ops->axpby(t.g, 1, conv(&t, x, "b", 8, 3, 1), 0.1f, h);
	differentiate(&t, mmi_sum_all(t.g, ops->activation(t.g, y, MM_ACT_TANH, 0), 1), true);
	must(mmi_params_finalise(t.store, 3, &e), &e);
	mmi_plan *p = plan_of(&t, cuda_device(), true);
	size_t factors = 0;
	for (size_t c = 0; c < p->n_calls; c++)
		factors += p->factor[p->calls[c].node] != 0;
	assert_int_equal(factors, 3); /* of a: to x, to the weights, to the bias */
	assert_int_equal(calls_of(p, MMI_OP_AFFINE), 0);
	mmi_plan_destroy(p);
	numbers plain = run_net(&t, cuda_device(), 3, false), with = run_net(&t, cuda_device(), 3, true);
	assert_near("factor", 0, &with, &plain, 2e-6);
	free_numbers(&plain);
	free_numbers(&with);
	close_net(&t);
}

/* ------------------------------------------------------------ bytes */

/* conv, bias, leaky ReLU, then the sum with x, of 4 x 4 x 8 = 128 numbers a sample; 3 samples. */
static void bytes_are_those_that_calls_move(void **state)
{
	net t;
	mm_error e = MM_ERROR_INIT;
	const double map = 3 * 128 * 4, weights = (9 * 8 * 8 + 8) * 4;
	(void)state;
	open_net(&t, cuda_device());
	const mm_tensor x = input(&t, "x", mmi_shape(3, 4, 4, 8)), h = leaky(&t, conv(&t, x, "a", 8, 3, 1));
	want(&t, ops->axpby(t.g, 1, h, 0.5f, x));
	must(mmi_params_finalise(t.store, 3, &e), &e);
	numbers plain = run_net(&t, cuda_device(), 3, false), with = run_net(&t, cuda_device(), 3, true);
	/* Single calls: x to y; y to h; h and x to the sum. */
	assert_true(plain.stats.bytes == 2 * map + weights + 2 * map + 3 * map);
	/* One call: x to y; y and x to the sum. */
	assert_int_equal(with.stats.n_calls, 1);
	assert_true(with.stats.bytes == 2 * map + weights + 3 * map);
	free_numbers(&plain);
	free_numbers(&with);
	/* With the gradient: 384 signs are 48 bytes, written and read. */
	differentiate(&t, mmi_sum_all(t.g, h, 1), false);
	mmi_plan *p = plan_of(&t, cuda_device(), true);
	assert_int_equal(mmi_plan_signs_bytes(p, h), 48);
	assert_true(p->signs[h] != MMI_NO_SLOT && p->stored[h]);
	mmi_plan_destroy(p);
	close_net(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_on_elements_keep_their_bits),
		cmocka_unit_test(a_decoder_is_what_single_calls_make_of_it),
		cmocka_unit_test(joining_never_changes_a_result),
		cmocka_unit_test(a_decoders_plan_has_products_alone),
		cmocka_unit_test(a_value_that_others_read_is_stored),
		cmocka_unit_test(a_factor_goes_into_products),
		cmocka_unit_test(bytes_are_those_that_calls_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
