/* cmd_report.c - mmcore report: runs as one page to look at. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "report/page.h"

#include <stdio.h>

static int write_page(const mmi_cli *cli, const mmi_usage *usage, const mmi_strings *runs, const char *out, bool json)
{
	mm_error e = MM_ERROR_INIT;
	if (!runs->n)
		return mmi_options_refuse(cli, usage, "the folder of a run is missing");
	if (runs->n > MMI_PAGE_RUNS)
		return mmi_options_refuse(cli, usage, "%zu runs; a page holds %d at most", runs->n, MMI_PAGE_RUNS);
	if (!out && runs->n > 1)
		return mmi_options_refuse(cli, usage, "several runs: --out says where their page goes");
	char *path = out ? mmi_strdup(out) : mmi_format("%s/" MMI_PAGE_NAME, runs->item[0]);
	if (!path)
		return mmi_cli_no_memory(cli, "a file name");
	mm_status status = mmi_page_write((const char *const *)runs->item, runs->n, path, &cli->log, &e);
	int code = status == MM_OK ? mmi_answer_path(cli, json, json ? "page" : "page          ", path) : MMI_EXIT_FAILURE;
	mmi_free(path);
	if (status == MM_OK)
		return code;
	return status == MM_ECONFIG ? mmi_cli_refuse(cli, &e) : mmi_cli_fail(cli, &e);
}

int mmi_cmd_report(const mmi_cli *cli, int argc, char **argv)
{
	const char *out = NULL;
	bool json = false;
	mmi_strings runs = { 0 };
	const mmi_option options[] = { MMI_OPTION_STRING("out", "FILE", &out,
		                                             "the page (default: report.html in the folder of the one run)"),
		                           MMI_OPTION_JSON(&json), MMI_OPTION_END };
	const mmi_usage usage = { "report", "RUN... [--out FILE]",
		                      "Makes one HTML file, which needs no network, of a run's folder or of several side by "
		                      "side: settings, curves, sheets, figures of eval, chains, cost, versions.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, &runs, &code))
		code = write_page(cli, &usage, &runs, out, json);
	mmi_strings_clear(&runs);
	return code;
}
