/* simd_patch.c - products of patches with packed weights: convolutions and linear layers. */
#include "config.h"

#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"

/* ------------------------------------------------------------------ wide: vectors along the columns */

static void finish_tile(const float *sums, int rows, int nv, const mmi_patch_job *j, int64_t row, int col)
{
	const int n0 = j->cols - col, n1 = n0 - W;
	const vf bias0 = bias_of(&j->ep, col, n0), bias1 = nv > 1 ? bias_of(&j->ep, col + W, n1) : bias0;
	for (int r = 0; r < rows; r++, sums += 2 * W) {
		finish(j->dst, j->dst_off[row + r], col, n0, load(sums), bias0, &j->ep);
		if (nv > 1)
			finish(j->dst, j->dst_off[row + r], col + W, n1, load(sums + W), bias1, &j->ep);
	}
}

static void wide_panel(const mmi_patch_job *j, const float *b, int col, int nv)
{
	vf sums[TILE_ROWS][2];
	tile t = { .a = j->src, .n_seg = j->n_seg, .seg_len = j->seg_len, .seg_stride = j->seg_stride, .b = b,
	           .c = (float *)sums, .c_stride = 2 * W };
	const int64_t n_tiles = tile_count(j->rows);
	for (int64_t i = 0, row = 0; i < n_tiles; i++) {
		const int rows = tile_rows_of(j->rows, n_tiles, i);
		t.off = j->src_off + row;
		tile_table[rows - 1][nv - 1](&t);
		finish_tile((const float *)sums, rows, nv, j, row, col);
		row += rows;
	}
}

void MMI_NAME(mmi_patch_wide)(const mmi_patch_job *j)
{
	const int64_t depth = (int64_t)j->n_seg * j->seg_len;
	const float *b = j->b;
	for (int col = 0; col < j->cols; col += 2 * W) {
		const int nv = j->cols - col > W ? 2 : 1;
		wide_panel(j, b, col, nv);
		b += depth * nv * W;
	}
}

/* ------------------------------------------------------------------ narrow: up to 4 columns, vectors along the depth */

#define NARROW_ROWS (TILE_ROWS == 14 ? 8 : 4)

/* The lanes' sum of each of four vectors. */
MMI_INLINE v4 lane_sums(const vf x[MMI_NARROW_COLS])
{
	v4 s[MMI_NARROW_COLS];
	for (int i = 0; i < MMI_NARROW_COLS; i++) {
		float lanes[W];
		store(lanes, x[i]);
		v4 q[W / 4];
		memcpy(q, lanes, sizeof q);
		s[i] = q[0];
		for (int k = 1; k < W / 4; k++)
			s[i] += q[k];
	}
	v4 sum;
	for (int i = 0; i < MMI_NARROW_COLS; i++)
		sum[i] = (s[i][0] + s[i][2]) + (s[i][1] + s[i][3]);
	return sum;
}

MMI_INLINE void narrow_body(const int rows, const int cols, const mmi_patch_job *j, int64_t row, float *sums)
{
	const float *a[NARROW_ROWS];
	vf acc[NARROW_ROWS][MMI_NARROW_COLS];
	const int64_t padded = (j->seg_len + W - 1) / W * W, depth = padded * j->n_seg;
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		a[r] = j->src + j->src_off[row + r];
		MMI_UNROLL
		for (int c = 0; c < MMI_NARROW_COLS; c++)
			acc[r][c] = splat(0.0f);
	}
	const float *b = j->b;
	int64_t shift = 0;
	for (int s = 0; s < j->n_seg; s++, shift += j->seg_stride) {
		for (int64_t k = shift; k < shift + padded; k += W, b += W) {
			vf w[MMI_NARROW_COLS];
			MMI_UNROLL
			for (int c = 0; c < cols; c++)
				w[c] = load(b + c * depth);
			MMI_UNROLL
			for (int r = 0; r < rows; r++) {
				vf x = load(a[r] + k);
				MMI_UNROLL
				for (int c = 0; c < cols; c++)
					acc[r][c] += x * w[c];
			}
		}
	}
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		v4 sum = lane_sums(acc[r]);
		memcpy(sums + 4 * r, &sum, sizeof sum);
	}
}

#define NARROW_FN(cols)                                                                                  \
	static void narrow_all_##cols(const mmi_patch_job *j, int64_t row, float *sums)                      \
	{                                                                                                    \
		narrow_body(NARROW_ROWS, cols, j, row, sums);                                                    \
	}                                                                                                    \
	static void narrow_one_##cols(const mmi_patch_job *j, int64_t row, float *sums)                      \
	{                                                                                                    \
		narrow_body(1, cols, j, row, sums);                                                              \
	}
NARROW_FN(1)
NARROW_FN(2)
NARROW_FN(3)
NARROW_FN(4)

typedef void (*narrow_fn)(const mmi_patch_job *j, int64_t row, float *sums);
static const narrow_fn narrow_all[MMI_NARROW_COLS] = { narrow_all_1, narrow_all_2, narrow_all_3, narrow_all_4 };
static const narrow_fn narrow_one[MMI_NARROW_COLS] = { narrow_one_1, narrow_one_2, narrow_one_3, narrow_one_4 };

/* Stores `rows` results through the epilogue, W / 4 rows of 4 columns in a vector. */
static void finish_narrow(const float *sums, int rows, const mmi_patch_job *j, int64_t row)
{
	const int n = j->cols;
	const vf bias = bias_of(&j->ep, 0, n);
	for (int r = 0; r < rows; r++)
		finish(j->dst, j->dst_off[row + r], 0, n, load_part(sums + 4 * r, n), bias, &j->ep);
}

void MMI_NAME(mmi_patch_narrow)(const mmi_patch_job *j)
{
	float sums[NARROW_ROWS * MMI_NARROW_COLS];
	int64_t row = 0;
	for (; row + NARROW_ROWS <= j->rows; row += NARROW_ROWS) {
		narrow_all[j->cols - 1](j, row, sums);
		finish_narrow(sums, NARROW_ROWS, j, row);
	}
	for (; row < j->rows; row++) {
		narrow_one[j->cols - 1](j, row, sums);
		finish_narrow(sums, 1, j, row);
	}
}
