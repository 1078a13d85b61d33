/* run_options.h - the options that every command which builds a model understands. */
#ifndef MMI_RUN_OPTIONS_H
#define MMI_RUN_OPTIONS_H

#include "cli/cli.h"

#define MMI_OPTION_PLUGINS(to) \
	MMI_OPTION_LIST("plugin", "[NAME=]FILE", to, "a modality's plugin; NAME is its section of the INI; repeatable")
#define MMI_OPTION_SETS(to) \
	MMI_OPTION_LIST("set", "SECTION.KEY=VALUE", to, "override a setting; repeatable")
#define MMI_OPTION_MINUTES(to) \
	MMI_OPTION_FLOAT("minutes", "T", to, 0, 1e6, "stop after T minutes of training; rates and warm-up share them out")

#define MMI_MINUTES_TEXT 96

/* PARENT/NAME, from the INI's name without its folder and suffix; mmi_free, NULL when out of memory. */
char *mmi_default_folder(const char *parent, const char *ini);
/* The same as --set run.minutes=T, unless minutes is negative; `text` (MMI_MINUTES_TEXT bytes) must outlive the list. */
mm_status mmi_minutes_set(double minutes, mmi_strings *sets, char *text, mm_error *e);

#endif
