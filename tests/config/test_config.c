/* test_config.c - settings: strict INI files, --set, typed questions, unknown keys, the resolved INI. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "config/config.h"
#include "config/ini.h"
#include "config/value.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct fixture {
	char folder[64], path[96];
	mmi_config *config;
	mm_error e;
} fixture;

static int setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->e.struct_size = sizeof f->e;
	snprintf(f->folder, sizeof f->folder, "/tmp/mmcore-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a.ini", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture *f = *state;
	mmi_config_destroy(f->config);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void write_bytes(const fixture *f, const void *bytes, size_t n)
{
	FILE *file = fopen(f->path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

static mm_status load(fixture *f, const char *text)
{
	write_bytes(f, text, strlen(text));
	mmi_config_destroy(f->config);
	f->config = NULL;
	f->e.message[0] = 0;
	return mmi_config_load(f->path, &f->config, &f->e);
}

static void must_load(fixture *f, const char *text)
{
	if (load(f, text) != MM_OK)
		fail_msg("%s", f->e.message);
}

static void set(fixture *f, const char *assignment)
{
	if (mmi_config_set(f->config, assignment, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
}

/* The message is the path, then `rest`. */
static void assert_message(const fixture *f, const char *rest)
{
	char expected[1024];
	snprintf(expected, sizeof expected, "%s%s", f->path, rest);
	assert_string_equal(f->e.message, expected);
}

static void assert_says(const fixture *f, const char *part)
{
	if (!strstr(f->e.message, part))
		fail_msg("expected \"%s\" in: %s", part, f->e.message);
}

static const char *string(fixture *f, const char *section, const char *key)
{
	const char *out = NULL;
	assert_int_equal(mmi_config_string(f->config, section, key, NULL, &out, &f->e), MM_OK);
	return out;
}

/* ---------------------------------------------------------------- what a file may hold */

static void values_come_without_quotes_comments_and_blanks(void **state)
{
	fixture *f = *state;
	must_load(
		f,
		"; first\n# second\n[One]\n  a =  plain text  ; comment\nb=\"quoted ; # text \" # comment\nc = 'it is \"so\"'\n"
		"d =\ne = \"\"\nf = 1=2\nG=up\r\n\n[two]\na = it's");
	assert_string_equal(string(f, "one", "a"), "plain text");
	assert_string_equal(string(f, "one", "b"), "quoted ; # text ");
	assert_string_equal(string(f, "one", "c"), "it is \"so\"");
	assert_string_equal(string(f, "one", "d"), "");
	assert_string_equal(string(f, "one", "e"), "");
	assert_string_equal(string(f, "one", "f"), "1=2");
	assert_string_equal(string(f, "ONE", "g"), "up");
	assert_string_equal(string(f, "two", "a"), "it's");
	assert_null(string(f, "two", "b"));
}

static void names_are_the_same_in_any_case(void **state)
{
	fixture *f = *state;
	must_load(f, "[Learner]\nBatch = 3\n");
	assert_true(mmi_config_has(f->config, "LEARNER", "batch"));
	assert_true(mmi_config_has(f->config, "learner", NULL));
	assert_false(mmi_config_has(f->config, "learner", "lr"));
	assert_false(mmi_config_has(f->config, "energy", NULL));
	assert_int_equal(mmi_config_sections(f->config), 1);
	assert_string_equal(mmi_config_section(f->config, 0), "learner");
}

