/* scores.c - the energy of complete tuples. */
#include "mmi_build.h"

#include "trained/scores.h"
#include "base/finite.h"

#include "model/rows.h"
#include "trained/chains.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

mm_status mmi_scores_check(const mmi_model *model, const mmi_inputs *in, mm_error *e)
{
	char missing[256] = "";
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		size_t used = strlen(missing);
		if (!in->given[m])
			snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", model->modalities[m].name);
	}
	return missing[0] ? mmi_fail(e, MM_ECONFIG, "a score is of a complete tuple; missing: %s", missing) : MM_OK;
}

/* ---------------------------------------------------------------- readers */

mm_status mmi_scores_read_inputs(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	const mmi_scores_inputs *s = ctx;
	(void)e;
	for (uint32_t m = 0; m < s->model->n_modalities; m++) {
		size_t count = (size_t)s->model->modalities[m].count;
		memcpy(x[m], s->inputs->x[m] + i * count, count * sizeof(float));
	}
	return MM_OK;
}

mm_status mmi_scores_read_tuples(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	return mmi_tuples_read(ctx, i, x, e);
}

mm_status mmi_scores_list_open(const mmi_model *model, const char *path, mmi_scores_list *out, mm_error *e)
{
	mmi_scores_list l = { .model = model, .path = path };
	MMI_TRY(mmi_csv_read(path, &l.csv, e));
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		l.column[m] = mmi_csv_find(&l.csv, model->modalities[m].name);
		if (l.column[m] == MMI_CSV_NONE) {
			mmi_csv_clear(&l.csv);
			return mmi_fail(e, MM_ECONFIG, "%s: its header has no column %s; a score is of a complete tuple", path,
			                model->modalities[m].name);
		}
	}
	*out = l;
	return MM_OK;
}

void mmi_scores_list_close(mmi_scores_list *l)
{
	mmi_csv_clear(&l->csv);
}

/* A file's name is looked for beside the list before the current folder. */
static mm_status read_cell(const mmi_scores_list *l, const mmi_modality *m, const char *cell, float *x, mm_error *e)
{
	const char *slash = strrchr(l->path, '/'), *name = cell + (*cell == '@');
	bool look = slash && *name != '/' && !mmi_given_quoted(cell);
	char *beside = look ? mmi_format("@%.*s/%s", (int)(slash - l->path), l->path, name) : NULL;
	if (look && !beside)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = mmi_modality_read_given(m, beside && !access(beside + 1, F_OK) ? beside : cell, x, e);
	mmi_free(beside);
	return status;
}

mm_status mmi_scores_read_list(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	const mmi_scores_list *l = ctx;
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		const mmi_modality *modality = &l->model->modalities[m];
		const char *cell = mmi_csv_cell(&l->csv, i + 1, l->column[m]);
		mm_error own = MM_ERROR_INIT;
		mm_status status =
			*cell ? read_cell(l, modality, cell, x[m], &own)
				  : mmi_fail(&own, MM_ECONFIG, "%s is empty; a score is of a complete tuple", modality->name);
		if (status != MM_OK)
			return mmi_fail(e, status, "%s, tuple %u: %s", l->path, i + 1, own.message);
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- energies */

typedef struct block {
	const mmi_saved *saved;
	float *x[MMI_MAX_MODALITIES];
	float *energy;
	uint32_t rows;
} block;

static mm_status create(const mmi_saved *s, block *b, mm_error *e)
{
	*b = (block){ .saved = s, .rows = mmi_whole_chunks(MMI_SCORES_ROWS, mmi_sampler_chunk(s->sampler)) };
	b->energy = mmi_alloc(b->rows, sizeof *b->energy);
	return b->energy ? mmi_rows_create(s->model, b->rows, b->x, e)
	                 : mmi_fail(e, MM_ENOMEM, "out of memory for %u tuples", b->rows);
}

static void clear(block *b)
{
	mmi_rows_clear(b->x);
	mmi_free(b->energy);
}

/* n tuples from `first` on; rows behind them hold what they held, at first zeros. */
static mm_status score_block(block *b, uint32_t first, uint32_t n, mmi_tuple_reader *read, void *ctx, float *energy,
                             mm_error *e)
{
	for (uint32_t r = 0; r < n; r++) {
		float *at[MMI_MAX_MODALITIES];
		mmi_rows_at(b->saved->model, b->x, r, at);
		MMI_TRY(read(ctx, first + r, at, e));
	}
	mmi_sampler_energy(b->saved->sampler, (const float *const *)b->x,
	                   mmi_whole_chunks(n, mmi_sampler_chunk(b->saved->sampler)), b->energy);
	memcpy(energy + first, b->energy, n * sizeof *energy);
	size_t bad = mmi_find_nonfinite(energy + first, n);
	if (bad < n)
		return mmi_fail(e, MM_ENUMERIC,
		                "the energy of tuple %zu is %g: the model has diverged, or the tuple is far beyond its data",
		                first + bad, (double)energy[first + bad]);
	return MM_OK;
}

mm_status mmi_scores_of(const mmi_saved *s, uint32_t n, mmi_tuple_reader *read, void *ctx, const mmi_hooks *hooks,
                        float *energy, mm_error *e)
{
	block b;
	MMI_TRY(mmi_use_need_energy(s, "a score", e));
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_ENERGY, e));
	mm_status status = create(s, &b, e);
	for (uint32_t first = 0; status == MM_OK && first < n; first += b.rows) {
		uint32_t rows = n - first < b.rows ? n - first : b.rows;
		if (mmi_hooks_stop(hooks)) {
			status = mmi_fail(e, MM_ECANCELLED, "interrupted after %u of %u tuples", first, n);
		} else {
			status = score_block(&b, first, rows, read, ctx, energy, e);
			mmi_hooks_step(hooks, first + rows, n);
		}
	}
	clear(&b);
	return status;
}
