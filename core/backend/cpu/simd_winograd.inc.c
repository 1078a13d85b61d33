/* simd_winograd.inc.c - convolutions by Winograd's F(4x4, 3x3) and F(4x4, 2x2) (Lavin and Gray 2016): input tiles and
 * weights are transformed, which turns the convolution into 36 or 25 matrix products with a quarter or two fifths of
 * the work. Interpolation points: 0, 1, -1, 2, -2, infinity and 0, 1, -1, 2, infinity; in bfloat16 0, 2/3, -2/3, 3/2,
 * -3/2, infinity and 1/2, -1/2, 3/2, -3/2, infinity, which leave half the error: what is large beside the result is
 * small there, and rounding is in proportion to it. The last point is for the fourth output alone: where 4 does not
 * divide a map, tiles of 3 outputs fill it, and do without. */
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

#define T MMI_WINO_TILE
#define MAX_SPAN 6 /* points per axis: taps + T - 1 */

/* Tiles are numbered by their height and width, so that those that have a point lie side by side: the last one down the
 * rows is in kinds 0 and 1, that along the columns in 1 and 2. */
#define KINDS(X, taps) X(taps, 4, 3) X(taps, 4, 4) X(taps, 3, 4) X(taps, 3, 3)
enum { N_KINDS = 4, MIN_TAPS = 2 };
#define ALL_TILES(X) KINDS(X, 2) KINDS(X, 3)
#define TILE_TABLE(X)    \
	{                    \
		{ KINDS(X, 2) }, \
		{                \
			KINDS(X, 3)  \
		}                \
	}

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
	int32_t span, points;
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
	return (wino_grid){ .y = tall ? 0 : T * j->y.fours,
		                .x = broad ? 0 : T * j->x.fours,
		                .high = tall ? T : T - 1,
		                .wide = broad ? T : T - 1,
		                .rows = tall ? j->y.fours : j->y.threes,
		                .columns = broad ? j->x.fours : j->x.threes };
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
	wino_layout l = { .span = j->taps + T - 1 };
	l.points = l.span * l.span;
	l.v_plane = whole_vectors(j->c_block);
	l.v_row = l.points * l.v_plane + 16 * PER_LANE; /* so that tiles start in different cache sets */
	l.m_plane = whole_vectors(j->cols);
	l.m_row = l.points * l.m_plane + 16;
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

#if MMI_PAIRS
/* Points 0, a, -a, b, -b and infinity; a * b = 1. */
#define POINT_A (2 / 3.0f)
#define POINT_B 1.5f

MMI_INLINE void transform_in_3(const int outputs, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf a = splat(POINT_A), b = splat(POINT_B), aa = splat(POINT_A * POINT_A), bb = splat(POINT_B * POINT_B);
	const vf both = aa + bb;
	vf even_a = d[4] - bb * d[2], odd_a = a * (d[3] - bb * d[1]);
	vf even_b = d[4] - aa * d[2], odd_b = b * (d[3] - aa * d[1]);
	out[0] = d[0] - both * d[2] + d[4];
	out[1] = even_a + odd_a;
	out[2] = even_a - odd_a;
	out[3] = even_b + odd_b;
	out[4] = even_b - odd_b;
	if (outputs == 4)
		out[5] = d[1] - both * d[3] + d[5];
}

/* With 2 taps a, -a, b, -b and infinity. */
#define POINT_A2 0.5f
#define POINT_B2 1.5f

MMI_INLINE void transform_in_2(const int outputs, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf a = splat(POINT_A2), b = splat(POINT_B2), aa = splat(POINT_A2 * POINT_A2), bb = splat(POINT_B2 * POINT_B2);
	vf odd_a = d[3] - bb * d[1], even_a = a * (d[2] - bb * d[0]);
	vf odd_b = d[3] - aa * d[1], even_b = b * (d[2] - aa * d[0]);
	out[0] = odd_a + even_a;
	out[1] = odd_a - even_a;
	out[2] = odd_b + even_b;
	out[3] = odd_b - even_b;
	if (outputs == 4)
		out[4] = d[4] - bb * d[2] - aa * (d[2] - bb * d[0]);
}
#else
MMI_INLINE void transform_in_3(const int outputs, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf four = splat(4.0f), two = splat(2.0f);
	vf a = d[4] - four * d[2], b = d[3] - four * d[1], c = d[4] - d[2], e = two * (d[3] - d[1]);
	out[0] = four * (d[0] - d[2]) + c;
	out[1] = a + b;
	out[2] = a - b;
	out[3] = c + e;
	out[4] = c - e;
	if (outputs == 4)
		out[5] = four * (d[1] - d[3]) + (d[5] - d[3]);
}