static void mistakes_in_a_file_name_the_line(void **state)
{
	static const char *const wrong[][2] = {
		{ "[a]\nb = 1\nc\n", ":3: expected \"key = value\", \"[section]\" or a comment (; or #)" },
		{ "b = 1\n[a]\n", ":1: a key stands before the first [section]" },
		{ "[a\n", ":1: a section's name must end with ]" },
		{ "[a b]\n", ":1: a section's name is 1 to 63 letters, digits, _ or -; found \"a b\"" },
		{ "[]\n", ":1: a section's name is 1 to 63 letters, digits, _ or -; found \"\"" },
		{ "[a] ; comment\n", ":1: nothing may follow a section's name; put the comment on a line of its own" },
		{ "[a]\nb c = 1\n", ":2: a key is 1 to 63 letters, digits, _ or -; found \"b c\"" },
		{ "[a]\n = 1\n", ":2: a key is 1 to 63 letters, digits, _ or -; found \"\"" },
		{ "[a]\nb = \"open\n", ":2: the value's quote is not closed" },
		{ "[a]\nb = \"x\" y\n", ":2: only a comment may follow the value's closing quote" },
		{ "[a]\nb = c:\\d\n", ":2: a value cannot hold a backslash" },
		{ "[a]\nb = \"c:\\d\"\n", ":2: a value cannot hold a backslash" },
		{ "[a]\n; joined \\\nb = 1\n", ":2: a line cannot end with a backslash (lines are not continued)" },
		{ "[a]\nb = \x01\n", ":2: the line holds a control character" },
		{ "[a]\nb = 1\n[c]\nb = 2\n[A]\nB = 3\n", ":6: [a] b is set twice; the first time on line 2" },
		{ "x", ":1: expected \"key = value\", \"[section]\" or a comment (; or #)" },
	};
	fixture *f = *state;
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		assert_int_equal(load(f, wrong[i][0]), MM_ECONFIG);
		assert_null(f->config);
		assert_message(f, wrong[i][1]);
	}
}

static void long_lines_are_refused_at_the_limit(void **state)
{
	fixture *f = *state;
	char text[MMI_INI_LINE_MAX + 16];

	memset(text, 'x', sizeof text);
	memcpy(text, "[a]\nb = ", 8);
	text[4 + MMI_INI_LINE_MAX] = 0;
	must_load(f, text);
	assert_int_equal(strlen(string(f, "a", "b")), MMI_INI_LINE_MAX - 4);
	text[4 + MMI_INI_LINE_MAX] = 'x';
	text[5 + MMI_INI_LINE_MAX] = 0;
	assert_int_equal(load(f, text), MM_ECONFIG);
	assert_message(f, ":2: the line is longer than 1000 bytes");
}

static void nul_bytes_and_huge_files_are_refused(void **state)
{
	fixture *f = *state;
	write_bytes(f, "[a]\nb = 1\0 2\n", 13);
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_ECONFIG);
	assert_message(f, ":2: the line holds a NUL byte; this is not a text file");
	char *big = calloc(1, (1 << 20) + 1);
	assert_non_null(big);
	write_bytes(f, big, (1 << 20) + 1);
	free(big);
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_EFORMAT);
	assert_says(f, "1048577 bytes are too many");
}

/* iniparser takes minutes for what is no file of settings. */
static void too_many_keys_are_refused_at_once(void **state)
{
	fixture *f = *state;
	char *text = calloc(1, (size_t)1 << 20);
	assert_non_null(text);
	size_t used = (size_t)sprintf(text, "[a]\n");
	for (int i = 0; i < 40000; i++)
		used += (size_t)sprintf(text + used, "k%x=1\n", (unsigned)i);
	write_bytes(f, text, used);
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_EFORMAT);
	assert_says(f, ":4097: more than 4096 keys and sections");
	free(text);
}

static void a_byte_order_mark_is_skipped_and_utf16_is_told(void **state)
{
	fixture *f = *state;
	must_load(f, "\xEF\xBB\xBF[a]\r\nb = 1\r\n");
	assert_string_equal(string(f, "a", "b"), "1");
	must_load(f, "\xEF\xBB\xBF");
	mmi_config_destroy(f->config);
	f->config = NULL;
	write_bytes(f, "\xFF\xFE[\0a\0]\0", 8);
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_EFORMAT);
	assert_says(f, "the text is UTF-16, expected UTF-8");
	write_bytes(f, "[\0a\0]\0", 6);
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_EFORMAT);
	assert_says(f, "the text is UTF-16, expected UTF-8");
}

