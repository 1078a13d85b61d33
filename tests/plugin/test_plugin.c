/* test_plugin.c - plugins that fit: instances, their data, files and settings. */
#include "mmi_build.h"

#include "../rig/plugin_rig.h"
#include "plugin/contract.h"

#include <math.h>
#include <sys/stat.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_toy_loads_and_describes_itself),
		cmocka_unit_test(an_old_plugin_works_and_its_unknown_members_are_not_read),
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
