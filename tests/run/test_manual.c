/* test_manual.c - the manual of the settings names every key that the program asks for, with its default, and no other.
 */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/settings.h"

static char *manual;

static int read_manual(void **state)
{
	const char *folder = getenv("srcdir");
	char path[512];
	(void)state;
	snprintf(path, sizeof path, "%s/man/mmcore-settings.5", folder ? folder : ".");
	FILE *f = fopen(path, "rb");
	manual = calloc(1, 100000);
	if (!f || !manual || !fread(manual, 1, 99999, f))
		return -1;
	fclose(f);
	return 0;
}

static int free_manual(void **state)
{
	(void)state;
	free(manual);
	return 0;
}

/* The part of the manual about a section, cut out of it. */
static char *section(const char *name)
{
	char heading[64];
	snprintf(heading, sizeof heading, ".Ss [%s]", name);
	const char *begin = strstr(manual, heading);
	if (!begin)
		fail_msg("the manual lacks section [%s]", name);
	const char *end = strstr(begin + 1, "\n.Ss ");
	return strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
}

static void check_key(const char *in, const char *key, const char *value)
{
	char line[256];
	snprintf(line, sizeof line, "\n.It Li %s Pq %s\n", key, value);
	char *part = section(in);
	if (!strstr(part, line))
		fail_msg("the manual lacks \"%s\" of [%s], default %s", key, in, value);
	free(part);
}

/* The defaults, as an empty file resolves to them. */
static char *resolved(void)
{
	mmi_config *c;
	mmi_settings s;
	mm_error e = MM_ERROR_INIT;
	char *text = NULL;
	assert_int_equal(mmi_config_create(&c, &e), MM_OK);
	assert_int_equal(mmi_settings_read(c, &s, &e), MM_OK);
	assert_int_equal(mmi_config_resolved(c, &text, &e), MM_OK);
	mmi_config_destroy(c);
	return text;
}

static void every_key_and_default_is_in_the_manual(void **state)
{
	char in[64] = "", key[64], value[64], *text = resolved();
	int n = 0;
	(void)state;
	for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "[%63[^]]]", in) == 1 || sscanf(line, "%63s = %63s", key, value) != 2)
			continue;
		check_key(in, key, value);
		n++;
	}
	assert_true(n > 60);
	mmi_free(text);
}

/* Keys without a default are resolved to nothing: root, plugin_path. */
static void the_manual_names_no_key_that_is_not_asked_for(void **state)
{
	static const char *const sections[] = { "run", "data", "learner", "energy", "sample", "translate" };
	char *text = resolved();
	(void)state;
	for (size_t s = 0; s < MMI_COUNT(sections); s++) {
		char *part = section(sections[s]), key[64], line[80];
		for (const char *at = part; (at = strstr(at, "\n.It Li ")); at++) {
			assert_int_equal(sscanf(at, "\n.It Li %63s", key), 1);
			snprintf(line, sizeof line, "\n%s = ", key);
			if (!strstr(text, line) && strcmp(key, "root") && strcmp(key, "plugin_path"))
				fail_msg("the manual has \"%s\" in [%s], which nothing asks for", key, sections[s]);
		}
		free(part);
	}
	mmi_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_and_default_is_in_the_manual),
		cmocka_unit_test(the_manual_names_no_key_that_is_not_asked_for),
	};

	return cmocka_run_group_tests_name("manual", tests, read_manual, free_manual);
}
