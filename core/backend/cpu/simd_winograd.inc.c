/* simd_winograd.inc.c - convolutions by Winograd's F(4x4, 3x3) and F(4x4, 2x2) (Lavin and Gray 2016): input tiles and
 * weights are transformed, which turns the convolution into 36 or 25 matrix products with a quarter or two fifths of
 * the work. Interpolation points: 0, 1, -1, 2, -2, infinity and 0, 1, -1, 2, infinity. In bfloat16 there is F(4x4, 3x3)
 * alone, with 0, 2/3, -2/3, 3/2, -3/2, infinity, which leave half the error: what is large beside the result is small
 * there, and rounding is in proportion to it. */
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

#define T MMI_WINO_TILE
#define MAX_SPAN 6 /* points per axis: taps + T - 1 */

/* Where one block's buffers lie in its scratch. A tile keeps its points together. */
typedef struct wino_layout {
	int64_t v_row, v_plane; /* transformed input [tile][point][channel] */
	int64_t m_row, m_plane; /* products [tile][point][column] */
	element *v;
	float *m;
	const float *zeros; /* c floats, read in place of pixels outside */
	int32_t points, tiles_y, tiles_x;
} wino_layout;

MMI_INLINE int64_t whole_vectors(int64_t n)
{
	return (n + W - 1) / W * W;
}

static wino_layout layout_of(const mmi_wino_job *j)
{
	wino_layout l = { .points = (j->taps + T - 1) * (j->taps + T - 1),
		              .tiles_y = (j->rows + T - 1) / T,
		              .tiles_x = (j->columns + T - 1) / T };
	l.v_plane = whole_vectors(j->c_block);
	l.v_row = l.points * l.v_plane + 16 * PER_LANE; /* so that tiles start in different cache sets */
	l.m_plane = whole_vectors(j->cols);
	l.m_row = l.points * l.m_plane + 16;
	l.v = (void *)j->scratch;
	l.m = j->scratch + j->max_tiles * l.v_row / PER_LANE;
	float *zeros = l.m + j->max_tiles * l.m_row;
	memset(zeros, 0, (size_t)whole_vectors(j->c) * sizeof *zeros);
	l.zeros = zeros;
	return l;
}

/* First output row and column of a tile, and its sample. */
typedef struct position {
	int64_t sample;
	int32_t y, x;
} position;

static position position_of(const wino_layout *l, int64_t number)
{
	return (position){ number / ((int64_t)l->tiles_y * l->tiles_x), (int32_t)(number / l->tiles_x % l->tiles_y) * T,
		               (int32_t)(number % l->tiles_x) * T };
}

/* That of the tile behind. */
MMI_INLINE void advance(const wino_layout *l, position *at)
{
	at->x += T;
	if (at->x < l->tiles_x * T)
		return;
	at->x = 0;
	at->y += T;
	if (at->y < l->tiles_y * T)
		return;
	at->y = 0;
	at->sample++;
}

/* ------------------------------------------------------------------ input */

#if MMI_PAIRS
/* Points 0, a, -a, b, -b and infinity; a * b = 1. */
#define POINT_A (2 / 3.0f)
#define POINT_B 1.5f

MMI_INLINE void transform_in_6(const vf d[MAX_SPAN], vf out[MAX_SPAN])
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
	out[5] = d[1] - both * d[3] + d[5];
}
#else
MMI_INLINE void transform_in_6(const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf four = splat(4.0f), two = splat(2.0f);
	vf a = d[4] - four * d[2], b = d[3] - four * d[1], c = d[4] - d[2], e = two * (d[3] - d[1]);
	out[0] = four * (d[0] - d[2]) + c;
	out[1] = a + b;
	out[2] = a - b;
	out[3] = c + e;
	out[4] = c - e;
	out[5] = four * (d[1] - d[3]) + (d[5] - d[3]);
}
#endif

MMI_INLINE void transform_in_5(const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const vf two = splat(2.0f);
	vf a = d[3] - d[1], b = d[3] - d[2];
	out[0] = two * (d[0] - d[2]) + a;
	out[1] = b - two * d[1];
	out[2] = b + two * (d[1] - d[2]);
	out[3] = a;
	out[4] = d[4] - d[2] - two * a;
}

MMI_INLINE void transform_in(const int span, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	if (span == 6)
		transform_in_6(d, out);
	else
		transform_in_5(d, out);
}

