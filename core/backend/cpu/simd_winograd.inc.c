/* simd_winograd.inc.c - convolutions by Winograd's algorithm (Lavin and Gray 2016): input tiles and weights are
 * transformed, which turns the convolution into a matrix product for each of 16 to 81 points, with a fifth to a half of
 * the work. The last point along an axis is for the last output alone: tiles with one output fewer, which fill what is
 * left of a map, do without. */
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_points.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

/* X(points) for each number of points along an axis. */
#if MMI_PAIRS
#define SPANS(X) X(5) X(6)
#define MIN_SPAN 5
#else
#define SPANS(X) X(4) X(5) X(6) X(7) X(8) X(9)
#define MIN_SPAN 4
#endif

/* Tiles are numbered by their height and width, so that those that have a point lie side by side: the last one down the
 * rows is in kinds 0 and 1, that along the columns in 1 and 2. */
enum { N_KINDS = 4 };

/* The tiles of one kind in a sample: their first output, the outputs from one to the next, how many there are. */
typedef struct wino_grid {
	int32_t y, x, high, wide, rows, columns;
} wino_grid;

/* Where one block's buffers lie in its scratch. A tile keeps its points together. */
typedef struct wino_layout {
	int64_t v_row, v_plane; /* transformed input [tile][point][channel] */
	int64_t m_row, m_plane; /* products [tile][point][column] */
	element *v;
	float *m;
	int32_t high, wide, points; /* along an axis; of a tile */
	wino_grid grid[N_KINDS];
	int64_t start[N_KINDS + 1]; /* the numbers of a kind's tiles */
	int32_t row_off[TILE_ROWS]; /* of the tiles that are multiplied together */
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
	l.v_plane = whole_vectors(j->c_block);
	l.v_row = l.points * l.v_plane + 16 * PER_LANE; /* so that tiles start in different cache sets */
	l.m_plane = whole_vectors(j->cols);
	l.m_row = l.points * l.m_plane + 16;
	l.v = (void *)j->scratch;
	l.m = j->scratch + j->max_tiles * l.v_row / PER_LANE;
	number_tiles(j, &l);
	for (int r = 0; r < TILE_ROWS; r++)
		l.row_off[r] = (int32_t)(r * l.v_row);
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

/* ------------------------------------------------------------------ input */

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
	w->inside = y0 >= 0 && x0 >= 0 && y0 + (w->rows - 1) * j->src_step < j->h &&
	            x0 + (w->columns - 1) * j->src_step < j->w;
	for (int y = 0; y < w->rows; y++)
		w->row[y] = sample + (int64_t)clamped(y0 + y * j->src_step, j->h, &w->row_mask[y]) * j->w * j->c;
	for (int x = 0; x < w->columns; x++)
		w->column[x] = (int64_t)clamped(x0 + x * j->src_step, j->w, &w->column_mask[x]) * j->c;
}

/* W channels of a tile's pixels to points along each row. Brings the pixels of the next tile closer. */
MMI_INLINE void rows_in(const int points, const bool last, const bool inside, const window *w, const window *next,
                        int64_t c, vf half[MAX_SPAN][MAX_SPAN])
{
	const int columns = last ? points : points - 1;
	for (int y = 0; y < w->rows; y++) {
		const float *row = w->row[y] + c, *ahead = next->row[y] + c;
		vf d[MAX_SPAN];
		MMI_UNROLL
		for (int x = 0; x < columns; x++) {
			d[x] = load(row + w->column[x]);
			if (!inside)
				d[x] = (vf)((vi)d[x] & (w->row_mask[y] & w->column_mask[x]));
			__builtin_prefetch(ahead + next->column[x]);
		}
		transform_in(points, last, d, half[y]);
	}
}

/* And along each column. */
MMI_INLINE void columns_in(const int points, const bool last, int columns, const vf half[MAX_SPAN][MAX_SPAN], element *v,
                           int64_t plane, int64_t row)
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

