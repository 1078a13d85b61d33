/* simd_grad.inc.c - gradients to weights: products over the pixels of a group of samples. */
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_vec.h"

/* What is multiplied: floats, or with MMI_PAIRS the numbers of two pixels in bfloat16. */
#if MMI_PAIRS
#include "backend/cpu/simd_bf16.h"
typedef uint32_t operand;
typedef vp operands;
#define LOAD_OPERANDS load_pairs
#define SPLAT_OPERAND(x) ((x) - (vp){ 0 })
#define ADD_OPERANDS(sum, x, y) sum = add_pairs(sum, x, y)
#define GRAD_NAME(name) MMI_NAME(name##_bf16)
#else
typedef float operand;
typedef vf operands;
#define LOAD_OPERANDS load
#define SPLAT_OPERAND splat
#define ADD_OPERANDS(sum, x, y) sum += (x) * (y)
#define GRAD_NAME(name) MMI_NAME(name)
#endif

/* ------------------------------------------------------------------ wide: patch elements broadcast, vectors along dy
 */

typedef struct grad_tile {
	const operand *a;  /* + src_off[row] + m */
	const operand *dy; /* + row * dy_stride */
	float *out;        /* + m * cols */
	int cols_left;
} grad_tile;

MMI_INLINE void add_to(float *p, vf x, int n)
{
	store_up_to(p, load_up_to(p, n) + x, n);
}

/* A tile whose last vector has columns beyond the last one. */
static __attribute__((noinline)) void add_part(const float *sums, int rows, int nv, int64_t cols, const grad_tile *t)
{
	for (int m = 0; m < rows; m++)
		for (int v = 0; v < nv; v++, sums += W)
			add_to(t->out + m * cols + v * W, load(sums), t->cols_left - v * W);
}

MMI_INLINE void grad_body(const int m_rows, const int nv, const mmi_grad_job *j, const grad_tile *t)
{
	vf acc[TILE_ROWS][2];
	MMI_UNROLL
	for (int m = 0; m < m_rows; m++)
		acc[m][0] = acc[m][1] = splat(0.0f);
	const operand *dy = t->dy;
	for (int64_t r = 0; r < j->rows; r++, dy += j->dy_stride) {
		const operand *a = t->a + j->src_off[r];
		operands d0 = LOAD_OPERANDS(dy), d1 = nv > 1 ? LOAD_OPERANDS(dy + W) : d0;
		MMI_UNROLL
		for (int m = 0; m < m_rows; m++) {
			operands x = SPLAT_OPERAND(a[m]);
			ADD_OPERANDS(acc[m][0], x, d0);
			if (nv > 1)
				ADD_OPERANDS(acc[m][1], x, d1);
		}
	}
	/* Calls in this function would cost the loop registers. */
	float sums[TILE_ROWS * 2 * W];
	const bool whole = t->cols_left >= nv * W;
	const int64_t stride = whole ? j->cols : nv * W;
	float *to = whole ? t->out : sums;
	MMI_UNROLL
	for (int m = 0; m < m_rows; m++) {
		MMI_UNROLL
		for (int v = 0; v < nv; v++) {
			float *p = to + m * stride + v * W;
			store(p, whole ? load(p) + acc[m][v] : acc[m][v]);
		}
	}
	if (!whole)
		add_part(sums, m_rows, nv, j->cols, t);
}

typedef void (*grad_fn)(const mmi_grad_job *j, const grad_tile *t);
#define GRAD_FN(rows)                                                      \
	static void grad_##rows##_1(const mmi_grad_job *j, const grad_tile *t) \
	{                                                                      \
		grad_body(rows, 1, j, t);                                          \
	}                                                                      \
	static void grad_##rows##_2(const mmi_grad_job *j, const grad_tile *t) \
	{                                                                      \
		grad_body(rows, 2, j, t);                                          \
	}
#define GRAD_ENTRY(rows) { grad_##rows##_1, grad_##rows##_2 },
TILE_LIST(GRAD_FN)
static const grad_fn grad_table[TILE_ROWS][2] = { TILE_LIST(GRAD_ENTRY) };

