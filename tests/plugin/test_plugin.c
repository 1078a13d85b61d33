/* test_plugin.c - the loader against plugins with one defect each, the host's services, instances and their branches.
 */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/tuples.h"
#include "engine/params.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/modality.h"
#include "plugin/search.h"
#include "../rig/device_rig.h"

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOY BADPLUGIN_DIR "/toy.so"

typedef struct fixture {
	mmi_registry *registry;
	mmi_config *config;
	char folder[64]; /* empty, for this test alone */
	char log[8192];
	mm_error e;
} fixture;

static void keep_line(void *ctx, int level, const char *text)
{
	fixture *f = ctx;
	size_t used = strlen(f->log);
	snprintf(f->log + used, sizeof f->log - used, "%d %s\n", level, text);
}

static mmi_log log_of(fixture *f)
{
	return (mmi_log){ .line = keep_line, .ctx = f };
}

static void new_registry(fixture *f, const char *extra)
{
	mmi_log log = log_of(f);
	mmi_registry_destroy(f->registry);
	f->registry = NULL;
	assert_int_equal(mmi_registry_create(7, &log, extra, &f->registry, &f->e), MM_OK);
}

static void setup(fixture *f)
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

static void teardown(fixture *f)
{
	char command[128];
	mmi_config_destroy(f->config);
	mmi_registry_destroy(f->registry);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
}

static void assert_says(const fixture *f, const char *part)
{
	if (!strstr(f->e.message, part))
		fail_msg("expected \"%s\" in: %s", part, f->e.message);
}

static void set(fixture *f, const char *assignment)
{
	assert_int_equal(mmi_config_set(f->config, assignment, &f->e), MM_OK);
}