MMI_INLINE void transform_in_2(const int outputs, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf two = splat(2.0f);
	vf a = d[3] - d[1], b = d[3] - d[2];
	out[0] = two * (d[0] - d[2]) + a;
	out[1] = b - two * d[1];
	out[2] = b + two * (d[1] - d[2]);
	out[3] = a;
	if (outputs == 4)
		out[4] = d[4] - d[2] - two * a;
}
#endif

/* All of a tile's points along an axis. */
MMI_INLINE void transform_in(const int taps, const int outputs, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	if (taps == 3)
		transform_in_3(outputs, d, out);
	else
		transform_in_2(outputs, d, out);
}

/* The pixels that a tile reads: rows and columns outside the map are ones inside, with a mask of zeros. */
typedef struct window {
	const float *row[MAX_SPAN];
	int64_t column[MAX_SPAN];
	int32_t row_mask[MAX_SPAN], column_mask[MAX_SPAN];
	bool inside;
} window;

/* Pixel i along an axis of `size`, or the nearest one with a mask of zeros. */
MMI_INLINE int32_t clamped(int32_t i, int32_t size, int32_t *mask)
{
	*mask = i >= 0 && i < size ? -1 : 0;
	return i < 0 ? 0 : i < size ? i : size - 1;
}

MMI_INLINE void window_of(const int rows, const int columns, const mmi_wino_job *j, int group, position at, window *w)
{
	const int32_t y0 = j->group[group].y + at.y * j->src_step, x0 = j->group[group].x + at.x * j->src_step;
	const float *sample = j->src + at.sample * j->h * j->w * j->c;
	w->inside = y0 >= 0 && x0 >= 0 && y0 + (rows - 1) * j->src_step < j->h && x0 + (columns - 1) * j->src_step < j->w;
	MMI_UNROLL
	for (int y = 0; y < rows; y++)
		w->row[y] = sample + (int64_t)clamped(y0 + y * j->src_step, j->h, &w->row_mask[y]) * j->w * j->c;
	MMI_UNROLL
	for (int x = 0; x < columns; x++)
		w->column[x] = (int64_t)clamped(x0 + x * j->src_step, j->w, &w->column_mask[x]) * j->c;
}

/* W channels of a tile of high x wide outputs. Brings the pixels of the next one closer as it reads those of this. */
MMI_INLINE void transform_pixels(const int taps, const int high, const int wide, const bool inside, const window *w,
                                 const window *next, int64_t c, element *v, int64_t plane)
{
	const int rows = high + taps - 1, columns = wide + taps - 1;
	vf half[MAX_SPAN][MAX_SPAN];
	MMI_UNROLL
	for (int y = 0; y < rows; y++) {
		const float *row = w->row[y] + c, *ahead = next->row[y] + c;
		vf d[MAX_SPAN];
		MMI_UNROLL
		for (int x = 0; x < columns; x++) {
			d[x] = load(row + w->column[x]);
			if (!inside)
				d[x] = (vf)((vi)d[x] & (w->row_mask[y] & w->column_mask[x]));
			if (x >= taps - 1) /* those before are this tile's */
				__builtin_prefetch(ahead + next->column[x]);
		}
		transform_in(taps, wide, d, half[y]);
	}
	MMI_UNROLL
	for (int x = 0; x < columns; x++) {
		vf d[MAX_SPAN], out[MAX_SPAN];
		MMI_UNROLL
		for (int y = 0; y < rows; y++)
			d[y] = half[y][x];
		transform_in(taps, high, d, out);
		MMI_UNROLL
		for (int y = 0; y < rows; y++)
			STORE_ELEMENTS(v + (y * (taps + T - 1) + x) * plane, out[y]);
	}
}