static void grad_segment(const mmi_grad_job *j, int seg, int col)
{
	const int64_t n_tiles = tile_count(j->seg_len);
	const int nv = j->cols - col > W ? 2 : 1;
	grad_tile t = { .a = (const operand *)j->src + seg * j->seg_stride,
		            .dy = (const operand *)j->dy + col,
		            .cols_left = j->cols - col,
		            .out = j->out + (int64_t)seg * j->seg_len * j->cols + col };
	for (int64_t i = 0; i < n_tiles; i++) {
		const int m_rows = tile_rows_of(j->seg_len, n_tiles, i);
		grad_table[m_rows - 1][nv - 1](j, &t);
		t.a += m_rows;
		t.out += (int64_t)m_rows * j->cols;
	}
}

void GRAD_NAME(mmi_grad_wide)(const mmi_grad_job *j)
{
	for (int col = 0; col < j->cols; col += 2 * W)
		for (int seg = 0; seg < j->n_seg; seg++)
			grad_segment(j, seg, col);
}

#if !MMI_PAIRS
/* ------------------------------------------------------------------ narrow: dy broadcast, vectors along the patch */

#define NARROW_VECTORS (TILE_ROWS == 14 ? 6 : 2)

/* nv vectors of patch elements from m on, of which `count` elements count. */
MMI_INLINE void narrow_body(const int cols, const int nv, const mmi_grad_job *j, const float *src, float *out,
                            int count)
{
	vf acc[MMI_NARROW_COLS][NARROW_VECTORS];
	MMI_UNROLL
	for (int c = 0; c < cols; c++) {
		MMI_UNROLL
		for (int v = 0; v < nv; v++)
			acc[c][v] = splat(0.0f);
	}
	const float *dy = j->dy;
	for (int64_t r = 0; r < j->rows; r++, dy += j->dy_stride) {
		const float *a = src + j->src_off[r];
		vf x[NARROW_VECTORS];
		MMI_UNROLL
		for (int v = 0; v < nv; v++)
			x[v] = load(a + v * W);
		MMI_UNROLL
		for (int c = 0; c < cols; c++) {
			vf d = splat(dy[c]);
			MMI_UNROLL
			for (int v = 0; v < nv; v++)
				acc[c][v] += d * x[v];
		}
	}
	for (int c = 0; c < cols; c++) {
		float sums[NARROW_VECTORS * W] = { 0 };
		for (int v = 0; v < nv; v++)
			store(sums + v * W, acc[c][v]);
		for (int m = 0; m < count; m++)
			out[(int64_t)m * cols + c] += sums[m];
	}
}

typedef void (*narrow_fn)(const mmi_grad_job *j, const float *src, float *out, int count);
#define NARROW_FN(cols)                                                                           \
	static void narrow_all_##cols(const mmi_grad_job *j, const float *src, float *out, int count) \
	{                                                                                             \
		narrow_body(cols, NARROW_VECTORS, j, src, out, count);                                    \
	}                                                                                             \
	static void narrow_one_##cols(const mmi_grad_job *j, const float *src, float *out, int count) \
	{                                                                                             \
		narrow_body(cols, 1, j, src, out, count);                                                 \
	}
NARROW_FN(1)
NARROW_FN(2)
NARROW_FN(3)
NARROW_FN(4)
static const narrow_fn narrow_all[MMI_NARROW_COLS] = { narrow_all_1, narrow_all_2, narrow_all_3, narrow_all_4 };
static const narrow_fn narrow_one[MMI_NARROW_COLS] = { narrow_one_1, narrow_one_2, narrow_one_3, narrow_one_4 };

static void narrow_segment(const mmi_grad_job *j, int seg)
{
	const float *src = (const float *)j->src + seg * j->seg_stride;
	float *out = j->out + (int64_t)seg * j->seg_len * j->cols;
	int m = 0;
	for (; m + NARROW_VECTORS * W <= j->seg_len; m += NARROW_VECTORS * W)
		narrow_all[j->cols - 1](j, src + m, out + (int64_t)m * j->cols, NARROW_VECTORS * W);
	for (; m < j->seg_len; m += W)
		narrow_one[j->cols - 1](j, src + m, out + (int64_t)m * j->cols, j->seg_len - m < W ? j->seg_len - m : W);
}

void GRAD_NAME(mmi_grad_narrow)(const mmi_grad_job *j)
{
	for (int seg = 0; seg < j->n_seg; seg++)
		narrow_segment(j, seg);
}
#endif
