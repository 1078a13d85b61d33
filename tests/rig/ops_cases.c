/* ops_cases.c - the graphs of tests/test_ops.c. */
#include "mmi_build.h"

#include "ops_cases.h"

#include "conv_layer.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const mm_host_graph *const ops = &mmi_graph_ops;

/* The same values, and the same gradient. */
static mm_tensor copied(rig *r, mm_tensor x)
{
	return r->inside ? ops->clamp(r->g, x, -1e6f, 1e6f) : x;
}

static mm_tensor add_input(rig *r, const char *name, mm_shape shape, rig_kind kind, float lo, float hi, bool constant)
{
	rig_input *in = &r->inputs[r->n_inputs++];

	assert_true(r->n_inputs <= RIG_MAX_INPUTS);
	*in = (rig_input){ .id = mmi_input(r->g, name, shape),
		               .shape = shape,
		               .kind = kind,
		               .lo = lo,
		               .hi = hi,
		               .constant = constant,
		               .grad = MMI_NONE };
	snprintf(in->name, sizeof in->name, "%s", name);
	return copied(r, in->id);
}

static mm_tensor variable(rig *r, const char *name, const op_case *c, mm_shape shape)
{
	const bool unset = c->lo == 0 && c->hi == 0;

	return add_input(r, name, shape, RIG_UNIFORM, unset ? -1 : c->lo, unset ? 1 : c->hi, false);
}

static mm_shape first_shape(const op_case *c)
{
	mm_shape s = { 0 };

	while (s.rank < MM_MAX_RANK && c->x[s.rank]) {
		s.dim[s.rank] = c->x[s.rank];
		s.rank++;
	}
	return s;
}

static mm_tensor first(rig *r, const op_case *c)
{
	return variable(r, "x", c, first_shape(c));
}

static mm_tensor second(rig *r, const op_case *c)
{
	return variable(r, "y", c, first_shape(c));
}

/* ---------------------------------------------------------------- builders */

static mm_tensor linear(rig *r, const op_case *c)
{
	return ops->linear(r->g, first(r, c), "l", c->k, c->flag, MM_INIT_DEFAULT);
}

static mm_tensor conv(rig *r, const op_case *c)
{
	return ops->conv2d(r->g, first(r, c), "c", &c->conv);
}

static mm_tensor transposed(rig *r, const op_case *c)
{
	return ops->conv2d_transposed(r->g, first(r, c), "c", &c->conv);
}

static mm_tensor pool(rig *r, const op_case *c)
{
	return ops->avg_pool(r->g, first(r, c), c->k, c->s, c->p, c->flag);
}

static mm_tensor global_pool(rig *r, const op_case *c)
{
	return ops->global_avg_pool(r->g, first(r, c));
}

static mm_tensor upsample(rig *r, const op_case *c)
{
	return ops->upsample_nearest(r->g, first(r, c), c->k);
}

static mm_tensor add(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return ops->add(r->g, x, second(r, c));
}

static mm_tensor add_self(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return ops->add(r->g, x, x);
}

static mm_tensor axpby(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return ops->axpby(r->g, c->a, x, c->b, second(r, c));
}

static mm_tensor axpby_scalar(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c), both[2] = { x, variable(r, "y", c, mmi_shape(0)) };

	return mmi_op(r->g, MMI_OP_ADD, 2, both, &(mmi_attr){ .a = c->a, .b = c->b });
}

static mm_tensor mul(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return ops->mul(r->g, x, second(r, c));
}

static mm_tensor mul_scalar(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c), both[2] = { x, variable(r, "y", c, mmi_shape(0)) };

	return mmi_op(r->g, MMI_OP_MUL, 2, both, NULL);
}

static mm_tensor mul_self(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return ops->mul(r->g, x, x);
}

static mm_tensor affine(rig *r, const op_case *c)
{
	return ops->affine(r->g, first(r, c), c->a, c->b);
}

static mm_tensor activation(rig *r, const op_case *c)
{
	return ops->activation(r->g, first(r, c), c->flag, c->a);
}

static mm_tensor clamp(rig *r, const op_case *c)
{
	return ops->clamp(r->g, first(r, c), c->a, c->b);
}