/* The span x span pixels of a tile, those outside pointing to zeros. */
MMI_INLINE void tile_pixels(const int span, const mmi_wino_job *j, const wino_layout *l, int group, position at,
                            const float *pixel[MAX_SPAN * MAX_SPAN])
{
	const int32_t y0 = j->group[group].y + at.y * j->src_step, x0 = j->group[group].x + at.x * j->src_step;
	const int32_t reach = (span - 1) * j->src_step;
	const int64_t column = (int64_t)j->src_step * j->c, row = column * j->w;
	const intptr_t first = (intptr_t)j->src + (((at.sample * j->h + y0) * j->w + x0) * j->c) *
	                                              (int64_t)sizeof(float); /* may lie outside */
	const bool inside = y0 >= 0 && x0 >= 0 && y0 + reach < j->h && x0 + reach < j->w;
	MMI_UNROLL
	for (int i = 0; i < span; i++) {
		const int32_t y = y0 + i * j->src_step;
		const bool row_inside = inside || (y >= 0 && y < j->h);
		MMI_UNROLL
		for (int k = 0; k < span; k++) {
			const int32_t x = x0 + k * j->src_step;
			const float *p = (const float *)(first + (i * row + k * column) * (int64_t)sizeof(float));
			pixel[i * span + k] = inside || (row_inside && x >= 0 && x < j->w) ? p : l->zeros;
		}
	}
}

/* Brings the pixels of the next tile closer as it reads those of this one. */
MMI_INLINE void transform_pixels(const int span, const float *const *pixel, const float *const *next, int64_t c,
                                 int lanes, element *v, int64_t plane)
{
	vf half[MAX_SPAN][MAX_SPAN];
	MMI_UNROLL
	for (int y = 0; y < span; y++) {
		vf d[MAX_SPAN];
		MMI_UNROLL
		for (int x = 0; x < span; x++) {
			d[x] = load_up_to(pixel[y * span + x] + c, lanes);
			__builtin_prefetch(next[y * span + x] + c);
		}
		transform_in(span, d, half[y]);
	}
	MMI_UNROLL
	for (int x = 0; x < span; x++) {
		vf d[MAX_SPAN], out[MAX_SPAN];
		MMI_UNROLL
		for (int y = 0; y < span; y++)
			d[y] = half[y][x];
		transform_in(span, d, out);
		MMI_UNROLL
		for (int y = 0; y < span; y++)
			STORE_ELEMENTS(v + (y * span + x) * plane, out[y]);
	}
}

/* Channels c0..c0+count-1 of all tiles of the block. */
MMI_INLINE void gather_tiles(const int span, const mmi_wino_job *j, const wino_layout *l, int group, int c0, int count)
{
	const float *pixels[2][MAX_SPAN * MAX_SPAN];
	position at = position_of(l, j->first_tile);
	tile_pixels(span, j, l, group, at, pixels[0]);
	for (int t = 0; t < j->n_tiles; t++) {
		const float **pixel = pixels[t % 2], **next = pixels[(t + 1) % 2];
		advance(l, &at);
		tile_pixels(span, j, l, group, at, next);
		element *v = l->v + t * l->v_row;
		int c = 0;
		for (; c + W <= count; c += W)
			transform_pixels(span, pixel, next, c0 + c, W, v + c, l->v_plane);
		if (c < count)
			transform_pixels(span, pixel, next, c0 + c, count - c, v + c, l->v_plane);
	}
}

static void gather(const mmi_wino_job *j, const wino_layout *l, int group, int c0, int count)
{
	if (j->taps == 3)
		gather_tiles(6, j, l, group, c0, count);
	else
		gather_tiles(5, j, l, group, c0, count);
}

/* ------------------------------------------------------------------ products */