static void characters_that_cannot_be_seen_are_shown_in_messages(void **state)
{
	fixture *f = *state;
	int64_t value;
	char shown[14];
	assert_int_equal(load(f, "[a]\nb\xE2\x80\x8B = 1\n"), MM_ECONFIG);
	assert_says(f, "found \"b\\xE2\\x80\\x8B\"");
	assert_int_equal(load(f, "[\xEF\xBB\xBF"
	                         "a]\n"),
	                 MM_ECONFIG);
	assert_says(f, "found \"\\xEF\\xBB\\xBFa\"");
	must_load(f, "[a]\nb = 1\xC2\xA0\n");
	assert_int_equal(mmi_config_int(f->config, "a", "b", 1, 1, 100, &value, &f->e), MM_ECONFIG);
	assert_says(f, "b = 1\\xC2\\xA0:");
	assert_string_equal(mmi_show("\xC3\xA9t\xFF\n", 5, shown, sizeof shown), "\xC3\xA9t\\xFF...");
	assert_string_equal(mmi_show("abc", 2, shown, sizeof shown), "ab");
}

static void an_empty_file_has_no_settings(void **state)
{
	fixture *f = *state;
	must_load(f, "");
	assert_int_equal(mmi_config_sections(f->config), 0);
	assert_int_equal(mmi_config_check(f->config, &f->e), MM_OK);
}

static void missing_files_and_folders_are_told_apart(void **state)
{
	fixture *f = *state;
	assert_int_equal(mmi_config_load(f->path, &f->config, &f->e), MM_EIO);
	assert_message(f, ": cannot be opened: No such file or directory");
	assert_int_equal(mmi_config_load(f->folder, &f->config, &f->e), MM_EIO);
	assert_says(f, ": is a folder, expected an INI file");
	assert_int_equal(mmi_config_load("/dev/null", &f->config, &f->e), MM_EIO);
	assert_says(f, "is not a regular file");
	assert_null(f->config);
}

/* ---------------------------------------------------------------- --set */

static void options_override_the_file(void **state)
{
	fixture *f = *state;
	int64_t value;

	must_load(f, "[learner]\nbatch = 64\n");
	set(f, "Learner.BATCH=12");
	set(f, "learner.lr=0.5");
	set(f, "new.key=a=b.c");
	assert_int_equal(mmi_config_int(f->config, "learner", "batch", 1, 1, 100, &value, &f->e), MM_OK);
	assert_int_equal(value, 12);
	assert_string_equal(string(f, "new", "key"), "a=b.c");
	set(f, "learner.batch=13"); /* the last one holds */
	assert_int_equal(mmi_config_int(f->config, "learner", "batch", 1, 1, 100, &value, &f->e), MM_OK);
	assert_int_equal(value, 13);
}

static void malformed_options_are_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "batch=3", "--set batch=3: expected SECTION.KEY=VALUE, e.g. --set learner.batch=64" },
		{ "learner.batch", "--set learner.batch: expected SECTION.KEY=VALUE" },
		{ "a=b.c", "expected SECTION.KEY=VALUE" },
		{ ".b=c", "section and key are 1 to 63 letters, digits, _ or -" },
		{ "a.=c", "section and key are 1 to 63 letters" },
		{ "a.b.c=d", "section and key are 1 to 63 letters" },
		{ "a.b=c\\d", "a value cannot hold a backslash" },
		{ "a.b=c\nd", "a control character" },
		{ "a.b=';\"", "both kinds of quotes" },
	};
	fixture *f = *state;
	must_load(f, "");
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		assert_int_equal(mmi_config_set(f->config, wrong[i][0], &f->e), MM_ECONFIG);
		assert_says(f, wrong[i][1]);
	}
}

/* ---------------------------------------------------------------- typed questions */

