/* run_options.h - the options that every command which builds a model understands. */
#ifndef MMI_RUN_OPTIONS_H
#define MMI_RUN_OPTIONS_H

#include "cli/cli.h"

#define MMI_OPTION_PLUGINS(to) \
	MMI_OPTION_LIST("plugin", "[NAME=]FILE", to, "a modality's plugin; NAME is its section of the INI; repeatable")
#define MMI_OPTION_SETS(to) \
	MMI_OPTION_LIST("set", "SECTION.KEY=VALUE", to, "override a setting; repeatable")

#endif
