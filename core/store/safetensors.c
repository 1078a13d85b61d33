/* safetensors.c - reading safetensors files that nobody vouches for. */
#include "mmi_build.h"

#include "store/safetensors.h"

#include "store/crc32.h"
#include "store/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data is little-endian and copied as it is"
#endif

enum {
	LENGTH_BYTES = 8,
	MAX_DEPTH = 3,        /* { tensor: { "shape": [ */
	MAX_VALUES = 4 << 20, /* bounds the parsed header's memory */
	CHUNK = 1 << 18,      /* bytes read at once: half of a small second-level cache, whole elements */
};
#define MAX_EXACT 9007199254740992.0 /* 2^53: JSON numbers are doubles */
#define METADATA "__metadata__"

static const struct {
	const char *name;
	size_t size;
} dtypes[MMI_DTYPES] = {
	[MMI_BOOL] = { "BOOL", 1 },       [MMI_U8] = { "U8", 1 },           [MMI_I8] = { "I8", 1 },
	[MMI_F8_E5M2] = { "F8_E5M2", 1 }, [MMI_F8_E4M3] = { "F8_E4M3", 1 }, [MMI_I16] = { "I16", 2 },
	[MMI_U16] = { "U16", 2 },         [MMI_F16] = { "F16", 2 },         [MMI_BF16] = { "BF16", 2 },
	[MMI_I32] = { "I32", 4 },         [MMI_U32] = { "U32", 4 },         [MMI_F32] = { "F32", 4 },
	[MMI_I64] = { "I64", 8 },         [MMI_U64] = { "U64", 8 },         [MMI_F64] = { "F64", 8 },
};

struct mmi_safetensors {
	char *path;
	int fd;                     /* or -1, and what would be in the file is at */
	const unsigned char *bytes; /* the caller's */
	uint64_t n_bytes, data_start, data_bytes;
	cJSON *root;             /* owns all names and texts */
	mmi_tensor_info *tensor; /* in the order of the data */
	size_t n;
	const mmi_tensor_info **by_name;
	mmi_text_pair *meta; /* sorted by key */
	size_t n_meta;
};

const char *mmi_dtype_name(mmi_dtype d)
{
	return dtypes[d].name;
}

size_t mmi_dtype_size(mmi_dtype d)
{
	return dtypes[d].size;
}

bool mmi_tensor_bytes(mmi_dtype d, uint32_t rank, const int64_t *dim, uint64_t *bytes)
{
	uint64_t total = mmi_dtype_size(d);

	for (uint32_t i = 0; i < rank; i++)
		if (dim[i] < 0 || __builtin_mul_overflow(total, (uint64_t)dim[i], &total))
			return false;
	*bytes = total;
	return true;
}

const char *mmi_tensor_shape_text(uint32_t rank, const int64_t *dim, char *text, size_t size)
{
	size_t used = 0;

	if (rank > MMI_TENSOR_MAX_RANK)
		rank = MMI_TENSOR_MAX_RANK;
	snprintf(text, size, "[");
	for (uint32_t i = 0; i < rank; i++) {
		used = strlen(text);
		snprintf(text + used, size - used, "%s%" PRId64, i ? ", " : "", dim[i]);
	}
	used = strlen(text);
	snprintf(text + used, size - used, "]");
	return text;
}

/* ---------------------------------------------------------------- messages */

/* A name from a file, short and printable. */
typedef struct {
	char text[100];
} shown_name;

static shown_name show(const char *name)
{
	shown_name s;
	size_t i = 0;

	for (; name[i] && i < sizeof s.text - 4; i++)
		s.text[i] = (unsigned char)name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
	snprintf(s.text + i, sizeof s.text - i, "%s", name[i] ? "..." : "");
	return s;
}

/* Prefixes the message in e with the tensor's name. */
static mm_status in_tensor(const char *name, mm_error *e)
{
	return mmi_fail_prefix(e, "tensor '%s'", show(name).text);
}

/* ---------------------------------------------------------------- the header as text */

static mm_status parse_header(const char *text, size_t bytes, cJSON **root, mm_error *e)
{
	if (text[0] != '{')
		return mmi_fail(e, MM_EFORMAT, "header starts with byte 0x%02x, expected '{': this is not a safetensors file",
		                (unsigned char)text[0]);
	return mmi_json_parse(text, bytes, "header", MAX_DEPTH, MAX_VALUES, root, e);
}

/* ---------------------------------------------------------------- one entry */