static mm_tensor logarithm(rig *r, const op_case *c)
{
	const mm_tensor x = first(r, c);

	return mmi_op(r->g, MMI_OP_LOG, 1, &x, NULL);
}

static mm_tensor softmax(rig *r, const op_case *c)
{
	return ops->softmax(r->g, first(r, c));
}

static mm_tensor log_sum_exp(rig *r, const op_case *c)
{
	return ops->log_sum_exp(r->g, first(r, c));
}

/* s and p: sizes of the second and third input along axis k; p may be 0. */
static mm_tensor concat(rig *r, const op_case *c)
{
	mm_shape s = first_shape(c);
	mm_tensor parts[3] = { first(r, c), 0, 0 };

	s.dim[c->k] = c->s;
	parts[1] = variable(r, "y", c, s);
	s.dim[c->k] = c->p;
	if (c->p)
		parts[2] = variable(r, "z", c, s);
	return ops->concat(r->g, parts, c->p ? 3 : 2, (uint32_t)c->k);
}

static mm_tensor slice(rig *r, const op_case *c)
{
	return ops->slice(r->g, first(r, c), (uint32_t)c->k, c->s, c->p);
}

static mm_tensor reshape(rig *r, const op_case *c)
{
	const mm_shape to = mmi_shape(2, c->k, c->s);

	return ops->reshape(r->g, first(r, c), &to);
}

static mm_tensor sum(rig *r, const op_case *c)
{
	return ops->sum(r->g, first(r, c), (uint32_t)c->k);
}

static mm_tensor mean(rig *r, const op_case *c)
{
	return ops->mean(r->g, first(r, c), (uint32_t)c->k);
}

static mm_tensor sum_all(rig *r, const op_case *c)
{
	return mmi_sum_all(r->g, first(r, c), c->a);
}

/* flag: the operation; k: what x is (rig_kind). */
static mm_tensor nll(rig *r, const op_case *c)
{
	const float low = c->flag == MMI_OP_NLL_BERNOULLI ? 0 : -1;
	const mm_tensor x = add_input(r, "x", first_shape(c), (rig_kind)c->k, low, 1, true);
	const mm_tensor both[2] = { x, variable(r, "p", c, first_shape(c)) };

	return mmi_op(r->g, (mmi_opcode)c->flag, 2, both, &(mmi_attr){ .a = c->a });
}

static mm_tensor logpdf(rig *r, const op_case *c)
{
	const mm_shape s = first_shape(c);
	const mm_tensor z = variable(r, "z", c, s), loc = variable(r, "loc", c, s);
	const mm_tensor all[3] = { z, loc, add_input(r, "scale", s, RIG_UNIFORM, 0.3f, 2, false) };

	return mmi_op(r->g, (mmi_opcode)c->flag, 3, all, NULL);
}

static mm_tensor prior(rig *r, const op_case *c)
{
	const mm_shape s = first_shape(c);
	const mm_tensor all[3] = { variable(r, "z", c, s), mmi_const(r->g, s, 0), mmi_const(r->g, s, 1) };

	return mmi_op(r->g, MMI_OP_LOGPDF_NORMAL, 3, all, NULL);
}

/* Sums and pooling after activations, and the gradients of all that: what programs fuse. */
static mm_tensor residual_block(rig *r, const op_case *c)
{
	const mm_conv a = rig_conv3x3(3, 1), b = rig_conv3x3(3, 0);
	const mm_tensor x = first(r, c);
	mm_tensor h = ops->activation(r->g, ops->conv2d(r->g, x, "a", &a), MM_ACT_RELU, 0);

	h = ops->add(r->g, ops->conv2d(r->g, h, "b", &b), x);
	return ops->avg_pool(r->g, ops->activation(r->g, h, MM_ACT_RELU, 0), 2, 2, 0, 0);
}

