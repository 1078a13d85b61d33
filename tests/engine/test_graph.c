/* test_graph.c - what graphs refuse, and in which words. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/program.h"
#include "../rig/device_rig.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

typedef struct bench {
	mmi_graph *g;
	mmi_params *store;
	mm_tensor map, vector, number; /* [6,5,3], [4], one per sample */
} bench;

static int bench_setup(void **state)
{
	mm_error e = MM_ERROR_INIT;
	bench *b = calloc(1, sizeof *b);
	if (!b || mmi_params_create(cpu_device(), "net", &b->store, &e) != MM_OK || mmi_graph_create(&b->g, &e) != MM_OK)
		return -1;
	mmi_graph_scope(b->g, b->store, "m0.decoder");
	b->map = mmi_input(b->g, "map", mmi_shape(3, 6, 5, 3));
	b->vector = mmi_input(b->g, "vector", mmi_shape(1, 4));
	b->number = mmi_input(b->g, "number", mmi_shape(0));
	*state = b;
	return 0;
}

static int bench_teardown(void **state)
{
	bench *b = *state;
	mmi_graph_destroy(b->g);
	mmi_params_destroy(b->store);
	free(b);
	return 0;
}

static mm_conv conv_of(int32_t channels, int32_t kernel, int32_t stride, int32_t pad)
{
	return (mm_conv){ .struct_size = sizeof(mm_conv),
		              .out_channels = channels,
		              .kernel_h = kernel,
		              .kernel_w = kernel,
		              .stride_h = stride,
		              .stride_w = stride,
		              .pad_h = pad,
		              .pad_w = pad,
		              .bias = 1 };
}

static mm_tensor conv(bench *b, mm_tensor x, mm_conv c)
{
	return ops->conv2d(b->g, x, "c1", &c);
}

static mm_tensor transposed(bench *b, int32_t stride, int32_t output_pad, int32_t pad)
{
	mm_conv c = conv_of(2, 3, stride, pad);
	c.output_pad_h = c.output_pad_w = output_pad;
	return ops->conv2d_transposed(b->g, b->map, "t1", &c);
}

static mm_tensor shared_weights(bench *b)
{
	ops->linear(b->g, b->vector, "fc", 7, 0, MM_INIT_DEFAULT);
	return ops->linear(b->g, b->vector, "fc", 8, 0, MM_INIT_DEFAULT);
}

static mm_tensor crowd(bench *b)
{
	mm_tensor many[MMI_MAX_IN + 1];
	for (int i = 0; i <= MMI_MAX_IN; i++)
		many[i] = b->vector;
	return ops->concat(b->g, many, MMI_MAX_IN + 1, 0);
}

static mm_tensor op2(bench *b, mmi_opcode op, mm_tensor x, mm_tensor y)
{
	return mmi_op(b->g, op, 2, (mm_tensor[]){ x, y }, &(mmi_attr){ .a = 1, .b = 1 });
}

static mm_tensor op3(bench *b, mmi_opcode op, mm_tensor x, mm_tensor y, mm_tensor z)
{
	return mmi_op(b->g, op, 3, (mm_tensor[]){ x, y, z }, NULL);
}

static mm_tensor reshaped(bench *b, mm_shape s)
{
	return ops->reshape(b->g, b->vector, &s);
}

static mm_tensor outside_a_model(bench *b)
{
	mmi_graph_scope(b->g, NULL, "nowhere");
	return ops->linear(b->g, b->vector, "fc", 2, 0, MM_INIT_DEFAULT);
}

static mm_tensor misnamed(bench *b, int32_t scope)
{
	char name[80];
	memset(name, 'n', sizeof name);
	name[scope ? 54 : 79] = 0;
	if (scope)
		mmi_graph_scope(b->g, b->store, "%060d", 7);
	return ops->linear(b->g, b->vector, name, 2, 0, MM_INIT_DEFAULT);
}