/* A whole number, 0 to 2^53. */
static mm_status get_count(const cJSON *value, const char *what, int64_t *out, mm_error *e)
{
	if (!cJSON_IsNumber(value))
		return mmi_fail(e, MM_EFORMAT, "%s is not a number", what);
	double d = value->valuedouble;
	if (!(d >= 0) || d > MAX_EXACT || floor(d) < d)
		return mmi_fail(e, MM_EFORMAT, "%s is %.17g, expected a whole number from 0 to 2^53", what, d);
	*out = (int64_t)d;
	return MM_OK;
}

static mm_status get_dtype(const cJSON *value, mmi_dtype *out, mm_error *e)
{
	if (!cJSON_IsString(value))
		return mmi_fail(e, MM_EFORMAT, "dtype is not a text");
	for (int i = 0; i < MMI_DTYPES; i++)
		if (!strcmp(value->valuestring, dtypes[i].name)) {
			*out = (mmi_dtype)i;
			return MM_OK;
		}
	return mmi_fail(e, MM_EFORMAT, "dtype '%s' is not known", show(value->valuestring).text);
}

static mm_status get_shape(const cJSON *value, mmi_tensor_info *t, mm_error *e)
{
	if (!cJSON_IsArray(value))
		return mmi_fail(e, MM_EFORMAT, "shape is not an array");
	for (const cJSON *d = value->child; d; d = d->next) {
		if (t->rank == MMI_TENSOR_MAX_RANK)
			return mmi_fail(e, MM_EFORMAT, "shape has %d dimensions, expected at most %d", cJSON_GetArraySize(value),
			                MMI_TENSOR_MAX_RANK);
		MMI_TRY(get_count(d, "a dimension", &t->dim[t->rank++], e));
	}
	return MM_OK;
}

static mm_status get_offsets(const cJSON *value, mmi_tensor_info *t, mm_error *e)
{
	int64_t begin, end;

	if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != 2)
		return mmi_fail(e, MM_EFORMAT, "data_offsets is not an array of two numbers");
	MMI_TRY(get_count(value->child, "the first of data_offsets", &begin, e));
	MMI_TRY(get_count(value->child->next, "the second of data_offsets", &end, e));
	if (end < begin)
		return mmi_fail(e, MM_EFORMAT, "data_offsets [%" PRId64 ", %" PRId64 "] end before they begin", begin, end);
	t->begin = (uint64_t)begin;
	t->end = (uint64_t)end;
	return MM_OK;
}

static mm_status get_member(const cJSON *object, const char *key, const cJSON **out, mm_error *e)
{
	*out = NULL;
	for (const cJSON *v = object->child; v; v = v->next)
		if (!strcmp(v->string, key)) {
			if (*out)
				return mmi_fail(e, MM_EFORMAT, "%s is given twice", key);
			*out = v;
		}
	return *out ? MM_OK : mmi_fail(e, MM_EFORMAT, "%s is missing", key);
}

static mm_status check_size(const mmi_tensor_info *t, uint64_t data_bytes, mm_error *e)
{
	char shape[256];
	uint64_t bytes;

	mmi_tensor_shape_text(t->rank, t->dim, shape, sizeof shape);
	if (!mmi_tensor_bytes(t->dtype, t->rank, t->dim, &bytes))
		return mmi_fail(e, MM_EFORMAT, "shape %s overflows", shape);
	if (bytes != t->end - t->begin)
		return mmi_fail(e, MM_EFORMAT,
		                "%s %s needs %" PRIu64 " bytes, but data_offsets [%" PRIu64 ", %" PRIu64 "] hold %" PRIu64,
		                mmi_dtype_name(t->dtype), shape, bytes, t->begin, t->end, t->end - t->begin);
	if (t->end > data_bytes)
		return mmi_fail(e, MM_EFORMAT,
		                "data_offsets [%" PRIu64 ", %" PRIu64 "] reach beyond the file, which holds %" PRIu64
		                " bytes of data: it is damaged or cut off",
		                t->begin, t->end, data_bytes);
	return MM_OK;
}

static mm_status parse_tensor(const cJSON *entry, uint64_t data_bytes, mmi_tensor_info *t, mm_error *e)
{
	const cJSON *dtype, *shape, *offsets;

	t->name = entry->string;
	if (!cJSON_IsObject(entry))
		return mmi_fail(e, MM_EFORMAT, "entry is not an object");
	MMI_TRY(get_member(entry, "dtype", &dtype, e));
	MMI_TRY(get_member(entry, "shape", &shape, e));
	MMI_TRY(get_member(entry, "data_offsets", &offsets, e));
	MMI_TRY(get_dtype(dtype, &t->dtype, e));
	MMI_TRY(get_shape(shape, t, e));
	MMI_TRY(get_offsets(offsets, t, e));
	return check_size(t, data_bytes, e);
}

