/* test_mnist_nets.c - the networks the mnist plugin records, by shape and parameter count. */
#include "mmi_build.h"

#include "test_mnist_bench.h"

#include <stdio.h>

static const mm_shape picture = { 3, { 28, 28, 3, 0 } };

static mm_shape vector(int32_t n)
{
	return (mm_shape){ 1, { n, 0, 0, 0 } };
}

static void assert_shape(const mm_graph *g, mm_tensor x, mm_shape expected)
{
	if (g->error)
		fail_msg("%s", g->error);
	assert_in_range(x, 0, g->tensors - 1);
	assert_memory_equal(&g->tensor[x], &expected, sizeof(expected));
}

static mm_encoder_io encode(bench *b, mm_instance *i, mm_graph *g, int32_t latent, int32_t private_dim)
{
	mm_encoder_io io = {
		MM_SIZE_THROUGH(mm_encoder_io, w_raw), graph_input(g, picture), latent, private_dim, 77, 77, 77, 77
	};
	assert_ok(b, b->desc->build_encoder(i, g, &io, &b->e));
	assert_shape(g, io.z_loc, vector(latent));
	assert_shape(g, io.z_raw, vector(latent));
	assert_int_not_equal(io.z_loc, io.z_raw);
	if (private_dim) {
		assert_shape(g, io.w_loc, vector(private_dim));
		assert_shape(g, io.w_raw, vector(private_dim));
	} else {
		assert_int_equal(io.w_loc, MM_NO_TENSOR);
		assert_int_equal(io.w_raw, MM_NO_TENSOR);
	}
	return io;
}

static mm_decoder_io decode(bench *b, mm_instance *i, mm_graph *g, int32_t latent, int32_t private_dim)
{
	mm_decoder_io io = { .struct_size = MM_SIZE_THROUGH(mm_decoder_io, out),
		                 .z = graph_input(g, vector(latent)),
		                 .w = private_dim ? graph_input(g, vector(private_dim)) : MM_NO_TENSOR,
		                 .out = MM_NO_TENSOR };
	assert_ok(b, b->desc->build_decoder(i, g, &io, &b->e));
	assert_shape(g, io.out, picture);
	return io;
}

static void resnet_encoder_has_the_published_size(void **state)
{
	bench *b = *state;
	mm_graph one = { 0 }, two = { 0 };
	mm_instance *i = make(b, "m0", "net", "resnet", NULL, NULL);
	encode(b, i, &one, 32, 0);
	assert_int_equal(graph_parameter_count(&one), 1473024);
	assert_int_equal(one.pools_with_padding, 2);
	assert_int_equal(one.activations[MM_ACT_LEAKY_RELU], 6);
	assert_true(one.axpby_b == 0.1f);
	encode(b, i, &two, 32, 32);
	assert_int_equal(graph_parameter_count(&two), 2 * 1473024); /* nothing shared between z and w */
	assert_null(graph_find(&one, "z.res2.shortcut.bias"));
	assert_non_null(graph_find(&one, "z.res2.shortcut.weight"));
	assert_null(graph_find(&one, "z.res1.shortcut.weight"));
	b->desc->destroy(i);
}

static void resnet_decoder_has_the_published_size(void **state)
{
	bench *b = *state;
	mm_graph z_only = { 0 }, both = { 0 };
	mm_instance *i = make(b, "m0", "net", "resnet", NULL, NULL);
	mm_decoder_io io = decode(b, i, &z_only, 32, 0);
	assert_int_equal(graph_parameter_count(&z_only), 1083843);
	assert_int_not_equal(io.out, z_only.activation_out); /* linear output */
	assert_int_equal(z_only.activations[MM_ACT_LEAKY_RELU], 7);
	assert_int_equal(z_only.activations[MM_ACT_TANH], 0);
	io = decode(b, i, &both, 32, 32);
	assert_int_equal(graph_parameter_count(&both), 1485251);
	assert_int_equal(both.concat[0], io.w);
	assert_int_equal(both.concat[1], io.z);
	b->desc->destroy(i);
}

static void assert_parameter(const mm_graph *g, const char *name, mm_shape shape)
{
	const parameter *p = graph_find(g, name);
	if (!p)
		fail_msg("no parameter %s", name);
	assert_memory_equal(&p->shape, &shape, sizeof(shape));
}

static void conv_decoder_is_the_measured_one(void **state)
{
	bench *b = *state;
	mm_graph g = { 0 };
	mm_instance *i = plain(b, "m0");
	mm_decoder_io io = decode(b, i, &g, 32, 0);
	assert_parameter(&g, "hidden.weight", (mm_shape){ 2, { 32, 6272 } });
	assert_parameter(&g, "conv1.weight", (mm_shape){ 4, { 4, 4, 64, 128 } });
	assert_parameter(&g, "conv2.weight", (mm_shape){ 4, { 4, 4, 32, 64 } });
	assert_parameter(&g, "conv3.weight", (mm_shape){ 4, { 3, 3, 32, 3 } });
	assert_int_equal(g.parameters, 8);
	assert_int_equal(io.out, g.activation_out);
	assert_int_equal(g.activation_last, MM_ACT_TANH);
	assert_int_equal(g.activations[MM_ACT_RELU], 3);
	b->desc->destroy(i);
}