/* X(test, call, status, part of the message) */
#define REFUSALS(X)                                                                                                 \
	X(linear_without_outputs, ops->linear(b->g, b->vector, "fc", 0, 1, 0), MM_ESHAPE,                               \
	  "linear \"fc\": 4 inputs and 0 outputs")                                                                      \
	X(linear_of_two_sizes, shared_weights(b), MM_ESHAPE,                                                            \
	  "parameter \"m0.decoder.fc.weight\" has shape [4,7] and was asked for again with [4,8]")                      \
	X(conv_of_a_vector, conv(b, b->vector, conv_of(2, 3, 1, 1)), MM_ESHAPE,                                         \
	  "convolution \"c1\": input has shape [4]; expected [h,w,c]")                                                  \
	X(conv_without_channels, conv(b, b->map, conv_of(0, 3, 1, 1)), MM_EARG,                                         \
	  "convolution \"c1\": channels 0, kernel 3x3, stride 1x1, padding 1x1")                                        \
	X(conv_without_stride, conv(b, b->map, conv_of(2, 3, 0, 1)), MM_EARG, "stride 0x0")                             \
	X(conv_with_negative_padding, conv(b, b->map, conv_of(2, 3, 1, -1)), MM_EARG, "paddings not negative")          \
	X(conv_larger_than_the_map, conv(b, b->map, conv_of(2, 9, 1, 1)), MM_ESHAPE,                                    \
	  "conv: a kernel of 9x9 does not fit a map of 6x5 padded by 1x1")                                              \
	X(transposed_output_padding, transposed(b, 2, 2, 1), MM_ESHAPE,                                                 \
	  "transposed convolution \"t1\": output would be 13 x 11; output padding must be below the stride")            \
	X(transposed_to_nothing, transposed(b, 1, 0, 6), MM_ESHAPE, "output would be -4 x -5")                          \
	X(pool_of_a_vector, ops->avg_pool(b->g, b->vector, 2, 2, 0, 1), MM_ESHAPE,                                      \
	  "avg_pool: input has shape [4]; expected [h,w,c]")                                                            \
	X(pool_without_stride, ops->avg_pool(b->g, b->map, 2, 0, 0, 1), MM_EARG,                                        \
	  "avg_pool: kernel 2, stride 0, padding 0")                                                                    \
	X(pool_with_wide_padding, ops->avg_pool(b->g, b->map, 2, 2, 2, 0), MM_EARG, "padding at most half the kernel")  \
	X(pool_larger_than_the_map, ops->avg_pool(b->g, b->map, 6, 1, 0, 1), MM_ESHAPE,                                 \
	  "input has shape [6,5,3]; expected a map at least as large as the pooling window")                            \
	X(global_pool_of_a_vector, ops->global_avg_pool(b->g, b->vector), MM_ESHAPE,                                    \
	  "global_avg_pool: input has shape [4]; expected [h,w,c]")                                                     \
	X(upsampled_vector, ops->upsample_nearest(b->g, b->vector, 2), MM_ESHAPE, "upsample: input has shape [4]")      \
	X(upsampled_by_nothing, ops->upsample_nearest(b->g, b->map, 0), MM_ESHAPE, "a factor of at least 1")            \
	X(sum_of_unequals, ops->add(b->g, b->map, b->vector), MM_ESHAPE,                                                \
	  "add: inputs have shapes [6,5,3] and [4]; they must agree")                                                   \
	X(product_of_unequals, ops->mul(b->g, b->number, b->vector), MM_ESHAPE,                                         \
	  "mul: inputs have shapes [] and [4]; they must agree")                                                        \
	X(unknown_activation, ops->activation(b->g, b->map, 7, 0), MM_EARG, "act: unknown activation 7")                \
	X(leaky_with_negative_slope, ops->activation(b->g, b->map, MM_ACT_LEAKY_RELU, -1), MM_EARG,                     \
	  "act: leaky ReLU with slope -1")                                                                              \
	X(clamp_upside_down, ops->clamp(b->g, b->map, 1, -1), MM_EARG,                                                  \
	  "clamp: clamp to 1 .. -1; the first must be smaller")                                                         \
	X(softmax_of_a_number, ops->softmax(b->g, b->number), MM_ESHAPE,                                                \
	  "softmax: input has shape []; expected at least one axis")                                                    \
	X(log_sum_exp_of_a_number, ops->log_sum_exp(b->g, b->number), MM_ESHAPE, "lse: input has shape []")             \
	X(concat_along_no_axis, ops->concat(b->g, (mm_tensor[]){ b->map, b->map }, 2, 3), MM_ESHAPE,                    \
	  "concat: input has shape [6,5,3]; expected an existing axis to join along")                                   \
	X(concat_of_unequals, ops->concat(b->g, (mm_tensor[]){ b->map, b->vector }, 2, 0), MM_ESHAPE,                   \
	  "concat: inputs have shapes [6,5,3] and [4]")                                                                 \
	X(concat_of_too_many, crowd(b), MM_EARG, "concat got 21 inputs; at most 20 are possible")                       \
	X(concat_of_nothing, ops->concat(b->g, NULL, 0, 0), MM_EARG, "concat of nothing")                               \
	X(slice_beyond_the_end, ops->slice(b->g, b->map, 1, 3, 3), MM_ESHAPE,                                           \
	  "slice: entries 3 to 5 of axis 1 do not exist in shape [6,5,3]")                                              \
	X(slice_of_no_axis, ops->slice(b->g, b->map, 3, 0, 1), MM_ESHAPE, "of axis 3 do not exist")                     \
	X(slice_of_nothing, ops->slice(b->g, b->map, 0, 0, 0), MM_ESHAPE, "do not exist in shape")                      \
	X(reshape_to_another_size, reshaped(b, mmi_shape(2, 2, 3)), MM_ESHAPE,                                          \
	  "reshape: [2,3] does not hold as many values as [4]")                                                         \
	X(sum_over_no_axis, ops->sum(b->g, b->vector, 1), MM_ESHAPE,                                                    \
	  "sum: input has shape [4]; expected an existing axis to sum over")                                            \
	X(mean_over_no_axis, ops->mean(b->g, b->number, 0), MM_ESHAPE,                                                  \
	  "sum: input has shape []; expected an existing axis")                                                         \
	X(gaussian_of_unequals, op2(b, MMI_OP_NLL_GAUSSIAN, b->map, b->vector), MM_ESHAPE,                              \
	  "nll_gaussian: inputs have shapes")                                                                           \
	X(laplace_of_unequals, op2(b, MMI_OP_NLL_LAPLACE, b->vector, b->map), MM_ESHAPE,                                \
	  "nll_laplace: inputs have shapes [4] and [6,5,3]")                                                            \
	X(bernoulli_of_unequals, op2(b, MMI_OP_NLL_BERNOULLI, b->vector, b->map), MM_ESHAPE,                            \
	  "nll_bernoulli: inputs have shapes")                                                                          \
	X(categorical_of_unequals, op2(b, MMI_OP_NLL_CATEGORICAL, b->vector, b->map), MM_ESHAPE,                        \
	  "nll_categorical: inputs have shapes")                                                                        \
	X(categorical_of_numbers, op2(b, MMI_OP_NLL_CATEGORICAL, b->number, b->number), MM_ESHAPE,                      \
	  "nll_categorical: input has shape []")                                                                        \
	X(normal_density_of_unequals, op3(b, MMI_OP_LOGPDF_NORMAL, b->vector, b->vector, b->number), MM_ESHAPE,         \
	  "logpdf_normal: inputs have shapes [4] and []")                                                               \
	X(laplace_density_of_unequals, op3(b, MMI_OP_LOGPDF_LAPLACE, b->vector, b->map, b->vector), MM_ESHAPE,          \
	  "logpdf_laplace: inputs have shapes [4] and [6,5,3]")                                                         \
	X(unknown_tensor, ops->affine(b->g, 99, 1, 0), MM_EARG,                                                         \
	  "affine: input 0 is tensor 99, which this graph does not have (it has 3)")                                    \
	X(missing_tensor, ops->softmax(b->g, MM_NO_TENSOR), MM_EARG, "softmax: input 0 is tensor -1")                   \
	X(linear_of_a_missing_tensor, ops->linear(b->g, MM_NO_TENSOR, "fc", 2, 0, 0), MM_EARG,                          \
	  "linear: input 0 is tensor -1")                                                                               \
	X(conv_of_a_missing_tensor, conv(b, 1000, conv_of(2, 3, 1, 1)), MM_EARG, "conv: input 0 is tensor 1000")        \
	X(parameter_outside_a_model, outside_a_model(b), MM_ESTATE, "parameter \"fc.weight\" declared outside a model") \
	X(long_layer_name, misnamed(b, 0), MM_EARG, "is too long; at most 56 characters")                               \
	X(long_parameter_name, misnamed(b, 1), MM_EARG, "characters; at most 95 are possible")                          \
	X(unknown_initial_values, ops->linear(b->g, b->vector, "fc", 2, 0, 9), MM_EARG,                                 \
	  "parameter \"m0.decoder.fc.weight\": unknown initial values 9")                                               \
	X(plugin_s_own_words, ops->fail(b->g, MM_EUNSUPPORTED, "only 28x28 pictures"), MM_EUNSUPPORTED,                 \
	  "only 28x28 pictures")                                                                                        \
	X(plugin_without_words, ops->fail(b->g, 1234, NULL), MM_EINTERNAL, "no reason given")

