/* test_abi.c - the layout of plugin ABI 1 as the compiler sees it, against the golden list abi/mm-1.offsets.
 *
 * A line of the list never changes within ABI 1; a new minor appends members, enum values and lines:
 *   tests/test_abi --print > tests/abi/mm-1.offsets */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <mmcore/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of the list. Members: where, how long. Constants: size 0. */
typedef struct fact {
	const char *type, *name;
	unsigned long value, size;
	unsigned long whole; /* sizeof the struct */
} fact;

#define MEMBER(type, member)                                                              \
	{                                                                                     \
#type, #member, offsetof(type, member), sizeof(((type *)0)->member), sizeof(type) \
	}
#define CONSTANT(name)                           \
	{                                            \
		NULL, #name, (unsigned long)(name), 0, 0 \
	}

static const fact facts[] = {
	MEMBER(mm_error, struct_size),
	MEMBER(mm_error, code),
	MEMBER(mm_error, message),
	MEMBER(mm_shape, rank),
	MEMBER(mm_shape, dim),
	MEMBER(mm_host_api, struct_size),
	MEMBER(mm_host_api, abi_major),
	MEMBER(mm_host_api, abi_minor),
	MEMBER(mm_host_api, host),
	MEMBER(mm_host_api, alloc),
	MEMBER(mm_host_api, release),
	MEMBER(mm_host_api, log),
	MEMBER(mm_host_api, get_extension),
	MEMBER(mm_host_config, struct_size),
	MEMBER(mm_host_config, get_string),
	MEMBER(mm_host_config, get_int),
	MEMBER(mm_host_config, get_float),
	MEMBER(mm_host_config, get_bool),
	MEMBER(mm_host_config, get_choice),
	MEMBER(mm_host_config, get_path),
	MEMBER(mm_host_config, instance_name),
	MEMBER(mm_host_config, data_root),
	MEMBER(mm_host_config, refuse),
	MEMBER(mm_host_random, struct_size),
	MEMBER(mm_host_random, stream),
	MEMBER(mm_host_random, words),
	MEMBER(mm_host_random, permutation),
	MEMBER(mm_conv, struct_size),
	MEMBER(mm_conv, out_channels),
	MEMBER(mm_conv, kernel_h),
	MEMBER(mm_conv, kernel_w),
	MEMBER(mm_conv, stride_h),
	MEMBER(mm_conv, stride_w),
	MEMBER(mm_conv, pad_h),
	MEMBER(mm_conv, pad_w),
	MEMBER(mm_conv, output_pad_h),
	MEMBER(mm_conv, output_pad_w),
	MEMBER(mm_conv, bias),
	MEMBER(mm_conv, init),
	MEMBER(mm_host_graph, struct_size),
	MEMBER(mm_host_graph, shape),
	MEMBER(mm_host_graph, linear),
	MEMBER(mm_host_graph, conv2d),
	MEMBER(mm_host_graph, conv2d_transposed),
	MEMBER(mm_host_graph, avg_pool),
	MEMBER(mm_host_graph, global_avg_pool),
	MEMBER(mm_host_graph, upsample_nearest),
	MEMBER(mm_host_graph, add),
	MEMBER(mm_host_graph, mul),
	MEMBER(mm_host_graph, affine),
	MEMBER(mm_host_graph, axpby),
	MEMBER(mm_host_graph, activation),
	MEMBER(mm_host_graph, clamp),
	MEMBER(mm_host_graph, softmax),
	MEMBER(mm_host_graph, log_sum_exp),
	MEMBER(mm_host_graph, concat),
	MEMBER(mm_host_graph, slice),
	MEMBER(mm_host_graph, reshape),
	MEMBER(mm_host_graph, sum),
	MEMBER(mm_host_graph, mean),
	MEMBER(mm_host_graph, fail),
	MEMBER(mm_sparse, struct_size),
	MEMBER(mm_sparse, rows),
	MEMBER(mm_sparse, columns),
	MEMBER(mm_sparse, begin),
	MEMBER(mm_sparse, column),
	MEMBER(mm_sparse, value),
	MEMBER(mm_host_linalg, struct_size),
	MEMBER(mm_host_linalg, truncated_svd),
	MEMBER(mm_host_text, struct_size),
	MEMBER(mm_host_text, advance),
	MEMBER(mm_host_text, height),
	MEMBER(mm_host_text, draw),
	MEMBER(mm_modality_info, struct_size),
	MEMBER(mm_modality_info, shape),
	MEMBER(mm_modality_info, support),
	MEMBER(mm_modality_info, lo),
	MEMBER(mm_modality_info, hi),
	MEMBER(mm_modality_info, likelihood),
	MEMBER(mm_modality_info, likelihood_scale),
	MEMBER(mm_modality_info, likelihood_weight),
	MEMBER(mm_modality_info, n_classes),
	MEMBER(mm_encoder_io, struct_size),
	MEMBER(mm_encoder_io, x),
	MEMBER(mm_encoder_io, latent_dim),
	MEMBER(mm_encoder_io, private_dim),
	MEMBER(mm_encoder_io, z_loc),
	MEMBER(mm_encoder_io, z_raw),
	MEMBER(mm_encoder_io, w_loc),
	MEMBER(mm_encoder_io, w_raw),
	MEMBER(mm_decoder_io, struct_size),
	MEMBER(mm_decoder_io, z),
	MEMBER(mm_decoder_io, w),
	MEMBER(mm_decoder_io, out),
	MEMBER(mm_features_io, struct_size),
	MEMBER(mm_features_io, x),
	MEMBER(mm_features_io, features),
	MEMBER(mm_modality_desc, struct_size),
	MEMBER(mm_modality_desc, flags),
	MEMBER(mm_modality_desc, id),
	MEMBER(mm_modality_desc, default_name),
	MEMBER(mm_modality_desc, summary),
	MEMBER(mm_modality_desc, render_suffix),
	MEMBER(mm_modality_desc, create),
	MEMBER(mm_modality_desc, destroy),
	MEMBER(mm_modality_desc, describe),
	MEMBER(mm_modality_desc, build_encoder),
	MEMBER(mm_modality_desc, build_decoder),
	MEMBER(mm_modality_desc, build_features),
	MEMBER(mm_modality_desc, open),
	MEMBER(mm_modality_desc, close),
	MEMBER(mm_modality_desc, count),
	MEMBER(mm_modality_desc, key),
	MEMBER(mm_modality_desc, label),
	MEMBER(mm_modality_desc, read),
	MEMBER(mm_modality_desc, render),
	MEMBER(mm_modality_desc, get_extension),
	MEMBER(mm_modality_picture, struct_size),
	MEMBER(mm_modality_picture, size),
	MEMBER(mm_modality_picture, draw),
	MEMBER(mm_modality_file, struct_size),
	MEMBER(mm_modality_file, read_file),
	MEMBER(mm_modality_file, read_text),
	MEMBER(mm_classifier_io, struct_size),
	MEMBER(mm_classifier_io, x),
	MEMBER(mm_classifier_io, n_classes),
	MEMBER(mm_classifier_io, logits),
	MEMBER(mm_classifier_io, features),
	MEMBER(mm_modality_classifier, struct_size),
	MEMBER(mm_modality_classifier, features_name),
	MEMBER(mm_modality_classifier, build),
	MEMBER(mm_modality_state, struct_size),
	MEMBER(mm_modality_state, save),
	MEMBER(mm_modality_state, load),
	MEMBER(mm_modality_group, struct_size),
	MEMBER(mm_modality_group, group),
	MEMBER(mm_setting, key),
	MEMBER(mm_setting, kind),
	MEMBER(mm_setting, text),
	MEMBER(mm_setting, fallback),
	MEMBER(mm_setting, min),
	MEMBER(mm_setting, max),
	MEMBER(mm_setting, names),
	MEMBER(mm_setting, help),
	MEMBER(mm_modality_settings, struct_size),
	MEMBER(mm_modality_settings, at),
	MEMBER(mm_plugin_entry, magic),
	MEMBER(mm_plugin_entry, struct_size),
	MEMBER(mm_plugin_entry, abi_major),
	MEMBER(mm_plugin_entry, abi_minor_built),
	MEMBER(mm_plugin_entry, abi_minor_required),
	MEMBER(mm_plugin_entry, flags),
	MEMBER(mm_plugin_entry, abi_tag),
	MEMBER(mm_plugin_entry, n_modalities),
	MEMBER(mm_plugin_entry, id),
	MEMBER(mm_plugin_entry, name),
	MEMBER(mm_plugin_entry, vendor),
	MEMBER(mm_plugin_entry, version),
	MEMBER(mm_plugin_entry, license),
	MEMBER(mm_plugin_entry, modalities),
	MEMBER(mm_plugin_entry, load),
	MEMBER(mm_plugin_entry, get_extension),
	MEMBER(mm_plugin_entry, unload),
	CONSTANT(MM_OK),
	CONSTANT(MM_ENOMEM),
	CONSTANT(MM_EARG),
	CONSTANT(MM_EABI),
	CONSTANT(MM_EUNSUPPORTED),
	CONSTANT(MM_ESHAPE),
	CONSTANT(MM_EIO),
	CONSTANT(MM_EFORMAT),
	CONSTANT(MM_ECONFIG),
	CONSTANT(MM_ESTATE),
	CONSTANT(MM_ENUMERIC),
	CONSTANT(MM_ECANCELLED),
	CONSTANT(MM_EINTERNAL),
	CONSTANT(MM_LOG_DEBUG),
	CONSTANT(MM_LOG_INFO),
	CONSTANT(MM_LOG_WARNING),
	CONSTANT(MM_LOG_ERROR),
	CONSTANT(MM_LOG_HOST_MISBEHAVING),
	CONSTANT(MM_LOG_PLUGIN_MISBEHAVING),
	CONSTANT(MM_ACT_NONE),
	CONSTANT(MM_ACT_RELU),
	CONSTANT(MM_ACT_LEAKY_RELU),
	CONSTANT(MM_ACT_TANH),
	CONSTANT(MM_ACT_SIGMOID),
	CONSTANT(MM_ACT_SOFTPLUS),
	CONSTANT(MM_ACT_EXP),
	CONSTANT(MM_INIT_DEFAULT),
	CONSTANT(MM_INIT_XAVIER_NORMAL),
	CONSTANT(MM_INIT_ZERO),
	CONSTANT(MM_SUPPORT_BOX),
	CONSTANT(MM_SUPPORT_SIMPLEX),
	CONSTANT(MM_SUPPORT_REAL),
	CONSTANT(MM_LIKELIHOOD_GAUSSIAN),
	CONSTANT(MM_LIKELIHOOD_LAPLACE),
	CONSTANT(MM_LIKELIHOOD_BERNOULLI),
	CONSTANT(MM_LIKELIHOOD_CATEGORICAL),
	CONSTANT(MM_SPLIT_TRAIN),
	CONSTANT(MM_SPLIT_TEST),
	CONSTANT(MM_SETTING_INT),
	CONSTANT(MM_SETTING_REAL),
	CONSTANT(MM_SETTING_SWITCH),
	CONSTANT(MM_SETTING_CHOICE),
	CONSTANT(MM_SETTING_TEXT),
	CONSTANT(MM_SETTING_PATH),
	CONSTANT(MM_ABI_MAJOR),
	CONSTANT(MM_ABI_TAG),
	CONSTANT(MM_PLUGIN_MAGIC),
	CONSTANT(MM_MAX_RANK),
	CONSTANT(MM_ERROR_TEXT),
};
#define N_FACTS (sizeof facts / sizeof *facts)

