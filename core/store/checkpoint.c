/* checkpoint.c - saving and restoring a run's state. */
#include "mmi_build.h"

#include "store/checkpoint.h"
#include "store/strip.h"

#include "base/finite.h"
#include "store/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_KEY MMI_CHECKPOINT_FORMAT
#define FORMAT_VERSION "1"

struct mmi_checkpoint {
	mmi_safetensors *file;
};

/* ---------------------------------------------------------------- items */

mmi_tensor_item mmi_item_f32(const char *name, mm_shape shape, float *data)
{
	mmi_tensor_item item = { .name = name, .dtype = MMI_F32, .rank = shape.rank, .data = data };

	for (uint32_t i = 0; i < shape.rank && i < MM_MAX_RANK; i++)
		item.dim[i] = shape.dim[i];
	return item;
}

mmi_tensor_item mmi_item_f32_flat(const char *name, size_t count, float *data)
{
	return (mmi_tensor_item){ .name = name, .dtype = MMI_F32, .rank = 1, .dim = { (int64_t)count }, .data = data };
}

mmi_tensor_item mmi_item_counter(const char *name, int64_t *value)
{
	return (mmi_tensor_item){ .name = name, .dtype = MMI_I64, .data = value, .max = MMI_COUNTER_MAX };
}

mmi_tensor_item mmi_item_double(const char *name, double *value)
{
	return (mmi_tensor_item){ .name = name, .dtype = MMI_F64, .data = value };
}

mmi_tensor_item mmi_item_within(mmi_tensor_item item, double min, double max)
{
	item.min = min;
	item.max = max;
	return item;
}

/* ---------------------------------------------------------------- finite numbers */

/* A run that goes on from NaN or infinity comes to nothing, and models that hold them answer with them. `before`: bytes
 * of the tensor in front of these. */
static mm_status check_finite(mmi_dtype dtype, uint64_t before, uint64_t bytes, const void *data, const char *name,
                              mm_error *e)
{
	size_t n = dtype == MMI_F32 || dtype == MMI_F64 ? (size_t)(bytes / mmi_dtype_size(dtype)) : 0;
	if (dtype == MMI_F32 && mmi_finite(data, n))
		return MM_OK;
	size_t at = dtype == MMI_F32   ? mmi_find_nonfinite(data, n)
	            : dtype == MMI_F64 ? mmi_find_nonfinite_double(data, n)
	                               : n;
	if (at == n)
		return MM_OK;
	double value = dtype == MMI_F32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
	return mmi_fail(e, MM_ENUMERIC, "tensor '%.96s' holds %g at index %zu; expected finite numbers", name, value,
	                (size_t)(before / mmi_dtype_size(dtype)) + at);
}

static mm_status check_items_finite(const char *path, const mmi_tensor_item *items, size_t n, mm_error *e)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bytes;
		if (!mmi_tensor_bytes(items[i].dtype, items[i].rank, items[i].dim, &bytes))
			continue; /* the writer will say so */
		mm_status status = check_finite(items[i].dtype, 0, bytes, items[i].data, items[i].name, e);
		if (status != MM_OK) {
			mmi_fail_prefix(e, "%s is not written", path);
			return status;
		}
	}
	return MM_OK;
}

/* Data on its way: where it goes, and the first number that is not finite. */
typedef struct data_passage {
	const mmi_tensor_item **items; /* sorted by name; those that data goes to */
	size_t n;
	mm_error first;
} data_passage;

static void look_for_finite(void *ctx, const mmi_tensor_info *t, uint64_t at, const void *data, size_t bytes)
{
	data_passage *p = ctx;
	if (p->first.code == MM_OK)
		check_finite(t->dtype, at, bytes, data, t->name, &p->first);
}

