/* fuzz_model.c - whole checkpoints, with a checksum that is right, through the library: settings, networks, numbers;
 * then a sample, a score and a translation. */
#include "mmi_build.h"

#include "fuzz.h"

#include <mmcore/mmcore.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FLOATS = 4096, MOST_MODALITIES = 16 };

static void use(mm_model *model)
{
	static float x[MOST_MODALITIES][MOST_FLOATS];
	float *rows[MOST_MODALITIES] = { NULL };
	const float *given[MOST_MODALITIES] = { NULL };
	mm_model_about about = { .struct_size = sizeof about };
	mm_options o = MM_OPTIONS_INIT;
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT, g = MM_ERROR_INIT, h = MM_ERROR_INIT;
	float energy;
	fuzz_must(mm_model_describe(model, &about, &e), &e);
	for (uint32_t m = 0; m < about.n_modalities && m < MOST_MODALITIES; m++) {
		mm_modality_about a = { .struct_size = sizeof a };
		fuzz_must(mm_model_modality(model, m, &a, &e), &e);
		rows[m] = a.floats <= MOST_FLOATS ? x[m] : NULL;
	}
	o.x_steps = o.z_steps = o.guide_steps = 1;
	o.candidates = 2;
	if (about.n_modalities > MOST_MODALITIES || !fuzz_ok(mm_model_sample(model, 1, &o, rows, NULL, &f), &f))
		return;
	fuzz_ok(mm_model_score(model, 1, (const float *const *)rows, &o, &energy, &g), &g);
	given[0] = rows[0];
	rows[0] = NULL;
	if (given[0])
		fuzz_ok(mm_model_translate(model, 1, given, NULL, &o, rows, NULL, &h), &h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_open_options o = MM_OPEN_OPTIONS_INIT;
	mm_error e = MM_ERROR_INIT;
	mm_model *model;
	uint8_t *copy = malloc(n + 1);
	if (n)
		memcpy(copy, data, n);
	fuzz_new_checksum(copy, n);
	o.threads = 1;
	o.plugin_path = getenv("MMCORE_TEST_PLUGINS");
	if (fuzz_ok(mm_model_open_memory(copy, n, NULL, &o, &model, &e), &e)) {
		use(model);
		mm_model_close(model);
	}
	free(copy);
	return 0;
}