/* Whatever comes after the first failure neither crashes nor changes what is reported. */
static void assert_refused(bench *b, mm_tensor got, mm_status status, const char *part)
{
	mm_error e = MM_ERROR_INIT, later = MM_ERROR_INIT;
	assert_int_equal(got, MM_NO_TENSOR);
	assert_int_equal(mmi_graph_check(b->g, &e), status);
	assert_says(e.message, part);
	assert_int_equal(ops->add(b->g, got, b->vector), MM_NO_TENSOR);
	assert_int_equal(ops->linear(b->g, got, "later", 3, 1, 0), MM_NO_TENSOR);
	assert_int_equal(ops->conv2d(b->g, got, "later", &(mm_conv){ .struct_size = sizeof(mm_conv) }), MM_NO_TENSOR);
	assert_int_equal(ops->reshape(b->g, got, &(mm_shape){ .rank = 1, .dim = { 4 } }), MM_NO_TENSOR);
	assert_int_equal(ops->global_avg_pool(b->g, got), MM_NO_TENSOR);
	assert_int_equal(ops->concat(b->g, (mm_tensor[]){ b->vector, got }, 2, 0), MM_NO_TENSOR);
	assert_int_equal(ops->clamp(b->g, b->map, 1, -1), MM_NO_TENSOR);
	assert_int_equal(ops->shape(b->g, got).rank, 0);
	assert_int_equal(mmi_graph_check(b->g, &later), status);
	assert_string_equal(e.message, later.message);
}