static void integers_are_taken_whole_and_in_range(void **state)
{
	static const char *const wrong[] = { "",   "1x", "0x10", "1.0", "1e3", "two", "0", "101", "99999999999999999999",
		                                 "- 1" };
	fixture *f = *state;
	char text[128];
	int64_t value = 5;

	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		snprintf(text, sizeof text, "[a]\nn = %s\n", wrong[i]);
		must_load(f, text);
		assert_int_equal(mmi_config_int(f->config, "a", "n", 1, 1, 100, &value, &f->e), MM_ECONFIG);
		snprintf(text, sizeof text, ":2: [a] n = %s: expected an integer from 1 to 100", wrong[i]);
		assert_message(f, text);
		assert_int_equal(value, 5);
	}
	must_load(f, "[a]\nn = +100\nm = -9223372036854775808\n");
	assert_int_equal(mmi_config_int(f->config, "a", "n", 1, 1, 100, &value, &f->e), MM_OK);
	assert_int_equal(value, 100);
	assert_int_equal(mmi_config_int(f->config, "a", "m", 1, INT64_MIN, INT64_MAX, &value, &f->e), MM_OK);
	assert_true(value == INT64_MIN);
	assert_int_equal(mmi_config_int(f->config, "a", "absent", 42, 1, 100, &value, &f->e), MM_OK);
	assert_int_equal(value, 42);
}

static void numbers_are_taken_whole_finite_and_in_range(void **state)
{
	static const char *const wrong[] = { "", "nan", "inf", "1e999", "0x1p3", "1.5.2", "1,5", "-1", "2.5", "1e", "." };
	fixture *f = *state;
	char text[128];
	double value = 5;

	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		snprintf(text, sizeof text, "[a]\nx = %s\n", wrong[i]);
		must_load(f, text);
		assert_int_equal(mmi_config_float(f->config, "a", "x", 1, 0, 2, &value, &f->e), MM_ECONFIG);
		snprintf(text, sizeof text, ":2: [a] x = %s: expected a number from 0 to 2", wrong[i]);
		assert_message(f, text);
		assert_true(value == 5);
	}
	must_load(f, "[a]\nx = 4e-4\ny = 2\nz = .5\n");
	assert_int_equal(mmi_config_float(f->config, "a", "x", 1, 0, 2, &value, &f->e), MM_OK);
	assert_true(value == 4e-4);
	assert_int_equal(mmi_config_float(f->config, "a", "z", 1, 0, 2, &value, &f->e), MM_OK);
	assert_true(value == 0.5);
	assert_int_equal(mmi_config_float(f->config, "a", "absent", 1e-3, 0, 2, &value, &f->e), MM_OK);
	assert_true(value == 1e-3);
}

static void open_ranges_read_as_words(void **state)
{
	static const struct {
		double min, max;
		const char *text;
	} cases[] = {
		{ DBL_MIN, 1, "expected a number above 0 and up to 1" },
		{ DBL_MIN, INFINITY, "expected a number above 0" },
		{ 0, INFINITY, "expected a number of at least 0" },
		{ -INFINITY, 3, "expected a number of at most 3" },
		{ -INFINITY, INFINITY, "expected a number" },
		{ -0.5, 0.1, "expected a number from -0.5 to 0.1" },
	};
	fixture *f = *state;
	double value;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		must_load(f, "[a]\nx = y\n");
		assert_int_equal(mmi_config_float(f->config, "a", "x", 1, cases[i].min, cases[i].max, &value, &f->e),
		                 MM_ECONFIG);
		assert_string_equal(strstr(f->e.message, "expected"), cases[i].text);
	}
}

static void switches_have_four_spellings(void **state)
{
	static const char *const yes[] = { "yes", "True", "ON", "1" }, *const no[] = { "no", "false", "Off", "0" };
	fixture *f = *state;
	char text[32];
	bool value;

	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "[a]\ny = %s\nn = %s\n", yes[i], no[i]);
		must_load(f, text);
		assert_int_equal(mmi_config_bool(f->config, "a", "y", false, &value, &f->e), MM_OK);
		assert_true(value);
		assert_int_equal(mmi_config_bool(f->config, "a", "n", true, &value, &f->e), MM_OK);
		assert_false(value);
	}
	must_load(f, "[a]\nb = yess\n");
	assert_int_equal(mmi_config_bool(f->config, "a", "b", true, &value, &f->e), MM_ECONFIG);
	assert_message(f, ":2: [a] b = yess: expected yes or no");
}

