/* safetensors.h - files of named tensors in the safetensors format: 8 bytes of little-endian header length, a JSON
 * header (name -> dtype, shape, data_offsets; __metadata__ with strings), then the data. Python's safetensors package
 * reads what is written here, and the other way round.
 *
 * The reader trusts nothing: whatever is wrong with a file is an error that names the file, the tensor, what was found
 * and what was expected. Memory use is bounded by the file's own size. */
#ifndef MMI_SAFETENSORS_H
#define MMI_SAFETENSORS_H

#include "base/base.h"

#define MMI_TENSOR_MAX_RANK 8
#define MMI_SAFETENSORS_MAX_HEADER 100000000u /* bytes, the limit of the format's own library */
/* Of all tensors, whatever their order: programs that rewrite a file sort them their own way. The exclusive or, over
 * the tensors, of the CRC-32 of the name (with its end) and the data. Files of mmcore 0.1 have one CRC-32 of all data.
 */
#define MMI_SAFETENSORS_CRC "mmcore.crc32.tensors"
#define MMI_SAFETENSORS_CRC_OLD "mmcore.crc32"

typedef enum {
	MMI_BOOL,
	MMI_U8,
	MMI_I8,
	MMI_F8_E5M2,
	MMI_F8_E4M3,
	MMI_I16,
	MMI_U16,
	MMI_F16,
	MMI_BF16,
	MMI_I32,
	MMI_U32,
	MMI_F32,
	MMI_I64,
	MMI_U64,
	MMI_F64,
	MMI_DTYPES
} mmi_dtype;

const char *mmi_dtype_name(mmi_dtype d); /* "F32" */
size_t mmi_dtype_size(mmi_dtype d);      /* bytes of one element */

/* A tensor in memory: what is written, or where a restored one goes. */
typedef struct mmi_tensor_item {
	const char *name;
	mmi_dtype dtype;
	uint32_t rank; /* 0: a scalar */
	int64_t dim[MMI_TENSOR_MAX_RANK];
	void *data;      /* only read when writing */
	double min, max; /* what a restored number may be; both 0: anything (mmi_item_within) */
} mmi_tensor_item;

/* Bytes of a tensor; false when a dim is negative or the product overflows. */
bool mmi_tensor_bytes(mmi_dtype d, uint32_t rank, const int64_t *dim, uint64_t *bytes);
/* "[3, 3, 16]" into text; returns text. */
const char *mmi_tensor_shape_text(uint32_t rank, const int64_t *dim, char *text, size_t size);

typedef struct mmi_text_pair {
	const char *key, *value;
} mmi_text_pair;

/* Replaces `path` atomically (files.h). Tensors of wide elements come first so that all are aligned; otherwise the
 * caller's order is kept. The metadata gets a checksum under MMI_SAFETENSORS_CRC. */
mm_status mmi_safetensors_write(const char *path, const mmi_tensor_item *items, size_t n, const mmi_text_pair *meta,
                                size_t n_meta, mm_error *e);

/* A tensor in a file. */
typedef struct mmi_tensor_info {
	const char *name;
	mmi_dtype dtype;
	uint32_t rank;
	int64_t dim[MMI_TENSOR_MAX_RANK];
	uint64_t begin, end; /* bytes from the start of the data */
} mmi_tensor_info;

typedef struct mmi_safetensors mmi_safetensors;

/* Reads and checks the header, and that the data behind it is exactly as long as it says. The file stays open. */
mm_status mmi_safetensors_open(const char *path, mmi_safetensors **out, mm_error *e);
/* The same of a file's contents in memory, which is only read and must stay until close. `name` is for messages. */
mm_status mmi_safetensors_open_memory(const char *name, const void *bytes, size_t n_bytes, mmi_safetensors **out,
                                      mm_error *e);
void mmi_safetensors_close(mmi_safetensors *s);
const char *mmi_safetensors_path(const mmi_safetensors *s);
size_t mmi_safetensors_count(const mmi_safetensors *s);
const mmi_tensor_info *mmi_safetensors_at(const mmi_safetensors *s, size_t i);           /* in the order of the data */
const mmi_tensor_info *mmi_safetensors_find(const mmi_safetensors *s, const char *name); /* NULL: none */
size_t mmi_safetensors_meta_count(const mmi_safetensors *s);
mmi_text_pair mmi_safetensors_meta_at(const mmi_safetensors *s, size_t i);
const char *mmi_safetensors_meta(const mmi_safetensors *s, const char *key); /* NULL: none */
/* Copies a tensor's data; `bytes` must be its size. */
mm_status mmi_safetensors_read(const mmi_safetensors *s, const mmi_tensor_info *t, void *out, size_t bytes,
                               mm_error *e);
/* What becomes of data that is read once, in the order of the file. */
typedef struct mmi_safetensors_visit {
	void *ctx;
	/* Where a tensor's data goes, as many bytes as it has; NULL: nowhere. May be NULL: all of it goes nowhere. */
	void *(*place)(void *ctx, const mmi_tensor_info *t);
	/* Some of a tensor's data, from its byte `at` on, in whole elements. May be NULL. */
	void (*look)(void *ctx, const mmi_tensor_info *t, uint64_t at, const void *data, size_t bytes);
} mmi_safetensors_visit;
/* Reads all data against the checksum in the metadata; files of other writers have none and pass. What it was read for
 * is not to be trusted when this fails. */
mm_status mmi_safetensors_walk(const mmi_safetensors *s, const mmi_safetensors_visit *visit, mm_error *e);

#endif