#define AXIS_IN(points, last)                                                                               \
	static void rows_in_##points##_##last(const window *w, const window *next, int64_t c,                   \
	                                      vf half[MAX_SPAN][MAX_SPAN])                                      \
	{                                                                                                       \
		if (w->inside)                                                                                      \
			rows_in(points, last, true, w, next, c, half);                                                  \
		else                                                                                                \
			rows_in(points, last, false, w, next, c, half);                                                 \
	}                                                                                                       \
	static void columns_in_##points##_##last(int columns, const vf half[MAX_SPAN][MAX_SPAN], element *v,    \
	                                         int64_t plane, int64_t row)                                    \
	{                                                                                                       \
		columns_in(points, last, columns, half, v, plane, row);                                             \
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

/* Channels c0..c0+count-1 of a run of tiles. */
static void gather_run(const mmi_wino_job *j, const wino_layout *l, int kind, const wino_run *r, int group, int c0,
                       int count)
{
	const rows_in_fn along_rows = rows_in_table[l->wide - MIN_SPAN][is_broad(kind)];
	const columns_in_fn along_columns = columns_in_table[l->high - MIN_SPAN][is_tall(kind)];
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
		element *v = l->v + (r->at + t) * l->v_row;
		for (int c = 0; c < count; c += W) {
			int64_t from = c0 + c;
			if (count - c < W) {
				copy_window(w, from, count - c, pixels, &last);
				w = next = &last;
				from = 0;
			}
			along_rows(w, next, from, half);
			along_columns(w->columns, (const vf(*)[MAX_SPAN])half, v + c, l->v_plane, l->wide * l->v_plane);
		}
	}
}

static void gather(const mmi_wino_job *j, const wino_layout *l, int group, int c0, int count)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			gather_run(j, l, kind, &r, group, c0, count);
	}
}

/* ------------------------------------------------------------------ products */

/* The tiles of the block that have a point: the last one down the rows is for tall ones, that along the columns for
 * broad ones. */
typedef struct wino_part {
	int64_t at, n_tiles; /* of so many rows each, all but some of one row fewer */
	int count;
} wino_part;

static wino_part part_of(const mmi_wino_job *j, const wino_layout *l, bool tall, bool broad)
{
	wino_part p;
	p.count = block_part(j, l->start[broad ? 1 : 0], l->start[tall ? 2 : broad ? 3 : 4], &p.at);
	p.n_tiles = tile_count(p.count);
	return p;
}

/* u: the point's weights. The first products of a block start the sums. */
static void multiply_point(const mmi_wino_job *j, const wino_layout *l, const wino_part *part, int point,
                           const element *u, int c0, int count, bool first)
{
	tile t = { .a_off = l->row_off, .n_seg = 1, .seg_len = count, .c_stride = l->m_row, .end = first ? END_RAW : END_ADD };
	const int64_t channels = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE;
	for (int col = 0; col < l->m_plane; col += 2 * W) {
		const int nv = l->m_plane - col > W ? 2 : 1;
		t.b = u + (int64_t)col * channels + (int64_t)c0 * nv * W;
		t.a = l->v + part->at * l->v_row + point * l->v_plane;
		t.c = l->m + part->at * l->m_row + point * l->m_plane + col;
		for (int64_t i = 0; i < part->n_tiles; i++) {
			const int rows = tile_rows_of(part->count, part->n_tiles, i);
			tile_table[rows - 1][nv - 1](&t);
			t.a += rows * l->v_row;
			t.c += rows * l->m_row;
		}
	}
}

static void multiply_points(const mmi_wino_job *j, const wino_layout *l, const element *u, int64_t plane, int c0, int count,
                            bool first)
{
	const wino_part parts[2][2] = { { part_of(j, l, false, false), part_of(j, l, false, true) },
		                            { part_of(j, l, true, false), part_of(j, l, true, true) } };
	for (int y = 0; y < l->high; y++)
		for (int x = 0; x < l->wide; x++, u += plane) {
			const wino_part *part = &parts[y == l->high - 1][x == l->wide - 1];
			multiply_point(j, l, part, y * l->wide + x, u, c0, count, first);
		}
}

