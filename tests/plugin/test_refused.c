/* test_refused.c - the loader against plugins with one defect each, and what callbacks may leave behind. */
#include "mmi_build.h"

#include "../rig/plugin_rig.h"
#include "plugin/contract.h"

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>

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

/* ---------------------------------------------------------------- list of tests */

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(a_classifier_gives_logits_and_features),
	cmocka_unit_test(bad_classifiers_are_refused_when_built),
	cmocka_unit_test(without_classes_or_extension_there_is_no_classifier),
	cmocka_unit_test(rounding_locale_and_folder_are_put_back_after_each_callback),
	cmocka_unit_test(a_checkpoint_of_another_first_number_of_the_version_is_refused),
	cmocka_unit_test(states_are_kept_and_given_back_to_their_owner),
	cmocka_unit_test(a_file_that_is_no_object_is_refused),
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