static void choices_list_what_is_possible(void **state)
{
	static const char *const names[] = { "normal", "laplace", NULL };
	fixture *f = *state;
	int value;

	must_load(f, "[a]\np = laplace\nq = student\n");
	assert_int_equal(mmi_config_choice(f->config, "a", "p", names, 0, &value, &f->e), MM_OK);
	assert_int_equal(value, 1);
	assert_int_equal(mmi_config_choice(f->config, "a", "absent", names, 0, &value, &f->e), MM_OK);
	assert_int_equal(value, 0);
	assert_int_equal(mmi_config_choice(f->config, "a", "q", names, 0, &value, &f->e), MM_ECONFIG);
	assert_message(f, ":3: [a] q = student: expected one of normal, laplace");
	assert_int_equal(mmi_config_choice(f->config, "a", "needed", names, -1, &value, &f->e), MM_ECONFIG);
	assert_message(f, ": [a] needed is not set: expected one of normal, laplace");
}

static void calls_have_a_name_and_perhaps_a_number(void **state)
{
	static const char *const names[] = { "gaussian", "auto", NULL };
	static const struct {
		const char *text;
		int which;
		bool has_value;
		double value;
	} good[] = {
		{ "gaussian(0.7)", 0, true, 0.7 },
		{ "auto", 1, false, 0 },
		{ "auto ( 2e-2 )", 1, true, 0.02 },
		{ "gaussian(-1)", 0, true, -1 },
	};
	static const char *const wrong[] = { "gauss(1)",      "gaussian()", "gaussian(1", "gaussian 1",    "gaussian(1)x",
		                                 "gaussian(1 2)", "(1)",        "",           "gaussian(nan)", "Gaussian(1)" };
	fixture *f = *state;
	char text[64];

	for (size_t i = 0; i < MMI_COUNT(good); i++) {
		int which = -1;
		bool has_value;
		double value = 0;
		snprintf(text, sizeof text, "[a]\nx = %s\n", good[i].text);
		must_load(f, text);
		assert_int_equal(mmi_config_call(f->config, "a", "x", names, "auto", &which, &has_value, &value, &f->e), MM_OK);
		assert_int_equal(which, good[i].which);
		assert_int_equal(has_value, good[i].has_value);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		int which;
		bool has_value;
		double value;
		snprintf(text, sizeof text, "[a]\nx = %s\n", wrong[i]);
		must_load(f, text);
		assert_int_equal(mmi_config_call(f->config, "a", "x", names, "auto", &which, &has_value, &value, &f->e),
		                 MM_ECONFIG);
		assert_says(f, "expected NAME or NAME(NUMBER), where NAME is one of gaussian, auto");
	}
}

static const char *path_of(fixture *f, const char *key, const char *fallback)
{
	const char *out;
	assert_int_equal(mmi_config_path(f->config, "a", key, fallback, &out, &f->e), MM_OK);
	return out;
}

static void paths_start_from_the_ini_or_the_current_folder(void **state)
{
	fixture *f = *state;
	char expected[8192], cwd[4096], real[4096];

	assert_non_null(getcwd(cwd, sizeof cwd));
	must_load(f, "[a]\nx = data/m\ny = ./m\nz = /abs\n");
	assert_non_null(realpath(f->folder, real));
	set(f, "a.s=data/m");
	snprintf(expected, sizeof expected, "%s/data/m", real);
	assert_string_equal(path_of(f, "x", NULL), expected);
	snprintf(expected, sizeof expected, "%s/m", real);
	assert_string_equal(path_of(f, "y", NULL), expected);
	assert_string_equal(path_of(f, "z", NULL), "/abs");
	snprintf(expected, sizeof expected, "%s/data/m", cwd);
	assert_string_equal(path_of(f, "s", NULL), expected);
	assert_null(path_of(f, "absent", NULL));
	snprintf(expected, sizeof expected, "%s/runs", real);
	assert_string_equal(path_of(f, "default", "runs"), expected);
}

