/* picture.c - pictures as bytes, samples and PNG files. */
#include "mmi_build.h"

#include "picture.h"

#include <png.h>

void com_samples(const uint8_t *rgb, size_t n, float *out)
{
	for (size_t k = 0; k < n; k++)
		out[k] = (float)rgb[k] / 127.5f - 1.0f;
}

mm_status com_write_png(const mma_host *h, const char *path, uint32_t width, uint32_t height, const uint8_t *rgb,
                        mm_error *e)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB };
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	void *bytes = mma_new(h, size, 1);
	if (!bytes)
		return mma_no_memory(e, path);
	mm_status status = png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL)
	                       ? com_write_file(h, path, bytes, size, e)
	                       : mma_fail(e, MM_EINTERNAL, "%s: cannot be encoded: %s", path, image.message);
	mma_free(h, bytes);
	return status;
}
