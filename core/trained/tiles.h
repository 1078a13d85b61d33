/* tiles.h - samples of modalities as cells of a sheet. */
#ifndef MMI_TILES_H
#define MMI_TILES_H

#include "plugin/modality.h"
#include "draw/picture.h"

/* One sample into a cell. The modality must be one that can be drawn (m->picture). */
mm_status mmi_tile_set(mmi_grid *g, size_t row, size_t column, const mmi_modality *m, const float *x, mm_error *e);
/* Samples of a row from column `first` on: x [n][floats]. */
mm_status mmi_tiles_set(mmi_grid *g, size_t row, size_t first, const mmi_modality *m, const float *x, size_t n,
                        mm_error *e);
/* How many modalities can be drawn; MM_EUNSUPPORTED when none can. */
mm_status mmi_tiles_drawable(const mmi_modality *modalities, size_t n, size_t *drawable, mm_error *e);

#endif