static void a_path_stays_the_same_after_a_change_of_folder(void **state)
{
	fixture *f = *state;
	char expected[8192], cwd[4096];

	assert_non_null(getcwd(cwd, sizeof cwd));
	must_load(f, "");
	set(f, "a.s=data");
	assert_int_equal(chdir("/"), 0);
	const char *found = path_of(f, "s", NULL);
	assert_int_equal(chdir(cwd), 0);
	snprintf(expected, sizeof expected, "%s/data", cwd);
	assert_string_equal(found, expected);
}

static void numbers_ignore_the_locale(void **state)
{
	char text[MMI_VALUE_TEXT];
	double value;

	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
		print_message("no locale with a decimal comma is installed\n");
		skip();
	}
	bool parsed = mmi_value_float("0.5", &value);
	mmi_value_print(0.25, text);
	setlocale(LC_ALL, "C");
	assert_true(parsed);
	assert_true(value == 0.5);
	assert_string_equal(text, "0.25");
}

static void printed_numbers_are_short_and_read_back(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = { { 0.1, "0.1" },
		          { 1e-3, "0.001" },
		          { 4e-4, "0.0004" },
		          { 1, "1" },
		          { 6000, "6000" },
		          { 1e100, "1e+100" },
		          { 1.0 / 3.0, "0.3333333333333333" } };
	char text[MMI_VALUE_TEXT];
	double back;

	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		assert_string_equal(mmi_value_print(cases[i].value, text), cases[i].text);
		assert_true(mmi_value_float(text, &back) && back == cases[i].value);
	}
	assert_true(mmi_value_widen(0.7f) == 0.7);
	assert_true((float)mmi_value_widen(1.0f / 3.0f) == 1.0f / 3.0f);
}

static void distances_count_edits(void **state)
{
	(void)state;
	assert_int_equal(mmi_value_distance("", ""), 0);
	assert_int_equal(mmi_value_distance("batch", "batch"), 0);
	assert_int_equal(mmi_value_distance("bacth", "batch"), 1);
	assert_int_equal(mmi_value_distance("btch", "batch"), 1);
	assert_int_equal(mmi_value_distance("batches", "batch"), 2);
	assert_int_equal(mmi_value_distance("kitten", "sitting"), 3);
	assert_int_equal(mmi_value_distance("", "abc"), 3);
}

static void a_refusal_by_the_caller_reads_like_our_own(void **state)
{
	fixture *f = *state;
	must_load(f, "[a]\nx = 3\n");
	string(f, "a", "x");
	assert_int_equal(mmi_config_refuse(f->config, "a", "x", "an odd number", &f->e), MM_ECONFIG);
	assert_message(f, ":2: [a] x = 3: expected an odd number");
	assert_int_equal(mmi_config_refuse(f->config, "a", "y", "a file", &f->e), MM_ECONFIG);
	assert_says(f, "[a] y is not set: expected a file");
}

static void one_key_cannot_have_two_defaults(void **state)
{
	fixture *f = *state;
	int64_t value;
	must_load(f, "");
	assert_int_equal(mmi_config_int(f->config, "a", "n", 1, 0, 9, &value, &f->e), MM_OK);
	assert_int_equal(mmi_config_int(f->config, "a", "n", 1, 0, 9, &value, &f->e), MM_OK);
	assert_int_equal(mmi_config_int(f->config, "a", "n", 2, 0, 9, &value, &f->e), MM_EINTERNAL);
	assert_says(f, "[a] n is asked for with two defaults, 1 and 2");
}

static void long_values_are_cut_in_messages(void **state)
{
	fixture *f = *state;
	char text[600];
	int64_t value;

	memset(text, 'x', sizeof text);
	memcpy(text, "[a]\nn = ", 8);
	text[sizeof text - 1] = 0;
	must_load(f, text);
	assert_int_equal(mmi_config_int(f->config, "a", "n", 1, 0, 9, &value, &f->e), MM_ECONFIG);
	assert_says(f, "x...: expected an integer from 0 to 9");
}

