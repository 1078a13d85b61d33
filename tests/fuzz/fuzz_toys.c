/* fuzz_toys.c - a setup of two toys and a model of them. */
#include "mmi_build.h"

#include "fuzz_toys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ini[] = "[run]\nthreads = 1\nchunk = 4\n"
						  "[learner]\niterations = 1000\nwarmup = 0\nbatch = 4\nlatent_dim = 3\nprivate_dim = "
						  "2\nx_steps = 2\nx_noise = 0.01\n"
						  "x_start = buffer\nx_buffer = 8\nz_steps = 2\ngenerator_ema = 0.9\n"
						  "[energy]\nnef = 4\nblocks = 2\nmatch = towers\n"
						  "[m0]\nplugin = toy.so\n[m1]\nplugin = toy.so\nhidden = 5\n";

mmi_setup *fuzz_toys(void)
{
	static mmi_setup setup;
	static bool made;
	static const mmi_log silent = { .line = NULL };
	mm_error e = MM_ERROR_INIT;
	char path[512];
	const char *folder = getenv("MMCORE_TEST_PLUGINS");
	if (made)
		return &setup;
	snprintf(path, sizeof path, "run.plugin_path=%s", folder ? folder : ".");
	const char *const sets[] = { path };
	const mmi_setup_request request = {
		.ini = fuzz_file(3, ini, sizeof ini - 1), .sets = sets, .n_sets = 1, .log = &silent
	};
	fuzz_must(mmi_setup_open(&request, &setup, &e), &e);
	made = true;
	return &setup;
}

mmi_model *fuzz_toy_model(void)
{
	static mmi_model *model;
	mmi_setup *s = fuzz_toys();
	mm_error e = MM_ERROR_INIT;
	if (!model)
		fuzz_must(mmi_model_create(&s->device, s->modalities, s->n_modalities, &s->settings.model, &model, &e), &e);
	return model;
}
