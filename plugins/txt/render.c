/* render.c - a sample as text: a line in a file for `mmcore sample`, small letters in sheets. */
#include "mmi_build.h"

#include "txt.h"

#include <string.h>

enum { TILE_WIDTH = 120, TILE_HEIGHT = 64, MARGIN = 2 };

static mm_status decode(const mm_instance *i, const float *x, char **text, mm_error *e)
{
	uint32_t *ids = mma_new(i->host, (size_t)i->length, sizeof(*ids));
	if (!ids)
		return mma_no_memory(e, "a caption");
	txt_nearest(i, x, ids);
	*text = txt_decode(i, ids);
	mma_free(i->host, ids);
	return *text ? MM_OK : mma_no_memory(e, "a caption");
}

mm_status txt_render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	char *text;
	MMA_TRY(decode(i, x, &text, e));
	size_t length = strlen(text);
	text[length] = '\n'; /* in place of the NUL: the block is zero behind it and one larger than any caption */
	mm_status status = com_write_file(i->host, path, text, length + 1, e);
	mma_free(i->host, text);
	return status;
}

/* ---------------------------------------------------------------- letters */

static mm_status size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)i, (void)e;
	*width = TILE_WIDTH;
	*height = TILE_HEIGHT;
	return MM_OK;
}

/* The bytes of the next line of at most `most` letters; *skip: with the blank after them. Breaks at a blank if there is
 * one. */
static size_t line_length(const char *text, size_t most, size_t *skip)
{
	size_t n = strlen(text), at = most;
	*skip = n;
	if (n <= most)
		return n;
	while (at > 0 && text[at] != ' ')
		at--;
	*skip = at ? at + 1 : most;
	return at ? at : most;
}

static mm_status draw_lines(const mm_instance *i, const char *text, uint8_t *rgb, size_t stride, mm_error *e)
{
	static const uint8_t ink[3] = { 30, 30, 30 };
	const mm_host_text *font = i->plugin->text;
	const size_t most = (TILE_WIDTH - 2 * MARGIN) / font->advance;
	const int32_t down = (int32_t)font->height + 1;
	char line[TILE_WIDTH + 1];
	size_t skip;
	for (int32_t y = MARGIN; *text && y + down <= TILE_HEIGHT; y += down, text += skip) {
		size_t n = line_length(text, most < TILE_WIDTH ? most : TILE_WIDTH, &skip);
		memcpy(line, text, n);
		line[n] = 0;
		MMA_TRY(font->draw(i->host->api->host, rgb, TILE_WIDTH, TILE_HEIGHT, stride, MARGIN, y, line, 1, ink, e));
	}
	return MM_OK;
}

static mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	char *text;
	if (!i->plugin->text)
		return mma_fail(e, MM_EUNSUPPORTED,
		                "this host lacks the service " MM_HOST_TEXT ", without which captions cannot be drawn");
	MMA_TRY(decode(i, x, &text, e));
	for (size_t y = 0; y < TILE_HEIGHT; y++)
		memset(rgb + y * stride, 255, TILE_WIDTH * 3);
	mm_status status = draw_lines(i, text, rgb, stride, e);
	mma_free(i->host, text);
	return status;
}

const mm_modality_picture txt_picture = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_picture, draw),
	.size = size,
	.draw = draw,
};
