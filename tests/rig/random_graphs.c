/* random_graphs.c - networks drawn by number. Values stay moderate: what may grow is squashed. */
#include "mmi_build.h"

#include "random_graphs.h"

#include "conv_layer.h"

#include "engine/vec.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const mm_host_graph *const ops = &mmi_graph_ops;

enum { STEPS = 14, POOL = STEPS + RANDOM_INPUTS, SIDE = 6, CHANNELS = 3, VECTOR = 10 };

typedef struct maker {
	random_graph *r;
	uint64_t key;
	uint32_t draws;
	bool smooth;
	mm_tensor pool[POOL]; /* what later operations may read */
	uint32_t n;
} maker;

static uint32_t below(maker *m, uint32_t n)
{
	return mmi_rng_below((mmi_rng){ .key = m->key, .sample = m->draws++ }, n);
}

static mm_tensor pick(maker *m)
{
	return m->pool[below(m, m->n)];
}

static mm_shape shape_of(const maker *m, mm_tensor x)
{
	return ops->shape(m->r->g, x);
}

/* A tensor of the rank wanted, made from a number per sample if the pool has none. */
static mm_tensor pick_rank(maker *m, uint32_t rank)
{
	for (uint32_t i = 0, first = below(m, m->n); i < m->n; i++) {
		mm_tensor x = m->pool[(first + i) % m->n];
		if (shape_of(m, x).rank == rank)
			return x;
	}
	return m->r->input[rank == 3 ? 0 : rank == 1 ? 2 : 3];
}

/* Another tensor of x's shape; x itself if there is none. */
static mm_tensor pick_like(maker *m, mm_tensor x)
{
	mm_shape s = shape_of(m, x), other;
	for (uint32_t i = 0, first = below(m, m->n); i < m->n; i++) {
		mm_tensor y = m->pool[(first + i) % m->n];
		other = shape_of(m, y);
		if (mmi_shape_equal(&s, &other))
			return y;
	}
	return x;
}

/* ---------------------------------------------------------------- operations */

static mm_tensor activation(maker *m)
{
	static const int32_t smooth[] = { MM_ACT_TANH, MM_ACT_SIGMOID, MM_ACT_SOFTPLUS };
	static const int32_t all[] = { MM_ACT_RELU,    MM_ACT_LEAKY_RELU, MM_ACT_TANH,
		                           MM_ACT_SIGMOID, MM_ACT_SOFTPLUS,   MM_ACT_RELU };
	int32_t kind = m->smooth ? smooth[below(m, MMI_COUNT(smooth))] : all[below(m, MMI_COUNT(all))];
	return ops->activation(m->r->g, pick(m), kind, 0.2f);
}

static mm_tensor exponential(maker *m)
{
	return ops->activation(m->r->g, ops->activation(m->r->g, pick(m), MM_ACT_TANH, 0), MM_ACT_EXP, 0);
}

static mm_tensor layer_name(maker *m, char name[16], mm_tensor x)
{
	snprintf(name, 16, "layer%u", m->draws);
	return x;
}

/* A layer, and often the activation that the planner fuses into it. */
static mm_tensor activated(maker *m, mm_tensor x)
{
	int32_t kind = m->smooth ? MM_ACT_TANH : MM_ACT_RELU;
	return below(m, 3) ? ops->activation(m->r->g, x, kind, 0) : x;
}

static mm_tensor linear(maker *m)
{
	char name[16];
	mm_tensor x = layer_name(m, name, pick(m));
	return activated(m, ops->linear(m->r->g, x, name, VECTOR, (int32_t)below(m, 2), MM_INIT_DEFAULT));
}

