/* translations.c - translating what a user gave, block by block. */
#include "mmi_build.h"

#include "trained/translations.h"

#include "engine/streams.h"
#include "mcmc/generate.h"
#include "model/rows.h"
#include "mcmc/translate.h"
#include "store/csv.h"
#include "store/files.h"
#include "trained/chains.h"
#include "trained/tiles.h"

#include <math.h>
#include <string.h>

enum { SHOWN_INPUTS = 24, SHOWN_DRAWS = 8 };

/* Buffers of one job. Rows are inputs times draws, draws fastest. */
typedef struct job {
	const mmi_saved *saved;
	const mmi_translations_request *request;
	const mmi_model *model;
	mmi_translator *translator;
	float *x[MMI_MAX_MODALITIES], *observed[MMI_MAX_MODALITIES]; /* a block */
	float *shown[MMI_MAX_MODALITIES];                            /* [draw][input][floats] for the sheet */
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

/* ---------------------------------------------------------------- life */

static mm_status allocate(job *j, mm_error *e)
{
	const mmi_translations_request *r = j->request;
	size_t rows = mmi_whole_chunks(MMI_TRANSLATIONS_ROWS, mmi_sampler_chunk(j->saved->sampler));
	j->inputs_shown = r->inputs->n < SHOWN_INPUTS ? r->inputs->n : SHOWN_INPUTS;
	j->draws_shown = r->count < SHOWN_DRAWS ? r->count : SHOWN_DRAWS;
	MMI_TRY(mmi_rows_create(j->model, rows, j->x, e));
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		j->observed[m] = mmi_alloc(rows, sizeof(float));
		bool keep = r->grid && r->want[m];
		j->shown[m] = keep ? mmi_alloc(j->draws_shown * j->inputs_shown * count, sizeof(float)) : NULL;
		if (!j->observed[m] || (keep && !j->shown[m]))
			return no_memory(e);
	}
	if (r->out)
		MMI_TRY(mmi_csv_begin(&j->manifest, e));
	return mmi_translator_create(j->model, j->saved->sampler, (uint32_t)rows, &j->translator, e);
}

static void clear(job *j)
{
	mmi_translator_destroy(j->translator);
	float **const all[] = { j->x, j->observed, j->shown };
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		mmi_rows_clear(all[i]);
	mmi_csv_drop(&j->manifest);
}

/* ---------------------------------------------------------------- a block */

/* Rows first.. of all; those behind the last repeat it, since whole chunks are computed. */
static uint32_t fill(job *j, uint64_t first, uint64_t total)
{
	const mmi_inputs *in = j->request->inputs;
	uint32_t n = total - first < MMI_TRANSLATIONS_ROWS ? (uint32_t)(total - first) : MMI_TRANSLATIONS_ROWS;
	uint32_t rows = mmi_whole_chunks(n, mmi_sampler_chunk(j->saved->sampler));
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		for (uint32_t r = 0; r < rows; r++) {
			uint64_t row = first + (r < n ? r : n - 1);
			float *x = j->x[m] + r * count;
			j->observed[m][r] = in->given[m] ? 1.0f : 0.0f;
			if (in->given[m])
				memcpy(x, in->x[m] + row / j->request->count * count, count * sizeof *x);
			else
				memset(x, 0, count * sizeof *x);
		}
	}
	return rows;
}

static void keep_shown(job *j, uint64_t row, uint32_t r)
{
	uint64_t input = row / j->request->count, draw = row % j->request->count;
	if (!j->request->grid || input >= j->inputs_shown || draw >= j->draws_shown)
		return;
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		if (j->shown[m])
			memcpy(j->shown[m] + (draw * j->inputs_shown + input) * count, j->x[m] + r * count, count * sizeof(float));
	}
}

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

static mm_status write_sample(job *j, uint64_t row, uint32_t r, uint32_t m, mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	uint64_t input = row / j->request->count, draw = row % j->request->count;
	char *file = mmi_format("%s-%05llu-%03llu%s", modality->name, (unsigned long long)input, (unsigned long long)draw,
	                        modality->desc->render_suffix);
	return write_file(j, m, j->x[m] + r * (size_t)modality->count, input, (int64_t)draw, file, e);
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

static mm_status write_block(job *j, uint64_t first, uint64_t total, mm_error *e)
{
	const uint64_t rows = total - first < MMI_TRANSLATIONS_ROWS ? total - first : MMI_TRANSLATIONS_ROWS;
	MMI_TRY(mmi_rows_check(j->model, (size_t)rows, j->x, "translations", e));
	for (uint32_t r = 0; r < rows; r++) {
		keep_shown(j, first + r, r);
		for (uint32_t m = 0; j->request->out && m < j->model->n_modalities; m++) {
			if (j->request->inputs->test && j->request->inputs->given[m])
				MMI_TRY(write_given(j, first + r, m, e));
			if (j->request->want[m])
				MMI_TRY(write_sample(j, first + r, r, m, e));
		}
	}
	return MM_OK;
}

static double temperature(const job *j)
{
	return j->request->mean ? 0 : j->saved->setup.settings.translate.temperature;
}

/* Each block has draws of its own: (number, block). */
static mm_status translate(job *j, const mmi_use_chains *chains, mm_error *e)
{
	const mmi_translations_request *r = j->request;
	uint64_t total = (uint64_t)r->inputs->n * r->count;
	mmi_translate_args args = { .number = mmi_iteration_of_block(r->number, 0),
		                        .expert = r->expert,
		                        .temperature = temperature(j),
		                        .posterior = chains->translate.posterior,
		                        .guide = chains->translate.guide,
		                        .revise = chains->translate.revise };
	if (total > (uint64_t)MMI_TRANSLATIONS_ROWS << MMI_BLOCKS_BITS)
		return mmi_fail(e, MM_ECONFIG, "%llu translations are too many for one run; at most %llu",
		                (unsigned long long)total, (unsigned long long)MMI_TRANSLATIONS_ROWS << MMI_BLOCKS_BITS);
	for (uint64_t first = 0; first < total; first += MMI_TRANSLATIONS_ROWS, args.number++) {
		if (r->stop && r->stop(r->ctx))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %llu of %llu translations", (unsigned long long)first,
			                (unsigned long long)total);
		uint32_t rows = fill(j, first, total);
		mmi_translate(j->translator, &args, j->x, (const float *const *)j->observed, mmi_whole(rows), NULL);
		MMI_TRY(write_block(j, first, total, e));
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
	size_t row = 0;
	snprintf(title, sizeof title, "translations: %u z-steps, %s%u x-steps", chains->translate.posterior.steps,
	         mmi_guide_text(&chains->translate.guide, guide), chains->translate.revise.steps);
	if (temperature(j) < 1 || temperature(j) > 1)
		snprintf(title + strlen(title), sizeof title - strlen(title), ", temperature %g", temperature(j));
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
		status = translate(&j, &chains, e);
	if (status == MM_OK && r->out)
		status = mmi_csv_finish(&j.manifest, r->out, "manifest.csv", e);
	if (status == MM_OK && r->grid)
		status = write_sheet(&j, &chains, e);
	clear(&j);
	return status;
}
