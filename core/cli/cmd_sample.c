/* cmd_sample.c - mmcore sample: samples of a checkpoint: the generator's, and from guided latents with the data chain.
 */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "trained/samples.h"

#include <stdio.h>

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static int run(const mmi_cli *cli, const char *checkpoint, const mmi_samples_request *r,
               const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	if (mmi_saved_open(checkpoint, request, MMI_SAMPLES_ROWS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	mm_status status = mmi_samples_make(&saved, r, &e);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return mmi_cli_fail(cli, &e);
	if (r->grid)
		fprintf(cli->console->out, "samples    %s\n", r->grid);
	if (r->out)
		fprintf(cli->console->out, "files      %s/generator, %s/revised, %s/manifest.csv\n", r->out, r->out, r->out);
	return MMI_EXIT_OK;
}

int mmi_cmd_sample(const mmi_cli *cli, int argc, char **argv)
{
	mmi_samples_request r = { .steps = MMI_RECIPE_AS_IT_IS, .hooks = { .stop = stop } };
	const char *checkpoint = NULL;
	int64_t count = 16, number = 0;
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
	} else {
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		r.count = (uint32_t)count;
		r.number = (uint32_t)number;
		code = run(cli, checkpoint, &r, &request);
	}
done:
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