static void print_fact(const fact *x, char *out, size_t size)
{
	if (x->type)
		snprintf(out, size, "%s.%s %lu %lu", x->type, x->name, x->value, x->size);
	else
		snprintf(out, size, "%s %lu", x->name, x->value);
}

static char golden[N_FACTS * 128];

static int read_golden(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];

	(void)state;
	snprintf(path, sizeof path, "%s/tests/abi/mm-1.offsets", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "r");
	if (!file) {
		print_error("%s cannot be opened\n", path);
		return -1;
	}
	size_t used = fread(golden + 1, 1, sizeof golden - 2, file);
	fclose(file);
	golden[0] = '\n';
	golden[used + 1] = 0;
	return 0;
}

static void need_lp64(void)
{
	if (sizeof(void *) == 8)
		return;
	print_message("the golden list is for pointers of 8 bytes, here they have %zu\n", sizeof(void *));
	skip();
}

static void every_member_and_constant_is_where_the_list_says(void **state)
{
	char line[128], needle[132];

	(void)state;
	need_lp64();
	for (size_t i = 0; i < N_FACTS; i++) {
		print_fact(&facts[i], line, sizeof line);
		snprintf(needle, sizeof needle, "\n%s\n", line);
		if (!strstr(golden, needle))
			fail_msg(
				"\"%s\" is not in tests/abi/mm-1.offsets: a published layout changed, or a new minor's line is missing",
				line);
	}
}