/* u: the point's weights. The first products of a block start the sums. */
static void multiply_point(const mmi_wino_job *j, const wino_layout *l, int point, const element *u, int c0, int count,
                           bool first)
{
	int32_t off[TILE_ROWS];
	for (int r = 0; r < TILE_ROWS; r++)
		off[r] = (int32_t)(r * l->v_row);
	tile t = { .a_off = off, .n_seg = 1, .seg_len = count, .c_stride = l->m_row, .end = first ? END_RAW : END_ADD };
	const int64_t n_tiles = tile_count(j->n_tiles), channels = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE;
	for (int col = 0; col < l->m_plane; col += 2 * W) {
		const int nv = l->m_plane - col > W ? 2 : 1;
		t.b = u + (int64_t)col * channels + (int64_t)c0 * nv * W;
		t.a = l->v + point * l->v_plane;
		t.c = l->m + point * l->m_plane + col;
		for (int64_t i = 0; i < n_tiles; i++) {
			const int rows = tile_rows_of(j->n_tiles, n_tiles, i);
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
MMI_INLINE void transform_out(const int span, const vf m[MAX_SPAN], vf y[T])
{
	const vf a = splat(POINT_A), b = splat(POINT_B), aa = splat(POINT_A * POINT_A), bb = splat(POINT_B * POINT_B);
	vf even_a = m[1] + m[2], odd_a = a * (m[1] - m[2]), even_b = m[3] + m[4], odd_b = b * (m[3] - m[4]);
	y[0] = m[0] + even_a + even_b;
	y[1] = odd_a + odd_b;
	y[2] = aa * even_a + bb * even_b;
	y[3] = aa * odd_a + bb * odd_b + m[span - 1];
}
#else
MMI_INLINE void transform_out(const int span, const vf m[MAX_SPAN], vf y[T])
{
	vf s12 = m[1] + m[2], d12 = m[1] - m[2];
	vf s34 = span == 6 ? m[3] + m[4] : m[3], d34 = span == 6 ? m[3] - m[4] : m[3];
	y[0] = m[0] + s12 + s34;
	y[1] = d12 + splat(2.0f) * d34;
	y[2] = s12 + splat(4.0f) * s34;
	y[3] = d12 + splat(8.0f) * d34 + m[span - 1];
}
#endif

/* Where the outputs of a tile go: W columns of pixels first + y * row + x * column, of which so many are there. */
typedef struct outputs {
	int64_t first, row, column;
	int64_t ahead; /* from first to that of the next tile */
	int rows, columns, col;
} outputs;

/* Products of all points to T x T outputs, each stored as soon as it is there. */
MMI_INLINE void scatter_vector(const int span, const int end, const mmi_epilogue *ep, float *dst, const outputs *o,
                               const float *m, int64_t plane, int lanes)
{
	const vf bias = bias_of(ep, o->col, lanes);
	vf half[T][MAX_SPAN];
	MMI_UNROLL
	for (int x = 0; x < span; x++) {
		vf d[MAX_SPAN], y[T];
		MMI_UNROLL
		for (int i = 0; i < span; i++)
			d[i] = load(m + (i * span + x) * plane);
		transform_out(span, d, y);
		MMI_UNROLL
		for (int i = 0; i < T; i++)
			half[i][x] = y[i];
	}
	MMI_UNROLL
	for (int i = 0; i < T; i++) {
		vf out[T];
		if (i >= o->rows)
			return;
		transform_out(span, half[i], out);
		MMI_UNROLL
		for (int x = 0; x < T; x++) {
			const int64_t at = o->first + i * o->row + x * o->column;
			if (x >= o->columns)
				break;
			prefetch_to_write(dst, at + o->ahead + o->col);
			if (end == END_RAW)
				finish(dst, at, o->col, lanes, out[x], bias, ep);
			else
				store(dst + at + o->col, ended(end, out[x] + bias, ep->mask, at + o->col));
		}
	}
}

MMI_INLINE void scatter_columns(const int span, const mmi_wino_job *j, const wino_layout *l, const float *m, outputs *o)
{
	for (int col = 0; col < j->cols; col += W) {
		const int lanes = j->cols - col;
		o->col = col;
		switch (register_end(&j->ep, lanes, 1)) {
		case END_BIAS:
			scatter_vector(span, END_BIAS, &j->ep, j->dst, o, m + col, l->m_plane, W);
			break;
		case END_BIAS_RELU:
			scatter_vector(span, END_BIAS_RELU, &j->ep, j->dst, o, m + col, l->m_plane, W);
			break;
		case END_BIAS_MASK:
			scatter_vector(span, END_BIAS_MASK, &j->ep, j->dst, o, m + col, l->m_plane, W);
			break;
		default:
			scatter_vector(span, END_RAW, &j->ep, j->dst, o, m + col, l->m_plane, lanes);
			break;
		}
	}
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static int64_t first_output(const mmi_wino_job *j, position at)
{
	const int64_t y = at.sample * j->dst_h + j->dst_y + (int64_t)at.y * j->dst_step;
	return (y * j->dst_w + j->dst_x + (int64_t)at.x * j->dst_step) * j->cols;
}

static void scatter(const mmi_wino_job *j, const wino_layout *l)
{
	position at = position_of(l, j->first_tile);
	outputs o = { .first = first_output(j, at), .column = (int64_t)j->dst_step * j->cols };
	o.row = o.column * j->dst_w;
	for (int t = 0; t < j->n_tiles; t++) {
		o.rows = smaller(j->rows - at.y, T);
		o.columns = smaller(j->columns - at.x, T);
		advance(l, &at);
		o.ahead = first_output(j, at) - o.first;
		if (j->taps == 3)
			scatter_columns(6, j, l, l->m + t * l->m_row, &o);
		else
			scatter_columns(5, j, l, l->m + t * l->m_row, &o);
		o.first += o.ahead;
	}
}

void MMI_PRODUCT_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int group = 0; group < j->n_groups; group++)
		multiply_group(j, &l, group);
	scatter(j, &l);
}
