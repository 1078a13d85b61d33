/* cli.c - messages and exit statuses of commands. */
#include "mmi_build.h"

#include "cli/cli.h"

#include <stdio.h>

void mmi_cli_error(const mmi_cli *cli, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	char *text = mmi_vformat(format, ap);
	va_end(ap);
	mmi_console_line(cli->console, MM_LOG_ERROR, text ? text : "out of memory");
	mmi_free(text);
}

int mmi_cli_no_memory(const mmi_cli *cli, const char *what)
{
	mmi_cli_error(cli, "out of memory for %s", what);
	return MMI_EXIT_FAILURE;
}

static int report(const mmi_cli *cli, const mm_error *e, int status)
{
	mmi_cli_error(cli, "%s", e->message[0] ? e->message : mmi_status_name(e->code));
	return status;
}

int mmi_cli_fail(const mmi_cli *cli, const mm_error *e)
{
	switch (e->code) {
	case MM_ECONFIG:
		return report(cli, e, MMI_EXIT_USAGE);
	case MM_ECANCELLED:
		return report(cli, e, mmi_interrupt_status());
	default:
		return report(cli, e, MMI_EXIT_FAILURE);
	}
}

int mmi_cli_refuse(const mmi_cli *cli, const mm_error *e)
{
	switch (e->code) {
	case MM_ENOMEM:
	case MM_EINTERNAL:
		return report(cli, e, MMI_EXIT_FAILURE);
	case MM_ECANCELLED:
		return report(cli, e, mmi_interrupt_status());
	default:
		return report(cli, e, MMI_EXIT_USAGE);
	}
}
