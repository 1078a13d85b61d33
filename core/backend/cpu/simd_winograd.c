/* simd_winograd.c - 3x3 convolutions, stride 1, padding 1, by Winograd's F(4x4, 3x3) (Lavin and Gray 2016): 6x6 input
 * tiles and the weights are transformed, which turns the convolution into 36 matrix products, a quarter of the work. */
#include "config.h"

#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

#define T MMI_WINO_TILE
#define SPAN 6           /* points per axis */

/* Where one block's buffers lie in its scratch. */
typedef struct wino_layout {
	int64_t v_row, v_plane;  /* transformed input [point][tile][channel] */
	int64_t m_row, m_plane;  /* products [point][tile][column] */
	float *v, *m;
	const float *zeros;      /* c floats, read in place of pixels outside */
} wino_layout;

MMI_INLINE int64_t whole_vectors(int64_t n) { return (n + W - 1) / W * W; }

static wino_layout layout_of(const mmi_wino_job *j)
{
	wino_layout l;
	l.v_plane = whole_vectors(j->c_block);
	l.v_row = MMI_WINO_POINTS * l.v_plane + 16;
	l.m_plane = whole_vectors(j->cols);
	l.m_row = MMI_WINO_POINTS * l.m_plane + 16;
	l.v = j->scratch;
	l.m = l.v + j->max_tiles * l.v_row;
	float *zeros = l.m + j->max_tiles * l.m_row;
	memset(zeros, 0, (size_t)whole_vectors(j->c) * sizeof *zeros);
	l.zeros = zeros;
	return l;
}

/* ------------------------------------------------------------------ input */

MMI_INLINE void transform_in(const vf d[SPAN], vf out[SPAN])
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

/* The 36 pixels of a tile, those outside pointing to zeros. */
static void tile_pixels(const mmi_wino_job *j, const wino_layout *l, int64_t number, const float *pixel[MMI_WINO_POINTS])
{
	const int tiles_x = (j->w + T - 1) / T, tiles_y = (j->h + T - 1) / T;
	const int y0 = (int)(number / tiles_x % tiles_y) * T - 1, x0 = (int)(number % tiles_x) * T - 1;
	const float *image = j->src + number / ((int64_t)tiles_x * tiles_y) * j->h * j->w * j->c;
	for (int y = 0; y < SPAN; y++)
		for (int x = 0; x < SPAN; x++) {
			const bool inside = y0 + y >= 0 && y0 + y < j->h && x0 + x >= 0 && x0 + x < j->w;
			pixel[y * SPAN + x] = inside ? image + ((int64_t)(y0 + y) * j->w + x0 + x) * j->c : l->zeros;
		}
}

MMI_INLINE void transform_pixels(const float *const *pixel, int64_t c, int lanes, float *v, int64_t plane)
{
	vf half[SPAN][SPAN];
	for (int y = 0; y < SPAN; y++) {
		vf d[SPAN];
		MMI_UNROLL
		for (int x = 0; x < SPAN; x++)
			d[x] = load_up_to(pixel[y * SPAN + x] + c, lanes);
		transform_in(d, half[y]);
	}
	for (int x = 0; x < SPAN; x++) {
		vf d[SPAN], out[SPAN];
		MMI_UNROLL
		for (int y = 0; y < SPAN; y++)
			d[y] = half[y][x];
		transform_in(d, out);
		MMI_UNROLL
		for (int y = 0; y < SPAN; y++)
			store(v + (y * SPAN + x) * plane, out[y]);
	}
}

/* Channels c0..c0+count-1 of all tiles of the block. */
static void gather_tiles(const mmi_wino_job *j, const wino_layout *l, int c0, int count)
{
	const float *pixel[MMI_WINO_POINTS];
	for (int t = 0; t < j->n_tiles; t++) {
		tile_pixels(j, l, j->first_tile + t, pixel);
		float *v = l->v + t * l->v_row;
		int c = 0;
		for (; c + W <= count; c += W)
			transform_pixels(pixel, c0 + c, W, v + c, l->v_plane);
		if (c < count)
			transform_pixels(pixel, c0 + c, count - c, v + c, l->v_plane);
	}
}

/* ------------------------------------------------------------------ products */

static void multiply_point(const mmi_wino_job *j, const wino_layout *l, int point, int c0, int count)
{
	int32_t off[TILE_ROWS];
	for (int r = 0; r < TILE_ROWS; r++)
		off[r] = (int32_t)(r * l->v_row);
	tile t = { .a_off = off, .n_seg = 1, .seg_len = count, .c_stride = l->m_row, .end = c0 > 0 ? END_ADD : END_RAW };
	const float *u = j->u + (int64_t)point * j->c * l->m_plane;
	const int64_t n_tiles = tile_count(j->n_tiles);
	for (int col = 0; col < l->m_plane; col += 2 * W) {
		const int nv = l->m_plane - col > W ? 2 : 1;
		t.b = u + (int64_t)col * j->c + (int64_t)c0 * nv * W;
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

/* ------------------------------------------------------------------ output */

MMI_INLINE void transform_out(const vf m[SPAN], vf y[T])
{
	vf s12 = m[1] + m[2], d12 = m[1] - m[2], s34 = m[3] + m[4], d34 = m[3] - m[4];
	y[0] = m[0] + s12 + s34;
	y[1] = d12 + splat(2.0f) * d34;
	y[2] = s12 + splat(4.0f) * s34;
	y[3] = d12 + splat(8.0f) * d34 + m[5];
}

MMI_INLINE void transform_product(const float *m, int64_t plane, vf out[T][T])
{
	vf half[T][SPAN];
	for (int x = 0; x < SPAN; x++) {
		vf d[SPAN], y[T];
		MMI_UNROLL
		for (int i = 0; i < SPAN; i++)
			d[i] = load(m + (i * SPAN + x) * plane);
		transform_out(d, y);
		MMI_UNROLL
		for (int i = 0; i < T; i++)
			half[i][x] = y[i];
	}
	for (int i = 0; i < T; i++)
		transform_out(half[i], out[i]);
}

static void scatter_tile(const mmi_wino_job *j, const wino_layout *l, int t)
{
	const int tiles_x = (j->w + T - 1) / T, tiles_y = (j->h + T - 1) / T;
	const int64_t number = j->first_tile + t, sample = number / ((int64_t)tiles_x * tiles_y);
	const int y0 = (int)(number / tiles_x % tiles_y) * T, x0 = (int)(number % tiles_x) * T;
	const int rows = j->h - y0 < T ? j->h - y0 : T, columns = j->w - x0 < T ? j->w - x0 : T;
	for (int col = 0; col < j->cols; col += W) {
		const int lanes = j->cols - col;
		const vf bias = bias_of(&j->ep, col, lanes);
		vf out[T][T];
		transform_product(l->m + t * l->m_row + col, l->m_plane, out);
		for (int y = 0; y < rows; y++) {
			const int64_t at = ((sample * j->h + y0 + y) * j->w + x0) * j->cols;
			for (int x = 0; x < columns; x++)
				finish(j->dst, at + (int64_t)x * j->cols, col, lanes, out[y][x], bias, &j->ep);
		}
	}
}

void MMI_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int c0 = 0; c0 < j->c; c0 += j->c_block) {
		const int count = j->c - c0 < j->c_block ? j->c - c0 : j->c_block;
		gather_tiles(j, &l, c0, count);
		for (int point = 0; point < MMI_WINO_POINTS; point++)
			multiply_point(j, &l, point, c0, count);
	}
	for (int t = 0; t < j->n_tiles; t++)
		scatter_tile(j, &l, t);
}