static const mmi_plugin *open_plugin(fixture *f, const char *name)
{
	const mmi_plugin *p = NULL;
	if (mmi_registry_open(f->registry, name, &p, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
	return p;
}

static mmi_modality make(fixture *f, const char *name, const mmi_plugin *p)
{
	mmi_modality m = { 0 };
	if (mmi_modality_create(f->registry, f->config, name, p, NULL, &m, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
	return m;
}

static void link_to(fixture *f, const char *target, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", f->folder, name);
	assert_int_equal(symlink(target, path), 0);
}

static void copy_to(fixture *f, const char *source, const char *name)
{
	char command[512];
	snprintf(command, sizeof command, "cp '%s' '%s/%s'", source, f->folder, name);
	assert_int_equal(system(command), 0);
}

/* ---------------------------------------------------------------- refusals */

typedef struct refusal {
	const char *plugin, *way; /* way: the setting `wrong` */
	mm_status code;
	const char *text;
} refusal;

static const refusal at_open[] = {
	{ "no_symbol", NULL, MM_EABI, "it has no symbol mm_plugin_query_1" },
	{ "foreign", NULL, MM_EABI, "its symbol mm_plugin_query_1 belongs to a library it depends on" },
	{ "null_query", NULL, MM_EABI, "mm_plugin_query_1 returned NULL" },
	{ "unresolved", NULL, MM_EABI, "undefined symbol: toy_function_of_nobody" },
	{ "wrong_magic", NULL, MM_EABI, "magic number is 0x12345678, needed is 0x31504D4D" },
	{ "wrong_major", NULL, MM_EABI, "built for plugin ABI 2, this mmcore has ABI 1; rebuild" },
	{ "newer_minor", NULL, MM_EABI, "requires plugin ABI 1.9, this mmcore has 1.1; install a newer mmcore" },
	{ "minor_order", NULL, MM_EABI, "requires ABI 1.2 but is built with the headers of 1.1" },
	{ "short_entry", NULL, MM_EABI, "struct_size of mm_plugin_entry is 32, needed are 80 to" },
	{ "short_desc", NULL, MM_EABI, "struct_size of mm_modality_desc is" },
	{ "wrong_tag", NULL, MM_EABI, "pointers of 4 bytes" },
	{ "flags", NULL, MM_EABI, "flags are 0x4" },
	{ "null_callback", NULL, MM_EABI, "modality \"vector\": build_decoder is NULL" },
	{ "null_load", NULL, MM_EABI, "load is NULL" },
	{ "no_modality", NULL, MM_EABI, "lists 0 modalities" },
	{ "bad_id", NULL, MM_EABI, "the plugin's id is \"Org/Example\"" },
	{ "bad_text", NULL, MM_EABI, "the plugin's version is \"1.0 rc\"" },
	{ "same_modality", NULL, MM_EABI, "two modalities of the plugin have the id \"vector\"" },
	{ "load_fails", NULL, MM_EUNSUPPORTED, "load of org.example.load-fails: no licence for this machine" },
};

static void refused_at_open(void **state)
{
	const refusal *x = *state;
	const mmi_plugin *p = NULL;
	char path[512];
	fixture f;

	setup(&f);
	snprintf(path, sizeof path, "%s/%s.so", BADPLUGIN_DIR, x->plugin);
	assert_int_equal(mmi_registry_open(f.registry, path, &p, &f.e), x->code);
	assert_null(p);
	assert_int_equal(f.e.code, x->code);
	assert_says(&f, x->text);
	assert_says(&f, path);
	assert_int_equal(mmi_registry_count(f.registry), 1);
	const mmi_plugin *record = mmi_registry_plugin(f.registry, 0);
	assert_int_equal(record->state, MMI_PLUGIN_REFUSED);
	assert_string_equal(record->why.message, f.e.message);
	assert_true(!record->host || mmi_host_blocks(record->host) == 0);
	/* The same answer the second time, and no second record. */
	f.e.message[0] = 0;
	assert_int_equal(mmi_registry_open(f.registry, path, &p, &f.e), x->code);
	assert_string_equal(record->why.message, f.e.message);
	assert_int_equal(mmi_registry_count(f.registry), 1);
	teardown(&f);
}

static const refusal at_create[] = {
	{ "create_fails", NULL, MM_EIO, "create: the word list is missing" },
	{ "create_nothing", NULL, MM_EABI, "create: it returned MM_OK and no instance" },
	{ "odd_status", NULL, MM_EINTERNAL, "create: status 77, which this mmcore does not know" },
	{ "describe_wrong", "dim", MM_EABI, "describe: dimension 0 of the sample's shape is -8" },
	{ "describe_wrong", "overflow", MM_EABI, "describe: dimension 1 of the sample's shape is 65536" },
	{ "describe_wrong", "rank", MM_EABI, "rank is 5, needed is at most 4" },
	{ "describe_wrong", "support", MM_EABI, "support is 9" },
	{ "describe_wrong", "bounds", MM_EABI, "the box is 2 to 1" },
	{ "describe_wrong", "likelihood", MM_EABI, "likelihood is 9" },
	{ "describe_wrong", "scale", MM_EABI, "likelihood_scale is 0" },
	{ "describe_wrong", "weight", MM_EABI, "likelihood_weight is 0" },
	{ "describe_wrong", "simplex", MM_EABI, "a simplex needs a last axis" },
	{ "describe_wrong", "bernoulli", MM_EABI, "needs a box within 0 to 1, found -1 to 1" },
	{ "describe_wrong", "categorical", MM_EABI, "needs the support MM_SUPPORT_SIMPLEX" },
	{ "extension_wrong", "saved-size", MM_EABI,
	  "mm.modality.saved/1 has struct_size 4 and missing functions, needed are 16 and all" },
	{ "extension_wrong", "saved-function", MM_EABI, "mm.modality.saved/1 has struct_size 16 and missing functions" },
	{ "extension_wrong", "variation-size", MM_EABI,
	  "mm.modality.variation/1 has struct_size 4 and missing functions, needed are 16 and all" },
	{ "extension_wrong", "variation-function", MM_EABI,
	  "mm.modality.variation/1 has struct_size 16 and missing functions" },
	{ "extension_wrong", "group-size", MM_EABI,
	  "mm.modality.group/1 has struct_size 4 and missing functions, needed are 16 and all" },
	{ "extension_wrong", "group-function", MM_EABI, "mm.modality.group/1 has struct_size 16 and missing functions" },
	{ "classifier_wrong", "size", MM_EABI,
	  "mm.modality.classifier/1 has struct_size 16 and all functions, needed are 24 and all" },
	{ "classifier_wrong", "build", MM_EABI, "mm.modality.classifier/1 has struct_size 24 and missing functions" },
	{ "classifier_wrong", "name", MM_EABI, "calls its features \"Hidden 5\", needed are 1 to 31 of a-z" },
	{ "describe_wrong", "status", MM_EFORMAT, "describe: the header is damaged" },
	{ "answers_all", "every-id", MM_EABI, "get_extension: it has an answer for \"mm.none/0\", an id that nobody has" },
	{ "answers_all", "beginning", MM_EABI, "get_extension: it has an answer for \"mm.modality.picture/1x\"" },
	{ "state_wrong", "size", MM_EABI, "mm.modality.state/1 has struct_size 16 and all functions" },
	{ "state_wrong", "function", MM_EABI, "mm.modality.state/1 has struct_size 24 and missing functions" },
	{ "state_wrong", "nothing", MM_EABI, "save: it returned MM_OK and no bytes" },
	{ "state_wrong", "empty", MM_EABI, "save: it returned MM_OK and no bytes" },
	{ "state_wrong", "status", MM_EIO, "save: the words are gone" },
};

static void refused_at_create(void **state)
{
	const refusal *x = *state;
	char assignment[64];
	mmi_modality m = { .count = 99 };
	fixture f;

	setup(&f);
	const mmi_plugin *p = open_plugin(&f, x->plugin);
	size_t before = mmi_host_blocks(p->host);
	if (x->way) {
		snprintf(assignment, sizeof assignment, "m0.wrong=%s", x->way);
		set(&f, assignment);
	}
	assert_int_equal(mmi_modality_create(f.registry, f.config, "m0", p, NULL, &m, &f.e), x->code);
	assert_int_equal(f.e.code, x->code);
	assert_says(&f, x->text);
	assert_says(&f, p->entry.id);
	assert_says(&f, p->path);
	assert_int_equal(m.count, 99); /* untouched */
	assert_int_equal(mmi_host_blocks(p->host), before);
	teardown(&f);
}

static const refusal at_data[] = {
	{ "data_wrong", "no-data", MM_EABI, "open: it returned MM_OK and no data set" },
	{ "data_wrong", "open-status", MM_EINTERNAL, "open (training data): status 99, which this mmcore does not know" },
	{ "data_wrong", "key-empty", MM_EABI, "key: sample 0: the key is empty" },
	{ "data_wrong", "key-long", MM_EABI, "key: sample 0: the key is too long, needed are 1 to 255 bytes and a NUL" },
	{ "data_wrong", "key-cut", MM_EABI, "key: sample 0: the key is too long" },
	{ "data_wrong", "key-endless", MM_EABI, "key: sample 0: the key has no end" },
	{ "data_wrong", "key-unwritten", MM_EABI, "key: sample 0: the key has no end" },
	{ "data_wrong", "key-fails", MM_EIO, "key: the list is gone" },
	{ "data_wrong", "label", MM_EFORMAT, "label: key '0' has label 2, expected 0 to 1" },
	{ "data_wrong", "read-nothing", MM_EFORMAT, "read: sample '0': value 0 of 8 was not written" },
	{ "data_wrong", "read-half", MM_EFORMAT, "read: sample '0': value 4 of 8 was not written" },
	{ "data_wrong", "read-nan", MM_EFORMAT, "read: sample '0': value 5 is nan, expected a number" },
	{ "data_wrong", "read-range", MM_EFORMAT, "read: sample '0': value 5 is -0.5, expected a number from 0 to 1" },
	{ "data_wrong", "read-sum", MM_EFORMAT, "read: sample '0': the values from 4 on sum to 2, expected 1" },
	{ "data_wrong", "read-status", MM_EINTERNAL, "read of sample '0': status -1, which this mmcore does not know" },
	{ "data_wrong", "vary-range", MM_EFORMAT, "vary: sample '0': value 0 is 7, expected a number from 0 to 1" },
};

static mm_status first_sample(const mmi_modality *m, mm_error *e)
{
	mmi_tuples *t;
	float x[8], seen[8], *at[1] = { x }, *varied[1] = { seen };
	MMI_TRY(mmi_tuples_open(m, 1, MMI_PART_TRAIN, 0, 7, NULL, &t, e));
	mm_status status = mmi_tuples_read(t, 0, at, e);
	if (status == MM_OK)
		status = mmi_tuples_vary(t, 0, 0, at, varied, e);
	mmi_tuples_close(t);
	return status;
}

static void refused_in_data(void **state)
{
	const refusal *x = *state;
	char assignment[64];
	fixture f;

	setup(&f);
	snprintf(assignment, sizeof assignment, "m0.wrong=%s", x->way);
	set(&f, assignment);
	mmi_modality m = make(&f, "m0", open_plugin(&f, x->plugin));
	assert_int_equal(first_sample(&m, &f.e), x->code);
	assert_says(&f, "[m0] plugin org.example.data-wrong (");
	assert_says(&f, x->text);
	mmi_modality_destroy(&m);
	teardown(&f);
}

/* Every callback of this plugin changes them. */
static void rounding_locale_and_folder_are_put_back_after_each_callback(void **state)
{
	static const char *const ways[] = { "rounding", "locale", "folder" };
	char before[4096], after[4096], assignment[64];

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		fixture f;
		setup(&f);
		snprintf(assignment, sizeof assignment, "m0.changes=%s", ways[i]);
		set(&f, assignment);
		mmi_modality m = make(&f, "m0", open_plugin(&f, "ambient"));
		assert_int_equal(fegetround(), FE_TONEAREST);
		assert_string_equal(setlocale(LC_ALL, NULL), "C");
		assert_string_equal(getcwd(after, sizeof after), before);
		if (first_sample(&m, &f.e) != MM_OK)
			fail_msg("%s", f.e.message);
		assert_int_equal(fegetround(), FE_TONEAREST);
		assert_string_equal(setlocale(LC_ALL, NULL), "C");
		assert_string_equal(getcwd(after, sizeof after), before);
		mmi_modality_destroy(&m);
		teardown(&f);
	}
}

/* The toy is version 1.0. */
static void a_checkpoint_of_another_first_number_of_the_version_is_refused(void **state)
{
	static const char *const fit[] = { "1", "1.7", "1.0-beta", "unknown", "2-beta", "" };
	fixture f;

	(void)state;
	setup(&f);
	const mmi_plugin *p = open_plugin(&f, "toy");
	for (size_t i = 0; i < MMI_COUNT(fit); i++) {
		mmi_modality m;
		const mmi_modality_state then = { .owner = "org.example.toy/vector", .version = fit[i] };
		if (mmi_modality_restore(f.registry, f.config, "m0", p, NULL, &then, &m, &f.e) != MM_OK)
			fail_msg("%s: %s", fit[i], f.e.message);
		mmi_modality_destroy(&m);
	}
	for (int i = 0; i < 2; i++) {
		mmi_modality m = { .count = 99 };
		const mmi_modality_state then = { .owner = "org.example.toy/vector", .version = i ? "12.0" : "0.9" };
		assert_int_equal(mmi_modality_restore(f.registry, f.config, "m0", p, NULL, &then, &m, &f.e), MM_ECONFIG);
		assert_says(&f, i ? "version 12.0 of plugin org.example.toy, here it is version 1.0 ("
		                  : "version 0.9 of plugin org.example.toy, here it is version 1.0 (");
		assert_says(&f, i ? "use version 12, or train anew" : "use version 0, or train anew");
		assert_int_equal(m.count, 99);
	}
	teardown(&f);
}

/* What a checkpoint kept goes to the plugin it came from, or nowhere. */
static void states_are_kept_and_given_back_to_their_owner(void **state)
{
	mmi_modality m = { .count = 99 };
	fixture f;

	(void)state;
	setup(&f);
	const mmi_plugin *p = open_plugin(&f, "state_wrong");
	set(&f, "m0.wrong=none");
	const size_t before = mmi_host_blocks(p->host);
	const mmi_modality_state sound = { "org.example.state-wrong/vector", "12345", 5, NULL },
							 cut = { NULL, "1234", 4, NULL };
	const mmi_modality_state foreign = { "org.example.toy/vector", "12345", 5, NULL };
	assert_int_equal(mmi_modality_restore(f.registry, f.config, "m0", p, NULL, &cut, &m, &f.e), MM_EFORMAT);
	assert_says(&f, "load: these are not five bytes");
	assert_int_equal(mmi_modality_restore(f.registry, f.config, "m0", p, NULL, &foreign, &m, &f.e), MM_ECONFIG);
	assert_says(
		&f, "trained with the plugin and modality org.example.toy/vector, here it is org.example.state-wrong/vector");
	assert_int_equal(m.count, 99);
	assert_int_equal(mmi_modality_restore(f.registry, f.config, "m0", p, NULL, &sound, &m, &f.e), MM_OK);
	assert_int_equal(m.state_bytes, 5);
	mmi_modality_destroy(&m);
	assert_int_equal(mmi_host_blocks(p->host), before);
	const mmi_plugin *toy = open_plugin(&f, TOY);
	assert_int_equal(mmi_modality_restore(f.registry, f.config, "m1", toy, NULL, &cut, &m, &f.e), MM_EUNSUPPORTED);
	assert_says(&f, "cannot read (no mm.modality.state/1)");
	teardown(&f);
}

static const refusal at_build[] = {
	{ "encoder", "shape", MM_ESHAPE, "build_encoder: z_raw has shape [5], needed is [4]" },
	{ "encoder", "unset", MM_EABI, "build_encoder: z_loc was not set" },
	{ "encoder", "unknown", MM_EABI, "build_encoder: z_loc is 100000, which is no tensor of this graph" },
	{ "encoder", "own-text", MM_EUNSUPPORTED, "build_encoder: this net needs a latent_dim of 512" },
	{ "encoder", "fail", MM_EUNSUPPORTED, "build_encoder: the picture is too small for four blocks" },
	{ "encoder", "tensor", MM_EARG, "tensor 12345, which this graph does not have" },
	{ "encoder", "silent", MM_ENOMEM, "build_encoder: out of memory (the plugin gave no text)" },
	{ "decoder", "shape", MM_ESHAPE, "build_decoder: out has shape [7], needed is [8]" },
	{ "features", "shape", MM_ESHAPE,
	  "build_features: features has shape [2,4], needed is a map [h,w,c] or a vector [c]" },
};

static mm_status build_branch(const mmi_modality *m, const char *branch, mm_error *e)
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

static void refused_at_build(void **state)
{
	const refusal *x = *state;
	char assignment[64];
	fixture f;

	setup(&f);
	snprintf(assignment, sizeof assignment, "m0.wrong=%s", x->way);
	set(&f, assignment);
	mmi_modality m = make(&f, "m0", open_plugin(&f, "build_wrong"));
	assert_int_equal(build_branch(&m, x->plugin, &f.e), x->code);
	assert_int_equal(f.e.code, x->code);
	assert_says(&f, x->text);
	assert_says(&f, "[m0] plugin org.example.build-wrong (" BADPLUGIN_DIR "/build_wrong.so)");
	mmi_modality_destroy(&m);
	teardown(&f);
}

/* ---------------------------------------------------------------- classifiers */

static mm_status build_classifier(const mmi_modality *m, int32_t *features, mm_error *e)
{
	mmi_graph *g = NULL;
	mmi_params *store = NULL;
	mm_tensor logits = 99, made = 99;

	assert_int_equal(mmi_graph_create(&g, e), MM_OK);
	assert_int_equal(mmi_params_create(cpu_device(), "judge", &store, e), MM_OK);
	mmi_graph_scope(g, store, "%s", m->name);
	mm_status status = mmi_modality_build_classifier(m, g, mmi_input(g, "x", m->info.shape), &logits, &made, e);
	if (status == MM_OK)
		*features = mmi_graph_node(g, made)->shape.dim[0];
	else
		assert_true(logits == 99 && made == 99); /* untouched */
	mmi_graph_destroy(g);
	mmi_params_destroy(store);
	return status;
}

static void a_classifier_gives_logits_and_features(void **state)
{
	int32_t features = 0;
	fixture f;
	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	assert_non_null(m.classifier);
	assert_string_equal(m.classifier->features_name, "hidden5");
	assert_int_equal(build_classifier(&m, &features, &f.e), MM_OK);
	assert_int_equal(features, 5);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void bad_classifiers_are_refused_when_built(void **state)
{
	static const refusal ways[] = {
		{ NULL, "logits", MM_ESHAPE, "classifier build: logits has shape [5], needed is [2]" },
		{ NULL, "features", MM_ESHAPE, "classifier build: features has shape [2,4], needed is a vector [c]" },
		{ NULL, "unset", MM_EABI, "classifier build: features was not set" },
		{ NULL, "own-text", MM_EUNSUPPORTED, "classifier build: no classifier for this size" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char assignment[64];
		int32_t features;
		fixture f;
		setup(&f);
		snprintf(assignment, sizeof assignment, "m0.wrong=%s", ways[i].way);
		set(&f, assignment);
		mmi_modality m = make(&f, "m0", open_plugin(&f, "classifier_wrong"));
		assert_int_equal(build_classifier(&m, &features, &f.e), ways[i].code);
		assert_says(&f, ways[i].text);
		assert_says(&f, "[m0] plugin org.example.classifier-wrong");
		mmi_modality_destroy(&m);
		teardown(&f);
	}
}

static void without_classes_or_extension_there_is_no_classifier(void **state)
{
	int32_t features;
	fixture f;
	(void)state;
	setup(&f);
	set(&f, "m0.wrong=classes");
	mmi_modality m = make(&f, "m0", open_plugin(&f, "classifier_wrong"));
	assert_null(m.classifier);
	assert_int_equal(build_classifier(&m, &features, &f.e), MM_EUNSUPPORTED);
	assert_says(&f, "brings no classifier (no mm.modality.classifier/1)");
	mmi_modality_destroy(&m);
	m = make(&f, "pair", open_plugin(&f, "toy_minimal"));
	assert_null(m.classifier);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void a_file_that_is_no_object_is_refused(void **state)
{
	const mmi_plugin *p;
	char path[128];
	fixture f;

	(void)state;
	setup(&f);
	snprintf(path, sizeof path, "%s/text.so", f.folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("hello\n", file);
	fclose(file);
	assert_int_equal(mmi_registry_open(f.registry, path, &p, &f.e), MM_EABI);
	assert_says(&f, "it cannot be loaded: ");
	assert_int_equal(mmi_registry_open(f.registry, f.folder, &p, &f.e), MM_EIO);
	assert_says(&f, "it is a folder, needed is a shared object file");
	assert_int_equal(mmi_registry_open(f.registry, "./absent.so", &p, &f.e), MM_EIO);
	assert_says(&f, "plugin ./absent.so: it cannot be opened: No such file");
	teardown(&f);
}

/* ---------------------------------------------------------------- plugins that fit */

static void the_toy_loads_and_describes_itself(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	const mmi_plugin *p = open_plugin(&f, TOY);
	assert_int_equal(p->state, MMI_PLUGIN_STARTED);
	assert_string_equal(p->entry.id, "org.example.toy");
	mmi_modality m = make(&f, "m0", p);
	assert_string_equal(m.name, "m0");
	assert_string_equal(m.desc->id, "vector");
	assert_int_equal(m.count, 8);
	assert_int_equal(m.info.likelihood, MM_LIKELIHOOD_GAUSSIAN);
	assert_float_equal(m.info.likelihood_scale, 0.7f, 0);
	assert_float_equal(m.x_scale, 1, 0);
	assert_non_null(m.picture);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void an_old_plugin_works_and_its_unknown_members_are_not_read(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, "toy_old"));
	assert_null(m.picture);
	assert_int_equal(build_branch(&m, "encoder", &f.e), MM_OK);
	uint32_t width, height;
	assert_int_equal(mmi_modality_picture_size(&m, &width, &height, &f.e), MM_EUNSUPPORTED);
	mmi_modality_destroy(&m);
	/* It has no unload, so what its load made stays: release it as the process's end would. */
	const mmi_plugin *p = mmi_registry_plugin(f.registry, 0);
	mmi_host_api(p->host)->release(p->host, p->self);
	teardown(&f);
}

static void a_newer_plugin_that_asks_for_no_more_loads(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	const mmi_plugin *p = open_plugin(&f, "toy_newer");
	assert_true(p->entry.struct_size > sizeof p->entry);
	mmi_modality m = make(&f, "m0", p);
	assert_non_null(m.picture);
	assert_int_equal(build_branch(&m, "decoder", &f.e), MM_OK);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void the_smallest_plugin_loads_and_builds(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "pair", open_plugin(&f, "toy_minimal"));
	assert_true(isinf(m.info.lo) && isinf(m.info.hi));
	assert_int_equal(m.info.n_classes, 0);
	assert_int_equal(build_branch(&m, "encoder", &f.e), MM_OK);
	assert_int_equal(build_branch(&m, "decoder", &f.e), MM_OK);
	assert_int_equal(build_branch(&m, "features", &f.e), MM_OK);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static int32_t hidden_size(const mmi_modality *m)
{
	mm_error e = MM_ERROR_INIT;
	mmi_graph *g;
	mmi_params *store;
	mm_encoder_io io;

	assert_int_equal(mmi_graph_create(&g, &e), MM_OK);
	assert_int_equal(mmi_params_create(cpu_device(), "model", &store, &e), MM_OK);
	mmi_graph_scope(g, store, "%s.encoder", m->name);
	assert_int_equal(mmi_modality_build_encoder(m, g, mmi_input(g, "x", m->info.shape), 4, 2, &io, &e), MM_OK);
	assert_int_equal(mmi_graph_node(g, io.w_raw)->shape.dim[0], 2);
	int32_t size = store->info[0].shape.dim[1];
	mmi_graph_destroy(g);
	mmi_params_destroy(store);
	return size;
}

static void one_plugin_serves_two_instances_with_their_own_settings(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	set(&f, "m0.hidden=24");
	set(&f, "m1.hidden=40");
	set(&f, "m1.gain=2.5");
	const mmi_plugin *p = open_plugin(&f, "toy.so");
	mmi_modality m0 = make(&f, "m0", p), m1 = make(&f, "m1", p);
	assert_ptr_not_equal(m0.instance, m1.instance);
	assert_ptr_equal(m0.plugin, m1.plugin);
	assert_int_equal(hidden_size(&m0), 24);
	assert_int_equal(hidden_size(&m1), 40);
	assert_non_null(strstr(f.log, "1 org.example.toy: gain 1\n"));
	assert_non_null(strstr(f.log, "1 org.example.toy: gain 2.5\n"));
	assert_int_equal(mmi_config_check(f.config, &f.e), MM_OK);
	mmi_modality_destroy(&m0);
	mmi_modality_destroy(&m1);
	assert_int_equal(mmi_host_blocks(p->host), 1); /* what load made */
	teardown(&f);
}

static void data_is_a_function_of_seed_and_index(void **state)
{
	float first[8], second[8];
	char key[32];
	fixture f;

	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	for (int round = 0; round < 2; round++) {
		mm_dataset *d;
		assert_int_equal(mmi_modality_open(&m, MM_SPLIT_TRAIN, &d, &f.e), MM_OK);
		assert_int_equal(m.desc->count(d), 32);
		assert_int_equal(m.desc->key(d, 5, key, sizeof key, &f.e), MM_OK);
		assert_string_equal(key, "5");
		assert_int_equal(m.desc->read(d, 5, round ? second : first, &f.e), MM_OK);
		m.desc->close(d);
	}
	assert_memory_equal(first, second, sizeof first);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void pictures_and_files_come_from_the_plugin(void **state)
{
	const float x[8] = { -1, 0, 1, 0, 0, 0, 0, 0 };
	uint8_t rgb[24];
	uint32_t width, height;
	char path[128];
	fixture f;

	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	assert_int_equal(mmi_modality_picture_size(&m, &width, &height, &f.e), MM_OK);
	assert_int_equal(width * height, 8);
	assert_int_equal(mmi_modality_draw(&m, x, rgb, sizeof rgb, &f.e), MM_OK);
	assert_int_equal(rgb[0], 0);
	assert_int_equal(rgb[6], 255);
	snprintf(path, sizeof path, "%s/sample.txt", f.folder);
	assert_int_equal(mmi_modality_render(&m, x, path, &f.e), MM_OK);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(mmi_modality_render(&m, x, "/nonexistent/sample.txt", &f.e), MM_EIO);
	assert_says(&f, "render: cannot write the file");
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void assert_given_fails(fixture *f, const mmi_modality *m, const char *given, mm_status status, const char *part)
{
	float x[8];
	assert_int_equal(mmi_modality_read_given(m, given, x, &f->e), status);
	assert_says(f, part);
}

static void a_named_file_is_read_and_other_words_are_the_sample(void **state)
{
	const float x[8] = { -1, 0.5f, 1, 0, 0.25f, 0, 0, -0.125f };
	float back[8];
	char path[128];
	fixture f;

	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	snprintf(path, sizeof path, "%s/0 0 0 0 0 0 0 1", f.folder); /* a file, although it could be words */
	assert_int_equal(mmi_modality_render(&m, x, path, &f.e), MM_OK);
	assert_int_equal(mmi_modality_read_given(&m, path, back, &f.e), MM_OK);
	assert_memory_equal(back, x, sizeof x);
	assert_int_equal(mmi_modality_read_given(&m, "-1 .5 1 0 .25 0 0 -.125", back, &f.e), MM_OK);
	assert_memory_equal(back, x, sizeof x);
	assert_int_equal(mmi_modality_read_given(&m, "\"-1 .5 1 0 .25 0 0 -.125\"", back, &f.e), MM_OK);
	assert_memory_equal(back, x, sizeof x);
	memmove(path + 1, path, strlen(path) + 1);
	path[0] = '@';
	assert_int_equal(mmi_modality_read_given(&m, path, back, &f.e), MM_OK);
	assert_memory_equal(back, x, sizeof x);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void what_was_named_wrongly_is_refused(void **state)
{
	fixture f;

	(void)state;
	setup(&f);
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY)), plain = make(&f, "m1", open_plugin(&f, "toy_minimal"));
	assert_given_fails(&f, &m, "some words", MM_EFORMAT, "read_text: expected eight numbers");
	assert_given_fails(&f, &m, "/dev/null", MM_EFORMAT, "read_file: expected eight numbers");
	assert_given_fails(&f, &m, f.folder, MM_EIO, "is a folder");
	assert_given_fails(&f, &m, "captions/red", MM_EIO,
	                   "there is no file 'captions/red'; words that look like a file's name go between");
	assert_given_fails(&f, &m, "my red.txt", MM_EIO, "there is no file 'my red.txt'");
	assert_given_fails(&f, &m, "@0 0 0 0 0 0 0 0", MM_EIO, "there is no file '0 0 0 0 0 0 0 0'");
	assert_given_fails(&f, &m, "\"captions/red.txt\"", MM_EFORMAT, "read_text: expected eight numbers");
	assert_given_fails(&f, &m, "A red bird, no. 2.", MM_EFORMAT, "read_text: expected eight numbers");
	assert_given_fails(&f, &m, "0 0 0 2 0 0 0 0", MM_EFORMAT,
	                   "read_text: value 3 is 2, expected a number from -1 to 1");
	assert_given_fails(&f, &m, "0 nan 0 0 0 0 0 0", MM_EFORMAT, "value 1 is nan");
	assert_given_fails(&f, &m, "0 0 0 0 0 0 0 -inf", MM_EFORMAT, "value 7 is -inf");
	assert_null(plain.file);
	assert_given_fails(&f, &plain, "0 0 0 0 0 0 0 0", MM_EUNSUPPORTED, "cannot read samples that are named");
	const mm_modality_file files_only = { .struct_size = m.file->struct_size, .read_file = m.file->read_file };
	m.file = &files_only;
	assert_given_fails(&f, &m, "0 0 0 0 0 0 0 0", MM_EIO, "there is no file '0 0 0 0 0 0 0 0'");
	mmi_modality_destroy(&m);
	mmi_modality_destroy(&plain);
	teardown(&f);
}

/* ---------------------------------------------------------------- an instance's settings */

static mm_status try_make(fixture *f, const char *assignment)
{
	mmi_modality m = { 0 };
	set(f, assignment);
	mm_status status = mmi_modality_create(f->registry, f->config, "m0", open_plugin(f, TOY), NULL, &m, &f->e);
	mmi_modality_destroy(&m);
	return status;
}

static void the_ini_overrides_likelihood_and_weight(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	set(&f, "m0.likelihood=laplace(0.75)");
	set(&f, "m0.likelihood_weight=3.5");
	set(&f, "m0.x_scale=2");
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	assert_int_equal(m.info.likelihood, MM_LIKELIHOOD_LAPLACE);
	assert_float_equal(m.info.likelihood_scale, 0.75f, 0);
	assert_float_equal(m.info.likelihood_weight, 3.5f, 0);
	assert_float_equal(m.x_scale, 2, 0);
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void likelihoods_the_decoder_is_not_made_for_are_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "m0.likelihood=categorical",
		  "expected gaussian(SIGMA) or laplace(B), for which the plugin's decoder is made" },
		{ "m0.likelihood=gaussian(0)", "expected a positive scale in brackets" },
		{ "m0.likelihood=gaussian(-1)", "expected a positive scale in brackets" },
		{ "m0.likelihood=laplace", "expected a positive scale in brackets" },
		{ "m0.likelihood=gausian(1)", "NAME is one of gaussian, laplace, bernoulli, categorical" },
		{ "m0.x_scale=0", "expected a number above 0" },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		fixture f;
		setup(&f);
		assert_int_equal(try_make(&f, wrong[i][0]), MM_ECONFIG);
		assert_says(&f, wrong[i][1]);
		assert_says(&f, wrong[i][0]);
		teardown(&f);
	}
}

static void a_wrong_setting_of_the_plugin_names_the_setting_alone(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	assert_int_equal(try_make(&f, "m0.gain=fast"), MM_ECONFIG);
	assert_string_equal(f.e.message, "--set m0.gain=fast: expected a number from 0 to 10");
	teardown(&f);
}

static void a_key_the_plugin_does_not_know_is_an_error(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	set(&f, "m0.hiden=3");
	mmi_modality m = make(&f, "m0", open_plugin(&f, TOY));
	assert_int_equal(mmi_config_check(f.config, &f.e), MM_ECONFIG);
	assert_says(&f, "did you mean \"hidden\"?");
	mmi_modality_destroy(&m);
	teardown(&f);
}

static void the_section_names_the_plugin_and_its_modality(void **state)
{
	mmi_modality m = { 0 };
	fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(mmi_modality_create(f.registry, f.config, "m0", NULL, NULL, &m, &f.e), MM_ECONFIG);
	assert_says(&f, "[m0] plugin is not set: expected a plugin's file");
	set(&f, "m0.plugin=toy");
	set(&f, "m0.modality=sound");
	assert_int_equal(mmi_modality_create(f.registry, f.config, "m0", NULL, NULL, &m, &f.e), MM_ECONFIG);
	assert_says(&f, "has no modality \"sound\"; it has vector");
	set(&f, "m0.modality=vector");
	m = make(&f, "m0", NULL);
	assert_string_equal(m.plugin->path, TOY);
	mmi_modality_destroy(&m);
	set(&f, "m1.plugin=absent.so");
	assert_int_equal(mmi_modality_create(f.registry, f.config, "m1", NULL, NULL, &m, &f.e), MM_EIO);
	assert_says(&f, "[m1] plugin absent.so was not found");
	assert_int_equal(mmi_modality_create(f.registry, f.config, "M 1", NULL, NULL, &m, &f.e), MM_ECONFIG);
	assert_says(&f, "a modality is named \"M 1\"");
	teardown(&f);
}

static void the_resolved_ini_makes_the_same_instance(void **state)
{
	char path[128], *first, *second;
	mmi_config *again;
	mmi_modality m;
	fixture f;

	(void)state;
	setup(&f);
	set(&f, "m0.likelihood=laplace(0.3)");
	set(&f, "m0.root=data here");
	m = make(&f, "m0", open_plugin(&f, "toy"));
	mmi_modality_destroy(&m);
	assert_int_equal(mmi_config_resolved(f.config, &first, &f.e), MM_OK);
	assert_non_null(strstr(first, "plugin = " TOY "\n"));
	snprintf(path, sizeof path, "%s/resolved.ini", f.folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(first, file);
	fclose(file);
	assert_int_equal(mmi_config_load(path, &again, &f.e), MM_OK);
	assert_int_equal(mmi_modality_create(f.registry, again, "m0", NULL, NULL, &m, &f.e), MM_OK);
	assert_int_equal(m.info.likelihood, MM_LIKELIHOOD_LAPLACE);
	mmi_modality_destroy(&m);
	assert_int_equal(mmi_config_check(again, &f.e), MM_OK);
	assert_int_equal(mmi_config_resolved(again, &second, &f.e), MM_OK);
	assert_string_equal(first, second);
	mmi_free(first);
	mmi_free(second);
	mmi_config_destroy(again);
	teardown(&f);
}

/* ---------------------------------------------------------------- finding and telling apart */

static void a_file_known_by_two_paths_is_one_plugin(void **state)
{
	char path[128];
	fixture f;

	(void)state;
	setup(&f);
	link_to(&f, TOY, "other.so");
	snprintf(path, sizeof path, "%s/other.so", f.folder);
	assert_ptr_equal(open_plugin(&f, TOY), open_plugin(&f, path));
	assert_int_equal(mmi_registry_count(f.registry), 1);
	teardown(&f);
}

static void of_two_plugins_with_one_id_the_first_wins(void **state)
{
	const mmi_plugin *p = NULL;
	fixture f;

	(void)state;
	setup(&f);
	open_plugin(&f, TOY);
	assert_int_equal(mmi_registry_open(f.registry, BADPLUGIN_DIR "/same_id.so", &p, &f.e), MM_EABI);
	assert_says(&f, "plugin " BADPLUGIN_DIR "/same_id.so: the plugin's id \"org.example.toy\" is taken by " TOY
	                " (version 1.0)");
	assert_int_equal(mmi_registry_plugin(f.registry, 1)->state, MMI_PLUGIN_DUPLICATE);
	teardown(&f);
}

static void names_are_found_with_and_without_suffix(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	assert_ptr_equal(open_plugin(&f, "toy"), open_plugin(&f, "toy.so"));
	teardown(&f);
}

static void the_search_path_is_searched_in_order(void **state)
{
	char folder[160];
	fixture f;

	(void)state;
	setup(&f);
	copy_to(&f, BADPLUGIN_DIR "/same_id.so", "toy.so");
	assert_string_equal(open_plugin(&f, "toy")->entry.version, "1.0"); /* MMCORE_PLUGIN_PATH */
	new_registry(&f, f.folder);
	assert_string_equal(open_plugin(&f, "toy")->entry.version, "2.0"); /* plugin_path goes before it */
	assert_string_equal(mmi_registry_folder(f.registry, 0), f.folder);
	assert_string_equal(mmi_registry_folder(f.registry, 1), BADPLUGIN_DIR);
	snprintf(folder, sizeof folder, "%s/.local/lib/mmcore/modalities-1", f.folder);
	assert_string_equal(mmi_registry_folder(f.registry, 2), folder);
	assert_int_equal(mmi_registry_folders(f.registry), 4);
	teardown(&f);
}

static void the_current_folder_is_never_searched(void **state)
{
	char before[4096];
	const mmi_plugin *p;
	fixture f;

	(void)state;
	setup(&f);
	assert_non_null(getcwd(before, sizeof before));
	setenv("MMCORE_PLUGIN_PATH", ":.:relative", 1);
	f.log[0] = 0;
	new_registry(&f, NULL);
	assert_non_null(strstr(f.log, "2 MMCORE_PLUGIN_PATH: . is not an absolute path"));
	assert_int_equal(chdir(BADPLUGIN_DIR), 0);
	assert_int_equal(mmi_registry_open(f.registry, "toy.so", &p, &f.e), MM_EIO);
	assert_int_equal(chdir(before), 0);
	assert_says(&f, "plugin toy.so was not found; give its path");
	assert_says(&f, ".local/lib/mmcore/modalities-1");
	teardown(&f);
}

static const mmi_plugin *record_of(const fixture *f, const char *folder, const char *file)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	for (size_t i = 0; i < mmi_registry_count(f->registry); i++)
		if (!strcmp(mmi_registry_plugin(f->registry, i)->path, path))
			return mmi_registry_plugin(f->registry, i);
	fail_msg("no record of %s", path);
	return NULL;
}

static void a_scan_records_every_candidate_and_starts_none(void **state)
{
	fixture f;
	(void)state;
	setup(&f);
	link_to(&f, TOY, "a.so");
	link_to(&f, "/nonexistent/target", "broken.so");
	copy_to(&f, BADPLUGIN_DIR "/wrong_major.so", "z.so");
	copy_to(&f, TOY, "notes.txt");
	setenv("MMCORE_PLUGIN_PATH", "/nonexistent:" BADPLUGIN_DIR, 1);
	new_registry(&f, f.folder);
	assert_int_equal(mmi_registry_scan(f.registry, &f.e), MM_OK);
	size_t n = mmi_registry_count(f.registry);
	for (size_t i = 0; i < n; i++) {
		const mmi_plugin *p = mmi_registry_plugin(f.registry, i);
		assert_int_not_equal(p->state, MMI_PLUGIN_STARTED);
		assert_true(p->state == MMI_PLUGIN_CHECKED || strstr(p->why.message, p->path));
		assert_null(strstr(p->path, "notes.txt"));
	}
	assert_int_equal(record_of(&f, f.folder, "a.so")->state, MMI_PLUGIN_CHECKED);
	assert_int_equal(record_of(&f, f.folder, "z.so")->state, MMI_PLUGIN_REFUSED);
	assert_non_null(strstr(record_of(&f, f.folder, "broken.so")->why.message, "No such file"));
	const mmi_plugin *same = record_of(&f, BADPLUGIN_DIR, "toy.so");
	assert_int_equal(same->state, MMI_PLUGIN_DUPLICATE);
	assert_non_null(strstr(same->why.message, "it is the same file as"));
	assert_int_equal(record_of(&f, BADPLUGIN_DIR, "same_id.so")->state, MMI_PLUGIN_DUPLICATE);
	assert_int_equal(record_of(&f, BADPLUGIN_DIR, "toy_minimal.so")->state, MMI_PLUGIN_CHECKED);
	assert_int_equal(mmi_registry_scan(f.registry, &f.e), MM_OK);
	assert_int_equal(mmi_registry_count(f.registry), n);
	assert_int_equal(open_plugin(&f, "toy_minimal")->state, MMI_PLUGIN_STARTED);
	teardown(&f);
}

/* What root would say, asked without being root. Files belong to whoever runs the test, or to root. */
static void files_that_others_can_change_are_refused_to_root(void **state)
{
	char path[128];
	fixture f;

	(void)state;
	setup(&f);
	copy_to(&f, TOY, "toy.so");
	snprintf(path, sizeof path, "%s/toy.so", f.folder);
	assert_int_equal(mmi_object_safe_for(0, path, path, &f.e), MM_OK);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(mmi_object_safe_for(0, path, path, &f.e), MM_EABI);
	assert_says(&f, "any user can write the file, mode 0777");
	assert_int_equal(mmi_object_safe_for(getuid(), path, path, &f.e), getuid() ? MM_OK : MM_EABI);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chmod(f.folder, 0777), 0);
	assert_int_equal(mmi_object_safe_for(0, path, path, &f.e), MM_EABI);
	assert_says(&f, "any user can replace the file, its folder has mode 0777");
	assert_int_equal(mmi_object_safe_for(getuid() + 1, path, path, &f.e),
	                 getuid() ? MM_EABI : MM_OK); /* another user's file, or root's */
	if (getuid() == 0) {
		assert_int_equal(chmod(f.folder, 01777), 0);
		assert_int_equal(mmi_object_safe_for(0, path, path, &f.e), MM_OK); /* as in /tmp */
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(mmi_object_safe_for(0, path, path, &f.e), MM_EABI);
		assert_says(&f, "it belongs to user 12345");
	}
	teardown(&f);
}

/* ---------------------------------------------------------------- host services */

static void services_are_found_by_their_exact_id(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_host *host;

	(void)state;
	assert_int_equal(mmi_host_create(1, NULL, &host, &e), MM_OK);
	const mm_host_api *api = mmi_host_api(host);
	assert_ptr_equal(api->get_extension(host, MM_HOST_CONFIG), &mmi_host_config_table);
	assert_ptr_equal(api->get_extension(host, MM_HOST_RANDOM), &mmi_host_random_table);
	assert_ptr_equal(api->get_extension(host, MM_HOST_GRAPH), &mmi_graph_ops);
	assert_null(api->get_extension(host, MM_HOST_GRAPH "x"));
	assert_null(api->get_extension(host, "mm.host.graph/2"));
	assert_null(api->get_extension(host, ""));
	assert_null(api->get_extension(host, NULL));
	mmi_host_destroy(host);
}

static void memory_is_zeroed_aligned_and_counted(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_host *host;

	(void)state;
	assert_int_equal(mmi_host_create(1, NULL, &host, &e), MM_OK);
	const mm_host_api *api = mmi_host_api(host);
	unsigned char *block = api->alloc(host, 1000);
	assert_non_null(block);
	assert_int_equal((uintptr_t)block % 64, 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(block[i], 0);
	assert_int_equal(mmi_host_blocks(host), 1);
	assert_null(api->alloc(host, SIZE_MAX));
	api->release(host, NULL);
	assert_int_equal(mmi_host_blocks(host), 1);
	api->release(host, block);
	assert_int_equal(mmi_host_blocks(host), 0);
	mmi_host_destroy(host);
}

static void log_lines_name_the_plugin_and_stay_lines(void **state)
{
	fixture f;
	mm_host *host;

	(void)state;
	setup(&f);
	mmi_log log = log_of(&f);
	assert_int_equal(mmi_host_create(1, &log, &host, &f.e), MM_OK);
	mmi_host_name(host, "org.example.x");
	const mm_host_api *api = mmi_host_api(host);
	f.log[0] = 0;
	api->log(host, MM_LOG_ERROR, "two\nlines");
	api->log(host, 99, "odd level");
	api->log(host, MM_LOG_INFO, NULL);
	assert_string_equal(f.log, "3 org.example.x: two lines\n2 org.example.x: odd level\n1 org.example.x: (no text)\n");
	mmi_host_destroy(host);
	teardown(&f);
}

static mm_host *random_host(uint64_t seed, const char *id)
{
	mm_error e = MM_ERROR_INIT;
	mm_host *host;
	assert_int_equal(mmi_host_create(seed, NULL, &host, &e), MM_OK);
	mmi_host_name(host, id);
	return host;
}

static void random_streams_differ_by_seed_plugin_and_name(void **state)
{
	const mm_host_random *random = &mmi_host_random_table;
	mm_host *a = random_host(1, "a"), *b = random_host(1, "b"), *c = random_host(2, "a");
	uint32_t first[4], second[4], high[4];

	(void)state;
	uint64_t stream = random->stream(a, "crop");
	assert_true(stream == random->stream(a, "crop"));
	assert_true(stream != random->stream(a, "pair"));
	assert_true(stream != random->stream(b, "crop"));
	assert_true(stream != random->stream(c, "crop"));
	random->words(a, stream, 3, 0, first);
	random->words(a, stream, 3, 0, second);
	assert_memory_equal(first, second, sizeof first);
	random->words(a, stream, 3 + ((uint64_t)1 << 32), 0, high);
	assert_memory_not_equal(first, high, sizeof first);
	random->words(a, stream, 3, 1, high);
	assert_memory_not_equal(first, high, sizeof first);
	mmi_host_destroy(a);
	mmi_host_destroy(b);
	mmi_host_destroy(c);
}

static void permutations_hold_every_number_once(void **state)
{
	const mm_host_random *random = &mmi_host_random_table;
	mm_host *host = random_host(1, "a");
	uint32_t order[1000], other[1000];
	bool seen[1000] = { false };
	size_t fixed = 0;

	(void)state;
	random->permutation(host, random->stream(host, "p"), 0, 1000, order);
	random->permutation(host, random->stream(host, "p"), 1, 1000, other);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(order[i] < 1000 && !seen[order[i]]);
		seen[order[i]] = true;
		fixed += order[i] == i;
	}
	assert_true(fixed < 10); /* one is expected; ten has odds of one in ten million */
	assert_memory_not_equal(order, other, sizeof order);
	random->permutation(host, 0, 0, 0, order);
	mmi_host_destroy(host);
}

static void settings_are_closed_after_create(void **state)
{
	const mm_host_config *table = &mmi_host_config_table;
	const char *text, *path, *none;
	mm_config *c;
	fixture f;

	(void)state;
	setup(&f);
	set(&f, "data.root=/data");
	set(&f, "m0.file=/x/y");
	assert_int_equal(mmi_plugin_config_create(f.config, "m0", &c, &f.e), MM_OK);
	assert_int_equal(table->get_string(c, "word", "plain", &text, &f.e), MM_OK);
	assert_int_equal(table->get_path(c, "file", NULL, &path, &f.e), MM_OK);
	assert_int_equal(table->get_path(c, "other", NULL, &none, &f.e), MM_OK);
	assert_null(none);
	assert_int_equal(table->refuse(c, "file", "a folder", &f.e), MM_ECONFIG);
	assert_string_equal(f.e.message, "--set m0.file=/x/y: expected a folder");
	assert_int_equal(table->get_string(c, NULL, NULL, &none, &f.e), MM_EARG);
	mmi_plugin_config_close(c);
	mmi_config_destroy(f.config);
	f.config = NULL;
	assert_int_equal(table->get_string(c, "word", "plain", &none, &f.e), MM_ESTATE);
	/* Strings outlive the settings. */
	assert_string_equal(text, "plain");
	assert_string_equal(path, "/x/y");
	assert_string_equal(table->data_root(c), "/data");
	assert_string_equal(table->instance_name(c), "m0");
	mmi_plugin_config_destroy(c);
	teardown(&f);
}

static void ids_are_checked_to_the_letter(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'a', sizeof longest);
	longest[64] = 0;
	assert_false(mmi_contract_id(longest));
	longest[63] = 0;
	assert_true(mmi_contract_id(longest));
	assert_true(mmi_contract_id("org.example.a-1"));
	assert_false(mmi_contract_id(NULL));
	assert_false(mmi_contract_id(""));
	assert_false(mmi_contract_id(".a"));
	assert_false(mmi_contract_id("a-"));
	assert_false(mmi_contract_id("A"));
	assert_false(mmi_contract_id("a b"));
}

/* ---------------------------------------------------------------- list of tests */

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(rounding_locale_and_folder_are_put_back_after_each_callback),
	cmocka_unit_test(a_file_that_is_no_object_is_refused),
	cmocka_unit_test(the_toy_loads_and_describes_itself),
	cmocka_unit_test(a_checkpoint_of_another_first_number_of_the_version_is_refused),
	cmocka_unit_test(states_are_kept_and_given_back_to_their_owner),
	cmocka_unit_test(an_old_plugin_works_and_its_unknown_members_are_not_read),
	cmocka_unit_test(a_classifier_gives_logits_and_features),
	cmocka_unit_test(bad_classifiers_are_refused_when_built),
	cmocka_unit_test(without_classes_or_extension_there_is_no_classifier),
	cmocka_unit_test(a_newer_plugin_that_asks_for_no_more_loads),
	cmocka_unit_test(the_smallest_plugin_loads_and_builds),
	cmocka_unit_test(one_plugin_serves_two_instances_with_their_own_settings),
	cmocka_unit_test(data_is_a_function_of_seed_and_index),
	cmocka_unit_test(pictures_and_files_come_from_the_plugin),
	cmocka_unit_test(a_named_file_is_read_and_other_words_are_the_sample),
	cmocka_unit_test(what_was_named_wrongly_is_refused),
	cmocka_unit_test(the_ini_overrides_likelihood_and_weight),
	cmocka_unit_test(likelihoods_the_decoder_is_not_made_for_are_refused),
	cmocka_unit_test(a_wrong_setting_of_the_plugin_names_the_setting_alone),
	cmocka_unit_test(a_key_the_plugin_does_not_know_is_an_error),
	cmocka_unit_test(the_section_names_the_plugin_and_its_modality),
	cmocka_unit_test(the_resolved_ini_makes_the_same_instance),
	cmocka_unit_test(a_file_known_by_two_paths_is_one_plugin),
	cmocka_unit_test(of_two_plugins_with_one_id_the_first_wins),
	cmocka_unit_test(names_are_found_with_and_without_suffix),
	cmocka_unit_test(the_search_path_is_searched_in_order),
	cmocka_unit_test(the_current_folder_is_never_searched),
	cmocka_unit_test(a_scan_records_every_candidate_and_starts_none),
	cmocka_unit_test(files_that_others_can_change_are_refused_to_root),
	cmocka_unit_test(services_are_found_by_their_exact_id),
	cmocka_unit_test(memory_is_zeroed_aligned_and_counted),
	cmocka_unit_test(log_lines_name_the_plugin_and_stay_lines),
	cmocka_unit_test(random_streams_differ_by_seed_plugin_and_name),
	cmocka_unit_test(permutations_hold_every_number_once),
	cmocka_unit_test(settings_are_closed_after_create),
	cmocka_unit_test(ids_are_checked_to_the_letter),
};

#define N_ALL \
	(MMI_COUNT(plain_tests) + MMI_COUNT(at_open) + MMI_COUNT(at_create) + MMI_COUNT(at_build) + MMI_COUNT(at_data))

static size_t add_refusals(struct CMUnitTest *tests, size_t n, const refusal *list, size_t n_list,
                           CMUnitTestFunction test, char names[][64])
{
	for (size_t i = 0; i < n_list; i++, n++) {
		snprintf(names[n], sizeof names[n], "refuses_%s%s%s", list[i].plugin, list[i].way ? "_" : "",
		         list[i].way ? list[i].way : "");
		tests[n] =
			(struct CMUnitTest){ .name = names[n], .test_func = test, .initial_state = (void *)(uintptr_t)&list[i] };
	}
	return n;
}

int main(void)
{
	static struct CMUnitTest tests[N_ALL];
	static char names[N_ALL][64];
	size_t n = MMI_COUNT(plain_tests);

	memcpy(tests, plain_tests, sizeof plain_tests);
	n = add_refusals(tests, n, at_open, MMI_COUNT(at_open), refused_at_open, names);
	n = add_refusals(tests, n, at_create, MMI_COUNT(at_create), refused_at_create, names);
	n = add_refusals(tests, n, at_build, MMI_COUNT(at_build), refused_at_build, names);
	add_refusals(tests, n, at_data, MMI_COUNT(at_data), refused_in_data, names);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
