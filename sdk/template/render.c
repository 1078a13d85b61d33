/* render.c - a sample as a file, from a file, and on sheets. The file is PGM: a header in text, then a byte a pixel. */
#include "modality.h"

mm_status render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	(void)i;
	return mma_pnm_write(path, x, SIDE, SIDE, 1, e);
}

/* The file may be anything: take no more than a sample needs, and nothing that is none. */
mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	(void)i;
	return mma_pnm_read(path, out, SIDE, SIDE, 1, e);
}

mm_status picture_size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)i, (void)e;
	*width = *height = SIDE;
	return MM_OK;
}

mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	(void)i, (void)e;
	mma_draw(x, SIDE, SIDE, 1, rgb, stride);
	return MM_OK;
}