/* ---------------------------------------------------------------- all entries */

static int compare_pairs(const void *a, const void *b)
{
	const mmi_text_pair *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static mm_status parse_metadata(mmi_safetensors *s, const cJSON *object, mm_error *e)
{
	if (!cJSON_IsObject(object))
		return mmi_fail(e, MM_EFORMAT, METADATA " is not an object");
	if (s->meta)
		return mmi_fail(e, MM_EFORMAT, METADATA " is given twice");
	s->meta = mmi_alloc((size_t)cJSON_GetArraySize(object), sizeof *s->meta);
	if (!s->meta)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	for (const cJSON *v = object->child; v; v = v->next) {
		if (!cJSON_IsString(v))
			return mmi_fail(e, MM_EFORMAT, METADATA " '%s' is not a text", show(v->string).text);
		s->meta[s->n_meta++] = (mmi_text_pair){ v->string, v->valuestring };
	}
	qsort(s->meta, s->n_meta, sizeof *s->meta, compare_pairs);
	for (size_t i = 1; i < s->n_meta; i++)
		if (!strcmp(s->meta[i - 1].key, s->meta[i].key))
			return mmi_fail(e, MM_EFORMAT, METADATA " '%s' is given twice", show(s->meta[i].key).text);
	return MM_OK;
}

static mm_status parse_entries(mmi_safetensors *s, mm_error *e)
{
	size_t entries = (size_t)cJSON_GetArraySize(s->root);

	s->tensor = mmi_alloc(entries, sizeof *s->tensor);
	s->by_name = mmi_alloc(entries, sizeof *s->by_name);
	if (!s->tensor || !s->by_name)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	for (const cJSON *entry = s->root->child; entry; entry = entry->next) {
		if (!strcmp(entry->string, METADATA)) {
			MMI_TRY(parse_metadata(s, entry, e));
		} else {
			mmi_tensor_info *t = &s->tensor[s->n++];
			if (parse_tensor(entry, s->data_bytes, t, e) != MM_OK)
				return in_tensor(t->name, e);
		}
	}
	return MM_OK;
}

static int compare_offsets(const void *a, const void *b)
{
	const mmi_tensor_info *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return strcmp(x->name, y->name); /* empty tensors at one place */
}

/* The tensors must fill the data without overlap or gap, so that nothing hides in the file. */
static mm_status check_layout(const mmi_safetensors *s, mm_error *e)
{
	uint64_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		const mmi_tensor_info *t = &s->tensor[i];
		if (t->begin != at) {
			mmi_fail(e, MM_EFORMAT, "data begins at byte %" PRIu64 ", expected %" PRIu64 ": %s '%s'", t->begin, at,
			         t->begin < at ? "it overlaps"
			         : i           ? "a gap after"
			                       : "a gap before",
			         show(i ? s->tensor[i - 1].name : t->name).text);
			return in_tensor(t->name, e);
		}
		at = t->end;
	}
	if (at != s->data_bytes)
		return mmi_fail(e, MM_EFORMAT, "%" PRIu64 " bytes of data, but the tensors take %" PRIu64, s->data_bytes, at);
	return MM_OK;
}

