/* encode.c - latents of data as .npy and CSV files, block by block. */
#include "mmi_build.h"

#include "trained/encode.h"
#include "base/finite.h"
#include "model/rows.h"
#include "store/files.h"
#include "store/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { Z_MEAN, Z_SCALE, W_MEAN, W_SCALE, KINDS };
static const char *const kinds[KINDS] = { "z-mean", "z-scale", "w-mean", "w-scale" };
static const char *const columns[KINDS] = { "z_mean", "z_scale", "w_mean", "w_scale" };

typedef struct mmi_encode_work {
	const mmi_saved *s;
	mmi_tuples *tuples;
	uint32_t n, count, block;
	const char *folder;
	mmi_experts experts;
	float *x[MMI_MAX_MODALITIES];
	int32_t *label;
	mmi_npy *npy[MMI_MAX_MODALITIES][KINDS], *labels;
	mmi_atomic *csv[MMI_MAX_MODALITIES], *list;
} mmi_encode_work;

/* A kind's numbers of a modality, and how many a row has (0: the model has none). */
static float *numbers(const mmi_encode_work *w, uint32_t m, int kind, size_t *d)
{
	const mmi_experts *x = &w->experts;
	float *const all[KINDS] = { x->loc[m], x->scale[m], x->w_loc[m], x->w_scale[m] };
	*d = (size_t)(kind < W_MEAN ? mmi_model_z_dim(w->s->model) : mmi_model_w_dim(w->s->model));
	return all[kind];
}

/* ------------------------------------------------------------ opening */

/* Every file of a modality has a suffix, so no name of one makes it tuples.csv or labels.npy. */
static mm_status open_csv(const mmi_encode_work *w, const char *name, const char *suffix, mmi_atomic **out, mm_error *e)
{
	char *path = mmi_format("%s/%s%s.csv", w->folder, name, suffix);
	mm_status status = path ? mmi_atomic_open(path, out, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mmi_free(path);
	return status;
}

static mm_status open_npy(const mmi_encode_work *w, const char *name, const char *kind, mmi_npy_type type, size_t d,
                          mmi_npy **out, mm_error *e)
{
	char *path = mmi_format("%s/%s%s%s.npy", w->folder, name, *kind ? "-" : "", kind);
	mm_status status =
		path ? mmi_npy_open(path, type, w->count, d, out, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mmi_free(path);
	return status;
}

static mm_status write_heading(mmi_encode_work *w, uint32_t m, mm_error *e)
{
	char text[64];
	size_t d;
	MMI_TRY(mmi_atomic_write(w->csv[m], "key,label", 9, e));
	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; numbers(w, m, k, &d) && i < d; i++) {
			int length = snprintf(text, sizeof text, ",%s_%zu", columns[k], i);
			MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
		}
	return mmi_atomic_write(w->csv[m], "\n", 1, e);
}

static mm_status open_files(mmi_encode_work *w, mm_error *e)
{
	size_t d;
	MMI_TRY(mmi_make_folders(w->folder, e));
	MMI_TRY(open_csv(w, "tuples", "", &w->list, e));
	MMI_TRY(mmi_atomic_write(w->list, "row,key,label\n", 14, e));
	MMI_TRY(open_npy(w, "labels", "", MMI_NPY_I32, 0, &w->labels, e));
	for (uint32_t m = 0; m < w->n; m++) {
		const char *name = w->s->model->modalities[m].name;
		MMI_TRY(open_csv(w, name, "-latents", &w->csv[m], e));
		MMI_TRY(write_heading(w, m, e));
		for (int k = 0; k < KINDS; k++)
			if (numbers(w, m, k, &d) && d)
				MMI_TRY(open_npy(w, name, kinds[k], MMI_NPY_F32, d, &w->npy[m][k], e));
	}
	return MM_OK;
}

static mm_status allocate(mmi_encode_work *w, mm_error *e)
{
	w->label = mmi_alloc(w->block, sizeof *w->label);
	if (!w->label)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u tuples", w->block);
	MMI_TRY(mmi_rows_create(w->s->model, w->block, w->x, e));
	return mmi_experts_create(w->s->model, w->block, &w->experts, e);
}

/* ------------------------------------------------------------ blocks */

/* RFC 4180: quotes where the key needs them, doubled inside. */
static void quote(const char *key, char *out, size_t size)
{
	size_t n = 0;
	bool needed = strpbrk(key, ",\"\r\n") != NULL;
	if (needed)
		out[n++] = '"';
	for (; *key && n + 3 < size; key++) {
		if (*key == '"')
			out[n++] = '"';
		out[n++] = *key;
	}
	if (needed)
		out[n++] = '"';
	out[n] = 0;
}

static mm_status write_line(mmi_encode_work *w, uint32_t m, uint32_t r, const char *key, mm_error *e)
{
	char text[32];
	size_t d;
	MMI_TRY(mmi_atomic_write(w->csv[m], key, strlen(key), e));
	int length = snprintf(text, sizeof text, ",%d", w->label[r]);
	MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
	for (int k = 0; k < KINDS; k++) {
		const float *x = numbers(w, m, k, &d);
		for (size_t i = 0; x && i < d; i++) {
			length = snprintf(text, sizeof text, ",%.9g", (double)x[r * d + i]);
			MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
		}
	}
	return mmi_atomic_write(w->csv[m], "\n", 1, e);
}

static mm_status check_numbers(const mmi_encode_work *w, uint32_t first, uint32_t rows, mm_error *e)
{
	size_t d;
	for (uint32_t m = 0; m < w->n; m++)
		for (int k = 0; k < KINDS; k++) {
			const float *x = numbers(w, m, k, &d);
			if (x && !mmi_finite(x, rows * d))
				return mmi_fail(
					e, MM_ENUMERIC, "latents of [%s] are not finite numbers, tuple %u first: the model has diverged",
					w->s->model->modalities[m].name, first + (uint32_t)(mmi_find_nonfinite(x, rows * d) / d));
		}
	return MM_OK;
}

static void forget_missing(mmi_encode_work *w, uint32_t first, uint32_t rows)
{
	size_t d;
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t r = 0; r < rows; r++)
			for (int k = 0; k < KINDS && !mmi_tuples_has(w->tuples, first + r, m); k++) {
				float *x = numbers(w, m, k, &d);
				for (size_t i = 0; x && i < d; i++)
					x[r * d + i] = NAN;
			}
}