/* ---------------------------------------------------------------- unknown keys */

static void ask_some(fixture *f)
{
	int64_t n;
	double x;
	assert_int_equal(mmi_config_int(f->config, "learner", "iterations", 6000, 1, INT64_MAX, &n, &f->e), MM_OK);
	assert_int_equal(mmi_config_int(f->config, "learner", "batch", 64, 1, 65536, &n, &f->e), MM_OK);
	assert_int_equal(mmi_config_float(f->config, "energy", "weight_decay", 0, 0, 1, &x, &f->e), MM_OK);
}

static void unknown_keys_and_sections_are_errors_with_a_suggestion(void **state)
{
	static const char *const wrong[][2] = {
		{ "[learner]\nbatch = 1\nitertions = 3\n",
		  ":3: [learner] itertions = 3: unknown key; did you mean \"iterations\"?" },
		{ "[learner]\nweight_decay = 1\n", ":2: [learner] weight_decay = 1: unknown key; it belongs to [energy]" },
		{ "[learner]\nzzz = 1\n", ":2: [learner] zzz = 1: unknown key; [learner] knows iterations, batch" },
		{ "[lerner]\nbatch = 1\n", ":1: unknown section [lerner]: did you mean [learner]?" },
		{ "\n[x]\n", ":2: unknown section [x]: nothing in this run uses it; remove it" },
	};
	fixture *f = *state;
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		must_load(f, wrong[i][0]);
		ask_some(f);
		assert_int_equal(mmi_config_check(f->config, &f->e), MM_ECONFIG);
		assert_message(f, wrong[i][1]);
	}
}

static void unknown_options_are_errors_with_a_suggestion(void **state)
{
	fixture *f = *state;
	must_load(f, "");
	set(f, "learner.bacth=3");
	ask_some(f);
	assert_int_equal(mmi_config_check(f->config, &f->e), MM_ECONFIG);
	assert_string_equal(f->e.message, "--set learner.bacth=3: unknown key; did you mean \"batch\"?");
	must_load(f, "");
	set(f, "enrgy.nef=3");
	ask_some(f);
	assert_int_equal(mmi_config_check(f->config, &f->e), MM_ECONFIG);
	assert_string_equal(f->e.message, "--set enrgy.nef=3: unknown section [enrgy]: did you mean [energy]?");
}

static void a_run_without_a_file_works_on_options_alone(void **state)
{
	fixture *f = *state;
	assert_int_equal(mmi_config_create(&f->config, &f->e), MM_OK);
	set(f, "learner.batch=3");
	ask_some(f);
	assert_int_equal(mmi_config_check(f->config, &f->e), MM_OK);
}

/* ---------------------------------------------------------------- the resolved INI */

static char *resolved(fixture *f)
{
	char *text = NULL;
	if (mmi_config_resolved(f->config, &text, &f->e) != MM_OK)
		fail_msg("%s", f->e.message);
	return text;
}

static void the_resolved_ini_lists_what_is_in_effect_in_file_order(void **state)
{
	fixture *f = *state;
	must_load(f, "[energy]\n[learner]\nbatch = 0016\nunused = 1\n");
	ask_some(f);
	string(f, "learner", "note");
	char *text = resolved(f);
	assert_string_equal(text, "[energy]\nweight_decay = 0\n\n[learner]\nbatch = 0016\niterations = 6000\n");
	mmi_free(text);
}

static void ask_everything(fixture *f)
{
	static const char *const names[] = { "gaussian", "laplace", NULL };
	const char *text;
	bool flag;
	double x;
	int which;

	ask_some(f);
	assert_int_equal(mmi_config_path(f->config, "data", "root", NULL, &text, &f->e), MM_OK);
	assert_int_equal(mmi_config_path(f->config, "run", "out", "runs/new", &text, &f->e), MM_OK);
	assert_int_equal(mmi_config_string(f->config, "run", "note", "a ; b", &text, &f->e), MM_OK);
	assert_int_equal(mmi_config_string(f->config, "run", "empty", "", &text, &f->e), MM_OK);
	assert_int_equal(mmi_config_bool(f->config, "energy", "spectral_norm", true, &flag, &f->e), MM_OK);
	assert_int_equal(mmi_config_call(f->config, "m0", "likelihood", names, "gaussian(0.7)", &which, &flag, &x, &f->e),
	                 MM_OK);
}

