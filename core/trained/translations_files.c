/* translations_files.c - translations of what a user gave as files and a sheet. */
#include "mmi_build.h"

#include "trained/translations.h"

#include "mcmc/generate.h"
#include "model/rows.h"
#include "store/csv.h"
#include "store/files.h"
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
	return r->out ? mmi_csv_begin(&j->manifest, e) : MM_OK;
}

static void clear(job *j)
{
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

/* draw < 0: what was given. */
static void put_manifest(job *j, uint64_t input, int64_t draw, const char *modality, const char *file)
{
	const mmi_inputs *in = j->request->inputs;
	mmi_csv_put_number(j->manifest.out, true, (double)input);
	mmi_csv_put(j->manifest.out, false, in->name[input]);
	mmi_csv_put_number(j->manifest.out, false, in->label[input] >= 0 ? (double)in->label[input] : (double)NAN);
	mmi_csv_put_number(j->manifest.out, false, draw >= 0 ? (double)draw : (double)NAN);
	mmi_csv_put(j->manifest.out, false, modality);
	mmi_csv_put(j->manifest.out, false, file);
	mmi_csv_put(j->manifest.out, false, j->given);
	mmi_csv_put_number(j->manifest.out, false, (double)j->saved->setup.settings.seed);
	mmi_csv_put_number(j->manifest.out, false, j->request->number);
	fputc('\n', j->manifest.out);
}

/* Takes file, which is NULL when memory ran out. */
static mm_status write_file(job *j, uint32_t m, const float *x, uint64_t input, int64_t draw, char *file, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	char *path = file ? mmi_format("%s/%s", j->request->out, file) : NULL;
	mm_status status = path ? mmi_modality_render(modality, x, path, e) : no_memory(e);
	if (status == MM_OK)
		put_manifest(j, input, draw, modality->name, file);
	mmi_free(file);
	mmi_free(path);
	return status;
}

static mm_status write_sample(job *j, uint64_t row, uint32_t m, const float *x, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	uint64_t input = row / j->request->count, draw = row % j->request->count;
	char *file = mmi_format("%s-%05llu-%03llu%s", modality->name, (unsigned long long)input, (unsigned long long)draw,
	                        modality->desc->render_suffix);
	return write_file(j, m, x, input, (int64_t)draw, file, e);
}

static mm_status write_given(job *j, uint64_t row, uint32_t m, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	uint64_t input = row / j->request->count;
	if (row % j->request->count)
		return MM_OK;
	char *file =
		mmi_format("%s-%05llu-given%s", modality->name, (unsigned long long)input, modality->desc->render_suffix);
	return write_file(j, m, j->request->inputs->x[m] + input * (size_t)modality->count, input, -1, file, e);
}

static mm_status write_block(void *ctx, uint64_t first, uint32_t rows, float *const *x, const mmi_latents *latents,
                             mm_error *e)
{
	job *j = ctx;
	(void)latents;
	for (uint32_t r = 0; r < rows; r++) {
		keep_shown(j, first + r, r, x);
		for (uint32_t m = 0; j->request->out && m < j->model->n_modalities; m++) {
			if (j->request->inputs->test && j->request->inputs->given[m])
				MMI_TRY(write_given(j, first + r, m, e));
			if (j->request->want[m])
				MMI_TRY(write_sample(j, first + r, m, x[m] + r * (size_t)j->model->modalities[m].count, e));
		}
	}
	return MM_OK;
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

mm_status mmi_translations_make(const mmi_saved *s, const mmi_translations_request *r, mm_error *e)
{
	job j = { .saved = s, .request = r, .model = s->model };
	mmi_use_chains chains;
	MMI_TRY(mmi_use_chains_of(s, &r->steps, &chains, e));
	mm_status status = allocate(&j, e);
	if (status == MM_OK && r->grid && !count_rows(&j))
		status = mmi_fail(e, MM_EUNSUPPORTED,
		                  "--grid: neither what is given nor what is wanted can be shown as a picture; use --out");
	if (status == MM_OK && r->out) {
		fputs("input,name,label,draw,modality,file,given,seed,number\n", j.manifest.out);
		name_given(&j);
		status = mmi_make_folders(r->out, e);
	}
	if (status == MM_OK)
		status = mmi_translations_draw(s, r, &chains.translate, write_block, &j, e);
	if (status == MM_OK && r->out)
		status = mmi_csv_finish(&j.manifest, r->out, "manifest.csv", e);
	if (status == MM_OK && r->grid)
		status = write_sheet(&j, &chains, e);
	clear(&j);
	return status;
}
