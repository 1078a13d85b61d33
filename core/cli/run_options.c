/* run_options.c - what the commands that train make of their options. */
#include "config.h"

#include "cli/run_options.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

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
	snprintf(text, MMI_MINUTES_TEXT, "run.minutes=%s", mmi_value_print(minutes, number));
	return mmi_strings_add(sets, text, e);
}
