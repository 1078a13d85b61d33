/* winograd.h - how maps fall into the tiles of Winograd's convolutions: 3x3 with stride 1, and 4x4 with stride 2, which
 * is four of 2x2 with stride 1. */
#ifndef MMI_CPU_WINOGRAD_H
#define MMI_CPU_WINOGRAD_H

#include "backend/cpu/call.h"
#include "backend/cpu/winograd_points.h"

enum {
	MMI_WINO_LARGE_TILE = 7, /* outputs along an axis: with more, errors grow faster than products become fewer */
	MMI_WINO_SMALL_TILE = 4,
	MMI_WINO_LARGE_MAP = 256 /* outputs, in bfloat16 */
};

/* Such a convolution, of channels enough for products to be most of its work. */
bool mmi_wino_takes(const mmi_conv_shape *s);
/* Outputs of the larger of two sizes, at most `most`: as few tiles as there can be, as even as they can be. */
int32_t mmi_wino_size(int32_t outputs, int32_t most);
/* Points along each axis. Large tiles need fewer products and more of what there is of each point: weights, or sums of
 * gradients to them, which are read for every block of tiles, by which they lie in the third-level cache. Where those
 * would be many, tiles are large along one axis only or along none; false where they are many even so. */
bool mmi_wino_choose(int32_t rows, int32_t columns, int32_t taps, double bytes_a_point, int32_t *high, int32_t *wide);
/* The same where tiles and weights are rounded to bfloat16: tiles of 4 x 4 outputs, in small maps of 4 x 3; with 2 taps
 * of 5 x 4 or 4 x 4. Rounding shows most in the corners of tiles: single results of these are within two hundredths of
 * a map's largest, in large maps now and then 2.6. */
void mmi_wino_choose_bf16(int32_t rows, int32_t columns, int32_t taps, int32_t *high, int32_t *wide);
/* As many tiles of the smaller size as reach the end. */
mmi_wino_axis mmi_wino_axis_of(int32_t outputs, int32_t size);
/* Products along an axis of `outputs`, for tiles of so many points. */
int64_t mmi_wino_products(int32_t outputs, int32_t points, int32_t taps);
int64_t mmi_wino_tiles(const mmi_wino_job *j);

/* Block sizes: channels in equal parts, groups of few channels several at once, of at most j->together; about as many
 * tiles as fit a second-level cache, so that passes over what there is of each point are few. Returns floats of
 * scratch. width: floats in a vector; per_lane: numbers in the place of a float, 2 in bfloat16. */
size_t mmi_wino_blocks(mmi_wino_job *j, int32_t width, int32_t per_lane);

/* Where tiles lie in maps, without their sizes. A convolution: the parts of the source add up. */
void mmi_wino_forward(mmi_wino_job *j, const mmi_conv_shape *s);
/* A gradient to x: one part of the output. */
void mmi_wino_backward(mmi_wino_job *j, const mmi_conv_shape *s, int32_t part);

#endif