static mm_tensor encoder(rig *r, const op_case *c)
{
	mm_tensor h = ops->activation(r->g, ops->conv2d(r->g, first(r, c), "a", &c->conv), MM_ACT_RELU, 0);

	h = ops->linear(r->g, h, "b", 6, 1, MM_INIT_DEFAULT);
	const mm_tensor loc = ops->activation(r->g, ops->slice(r->g, h, 0, 0, 3), MM_ACT_TANH, 0);
	const mm_tensor scale = ops->activation(r->g, ops->slice(r->g, h, 0, 3, 3), MM_ACT_SOFTPLUS, 0);

	return ops->mul(r->g, scale, loc);
}

/* In the gradient the activation's output is operand and mask of one call. */
static mm_tensor square_of_relu(rig *r, const op_case *c)
{
	const mm_tensor y = ops->activation(r->g, first(r, c), MM_ACT_RELU, 0);

	return ops->mul(r->g, y, y);
}

/* ---------------------------------------------------------------- cases */

#define CONV(out, kh, kw, sh, sw, ph, pw, oph, opw, with_bias) \
	.conv = { .struct_size = sizeof(mm_conv),                  \
		      .out_channels = out,                             \
		      .kernel_h = kh,                                  \
		      .kernel_w = kw,                                  \
		      .stride_h = sh,                                  \
		      .stride_w = sw,                                  \
		      .pad_h = ph,                                     \
		      .pad_w = pw,                                     \
		      .output_pad_h = oph,                             \
		      .output_pad_w = opw,                             \
		      .bias = with_bias }
#define SQUARE(out, k, s, p, op, with_bias) CONV(out, k, k, s, s, p, p, op, op, with_bias)

