/* tiles.c - samples as cells of a sheet. */
#include "mmi_build.h"

#include "trained/tiles.h"

mm_status mmi_tile_set(mmi_grid *g, size_t row, size_t column, const mmi_modality *m, const float *x, mm_error *e)
{
	uint32_t width, height;
	MMI_TRY(mmi_modality_picture_size(m, &width, &height, e));
	uint8_t *tile = mmi_alloc((size_t)width * height, 3);
	if (!tile)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a tile of %u x %u", width, height);
	mm_status status = mmi_modality_draw(m, x, tile, 3 * (size_t)width, e);
	if (status == MM_OK)
		status = mmi_grid_set(g, row, column, tile, width, height, 3 * (size_t)width, e);
	mmi_free(tile);
	return status;
}

mm_status mmi_tiles_set(mmi_grid *g, size_t row, size_t first, const mmi_modality *m, const float *x, size_t n,
                        mm_error *e)
{
	for (size_t i = 0; i < n; i++)
		MMI_TRY(mmi_tile_set(g, row, first + i, m, x + i * (size_t)m->count, e));
	return MM_OK;
}

mm_status mmi_tiles_drawable(const mmi_modality *modalities, size_t n, size_t *drawable, mm_error *e)
{
	*drawable = 0;
	for (size_t m = 0; m < n; m++)
		*drawable += modalities[m].picture != NULL;
	return *drawable ? MM_OK : mmi_fail(e, MM_EUNSUPPORTED, "no modality of this model can be shown as a picture");
}
