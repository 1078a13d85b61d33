/* render.c - a sample as a picture: 8-bit RGB for sheets, a PNG file for `mmcore sample`. */
#include "config.h"

#include "decode.h"

/* -1..1 to 0..255, rounded; outside values are clamped, NaN is black. */
static uint8_t to_byte(float x)
{
	if (!(x > -1.0f))
		return 0;
	return x >= 1.0f ? 255 : (uint8_t)((x + 1.0f) * 127.5f + 0.5f);
}

void img_to_floats(const uint8_t *rgb, size_t n, float *out)
{
	for (size_t k = 0; k < n; k++)
		out[k] = (float)rgb[k] / 127.5f - 1.0f;
}

static mm_status size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)e;
	*width = (uint32_t)i->fit.size;
	*height = (uint32_t)i->fit.size;
	return MM_OK;
}

static mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	const size_t side = (size_t)i->fit.size;
	(void)e;
	for (size_t y = 0; y < side; y++)
		for (size_t k = 0; k < side * 3; k++)
			rgb[y * stride + k] = to_byte(x[y * side * 3 + k]);
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
	uint8_t *rgb = com_alloc(i->host, (size_t)side * side, 3);
	if (!rgb)
		return com_no_memory(e, "a picture");
	mm_status status = draw(i, x, rgb, (size_t)side * 3, e);
	if (status == MM_OK)
		status = img_write_png(i->host, path, side, side, rgb, e);
	com_release(i->host, rgb);
	return status;
}
