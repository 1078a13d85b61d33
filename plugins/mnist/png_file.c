/* png_file.c - reads PNG through libpng's simplified interface, which neither exits nor jumps. */
#include "mmi_build.h"

#include "kinds.h"
#include "png_file.h"

#include "picture.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

#define MAX_PIXELS (64u << 20)

typedef struct reader {
	FILE *file;
	png_image image;
	const char *path;
} reader;

static mm_status begin_png(reader *r, mm_error *e)
{
	uint8_t start[COM_KIND_BYTES];
	const char *kind = com_kind(start, fread(start, 1, sizeof(start), r->file));
	MMA_TRY(com_png_check(r->path, r->file, e)); /* and back to the start */
	if (png_image_begin_read_from_stdio(&r->image, r->file))
		return MM_OK;
	if (kind && strcmp(kind, "a PNG picture"))
		return mma_fail(e, MM_EFORMAT, "%s: not a readable PNG picture, but %s", r->path, kind);
	return mma_fail(e, MM_EFORMAT, "%s: not a readable PNG picture: %s", r->path, r->image.message);
}

static mm_status begin(reader *r, const char *path, mm_error *e)
{
	memset(r, 0, sizeof(*r));
	r->image.version = PNG_IMAGE_VERSION;
	r->path = path;
	r->file = fopen(path, "rb");
	if (!r->file)
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	mm_status status = begin_png(r, e);
	if (status != MM_OK) {
		fclose(r->file);
		return status;
	}
	r->image.format = PNG_FORMAT_RGB;
	r->image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* else 16-bit files without gamma count as linear light */
	return MM_OK;
}

static void end(reader *r)
{
	png_image_free(&r->image);
	fclose(r->file);
}

static mm_status decode(reader *r, uint8_t *rgb, mm_error *e)
{
	static const png_color white = { 255, 255, 255 };
	if (!png_image_finish_read(&r->image, &white, rgb, 0, NULL))
		return mma_fail(e, MM_EFORMAT, "%s: damaged or truncated PNG picture: %s", r->path, r->image.message);
	return MM_OK;
}

static mm_status load_opened(const mnist_plugin *p, reader *r, mnist_image *out, mm_error *e)
{
	uint32_t width = r->image.width, height = r->image.height;
	if (width < MNIST_SIDE || height < MNIST_SIDE)
		return mma_fail(e, MM_EFORMAT, "%s: %u x %u pixels; a background needs at least %d x %d", r->path,
		                (unsigned)width, (unsigned)height, MNIST_SIDE, MNIST_SIDE);
	if ((uint64_t)width * height > MAX_PIXELS)
		return mma_fail(e, MM_EFORMAT, "%s: %u x %u pixels; a background has at most %u million, scale it down",
		                r->path, (unsigned)width, (unsigned)height, MAX_PIXELS >> 20);
	uint8_t *rgb = mma_new(&p->host, (size_t)width * height, 3);
	if (!rgb)
		return mma_no_memory(e, "a background");
	mm_status status = decode(r, rgb, e);
	if (status != MM_OK) {
		mma_free(&p->host, rgb);
		return status;
	}
	*out = (mnist_image){ width, height, rgb };
	return MM_OK;
}

mm_status mnist_png_load(const mnist_plugin *p, const char *path, mnist_image *out, mm_error *e)
{
	reader r;
	mm_status status = begin(&r, path, e);
	if (status != MM_OK)
		return status;
	status = load_opened(p, &r, out, e);
	end(&r);
	return status;
}

mm_status mnist_png_read(const char *path, uint32_t width, uint32_t height, uint8_t *rgb, mm_error *e)
{
	reader r;
	mm_status status = begin(&r, path, e);
	if (status != MM_OK)
		return status;
	if (r.image.width != width || r.image.height != height)
		status = mma_fail(e, MM_EFORMAT, "%s: %u x %u pixels, expected %u x %u", path, (unsigned)r.image.width,
		                  (unsigned)r.image.height, (unsigned)width, (unsigned)height);
	else
		status = decode(&r, rgb, e);
	end(&r);
	return status;
}
