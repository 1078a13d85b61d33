/* gallery.c - sample sheets. */
#include "mmi_build.h"

#include "trained/gallery.h"
#include "model/rows.h"
#include "mcmc/translate.h"
#include "draw/picture.h"

#include <stdio.h>
#include <string.h>

struct mmi_gallery {
	const mmi_model *model;
	mmi_sampler *sampler;
	uint32_t columns, rows;   /* shown; padded to whole chunks */
	bool has_data, has_parts; /* the data chain's work and the guide's apart as well */
	char moved[MMI_GENERATE_TEXT],
		guide[MMI_GENERATE_TEXT]; /* what the last samples are; what without the data chain */
	mmi_latents z, prior;         /* of what is moved, and of what is not */
	mmi_translator *translator;
	float *observed[MMI_MAX_MODALITIES]; /* the first modality alone */
	float *data[MMI_MAX_MODALITIES], *translated[MMI_MAX_MODALITIES];
	float *generated[MMI_MAX_MODALITIES], *revised[MMI_MAX_MODALITIES];
	float *chained[MMI_MAX_MODALITIES], *guided[MMI_MAX_MODALITIES];
};

static mm_status allocate(mmi_gallery *g, bool data, mm_error *e)
{
	bool ok = true;
	MMI_TRY(mmi_latents_create(g->model, g->rows, &g->z, e));
	MMI_TRY(mmi_latents_create(g->model, g->rows, &g->prior, e));
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->generated, e));
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->revised, e));
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->chained, e));
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->guided, e));
	if (!data)
		return MM_OK;
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->data, e));
	MMI_TRY(mmi_rows_create(g->model, g->rows, g->translated, e));
	for (uint32_t m = 0; m < g->model->n_modalities; m++)
		ok = (g->observed[m] = mmi_alloc(g->rows, sizeof(float))) && ok;
	if (!ok)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sheet of %u samples", g->columns);
	return mmi_translator_create(g->model, g->sampler, g->rows, &g->translator, e);
}

static mm_status read_data(mmi_gallery *g, mmi_tuples *data, mm_error *e)
{
	for (uint32_t i = 0; i < g->columns; i++) {
		float *at[MMI_MAX_MODALITIES];
		mmi_rows_at(g->model, g->data, i, at);
		MMI_TRY(mmi_tuples_read(data, i, at, e));
	}
	for (uint32_t r = 0; r < g->rows; r++)
		g->observed[0][r] = 1;
	g->has_data = true;
	return MM_OK;
}

mm_status mmi_gallery_create(const mmi_model *model, mmi_sampler *sampler, mmi_tuples *data, uint32_t columns,
                             mmi_gallery **out, mm_error *e)
{
	mmi_gallery *g = mmi_alloc(1, sizeof *g);
	if (!g)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a sheet of samples");
	g->model = model;
	g->sampler = sampler;
	g->columns = data && mmi_tuples_count(data) < columns ? mmi_tuples_count(data) : columns;
	g->rows = mmi_whole_chunks(g->columns, mmi_sampler_chunk(sampler));
	mm_status status = allocate(g, data != NULL, e);
	if (status == MM_OK && data)
		status = read_data(g, data, e);
	if (status != MM_OK) {
		mmi_gallery_destroy(g);
		return status;
	}
	*out = g;
	return MM_OK;
}

void mmi_gallery_destroy(mmi_gallery *g)
{
	if (!g)
		return;
	float **const all[] = { g->data, g->translated, g->generated, g->revised, g->chained, g->guided, g->observed };
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		mmi_rows_clear(all[i]);
	mmi_latents_clear(&g->z);
	mmi_latents_clear(&g->prior);
	mmi_translator_destroy(g->translator);
	mmi_free(g);
}

float *const *mmi_gallery_generated(const mmi_gallery *g)
{
	return g->generated;
}

float *const *mmi_gallery_revised(const mmi_gallery *g)
{
	return g->revised;
}

const mmi_latents *mmi_gallery_prior(const mmi_gallery *g)
{
	return &g->prior;
}

const mmi_latents *mmi_gallery_latents(const mmi_gallery *g)
{
	return &g->z;
}

/* Everything from the first modality: the mean of its expert, decoded. */
static void translate(mmi_gallery *g)
{
	mmi_translate_args args = { .expert = 0, .temperature = 0 };
	mmi_latents *z = &g->z;
	mmi_rows_copy(g->model, g->rows, g->translated, g->data);
	mmi_translate(g->translator, &args, g->translated, (const float *const *)g->observed, mmi_whole(g->rows), z);
	mmi_sampler_decode(g->sampler, z, g->rows, g->translated); /* what was given as well: its reconstruction */
}