static void multiply_group(const mmi_wino_job *j, const wino_layout *l, int group)
{
	const int64_t plane = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE * l->m_plane;
	const element *u = (const element *)j->u + group * l->points * plane;
	for (int c0 = 0; c0 < j->c; c0 += j->c_block) {
		const int count = j->c - c0 < j->c_block ? j->c - c0 : j->c_block;
		gather(j, l, group, c0, count);
		multiply_points(j, l, u, plane, c0, count, group == 0 && c0 == 0);
	}
}

/* ------------------------------------------------------------------ output */

/* Where the outputs of a tile go: W columns of pixels first + y * row + x * column, of which so many are there. */
typedef struct outputs {
	int64_t first, row, column;
	int64_t ahead; /* from first to that of the next tile */
	int rows, columns, col;
} outputs;

/* W columns of the products of all points to outputs along each column. */
MMI_INLINE void columns_out(const int points, const int taps, const bool last, int columns, const float *m,
                            int64_t plane, int64_t row, vf half[MAX_SPAN][MAX_SPAN])
{
	const int rows = last ? points : points - 1;
	for (int x = 0; x < columns; x++, m += plane) {
		vf d[MAX_SPAN], y[MAX_SPAN];
		MMI_UNROLL
		for (int i = 0; i < rows; i++)
			d[i] = load(m + i * row);
		transform_out(points, taps, last, d, y);
		MMI_UNROLL
		for (int i = 0; i < rows - taps + 1; i++)
			half[i][x] = y[i];
	}
}

/* And along each row, stored as soon as they are there, at least `floor`. */
MMI_INLINE void rows_out(const int points, const int taps, const bool last, const vf half[MAX_SPAN][MAX_SPAN],
                         float *dst, const outputs *o, vf bias, vf floor, const float *mask)
{
	const int wide = points - taps + last;
	for (int i = 0; i < o->rows; i++) {
		vf out[MAX_SPAN];
		transform_out(points, taps, last, half[i], out);
		MMI_UNROLL
		for (int x = 0; x < wide; x++) {
			const int64_t at = o->first + i * o->row + x * o->column;
			if (x >= o->columns)
				break;
			prefetch_to_write(dst, at + o->ahead);
			if (mask)
				prefetch_to_read(mask, at + o->ahead);
			vf y = vmax(floor, out[x] + bias); /* a NaN stays one */
			if (mask)
				y = (vf)((vi)y & (vi)(load(mask + at) > splat(0.0f)));
			store(dst + at, y);
		}
	}
}

typedef void (*columns_out_fn)(int columns, const float *m, int64_t plane, int64_t row, vf half[MAX_SPAN][MAX_SPAN]);
typedef void (*rows_out_fn)(const vf half[MAX_SPAN][MAX_SPAN], float *dst, const outputs *o, vf bias, vf floor,
                            const float *mask);

#define AXIS_OUT(points, taps, last)                                                                             \
	static void columns_out_##points##_##taps##_##last(int columns, const float *m, int64_t plane, int64_t row,  \
	                                                   vf half[MAX_SPAN][MAX_SPAN])                              \
	{                                                                                                            \
		columns_out(points, taps, last, columns, m, plane, row, half);                                           \
	}                                                                                                            \
	static void rows_out_##points##_##taps##_##last(const vf half[MAX_SPAN][MAX_SPAN], float *dst,               \
	                                                const outputs *o, vf bias, vf floor, const float *mask)      \
	{                                                                                                            \
		rows_out(points, taps, last, half, dst, o, bias, floor, mask);                                           \
	}
