/* toy_model.h - checkpoints of the toy plugin (tests/badplugins), trained by the program in a second. */
#ifndef TOY_MODEL_H
#define TOY_MODEL_H

#include "store_rig.h"

#include <mmcore/mmcore.h>

enum { TOYS = 3, TOY_FLOATS = 8 };

/* Runs the program, whose output goes to FOLDER/out; fails the test unless it ends with 0. */
static inline void toy_program(const char *folder, const char *arguments)
{
	char command[4096];
	const char *program = getenv("MMCORE_PROGRAM");
	snprintf(command, sizeof command, "cd '%s' && MMCORE_PLUGIN_PATH='%s' '%s' %s >out 2>err", folder,
	         getenv("MMCORE_TEST_PLUGINS"), program ? program : "mmcore", arguments);
	if (system(command) != 0)
		fail_msg("%s: see %s/err", command, folder);
}

/* FOLDER/NAME, a run of three toys; sets: what differs from the rig's settings, as options. */
static inline void toy_train(const char *folder, const char *name, const char *sets)
{
	static const char ini[] =
		"[run]\nthreads = 1\nchunk = 4\n"
		"[learner]\niterations = 12\nwarmup = 4\nbatch = 8\nlatent_dim = 3\nx_steps = 3\nx_noise = 0.01\n"
		"z_steps = 2\n[energy]\nnef = 4\nblocks = 2\n"
		"[m0]\nplugin = toy.so\n[m1]\nplugin = toy.so\ngain = 2\n[m2]\nplugin = toy.so\n";
	char path[512], arguments[1024];
	snprintf(path, sizeof path, "%s/toy.ini", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(ini, file) >= 0 && fclose(file) == 0);
	snprintf(arguments, sizeof arguments, "train --ini toy.ini --out '%s' %s", name, sets);
	toy_program(folder, arguments);
}

#endif