static void the_resolved_ini_reads_back_as_itself(void **state)
{
	fixture *f = *state;
	must_load(f, "[data]\nroot = my data/#1\n[run]\nnote = 'say \"hi; there\"'\n[m0]\nlikelihood = laplace(2)\n");
	set(f, "data.root=some where");
	set(f, "energy.weight_decay=1e-5");
	ask_everything(f);
	char *first = resolved(f);
	must_load(f, first);
	ask_everything(f);
	assert_int_equal(mmi_config_check(f->config, &f->e), MM_OK);
	char *second = resolved(f);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "note = 'say \"hi; there\"'\n"));
	assert_non_null(strstr(first, "empty = \"\"\n"));
	assert_non_null(strstr(first, "/some where\n"));
	mmi_free(first);
	mmi_free(second);
}

static void values_an_ini_cannot_hold_are_told(void **state)
{
	char quoted[64];
	(void)state;
	assert_true(mmi_ini_quote("plain", quoted, sizeof quoted));
	assert_string_equal(quoted, "plain");
	assert_true(mmi_ini_quote(" edge", quoted, sizeof quoted));
	assert_string_equal(quoted, "\" edge\"");
	assert_true(mmi_ini_quote("\"a\"", quoted, sizeof quoted));
	assert_string_equal(quoted, "'\"a\"'");
	assert_true(mmi_ini_quote("it's \"so\"", quoted, sizeof quoted));
	assert_string_equal(quoted, "it's \"so\"");
	assert_false(mmi_ini_quote("it's \"so\";", quoted, sizeof quoted));
	assert_false(mmi_ini_quote("a\\b", quoted, sizeof quoted));
	assert_false(mmi_ini_quote("a\nb", quoted, sizeof quoted));
	assert_false(mmi_ini_quote("12345", quoted, 5));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(values_come_without_quotes_comments_and_blanks),
		CASE(names_are_the_same_in_any_case),
		CASE(mistakes_in_a_file_name_the_line),
		CASE(long_lines_are_refused_at_the_limit),
		CASE(nul_bytes_and_huge_files_are_refused),
		CASE(too_many_keys_are_refused_at_once),
		CASE(a_byte_order_mark_is_skipped_and_utf16_is_told),
		CASE(characters_that_cannot_be_seen_are_shown_in_messages),
		CASE(an_empty_file_has_no_settings),
		CASE(missing_files_and_folders_are_told_apart),
		CASE(options_override_the_file),
		CASE(malformed_options_are_refused),
		CASE(integers_are_taken_whole_and_in_range),
		CASE(numbers_are_taken_whole_finite_and_in_range),
		CASE(open_ranges_read_as_words),
		CASE(switches_have_four_spellings),
		CASE(choices_list_what_is_possible),
		CASE(calls_have_a_name_and_perhaps_a_number),
		CASE(paths_start_from_the_ini_or_the_current_folder),
		CASE(a_path_stays_the_same_after_a_change_of_folder),
		CASE(numbers_ignore_the_locale),
		CASE(printed_numbers_are_short_and_read_back),
		CASE(distances_count_edits),
		CASE(a_refusal_by_the_caller_reads_like_our_own),
		CASE(one_key_cannot_have_two_defaults),
		CASE(long_values_are_cut_in_messages),
		CASE(unknown_keys_and_sections_are_errors_with_a_suggestion),
		CASE(unknown_options_are_errors_with_a_suggestion),
		CASE(a_run_without_a_file_works_on_options_alone),
		CASE(the_resolved_ini_lists_what_is_in_effect_in_file_order),
		CASE(the_resolved_ini_reads_back_as_itself),
		CASE(values_an_ini_cannot_hold_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
