/* help_plugins.h - the settings of plugins, from their own tables. */
#ifndef MMI_HELP_PLUGINS_H
#define MMI_HELP_PLUGINS_H

#include "cli/cli.h"

/* How a setting is printed: between the ends of its section, whose title replaces %s. */
typedef struct mmi_help_style {
	const char *begin, *end;
	void (*key)(FILE *out, const char *name, const char *value, const char *about);
} mmi_help_style;

/* The settings of plugins, files or names on the search path, as `mmcore help settings FILE.so...` prints them: those
 * that all of several have with the same words come first. `style` NULL: as JSON. Returns the exit status. */
int mmi_help_plugins(const mmi_cli *cli, const mmi_usage *usage, const char *const *names, size_t n,
                     const mmi_help_style *style);

#endif