const op_case op_cases[] = {
	{ "linear/bias", linear, .x = { 7 }, .k = 5, .flag = 1 },
	{ "linear/map", linear, .x = { 2, 3, 4 }, .k = 6 },
	{ "linear/wide", linear, .x = { 33 }, .k = 40, .flag = 1 },
	{ "conv/3x3", conv, .x = { 6, 5, 3 }, SQUARE(4, 3, 1, 1, 0, 1) },
	{ "conv/3x3-valid", conv, .x = { 6, 5, 2 }, SQUARE(3, 3, 1, 0, 0, 0) },
	{ "conv/3x3-wide", conv, .x = { 6, 7, 16 }, SQUARE(20, 3, 1, 1, 0, 1) },
	{ "conv/4x4-stride2", conv, .x = { 8, 6, 3 }, SQUARE(5, 4, 2, 1, 0, 1) },
	{ "conv/1x1", conv, .x = { 4, 3, 5 }, SQUARE(6, 1, 1, 0, 0, 1) },
	{ "conv/5x5-stride2", conv, .x = { 7, 8, 2 }, SQUARE(3, 5, 2, 2, 0, 1) },
	{ "conv/2x3-uneven", conv, .x = { 7, 6, 3 }, CONV(4, 2, 3, 2, 1, 1, 0, 0, 0, 1) },
	{ "conv/whole", conv, .x = { 4, 4, 3 }, SQUARE(6, 4, 1, 0, 0, 0) },
	{ "conv/unread-rows", conv, .x = { 6, 6, 2 }, SQUARE(3, 3, 2, 0, 0, 1) },
	{ "transposed/4x4-stride2", transposed, .x = { 3, 4, 5 }, SQUARE(3, 4, 2, 1, 0, 1) },
	{ "transposed/3x3-stride2-output-pad", transposed, .x = { 3, 4, 4 }, SQUARE(3, 3, 2, 1, 1, 1) },
	{ "transposed/3x3", transposed, .x = { 4, 5, 3 }, SQUARE(4, 3, 1, 1, 0, 0) },
	{ "transposed/from-1x1", transposed, .x = { 1, 1, 6 }, SQUARE(4, 4, 1, 0, 0, 1) },
	{ "transposed/5x5-output-pad", transposed, .x = { 3, 3, 3 }, SQUARE(2, 5, 2, 2, 1, 0) },
	{ "transposed/uneven", transposed, .x = { 3, 4, 2 }, CONV(3, 3, 2, 2, 1, 1, 0, 1, 0, 1) },
	{ "pool/2x2", pool, .x = { 6, 4, 3 }, .k = 2, .s = 2 },
	{ "pool/3x3-stride2-counted", pool, .x = { 7, 6, 3 }, .k = 3, .s = 2, .p = 1, .flag = 1 },
	{ "pool/3x3-stride2", pool, .x = { 7, 6, 3 }, .k = 3, .s = 2, .p = 1 },
	{ "pool/3x3-stride1", pool, .x = { 5, 4, 2 }, .k = 3, .s = 1, .p = 1 },
	{ "pool/floor", pool, .x = { 5, 7, 2 }, .k = 2, .s = 2, .flag = 1 },
	{ "pool/global", global_pool, .x = { 3, 4, 5 } },
	{ "upsample/2", upsample, .x = { 3, 2, 5 }, .k = 2 },
	{ "upsample/3", upsample, .x = { 2, 2, 3 }, .k = 3 },
	{ "add", add, .x = { 3, 4 } },
	{ "add/self", add_self, .x = { 5 } },
	{ "axpby", axpby, .x = { 3, 4 }, .a = 0.7f, .b = -1.3f },
	{ "axpby/scalar", axpby_scalar, .x = { 5 }, .a = 0.7f, .b = -1.3f },
	{ "mul", mul, .x = { 3, 4 } },
	{ "mul/scalar", mul_scalar, .x = { 5 } },
	{ "mul/self", mul_self, .x = { 6 } },
	{ "affine", affine, .x = { 3, 4 }, .a = 1.7f, .b = 0.3f },
	{ "act/relu", activation, .x = { 40 }, .flag = MM_ACT_RELU },
	{ "act/leaky", activation, .x = { 40 }, .flag = MM_ACT_LEAKY_RELU, .a = 0.2f },
	{ "act/tanh", activation, .x = { 40 }, .flag = MM_ACT_TANH, .lo = -4, .hi = 4 },
	{ "act/sigmoid", activation, .x = { 40 }, .flag = MM_ACT_SIGMOID, .lo = -9, .hi = 9 },
	{ "act/softplus", activation, .x = { 40 }, .flag = MM_ACT_SOFTPLUS, .lo = -9, .hi = 9 },
	{ "act/exp", activation, .x = { 40 }, .flag = MM_ACT_EXP, .lo = -3, .hi = 3 },
	{ "clamp", clamp, .x = { 40 }, .a = -0.4f, .b = 0.6f },
	{ "log", logarithm, .x = { 40 }, .lo = 0.1f, .hi = 5 },
	{ "softmax", softmax, .x = { 3, 5 }, .lo = -3, .hi = 3 },
	{ "softmax/wide", softmax, .x = { 53 }, .lo = -3, .hi = 3 },
	{ "lse", log_sum_exp, .x = { 3, 5 }, .lo = -3, .hi = 3 },
	{ "lse/wide", log_sum_exp, .x = { 53 }, .lo = -3, .hi = 3 },
	{ "concat/0", concat, .x = { 2, 3 }, .k = 0, .s = 1, .p = 3 },
	{ "concat/2", concat, .x = { 2, 3, 4 }, .k = 2, .s = 17 },
	{ "concat/1", concat, .x = { 2, 3, 4 }, .k = 1, .s = 1 },
	{ "slice/0", slice, .x = { 5, 3 }, .k = 0, .s = 1, .p = 3 },
	{ "slice/1", slice, .x = { 2, 4, 3 }, .k = 1, .s = 2, .p = 2 },
	{ "slice/2", slice, .x = { 2, 2, 19 }, .k = 2, .s = 1, .p = 17 },
	{ "reshape", reshape, .x = { 3, 4 }, .k = 6, .s = 2 },
	{ "sum/0", sum, .x = { 5, 3 }, .k = 0 },
	{ "sum/1", sum, .x = { 2, 4, 3 }, .k = 1 },
	{ "sum/last", sum, .x = { 2, 2, 5 }, .k = 2 },
	{ "mean/0", mean, .x = { 3, 70 }, .k = 0 },
	{ "mean/last", mean, .x = { 2, 7 }, .k = 1 },
	{ "sum-all", sum_all, .x = { 4, 5 }, .a = 0.3f },
	{ "nll/gaussian", nll, .x = { 4, 5 }, .flag = MMI_OP_NLL_GAUSSIAN, .a = 0.7f },
	{ "nll/laplace", nll, .x = { 4, 5 }, .flag = MMI_OP_NLL_LAPLACE, .a = 0.75f },
	{ "nll/bernoulli", nll, .x = { 4, 5 }, .flag = MMI_OP_NLL_BERNOULLI, .lo = -6, .hi = 6 },
	{ "nll/categorical", nll, .x = { 4, 7 }, .flag = MMI_OP_NLL_CATEGORICAL, .k = RIG_SIMPLEX, .lo = -4, .hi = 4 },
	{ "nll/categorical-wide", nll, .x = { 2, 67 }, .flag = MMI_OP_NLL_CATEGORICAL, .k = RIG_SIMPLEX, .lo = -4,
	  .hi = 4 },
	{ "nll/gaussian-small", nll, .x = { 2 }, .flag = MMI_OP_NLL_GAUSSIAN, .a = 1.5f },
	{ "logpdf/normal", logpdf, .x = { 19 }, .flag = MMI_OP_LOGPDF_NORMAL },
	{ "logpdf/laplace", logpdf, .x = { 19 }, .flag = MMI_OP_LOGPDF_LAPLACE },
	{ "logpdf/prior", prior, .x = { 3 } },
	{ "net/residual-block", residual_block, .x = { 6, 4, 3 } },
	{ "net/encoder", encoder, .x = { 6, 6, 2 }, SQUARE(4, 4, 2, 1, 0, 1) },
	{ "net/square-of-relu", square_of_relu, .x = { 21 } },
};
const size_t n_op_cases = MMI_COUNT(op_cases);

