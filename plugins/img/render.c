/* render.c - a sample as a picture: 8-bit RGB for sheets, a PNG file for `mmcore sample`. */
#include "mmi_build.h"

#include "img.h"
#include "picture.h"

static mm_status size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)e;
	*width = (uint32_t)i->fit.size;
	*height = (uint32_t)i->fit.size;
	return MM_OK;
}

static mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	(void)e;
	mma_draw(x, i->fit.size, i->fit.size, 3, rgb, stride);
	return MM_OK;
}

const mm_modality_picture img_picture = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_picture, draw),
	.size = size,
	.draw = draw,
};

mm_status img_render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	const uint32_t side = (uint32_t)i->fit.size;
	uint8_t *rgb = mma_new(i->host, (size_t)side * side, 3);
	if (!rgb)
		return mma_no_memory(e, "a picture");
	mm_status status = draw(i, x, rgb, (size_t)side * 3, e);
	if (status == MM_OK)
		status = com_write_png(i->host, path, side, side, rgb, e);
	mma_free(i->host, rgb);
	return status;
}