#define ALL_OUT(points) AXIS_OUT(points, 2, 0) AXIS_OUT(points, 2, 1) AXIS_OUT(points, 3, 0) AXIS_OUT(points, 3, 1)
#define OUT_ENTRY(axis, points)                                       \
	{                                                                 \
		{ axis##_out_##points##_2_0, axis##_out_##points##_2_1 },     \
			{ axis##_out_##points##_3_0, axis##_out_##points##_3_1 }, \
	},
#define COLUMNS_OUT(points) OUT_ENTRY(columns, points)
#define ROWS_OUT(points) OUT_ENTRY(rows, points)
SPANS(ALL_OUT)
static const columns_out_fn columns_out_table[][2][2] = { SPANS(COLUMNS_OUT) };
static const rows_out_fn rows_out_table[][2][2] = { SPANS(ROWS_OUT) };

/* A run of tiles on its way out. */
typedef struct way_out {
	const mmi_wino_job *job;
	columns_out_fn columns_out;
	rows_out_fn rows_out;
	int32_t wide, columns;   /* outputs and points along a row */
	int64_t plane, row;      /* from point to point, from row to row */
} way_out;

/* What is no whole vector, or has another epilogue, goes through a buffer. */
static void scatter_rest(const way_out *s, const vf half[MAX_SPAN][MAX_SPAN], const outputs *o, int lanes)
{
	float values[MAX_SPAN * MAX_SPAN * W];
	const mmi_epilogue *ep = &s->job->ep;
	const outputs near = { .row = s->wide * W, .column = W, .rows = o->rows, .columns = o->columns };
	const vf bias = bias_of(ep, o->col, lanes);
	s->rows_out(half, values, &near, splat(0.0f), splat(-INFINITY), NULL);
	for (int i = 0; i < o->rows; i++)
		for (int x = 0; x < o->columns; x++)
			finish(s->job->dst, o->first + i * o->row + x * o->column, o->col, lanes,
			       load(values + (i * s->wide + x) * W), bias, ep);
}

static void scatter_columns(const way_out *s, const float *m, outputs *o)
{
	const mmi_wino_job *j = s->job;
	const int end = register_end(&j->ep, j->cols, 1);
	const vf floor = splat(end == END_BIAS_RELU ? 0.0f : -INFINITY);
	vf half[MAX_SPAN][MAX_SPAN];
	for (o->col = 0; o->col < j->cols; o->col += W) {
		const int lanes = j->cols - o->col;
		s->columns_out(s->columns, m + o->col, s->plane, s->row, half);
		if (end == END_RAW || lanes < W)
			scatter_rest(s, (const vf(*)[MAX_SPAN])half, o, lanes);
		else
			s->rows_out((const vf(*)[MAX_SPAN])half, j->dst + o->col, o, bias_of(&j->ep, o->col, W), floor,
			            end == END_BIAS_MASK ? j->ep.mask + o->col : NULL);
	}
}

static int64_t first_output(const mmi_wino_job *j, position at)
{
	const int64_t y = at.sample * j->dst_h + j->dst_y + (int64_t)at.y * j->dst_step;
	return (y * j->dst_w + j->dst_x + (int64_t)at.x * j->dst_step) * j->cols;
}

static void scatter_run(const mmi_wino_job *j, const wino_layout *l, int kind, const wino_run *r)
{
	const wino_grid *g = r->grid;
	const way_out s = { .job = j,
		                .columns_out = columns_out_table[l->high - MIN_SPAN][j->taps - 2][is_tall(kind)],
		                .rows_out = rows_out_table[l->wide - MIN_SPAN][j->taps - 2][is_broad(kind)],
		                .wide = g->wide,
		                .columns = g->wide + j->taps - 1,
		                .plane = l->m_plane,
		                .row = l->wide * l->m_plane };
	position at = position_of(r);
	outputs o = { .first = first_output(j, at), .column = (int64_t)j->dst_step * j->cols };
	o.row = o.column * j->dst_w;
	for (int t = 0; t < r->count; t++) {
		o.rows = (int)smaller(j->rows - at.y, g->high);
		o.columns = (int)smaller(j->columns - at.x, g->wide);
		advance(g, &at);
		o.ahead = first_output(j, at) - o.first;
		scatter_columns(&s, l->m + (r->at + t) * l->m_row, &o);
		o.first += o.ahead;
	}
}

static void scatter(const mmi_wino_job *j, const wino_layout *l)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			scatter_run(j, l, kind, &r);
	}
}

void MMI_PRODUCT_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int group = 0; group < j->n_groups; group++)
		multiply_group(j, &l, group);
	scatter(j, &l);
}