static int compare_names(const void *a, const void *b)
{
	const mmi_tensor_info *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static mm_status index_names(mmi_safetensors *s, mm_error *e)
{
	for (size_t i = 0; i < s->n; i++)
		s->by_name[i] = &s->tensor[i];
	qsort(s->by_name, s->n, sizeof *s->by_name, compare_names);
	for (size_t i = 1; i < s->n; i++)
		if (!compare_names(&s->by_name[i - 1], &s->by_name[i]))
			return mmi_fail(e, MM_EFORMAT, "tensor '%s' is given twice", show(s->by_name[i]->name).text);
	return MM_OK;
}

/* ---------------------------------------------------------------- the file */

static mm_status read_at(const mmi_safetensors *s, void *out, size_t bytes, uint64_t offset, mm_error *e)
{
	char *at = out;

	if (s->bytes) { /* header and layout have been checked against their number */
		memcpy(out, s->bytes + offset, bytes);
		return MM_OK;
	}
	while (bytes) {
		ssize_t got = pread(s->fd, at, bytes, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mmi_fail(e, mmi_errno_status(errno), "cannot read %zu bytes at %" PRIu64 ": %s", bytes, offset,
			                strerror(errno));
		if (!got)
			return mmi_fail(e, MM_EIO, "ends at byte %" PRIu64 ", %zu bytes early: it changed while open", offset,
			                bytes);
		at += got;
		offset += (uint64_t)got;
		bytes -= (size_t)got;
	}
	return MM_OK;
}

static mm_status open_file(mmi_safetensors *s, mm_error *e)
{
	struct stat st;

	s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0 || fstat(s->fd, &st))
		return mmi_fail(e, mmi_errno_status(errno), "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mmi_fail(e, MM_EFORMAT, "not a regular file");
	s->n_bytes = (uint64_t)st.st_size;
	return MM_OK;
}

static mm_status header_length(const mmi_safetensors *s, uint64_t *length, mm_error *e)
{
	const uint64_t size = s->n_bytes;

	if (size < LENGTH_BYTES + 2)
		return mmi_fail(e, MM_EFORMAT, "%" PRIu64 " bytes, expected at least %d: not a safetensors file, or cut off",
		                size, LENGTH_BYTES + 2);
	MMI_TRY(read_at(s, length, LENGTH_BYTES, 0, e));
	if (*length > MMI_SAFETENSORS_MAX_HEADER)
		return mmi_fail(e, MM_EFORMAT,
		                "not a safetensors file: its first 8 bytes would be the length of a header, %" PRIu64
		                ", expected at most %u",
		                *length, MMI_SAFETENSORS_MAX_HEADER);
	if (*length < 2 || *length > size - LENGTH_BYTES)
		return mmi_fail(e, MM_EFORMAT,
		                "header of %" PRIu64 " bytes, expected 2 to %" PRIu64 " in a file of %" PRIu64
		                ": it is damaged or cut off",
		                *length, size - LENGTH_BYTES, size);
	return MM_OK;
}

static mm_status read_header(mmi_safetensors *s, mm_error *e)
{
	uint64_t length = 0;

	MMI_TRY(header_length(s, &length, e));
	s->data_start = LENGTH_BYTES + length;
	s->data_bytes = s->n_bytes - s->data_start;
	char *text = mmi_alloc((size_t)length, 1);
	if (!text)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a header of %" PRIu64 " bytes", length);
	mm_status status = read_at(s, text, (size_t)length, LENGTH_BYTES, e);
	if (status == MM_OK)
		status = parse_header(text, (size_t)length, &s->root, e);
	mmi_free(text);
	return status;
}

static mm_status load(mmi_safetensors *s, mm_error *e)
{
	if (!s->bytes)
		MMI_TRY(open_file(s, e));
	MMI_TRY(read_header(s, e));
	MMI_TRY(parse_entries(s, e));
	qsort(s->tensor, s->n, sizeof *s->tensor, compare_offsets);
	MMI_TRY(index_names(s, e));
	return check_layout(s, e);
}

/* bytes NULL: those of the file at path. */
static mm_status open_any(const char *path, const void *bytes, size_t n_bytes, mmi_safetensors **out, mm_error *e)
{
	mmi_safetensors *s = mmi_alloc(1, sizeof *s);
	char *copy = mmi_strdup(path);

	if (!s || !copy) {
		mmi_free(s);
		mmi_free(copy);
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	}
	*s = (mmi_safetensors){ .path = copy, .fd = -1, .bytes = bytes, .n_bytes = n_bytes };
	mm_status status = load(s, e);
	if (status != MM_OK) {
		mmi_fail_prefix(e, "%s", path);
		mmi_safetensors_close(s);
		return status;
	}
	*out = s;
	return MM_OK;
}

mm_status mmi_safetensors_open(const char *path, mmi_safetensors **out, mm_error *e)
{
	return open_any(path, NULL, 0, out, e);
}

mm_status mmi_safetensors_open_memory(const char *name, const void *bytes, size_t n_bytes, mmi_safetensors **out,
                                      mm_error *e)
{
	return open_any(name, bytes ? bytes : "", n_bytes, out, e);
}

void mmi_safetensors_close(mmi_safetensors *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	cJSON_Delete(s->root);
	mmi_free(s->tensor);
	mmi_free(s->by_name);
	mmi_free(s->meta);
	mmi_free(s->path);
	mmi_free(s);
}

const char *mmi_safetensors_path(const mmi_safetensors *s)
{
	return s->path;
}

size_t mmi_safetensors_count(const mmi_safetensors *s)
{
	return s->n;
}

const mmi_tensor_info *mmi_safetensors_at(const mmi_safetensors *s, size_t i)
{
	return &s->tensor[i];
}

const mmi_tensor_info *mmi_safetensors_find(const mmi_safetensors *s, const char *name)
{
	const mmi_tensor_info key = { .name = name }, *wanted = &key;
	const mmi_tensor_info *const *found = bsearch(&wanted, s->by_name, s->n, sizeof *s->by_name, compare_names);
	return found ? *found : NULL;
}

size_t mmi_safetensors_meta_count(const mmi_safetensors *s)
{
	return s->n_meta;
}

mmi_text_pair mmi_safetensors_meta_at(const mmi_safetensors *s, size_t i)
{
	return s->meta[i];
}

const char *mmi_safetensors_meta(const mmi_safetensors *s, const char *key)
{
	const mmi_text_pair wanted = { key, NULL };
	const mmi_text_pair *found =
		s->n_meta ? bsearch(&wanted, s->meta, s->n_meta, sizeof *s->meta, compare_pairs) : NULL;
	return found ? found->value : NULL;
}

mm_status mmi_safetensors_read(const mmi_safetensors *s, const mmi_tensor_info *t, void *out, size_t bytes, mm_error *e)
{
	if (bytes != t->end - t->begin)
		return mmi_fail(e, MM_EARG, "%s: tensor '%s': room for %zu bytes, but it has %" PRIu64, s->path,
		                show(t->name).text, bytes, t->end - t->begin);
	mm_status status = read_at(s, out, bytes, s->data_start + t->begin, e);
	if (status != MM_OK) {
		in_tensor(t->name, e);
		mmi_fail_prefix(e, "%s", s->path);
	}
	return status;
}

/* ---------------------------------------------------------------- all data, once */

typedef struct data_walk {
	const mmi_safetensors *file;
	const mmi_safetensors_visit *visit;
	unsigned char *chunk;
	uint32_t tensors, data; /* checksums of all tensors, and of the data as a whole */
	bool whole;             /* the latter is wanted */
} data_walk;

/* Where the bytes are, having been put where they are wanted. Whole elements want to be aligned. */
static mm_status take_bytes(const data_walk *w, unsigned char *to, uint64_t at, size_t bytes, const unsigned char **out,
                            mm_error *e)
{
	const mmi_safetensors *s = w->file;
	const unsigned char *there = s->bytes ? s->bytes + s->data_start + at : NULL;
	if (there && !to && (uintptr_t)there % 8 == 0) {
		*out = there;
		return MM_OK;
	}
	*out = to ? to : w->chunk;
	return read_at(s, to ? to : w->chunk, bytes, s->data_start + at, e);
}

/* In pieces that stay in the cache until all was done with them. */
static mm_status walk_tensor(data_walk *w, const mmi_tensor_info *t, mm_error *e)
{
	const mmi_safetensors_visit *v = w->visit;
	unsigned char *to = v->place ? v->place(v->ctx, t) : NULL;
	const unsigned char *here;
	uint32_t crc = mmi_crc32(0, t->name, strlen(t->name) + 1);
	for (uint64_t at = t->begin; at < t->end;) {
		const size_t bytes = t->end - at < CHUNK ? (size_t)(t->end - at) : CHUNK;
		MMI_TRY(take_bytes(w, to ? to + (at - t->begin) : NULL, at, bytes, &here, e));
		crc = mmi_crc32(crc, here, bytes);
		if (w->whole)
			w->data = mmi_crc32(w->data, here, bytes);
		if (v->look)
			v->look(v->ctx, t, at - t->begin, here, bytes);
		at += bytes;
	}
	w->tensors ^= crc;
	return MM_OK;
}

static mm_status compare(uint32_t found, const char *stored, mm_error *e)
{
	char text[16];
	snprintf(text, sizeof text, "%08" PRIx32, found);
	if (!strcmp(text, stored))
		return MM_OK;
	return mmi_fail(e, MM_EFORMAT, "the data has checksum %s, expected %s: it is damaged", text, show(stored).text);
}

static mm_status walk_all(data_walk *w, mm_error *e)
{
	const char *stored = mmi_safetensors_meta(w->file, MMI_SAFETENSORS_CRC);
	const char *old = mmi_safetensors_meta(w->file, MMI_SAFETENSORS_CRC_OLD);
	w->whole = !stored && old;
	for (size_t i = 0; i < w->file->n; i++)
		MMI_TRY(walk_tensor(w, &w->file->tensor[i], e));
	if (stored)
		return compare(w->tensors, stored, e);
	return old ? compare(w->data, old, e) : MM_OK;
}

mm_status mmi_safetensors_walk(const mmi_safetensors *s, const mmi_safetensors_visit *visit, mm_error *e)
{
	data_walk w = { .file = s, .visit = visit, .chunk = mmi_alloc(CHUNK, 1) };
	mm_status status = w.chunk ? walk_all(&w, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(w.chunk);
	if (status != MM_OK)
		mmi_fail_prefix(e, "%s", s->path);
	return status;
}
