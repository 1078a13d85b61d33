/* png_file.c - PNG through libpng's simplified interface, which neither exits nor jumps. */
#include "mmi_build.h"

#include "decode.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mm_status read_pixels(png_image *image, const com_host *h, const char *path, img_pixels *out, mm_error *e)
{
	static const png_color white = { 255, 255, 255 };
	img_pixels pixels;
	image->format = PNG_FORMAT_RGB;
	image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* else 16-bit files without gamma count as linear light */
	COM_TRY(img_make_room(h, path, image->width, image->height, &pixels, e));
	if (!png_image_finish_read(image, &white, pixels.rgb, 0, NULL)) {
		com_release(h, pixels.rgb);
		return com_fail(e, MM_EFORMAT, "%s: damaged or truncated PNG picture: %s", path, image->message);
	}
	*out = pixels;
	return MM_OK;
}

mm_status img_decode_png(const com_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out, mm_error *e)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	(void)wanted;
	if (!png_image_begin_read_from_stdio(&image, file))
		return com_fail(e, MM_EFORMAT, "%s: not a readable PNG picture: %s", path, image.message);
	mm_status status = read_pixels(&image, h, path, out, e);
	png_image_free(&image);
	return status;
}