static int compare_items(const void *a, const void *b)
{
	const mmi_tensor_item *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static void *place_of(void *ctx, const mmi_tensor_info *t)
{
	const data_passage *p = ctx;
	const mmi_tensor_item key = { .name = t->name }, *wanted = &key;
	const mmi_tensor_item *const *found =
		p->n ? bsearch(&wanted, p->items, p->n, sizeof *p->items, compare_items) : NULL;
	return found ? (*found)->data : NULL;
}

/* What is damaged is told as such, whatever numbers that makes. */
static mm_status pass_through(const mmi_checkpoint *ck, data_passage *p, mm_error *e)
{
	const mmi_safetensors_visit visit = { .ctx = p, .place = place_of, .look = look_for_finite };
	p->first = (mm_error)MM_ERROR_INIT;
	MMI_TRY(mmi_safetensors_walk(ck->file, &visit, e));
	return p->first.code == MM_OK ? MM_OK
	                              : mmi_fail(e, p->first.code, "%s: %s", mmi_checkpoint_path(ck), p->first.message);
}

/* ---------------------------------------------------------------- save, open */

mm_status mmi_checkpoint_save(const char *path, const mmi_tensor_item *items, size_t n, const mmi_text_pair *meta,
                              size_t n_meta, mm_error *e)
{
	MMI_TRY(check_items_finite(path, items, n, e));
	mmi_text_pair *all = mmi_alloc(n_meta + 1, sizeof *all);

	if (!all)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	all[0] = (mmi_text_pair){ FORMAT_KEY, FORMAT_VERSION };
	if (n_meta)
		memcpy(all + 1, meta, n_meta * sizeof *meta);
	mm_status status = mmi_safetensors_write(path, items, n, all, n_meta + 1, e);
	mmi_free(all);
	return status;
}

static mm_status check_format(const mmi_safetensors *file, mm_error *e)
{
	const char *version = mmi_safetensors_meta(file, FORMAT_KEY);
	const char *path = mmi_safetensors_path(file);

	if (!version)
		return mmi_fail(e, MM_EFORMAT, "%s: a safetensors file, but not a checkpoint: its metadata has no " FORMAT_KEY,
		                path);
	if (strcmp(version, FORMAT_VERSION))
		return mmi_fail(e, MM_EFORMAT, "%s: checkpoint of format %.20s, this program reads format " FORMAT_VERSION,
		                path, version);
	return MM_OK;
}

/* Takes the file. */
static mm_status take(mmi_safetensors *file, mmi_checkpoint **out, mm_error *e)
{
	mm_status status = check_format(file, e);
	mmi_checkpoint *ck = status == MM_OK ? mmi_alloc(1, sizeof *ck) : NULL;
	if (!ck) {
		if (status == MM_OK)
			status = mmi_fail(e, MM_ENOMEM, "%s: out of memory", mmi_safetensors_path(file));
		mmi_safetensors_close(file);
		return status;
	}
	ck->file = file;
	*out = ck;
	return MM_OK;
}

mm_status mmi_checkpoint_open(const char *path, mmi_checkpoint **out, mm_error *e)
{
	mmi_safetensors *file;

	MMI_TRY(mmi_safetensors_open(path, &file, e));
	return take(file, out, e);
}

mm_status mmi_checkpoint_open_memory(const char *name, const void *bytes, size_t n_bytes, mmi_checkpoint **out,
                                     mm_error *e)
{
	mmi_safetensors *file;

	MMI_TRY(mmi_safetensors_open_memory(name, bytes, n_bytes, &file, e));
	return take(file, out, e);
}

void mmi_checkpoint_close(mmi_checkpoint *ck)
{
	if (!ck)
		return;
	mmi_safetensors_close(ck->file);
	mmi_free(ck);
}

const char *mmi_checkpoint_path(const mmi_checkpoint *ck)
{
	return mmi_safetensors_path(ck->file);
}

const char *mmi_checkpoint_meta(const mmi_checkpoint *ck, const char *key)
{
	return mmi_safetensors_meta(ck->file, key);
}

const mmi_safetensors *mmi_checkpoint_tensors(const mmi_checkpoint *ck)
{
	return ck->file;
}

mm_status mmi_checkpoint_verify(const mmi_checkpoint *ck, mm_error *e)
{
	return pass_through(ck, &(data_passage){ .n = 0 }, e);
}

/* ---------------------------------------------------------------- restore */

static bool same_shape(const mmi_tensor_item *item, const mmi_tensor_info *found)
{
	return item->dtype == found->dtype && item->rank == found->rank &&
	       !memcmp(item->dim, found->dim, item->rank * sizeof item->dim[0]);
}

static mm_status check_item(const mmi_checkpoint *ck, const mmi_tensor_item *item, mm_error *e)
{
	char expected[128], present[128];
	const mmi_tensor_info *found = mmi_safetensors_find(ck->file, item->name);

	mmi_tensor_shape_text(item->rank, item->dim, expected, sizeof expected);
	if (!found && mmi_checkpoint_meta(ck, MMI_STRIPPED))
		return mmi_fail(e, MM_ECONFIG, "%s: tensor '%s' is missing: the checkpoint was stripped of what training needs",
		                mmi_checkpoint_path(ck), item->name);
	if (!found)
		return mmi_fail(e, MM_ESHAPE, "%s: tensor '%s' (%s %s) is missing: the checkpoint is of another architecture",
		                mmi_checkpoint_path(ck), item->name, mmi_dtype_name(item->dtype), expected);
	if (!same_shape(item, found))
		return mmi_fail(e, MM_ESHAPE,
		                "%s: tensor '%s' is %s %s, expected %s %s: the checkpoint is of another architecture",
		                mmi_checkpoint_path(ck), item->name, mmi_dtype_name(found->dtype),
		                mmi_tensor_shape_text(found->rank, found->dim, present, sizeof present),
		                mmi_dtype_name(item->dtype), expected);
	return MM_OK;
}

static int compare_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static bool starts_with_any(const char *name, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* The first tensor of the file, in its order, that is neither among the sorted names nor excused. */
static const mmi_tensor_info *first_extra(const mmi_checkpoint *ck, const char *const *names, size_t n,
                                          const char *const *others, size_t n_others)
{
	for (size_t i = 0; i < mmi_safetensors_count(ck->file); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(ck->file, i);
		bool known = n && bsearch(&t->name, names, n, sizeof *names, compare_text);
		if (!known && !starts_with_any(t->name, others, n_others))
			return t;
	}
	return NULL;
}

static mm_status check_extra(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                             const char *const *others, size_t n_others, mm_error *e)
{
	char shape[128];
	const char **names = mmi_alloc(n, sizeof *names);

	if (!names)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", mmi_checkpoint_path(ck));
	for (size_t i = 0; i < n; i++)
		names[i] = items[i].name;
	qsort(names, n, sizeof *names, compare_text);
	const mmi_tensor_info *extra = first_extra(ck, names, n, others, n_others);
	mmi_free(names);
	if (!extra)
		return MM_OK;
	return mmi_fail(e, MM_ESHAPE,
	                "%s: tensor '%.96s' (%s %s) has no place here: the checkpoint is of another architecture",
	                mmi_checkpoint_path(ck), extra->name, mmi_dtype_name(extra->dtype),
	                mmi_tensor_shape_text(extra->rank, extra->dim, shape, sizeof shape));
}

static mm_status out_of_range(const mmi_checkpoint *ck, const mmi_tensor_item *item, double value, mm_error *e)
{
	return mmi_fail(e, MM_EFORMAT,
	                "%s: '%s' is %.17g, expected %.17g to %.17g: the checkpoint is damaged, or not from mmcore",
	                mmi_checkpoint_path(ck), item->name, value, item->min, item->max);
}

/* Counters come from a file that nobody vouches for, and lead to places in memory. */
static mm_status check_range(const mmi_checkpoint *ck, const mmi_tensor_item *item, mm_error *e)
{
	const mmi_tensor_info *t = mmi_safetensors_find(ck->file, item->name);
	size_t bytes = (size_t)(t->end - t->begin);
	if (!(item->min < item->max) || (item->dtype != MMI_F64 && item->dtype != MMI_I64))
		return MM_OK;
	void *data = mmi_alloc(bytes, 1);
	if (!data)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", mmi_checkpoint_path(ck));
	mm_status status = mmi_safetensors_read(ck->file, t, data, bytes, e);
	for (size_t i = 0; i < bytes / mmi_dtype_size(item->dtype) && status == MM_OK; i++) {
		double value = item->dtype == MMI_F64 ? ((const double *)data)[i] : (double)((const int64_t *)data)[i];
		if (!(value >= item->min && value <= item->max))
			status = out_of_range(ck, item, value, e);
	}
	mmi_free(data);
	return status;
}

static mm_status read_item(const mmi_checkpoint *ck, const mmi_tensor_item *item, mm_error *e)
{
	const mmi_tensor_info *t = mmi_safetensors_find(ck->file, item->name);
	return mmi_safetensors_read(ck->file, t, item->data, (size_t)(t->end - t->begin), e);
}

static mm_status load(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n, mm_error *e)
{
	data_passage p = { .items = mmi_alloc(n, sizeof *p.items), .n = n };
	if (!p.items)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", mmi_checkpoint_path(ck));
	for (size_t i = 0; i < n; i++)
		p.items[i] = &items[i];
	qsort(p.items, n, sizeof *p.items, compare_items);
	mm_status status = pass_through(ck, &p, e);
	mmi_free(p.items);
	return status;
}

mm_status mmi_checkpoint_load_part(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                                   const char *const *others, size_t n_others, mm_error *e)
{
	for (size_t i = 0; i < n; i++)
		MMI_TRY(check_item(ck, &items[i], e));
	MMI_TRY(check_extra(ck, items, n, others, n_others, e));
	MMI_TRY(load(ck, items, n, e));
	for (size_t i = 0; i < n; i++)
		MMI_TRY(check_range(ck, &items[i], e));
	return MM_OK;
}

mm_status mmi_checkpoint_restore_part(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                                      const char *const *others, size_t n_others, mm_error *e)
{
	for (size_t i = 0; i < n; i++)
		MMI_TRY(check_item(ck, &items[i], e));
	MMI_TRY(check_extra(ck, items, n, others, n_others, e));
	MMI_TRY(mmi_checkpoint_verify(ck, e));
	for (size_t i = 0; i < n; i++)
		MMI_TRY(check_range(ck, &items[i], e));
	for (size_t i = 0; i < n; i++)
		MMI_TRY(read_item(ck, &items[i], e));
	return MM_OK;
}

mm_status mmi_checkpoint_restore(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n, mm_error *e)
{
	return mmi_checkpoint_restore_part(ck, items, n, NULL, 0, e);
}

mm_status mmi_checkpoint_counter(const mmi_checkpoint *ck, const char *name, int64_t *value, mm_error *e)
{
	const mmi_tensor_item item = mmi_item_counter(name, value);

	MMI_TRY(check_item(ck, &item, e));
	MMI_TRY(check_range(ck, &item, e));
	return read_item(ck, &item, e);
}
