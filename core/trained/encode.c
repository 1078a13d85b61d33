/* encode.c - latents of data as .npy and CSV files, block by block. */
#include "mmi_build.h"

#include "trained/encode.h"
#include "trained/joint.h"
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

enum { SOURCES = MMI_MAX_MODALITIES + 1 }; /* the modalities, and behind them the joint posterior */
#define JOINT "joint"

typedef struct mmi_encode_work {
	const mmi_saved *s;
	mmi_tuples *tuples;
	uint32_t n, sources, count, block; /* n: modalities */
	const char *folder;
	int32_t *label; /* of a block */
	mmi_joint joint;
	mmi_npy *npy[SOURCES][KINDS], *labels;
	mmi_atomic *csv[SOURCES], *list;
} mmi_encode_work;

/* How many numbers of a kind a row has; 0: the model has none. */
static size_t width(const mmi_saved *s, int kind)
{
	return (size_t)(kind < W_MEAN ? mmi_model_z_dim(s->model) : mmi_model_w_dim(s->model));
}

static float *numbers(const mmi_experts *x, uint32_t m, int kind)
{
	float *const all[KINDS] = { x->loc[m], x->scale[m], x->w_loc[m], x->w_scale[m] };
	return all[kind];
}

/* The same of any source: the joint posterior is one of z alone. */
static size_t width_of(const mmi_encode_work *w, uint32_t source, int kind)
{
	return source < w->n || kind < W_MEAN ? width(w->s, kind) : 0;
}

static float *numbers_of(const mmi_encode_work *w, const mmi_experts *x, uint32_t source, int kind)
{
	float *const joint[KINDS] = { w->joint.loc, w->joint.scale, NULL, NULL };
	return source < w->n ? numbers(x, source, kind) : joint[kind];
}

static const char *name_of(const mmi_encode_work *w, uint32_t source)
{
	return source < w->n ? w->s->model->modalities[source].name : JOINT;
}

/* ------------------------------------------------------------ latents of tuples */

static mm_status check_numbers(const mmi_saved *s, const mmi_experts *x, uint32_t first, uint32_t rows, mm_error *e)
{
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		for (int k = 0; k < KINDS; k++) {
			const size_t d = width(s, k), n = rows * d, bad = mmi_find_nonfinite(numbers(x, m, k), n);
			if (bad < n)
				return mmi_fail(e, MM_ENUMERIC,
				                "latents of [%s] are not finite numbers, tuple %u first: the model has diverged",
				                s->model->modalities[m].name, first + (uint32_t)(bad / d));
		}
	return MM_OK;
}

static mm_status encode_blocks(const mmi_saved *s, uint32_t n, uint32_t block, mmi_tuple_reader *read, void *from,
                               float *const *x, const mmi_experts *experts, mmi_latents_sink *sink, void *to,
                               const mmi_hooks *hooks, mm_error *e)
{
	for (uint32_t first = 0; first < n; first += block) {
		uint32_t rows = n - first < block ? n - first : block;
		if (mmi_hooks_stop(hooks))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %u of %u tuples; nothing was written", first, n);
		for (uint32_t r = 0; r < rows; r++) {
			float *at[MMI_MAX_MODALITIES];
			mmi_rows_at(s->model, x, r, at);
			MMI_TRY(read(from, first + r, at, e));
		}
		mmi_sampler_encode(s->sampler, mmi_rows_read(x), mmi_whole_chunks(rows, mmi_sampler_chunk(s->sampler)),
		                   experts);
		MMI_TRY(check_numbers(s, experts, first, rows, e));
		MMI_TRY(sink(to, first, rows, experts, e));
		mmi_hooks_step(hooks, first + rows, n);
	}
	return MM_OK;
}

mm_status mmi_latents_of(const mmi_saved *s, uint32_t n, uint32_t block, mmi_tuple_reader *read, void *from,
                         mmi_latents_sink *sink, void *to, const mmi_hooks *hooks, mm_error *e)
{
	float *x[MMI_MAX_MODALITIES] = { NULL };
	mmi_experts experts = { .loc = { NULL } };
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_ENCODE, e));
	mm_status status = mmi_rows_create(s->model, block, x, e);
	if (status == MM_OK)
		status = mmi_experts_create(s->model, block, &experts, e);
	if (status == MM_OK)
		status = encode_blocks(s, n, block, read, from, x, &experts, sink, to, hooks, e);
	mmi_rows_clear(x);
	mmi_experts_clear(&experts);
	return status;
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
	const mm_shape row = { .rank = d > 0, .dim = { (int32_t)d } };
	char *path = mmi_format("%s/%s%s%s.npy", w->folder, name, *kind ? "-" : "", kind);
	mm_status status = path ? mmi_npy_open(path, type, w->count, &row, out, e)
	                        : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mmi_free(path);
	return status;
}

static mm_status write_heading(mmi_encode_work *w, uint32_t m, mm_error *e)
{
	char text[64];
	MMI_TRY(mmi_atomic_write(w->csv[m], "key,label", 9, e));
	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; i < width_of(w, m, k); i++) {
			int length = snprintf(text, sizeof text, ",%s_%zu", columns[k], i);
			MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
		}
	return mmi_atomic_write(w->csv[m], "\n", 1, e);
}