/* The last channels of a tile, copied to `pixels` as a window that has whole vectors of them. */
static void copy_window(int rows, int columns, const window *from, int64_t c, int lanes, float *pixels, window *w)
{
	*w = *from;
	for (int y = 0; y < rows; y++, pixels += columns * W) {
		w->row[y] = pixels;
		for (int x = 0; x < columns; x++)
			store(pixels + x * W, load_part(from->row[y] + from->column[x] + c, lanes));
	}
	for (int x = 0; x < columns; x++)
		w->column[x] = (int64_t)x * W;
}

/* Channels c0..c0+count-1 of a run of tiles. */
MMI_INLINE void gather_run(const int taps, const int high, const int wide, const mmi_wino_job *j, const wino_layout *l,
                           const wino_run *r, int group, int c0, int count)
{
	const int rows = high + taps - 1, columns = wide + taps - 1;
	float pixels[MAX_SPAN * MAX_SPAN * W];
	window windows[2], last;
	position at = position_of(r);
	window_of(rows, columns, j, group, at, &windows[0]);
	for (int t = 0; t < r->count; t++) {
		const window *w = &windows[t % 2], *next = w;
		if (t + 1 < r->count) {
			next = &windows[(t + 1) % 2];
			advance(r->grid, &at);
			window_of(rows, columns, j, group, at, &windows[(t + 1) % 2]);
		}
		element *v = l->v + (r->at + t) * l->v_row;
		for (int c = 0; c < count; c += W) {
			int64_t from = c0 + c;
			if (count - c < W) {
				copy_window(rows, columns, w, from, count - c, pixels, &last);
				w = next = &last;
				from = 0;
			}
			if (w->inside)
				transform_pixels(taps, high, wide, true, w, next, from, v + c, l->v_plane);
			else
				transform_pixels(taps, high, wide, false, w, next, from, v + c, l->v_plane);
		}
	}
}

#define GATHER(taps, high, wide)                                                                                \
	static void gather_##taps##_##high##_##wide(const mmi_wino_job *j, const wino_layout *l, const wino_run *r, \
	                                            int group, int c0, int count)                                   \
	{                                                                                                           \
		gather_run(taps, high, wide, j, l, r, group, c0, count);                                                \
	}
#define GATHER_ENTRY(taps, high, wide) gather_##taps##_##high##_##wide,
ALL_TILES(GATHER)

static void gather(const mmi_wino_job *j, const wino_layout *l, int group, int c0, int count)
{
	static void (*const by_kind[][N_KINDS])(const mmi_wino_job *, const wino_layout *, const wino_run *, int, int,
	                                        int) = TILE_TABLE(GATHER_ENTRY);
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			by_kind[j->taps - MIN_TAPS][kind](j, l, &r, group, c0, count);
	}
}

/* ------------------------------------------------------------------ products */

/* The tiles of the block that have a point: the last one down the rows is for tall ones, that along the columns for
 * broad ones. */
static int point_part(const mmi_wino_job *j, const wino_layout *l, int point, int64_t *first)
{
	const bool tall = point / l->span == l->span - 1, broad = point % l->span == l->span - 1;
	return block_part(j, l->start[broad ? 1 : 0], l->start[tall ? 2 : broad ? 3 : 4], first);
}

/* u: the point's weights. The first products of a block start the sums. */
static void multiply_point(const mmi_wino_job *j, const wino_layout *l, int point, const element *u, int c0, int count,
                           bool first)
{
	int32_t off[TILE_ROWS];
	for (int r = 0; r < TILE_ROWS; r++)
		off[r] = (int32_t)(r * l->v_row);
	tile t = { .a_off = off, .n_seg = 1, .seg_len = count, .c_stride = l->m_row, .end = first ? END_RAW : END_ADD };
	int64_t at;
	const int part = point_part(j, l, point, &at);
	if (!part)
		return;
	const int64_t n_tiles = tile_count(part), channels = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE;
	for (int col = 0; col < l->m_plane; col += 2 * W) {
		const int nv = l->m_plane - col > W ? 2 : 1;
		t.b = u + (int64_t)col * channels + (int64_t)c0 * nv * W;
		t.a = l->v + at * l->v_row + point * l->v_plane;
		t.c = l->m + at * l->m_row + point * l->m_plane + col;
		for (int64_t i = 0; i < n_tiles; i++) {
			const int rows = tile_rows_of(part, n_tiles, i);
			tile_table[rows - 1][nv - 1](&t);
			t.a += rows * l->v_row;
			t.c += rows * l->m_row;
		}
	}
}

