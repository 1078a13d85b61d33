/* test_layout.c - the structs of mmcore.h as the compiler sees them, against the golden list abi/libmmcore-1.offsets.
 *
 * A line of the list never changes while the library is libmmcore.so.1; members and lines are appended:
 *   tests/api/test_layout --print > tests/abi/libmmcore-1.offsets */
#include "mmi_build.h"

#include "../rig/offsets.h"

#include <mmcore/mmcore.h>
#include <string.h>

static const fact facts[] = {
	MEMBER(mm_open_options, struct_size),
	MEMBER(mm_open_options, threads),
	MEMBER(mm_open_options, device),
	MEMBER(mm_open_options, plugin_path),
	MEMBER(mm_open_options, plugins),
	MEMBER(mm_open_options, n_plugins),
	MEMBER(mm_open_options, settings),
	MEMBER(mm_open_options, n_settings),
	MEMBER(mm_open_options, log),
	MEMBER(mm_open_options, log_ctx),
	MEMBER(mm_model_about, struct_size),
	MEMBER(mm_model_about, n_modalities),
	MEMBER(mm_model_about, latent_dim),
	MEMBER(mm_model_about, private_dim),
	MEMBER(mm_model_about, has_energy),
	MEMBER(mm_model_about, threads),
	MEMBER(mm_model_about, iteration),
	MEMBER(mm_model_about, seed),
	MEMBER(mm_modality_about, struct_size),
	MEMBER(mm_modality_about, rank),
	MEMBER(mm_modality_about, dim),
	MEMBER(mm_modality_about, floats),
	MEMBER(mm_modality_about, name),
	MEMBER(mm_modality_about, plugin),
	MEMBER(mm_modality_about, version),
	MEMBER(mm_modality_about, kind),
	MEMBER(mm_modality_about, file_suffix),
	MEMBER(mm_modality_about, support),
	MEMBER(mm_modality_about, likelihood),
	MEMBER(mm_modality_about, lo),
	MEMBER(mm_modality_about, hi),
	MEMBER(mm_modality_about, likelihood_scale),
	MEMBER(mm_modality_about, n_classes),
	MEMBER(mm_modality_about, can),
	MEMBER(mm_modality_about, picture_width),
	MEMBER(mm_modality_about, picture_height),
	MEMBER(mm_options, struct_size),
	MEMBER(mm_options, number),
	MEMBER(mm_options, draws),
	MEMBER(mm_options, mean),
	MEMBER(mm_options, expert),
	MEMBER(mm_options, z_steps),
	MEMBER(mm_options, candidates),
	MEMBER(mm_options, guide_steps),
	MEMBER(mm_options, x_steps),
	MEMBER(mm_options, progress),
	MEMBER(mm_options, progress_ctx),
	MEMBER(mm_latents, struct_size),
	MEMBER(mm_latents, z),
	MEMBER(mm_latents, w),
	MEMBER(mm_encoded, struct_size),
	MEMBER(mm_encoded, z_mean),
	MEMBER(mm_encoded, z_scale),
	MEMBER(mm_encoded, w_mean),
	MEMBER(mm_encoded, w_scale),
	CONSTANT(MM_CAN_READ_FILES),
	CONSTANT(MM_CAN_READ_TEXT),
	CONSTANT(MM_CAN_DRAW),
};

static const offsets list = { "tests/abi/libmmcore-1.offsets", facts, sizeof facts / sizeof *facts };

/* The initialisers name members by their places. */
static void initialisers_are_what_they_say(void **state)
{
	const mm_open_options open = MM_OPEN_OPTIONS_INIT;
	const mm_options o = MM_OPTIONS_INIT;
	(void)state;
	assert_int_equal(open.struct_size, sizeof open);
	assert_int_equal(open.threads, 0);
	assert_null(open.log_ctx);
	assert_int_equal(o.struct_size, sizeof o);
	assert_int_equal(o.draws, 1);
	assert_int_equal(o.mean, 0);
	assert_int_equal(o.expert, -1);
	assert_int_equal(o.z_steps, -1);
	assert_int_equal(o.candidates, -1);
	assert_int_equal(o.guide_steps, -1);
	assert_int_equal(o.x_steps, -1);
	assert_null(o.progress);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		OFFSETS_TESTS(&list),
		cmocka_unit_test(initialisers_are_what_they_say),
	};

	if (argc > 1 && !strcmp(argv[1], "--print"))
		return offsets_print(&list);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
