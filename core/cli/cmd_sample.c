/* cmd_sample.c - mmcore sample: samples of a checkpoint: the generator's, and from guided latents with the data chain.
 */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "trained/samples.h"

#include <stdio.h>

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

typedef struct sample_answer {
	mmi_answer answer;
	cJSON *made;
} sample_answer;

static mm_status add_made(void *ctx, const mmi_made *made, mm_error *e)
{
	sample_answer *a = ctx;
	cJSON *one = mmi_answer_object(&a->answer, a->made, NULL);
	mmi_answer_number(&a->answer, one, "sample", (double)made->input);
	mmi_answer_text(&a->answer, one, "kind", made->kind);
	mmi_answer_text(&a->answer, one, "modality", made->modality->name);
	mmi_answer_text(&a->answer, one, "file", made->file);
	mmi_answer_text(&a->answer, one, "text", made->text);
	return a->answer.failed ? mmi_fail(e, MM_ENOMEM, "out of memory for the answer as JSON") : MM_OK;
}

static void begin_answer(sample_answer *a, const mmi_saved *s, mmi_samples_request *r)
{
	a->answer = mmi_answer_begin();
	cJSON *root = a->answer.root;
	mmi_answer_number(&a->answer, root, "seed", (double)s->setup.settings.seed);
	mmi_answer_number(&a->answer, root, "number", r->number);
	mmi_answer_text(&a->answer, root, "folder", r->out);
	mmi_answer_text(&a->answer, root, "sheet", r->grid);
	a->made = mmi_answer_array(&a->answer, root, "made");
	r->made = (mmi_made_to){ a, add_made };
}

static int report(const mmi_cli *cli, const mmi_samples_request *r)
{
	FILE *out = cli->console->out;
	if (r->grid)
		fprintf(out, "samples    %s\n", r->grid);
	if (r->out)
		fprintf(out, "files      %s/generator, %s/revised, %s/manifest.csv\n", r->out, r->out, r->out);
	return MMI_EXIT_OK;
}

static int run(const mmi_cli *cli, const char *checkpoint, mmi_samples_request *r, bool json,
               const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	sample_answer a = { .made = NULL };
	if (mmi_saved_open(checkpoint, request, MMI_SAMPLES_ROWS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	if (json)
		begin_answer(&a, &saved, r);
	mmi_interrupt_install();
	mm_status status = mmi_samples_make(&saved, r, &e);
	mmi_saved_close(&saved);
	if (status == MM_OK)
		return json ? mmi_answer_print(cli, &a.answer, MMI_EXIT_OK) : report(cli, r);
	mmi_answer_drop(&a.answer);
	return mmi_cli_fail(cli, &e);
}

int mmi_cmd_sample(const mmi_cli *cli, int argc, char **argv)
{
	mmi_samples_request r = { .steps = MMI_RECIPE_AS_IT_IS, .hooks = { .stop = stop } };
	const char *checkpoint = NULL;
	int64_t count = 16, number = 0;
	bool json = false;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&checkpoint),
		MMI_OPTION_INT("count", "N", &count, 1, MMI_SAMPLES_ROWS * 65536.0, "samples (default 16)"),
		MMI_OPTION_CANDIDATES(&r.steps.candidates),
		MMI_OPTION_GUIDE_STEPS(&r.steps.latent_steps),
		MMI_OPTION_X_STEPS(&r.steps.data_steps),
		MMI_OPTION_STRING("grid", "OUT.png", &r.grid,
		                  "a sheet of the first samples, the generator's above the moved ones"),
		MMI_OPTION_STRING("out", "DIR", &r.out,
		                  "one file per modality and sample, in DIR/generator and DIR/revised, and DIR/manifest.csv"),
		MMI_OPTION_NPY(&r.npy),
		MMI_OPTION_JSON(&json),
		MMI_OPTION_INT("number", "N", &number, 0, 65535, "which draws: another number, other samples (default 0)"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "sample", "--ckpt FILE (--grid OUT.png | --out DIR) [options]",
		                      "Draws samples from the generator, and "
		                      "from guided latents with the energy model's data chain.",
		                      options };
	int code;
	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	if (!checkpoint) {
		code = mmi_options_refuse(cli, &usage, "--ckpt is missing");
	} else if (!r.grid && !r.out) {
		code = mmi_options_refuse(cli, &usage, "nothing to write: give --grid OUT.png, --out DIR or both");
	} else if (mmi_output_complaint(r.grid, r.npy, r.out)) {
		code = mmi_options_refuse(cli, &usage, "%s", mmi_output_complaint(r.grid, r.npy, r.out));
	} else {
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		r.count = (uint32_t)count;
		r.number = (uint32_t)number;
		code = run(cli, checkpoint, &r, json, &request);
	}
done:
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