static void multiply_group(const mmi_wino_job *j, const wino_layout *l, int group)
{
	const int64_t plane = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE * l->m_plane;
	const element *u = (const element *)j->u + group * l->points * plane;
	for (int c0 = 0; c0 < j->c; c0 += j->c_block) {
		const int count = j->c - c0 < j->c_block ? j->c - c0 : j->c_block;
		gather(j, l, group, c0, count);
		for (int point = 0; point < l->points; point++)
			multiply_point(j, l, point, u + point * plane, c0, count, group == 0 && c0 == 0);
	}
}

/* ------------------------------------------------------------------ output */

#if MMI_PAIRS
MMI_INLINE void transform_out(const int taps, const int outputs, const vf m[MAX_SPAN], vf y[T])
{
	const float point_a = taps == 3 ? POINT_A : POINT_A2, point_b = taps == 3 ? POINT_B : POINT_B2;
	const vf a = splat(point_a), b = splat(point_b), aa = splat(point_a * point_a), bb = splat(point_b * point_b);
	const vf *pairs = m + (taps == 3); /* behind 0 */
	vf even_a = pairs[0] + pairs[1], odd_a = a * (pairs[0] - pairs[1]);
	vf even_b = pairs[2] + pairs[3], odd_b = b * (pairs[2] - pairs[3]);
	y[0] = even_a + even_b;
	if (taps == 3)
		y[0] += m[0];
	y[1] = odd_a + odd_b;
	y[2] = aa * even_a + bb * even_b;
	if (outputs == 4)
		y[3] = aa * odd_a + bb * odd_b + m[taps + 2];
}
#else
MMI_INLINE void transform_out(const int taps, const int outputs, const vf m[MAX_SPAN], vf y[T])
{
	vf s12 = m[1] + m[2], d12 = m[1] - m[2];
	vf s34 = taps == 3 ? m[3] + m[4] : m[3], d34 = taps == 3 ? m[3] - m[4] : m[3];
	y[0] = m[0] + s12 + s34;
	y[1] = d12 + splat(2.0f) * d34;
	y[2] = s12 + splat(4.0f) * s34;
	if (outputs == 4)
		y[3] = d12 + splat(8.0f) * d34 + m[taps + 2];
}
#endif

/* Where the outputs of a tile go: W columns of pixels first + y * row + x * column, of which so many are there. */
typedef struct outputs {
	int64_t first, row, column;
	int64_t ahead; /* from first to that of the next tile */
	int rows, columns, col;
} outputs;

/* Products of all points to the outputs of a tile, each stored as soon as it is there, at least `floor`. */
MMI_INLINE void scatter_vector(const int taps, const int high, const int wide, const float *m, int64_t plane,
                               float *dst, const outputs *o, vf bias, vf floor, const float *mask)
{
	const int rows = high + taps - 1, columns = wide + taps - 1;
	vf half[T][MAX_SPAN];
	MMI_UNROLL
	for (int x = 0; x < columns; x++) {
		vf d[MAX_SPAN], y[T];
		MMI_UNROLL
		for (int i = 0; i < rows; i++)
			d[i] = load(m + (i * (taps + T - 1) + x) * plane);
		transform_out(taps, high, d, y);
		MMI_UNROLL
		for (int i = 0; i < high; i++)
			half[i][x] = y[i];
	}
	MMI_UNROLL
	for (int i = 0; i < high; i++) {
		vf out[T];
		if (i >= o->rows)
			return;
		transform_out(taps, wide, half[i], out);
		MMI_UNROLL
		for (int x = 0; x < wide; x++) {
			const int64_t at = o->first + i * o->row + x * o->column;
			if (x >= o->columns)
				break;
			prefetch_to_write(dst, at + o->ahead);
			vf y = vmax(floor, out[x] + bias); /* a NaN stays one */
			if (mask)
				y = (vf)((vi)y & (vi)(load(mask + at) > splat(0.0f)));
			store(dst + at, y);
		}
	}
}

