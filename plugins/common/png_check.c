/* png_check.c - what a PNG file asks for against what it has. */
#include "mmi_build.h"

#include "picture.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

enum { SIGNATURE = 8, HEAD = 8 /* of a chunk: length and name */, CHECKSUM = 4 };

static mm_status unreadable(const char *path, mm_error *e)
{
	return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
}

static mm_status check_chunks(const char *path, FILE *file, uint64_t size, mm_error *e)
{
	uint8_t head[HEAD];
	if (fread(head, 1, SIGNATURE, file) != SIGNATURE || png_sig_cmp(head, 0, SIGNATURE))
		return MM_OK; /* libpng says what it is instead */
	for (uint64_t at = SIGNATURE; at + HEAD <= size;) {
		if (fseek(file, (long)at, SEEK_SET) || fread(head, 1, HEAD, file) != HEAD)
			return unreadable(path, e);
		const uint64_t length = png_get_uint_32(head), left = size - at - HEAD;
		if (length + CHECKSUM > left)
			return mma_fail(e, MM_EFORMAT,
			                "%s: damaged or truncated PNG picture: a chunk of %llu bytes where the file has %llu more",
			                path, (unsigned long long)length, (unsigned long long)left);
		at += HEAD + length + CHECKSUM;
	}
	return MM_OK;
}

mm_status com_png_check(const char *path, void *file, mm_error *e)
{
	if (fseek(file, 0, SEEK_END))
		return unreadable(path, e);
	const long size = ftell(file);
	rewind(file);
	mm_status status = size < 0 ? unreadable(path, e) : check_chunks(path, file, (uint64_t)size, e);
	rewind(file);
	return status;
}
