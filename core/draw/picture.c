/* picture.c - writing PNG files. */
#include "mmi_build.h"

#include "draw/picture.h"

#include "store/files.h"

#include <png.h>
#include <setjmp.h>

/* What libpng's callbacks reach: the file and the error to fill. */
typedef struct {
	mmi_atomic *file;
	const char *path;
	mm_error error;
} sink;

static void on_write(png_structp png, png_bytep data, size_t bytes)
{
	sink *s = png_get_io_ptr(png);
	if (mmi_atomic_write(s->file, data, bytes, &s->error) != MM_OK)
		png_error(png, "write failed");
}

static void on_flush(png_structp png)
{
	(void)png; /* the commit syncs */
}

static void on_error(png_structp png, png_const_charp message)
{
	sink *s = png_get_error_ptr(png);
	if (!s->error.code)
		mmi_fail(&s->error, MM_EINTERNAL, "cannot write %s: libpng: %s", s->path, message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message; /* about odd input that this file never produces */
}

/* Holds the only setjmp: nothing here changes between it and a jump back. */
static mm_status encode(png_structp png, png_infop info, sink *s, const uint8_t *rgb, uint32_t width, uint32_t height,
                        size_t stride)
{
	if (setjmp(png_jmpbuf(png)))
		return s->error.code;
	png_set_write_fn(png, s, on_write, on_flush);
	png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, rgb + y * stride);
	png_write_end(png, info);
	return MM_OK;
}

static mm_status write_png(sink *s, const uint8_t *rgb, uint32_t width, uint32_t height, size_t stride)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	mm_status status;

	if (info)
		status = encode(png, info, s, rgb, width, height, stride);
	else
		status = mmi_fail(&s->error, MM_ENOMEM, "%s: out of memory", s->path);
	png_destroy_write_struct(&png, &info);
	return status;
}

mm_status mmi_png_write(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height, size_t stride,
                        mm_error *e)
{
	sink s = { .path = path, .error = MM_ERROR_INIT };

	MMI_TRY(mmi_atomic_open(path, &s.file, e));
	mm_status status = write_png(&s, rgb, width, height, stride);
	if (status != MM_OK) {
		mmi_atomic_abort(s.file);
		return mmi_fail(e, status, "%s", s.error.message);
	}
	return mmi_atomic_commit(s.file, e);
}