/* What is no whole vector, or has another epilogue, goes through a buffer. */
MMI_INLINE void scatter_rest(const int taps, const int high, const int wide, const mmi_wino_job *j, const float *m,
                             int64_t plane, const outputs *o, int lanes)
{
	float values[T * T * W];
	const outputs near = { .row = wide * W, .column = W, .rows = o->rows, .columns = o->columns };
	const vf bias = bias_of(&j->ep, o->col, lanes);
	scatter_vector(taps, high, wide, m, plane, values, &near, splat(0.0f), splat(-INFINITY), NULL);
	for (int i = 0; i < o->rows; i++)
		for (int x = 0; x < o->columns; x++)
			finish(j->dst, o->first + i * o->row + x * o->column, o->col, lanes, load(values + (i * wide + x) * W),
			       bias, &j->ep);
}

MMI_INLINE void scatter_columns(const int taps, const int high, const int wide, const mmi_wino_job *j, int64_t plane,
                                const float *m, outputs *o)
{
	const int end = register_end(&j->ep, j->cols, 1);
	const vf floor = splat(end == END_BIAS_RELU ? 0.0f : -INFINITY);
	for (o->col = 0; o->col < j->cols; o->col += W) {
		const int lanes = j->cols - o->col;
		if (end == END_RAW || lanes < W)
			scatter_rest(taps, high, wide, j, m + o->col, plane, o, lanes);
		else
			scatter_vector(taps, high, wide, m + o->col, plane, j->dst + o->col, o, bias_of(&j->ep, o->col, W), floor,
			               end == END_BIAS_MASK ? j->ep.mask + o->col : NULL);
	}
}

static int64_t first_output(const mmi_wino_job *j, position at)
{
	const int64_t y = at.sample * j->dst_h + j->dst_y + (int64_t)at.y * j->dst_step;
	return (y * j->dst_w + j->dst_x + (int64_t)at.x * j->dst_step) * j->cols;
}

MMI_INLINE void scatter_run(const int taps, const int high, const int wide, const mmi_wino_job *j, const wino_layout *l,
                            const wino_run *r)
{
	position at = position_of(r);
	outputs o = { .first = first_output(j, at), .column = (int64_t)j->dst_step * j->cols };
	o.row = o.column * j->dst_w;
	for (int t = 0; t < r->count; t++) {
		o.rows = (int)smaller(j->rows - at.y, high);
		o.columns = (int)smaller(j->columns - at.x, wide);
		advance(r->grid, &at);
		o.ahead = first_output(j, at) - o.first;
		scatter_columns(taps, high, wide, j, l->m_plane, l->m + (r->at + t) * l->m_row, &o);
		o.first += o.ahead;
	}
}

#define SCATTER(taps, high, wide)                                                                                \
	static void scatter_##taps##_##high##_##wide(const mmi_wino_job *j, const wino_layout *l, const wino_run *r) \
	{                                                                                                            \
		scatter_run(taps, high, wide, j, l, r);                                                                  \
	}
#define SCATTER_ENTRY(taps, high, wide) scatter_##taps##_##high##_##wide,
ALL_TILES(SCATTER)

static void scatter(const mmi_wino_job *j, const wino_layout *l)
{
	static void (*const by_kind[][N_KINDS])(const mmi_wino_job *, const wino_layout *, const wino_run *) =
		TILE_TABLE(SCATTER_ENTRY);
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			by_kind[j->taps - MIN_TAPS][kind](j, l, &r);
	}
}

void MMI_PRODUCT_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int group = 0; group < j->n_groups; group++)
		multiply_group(j, &l, group);
	scatter(j, &l);
}
