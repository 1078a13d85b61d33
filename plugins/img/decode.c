/* decode.c - which kind of picture a file is, and how large it may be. */
#include "mmi_build.h"

#include "decode.h"
#include "kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct format {
	const char *name;
	uint8_t magic[8];
	size_t length;
	mm_status (*decode)(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out, mm_error *e);
} format;

static const format formats[] = {
	{ "PNG", { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n' }, 8, img_decode_png },
	{ "JPEG", { 0xFF, 0xD8, 0xFF }, 3, img_decode_jpeg },
};

mm_status img_make_room(const mma_host *h, const char *path, uint32_t width, uint32_t height, img_pixels *out,
                        mm_error *e)
{
	if (!width || !height || width > IMG_SIDE_MAX || height > IMG_SIDE_MAX || (uint64_t)width * height > IMG_PIXELS_MAX)
		return mma_fail(e, MM_EFORMAT, "%s: %u x %u pixels; at most %u million and %u a side are read", path,
		                (unsigned)width, (unsigned)height, (unsigned)(IMG_PIXELS_MAX >> 20), IMG_SIDE_MAX);
	uint8_t *rgb = mma_new(h, (size_t)width * height, 3);
	if (!rgb)
		return mma_no_memory(e, path);
	*out = (img_pixels){ width, height, 1, rgb };
	return MM_OK;
}

static mm_status decode_open(const mma_host *h, const char *path, FILE *file, uint32_t wanted, img_pixels *out,
                             mm_error *e)
{
	uint8_t start[COM_KIND_BYTES] = { 0 };
	struct stat info;
	if (fstat(fileno(file), &info) || !S_ISREG(info.st_mode))
		return mma_fail(e, MM_EFORMAT, "%s: not a regular file", path);
	size_t n = fread(start, 1, sizeof(start), file);
	if (ferror(file) || fseek(file, 0, SEEK_SET))
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < MMA_COUNT(formats); i++)
		if (n >= formats[i].length && !memcmp(start, formats[i].magic, formats[i].length))
			return formats[i].decode(h, path, file, wanted, out, e);
	const char *kind = com_kind(start, n);
	if (kind)
		return mma_fail(e, MM_EFORMAT, "%s: %s; PNG and JPEG are read%s", path, kind,
		                strstr(kind, "picture") ? ": convert it (ImageMagick: magick FILE FILE.png)" : "");
	return mma_fail(e, MM_EFORMAT, "%s: %s; expected a PNG or JPEG picture", path,
	                n ? "begins like neither PNG nor JPEG" : "an empty file");
}

mm_status img_decode(const mma_host *h, const char *path, uint32_t wanted, img_pixels *out, mm_error *e)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	mm_status status = decode_open(h, path, file, wanted, out, e);
	fclose(file);
	return status;
}
