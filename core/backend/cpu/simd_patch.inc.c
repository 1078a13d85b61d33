/* simd_patch.inc.c - products of patches with packed weights: convolutions and linear layers. */
#include "backend/cpu/bf16.h"
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

/* ------------------------------------------------------------------ wide: vectors along the columns */

static void finish_tile(const float *sums, int rows, int nv, const mmi_patch_job *j, int64_t row, int col)
{
	const int n0 = j->cols - col, n1 = n0 - W;
	const vf bias0 = bias_of(&j->ep, col, n0), bias1 = nv > 1 ? bias_of(&j->ep, col + W, n1) : bias0;
	for (int r = 0; r < rows; r++, sums += 2 * W) {
		finish(j->dst, MMI_PAIRS && j->narrow_dst, j->dst_off[row + r], col, n0, load(sums), bias0, &j->ep);
		if (nv > 1)
			finish(j->dst, MMI_PAIRS && j->narrow_dst, j->dst_off[row + r], col + W, n1, load(sums + W), bias1, &j->ep);
	}
}

/* How rows fall into register tiles: all of them into even shares of most rows, or each line of pixels, in which they
 * lie evenly, by itself, if that leaves tiles high enough. */
typedef struct row_tiles {
	int64_t count, rows; /* tiles of so many rows */
	bool even;
} row_tiles;

static row_tiles row_tiles_of(const mmi_patch_job *j)
{
	const int64_t tiles = tile_count(j->line);
	if (j->line > 0 && j->line / tiles * 4 >= TILE_ROWS * 3)
		return (row_tiles){ tiles, j->line, true };
	return (row_tiles){ tile_count(j->rows), j->rows, false };
}

static void wide_tiles(const mmi_patch_job *j, tile *t, const row_tiles *part, int64_t row, int nv, int col)
{
	const tile_fn(*table)[2] = part->even ? even_tiles : uneven_tiles;
	for (int64_t i = 0; i < part->count; i++) {
		const int rows = tile_rows_of(part->rows, part->count, i);
		t->a = part->even ? (const element *)j->src + j->src_off[row] : j->src;
		t->a_off = j->src_off + row;
		t->c_off = j->dst_off + row;
		table[rows - 1][nv - 1](t);
		if (t->end == END_RAW)
			finish_tile(t->c, rows, nv, j, row, col);
		row += rows;
	}
}

static void wide_panel(const mmi_patch_job *j, const element *b, int col, int nv)
{
	static const float no_bias[2 * W];
	vf sums[TILE_ROWS][2];
	const row_tiles part = row_tiles_of(j);
	tile t = { .a_row = j->line_step,
		       .n_seg = j->n_seg,
		       .seg_len = j->seg_len,
		       .seg_stride = j->seg_stride,
		       .b = b,
		       .end = register_end(&j->ep, MMI_PAIRS && j->narrow_dst, j->cols - col, nv),
		       .narrow = j->narrow_dst,
		       .c = mmi_map_to(j->dst, j->narrow_dst, col),
		       .c_stride = 2 * W,
		       .mask = j->ep.mask ? mmi_map_at(j->ep.mask, j->ep.narrow_mask, col) : NULL,
		       .bias = j->ep.bias ? j->ep.bias + col : no_bias };
	if (t.end == END_RAW)
		t.c = sums;
	for (int64_t row = 0; row < j->rows; row += part.rows)
		wide_tiles(j, &t, &part, row, nv, col);
}

void MMI_PRODUCT_NAME(mmi_patch_wide)(const mmi_patch_job *j)
{
	const int64_t depth = (int64_t)j->n_seg * ((j->seg_len + PER_LANE - 1) / PER_LANE * PER_LANE);
	const element *b = j->b;
	for (int col = 0; col < j->cols; col += 2 * W) {
		const int nv = j->cols - col > W ? 2 : 1;
		wide_panel(j, b, col, nv);
		b += depth * nv * W;
	}
}

/* ------------------------------------------------------------------ narrow: up to 4 columns, vectors along the depth
 */

#define NARROW_ROWS (TILE_ROWS == 14 ? 8 : 4)

#if MMI_HAS_SHUFFLE
/* Each quarter (4 lanes) of the result has the sums of x's lanes of that quarter, x[0]'s first. */
MMI_INLINE vf quarter_sums(const vf x[MMI_NARROW_COLS])
{
	vf t0 = INTERLEAVE_LOW(x[0], x[1]) + INTERLEAVE_HIGH(x[0], x[1]);
	vf t1 = INTERLEAVE_LOW(x[2], x[3]) + INTERLEAVE_HIGH(x[2], x[3]);
	return PAIRS_LOW(t0, t1) + PAIRS_HIGH(t0, t1);
}