static mm_status draw_row(const mmi_gallery *g, mmi_grid *grid, uint32_t columns, uint32_t m, size_t row,
                          const char *label, const float *x, mm_error *e)
{
	const mmi_modality *modality = &g->model->modalities[m];
	uint32_t width, height;
	mm_status status = MM_OK;
	MMI_TRY(mmi_modality_picture_size(modality, &width, &height, e));
	MMI_TRY(mmi_grid_row(grid, row, label, e));
	uint8_t *tile = mmi_alloc((size_t)width * height, 3);
	if (!tile)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a tile of %u x %u", width, height);
	for (uint32_t i = 0; status == MM_OK && i < columns; i++) {
		status = mmi_modality_draw(modality, x + i * modality->count, tile, 3 * (size_t)width, e);
		if (status == MM_OK)
			status = mmi_grid_set(grid, row, i, tile, width, height, 3 * (size_t)width, e);
	}
	mmi_free(tile);
	return status;
}

static mm_status draw_modality(const mmi_gallery *g, mmi_grid *grid, uint32_t columns, uint32_t m, size_t *row,
                               mm_error *e)
{
	char label[64];
	if (!g->model->modalities[m].picture)
		return MM_OK;
	MMI_TRY(mmi_grid_group(grid, *row, g->model->modalities[m].name, e));
	if (g->has_data) {
		snprintf(label, sizeof label, "from %s", g->model->modalities[0].name);
		MMI_TRY(draw_row(g, grid, columns, m, (*row)++, "data", g->data[m], e));
		MMI_TRY(draw_row(g, grid, columns, m, (*row)++, label, g->translated[m], e));
	}
	MMI_TRY(draw_row(g, grid, columns, m, (*row)++, "generator", g->generated[m], e));
	if (g->has_parts) {
		MMI_TRY(draw_row(g, grid, columns, m, (*row)++, "data chain", g->chained[m], e));
		MMI_TRY(draw_row(g, grid, columns, m, (*row)++, g->guide, g->guided[m], e));
	}
	return draw_row(g, grid, columns, m, (*row)++, g->moved, g->revised[m], e);
}

static size_t count_rows(const mmi_gallery *g)
{
	size_t rows = 0;
	for (uint32_t m = 0; m < g->model->n_modalities; m++)
		if (g->model->modalities[m].picture)
			rows += (g->has_data ? 4u : 2u) + (g->has_parts ? 2u : 0u);
	return rows;
}

mm_status mmi_gallery_write(const mmi_gallery *g, uint32_t columns, const char *title, const char *path, mm_error *e)
{
	mmi_grid *grid;
	size_t row = 0;
	mm_status status = MM_OK;
	if (count_rows(g) == 0)
		return mmi_fail(e, MM_EUNSUPPORTED, "no modality of this model can be shown as a picture");
	if (columns > g->columns)
		columns = g->columns;
	MMI_TRY(mmi_rows_check(g->model, columns, g->generated, "samples", e));
	MMI_TRY(mmi_rows_check(g->model, columns, g->revised, "revised samples", e));
	if (g->has_data)
		MMI_TRY(mmi_rows_check(g->model, columns, g->translated, "translations", e));
	MMI_TRY(mmi_grid_create(count_rows(g), columns, &grid, e));
	MMI_TRY_GOTO(mmi_grid_title(grid, title, e), done);
	for (uint32_t m = 0; m < g->model->n_modalities; m++)
		MMI_TRY_GOTO(draw_modality(g, grid, columns, m, &row, e), done);
	status = mmi_grid_write(grid, path, e);
done:
	mmi_grid_destroy(grid);
	return status;
}

void mmi_gallery_sample(mmi_gallery *g, const mmi_chains *chains, uint32_t number, bool parts)
{
	if (g->has_data)
		translate(g);
	mmi_chains latents = *chains;
	latents.revise.steps = 0;
	g->has_parts = parts && mmi_generate_has_parts(chains);
	mmi_generate_label(chains, g->moved);
	mmi_generate_label(&latents, g->guide);
	mmi_generate_parts(g->model, g->sampler, chains, number, mmi_whole(g->rows), &g->z, g->generated,
	                   parts ? g->chained : NULL, g->guided, g->revised);
	mmi_sampler_prior(g->sampler, mmi_whole(g->rows), 0, number, &g->prior);
}