/* ---------------------------------------------------------------- rigs */

static void check(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static void differentiate(rig *r, mm_error *e)
{
	mm_tensor wrt[RIG_MAX_INPUTS], grads[RIG_MAX_INPUTS];
	uint32_t n_wrt = 0;
	mmi_grad_request request = { .loss = r->loss,
		                         .seed = r->seed,
		                         .wrt = wrt,
		                         .grads = grads,
		                         .stores = (mmi_params *const[]){ r->store },
		                         .n_stores = 1 };

	for (uint32_t i = 0; i < r->n_inputs; i++)
		if (!r->inputs[i].constant)
			wrt[n_wrt++] = r->inputs[i].id;
	request.n_wrt = n_wrt;
	check(mmi_graph_grad(r->g, &request, e), e);
	for (uint32_t i = 0, k = 0; i < r->n_inputs; i++)
		if (!r->inputs[i].constant)
			r->inputs[i].grad = grads[k++];
	r->param_grads = request.param_grads;
	r->n_param_grads = request.n_param_grads;
}

mm_tensor rig_input_of(rig *r, const op_case *c)
{
	return first(r, c);
}

void rig_open(rig *r, const op_case *c)
{
	rig_open_on(r, c, cpu_device());
}

static void open_case(rig *r, const op_case *c, const mmi_device *device, bool inside)
{
	mm_error e = MM_ERROR_INIT;

	*r = (rig){ .inside = inside };
	check(mmi_graph_create(&r->g, &e), &e);
	check(mmi_params_create(device, "t", &r->store, &e), &e);
	mmi_graph_scope(r->g, r->store, "t");
	r->y = copied(r, c->build(r, c));
	check(mmi_graph_check(r->g, &e), &e);
	r->r = mmi_input(r->g, "r", ops->shape(r->g, r->y));
	r->seed = mmi_input(r->g, "seed", mmi_shape(0));
	const mm_tensor product = ops->mul(r->g, r->y, r->r);
	r->loss = ops->shape(r->g, r->y).rank ? mmi_sum_all(r->g, product, 1) : product;
	check(mmi_params_finalise(r->store, 7, &e), &e);
	differentiate(r, &e);
}

void rig_open_on(rig *r, const op_case *c, const mmi_device *device)
{
	open_case(r, c, device, false);
}

void rig_open_inside(rig *r, const op_case *c, const mmi_device *device)
{
	open_case(r, c, device, true);
}

void rig_close(rig *r)
{
	mmi_free(r->param_grads);
	mmi_graph_destroy(r->g);
	mmi_params_destroy(r->store);
}
