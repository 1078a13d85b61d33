/* interpolate.c - from one tuple to another through the latent space. */
#include "mmi_build.h"

#include "trained/interpolate.h"

#include "model/rows.h"
#include "mcmc/translate.h"
#include "trained/chains.h"
#include "trained/tiles.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct job {
	const mmi_saved *saved;
	const mmi_model *model;
	const mmi_interpolate_request *request;
	mmi_use_chains chains;
	uint32_t rows; /* points, as whole chunks */
	mmi_latents ends, points;
	float *decoded[MMI_MAX_MODALITIES], *revised[MMI_MAX_MODALITIES];
} job;

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for an interpolation");
}

/* ---------------------------------------------------------------- between two points */

static double angle(const float *a, const float *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	double c = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1;
	return acos(c > 1 ? 1 : c < -1 ? -1 : c);
}

void mmi_interpolate(const float *a, const float *b, size_t n, double t, bool spherical, float *out)
{
	double wa = 1 - t, wb = t, theta = spherical ? angle(a, b, n) : 0, s = sin(theta);
	if (s > 1e-4) {
		wa = sin((1 - t) * theta) / s;
		wb = sin(t * theta) / s;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (float)(wa * (double)a[i] + wb * (double)b[i]);
}

/* The rows behind the points repeat the last one. */
static void fill_points(const job *j, float *points, const float *ends, size_t n)
{
	uint32_t last = j->request->steps - 1;
	for (uint32_t i = 0; i < j->rows; i++)
		mmi_interpolate(ends, ends + n, n, i < last ? (double)i / last : 1, j->request->spherical, points + i * n);
}

/* ---------------------------------------------------------------- both ends */

static mm_status allocate(job *j, mm_error *e)
{
	MMI_TRY(mmi_latents_create(j->model, j->rows, &j->ends, e));
	MMI_TRY(mmi_latents_create(j->model, j->rows, &j->points, e));
	MMI_TRY(mmi_rows_create(j->model, j->rows, j->decoded, e));
	return mmi_rows_create(j->model, j->rows, j->revised, e);
}

static void clear(job *j)
{
	mmi_latents_clear(&j->ends);
	mmi_latents_clear(&j->points);
	mmi_rows_clear(j->decoded);
	mmi_rows_clear(j->revised);
}

/* The two inputs as rows; those behind them repeat the second. */
static void fill_inputs(const job *j, uint32_t rows, float *const *observed)
{
	const mmi_inputs *in = j->request->ends;
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		size_t count = (size_t)j->model->modalities[m].count;
		for (uint32_t r = 0; r < rows; r++) {
			observed[m][r] = in->given[m] ? 1.0f : 0.0f;
			if (in->given[m])
				memcpy(j->decoded[m] + r * count, in->x[m] + (r ? count : 0), count * sizeof(float));
		}
	}
}

/* One encoder for both ends, or where the fusion is a product that of all: a path between two encoders' views would be
 * no interpolation. */
static int32_t expert_of(const mmi_model *m, float *const *observed)
{
	if (m->config.fusion != MMI_FUSION_MIXTURE)
		return -1;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		if (observed[i][0] > 0 && observed[i][1] > 0)
			return (int32_t)i;
	return -1;
}

/* Latents of both ends, by translation from what is given. */
static mm_status infer_ends(job *j, mm_error *e)
{
	uint32_t rows = mmi_whole_chunks(2, mmi_sampler_chunk(j->saved->sampler));
	mmi_translate_args args = { .number = j->request->number,
		                        .temperature = 0,
		                        .posterior = j->chains.translate.posterior };
	float *observed[MMI_MAX_MODALITIES] = { NULL };
	mmi_translator *t = NULL;
	mm_status status = MM_OK;
	for (uint32_t m = 0; m < j->model->n_modalities && status == MM_OK; m++)
		status = (observed[m] = mmi_alloc(rows, sizeof(float))) ? MM_OK : no_memory(e);
	if (status == MM_OK)
		status = mmi_translator_create(j->model, j->saved->sampler, rows, &t, e);
	if (status == MM_OK) {
		fill_inputs(j, rows, observed);
		args.expert = expert_of(j->model, observed);
		mmi_translate(t, &args, j->decoded, (const float *const *)observed, mmi_whole(rows), &j->ends);
	}
	mmi_translator_destroy(t);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_free(observed[m]);
	return status;
}

static mm_status find_ends(job *j, mm_error *e)
{
	if (j->request->ends)
		return infer_ends(j, e);
	const uint32_t rows = mmi_whole_chunks(2, mmi_sampler_chunk(j->saved->sampler));
	mmi_sampler_prior(j->saved->sampler, mmi_whole(rows), 0, j->request->number, &j->ends);
	return MM_OK;
}

/* ---------------------------------------------------------------- the points */

