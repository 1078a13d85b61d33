/* cmd_interpolate.c - mmcore interpolate: from one tuple to another. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "trained/interpolate.h"

#include <stdio.h>

typedef struct arguments {
	const char *checkpoint;
	int64_t from, to;
	bool prior, json;
	mmi_strings given;
	mmi_interpolate_request r;
} arguments;

/* Test tuples: all modalities are given unless some are named. */
static mm_status read_ends(const arguments *a, const mmi_saved *s, const mmi_log *log, mmi_inputs *out, mm_error *e)
{
	char test[32];
	bool all[MMI_MAX_MODALITIES];
	const uint32_t index[2] = { (uint32_t)a->from, (uint32_t)a->to };
	for (size_t m = 0; m < MMI_COUNT(all); m++)
		all[m] = true;
	if (a->from < 0)
		return mmi_given_read(s, &a->given, NULL, 0, log, out, e);
	if (!a->given.n)
		return mmi_inputs_test(s, index, 2, all, log, out, e);
	snprintf(test, sizeof test, "%u,%u", index[0], index[1]);
	return mmi_given_read(s, &a->given, test, 0, log, out, e);
}

static int run(const mmi_cli *cli, arguments *a, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_inputs ends = { 0 };
	mm_status status = MM_OK;
	if (mmi_saved_open(a->checkpoint, request, MMI_INTERPOLATE_STEPS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	if (!a->prior)
		status = read_ends(a, &saved, &cli->log, &ends, &e);
	a->r.ends = a->prior ? NULL : &ends;
	bool accepted = status == MM_OK;
	if (accepted)
		status = mmi_interpolate_make(&saved, &a->r, &e);
	mmi_inputs_clear(&ends);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return accepted && status != MM_ECONFIG && status != MM_EUNSUPPORTED ? mmi_cli_fail(cli, &e)
		                                                                     : mmi_cli_refuse(cli, &e);
	return mmi_answer_path(cli, a->json, "sheet", a->r.grid);
}

/* NULL when the ends are told in exactly one way. */
static const char *complaint(const arguments *a)
{
	if (!a->checkpoint)
		return "--ckpt is missing";
	if (!a->r.grid)
		return "--grid is missing";
	if (mmi_output_complaint(a->r.grid, false, NULL))
		return mmi_output_complaint(a->r.grid, false, NULL);
	if ((a->from >= 0) != (a->to >= 0))
		return "--from and --to belong together";
	if (a->prior && (a->from >= 0 || a->given.n))
		return "--prior excludes --from, --to and --given";
	if (!a->prior && a->from < 0 && !a->given.n)
		return "no ends: give --from and --to, --given NAME=FILE,FILE or --prior";
	return NULL;
}

int mmi_cmd_interpolate(const mmi_cli *cli, int argc, char **argv)
{
	arguments a = { .from = -1, .to = -1, .r = { .z_steps = -1, .x_steps = -1 } };
	int64_t steps = 10, number = 0;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&a.checkpoint),
		MMI_OPTION_INT("from", "I", &a.from, 0, 4e9, "the test tuple at one end"),
		MMI_OPTION_INT("to", "J", &a.to, 0, 4e9, "and at the other"),
		MMI_OPTION_LIST("given", "NAME=FILE,FILE", &a.given,
		                "both ends as files or texts; with --from and --to: names of the modalities to infer "
		                "the latents from; repeatable"),
		MMI_OPTION_FLAG("prior", &a.prior, "two draws from the prior instead"),
		MMI_OPTION_INT("steps", "N", &steps, 2, MMI_INTERPOLATE_STEPS, "points, both ends included (default 10)"),
		MMI_OPTION_FLAG("spherical", &a.r.spherical, "along a great circle instead of a line"),
		MMI_OPTION_Z_STEPS(&a.r.z_steps),
		MMI_OPTION_X_STEPS(&a.r.x_steps),
		MMI_OPTION_INT("number", "N", &number, 0, 4e9, "which draws: another number, other draws (default 0)"),
		MMI_OPTION_STRING("grid", "OUT.png", &a.r.grid, "the sheet"),
		MMI_OPTION_JSON(&a.json),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"interpolate", "--ckpt FILE (--from I --to J | --given NAME=FILE,FILE | --prior) --grid OUT.png [options]",
		"Goes from one tuple to another through the latent space and shows what is decoded on the way, before and "
		"after "
		"the energy chain.",
		options
	};
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code)) {
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		a.r.steps = (uint32_t)steps;
		a.r.number = (uint32_t)number;
		code = complaint(&a) ? mmi_options_refuse(cli, &usage, "%s", complaint(&a)) : run(cli, &a, &request);
	}
	mmi_strings_clear(&a.given);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