static mm_status open_files(mmi_encode_work *w, mm_error *e)
{
	MMI_TRY(mmi_make_folders(w->folder, e));
	MMI_TRY(open_csv(w, "tuples", "", &w->list, e));
	MMI_TRY(mmi_atomic_write(w->list, "row,key,label\n", 14, e));
	MMI_TRY(open_npy(w, "labels", "", MMI_NPY_I32, 0, &w->labels, e));
	for (uint32_t m = 0; m < w->sources; m++) {
		const char *name = name_of(w, m);
		MMI_TRY(open_csv(w, name, "-latents", &w->csv[m], e));
		MMI_TRY(write_heading(w, m, e));
		for (int k = 0; k < KINDS; k++)
			if (width_of(w, m, k))
				MMI_TRY(open_npy(w, name, kinds[k], MMI_NPY_F32, width_of(w, m, k), &w->npy[m][k], e));
	}
	return MM_OK;
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

static mm_status write_line(mmi_encode_work *w, const mmi_experts *x, uint32_t m, uint32_t r, const char *key,
                            mm_error *e)
{
	char text[32];
	MMI_TRY(mmi_atomic_write(w->csv[m], key, strlen(key), e));
	int length = snprintf(text, sizeof text, ",%d", w->label[r]);
	MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
	for (int k = 0; k < KINDS; k++) {
		const size_t d = width_of(w, m, k);
		for (size_t i = 0; i < d; i++) {
			length = snprintf(text, sizeof text, ",%.9g", (double)numbers_of(w, x, m, k)[r * d + i]);
			MMI_TRY(mmi_atomic_write(w->csv[m], text, (size_t)length, e));
		}
	}
	return mmi_atomic_write(w->csv[m], "\n", 1, e);
}

static void forget_missing(const mmi_encode_work *w, const mmi_experts *x, uint32_t first, uint32_t rows)
{
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t r = 0; r < rows; r++)
			for (int k = 0; k < KINDS && !mmi_tuples_has(w->tuples, first + r, m); k++) {
				const size_t d = width(w->s, k);
				for (size_t i = 0; i < d; i++)
					numbers(x, m, k)[r * d + i] = NAN;
			}
}

static mm_status write_block(void *ctx, uint32_t first, uint32_t rows, const mmi_experts *experts, mm_error *e)
{
	mmi_encode_work *w = ctx;
	char key[600], line[700];
	if (w->sources > w->n)
		mmi_joint_of(&w->joint, w->s, w->tuples, first, rows, experts);
	forget_missing(w, experts, first, rows);
	for (uint32_t r = 0; r < rows; r++) {
		quote(mmi_tuples_key(w->tuples, first + r), key, sizeof key);
		int length = snprintf(line, sizeof line, "%u,%s,%d\n", first + r, key, w->label[r]);
		MMI_TRY(mmi_atomic_write(w->list, line, (size_t)length, e));
		for (uint32_t m = 0; m < w->sources; m++)
			MMI_TRY(write_line(w, experts, m, r, key, e));
	}
	for (uint32_t m = 0; m < w->sources; m++)
		for (int k = 0; k < KINDS; k++)
			if (w->npy[m][k])
				MMI_TRY(mmi_npy_write(w->npy[m][k], numbers_of(w, experts, m, k), rows, e));
	return mmi_npy_write(w->labels, w->label, rows, e);
}

static mm_status read_tuple(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	mmi_encode_work *w = ctx;
	w->label[i % w->block] = mmi_tuples_label(w->tuples, i);
	return mmi_tuples_read(w->tuples, i, x, e);
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
	for (uint32_t m = 0; m < w->sources; m++) {
		for (int k = 0; k < KINDS; k++)
			MMI_TRY(commit_npy(&w->npy[m][k], e));
		MMI_TRY(commit_csv(&w->csv[m], e));
	}
	MMI_TRY(commit_npy(&w->labels, e));
	return commit_csv(&w->list, e);
}

static void close_work(mmi_encode_work *w)
{
	for (uint32_t m = 0; m < SOURCES; m++) {
		for (int k = 0; k < KINDS; k++)
			mmi_npy_abort(w->npy[m][k]);
		mmi_atomic_abort(w->csv[m]);
	}
	mmi_npy_abort(w->labels);
	mmi_atomic_abort(w->list);
	mmi_joint_clear(&w->joint);
	mmi_free(w->label);
}

static mm_status check_joint(const mmi_encode_work *w, mm_error *e)
{
	if (!width(w->s, Z_MEAN))
		return mmi_fail(e, MM_EUNSUPPORTED, "--joint: the modalities of this model share no latent");
	for (uint32_t m = 0; m < w->n; m++)
		if (!strcmp(name_of(w, m), JOINT))
			return mmi_fail(e, MM_EUNSUPPORTED, "--joint: its files would be those of the modality [" JOINT "]");
	return MM_OK;
}

static mm_status prepare(mmi_encode_work *w, const mmi_encode_request *r, mm_error *e)
{
	if (r->joint) {
		MMI_TRY(check_joint(w, e));
		MMI_TRY(mmi_joint_create(w->s, r->block, &w->joint, e));
		w->sources++;
	}
	w->label = mmi_alloc(r->block, sizeof *w->label);
	return w->label ? open_files(w, e) : mmi_fail(e, MM_ENOMEM, "out of memory for %u tuples", r->block);
}

mm_status mmi_encode_write(const mmi_saved *s, mmi_tuples *tuples, const mmi_encode_request *r, mm_error *e)
{
	const uint32_t all = mmi_tuples_count(tuples);
	mmi_encode_work w = { .s = s,
		                  .tuples = tuples,
		                  .n = s->model->n_modalities,
		                  .sources = s->model->n_modalities,
		                  .count = all < r->count ? all : r->count,
		                  .block = r->block,
		                  .folder = r->folder };
	mm_status status = prepare(&w, r, e);
	if (status == MM_OK)
		status = mmi_latents_of(s, w.count, r->block, read_tuple, &w, write_block, &w, &r->hooks, e);
	if (status == MM_OK)
		status = commit(&w, e);
	close_work(&w);
	return status;
}
