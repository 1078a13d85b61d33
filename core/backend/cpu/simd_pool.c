/* simd_pool.c - pooling, upsampling, column sums, and the epilogue for kernels that do not fuse it. */
#include "mmi_build.h"

#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"

/* The cells of one window inside the map, and what each weighs. */
typedef struct window {
	int y0, y1, x0, x1;
	float weight;
} window;

static window window_at(const mmi_pool_job *j, int oy, int ox)
{
	window w = { oy * j->s - j->p, oy * j->s - j->p + j->k, ox * j->s - j->p, ox * j->s - j->p + j->k, 1.0f };
	w.y0 = w.y0 > 0 ? w.y0 : 0;
	w.x0 = w.x0 > 0 ? w.x0 : 0;
	w.y1 = w.y1 < j->h ? w.y1 : j->h;
	w.x1 = w.x1 < j->w ? w.x1 : j->w;
	const int inside = (w.y1 - w.y0) * (w.x1 - w.x0);
	if (j->average)
		w.weight = 1.0f / (float)(j->count_pad || inside < 1 ? j->k * j->k : inside);
	return w;
}

MMI_INLINE void pool_lanes(const mmi_pool_job *j, const window *w, float *dst, int col, int lanes)
{
	vf sum = splat(0.0f);
	for (int y = w->y0; y < w->y1; y++)
		for (int x = w->x0; x < w->x1; x++)
			sum += load_up_to(j->src + ((int64_t)y * j->w + x) * j->c + col, lanes);
	store_up_to(dst + col, sum * splat(w->weight), lanes);
}

void MMI_NAME(mmi_pool)(const mmi_pool_job *j)
{
	float *dst = j->dst;
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, dst += j->c) {
			const window w = window_at(j, oy, ox);
			int col = 0;
			for (; col + W <= j->c; col += W)
				pool_lanes(j, &w, dst, col, W);
			if (col < j->c)
				pool_lanes(j, &w, dst, col, j->c - col);
		}
}

MMI_INLINE void unpool_lanes(const mmi_pool_job *j, const window *w, const float *src, int col, int lanes)
{
	const vf part = load_up_to(src + col, lanes) * splat(w->weight);
	for (int y = w->y0; y < w->y1; y++)
		for (int x = w->x0; x < w->x1; x++) {
			float *p = j->dst + ((int64_t)y * j->w + x) * j->c + col;
			store_up_to(p, load_up_to(p, lanes) + part, lanes);
		}
}

void MMI_NAME(mmi_unpool)(const mmi_pool_job *j)
{
	const float *src = j->src;
	memset(j->dst, 0, (size_t)j->h * (size_t)j->w * (size_t)j->c * sizeof *j->dst);
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, src += j->c) {
			const window w = window_at(j, oy, ox);
			int col = 0;
			for (; col + W <= j->c; col += W)
				unpool_lanes(j, &w, src, col, W);
			if (col < j->c)
				unpool_lanes(j, &w, src, col, j->c - col);
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
