/* fuzz_ini.c - INI files, with all settings of the core; values are those that iniparser takes from them. */
#include "mmi_build.h"

#include "fuzz.h"
#include "config/config.h"
#include "config/ini.h"

#include <iniparser/iniparser.h>
#include <stdio.h>
#include <string.h>

static mm_status compare(void *ctx, const char *section, const char *key, const char *value, int line, mm_error *e)
{
	const dictionary *d = ctx;
	char name[160];
	(void)line, (void)e;
	if (!key)
		return MM_OK;
	snprintf(name, sizeof name, "%s:%s", section, key);
	const char *theirs = iniparser_getstring(d, name, NULL);
	if (!theirs || strcmp(theirs, value))
		fuzz_fail("%s is \"%s\", for iniparser \"%s\"", name, value, theirs ? theirs : "not there");
	return MM_OK;
}

static int quiet(const char *format, ...)
{
	(void)format;
	return 0;
}

/* A byte order mark is ours to skip. */
static void compare_values(const uint8_t *data, size_t n)
{
	const size_t mark = n >= 3 && !memcmp(data, "\xEF\xBB\xBF", 3) ? 3 : 0;
	const char *path = fuzz_file(0, data + mark, n - mark);
	iniparser_set_error_callback(quiet);
	dictionary *d = iniparser_load(path);
	if (d)
		mmi_ini_read(path, compare, d, NULL);
	iniparser_freedict(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_config *c;
	if (fuzz_ok(mmi_config_load(fuzz_file(0, data, n), &c, &e), &e)) {
		fuzz_use_settings(c);
		mmi_config_destroy(c);
		compare_values(data, n);
	}
	return 0;
}