static mm_status write_block(mmi_encode_work *w, uint32_t first, uint32_t rows, mm_error *e)
{
	char key[600], line[700];
	size_t d;
	MMI_TRY(check_numbers(w, first, rows, e));
	forget_missing(w, first, rows);
	for (uint32_t r = 0; r < rows; r++) {
		quote(mmi_tuples_key(w->tuples, first + r), key, sizeof key);
		int length = snprintf(line, sizeof line, "%u,%s,%d\n", first + r, key, w->label[r]);
		MMI_TRY(mmi_atomic_write(w->list, line, (size_t)length, e));
		for (uint32_t m = 0; m < w->n; m++)
			MMI_TRY(write_line(w, m, r, key, e));
	}
	for (uint32_t m = 0; m < w->n; m++)
		for (int k = 0; k < KINDS; k++)
			if (w->npy[m][k])
				MMI_TRY(mmi_npy_write(w->npy[m][k], numbers(w, m, k, &d), rows, e));
	return mmi_npy_write(w->labels, w->label, rows, e);
}

static mm_status run(mmi_encode_work *w, const mmi_encode_hooks *h, mm_error *e)
{
	for (uint32_t first = 0; first < w->count; first += w->block) {
		uint32_t rows = w->count - first < w->block ? w->count - first : w->block;
		for (uint32_t r = 0; r < rows; r++) {
			float *at[MMI_MAX_MODALITIES];
			mmi_rows_at(w->s->model, w->x, r, at);
			MMI_TRY(mmi_tuples_read(w->tuples, first + r, at, e));
			w->label[r] = mmi_tuples_label(w->tuples, first + r);
		}
		mmi_sampler_encode(w->s->sampler, (const float *const *)w->x, w->block, &w->experts);
		MMI_TRY(write_block(w, first, rows, e));
		if (h->step)
			h->step(h->ctx, first + rows, w->count);
		if (h->stop && h->stop(h->ctx))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %u of %u tuples; nothing was written", first + rows,
			                w->count);
	}
	return MM_OK;
}

/* ------------------------------------------------------------ ending */

static mm_status commit_npy(mmi_npy **f, mm_error *e)
{
	mmi_npy *file = *f;
	*f = NULL;
	return file ? mmi_npy_commit(file, e) : MM_OK;
}

static mm_status commit_csv(mmi_atomic **f, mm_error *e)
{
	mmi_atomic *file = *f;
	*f = NULL;
	return file ? mmi_atomic_commit(file, e) : MM_OK;
}

static mm_status commit(mmi_encode_work *w, mm_error *e)
{
	for (uint32_t m = 0; m < w->n; m++) {
		for (int k = 0; k < KINDS; k++)
			MMI_TRY(commit_npy(&w->npy[m][k], e));
		MMI_TRY(commit_csv(&w->csv[m], e));
	}
	MMI_TRY(commit_npy(&w->labels, e));
	return commit_csv(&w->list, e);
}

static void close_work(mmi_encode_work *w)
{
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		for (int k = 0; k < KINDS; k++)
			mmi_npy_abort(w->npy[m][k]);
		mmi_atomic_abort(w->csv[m]);
	}
	mmi_rows_clear(w->x);
	mmi_npy_abort(w->labels);
	mmi_atomic_abort(w->list);
	mmi_experts_clear(&w->experts);
	mmi_free(w->label);
}

mm_status mmi_encode_write(const mmi_saved *s, mmi_tuples *tuples, uint32_t count, uint32_t block, const char *folder,
                           const mmi_encode_hooks *hooks, mm_error *e)
{
	mmi_encode_work w = { .s = s, .tuples = tuples, .n = s->model->n_modalities, .block = block, .folder = folder };
	w.count = mmi_tuples_count(tuples) < count ? mmi_tuples_count(tuples) : count;
	mm_status status = allocate(&w, e);
	if (status == MM_OK)
		status = open_files(&w, e);
	if (status == MM_OK)
		status = run(&w, hooks, e);
	if (status == MM_OK)
		status = commit(&w, e);
	close_work(&w);
	return status;
}
