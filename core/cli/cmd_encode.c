/* cmd_encode.c - mmcore encode: the latents of a split of the data, as .npy and CSV files. */
#include "mmi_build.h"

#include "cli/answer.h"
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

typedef struct encode_job {
	const char *checkpoint;
	mmi_part part;
	mmi_encode_request r;
	bool json;
} encode_job;

static int report(const mmi_cli *cli, const encode_job *j, uint32_t count)
{
	if (!j->json) {
		fprintf(cli->console->out, "latents    %s\n", j->r.folder);
		return MMI_EXIT_OK;
	}
	mmi_answer a = mmi_answer_begin();
	mmi_answer_text(&a, a.root, "folder", j->r.folder);
	mmi_answer_text(&a, a.root, "split", splits[j->part]);
	mmi_answer_number(&a, a.root, "tuples", count);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

static int run(const mmi_cli *cli, encode_job *j, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_tuples *tuples = NULL;
	mmi_encode_view view = { .cli = cli };
	uint32_t count = 0;

	j->r.hooks = (mmi_hooks){ &view, stop, step };
	if (mmi_saved_open(j->checkpoint, request, BLOCK, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	const mmi_setup *s = &saved.setup;
	mmi_interrupt_install();
	mm_status status = (s->settings.keep_incomplete ? mmi_tuples_open_incomplete : mmi_tuples_open)(
		s->modalities, s->n_modalities, j->part, s->settings.holdout, s->settings.seed, request->log, &tuples, &e);
	if (status == MM_OK) {
		j->r.block = mmi_whole_chunks(BLOCK, mmi_sampler_chunk(saved.sampler));
		count = mmi_tuples_count(tuples) < j->r.count ? mmi_tuples_count(tuples) : j->r.count;
		status = mmi_encode_write(&saved, tuples, &j->r, &e);
	}
	if (view.started)
		mmi_progress_finish(&view.progress);
	mmi_tuples_close(tuples);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	return report(cli, j, count);
}

int mmi_cmd_encode(const mmi_cli *cli, int argc, char **argv)
{
	const char *split = "test";
	encode_job j = { .checkpoint = NULL };
	int64_t count = UINT32_MAX;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&j.checkpoint),
		MMI_OPTION_STRING("split", "NAME", &split, "test (default), validation or train"),
		MMI_OPTION_INT("count", "N", &count, 1, UINT32_MAX, "the first N tuples (default: all)"),
		MMI_OPTION_STRING("out", "DIR", &j.r.folder, "the folder the files go to"),
		MMI_OPTION_FLAG("joint", &j.r.joint, "also what all that is observed of a tuple tells together"),
		MMI_OPTION_JSON(&j.json),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "encode", "--ckpt FILE --out DIR [options]",
		                      "Writes the latents that each modality's encoder infers from the "
		                      "data: means and scales as .npy files and CSV, with keys and labels.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code)) {
		int part = find_split(split);
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		j.part = (mmi_part)part;
		j.r.count = (uint32_t)count;
		if (!j.checkpoint || !j.r.folder)
			code = mmi_options_refuse(cli, &usage, "%s is missing", j.checkpoint ? "--out" : "--ckpt");
		else if (part < 0)
			code = mmi_options_refuse(cli, &usage, "--split is '%s'; expected test, validation or train", split);
		else
			code = run(cli, &j, &request);
	}
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
