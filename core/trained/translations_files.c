/* translations_files.c - translations of what a user gave as files and a sheet. */
#include "mmi_build.h"

#include "trained/translations.h"

#include "mcmc/generate.h"
#include "model/rows.h"
#include "store/csv.h"
#include "store/files.h"
#include "trained/arrays.h"
#include "trained/chains.h"
#include "trained/tiles.h"

#include <math.h>
#include <string.h>

enum { SHOWN_INPUTS = 24, SHOWN_DRAWS = 8 };

typedef struct job {
	const mmi_saved *saved;
	const mmi_translations_request *request;
	const mmi_model *model;
	float *shown[MMI_MAX_MODALITIES]; /* [draw][input][floats] for the sheet */
	uint32_t inputs_shown, draws_shown;
	char given[MMI_MAX_MODALITIES * 32]; /* names of what was */
	mmi_csv_file manifest;
	mmi_arrays *arrays, *given_arrays; /* with npy; of what is made, of what test tuples have */
	mmi_texts *texts;                  /* of texts that have no files; NULL: nobody asks */
} job;

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for translations");
}

/* ---------------------------------------------------------------- what is asked */

mm_status mmi_translations_check(const mmi_model *m, mmi_translations_request *r, mm_error *e)
{
	uint32_t given = 0, wanted = 0;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		if (r->inputs->given[i] && r->want[i])
			return mmi_fail(e, MM_ECONFIG, "--want: %s is given already; name modalities to be made",
			                m->modalities[i].name);
		given += r->inputs->given[i];
		wanted += r->want[i];
	}
	if (!given)
		return mmi_fail(e, MM_ECONFIG, "--given is missing: nothing to translate from");
	if (given == m->n_modalities)
		return mmi_fail(e, MM_ECONFIG, "--given names all %u modalities: nothing is left to be made", given);
	for (uint32_t i = 0; i < m->n_modalities && !wanted; i++)
		r->want[i] = !r->inputs->given[i];
	if (r->expert >= 0 && !r->inputs->given[r->expert])
		return mmi_fail(e, MM_ECONFIG, "--expert: %s is not given", m->modalities[r->expert].name);
	return MM_OK;
}

/* ---------------------------------------------------------------- what is kept for the sheet */

static mm_status allocate(job *j, mm_error *e)
{
	const mmi_translations_request *r = j->request;
	j->inputs_shown = r->inputs->n < SHOWN_INPUTS ? r->inputs->n : SHOWN_INPUTS;
	j->draws_shown = r->count < SHOWN_DRAWS ? r->count : SHOWN_DRAWS;
	for (uint32_t m = 0; r->grid && m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		if (r->want[m] && !(j->shown[m] = mmi_alloc(j->draws_shown * j->inputs_shown * count, sizeof(float))))
			return no_memory(e);
	}
	if (r->out ? r->npy : r->made.call != NULL)
		MMI_TRY(mmi_texts_open(&j->texts, e));
	return r->out ? mmi_csv_begin(&j->manifest, e) : MM_OK;
}

static void clear(job *j)
{
	mmi_arrays_abort(j->arrays);
	mmi_arrays_abort(j->given_arrays);
	mmi_texts_close(j->texts);
	mmi_rows_clear(j->shown);
	mmi_csv_drop(&j->manifest);
}

static void keep_shown(const job *j, uint64_t row, uint32_t r, float *const *x)
{
	uint64_t input = row / j->request->count, draw = row % j->request->count;
	if (!j->request->grid || input >= j->inputs_shown || draw >= j->draws_shown)
		return;
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		if (j->shown[m])
			memcpy(j->shown[m] + (draw * j->inputs_shown + input) * count, x[m] + r * count, count * sizeof(float));
	}
}

/* ---------------------------------------------------------------- files */

static void name_given(job *j)
{
	size_t used = 0;
	for (uint32_t m = 0; m < j->model->n_modalities; m++)
		if (j->request->inputs->given[m])
			used += (size_t)snprintf(j->given + used, sizeof j->given - used, "%s%s", used ? " " : "",
			                         j->model->modalities[m].name);
}

static void put_manifest(job *j, const mmi_made *made)
{
	const mmi_inputs *in = j->request->inputs;
	const uint64_t input = made->input;
	mmi_csv_put_number(j->manifest.out, true, (double)input);
	mmi_csv_put(j->manifest.out, false, in->name[input]);
	mmi_csv_put_number(j->manifest.out, false, in->label[input] >= 0 ? (double)in->label[input] : (double)NAN);
	mmi_csv_put_number(j->manifest.out, false, made->draw >= 0 ? (double)made->draw : (double)NAN);
	mmi_csv_put(j->manifest.out, false, made->modality->name);
	mmi_csv_put(j->manifest.out, false, made->file);
	mmi_csv_put(j->manifest.out, false, j->given);
	mmi_csv_put_number(j->manifest.out, false, (double)j->saved->setup.settings.seed);
	mmi_csv_put_number(j->manifest.out, false, j->request->number);
	mmi_csv_put(j->manifest.out, false, made->text ? made->text : "");
	fputc('\n', j->manifest.out);
}

