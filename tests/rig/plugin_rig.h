/* plugin_rig.h - a registry and settings for one test, with a folder of its own and the lines of the log. */
#ifndef PLUGIN_RIG_H
#define PLUGIN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/tuples.h"
#include "plugin/loader.h"
#include "plugin/modality.h"
#include "engine/params.h"
#include "device_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOY BADPLUGIN_DIR "/toy.so"

typedef struct fixture {
	mmi_registry *registry;
	mmi_config *config;
	char folder[64]; /* empty, for this test alone */
	char log[8192];
	mm_error e;
} fixture;

static inline void keep_line(void *ctx, int level, const char *text)
{
	fixture *f = ctx;
	size_t used = strlen(f->log);
	snprintf(f->log + used, sizeof f->log - used, "%d %s\n", level, text);
}

static inline mmi_log log_of(fixture *f)
{
	return (mmi_log){ .line = keep_line, .ctx = f };
}

static inline void new_registry(fixture *f, const char *extra)
{
	mmi_log log = log_of(f);
	mmi_registry_destroy(f->registry);
	f->registry = NULL;
	assert_int_equal(mmi_registry_create(7, &log, extra, &f->registry, &f->e), MM_OK);
}

static inline void setup(fixture *f)
{
	memset(f, 0, sizeof *f);
	f->e.struct_size = sizeof f->e;
	snprintf(f->folder, sizeof f->folder, "/tmp/mmcore-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	setenv("HOME", f->folder, 1);
	setenv("MMCORE_PLUGIN_PATH", BADPLUGIN_DIR, 1);
	new_registry(f, NULL);
	assert_int_equal(mmi_config_create(&f->config, &f->e), MM_OK);
}

static inline void teardown(fixture *f)
{
	char command[128];
	mmi_config_destroy(f->config);
	mmi_registry_destroy(f->registry);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
}

static inline void assert_says(const fixture *f, const char *part)
{
	if (!strstr(f->e.message, part))
		fail_msg("expected \"%s\" in: %s", part, f->e.message);
}

static inline void set(fixture *f, const char *assignment)
{
	assert_int_equal(mmi_config_set(f->config, assignment, &f->e), MM_OK);
}

static inline const mmi_plugin *open_plugin(fixture *f, const char *name)
{
	const mmi_plugin *p = NULL;
	if (mmi_registry_open(f->registry, name, &p, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
	return p;
}

static inline mmi_modality make(fixture *f, const char *name, const mmi_plugin *p)
{
	mmi_modality m = { 0 };
	if (mmi_modality_create(f->registry, f->config, name, p, NULL, &m, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
	return m;
}

static inline void link_to(fixture *f, const char *target, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", f->folder, name);
	assert_int_equal(symlink(target, path), 0);
}

static inline void copy_to(fixture *f, const char *source, const char *name)
{
	char command[512];
	snprintf(command, sizeof command, "cp '%s' '%s/%s'", source, f->folder, name);
	assert_int_equal(system(command), 0);
}

/* Builds an instance's "encoder", "decoder" or "features" alone. */
static inline mm_status build_branch(const mmi_modality *m, const char *branch, mm_error *e)
{
	mmi_graph *g = NULL;
	mmi_params *store = NULL;
	mm_encoder_io io;
	mm_tensor out;

	assert_int_equal(mmi_graph_create(&g, e), MM_OK);
	assert_int_equal(mmi_params_create(cpu_device(), "model", &store, e), MM_OK);
	mmi_graph_scope(g, store, "%s.%s", m->name, branch);
	mm_tensor x = mmi_input(g, "x", m->info.shape), z = mmi_input(g, "z", mmi_shape(1, 4));
	mm_status status = !strcmp(branch, "encoder")   ? mmi_modality_build_encoder(m, g, x, 4, 0, &io, e)
	                   : !strcmp(branch, "decoder") ? mmi_modality_build_decoder(m, g, z, MM_NO_TENSOR, &out, e)
	                                                : mmi_modality_build_features(m, g, x, &out, e);
	mmi_graph_destroy(g);
	mmi_params_destroy(store);
	return status;
}

#endif
