/* cmd_encode.c - mmcore encode: the latents of a split of the data, as .npy and CSV files. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "trained/encode.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 256u /* tuples in memory at once */

typedef struct mmi_encode_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started;
} mmi_encode_view;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void step(void *ctx, uint64_t done, uint64_t total)
{
	mmi_encode_view *v = ctx;
	if (!v->started)
		mmi_progress_start(&v->progress, v->cli, "tuple", 0, total);
	v->started = true;
	mmi_progress_update(&v->progress, done, NULL);
}

/* Indices are those of mmi_part. */
static const char *const splits[] = { "train", "validation", "test" };

static int find_split(const char *name)
{
	for (int i = 0; i < (int)MMI_COUNT(splits); i++)
		if (!strcmp(splits[i], name))
			return i;
	return -1;
}

static int run(const mmi_cli *cli, const char *checkpoint, const mmi_setup_request *request, mmi_part part,
               uint32_t count, const char *out)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_tuples *tuples = NULL;
	mmi_encode_view view = { .cli = cli };
	const mmi_hooks hooks = { &view, stop, step };

	if (mmi_saved_open(checkpoint, request, BLOCK, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	const mmi_setup *s = &saved.setup;
	mmi_interrupt_install();
	mm_status status = (s->settings.keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->modalities, s->n_modalities, part, s->settings.holdout, s->settings.seed, request->log, &tuples, &e);
	if (status == MM_OK)
		status = mmi_encode_write(&saved, tuples, count, mmi_whole_chunks(BLOCK, mmi_sampler_chunk(saved.sampler)), out,
		                          &hooks, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	mmi_tuples_close(tuples);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	fprintf(cli->console->out, "latents    %s\n", out);
	return MMI_EXIT_OK;
}

int mmi_cmd_encode(const mmi_cli *cli, int argc, char **argv)
{
	const char *checkpoint = NULL, *out = NULL, *split = "test";
	int64_t count = UINT32_MAX;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = { MMI_OPTION_CHECKPOINT(&checkpoint),
		                           MMI_OPTION_STRING("split", "NAME", &split, "test (default), validation or train"),
		                           MMI_OPTION_INT("count", "N", &count, 1, UINT32_MAX,
		                                          "the first N tuples (default: all)"),
		                           MMI_OPTION_STRING("out", "DIR", &out, "the folder the files go to"),
		                           MMI_OPTION_PLUGINS(&plugins),
		                           MMI_OPTION_SETS(&sets),
		                           MMI_OPTION_END };
	const mmi_usage usage = { "encode", "--ckpt FILE --out DIR [options]",
		                      "Writes the latents that each modality's encoder infers from the "
		                      "data: means and scales as .npy files and CSV, with keys and labels.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code)) {
		int part = find_split(split);
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		if (!checkpoint || !out)
			code = mmi_options_refuse(cli, &usage, "%s is missing", checkpoint ? "--out" : "--ckpt");
		else if (part < 0)
			code = mmi_options_refuse(cli, &usage, "--split is '%s'; expected test, validation or train", split);
		else
			code = run(cli, checkpoint, &request, (mmi_part)part, (uint32_t)count, out);
	}
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
