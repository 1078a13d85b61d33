/* run_options.c - what several commands make of their options. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Whoever opens it would be told that it is damaged. */
static bool names_other_picture(const char *path)
{
	static const char *const others[] = { ".jpg", ".jpeg", ".jpe",  ".gif",  ".webp", ".bmp", ".tif", ".tiff",
		                                  ".svg", ".pdf",  ".heic", ".avif", ".ppm",  ".eps", ".ps" };
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < MMI_COUNT(others); i++)
		if (!strcasecmp(dot, others[i]))
			return true;
	return false;
}

/* What takes minutes to make should not be lost for want of a place. `out` and the folders above it will be made. */
static bool has_folder(const char *path, const char *out)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	char folder[4096];
	const size_t length = slash ? (size_t)(slash - path) : 0;
	if (!length || length >= sizeof folder)
		return true;
	if (out && !strncmp(out, path, length) && (out[length] == '/' || !out[length]))
		return true;
	snprintf(folder, sizeof folder, "%.*s", (int)length, path);
	return !stat(folder, &st) && S_ISDIR(st.st_mode);
}

const char *mmi_output_complaint(const char *grid, bool npy, const char *out)
{
	struct stat st;
	if (grid && names_other_picture(grid))
		return "--grid: sheets are PNG files, and the name is that of another kind; expected OUT.png";
	if (grid && !has_folder(grid, out))
		return "--grid: the folder it is to go to is not there";
	if (grid && !stat(grid, &st) && S_ISDIR(st.st_mode))
		return "--grid: that is a folder; expected the name of a file, OUT.png";
	if (out && !stat(out, &st) && !S_ISDIR(st.st_mode))
		return "--out: a file of that name is in the way; expected a folder, new or not";
	if (npy && !out)
		return "--npy needs --out, the folder of the arrays";
	return NULL;
}

char *mmi_default_folder(const char *parent, const char *ini)
{
	const char *base = strrchr(ini, '/');
	base = base ? base + 1 : ini;
	const char *dot = strrchr(base, '.');
	return mmi_format("%s/%.*s", parent, (int)(dot && dot != base ? dot - base : (ptrdiff_t)strlen(base)), base);
}

mm_status mmi_minutes_set(double minutes, mmi_strings *sets, char *text, mm_error *e)
{
	char number[MMI_VALUE_TEXT];
	if (minutes < 0)
		return MM_OK;
	for (size_t i = 0; i < sets->n; i++)
		if (!strncasecmp(sets->item[i], "run.minutes=", strlen("run.minutes=")))
			return mmi_fail(e, MM_ECONFIG, "--minutes and --set %s: give one of them", sets->item[i]);
	snprintf(text, MMI_MINUTES_TEXT, "run.minutes=%s", mmi_value_print(minutes, number));
	return mmi_strings_add(sets, text, e);
}

static mm_status test_numbers(const char *test, int64_t test_count, uint32_t **index, uint32_t *n, mm_error *e)
{
	if (test && test_count)
		return mmi_fail(e, MM_ECONFIG, "--test and --test-count exclude each other");
	if (test)
		return mmi_numbers_parse(test, "--test", index, n, e);
	*n = (uint32_t)test_count;
	return mmi_numbers_first(*n, index, e);
}

mm_status mmi_given_read(const mmi_saved *s, const mmi_strings *given, const char *test, int64_t test_count,
                         const mmi_log *log, mmi_inputs *out, mm_error *e)
{
	bool named[MMI_MAX_MODALITIES] = { false };
	uint32_t *index, n;
	if (!test && !test_count)
		return mmi_inputs_named(s->model, given->item, given->n, "--given", out, e);
	for (size_t i = 0; i < given->n; i++) {
		if (strchr(given->item[i], '='))
			return mmi_fail(
				e, MM_ECONFIG,
				"--given %.80s: with --test or --test-count expected names of modalities alone, e.g. --given %s",
				given->item[i], s->model->modalities[0].name);
		MMI_TRY(mmi_names_parse(s->model, given->item[i], "--given", named, e));
	}
	MMI_TRY(test_numbers(test, test_count, &index, &n, e));
	mm_status status = mmi_inputs_test(s, index, n, named, log, out, e);
	mmi_free(index);
	return status;
}
