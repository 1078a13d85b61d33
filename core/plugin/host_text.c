/* host_text.c - the sheets' font for plugins. */
#include "mmi_build.h"

#include "plugin/host.h"
#include "draw/text.h"

#include <string.h>

enum { SIDE_MAX = 1 << 14 };

static void copy_rows(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride, uint32_t width,
                      uint32_t height)
{
	for (size_t y = 0; y < height; y++)
		memcpy(to + y * to_stride, from + y * from_stride, 3 * (size_t)width);
}

/* The font draws on rows without padding: a picture with padding is drawn on a copy. */
static mm_status draw(mm_host *host, uint8_t *rgb, uint32_t width, uint32_t height, size_t stride, int32_t x, int32_t y,
                      const char *text, uint32_t scale, const uint8_t colour[3], mm_error *e)
{
	const size_t row = 3 * (size_t)width;
	(void)host;
	if (!rgb || !text || !colour || !width || !height || width > SIDE_MAX || height > SIDE_MAX || stride < row ||
	    !scale || scale > 64)
		return mmi_fail(e, MM_EARG,
		                MM_HOST_TEXT ": a picture of %u x %u with %zu bytes a row and scale %u; expected are 1 to %d "
		                             "pixels each way, rows of 3 bytes a pixel or more, and scale 1 to 64",
		                width, height, stride, scale, SIDE_MAX);
	if (stride == row) {
		mmi_text_draw(&(mmi_canvas){ rgb, width, height }, x, y, text, scale, colour);
		return MM_OK;
	}
	uint8_t *copy = mmi_alloc(height, row);
	if (!copy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a picture of %u x %u", width, height);
	copy_rows(copy, row, rgb, stride, width, height);
	mmi_text_draw(&(mmi_canvas){ copy, width, height }, x, y, text, scale, colour);
	copy_rows(rgb, stride, copy, row, width, height);
	mmi_free(copy);
	return MM_OK;
}

const mm_host_text mmi_host_text_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_text, draw),
	.advance = MMI_TEXT_ADVANCE,
	.height = MMI_TEXT_HEIGHT,
	.draw = draw,
};