/* The sums of all lanes for W / 4 rows of 4 columns, in one vector. */
MMI_INLINE vf lane_sums(const vf acc[W / 4][MMI_NARROW_COLS])
{
	vf q[W / 4];
	MMI_UNROLL
	for (int r = 0; r < W / 4; r++)
		q[r] = quarter_sums(acc[r]);
	return ADD_QUARTERS(q);
}
#else
MMI_INLINE vf lane_sums(const vf acc[W / 4][MMI_NARROW_COLS])
{
	float sums[W];
	for (int i = 0; i < W; i++) {
		float lanes[W];
		store(lanes, acc[i / 4][i % 4]);
		for (int half = W / 2; half > 0; half /= 2)
			for (int k = 0; k < half; k++)
				lanes[k] += lanes[k + half];
		sums[i] = lanes[0];
	}
	return load(sums);
}
#endif

MMI_INLINE float number_at(const void *map, bool narrow, int64_t i)
{
	return narrow ? mmi_of_bf16(((const uint16_t *)map)[i]) : ((const float *)map)[i];
}

/* Stores W / 4 rows of `cols` columns through the epilogue. */
MMI_INLINE void finish_quarters(const int cols, const mmi_patch_job *j, int64_t row, int n_rows, vf x, vf bias)
{
	float lanes[W] = { 0 };
	uint16_t rounded[W];
	x = vact(x + bias, j->ep.act, j->ep.act_alpha);
	if (j->ep.mask) {
		for (int r = 0; r < n_rows; r++)
			for (int c = 0; c < cols; c++)
				lanes[4 * r + c] = number_at(j->ep.mask, j->ep.narrow_mask, j->dst_off[row + r] + c);
		x = vact_bwd(x, load(lanes), j->ep.mask_act, j->ep.mask_alpha);
	}
	store(lanes, x);
	if (MMI_PAIRS && j->narrow_dst)
		store_bf16(rounded, x);
	for (int r = 0; r < n_rows; r++)
		for (int c = 0; c < cols; c++) {
			const int64_t at = j->dst_off[row + r] + c;
			if (MMI_PAIRS && j->narrow_dst)
				((uint16_t *)j->dst)[at] = rounded[4 * r + c];
			else
				((float *)j->dst)[at] = lanes[4 * r + c];
		}
}

/* Sums of `rows` rows, NARROW_ROWS or a quarter of a vector. Rows behind the last repeat it. */
MMI_INLINE void narrow_rows(const int rows, const int cols, const mmi_patch_job *j, int64_t row, vf bias)
{
	enum { STEP = W * PER_LANE };
	const element *a[NARROW_ROWS], *src = j->src;
	vf acc[NARROW_ROWS][MMI_NARROW_COLS];
	const int64_t padded = (j->seg_len + STEP - 1) / STEP * STEP, depth = padded * j->n_seg;
	const int64_t last = j->rows - 1;
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		a[r] = src + j->src_off[row + r < last ? row + r : last];
		MMI_UNROLL
		for (int c = 0; c < MMI_NARROW_COLS; c++)
			acc[r][c] = splat(0.0f);
	}
	const element *b = j->b;
	int64_t shift = 0;
	for (int s = 0; s < j->n_seg; s++, shift += j->seg_stride) {
		for (int64_t k = shift; k < shift + padded; k += STEP, b += STEP) {
			elements w[MMI_NARROW_COLS];
			MMI_UNROLL
			for (int c = 0; c < cols; c++)
				w[c] = LOAD_ELEMENTS(b + c * depth);
			MMI_UNROLL
			for (int r = 0; r < rows; r++) {
				elements x = LOAD_ELEMENTS(a[r] + k);
				IN_REGISTER(x);
				MMI_UNROLL
				for (int c = 0; c < cols; c++)
					ADD_PRODUCT(acc[r][c], x, w[c]);
			}
		}
	}
	MMI_UNROLL
	for (int r = 0; r < rows; r += W / 4) {
		const int64_t left = j->rows - row - r;
		finish_quarters(cols, j, row + r, left < W / 4 ? (int)left : W / 4, lane_sums((const vf(*)[4])acc + r), bias);
	}
}

MMI_INLINE void narrow(const int cols, const mmi_patch_job *j)
{
	float lanes[W] = { 0 };
	for (int i = 0; j->ep.bias && i < W; i++)
		lanes[i] = i % 4 < cols ? j->ep.bias[i % 4] : 0.0f;
	const vf bias = load(lanes);
	int64_t row = 0;
	for (; row + NARROW_ROWS <= j->rows; row += NARROW_ROWS)
		narrow_rows(NARROW_ROWS, cols, j, row, bias);
	for (; row < j->rows; row += W / 4)
		narrow_rows(W / 4, cols, j, row, bias);
}

static void narrow_1(const mmi_patch_job *j)
{
	narrow(1, j);
}
static void narrow_2(const mmi_patch_job *j)
{
	narrow(2, j);
}
static void narrow_3(const mmi_patch_job *j)
{
	narrow(3, j);
}
static void narrow_4(const mmi_patch_job *j)
{
	narrow(4, j);
}

void MMI_PRODUCT_NAME(mmi_patch_narrow)(const mmi_patch_job *j)
{
	static void (*const by_cols[MMI_NARROW_COLS])(const mmi_patch_job *) = { narrow_1, narrow_2, narrow_3, narrow_4 };
	by_cols[j->cols - 1](j);
}