static mm_status make_points(job *j, mm_error *e)
{
	mmi_revise_args revise = j->chains.sample.revise;
	mmi_chain_stats stats;
	if (j->ends.z)
		fill_points(j, j->points.z, j->ends.z, (size_t)mmi_model_z_dim(j->model));
	for (uint32_t m = 0; m < j->model->n_modalities && j->ends.w[m]; m++)
		fill_points(j, j->points.w[m], j->ends.w[m], (size_t)mmi_model_w_dim(j->model));
	mmi_sampler_decode(j->saved->sampler, &j->points, j->rows, j->decoded);
	mmi_rows_copy(j->model, j->rows, j->revised, j->decoded);
	revise.iteration = j->request->number;
	revise.rise_max = 0; /* a row shows the data chain as it goes, at every point */
	mmi_sampler_revise(j->saved->sampler, &revise, j->revised, (const float *const *)j->decoded, mmi_whole(j->rows),
	                   &stats);
	MMI_TRY(mmi_rows_check(j->model, j->request->steps, j->decoded, "samples", e));
	return mmi_rows_check(j->model, j->request->steps, j->revised, "revised samples", e);
}

/* Columns: the first tuple, the points, the second tuple; the tuples only where there are some. */
static mm_status draw_row(const job *j, mmi_grid *g, size_t row, const char *label, uint32_t m, const float *x,
                          mm_error *e)
{
	const mmi_modality *modality = &j->model->modalities[m];
	const mmi_inputs *ends = j->request->ends;
	MMI_TRY(mmi_grid_row(g, row, label, e));
	MMI_TRY(mmi_tiles_set(g, row, ends ? 1 : 0, modality, x, j->request->steps, e));
	if (!ends || !ends->x[m])
		return MM_OK;
	MMI_TRY(mmi_tile_set(g, row, 0, modality, ends->x[m], e));
	return mmi_tile_set(g, row, j->request->steps + 1, modality, ends->x[m] + modality->count, e);
}

static mm_status label_columns(const job *j, mmi_grid *g, mm_error *e)
{
	uint32_t steps = j->request->steps;
	char text[96];
	snprintf(text, sizeof text, "%s, %u data chain steps", j->request->spherical ? "spherical" : "linear",
	         j->chains.sample.revise.steps);
	MMI_TRY(mmi_grid_title(g, text, e));
	for (uint32_t i = 0; i < steps; i++) {
		snprintf(text, sizeof text, "%.2f", (double)i / (steps - 1));
		MMI_TRY(mmi_grid_column(g, i + (j->request->ends ? 1 : 0), text, e));
	}
	if (!j->request->ends)
		return MM_OK;
	MMI_TRY(mmi_grid_column(g, 0, "from", e));
	MMI_TRY(mmi_grid_column(g, steps + 1, "to", e));
	MMI_TRY(mmi_grid_gap(g, 1, e));
	return mmi_grid_gap(g, steps + 1, e);
}

static mm_status draw_all(const job *j, mmi_grid *g, mm_error *e)
{
	size_t row = 0;
	MMI_TRY(label_columns(j, g, e));
	for (uint32_t m = 0; m < j->model->n_modalities; m++) {
		if (!j->model->modalities[m].picture)
			continue;
		MMI_TRY(mmi_grid_group(g, row, j->model->modalities[m].name, e));
		MMI_TRY(draw_row(j, g, row++, "generator", m, j->decoded[m], e));
		if (j->chains.sample.revise.steps)
			MMI_TRY(draw_row(j, g, row++, "data chain", m, j->revised[m], e));
	}
	return mmi_grid_write(g, j->request->grid, e);
}

static mm_status write_sheet(const job *j, size_t drawable, mm_error *e)
{
	mmi_grid *g;
	size_t rows = drawable * (j->chains.sample.revise.steps ? 2 : 1);
	MMI_TRY(mmi_grid_create(rows, j->request->steps + (j->request->ends ? 2 : 0), &g, e));
	mm_status status = draw_all(j, g, e);
	mmi_grid_destroy(g);
	return status;
}

mm_status mmi_interpolate_make(const mmi_saved *s, const mmi_interpolate_request *r, mm_error *e)
{
	job j = { .saved = s, .model = s->model, .request = r };
	const mmi_recipe_change steps = { r->z_steps, 1, 0,
		                              r->x_steps }; /* nothing guides: the points lie between the ends */
	size_t drawable;
	uint32_t chunk = mmi_sampler_chunk(s->sampler);
	if (r->ends && r->ends->n != 2)
		return mmi_fail(e, MM_ECONFIG, "an interpolation has two ends, found %u", r->ends->n);
	MMI_TRY(mmi_tiles_drawable(s->model->modalities, s->model->n_modalities, &drawable, e));
	MMI_TRY(mmi_use_chains_of(s, &steps, &j.chains, e));
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_MODEL, e));
	j.rows = mmi_whole_chunks(r->steps, chunk);
	mm_status status = allocate(&j, e);
	if (status == MM_OK)
		status = find_ends(&j, e);
	if (status == MM_OK)
		status = make_points(&j, e);
	if (status == MM_OK)
		status = write_sheet(&j, drawable, e);
	clear(&j);
	return status;
}