#undef fail /* the table of operations has a member of that name */
#define REFUSAL_TEST(test, call, status, part) \
	static void refuses_##test(void **state)   \
	{                                          \
		bench *b = *state;                     \
		assert_refused(b, call, status, part); \
	}
REFUSALS(REFUSAL_TEST)

static void a_failed_graph_yields_no_program_and_no_gradient(void **state)
{
	bench *b = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	mm_tensor grad;
	ops->softmax(b->g, b->number);
	mmi_program_spec spec = { .graph = b->g, .device = cpu_device(), .n = 1, .outputs = &b->vector, .n_outputs = 1 };
	mmi_grad_request q = { .loss = b->number, .seed = b->number, .wrt = &b->number, .n_wrt = 1, .grads = &grad };
	assert_int_equal(mmi_program_create(&spec, &p, &e), MM_ESHAPE);
	assert_says(e.message, "softmax");
	assert_null(p);
	assert_int_equal(mmi_graph_grad(b->g, &q, &e), MM_ESHAPE);
}

static void programs_and_gradients_refuse_what_makes_no_sense(void **state)
{
	bench *b = *state;
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	mm_tensor none = MM_NO_TENSOR, beyond = 77, y = ops->linear(b->g, b->vector, "fc", 2, 0, 0), grad;
	mmi_program_spec spec = { .graph = b->g, .device = cpu_device(), .n = 1, .outputs = &none, .n_outputs = 1 };
	mmi_grad_request q = { .loss = b->vector, .seed = b->number, .wrt = &b->number, .n_wrt = 1, .grads = &grad };
	assert_int_equal(mmi_program_create(&spec, &p, &e), MM_EARG);
	assert_says(e.message, "program output 0 is tensor -1, which the graph does not have");
	spec.outputs = &beyond;
	assert_int_equal(mmi_program_create(&spec, &p, &e), MM_EARG);
	spec.outputs = &b->vector;
	spec.n = 0;
	assert_int_equal(mmi_program_create(&spec, &p, &e), MM_EARG);
	assert_says(e.message, "a program for 0 samples");
	spec.n = 1;
	spec.outputs = &y;
	assert_int_equal(mmi_program_create(&spec, &p, &e), MM_ESTATE);
	assert_says(e.message, "model \"net\" has no parameter storage yet");
	assert_int_equal(mmi_graph_grad(b->g, &q, &e), MM_ESHAPE);
	assert_says(e.message, "one number per sample");
	assert_null(p);
}

#define REFUSAL_ENTRY(test, call, status, part) \
	cmocka_unit_test_setup_teardown(refuses_##test, bench_setup, bench_teardown),

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFUSALS(REFUSAL_ENTRY) cmocka_unit_test_setup_teardown(a_failed_graph_yields_no_program_and_no_gradient,
		                                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(programs_and_gradients_refuse_what_makes_no_sense, bench_setup, bench_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