static mm_tensor convolution(maker *m)
{
	char name[16];
	int32_t kernel = 1 + 2 * (int32_t)below(m, 2);
	mm_conv c = { .struct_size = sizeof c,
		          .out_channels = 1 + (int32_t)below(m, 20),
		          .kernel_h = kernel,
		          .kernel_w = kernel,
		          .stride_h = 1,
		          .stride_w = 1,
		          .pad_h = kernel / 2,
		          .pad_w = kernel / 2,
		          .bias = (int32_t)below(m, 2) };
	mm_tensor x = layer_name(m, name, pick_rank(m, 3));
	return activated(m, ops->conv2d(m->r->g, x, name, &c));
}

static mm_tensor transposed(maker *m)
{
	char name[16];
	const mm_conv c = rig_conv3x3(CHANNELS, 1);
	mm_tensor x = layer_name(m, name, pick_rank(m, 3));
	return activated(m, ops->conv2d_transposed(m->r->g, x, name, &c));
}

static mm_tensor pooled(maker *m)
{
	mm_tensor x = pick_rank(m, 3);
	mm_shape s = shape_of(m, x);
	if (s.dim[0] < 2 || s.dim[1] < 2)
		return ops->global_avg_pool(m->r->g, x);
	return below(m, 2) ? ops->avg_pool(m->r->g, x, 2, 2, 0, 1)
	                   : ops->upsample_nearest(m->r->g, ops->avg_pool(m->r->g, x, 2, 2, 0, 1), 2);
}

static mm_tensor sum_of_two(maker *m)
{
	mm_tensor x = pick(m), y = below(m, 3) ? pick_like(m, x) : pick_rank(m, 0);
	return ops->axpby(m->r->g, 0.5f, x, -0.75f, y);
}

static mm_tensor product(maker *m)
{
	mm_tensor x = pick(m), y = below(m, 2) ? pick_like(m, x) : pick_rank(m, 0);
	return ops->activation(m->r->g, ops->mul(m->r->g, x, y), MM_ACT_TANH, 0);
}

static mm_tensor scaled(maker *m)
{
	return ops->affine(m->r->g, pick(m), below(m, 2) ? -0.5f : 1.25f, 0.125f);
}

static mm_tensor clamped(maker *m)
{
	return m->smooth ? scaled(m) : ops->clamp(m->r->g, pick(m), -0.4f, 0.5f);
}

static mm_tensor rows(maker *m)
{
	mm_tensor x = pick(m);
	if (shape_of(m, x).rank == 0)
		x = m->r->input[2];
	return below(m, 2) ? ops->softmax(m->r->g, x) : ops->log_sum_exp(m->r->g, x);
}

static mm_tensor joined(maker *m)
{
	mm_tensor x = pick_rank(m, 3), y = pick_like(m, x), both[2] = { x, y };
	return ops->concat(m->r->g, both, 2, below(m, 3));
}

static mm_tensor part(maker *m)
{
	mm_tensor x = pick_rank(m, 3);
	uint32_t axis = below(m, 3);
	int32_t size = shape_of(m, x).dim[axis], begin = (int32_t)below(m, (uint32_t)size);
	return ops->slice(m->r->g, x, axis, begin, 1 + (int32_t)below(m, (uint32_t)(size - begin)));
}

static mm_tensor flat(maker *m)
{
	mm_tensor x = pick(m);
	mm_shape s = shape_of(m, x), f = mmi_shape(1, (int)mmi_shape_count(&s));
	return ops->reshape(m->r->g, x, &f);
}

static mm_tensor reduced(maker *m)
{
	mm_tensor x = pick_rank(m, 3);
	return below(m, 2) ? ops->mean(m->r->g, x, below(m, 3)) : mmi_sum_all(m->r->g, x, 0.03f);
}

static mm_tensor distance(maker *m)
{
	static const mmi_opcode kinds[] = { MMI_OP_NLL_GAUSSIAN, MMI_OP_NLL_BERNOULLI };
	mm_tensor x = pick(m), both[2] = { pick_like(m, x), x };
	mm_tensor s = mmi_op(m->r->g, kinds[below(m, MMI_COUNT(kinds))], 2, both, &(mmi_attr){ .a = 0.8f });
	return ops->activation(m->r->g, ops->affine(m->r->g, s, 0.02f, 0), MM_ACT_TANH, 0);
}