/* NULL also when memory ran out: nothing has a name without a folder. */
static char *file_name(const job *j, const mmi_modality *m, uint64_t input, int64_t draw)
{
	if (!j->request->out)
		return NULL;
	if (j->request->npy)
		return mmi_format("%s%s.npy", m->name, draw < 0 ? "-given" : "");
	if (draw < 0)
		return mmi_format("%s-%05llu-given%s", m->name, (unsigned long long)input, m->desc->render_suffix);
	return mmi_format("%s-%05llu-%03llu%s", m->name, (unsigned long long)input, (unsigned long long)draw,
	                  m->desc->render_suffix);
}

/* The file and, where it is one, its text; without files the text alone. */
static mm_status write_file(job *j, const mmi_modality *m, const float *x, const char *file, char **text, mm_error *e)
{
	if (j->texts)
		return mmi_is_text(m) ? mmi_texts_of(j->texts, m, x, text, e) : MM_OK;
	char *path = mmi_format("%s/%s", j->request->out, file);
	mm_status status = path ? mmi_modality_render(m, x, path, e) : no_memory(e);
	if (status == MM_OK && mmi_is_text(m))
		status = mmi_text_read(path, text, e);
	mmi_free(path);
	return status;
}

/* draw < 0: what was given. */
static mm_status write_one(job *j, uint32_t m, const float *x, uint64_t input, int64_t draw, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	char *file = file_name(j, modality, input, draw), *text = NULL;
	mm_status status = file || !j->request->out ? write_file(j, modality, x, file, &text, e) : no_memory(e);
	const mmi_made made = { .modality = modality, .input = input, .draw = draw, .file = file, .text = text };
	if (status == MM_OK && file)
		put_manifest(j, &made);
	if (status == MM_OK && (file || text))
		status = mmi_made_tell(&j->request->made, &made, e);
	mmi_free(file);
	mmi_free(text);
	return status;
}

static mm_status write_given(job *j, uint64_t row, uint32_t m, mm_error *e)
{
	uint64_t input = row / j->request->count;
	if (row % j->request->count || !j->request->out || !j->request->inputs->test || !j->request->inputs->given[m])
		return MM_OK;
	return write_one(j, m, j->request->inputs->x[m] + input * (size_t)j->model->modalities[m].count, input, -1, e);
}

static mm_status write_block(void *ctx, uint64_t first, uint32_t rows, float *const *x, const mmi_latents *latents,
                             mm_error *e)
{
	job *j = ctx;
	for (uint32_t r = 0; r < rows; r++) {
		const uint64_t row = first + r, input = row / j->request->count, draw = row % j->request->count;
		keep_shown(j, row, r, x);
		for (uint32_t m = 0; (j->request->out || j->texts) && m < j->model->n_modalities; m++) {
			MMI_TRY(write_given(j, row, m, e));
			if (j->request->want[m])
				MMI_TRY(write_one(j, m, x[m] + r * (size_t)j->model->modalities[m].count, input, (int64_t)draw, e));
		}
	}
	return j->arrays ? mmi_arrays_write(j->arrays, rows, x, latents, e) : MM_OK;
}

/* ---------------------------------------------------------------- the sheet */

/* What is known of a modality that is wanted, then its draws. */
static mm_status draw_wanted(const job *j, mmi_grid *g, uint32_t m, size_t *row, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	const mmi_inputs *in = j->request->inputs;
	char label[32];
	MMI_TRY(mmi_grid_group(g, *row, modality->name, e));
	if (in->x[m]) {
		MMI_TRY(mmi_grid_row(g, *row, "data", e));
		MMI_TRY(mmi_tiles_set(g, (*row)++, 0, modality, in->x[m], j->inputs_shown, e));
	}
	for (uint32_t d = 0; d < j->draws_shown; d++) {
		snprintf(label, sizeof label, j->draws_shown > 1 ? "draw %u" : "made", d + 1);
		MMI_TRY(mmi_grid_row(g, *row, label, e));
		MMI_TRY(mmi_tiles_set(g, (*row)++, 0, modality,
		                      j->shown[m] + (size_t)d * j->inputs_shown * (size_t)modality->count, j->inputs_shown, e));
	}
	return MM_OK;
}

