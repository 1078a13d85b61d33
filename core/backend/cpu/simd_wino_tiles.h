/* simd_wino_tiles.h - the tiles of Winograd's convolutions, and their way to the points. The last point along an axis
 * is for the last output alone: tiles with one output fewer, which fill what is left of a map, do without. */
#ifndef MMI_CPU_SIMD_WINO_TILES_H
#define MMI_CPU_SIMD_WINO_TILES_H

#include "backend/cpu/simd_element.h"
#include "backend/cpu/simd_points.h"
#include "backend/cpu/simd_table.h"

/* X(points) for each number of points along an axis; X(points, taps) for each size of tile, from MIN_SIZE outputs on.
 */
#if MMI_PAIRS
#define SPANS(X) X(5) X(6)
#define TWO_TAPS(X) X(5, 2) X(6, 2)
#define THREE_TAPS(X) X(5, 3) X(6, 3)
#define MIN_SPAN 5
#define MIN_SIZE(taps) (6 - (taps))
#else
#define SPANS(X) X(4) X(5) X(6) X(7) X(8) X(9)
#define TWO_TAPS(X) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2)
#define THREE_TAPS(X) X(5, 3) X(6, 3) X(7, 3) X(8, 3) X(9, 3)
#define MIN_SPAN 4
#define MIN_SIZE(taps) 3
#endif
#define BOTH_TAPS(X) TWO_TAPS(X) THREE_TAPS(X)
/* [taps - 2][size - MIN_SIZE] */
#define BY_TAPS(X)        \
	{                     \
		{ TWO_TAPS(X) },  \
		{                 \
			THREE_TAPS(X) \
		}                 \
	}

/* Tiles are numbered by their height and width, so that those that have a point lie side by side: the last one down the
 * rows is in kinds 0 and 1, that along the columns in 1 and 2. */
enum { N_KINDS = 4 };

/* The tiles of one kind in a sample: their first output, the outputs from one to the next, how many there are. */
typedef struct wino_grid {
	int32_t y, x, high, wide, rows, columns;
} wino_grid;

/* Where one block's buffers lie in its scratch. A tile keeps its points together. */
typedef struct wino_layout {
	int64_t v_row, v_plane, v_group; /* transformed input [tile][point][group][channel] */
	int64_t m_row, m_plane;          /* products [tile][point][column] */
	element *v;
	float *m;
	int32_t high, wide, points; /* along an axis; of a tile */
	wino_grid grid[N_KINDS];
	int64_t start[N_KINDS + 1]; /* the numbers of a kind's tiles */
} wino_layout;

/* Tiles of one kind that follow each other. */
typedef struct wino_run {
	const wino_grid *grid;
	int64_t first;     /* of the kind's tiles */
	int32_t at, count; /* in the block */
} wino_run;

MMI_INLINE int64_t whole_vectors(int64_t n)
{
	return (n + W - 1) / W * W;
}

static bool is_tall(int kind)
{
	return kind < 2;
}

static bool is_broad(int kind)
{
	return kind == 1 || kind == 2;
}

static wino_grid grid_of(const mmi_wino_job *j, int kind)
{
	const bool tall = is_tall(kind), broad = is_broad(kind);
	return (wino_grid){ .y = tall ? 0 : j->y.size * j->y.full,
		                .x = broad ? 0 : j->x.size * j->x.full,
		                .high = tall ? j->y.size : j->y.size - 1,
		                .wide = broad ? j->x.size : j->x.size - 1,
		                .rows = tall ? j->y.full : j->y.less,
		                .columns = broad ? j->x.full : j->x.less };
}

static void number_tiles(const mmi_wino_job *j, wino_layout *l)
{
	for (int k = 0; k < N_KINDS; k++) {
		const wino_grid g = grid_of(j, k);
		l->grid[k] = g;
		l->start[k + 1] = l->start[k] + j->n * g.rows * g.columns;
	}
}

