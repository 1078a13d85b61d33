/* cmd_sample.c - mmcore sample: generator and energy-revised samples out of a checkpoint. */
#include "config.h"

#include "cli/run_options.h"
#include "learn/gallery.h"
#include "learn/saved.h"
#include "store/files.h"

#include <stdio.h>

#define BLOCK 64u    /* samples drawn at once */
#define SHEET 24u    /* columns of a sheet at most */

typedef struct mmi_sample_job {
	const char *checkpoint, *grid, *out;
	int64_t count, x_steps, number;
} mmi_sample_job;

/* OUT/generator/m0-00001.png and OUT/revised/m0-00001.png */
static mm_status render(const mmi_saved *s, const mmi_sample_job *j, const char *kind, float *const *x, uint32_t first, uint32_t n, mm_error *e)
{
	for (uint32_t m = 0; m < s->model->n_modalities; m++) {
		const mmi_modality *modality = &s->model->modalities[m];
		for (uint32_t i = 0; i < n; i++) {
			char *path = mmi_format("%s/%s/%s-%05u%s", j->out, kind, modality->name, first + i, modality->desc->render_suffix);
			if (!path)
				return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
			mm_status status = mmi_modality_render(modality, x[m] + (size_t)i * (size_t)modality->count, path, e);
			mmi_free(path);
			MMI_TRY(status);
		}
	}
	return MM_OK;
}

static mm_status make_folders(const mmi_sample_job *j, mm_error *e)
{
	static const char *const kinds[] = { "generator", "revised" };
	for (size_t i = 0; j->out && i < MMI_COUNT(kinds); i++) {
		char *path = mmi_format("%s/%s", j->out, kinds[i]);
		mm_status status = path ? mmi_make_folders(path, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a folder name");
		mmi_free(path);
		MMI_TRY(status);
	}
	return MM_OK;
}

static mm_status draw(mmi_saved *s, const mmi_sample_job *j, mmi_gallery *g, mm_error *e)
{
	mmi_revise_args revise = mmi_saved_revise(s, j->x_steps);
	char title[96];
	for (uint32_t first = 0, block = 0; first < j->count; first += BLOCK, block++) {
		uint32_t n = (uint32_t)j->count - first < BLOCK ? (uint32_t)j->count - first : BLOCK;
		if (mmi_interrupted())
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %u samples", first);
		mmi_gallery_sample(g, &revise, (uint32_t)j->number + block);
		snprintf(title, sizeof title, "after %lld iterations, %u energy steps", (long long)s->iteration, revise.steps);
		if (first == 0 && j->grid)
			MMI_TRY(mmi_gallery_write(g, n < SHEET ? n : SHEET, title, j->grid, e));
		if (j->out) {
			MMI_TRY(render(s, j, "generator", mmi_gallery_generated(g), first, n, e));
			MMI_TRY(render(s, j, "revised", mmi_gallery_revised(g), first, n, e));
		}
	}
	return MM_OK;
}

static int run(const mmi_cli *cli, const mmi_sample_job *j, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_gallery *gallery = NULL;
	if (mmi_saved_open(j->checkpoint, request, BLOCK, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	mm_status status = mmi_gallery_create(saved.model, saved.sampler, NULL, (uint32_t)(j->count < BLOCK ? j->count : BLOCK), &gallery, &e);
	if (status == MM_OK)
		status = make_folders(j, &e);
	if (status == MM_OK)
		status = draw(&saved, j, gallery, &e);
	mmi_gallery_destroy(gallery);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return mmi_cli_fail(cli, &e);
	if (j->grid)
		printf("samples    %s\n", j->grid);
	if (j->out)
		printf("files      %s/generator, %s/revised\n", j->out, j->out);
	return MMI_EXIT_OK;
}

int mmi_cmd_sample(const mmi_cli *cli, int argc, char **argv)
{
	mmi_sample_job j = { .count = 16, .x_steps = -1 };
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&j.checkpoint),
		MMI_OPTION_INT("count", "N", &j.count, 1, 1e8, "samples (default 16)"),
		MMI_OPTION_INT("x-steps", "K", &j.x_steps, 0, 1e6, "steps of the energy chain (default: as trained)"),
		MMI_OPTION_STRING("grid", "OUT.png", &j.grid, "a sheet of the first samples, generator above energy-revised"),
		MMI_OPTION_STRING("out", "DIR", &j.out, "one file per modality and sample, in DIR/generator and DIR/revised"),
		MMI_OPTION_INT("number", "N", &j.number, 0, 4e9, "which draws: another number, other samples (default 0)"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "sample", "--ckpt FILE (--grid OUT.png | --out DIR) [options]", "Draws samples from the generator and "
	                          "revises them with the energy model.", options };
	int code;
	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	if (!j.checkpoint) {
		code = mmi_options_refuse(cli, &usage, "--ckpt is missing");
	} else if (!j.grid && !j.out) {
		code = mmi_options_refuse(cli, &usage, "nothing to write: give --grid OUT.png, --out DIR or both");
	} else {
		mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
		code = run(cli, &j, &request);
	}
done:
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