static mm_status draw_given(const job *j, mmi_grid *g, uint32_t m, size_t *row, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	MMI_TRY(mmi_grid_group(g, *row, modality->name, e));
	MMI_TRY(mmi_grid_row(g, *row, "given", e));
	return mmi_tiles_set(g, (*row)++, 0, modality, j->request->inputs->x[m], j->inputs_shown, e);
}

static size_t count_rows(const job *j)
{
	size_t rows = 0;
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		if (!j->model->modalities[m].picture)
			continue;
		rows += j->request->inputs->given[m];
		rows += j->request->want[m] ? j->draws_shown + (j->request->inputs->x[m] != NULL) : 0;
	}
	return rows;
}

static mm_status draw_all(const job *j, mmi_grid *g, const mmi_use_chains *chains, mm_error *e)
{
	char title[128 + MMI_GUIDE_TEXT], guide[MMI_GUIDE_TEXT];
	const double temperature = mmi_translations_temperature(j->saved, j->request);
	size_t row = 0;
	snprintf(title, sizeof title, "translations: %u z-steps, %s%u x-steps", chains->translate.posterior.steps,
	         mmi_guide_text(&chains->translate.guide, guide), chains->translate.revise.steps);
	if (temperature < 1 || temperature > 1)
		snprintf(title + strlen(title), sizeof title - strlen(title), ", temperature %g", temperature);
	MMI_TRY(mmi_grid_title(g, title, e));
	for (uint32_t m = 0; m < j->model->n_modalities; m++)
		if (j->request->inputs->given[m] && j->model->modalities[m].picture)
			MMI_TRY(draw_given(j, g, m, &row, e));
	for (uint32_t m = 0; m < j->model->n_modalities; m++)
		if (j->request->want[m] && j->model->modalities[m].picture)
			MMI_TRY(draw_wanted(j, g, m, &row, e));
	return mmi_grid_write(g, j->request->grid, e);
}

static mm_status write_sheet(const job *j, const mmi_use_chains *chains, mm_error *e)
{
	mmi_grid *g;
	MMI_TRY(mmi_grid_create(count_rows(j), j->inputs_shown, &g, e));
	mm_status status = draw_all(j, g, chains, e);
	mmi_grid_destroy(g);
	return status;
}

static mm_status open_arrays(job *j, mm_error *e)
{
	const mmi_translations_request *r = j->request;
	mmi_arrays_request request = { .model = j->model,
		                           .folder = r->out,
		                           .tail = "",
		                           .which = r->want,
		                           .latents = true,
		                           .rows = (uint64_t)r->inputs->n * r->count };
	MMI_TRY(mmi_arrays_open(&request, &j->arrays, e));
	if (!r->inputs->test)
		return MM_OK;
	request.tail = "-given";
	request.which = r->inputs->given;
	request.latents = false;
	request.rows = r->inputs->n;
	MMI_TRY(mmi_arrays_open(&request, &j->given_arrays, e));
	return mmi_arrays_write(j->given_arrays, r->inputs->n, r->inputs->x, NULL, e);
}

static mm_status open_files(job *j, mm_error *e)
{
	fputs("input,name,label,draw,modality,file,given,seed,number,text\n", j->manifest.out);
	name_given(j);
	MMI_TRY(mmi_make_folders(j->request->out, e));
	return j->request->npy ? open_arrays(j, e) : MM_OK;
}

static mm_status commit_arrays(mmi_arrays **a, mm_error *e)
{
	mmi_arrays *arrays = *a;
	*a = NULL;
	return arrays ? mmi_arrays_commit(arrays, e) : MM_OK;
}

static mm_status commit_files(job *j, mm_error *e)
{
	MMI_TRY(commit_arrays(&j->arrays, e));
	MMI_TRY(commit_arrays(&j->given_arrays, e));
	return mmi_csv_finish(&j->manifest, j->request->out, "manifest.csv", e);
}

mm_status mmi_translations_make(const mmi_saved *s, const mmi_translations_request *r, mm_error *e)
{
	job j = { .saved = s, .request = r, .model = s->model };
	mmi_use_chains chains;
	MMI_TRY(mmi_use_chains_of(s, &r->steps, &chains, e));
	mm_status status = allocate(&j, e);
	if (status == MM_OK && r->grid && !count_rows(&j))
		status = mmi_fail(e, MM_EUNSUPPORTED,
		                  "--grid: neither what is given nor what is wanted can be shown as a picture; use --out");
	if (status == MM_OK && r->out)
		status = open_files(&j, e);
	if (status == MM_OK)
		status = mmi_translations_draw(s, r, &chains.translate, write_block, &j, e);
	if (status == MM_OK && r->out)
		status = commit_files(&j, e);
	if (status == MM_OK && r->grid)
		status = write_sheet(&j, &chains, e);
	clear(&j);
	return status;
}
