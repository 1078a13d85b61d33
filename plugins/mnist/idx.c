/* idx.c - IDX files: 00 00 08 rank, then rank big-endian sizes, then bytes. */
#include "mmi_build.h"

#include "idx.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* Deflate cannot expand more than 1032 times, so a header that promises more than that lies: found before any memory is
 * taken for it. */
#define MAX_EXPANSION 1032u

static uint32_t big_endian(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static mm_status read_bytes(mnist_idx *f, void *out, size_t size, mm_error *e)
{
	uint8_t *to = out;
	while (size) {
		unsigned part = size > (1u << 20) ? 1u << 20 : (unsigned)size;
		int got = gzread(f->stream, to, part);
		int code = Z_OK;
		const char *why = got < 0 ? gzerror(f->stream, &code) : "";
		if (got < 0)
			return mma_fail(e, code == Z_ERRNO ? MM_EIO : MM_EFORMAT, "%s: cannot be read: %s", f->path,
			                code == Z_ERRNO ? strerror(errno) : why);
		if (!got)
			return mma_fail(e, MM_EFORMAT, "%s: truncated: ends %zu bytes early; copy or download it again", f->path,
			                size);
		to += got;
		size -= (size_t)got;
	}
	return MM_OK;
}

static mm_status check_header(mnist_idx *f, int kind, const uint8_t *header, mm_error *e)
{
	uint32_t magic = big_endian(header);
	uint32_t expected = 0x800u | (uint32_t)kind;
	if (magic != expected)
		return mma_fail(e, MM_EFORMAT, "%s: starts with 0x%08x, expected 0x%08x (IDX %s)", f->path, (unsigned)magic,
		                (unsigned)expected, kind == MNIST_IDX_IMAGES ? "images" : "labels");
	f->count = big_endian(header + 4);
	if (!f->count || f->count > MNIST_IDX_MAX)
		return mma_fail(e, MM_EFORMAT, "%s: the header announces %u items; 1 to %u are accepted", f->path,
		                (unsigned)f->count, MNIST_IDX_MAX);
	if (kind == MNIST_IDX_LABELS)
		return MM_OK;
	uint32_t rows = big_endian(header + 8), columns = big_endian(header + 12);
	if (rows != MNIST_SIDE || columns != MNIST_SIDE)
		return mma_fail(e, MM_EFORMAT, "%s: images are %u x %u, expected %d x %d", f->path, (unsigned)columns,
		                (unsigned)rows, MNIST_SIDE, MNIST_SIDE);
	return MM_OK;
}

static mm_status check_size(mnist_idx *f, uint64_t file_size, size_t header_size, mm_error *e)
{
	uint64_t promised = header_size + (uint64_t)f->count * f->item;
	uint64_t possible = gzdirect(f->stream) ? file_size : file_size * MAX_EXPANSION;
	if (promised > possible)
		return mma_fail(e, MM_EFORMAT,
		                "%s: the header announces %u items (%llu bytes), the file's %llu bytes cannot hold "
		                "them; truncated or damaged",
		                f->path, (unsigned)f->count, (unsigned long long)promised, (unsigned long long)file_size);
	return MM_OK;
}

static mm_status open_checked(mnist_idx *f, int kind, uint64_t file_size, mm_error *e)
{
	uint8_t header[16];
	size_t header_size = 4 + 4 * (size_t)kind;
	f->item = kind == MNIST_IDX_IMAGES ? MNIST_PIXELS : 1;
	mm_status status = read_bytes(f, header, header_size, e);
	if (status == MM_OK)
		status = check_header(f, kind, header, e);
	if (status == MM_OK)
		status = check_size(f, file_size, header_size, e);
	return status;
}

mm_status mnist_idx_open(mnist_idx *f, const char *path, int kind, mm_error *e)
{
	struct stat info;
	mnist_idx file = { .path = path };
	if (stat(path, &info))
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return mma_fail(e, MM_EIO, "%s: not a regular file", path);
	errno = 0;
	file.stream = gzopen(path, "rb");
	if (!file.stream)
		return mma_fail(e, errno ? MM_EIO : MM_ENOMEM, "%s: %s", path, errno ? strerror(errno) : "out of memory");
	gzbuffer(file.stream, 1u << 16);
	mm_status status = open_checked(&file, kind, (uint64_t)info.st_size, e);
	if (status != MM_OK) {
		mnist_idx_close(&file);
		return status;
	}
	*f = file;
	return MM_OK;
}

mm_status mnist_idx_read(mnist_idx *f, void *out, size_t n, mm_error *e)
{
	return read_bytes(f, out, n * f->item, e);
}

mm_status mnist_idx_finish(mnist_idx *f, mm_error *e)
{
	uint8_t extra;
	int got = gzread(f->stream, &extra, 1); /* reading past the end is what makes zlib compare the checksum */
	int code = Z_OK;
	const char *why = gzerror(f->stream, &code);
	if (got > 0)
		return mma_fail(e, MM_EFORMAT, "%s: data follows the %u items the header announces", f->path,
		                (unsigned)f->count);
	if (got < 0 || code == Z_BUF_ERROR)
		return mma_fail(e, MM_EFORMAT, "%s: damaged at its end: %s", f->path, why);
	return MM_OK;
}

void mnist_idx_close(mnist_idx *f)
{
	if (f->stream)
		gzclose(f->stream);
	f->stream = NULL;
}
