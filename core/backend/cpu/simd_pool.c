/* simd_pool.c - pooling, upsampling, column sums, and the epilogue for kernels that do not fuse it. */
#include "mmi_build.h"

#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"

/* The cells of one window inside the map, from the first one's place on, and what each weighs. */
typedef struct window {
	int64_t first; /* of [h, w] */
	int rows, columns;
	float weight;
} window;

static window window_at(const mmi_pool_job *j, int oy, int ox)
{
	int y0 = oy * j->s - j->p, y1 = y0 + j->k, x0 = ox * j->s - j->p, x1 = x0 + j->k;
	y0 = y0 > 0 ? y0 : 0;
	x0 = x0 > 0 ? x0 : 0;
	y1 = y1 < j->h ? y1 : j->h;
	x1 = x1 < j->w ? x1 : j->w;
	window w = { (int64_t)y0 * j->w + x0, y1 - y0, x1 - x0, 1.0f };
	const int inside = w.rows * w.columns;
	if (j->average)
		w.weight = 1.0f / (float)(j->count_pad || inside < 1 ? j->k * j->k : inside);
	return w;
}

/* Windows of 2 x 2 cells, the usual ones, are unrolled. */
static bool is_two(const window *w)
{
	return w->rows == 2 && w->columns == 2;
}

MMI_INLINE void pool_lanes(const int rows, const int columns, const mmi_pool_job *j, const window *w, float *dst,
                           int col, int lanes)
{
	const float *cell = j->src + w->first * j->c + col;
	vf sum = splat(0.0f);
	for (int y = 0; y < rows; y++, cell += (int64_t)j->w * j->c)
		for (int x = 0; x < columns; x++)
			sum += load_up_to(cell + (int64_t)x * j->c, lanes);
	store_up_to(dst + col, sum * splat(w->weight), lanes);
}

MMI_INLINE void pool_window(const int rows, const int columns, const mmi_pool_job *j, const window *w, float *dst)
{
	int col = 0;
	for (; col + W <= j->c; col += W)
		pool_lanes(rows, columns, j, w, dst, col, W);
	if (col < j->c)
		pool_lanes(rows, columns, j, w, dst, col, j->c - col);
}

void MMI_NAME(mmi_pool)(const mmi_pool_job *j)
{
	float *dst = j->dst;
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, dst += j->c) {
			const window w = window_at(j, oy, ox);
			if (is_two(&w))
				pool_window(2, 2, j, &w, dst);
			else
				pool_window(w.rows, w.columns, j, &w, dst);
		}
}

/* Adds to the cells, or is all that they get. */
MMI_INLINE void unpool_lanes(const int rows, const int columns, const bool add, const mmi_pool_job *j, const window *w,
                             const float *src, int col, int lanes)
{
	const vf part = load_up_to(src + col, lanes) * splat(w->weight);
	float *cell = j->dst + w->first * j->c + col;
	for (int y = 0; y < rows; y++, cell += (int64_t)j->w * j->c)
		for (int x = 0; x < columns; x++) {
			float *p = cell + (int64_t)x * j->c;
			store_up_to(p, add ? load_up_to(p, lanes) + part : part, lanes);
		}
}

MMI_INLINE void unpool_window(const int rows, const int columns, const bool add, const mmi_pool_job *j, const window *w,
                              const float *src)
{
	int col = 0;
	for (; col + W <= j->c; col += W)
		unpool_lanes(rows, columns, add, j, w, src, col, W);
	if (col < j->c)
		unpool_lanes(rows, columns, add, j, w, src, col, j->c - col);
}

/* Each cell is in one window. */
static bool is_partition(const mmi_pool_job *j)
{
	return j->k == j->s && j->p == 0 && j->oh * j->k == j->h && j->ow * j->k == j->w;
}

void MMI_NAME(mmi_unpool)(const mmi_pool_job *j)
{
	const float *src = j->src;
	const bool add = !is_partition(j);
	if (add)
		memset(j->dst, 0, (size_t)j->h * (size_t)j->w * (size_t)j->c * sizeof *j->dst);
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, src += j->c) {
			const window w = window_at(j, oy, ox);
			if (!add && is_two(&w))
				unpool_window(2, 2, false, j, &w, src);
			else
				unpool_window(w.rows, w.columns, add, j, &w, src);
		}
}

void MMI_NAME(mmi_epilogue_apply)(float *out, int64_t rows, int32_t cols, const mmi_epilogue *ep)
{
	for (int64_t r = 0; r < rows; r++)
		for (int col = 0; col < cols; col += W) {
			const int lanes = cols - col;
			const int64_t at = r * cols;
			finish(out, at, col, lanes, load_up_to(out + at + col, lanes), bias_of(ep, col, lanes), ep);
		}
}

#define SUM_ROWS 256

/* Sums of up to SUM_ROWS rows, W columns at a time. */
static void block_sums(const float *x, int64_t rows, int32_t cols, double *sums)
{
	for (int col = 0; col < cols; col += W) {
		const int lanes = cols - col < W ? cols - col : W;
		vf sum = splat(0.0f);
		for (int64_t r = 0; r < rows; r++)
			sum += load_up_to(x + r * cols + col, lanes);
		for (int i = 0; i < lanes; i++)
			sums[col + i] += (double)sum[i];
	}
}

void MMI_NAME(mmi_column_sums)(const float *x, int64_t rows, int32_t cols, double *sums)
{
	for (int64_t r = 0; r < rows; r += SUM_ROWS)
		block_sums(x + r * cols, rows - r < SUM_ROWS ? rows - r : SUM_ROWS, cols, sums);
}