static wino_layout layout_of(const mmi_wino_job *j)
{
	wino_layout l = { .high = j->y.size + j->taps - 1, .wide = j->x.size + j->taps - 1 };
	l.points = l.high * l.wide;
	l.v_group = whole_vectors(j->c_block);
	l.v_plane = j->together * l.v_group;
	l.v_row = PER_LANE * mmi_wino_row(l.points, l.v_plane / PER_LANE);
	l.m_plane = whole_vectors(j->cols);
	l.m_row = mmi_wino_row(l.points, l.m_plane);
	l.v = (void *)j->scratch;
	l.m = j->scratch + j->max_tiles * l.v_row / PER_LANE;
	number_tiles(j, &l);
	return l;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The tiles with numbers from .. to - 1 that the block has: the first one's place in it, and their number. */
static int block_part(const mmi_wino_job *j, int64_t from, int64_t to, int64_t *first)
{
	const int64_t end = smaller(to, j->first_tile + j->n_tiles);
	*first = larger(from, j->first_tile) - j->first_tile;
	return (int)larger(end - j->first_tile - *first, 0);
}

/* The tiles of the block that have a point: the last one down the rows is for tall ones, that along the columns for
 * broad ones. */
static int point_part(const mmi_wino_job *j, const wino_layout *l, bool last_row, bool last_column, int64_t *first)
{
	return block_part(j, l->start[last_column ? 1 : 0], l->start[last_row ? 2 : last_column ? 3 : 4], first);
}

static wino_run run_of(const mmi_wino_job *j, const wino_layout *l, int kind)
{
	int64_t at;
	const int count = block_part(j, l->start[kind], l->start[kind + 1], &at);
	return (wino_run){ &l->grid[kind], j->first_tile + at - l->start[kind], (int32_t)at, count };
}

/* First output row and column of a tile, and its sample. */
typedef struct position {
	int64_t sample;
	int32_t y, x;
} position;

static position position_of(const wino_run *r)
{
	const wino_grid *g = r->grid;
	const int64_t row = r->first / g->columns;
	return (position){ row / g->rows, g->y + (int32_t)(row % g->rows) * g->high,
		               g->x + (int32_t)(r->first % g->columns) * g->wide };
}

/* That of the tile behind. */
MMI_INLINE void advance(const wino_grid *g, position *at)
{
	at->x += g->wide;
	if (at->x < g->x + g->wide * g->columns)
		return;
	at->x = g->x;
	at->y += g->high;
	if (at->y < g->y + g->high * g->rows)
		return;
	at->y = g->y;
	at->sample++;
}

/* The pixels that a tile reads: rows and columns outside the map are ones inside, with a mask of zeros. */
typedef struct window {
	const float *row[MAX_SPAN];
	int64_t column[MAX_SPAN];
	int32_t row_mask[MAX_SPAN], column_mask[MAX_SPAN];
	int32_t rows, columns;
	bool inside;
} window;

/* Pixel i along an axis of `size`, or the nearest one with a mask of zeros. */
MMI_INLINE int32_t clamped(int32_t i, int32_t size, int32_t *mask)
{
	*mask = i >= 0 && i < size ? -1 : 0;
	return i < 0 ? 0 : i < size ? i : size - 1;
}

static void window_of(const mmi_wino_job *j, const wino_grid *g, int group, position at, window *w)
{
	const int32_t y0 = j->group[group].y + at.y * j->src_step, x0 = j->group[group].x + at.x * j->src_step;
	const float *sample = j->src + at.sample * j->h * j->w * j->c;
	w->rows = g->high + j->taps - 1;
	w->columns = g->wide + j->taps - 1;
	w->inside =
		y0 >= 0 && x0 >= 0 && y0 + (w->rows - 1) * j->src_step < j->h && x0 + (w->columns - 1) * j->src_step < j->w;
	for (int y = 0; y < w->rows; y++)
		w->row[y] = sample + (int64_t)clamped(y0 + y * j->src_step, j->h, &w->row_mask[y]) * j->w * j->c;
	for (int x = 0; x < w->columns; x++)
		w->column[x] = (int64_t)clamped(x0 + x * j->src_step, j->w, &w->column_mask[x]) * j->c;
}

/* W channels of `n` pixels of a row, and a look at those of the next tile, which brings them closer. */
MMI_INLINE void load_row(const int n, const bool inside, const window *w, const window *next, int y, int64_t c,
                         vf d[MAX_SPAN])
{
	const float *row = w->row[y] + c, *ahead = next->row[y] + c;
	MMI_UNROLL
	for (int x = 0; x < n; x++) {
		d[x] = load(row + w->column[x]);
		if (!inside)
			d[x] = (vf)((vi)d[x] & w->column_mask[x]);
		__builtin_prefetch(ahead + next->column[x]);
	}
}

MMI_INLINE void clear_row(const int n, vf half[MAX_SPAN])
{
	MMI_UNROLL
	for (int x = 0; x < n; x++)
		half[x] = splat(0.0f);
}

/* W channels of a tile's pixels to points along each row. */
MMI_INLINE void rows_in(const int points, const bool last, const bool inside, const window *w, const window *next,
                        int64_t c, vf half[MAX_SPAN][MAX_SPAN])
{
	const int columns = last ? points : points - 1;
	for (int y = 0; y < w->rows; y++) {
		vf d[MAX_SPAN];
		if (!inside && !w->row_mask[y]) {
			clear_row(columns, half[y]);
			continue;
		}
		load_row(columns, inside, w, next, y, c, d);
		transform_in(points, last, d, half[y]);
	}
}

/* And along each column. */
MMI_INLINE void columns_in(const int points, const bool last, int columns, const vf half[MAX_SPAN][MAX_SPAN],
                           element *v, int64_t plane, int64_t row)
{
	const int rows = last ? points : points - 1;
	for (int x = 0; x < columns; x++, v += plane) {
		vf d[MAX_SPAN], out[MAX_SPAN];
		MMI_UNROLL
		for (int y = 0; y < rows; y++)
			d[y] = half[y][x];
		transform_in(points, last, d, out);
		MMI_UNROLL
		for (int y = 0; y < rows; y++)
			STORE_ELEMENTS(v + y * row, out[y]);
	}
}

typedef void (*rows_in_fn)(const window *w, const window *next, int64_t c, vf half[MAX_SPAN][MAX_SPAN]);
typedef void (*columns_in_fn)(int columns, const vf half[MAX_SPAN][MAX_SPAN], element *v, int64_t plane, int64_t row);

#define AXIS_IN(points, last)                                                                                          \
	static void rows_in_##points##_##last(const window *w, const window *next, int64_t c, vf half[MAX_SPAN][MAX_SPAN]) \
	{                                                                                                                  \
		if (w->inside)                                                                                                 \
			rows_in(points, last, true, w, next, c, half);                                                             \
		else                                                                                                           \
			rows_in(points, last, false, w, next, c, half);                                                            \
	}                                                                                                                  \
	static void columns_in_##points##_##last(int columns, const vf half[MAX_SPAN][MAX_SPAN], element *v,               \
	                                         int64_t plane, int64_t row)                                               \
	{                                                                                                                  \
		columns_in(points, last, columns, half, v, plane, row);                                                        \
	}
