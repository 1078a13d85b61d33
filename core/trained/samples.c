/* samples.c - drawing samples from a trained model, block by block. */
#include "mmi_build.h"

#include "trained/samples.h"

#include "engine/streams.h"
#include "model/rows.h"
#include "store/csv.h"
#include "store/files.h"
#include "trained/arrays.h"

#include <stdio.h>

#define SHEET 24u /* columns of a sheet at most */

enum { GENERATOR, REVISED, KINDS };
static const char *const kinds[KINDS] = { "generator", "revised" };

typedef struct job {
	const mmi_saved *saved;
	const mmi_samples_request *request;
	mmi_chains chains;
	mmi_csv_file manifest;
	mmi_arrays *arrays[KINDS]; /* with npy */
	mmi_texts *texts;          /* with npy: of texts that have no files */
} job;

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for samples");
}

/* ---------------------------------------------------------------- files */

static mm_status make_folders(const mmi_samples_request *r, mm_error *e)
{
	for (int k = 0; k < KINDS; k++) {
		char *path = mmi_format("%s/%s", r->out, kinds[k]);
		mm_status status = path ? mmi_make_folders(path, e) : no_memory(e);
		mmi_free(path);
		MMI_TRY(status);
	}
	return MM_OK;
}

static void put_manifest(job *j, int kind, const mmi_made *made)
{
	mmi_csv_put_number(j->manifest.out, true, (double)made->input);
	mmi_csv_put(j->manifest.out, false, made->kind);
	mmi_csv_put(j->manifest.out, false, made->modality->name);
	mmi_csv_put(j->manifest.out, false, made->file);
	mmi_csv_put_number(j->manifest.out, false, (double)j->saved->setup.settings.seed);
	mmi_csv_put_number(j->manifest.out, false, j->request->number);
	mmi_csv_put_number(j->manifest.out, false, kind == REVISED ? j->chains.guide.candidates : 1);
	mmi_csv_put_number(j->manifest.out, false, kind == REVISED ? j->chains.guide.steps : 0);
	mmi_csv_put_number(j->manifest.out, false, kind == REVISED ? j->chains.revise.steps : 0);
	mmi_csv_put(j->manifest.out, false, made->text ? made->text : "");
	fputc('\n', j->manifest.out);
}

/* The file and, where it is one, its text; with npy the text alone. */
static mm_status write_file(job *j, const mmi_modality *m, const float *x, const char *file, char **text, mm_error *e)
{
	if (j->request->npy)
		return mmi_is_text(m) ? mmi_texts_of(j->texts, m, x, text, e) : MM_OK;
	char *path = mmi_format("%s/%s", j->request->out, file);
	mm_status status = path ? mmi_modality_render(m, x, path, e) : no_memory(e);
	if (status == MM_OK && mmi_is_text(m))
		status = mmi_text_read(path, text, e);
	mmi_free(path);
	return status;
}

static char *file_name(const job *j, int kind, const mmi_modality *m, uint32_t sample)
{
	return j->request->npy ? mmi_format("%s/%s.npy", kinds[kind], m->name)
	                       : mmi_format("%s/%s-%05u%s", kinds[kind], m->name, sample, m->desc->render_suffix);
}

static mm_status write_sample(job *j, int kind, uint32_t m, const float *x, uint32_t sample, mm_error *e)
{
	const mmi_modality *modality = &j->saved->model->modalities[m];
	char *file = file_name(j, kind, modality, sample), *text = NULL;
	mm_status status = file ? write_file(j, modality, x, file, &text, e) : no_memory(e);
	const mmi_made made = { .modality = modality, .input = sample, .kind = kinds[kind], .file = file, .text = text };
	if (status == MM_OK) {
		put_manifest(j, kind, &made);
		status = mmi_made_tell(&j->request->made, &made, e);
	}
	mmi_free(file);
	mmi_free(text);
	return status;
}

static mm_status write_block(job *j, const mmi_gallery *g, uint32_t first, uint32_t n, mm_error *e)
{
	float *const *const x[KINDS] = { mmi_gallery_generated(g), mmi_gallery_revised(g) };
	const mmi_latents *const latents[KINDS] = { mmi_gallery_prior(g), mmi_gallery_latents(g) };
	for (int k = 0; k < KINDS; k++) {
		for (uint32_t m = 0; m < j->saved->model->n_modalities; m++)
			for (uint32_t i = 0; i < n; i++)
				MMI_TRY(write_sample(j, k, m, x[k][m] + (size_t)i * (size_t)j->saved->model->modalities[m].count,
				                     first + i, e));
		if (j->arrays[k])
			MMI_TRY(mmi_arrays_write(j->arrays[k], n, x[k], latents[k], e));
	}
	return MM_OK;
}

