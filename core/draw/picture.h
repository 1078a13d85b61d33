/* picture.h - PNG files and labelled grids of tiles. */
#ifndef MMI_PICTURE_H
#define MMI_PICTURE_H

#include "base/base.h"

/* 8-bit RGB, row y at rgb + y * stride bytes. Replaces `path` atomically. */
mm_status mmi_png_write(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height, size_t stride,
                        mm_error *e);

/* A sheet of tiles with a title, headings over columns, labels at the left of rows, and groups of rows under a heading
 * of their own. Empty cells stay white. Text is ASCII; other bytes show as a box. */
typedef struct mmi_grid mmi_grid;

mm_status mmi_grid_create(size_t rows, size_t columns, mmi_grid **out, mm_error *e);
void mmi_grid_destroy(mmi_grid *g);
/* Pixels a tile is enlarged to, by the largest whole factor that stays within (at least 1); 64 by default. */
void mmi_grid_cell(mmi_grid *g, uint32_t pixels);
mm_status mmi_grid_title(mmi_grid *g, const char *text, mm_error *e);
mm_status mmi_grid_row(mmi_grid *g, size_t row, const char *label, mm_error *e);
mm_status mmi_grid_column(mmi_grid *g, size_t column, const char *heading, mm_error *e);
/* A group of rows starts at `row`: a rule and a heading (NULL or "": the rule alone) above it. */
mm_status mmi_grid_group(mmi_grid *g, size_t row, const char *heading, mm_error *e);
/* A wider gap to the left of `column`, as between modalities side by side. */
mm_status mmi_grid_gap(mmi_grid *g, size_t column, mm_error *e);
/* Copies a tile into a cell. Tiles may differ in size; a smaller one is centred. */
mm_status mmi_grid_set(mmi_grid *g, size_t row, size_t column, const uint8_t *rgb, uint32_t width, uint32_t height,
                       size_t stride, mm_error *e);
/* The finished sheet: RGB, rows without padding; mmi_free. */
mm_status mmi_grid_draw(const mmi_grid *g, uint8_t **rgb, uint32_t *width, uint32_t *height, mm_error *e);
mm_status mmi_grid_write(const mmi_grid *g, const char *path, mm_error *e);

#endif
