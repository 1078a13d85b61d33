/* safetensors_write.c - writing safetensors files. */
#include "mmi_build.h"

#include "store/safetensors.h"

#include "store/crc32.h"
#include "store/files.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An item in the order of the file. */
typedef struct {
	const mmi_tensor_item *item;
	size_t position; /* the caller's */
	uint64_t begin, end;
} placed;

static int compare_placed(const void *a, const void *b)
{
	const placed *x = a, *y = b;
	size_t wide_x = mmi_dtype_size(x->item->dtype), wide_y = mmi_dtype_size(y->item->dtype);

	if (wide_x != wide_y)
		return wide_x > wide_y ? -1 : 1;
	return x->position < y->position ? -1 : 1;
}

static int compare_placed_names(const void *a, const void *b)
{
	const placed *x = a, *y = b;
	return strcmp(x->item->name, y->item->name);
}

static mm_status check_names(placed *p, size_t n, mm_error *e)
{
	qsort(p, n, sizeof *p, compare_placed_names);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(p[i].item->name, "__metadata__"))
			return mmi_fail(e, MM_EARG, "a tensor cannot be called '__metadata__'");
		if (i && !strcmp(p[i - 1].item->name, p[i].item->name))
			return mmi_fail(e, MM_EARG, "two tensors are called '%s'", p[i].item->name);
	}
	return MM_OK;
}

/* Order and offsets. */
static mm_status place(const mmi_tensor_item *items, size_t n, placed *p, mm_error *e)
{
	uint64_t at = 0, bytes;

	for (size_t i = 0; i < n; i++)
		p[i] = (placed){ .item = &items[i], .position = i };
	MMI_TRY(check_names(p, n, e));
	qsort(p, n, sizeof *p, compare_placed);
	for (size_t i = 0; i < n; i++) {
		const mmi_tensor_item *t = p[i].item;
		if (t->rank > MMI_TENSOR_MAX_RANK || !mmi_tensor_bytes(t->dtype, t->rank, t->dim, &bytes))
			return mmi_fail(e, MM_EARG, "tensor '%s' has an impossible shape", t->name);
		p[i].begin = at;
		p[i].end = at + bytes;
		at += bytes;
	}
	return MM_OK;
}

static uint32_t crc_of(const placed *p, size_t n)
{
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++) {
		const mmi_tensor_item *t = p[i].item;
		const uint32_t crc = mmi_crc32(0, t->name, strlen(t->name) + 1);
		all ^= mmi_crc32(crc, t->data, (size_t)(p[i].end - p[i].begin));
	}
	return all;
}

static bool add_metadata(cJSON *root, const mmi_text_pair *meta, size_t n_meta, uint32_t crc)
{
	char digits[16];
	cJSON *object = cJSON_AddObjectToObject(root, "__metadata__");
	bool ok = object;

	for (size_t i = 0; i < n_meta && ok; i++)
		ok = cJSON_AddStringToObject(object, meta[i].key, meta[i].value);
	snprintf(digits, sizeof digits, "%08" PRIx32, crc);
	return ok && cJSON_AddStringToObject(object, MMI_SAFETENSORS_CRC, digits);
}

/* Numbers go in as raw text: cJSON would print large ones with an exponent, which other readers refuse. */
static bool add_tensor(cJSON *root, const placed *p)
{
	char shape[256], offsets[64];
	const mmi_tensor_item *t = p->item;
	cJSON *object = cJSON_AddObjectToObject(root, t->name);

	mmi_tensor_shape_text(t->rank, t->dim, shape, sizeof shape);
	snprintf(offsets, sizeof offsets, "[%" PRIu64 ",%" PRIu64 "]", p->begin, p->end);
	return object && cJSON_AddStringToObject(object, "dtype", mmi_dtype_name(t->dtype)) &&
	       cJSON_AddRawToObject(object, "shape", shape) && cJSON_AddRawToObject(object, "data_offsets", offsets);
}

static char *header_text(const placed *p, size_t n, const mmi_text_pair *meta, size_t n_meta)
{
	cJSON *root = cJSON_CreateObject();
	bool ok = root && add_metadata(root, meta, n_meta, crc_of(p, n));

	for (size_t i = 0; i < n && ok; i++)
		ok = add_tensor(root, &p[i]);
	char *text = ok ? cJSON_PrintUnformatted(root) : NULL;
	cJSON_Delete(root);
	return text;
}

/* Length, header, and spaces so that the data starts on a multiple of 8. */
static mm_status write_header(mmi_atomic *f, const char *text, mm_error *e)
{
	size_t bytes = strlen(text);
	size_t padding = (8 - bytes % 8) % 8;
	uint64_t length = bytes + padding;

	if (length > MMI_SAFETENSORS_MAX_HEADER)
		return mmi_fail(e, MM_EARG, "a header of %" PRIu64 " bytes, the format allows %u", length,
		                MMI_SAFETENSORS_MAX_HEADER);
	MMI_TRY(mmi_atomic_write(f, &length, sizeof length, e));
	MMI_TRY(mmi_atomic_write(f, text, bytes, e));
	return mmi_atomic_write(f, "       ", padding, e);
}

static mm_status write_file(const char *path, const char *header, const placed *p, size_t n, mm_error *e)
{
	mmi_atomic *f;

	MMI_TRY(mmi_atomic_open(path, &f, e));
	mm_status status = write_header(f, header, e);
	for (size_t i = 0; i < n && status == MM_OK; i++)
		status = mmi_atomic_write(f, p[i].item->data, (size_t)(p[i].end - p[i].begin), e);
	if (status != MM_OK) {
		mmi_atomic_abort(f);
		return status;
	}
	return mmi_atomic_commit(f, e);
}

mm_status mmi_safetensors_write(const char *path, const mmi_tensor_item *items, size_t n, const mmi_text_pair *meta,
                                size_t n_meta, mm_error *e)
{
	placed *p = mmi_alloc(n, sizeof *p);

	if (!p)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	mm_status status = place(items, n, p, e);
	if (status != MM_OK) {
		mmi_fail_prefix(e, "cannot write %s", path);
		mmi_free(p);
		return status;
	}
	char *header = header_text(p, n, meta, n_meta);
	status = header ? write_file(path, header, p, n, e) : mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	cJSON_free(header);
	mmi_free(p);
	return status;
}