static mm_status write_sheet(const job *j, const mmi_gallery *g, uint32_t n, mm_error *e)
{
	char title[96 + MMI_GENERATE_TEXT], steps[MMI_GENERATE_TEXT];
	snprintf(title, sizeof title, "after %lld iterations, %s", (long long)j->saved->iteration,
	         mmi_generate_text(&j->chains, steps));
	return mmi_gallery_write(g, n < SHEET ? n : SHEET, title, j->request->grid, e);
}

static mm_status write_samples(void *ctx, const mmi_gallery *g, uint32_t first, uint32_t n, mm_error *e)
{
	job *j = ctx;
	if (first == 0 && j->request->grid)
		MMI_TRY(write_sheet(j, g, n, e));
	return j->request->out ? write_block(j, g, first, n, e) : MM_OK;
}

/* ---------------------------------------------------------------- draws */

static mm_status check_block(const mmi_saved *s, const mmi_gallery *g, uint32_t n, mm_error *e)
{
	MMI_TRY(mmi_rows_check(s->model, n, mmi_gallery_generated(g), "samples", e));
	return mmi_rows_check(s->model, n, mmi_gallery_revised(g), "revised samples", e);
}

/* Each block has draws of its own: (number, block). */
static mm_status draw(const mmi_saved *s, const mmi_samples_request *r, const mmi_chains *chains, mmi_gallery *g,
                      mmi_samples_sink *sink, void *ctx, mm_error *e)
{
	for (uint32_t first = 0, block = 0; first < r->count; first += MMI_SAMPLES_ROWS, block++) {
		uint32_t n = r->count - first < MMI_SAMPLES_ROWS ? r->count - first : MMI_SAMPLES_ROWS;
		if (mmi_hooks_stop(&r->hooks))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %u samples", first);
		mmi_gallery_sample(g, chains, mmi_iteration_of_block(r->number, block), r->grid && !block);
		MMI_TRY(check_block(s, g, n, e));
		MMI_TRY(sink(ctx, g, first, n, e));
		mmi_hooks_step(&r->hooks, first + n, r->count);
	}
	return MM_OK;
}

mm_status mmi_samples_draw(const mmi_saved *s, const mmi_samples_request *r, const mmi_chains *chains,
                           mmi_samples_sink *sink, void *ctx, mm_error *e)
{
	mmi_gallery *g;
	const uint32_t rows = r->count < MMI_SAMPLES_ROWS ? r->count : MMI_SAMPLES_ROWS;
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_DECODE | mmi_chains_nets(chains), e));
	MMI_TRY(mmi_gallery_create(s->model, s->sampler, NULL, rows, &g, e));
	mm_status status = draw(s, r, chains, g, sink, ctx, e);
	mmi_gallery_destroy(g);
	return status;
}

/* ---------------------------------------------------------------- both */

static mm_status open_arrays(job *j, mm_error *e)
{
	MMI_TRY(mmi_texts_open(&j->texts, e));
	for (int k = 0; k < KINDS; k++) {
		char *folder = mmi_format("%s/%s", j->request->out, kinds[k]);
		const mmi_arrays_request r = { .model = j->saved->model,
			                           .folder = folder,
			                           .tail = "",
			                           .latents = k == GENERATOR || !j->chains.revise.from_noise,
			                           .rows = j->request->count };
		mm_status status = folder ? mmi_arrays_open(&r, &j->arrays[k], e) : no_memory(e);
		mmi_free(folder);
		MMI_TRY(status);
	}
	return MM_OK;
}

static mm_status open_files(job *j, mm_error *e)
{
	MMI_TRY(make_folders(j->request, e));
	MMI_TRY(mmi_csv_begin(&j->manifest, e));
	fputs("sample,kind,modality,file,seed,number,candidates,guide_steps,x_steps,text\n", j->manifest.out);
	return j->request->npy ? open_arrays(j, e) : MM_OK;
}

static mm_status commit_files(job *j, mm_error *e)
{
	for (int k = 0; k < KINDS; k++) {
		mmi_arrays *arrays = j->arrays[k];
		j->arrays[k] = NULL;
		if (arrays)
			MMI_TRY(mmi_arrays_commit(arrays, e));
	}
	return mmi_csv_finish(&j->manifest, j->request->out, "manifest.csv", e);
}

mm_status mmi_samples_make(const mmi_saved *s, const mmi_samples_request *r, mm_error *e)
{
	job j = { .saved = s, .request = r, .chains = mmi_saved_chains(s, &s->setup.settings.sample, &r->steps) };
	mm_status status = r->out ? open_files(&j, e) : MM_OK;
	if (status == MM_OK)
		status = mmi_samples_draw(s, r, &j.chains, write_samples, &j, e);
	if (status == MM_OK && r->out)
		status = commit_files(&j, e);
	for (int k = 0; k < KINDS; k++)
		mmi_arrays_abort(j.arrays[k]);
	mmi_texts_close(j.texts);
	mmi_csv_drop(&j.manifest);
	return status;
}
