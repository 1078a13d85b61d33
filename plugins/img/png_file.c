/* png_file.c - PNG through libpng's simplified interface, which neither exits nor jumps. */
#include "mmi_build.h"

#include "orient.h"
#include "picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that libpng tells is a text. */
static mm_status png_status(const png_image *image)
{
	return strstr(image->message, "memory") ? MM_ENOMEM : MM_EFORMAT;
}

static mm_status read_pixels(png_image *image, const mma_host *h, const char *path, img_pixels *out, mm_error *e)
{
	static const png_color white = { 255, 255, 255 };
	img_pixels pixels;
	image->format = PNG_FORMAT_RGB;
	image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* else 16-bit files without gamma count as linear light */
	MMA_TRY(img_make_room(h, path, image->width, image->height, &pixels, e));
	if (!png_image_finish_read(image, &white, pixels.rgb, 0, NULL)) {
		mma_free(h, pixels.rgb);
		return mma_fail(e, png_status(image), "%s: damaged or truncated PNG picture: %s", path, image->message);
	}
	*out = pixels;
	return MM_OK;
}

/* Of the chunk eXIf, which libpng's simplified interface passes over. The checksum is not looked at: a chunk that is
 * damaged turns nothing that is worth an error. */
static int find_orientation(FILE *file)
{
	uint8_t head[8], exif[1 << 12];
	if (fseek(file, sizeof(head), SEEK_SET)) /* behind the signature */
		return 1;
	while (fread(head, 1, sizeof(head), file) == sizeof(head) && memcmp(head + 4, "IEND", 4)) {
		uint32_t length = png_get_uint_32(head);
		if (!memcmp(head + 4, "eXIf", 4))
			return img_exif_orientation(exif, fread(exif, 1, length < sizeof(exif) ? length : sizeof(exif), file));
		if (length > PNG_UINT_31_MAX || fseek(file, (long)length + 4, SEEK_CUR))
			return 1;
	}
	return 1;
}

mm_status img_decode_png(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out, mm_error *e)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	const int orientation = find_orientation(file);
	(void)wanted;
	MMA_TRY(com_png_check(path, file, e));
	if (!png_image_begin_read_from_stdio(&image, file))
		return mma_fail(e, png_status(&image), "%s: not a readable PNG picture: %s", path, image.message);
	mm_status status = read_pixels(&image, h, path, out, e);
	png_image_free(&image);
	if (status == MM_OK)
		out->orientation = orientation;
	return status;
}
