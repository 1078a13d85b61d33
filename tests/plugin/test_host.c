/* test_host.c - plugins are found and told apart; the services that they are lent. */
#include "mmi_build.h"

#include "../rig/plugin_rig.h"
#include "plugin/contract.h"
#include "plugin/search.h"

#include <math.h>
#include <sys/stat.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	return cmocka_run_group_tests(tests, NULL, NULL);
}