static mm_tensor (*const operations[])(maker *) = { activation, exponential, linear,     convolution, convolution,
	                                                transposed, pooled,      sum_of_two, sum_of_two,  product,
	                                                scaled,     clamped,     rows,       joined,      part,
	                                                flat,       reduced,     distance };

/* ---------------------------------------------------------------- the graph */

static void record_inputs(maker *m)
{
	random_graph *r = m->r;
	r->input[0] = mmi_input(r->g, "map", mmi_shape(3, SIDE, SIDE, CHANNELS));
	r->input[1] = mmi_input(r->g, "other", mmi_shape(3, SIDE, SIDE, CHANNELS));
	r->input[2] = mmi_input(r->g, "vector", mmi_shape(1, VECTOR));
	r->input[3] = mmi_input(r->g, "number", mmi_shape(0));
	memcpy(m->pool, r->input, sizeof r->input);
	m->n = RANDOM_INPUTS;
}

/* The mean of the last few tensors, so that most of the graph leads there. */
static mm_tensor record_loss(maker *m)
{
	mm_tensor loss = m->r->input[3];
	for (uint32_t i = m->n - 5; i < m->n; i++) {
		mm_shape s = shape_of(m, m->pool[i]);
		loss = ops->add(m->r->g, loss, mmi_sum_all(m->r->g, m->pool[i], 1.0f / (float)mmi_shape_count(&s)));
	}
	return loss;
}

static void want(random_graph *r, mm_tensor x)
{
	assert_true(r->n_wanted < RANDOM_WANTED);
	if (x != MMI_NONE)
		r->wanted[r->n_wanted++] = x;
}

static void differentiate(random_graph *r, mm_tensor loss)
{
	mm_error e = MM_ERROR_INIT;
	mm_tensor grads[RANDOM_INPUTS];
	mmi_grad_request q = { .loss = loss,
		                   .seed = mmi_const(r->g, mmi_shape(0), 1),
		                   .wrt = r->input,
		                   .n_wrt = RANDOM_INPUTS,
		                   .grads = grads,
		                   .stores = &r->store,
		                   .n_stores = 1 };
	if (mmi_graph_grad(r->g, &q, &e) != MM_OK)
		fail_msg("%s", e.message);
	for (int i = 0; i < RANDOM_INPUTS; i++)
		want(r, grads[i]);
	for (uint32_t i = 0; i < q.n_param_grads; i++)
		want(r, q.param_grads[i]);
	mmi_free(q.param_grads);
}

void random_graph_make(random_graph *r, uint32_t number, bool smooth)
{
	random_graph_make_on(r, number, smooth, cpu_device());
}

void random_graph_make_on(random_graph *r, uint32_t number, bool smooth, const mmi_device *device)
{
	mm_error e = MM_ERROR_INIT;
	maker m = { .r = r, .key = mmi_rng_key(number, "graph"), .smooth = smooth };
	*r = (random_graph){ .n_wanted = 0 };
	assert_int_equal(mmi_params_create(device, "net", &r->store, &e), MM_OK);
	assert_int_equal(mmi_graph_create(&r->g, &e), MM_OK);
	mmi_graph_scope(r->g, r->store, "net");
	record_inputs(&m);
	while (m.n < POOL)
		m.pool[m.n++] = operations[below(&m, MMI_COUNT(operations))](&m);
	mm_tensor loss = record_loss(&m);
	for (uint32_t i = below(&m, 3); i > 0; i--)
		want(r, pick(&m));
	want(r, loss);
	if (mmi_graph_check(r->g, &e) != MM_OK)
		fail_msg("graph %u: %s", number, e.message);
	differentiate(r, loss);
	assert_int_equal(mmi_params_finalise(r->store, number + 1, &e), MM_OK);
}

void random_graph_free(random_graph *r)
{
	mmi_graph_destroy(r->g);
	mmi_params_destroy(r->store);
}
