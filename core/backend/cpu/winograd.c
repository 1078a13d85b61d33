/* winograd.c - how maps fall into the tiles of Winograd's convolutions. */
#include "mmi_build.h"

#include "backend/cpu/patch.h"
#include "backend/cpu/winograd.h"

enum {
	MIN_CHANNELS = 16,
	LEAST_TILE = 3,           /* outputs of the larger of two sizes */
	MOST_BYTES = 8000000,     /* of all points */
	CHANNEL_BLOCK = 320,      /* channels whose products are summed at a time, at most */
	GROUPS_FLOAT = 64,        /* the same of several groups in float32, whose tiles have more points */
	TILE_ROWS = 14,           /* of the largest register tile: blocks of fewer tiles would waste passes */
	BLOCK_FLOATS = 256 * 1024 /* transformed tiles and products of one block */
};

bool mmi_wino_takes(const mmi_conv_shape *s)
{
	const bool k3s1 = s->kh == 3 && s->kw == 3 && s->sh == 1 && s->sw == 1;
	const bool k4s2 = s->kh == 4 && s->kw == 4 && s->sh == 2 && s->sw == 2;
	return (k3s1 || k4s2) && s->ci >= MIN_CHANNELS && s->co >= MIN_CHANNELS;
}

int32_t mmi_wino_size(int32_t outputs, int32_t most)
{
	const int32_t tiles = (outputs + most - 1) / most, even = tiles ? (outputs + tiles - 1) / tiles : 0;
	return even < LEAST_TILE ? LEAST_TILE : even;
}

bool mmi_wino_choose(int32_t rows, int32_t columns, int32_t taps, double bytes_a_point, int32_t *high, int32_t *wide)
{
	for (int choice = 0; choice < 3; choice++) {
		*high = mmi_wino_size(rows, choice < 2 ? MMI_WINO_LARGE_TILE : MMI_WINO_SMALL_TILE) + taps - 1;
		*wide = mmi_wino_size(columns, choice < 1 ? MMI_WINO_LARGE_TILE : MMI_WINO_SMALL_TILE) + taps - 1;
		if (*high * *wide * bytes_a_point <= MOST_BYTES)
			return true;
	}
	return false;
}

void mmi_wino_choose_bf16(int32_t rows, int32_t columns, int32_t taps, int32_t *high, int32_t *wide)
{
	*high = taps == 2 && mmi_wino_size(rows, 5) < 5 ? 5 : 6;
	*wide = taps == 3 && rows * columns >= MMI_WINO_LARGE_MAP ? 6 : 5;
}

mmi_wino_axis mmi_wino_axis_of(int32_t outputs, int32_t size)
{
	const int32_t tiles = (outputs + size - 1) / size, over = tiles * size - outputs;
	const int32_t less = over < tiles ? over : tiles;
	return (mmi_wino_axis){ size, tiles - less, less };
}

int64_t mmi_wino_products(int32_t outputs, int32_t points, int32_t taps)
{
	const mmi_wino_axis a = mmi_wino_axis_of(outputs, points + 1 - taps);
	return a.full * points + a.less * (points - 1);
}

int64_t mmi_wino_tiles(const mmi_wino_job *j)
{
	return j->n * (j->y.full + j->y.less) * (j->x.full + j->x.less);
}

void mmi_wino_forward(mmi_wino_job *j, const mmi_conv_shape *s)
{
	*j = (mmi_wino_job){ .h = s->h,
		                 .w = s->w,
		                 .c = s->ci,
		                 .dst_h = s->oh,
		                 .dst_w = s->ow,
		                 .cols = s->co,
		                 .taps = s->kh / s->sh,
		                 .src_step = s->sh,
		                 .n_groups = s->sh * s->sw,
		                 .together = s->sh * s->sw,
		                 .dst_step = 1,
		                 .rows = s->oh,
		                 .columns = s->ow };
	for (int32_t part = 0; part < j->n_groups; part++) {
		j->group[part].y = part / s->sw - s->ph;
		j->group[part].x = part % s->sw - s->pw;
	}
}

void mmi_wino_backward(mmi_wino_job *j, const mmi_conv_shape *s, int32_t part)
{
	const mmi_axis y = mmi_backward_axis(s->kh, s->sh, s->ph, s->h, part / s->sw);
	const mmi_axis x = mmi_backward_axis(s->kw, s->sw, s->pw, s->w, part % s->sw);
	*j = (mmi_wino_job){ .h = s->oh,
		                 .w = s->ow,
		                 .c = s->co,
		                 .dst_h = s->h,
		                 .dst_w = s->w,
		                 .cols = s->ci,
		                 .taps = s->kh / s->sh,
		                 .src_step = 1,
		                 .n_groups = 1,
		                 .together = 1,
		                 .dst_step = s->sh,
		                 .dst_y = y.first_dst,
		                 .dst_x = x.first_dst,
		                 .rows = y.count,
		                 .columns = x.count };
	j->group[0].y = y.first_src;
	j->group[0].x = x.first_src;
}

size_t mmi_wino_blocks(mmi_wino_job *j, int32_t width, int32_t per_lane)
{
	const int32_t parts = (j->c + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK;
	const int64_t points = (int64_t)(j->y.size + j->taps - 1) * (j->x.size + j->taps - 1), n_tiles = mmi_wino_tiles(j);
	j->c_block = mmi_round_up((j->c + parts - 1) / parts, width * per_lane);
	while (j->together > 1 && j->together * j->c_block > (per_lane > 1 ? CHANNEL_BLOCK : GROUPS_FLOAT))
		j->together /= 2;
	const int64_t floats =
		mmi_wino_row(points, j->together * j->c_block / per_lane) + mmi_wino_row(points, mmi_round_up(j->cols, width));
	const int64_t fit = BLOCK_FLOATS / floats;
	const int64_t most = fit > TILE_ROWS ? fit / TILE_ROWS * TILE_ROWS : TILE_ROWS;
	const int64_t n_blocks = n_tiles > most ? (n_tiles + most / 2) / most : 1;
	j->max_tiles = n_tiles ? (int32_t)((n_tiles + n_blocks - 1) / n_blocks) : 1;
	return (size_t)(j->max_tiles * floats);
}
