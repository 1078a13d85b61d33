/* fuzz_settings.c - everything that reads settings: each type of value, all tables of the core, the file that is
 * written from them, which must read back. */
#include "mmi_build.h"

#include "fuzz.h"
#include "config/config.h"
#include "run/settings.h"

#include <string.h>

static void ask_each_type(mmi_config *c)
{
	static const char *const names[] = { "gaussian", "laplace", "bernoulli", NULL };
	mm_error e = MM_ERROR_INIT;
	const char *text;
	int64_t whole;
	double number;
	bool flag;
	int which;
	mmi_config_string(c, "a", "s", "x", &text, &e);
	mmi_config_int(c, "a", "i", 1, -5, 1000, &whole, &e);
	mmi_config_int(c, "a", "j", 1, 0, INT64_MAX, &whole, &e);
	mmi_config_int(c, "a", "n", 1, INT64_MIN, INT64_MAX, &whole, &e);
	mmi_config_float(c, "a", "f", 0.5, 0, 1, &number, &e);
	mmi_config_float(c, "a", "g", 0.5, 0, 1e301, &number, &e);
	mmi_config_float(c, "a", "h", 0.5, -1e301, 1, &number, &e);
	mmi_config_float(c, "a", "o", 0.5, 1e-308, 1, &number, &e);
	mmi_config_bool(c, "a", "b", true, &flag, &e);
	mmi_config_path(c, "a", "p", NULL, &text, &e);
	mmi_config_choice(c, "a", "c", names, 0, &which, &e);
	mmi_config_call(c, "a", "l", names, "gaussian(1)", &which, &flag, &number, &e);
}

/* What is written must read, and come out the same when it is written again. */
static void read_back(const char *text)
{
	mm_error e = MM_ERROR_INIT;
	mmi_config *again;
	if (mmi_config_load_text("resolved", text, &again, &e) != MM_OK)
		fuzz_fail("resolved settings do not read back: %s\n%s", e.message, text);
	mmi_config_destroy(again);
}

void fuzz_use_settings(mmi_config *c, bool all)
{
	mmi_settings set;
	char *text = NULL;
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT, g = MM_ERROR_INIT, h = MM_ERROR_INIT, i = MM_ERROR_INIT;
	fuzz_ok(mmi_settings_migrate(c, &i), &i);
	ask_each_type(c);
	if (!all)
		return;
	memset(&set, 0, sizeof set);
	fuzz_ok(mmi_settings_read(c, &set, &e), &e);
	fuzz_ok(mmi_config_check(c, &f), &f);
	if (fuzz_ok(mmi_config_resolved(c, &text, &g), &g)) {
		read_back(text);
		mmi_free(text);
	}
	if (fuzz_ok(mmi_config_portable(c, "plugin", "plugin_path", &text, &h), &h)) {
		read_back(text);
		mmi_free(text);
	}
}