#define BOTH_IN(points) AXIS_IN(points, 0) AXIS_IN(points, 1)
#define ROWS_IN(points) { rows_in_##points##_0, rows_in_##points##_1 },
#define COLUMNS_IN(points) { columns_in_##points##_0, columns_in_##points##_1 },
SPANS(BOTH_IN)
static const rows_in_fn rows_in_table[][2] = { SPANS(ROWS_IN) };
static const columns_in_fn columns_in_table[][2] = { SPANS(COLUMNS_IN) };

/* The last channels of a tile, copied to `pixels` as a window that has whole vectors of them. */
static void copy_window(const window *from, int64_t c, int lanes, float *pixels, window *w)
{
	*w = *from;
	for (int y = 0; y < from->rows; y++, pixels += from->columns * W) {
		w->row[y] = pixels;
		for (int x = 0; x < from->columns; x++)
			store(pixels + x * W, load_part(from->row[y] + from->column[x] + c, lanes));
	}
	for (int x = 0; x < from->columns; x++)
		w->column[x] = (int64_t)x * W;
}

/* Channels c0..c0+count-1 of a run of tiles, the first one's to `to`. */
static void gather_run(const mmi_wino_job *j, const wino_layout *l, const wino_run *r, rows_in_fn along_rows,
                       columns_in_fn along_columns, int columns, int group, int c0, int count, element *to)
{
	vf half[MAX_SPAN][MAX_SPAN];
	float pixels[MAX_SPAN * MAX_SPAN * W];
	window windows[2], last;
	position at = position_of(r);
	window_of(j, r->grid, group, at, &windows[0]);
	for (int t = 0; t < r->count; t++) {
		const window *w = &windows[t % 2], *next = w;
		if (t + 1 < r->count) {
			next = &windows[(t + 1) % 2];
			advance(r->grid, &at);
			window_of(j, r->grid, group, at, &windows[(t + 1) % 2]);
		}
		element *v = to + (r->at + t) * l->v_row;
		for (int c = 0; c < count; c += W) {
			int64_t from = c0 + c;
			if (count - c < W) {
				copy_window(w, from, count - c, pixels, &last);
				w = next = &last;
				from = 0;
			}
			along_rows(w, next, from, half);
			along_columns(columns, (const vf(*)[MAX_SPAN])half, v + c, l->v_plane, l->wide * l->v_plane);
		}
	}
}

/* Of a group, to the place of the i-th one. */
static inline void gather(const mmi_wino_job *j, const wino_layout *l, int group, int i, int c0, int count)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			gather_run(j, l, &r, rows_in_table[l->wide - MIN_SPAN][is_broad(kind)],
			           columns_in_table[l->high - MIN_SPAN][is_tall(kind)], l->wide - !is_broad(kind), group, c0, count,
			           l->v + i * l->v_group);
	}
}

#endif
