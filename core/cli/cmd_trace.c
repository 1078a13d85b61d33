/* cmd_trace.c - mmcore trace: the chains, step by step. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "trained/trace.h"

#include <stdio.h>

static int report(const mmi_cli *cli, const char *folder, bool json)
{
	char *path = mmi_format("%s/trace.csv", folder);
	int code = path ? mmi_answer_path(cli, json, "traces", path) : mmi_cli_no_memory(cli, "a file name");
	mmi_free(path);
	return code;
}

static int run(const mmi_cli *cli, const char *checkpoint, const mmi_trace_request *r, const mmi_setup_request *request,
               bool json)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	if (mmi_saved_open(checkpoint, request, 1, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mm_status status = mmi_trace_make(&saved, r, &e);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return status == MM_ECONFIG || status == MM_EUNSUPPORTED ? mmi_cli_refuse(cli, &e) : mmi_cli_fail(cli, &e);
	return report(cli, r->out, json);
}

int mmi_cmd_trace(const mmi_cli *cli, int argc, char **argv)
{
	const char *checkpoint = NULL;
	int64_t tuples = 4, number = 0;
	bool json = false;
	mmi_trace_request r = { .steps = MMI_RECIPE_AS_IT_IS, .log = &cli->log };
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&checkpoint),
		MMI_OPTION_INT("tuples", "N", &tuples, 1, 1024,
		               "tuples to follow, of the test data and from the prior (default 4)"),
		MMI_OPTION_Z_STEPS(&r.steps.posterior_steps),
		MMI_OPTION_CANDIDATES(&r.steps.candidates),
		MMI_OPTION_GUIDE_STEPS(&r.steps.latent_steps),
		MMI_OPTION_X_STEPS(&r.steps.data_steps),
		MMI_OPTION_INT("number", "N", &number, 0, 4e9, "which draws: another number, other draws (default 0)"),
		MMI_OPTION_STRING("out", "DIR", &r.out, "folder for posterior.png, guide.png, data.png and trace.csv"),
		MMI_OPTION_JSON(&json),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"trace", "--ckpt FILE --out DIR [options]",
		"Follows the Langevin chains: strips of what latents decode to and of "
		"samples going down in energy, and energy, log-likelihood and movement of each step as CSV.",
		options
	};
	int code;
	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	r.tuples = (uint32_t)tuples;
	r.number = (uint32_t)number;
	mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
	if (!checkpoint || !r.out)
		code = mmi_options_refuse(cli, &usage, "--%s is missing", checkpoint ? "out" : "ckpt");
	else
		code = run(cli, checkpoint, &r, &request, json);
done:
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
