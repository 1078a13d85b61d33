/* npy.c - NumPy's .npy files, version 1.0: a text header padded to 64 bytes, then the values. */
#include "mmi_build.h"

#include "store/npy.h"
#include "store/files.h"

#include <stdio.h>
#include <string.h>

struct mmi_npy {
	mmi_atomic *file;
	char *path;
	uint64_t rows, values, written; /* values: of a row */
};

/* "(100, 28, 28, 3)", as Python writes a tuple: a comma behind a single number. */
static void print_shape(uint64_t rows, const mm_shape *row, char *out, size_t size)
{
	int used = snprintf(out, size, "(%llu%s", (unsigned long long)rows, row->rank ? "" : ",");
	for (uint32_t i = 0; i < row->rank; i++)
		used += snprintf(out + used, size - (size_t)used, ", %d", row->dim[i]);
	snprintf(out + used, size - (size_t)used, ")");
}

/* Both types have four bytes; the machine is little-endian, as is the format's '<'. */
static size_t header(mmi_npy_type type, uint64_t rows, const mm_shape *row, unsigned char *out, size_t size)
{
	char shape[32 + 13 * MM_MAX_RANK];
	print_shape(rows, row, shape, sizeof shape);
	memset(out, ' ', size);
	memcpy(out, "\x93NUMPY\x01\x00", 8);
	int text = snprintf((char *)out + 10, size - 10, "{'descr': '<%s', 'fortran_order': False, 'shape': %s, }",
	                    type == MMI_NPY_F32 ? "f4" : "i4", shape);
	size_t length = (10 + (size_t)text + 1 + 63) / 64 * 64;
	out[10 + text] = ' ';
	out[length - 1] = '\n';
	out[8] = (unsigned char)((length - 10) & 0xFF);
	out[9] = (unsigned char)((length - 10) >> 8);
	return length;
}

static uint64_t count_values(const mm_shape *row)
{
	uint64_t n = 1;
	for (uint32_t i = 0; i < row->rank; i++)
		n *= (uint64_t)row->dim[i];
	return n;
}

mm_status mmi_npy_open(const char *path, mmi_npy_type type, uint64_t rows, const mm_shape *row, mmi_npy **out,
                       mm_error *e)
{
	static const mm_shape number = { .rank = 0 };
	unsigned char bytes[256];
	mmi_npy *f = mmi_alloc(1, sizeof *f);
	if (!f || !(f->path = mmi_strdup(path))) {
		mmi_free(f);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %s", path);
	}
	f->rows = rows;
	row = row ? row : &number;
	f->values = count_values(row);
	mm_status status = mmi_atomic_open(path, &f->file, e);
	if (status == MM_OK)
		status = mmi_atomic_write(f->file, bytes, header(type, rows, row, bytes, sizeof bytes), e);
	if (status == MM_OK)
		*out = f;
	else
		mmi_npy_abort(f);
	return status;
}

mm_status mmi_npy_write(mmi_npy *f, const void *values, uint64_t rows, mm_error *e)
{
	f->written += rows;
	return mmi_atomic_write(f->file, values, (size_t)(rows * f->values) * 4, e);
}

mm_status mmi_npy_commit(mmi_npy *f, mm_error *e)
{
	mm_status status;
	if (f->written == f->rows) {
		status = mmi_atomic_commit(f->file, e);
		f->file = NULL;
	} else {
		status = mmi_fail(e, MM_ESTATE, "%s: %llu rows were written of %llu", f->path, (unsigned long long)f->written,
		                  (unsigned long long)f->rows);
	}
	mmi_npy_abort(f);
	return status;
}

void mmi_npy_abort(mmi_npy *f)
{
	if (!f)
		return;
	mmi_atomic_abort(f->file);
	mmi_free(f->path);
	mmi_free(f);
}
