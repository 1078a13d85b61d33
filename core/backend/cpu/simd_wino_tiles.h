/* simd_wino_tiles.h - the tiles of Winograd's convolutions, and where they lie. The last point along an axis
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
	bool tall, broad;
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
	return (wino_run){ &l->grid[kind], j->first_tile + at - l->start[kind], (int32_t)at, count, is_tall(kind),
		               is_broad(kind) };
}

static void run_on(wino_run *r, int32_t count)
{
	r->first += count;
	r->at += count;
	r->count -= count;
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

/* Tiles are transformed by strips, so that columns which neighbours read are taken down once. With more columns less of
 * what is fetched ahead stays in a first-level cache; an odd number keeps a column's points in different sets of it. */
enum { STRIP_COLUMNS = 17 };
_Static_assert((int)MAX_SPAN <= (int)STRIP_COLUMNS, "a strip has room for a tile");

/* Half the way of a strip's pixels to points or of its products to outputs, [point or row][column]. */
typedef vf half_points[MAX_SPAN * STRIP_COLUMNS];

/* Of a run's tiles that lie in its first one's row as many as there can be. */
static int32_t tiles_aside(const mmi_wino_job *j, const wino_run *r)
{
	const int64_t left = r->grid->columns - r->first % r->grid->columns;
	return (int32_t)smaller(smaller(left, r->count), (STRIP_COLUMNS + 1 - j->taps) / r->grid->wide);
}

#endif