static void conv_width_and_private_part_scale(void **state)
{
	bench *b = *state;
	mm_graph e = { 0 }, d = { 0 };
	mm_instance *i = make(b, "m0", "width", "16", "output", "linear");
	encode(b, i, &e, 20, 5);
	assert_parameter(&e, "conv1.weight", (mm_shape){ 4, { 4, 4, 3, 16 } });
	assert_parameter(&e, "conv2.weight", (mm_shape){ 4, { 4, 4, 16, 32 } });
	assert_parameter(&e, "hidden.weight", (mm_shape){ 2, { 1568, 128 } });
	assert_parameter(&e, "w_raw.weight", (mm_shape){ 2, { 128, 5 } });
	mm_decoder_io io = decode(b, i, &d, 20, 5);
	assert_parameter(&d, "hidden.weight", (mm_shape){ 2, { 25, 3136 } });
	assert_int_equal(d.concat[0], io.w);
	assert_int_equal(d.activations[MM_ACT_TANH], 0);
	b->desc->destroy(i);
}

static void features_are_one_convolution(void **state)
{
	bench *b = *state;
	for (int bias = 0; bias < 2; bias++) {
		mm_graph g = { 0 };
		mm_features_io io = { MM_SIZE_THROUGH(mm_features_io, features), graph_input(&g, picture), MM_NO_TENSOR };
		mm_instance *i = bias ? make(b, "m0", "energy_channels", "8", "energy_bias", "yes") : plain(b, "m0");
		assert_ok(b, b->desc->build_features(i, &g, &io, &b->e));
		assert_shape(&g, io.features, (mm_shape){ 3, { 28, 28, bias ? 8 : 16 } });
		assert_int_equal(graph_parameter_count(&g), bias ? 27 * 8 + 8 : 27 * 16);
		b->desc->destroy(i);
	}
}

static void features_with_a_stride_are_a_quarter_of_the_size(void **state)
{
	bench *b = *state;
	mm_graph g = { 0 };
	mm_features_io io = { MM_SIZE_THROUGH(mm_features_io, features), graph_input(&g, picture), MM_NO_TENSOR };
	mm_instance *i = make(b, "m0", "energy_stride", "2", NULL, NULL);
	assert_ok(b, b->desc->build_features(i, &g, &io, &b->e));
	assert_shape(&g, io.features, (mm_shape){ 3, { 14, 14, 16 } });
	assert_int_equal(graph_parameter_count(&g), 4 * 4 * 3 * 16);
	b->desc->destroy(i);
}

static const mm_modality_classifier *classifier_of(const bench *b)
{
	const mm_modality_classifier *c = b->desc->get_extension(MM_MODALITY_CLASSIFIER);
	assert_non_null(c);
	assert_string_equal(c->features_name, "hidden128");
	return c;
}

/* Its size must not follow the model's settings: figures of different runs are compared. */
static void the_classifier_is_the_same_for_all_settings(void **state)
{
	bench *b = *state;
	for (int k = 0; k < 2; k++) {
		mm_graph g = { 0 };
		mm_instance *i = k ? make(b, "m0", "net", "resnet", "width", "8") : plain(b, "m0");
		mm_classifier_io io = { MM_SIZE_THROUGH(mm_classifier_io, features), graph_input(&g, picture), 10, 77, 77 };
		assert_ok(b, classifier_of(b)->build(i, &g, &io, &b->e));
		assert_shape(&g, io.logits, vector(10));
		assert_shape(&g, io.features, vector(128));
		assert_int_equal(graph_parameter_count(&g),
		                 48 * 32 + 32 + 512 * 64 + 64 + 576 * 128 + 128 + 2048 * 128 + 128 + 1280 + 10);
		b->desc->destroy(i);
	}
}

static void builds_record_the_same_every_time(void **state)
{
	static const char *const nets[] = { "conv", "resnet" };
	bench *b = *state;
	for (int k = 0; k < 2; k++) {
		mm_graph g = { 0 };
		mm_instance *i = make(b, "m0", "net", nets[k], NULL, NULL);
		encode(b, i, &g, 32, 0);
		int tensors = g.tensors, parameters = g.parameters;
		encode(b, i, &g, 32, 0);
		assert_int_equal(g.tensors, 2 * tensors);
		assert_int_equal(g.parameters, parameters); /* same names, same shapes: shared */
		b->desc->destroy(i);
	}
}

/* A host that refuses an input must get through the callback unharmed. */
static void builds_pass_failures_on(void **state)
{
	static const char *const nets[] = { "conv", "resnet" };
	bench *b = *state;
	for (int k = 0; k < 2; k++) {
		mm_graph g = { 0 };
		mm_instance *i = make(b, "m0", "net", nets[k], NULL, NULL);
		mm_encoder_io e = { MM_SIZE_THROUGH(mm_encoder_io, w_raw), MM_NO_TENSOR, 8, 8, 0, 0, 0, 0 };
		mm_decoder_io d = { MM_SIZE_THROUGH(mm_decoder_io, out), MM_NO_TENSOR, MM_NO_TENSOR, 0 };
		assert_ok(b, b->desc->build_encoder(i, &g, &e, &b->e));
		assert_int_equal(e.z_loc, MM_NO_TENSOR);
		assert_int_equal(e.w_raw, MM_NO_TENSOR);
		assert_ok(b, b->desc->build_decoder(i, &g, &d, &b->e));
		assert_int_equal(d.out, MM_NO_TENSOR);
		b->desc->destroy(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(resnet_encoder_has_the_published_size),
		one_test(resnet_decoder_has_the_published_size),
		one_test(conv_decoder_is_the_measured_one),
		one_test(conv_width_and_private_part_scale),
		one_test(features_are_one_convolution),
		one_test(features_with_a_stride_are_a_quarter_of_the_size),
		one_test(the_classifier_is_the_same_for_all_settings),
		one_test(builds_record_the_same_every_time),
		one_test(builds_pass_failures_on),
	};
	return cmocka_run_group_tests_name("mnist networks", tests, NULL, NULL);
}