static void the_list_holds_nothing_that_is_gone(void **state)
{
	size_t lines = 0;

	(void)state;
	need_lp64();
	for (const char *p = golden + 1; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, N_FACTS);
}

/* Catches a member that was added to a header but not to the table above. */
static void the_table_leaves_no_gaps_in_a_struct(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FACTS && facts[i].type; i++) {
		int last = !facts[i + 1].type || strcmp(facts[i].type, facts[i + 1].type);
		int first = i == 0 || strcmp(facts[i].type, facts[i - 1].type);
		unsigned long end = facts[i].value + facts[i].size, next = last ? facts[i].whole : facts[i + 1].value;
		if (first)
			assert_int_equal(facts[i].value, 0);
		assert_true(next >= end);
		if (next - end >= sizeof(void *) || (next != end && next % sizeof(void *)))
			fail_msg("%s: bytes %lu to %lu belong to no member listed here", facts[i].type, end, next);
	}
}

static void sizes_end_at_the_last_member(void **state)
{
	mm_host_api api = { .struct_size = MM_SIZE_THROUGH(mm_host_api, log) };

	(void)state;
	assert_int_equal(MM_SIZE_THROUGH(mm_error, message), 8 + MM_ERROR_TEXT);
	api.log = (void (*)(mm_host *, int, const char *))(uintptr_t)16;
	api.get_extension = (const void *(*)(mm_host *, const char *))(uintptr_t)16;
	assert_true(MM_HAS(&api, log));
	assert_false(MM_HAS(&api, alloc));         /* within the size, but not set */
	assert_false(MM_HAS(&api, get_extension)); /* set, but beyond the size */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_and_constant_is_where_the_list_says),
		cmocka_unit_test(the_list_holds_nothing_that_is_gone),
		cmocka_unit_test(the_table_leaves_no_gaps_in_a_struct),
		cmocka_unit_test(sizes_end_at_the_last_member),
	};
	char line[128];

	if (argc < 2 || strcmp(argv[1], "--print"))
		return cmocka_run_group_tests(tests, read_golden, NULL);
	for (size_t i = 0; i < N_FACTS; i++) {
		print_fact(&facts[i], line, sizeof line);
		puts(line);
	}
	return 0;
}
