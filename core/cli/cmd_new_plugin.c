/* cmd_new_plugin.c - mmcore new-plugin: the sources of a modality that works, to be changed. */
#include "mmi_build.h"

#include "cli/cli.h"
#include "scaffold/scaffold.h"

#include <string.h>

static int write_plugin(const mmi_cli *cli, const mmi_scaffold *s)
{
	mm_error e = MM_ERROR_INIT;
	if (mmi_scaffold_write(s, &e) != MM_OK)
		return mmi_cli_fail(cli, &e);
	FILE *out = cli->console->out;
	fprintf(out, "%s holds the modality %s. Build it, put it to the test, read on in its README.md:\n", s->to, s->name);
	fprintf(out, "  make -C %s check\n", s->to);
	return MMI_EXIT_OK;
}

int mmi_cmd_new_plugin(const mmi_cli *cli, int argc, char **argv)
{
	mmi_strings operands = { 0 };
	const mmi_option options[] = { MMI_OPTION_END };
	const mmi_usage usage = {
		"new-plugin", "NAME FOLDER",
		"Writes the sources of a new modality into a folder that is empty or not there: data that "
		"are made up, networks, settings, pictures, a makefile and a test. It trains as it is.",
		options
	};
	int code;

	if (mmi_options_parse(cli, &usage, argc, argv, &operands, &code)) {
		if (operands.n != 2)
			code = mmi_options_refuse(cli, &usage, "a name and a folder are needed");
		else
			code = write_plugin(cli, &(mmi_scaffold){ mmi_scaffold_template(), operands.item[0], operands.item[1] });
	}
	mmi_strings_clear(&operands);
	return code;
}
