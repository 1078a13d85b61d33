/* simd_pool.inc.c - pooling, upsampling, and the epilogue for kernels that do not fuse it. */
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_element.h"
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

/* Which of a job's maps are narrow. */
typedef struct pool_maps {
	bool src, dst;
} pool_maps;

MMI_INLINE void pool_lanes(const pool_maps narrow, const int rows, const int columns, const mmi_pool_job *j,
                           const window *w, int64_t to, int col, int lanes)
{
	int64_t cell = w->first * j->c + col;
	vf sum = splat(0.0f);
	for (int y = 0; y < rows; y++, cell += (int64_t)j->w * j->c)
		for (int x = 0; x < columns; x++)
			sum += load_map_up_to(narrow.src, j->src, cell + (int64_t)x * j->c, lanes);
	store_map_up_to(narrow.dst, j->dst, to + col, sum * splat(w->weight), lanes);
}

MMI_INLINE void pool_window(const pool_maps narrow, const int rows, const int columns, const mmi_pool_job *j,
                            const window *w, int64_t to)
{
	int col = 0;
	for (; col + W <= j->c; col += W)
		pool_lanes(narrow, rows, columns, j, w, to, col, W);
	if (col < j->c)
		pool_lanes(narrow, rows, columns, j, w, to, col, j->c - col);
}

MMI_INLINE void pool_as(const pool_maps narrow, const mmi_pool_job *j)
{
	int64_t to = 0;
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, to += j->c) {
			const window w = window_at(j, oy, ox);
			if (is_two(&w))
				pool_window(narrow, 2, 2, j, &w, to);
			else
				pool_window(narrow, w.rows, w.columns, j, &w, to);
		}
}

/* Adds to the cells, or is all that they get. */
MMI_INLINE void unpool_lanes(const pool_maps narrow, const int rows, const int columns, const bool add,
                             const mmi_pool_job *j, const window *w, int64_t from, int col, int lanes)
{
	const vf part = load_map_up_to(narrow.src, j->src, from + col, lanes) * splat(w->weight);
	int64_t cell = w->first * j->c + col;
	for (int y = 0; y < rows; y++, cell += (int64_t)j->w * j->c)
		for (int x = 0; x < columns; x++) {
			const int64_t at = cell + (int64_t)x * j->c;
			store_map_up_to(narrow.dst, j->dst, at, add ? load_map_up_to(narrow.dst, j->dst, at, lanes) + part : part,
			                lanes);
		}
}

MMI_INLINE void unpool_window(const pool_maps narrow, const int rows, const int columns, const bool add,
                              const mmi_pool_job *j, const window *w, int64_t from)
{
	int col = 0;
	for (; col + W <= j->c; col += W)
		unpool_lanes(narrow, rows, columns, add, j, w, from, col, W);
	if (col < j->c)
		unpool_lanes(narrow, rows, columns, add, j, w, from, col, j->c - col);
}

/* Each cell is in one window. */
static bool is_partition(const mmi_pool_job *j)
{
	return j->k == j->s && j->p == 0 && j->oh * j->k == j->h && j->ow * j->k == j->w;
}

MMI_INLINE void unpool_as(const pool_maps narrow, const mmi_pool_job *j)
{
	const bool add = !is_partition(j);
	int64_t from = 0;
	if (add)
		memset(j->dst, 0, (size_t)j->h * (size_t)j->w * (size_t)j->c * (narrow.dst ? sizeof(uint16_t) : sizeof(float)));
	for (int oy = 0; oy < j->oh; oy++)
		for (int ox = 0; ox < j->ow; ox++, from += j->c) {
			const window w = window_at(j, oy, ox);
			if (!add && is_two(&w))
				unpool_window(narrow, 2, 2, false, j, &w, from);
			else
				unpool_window(narrow, w.rows, w.columns, add, j, &w, from);
		}
}

#define POOL_FN(name, narrow_src, narrow_dst)                          \
	static void name##_##narrow_src##narrow_dst(const mmi_pool_job *j) \
	{                                                                  \
		name##_as((pool_maps){ narrow_src, narrow_dst }, j);           \
	}
#if MMI_PAIRS
#define POOL_FNS(name)                                                                           \
	POOL_FN(name, 0, 0)                                                                          \
	POOL_FN(name, 0, 1)                                                                          \
	POOL_FN(name, 1, 0)                                                                          \
	POOL_FN(name, 1, 1)                                                                          \
	static void (*const name##_table[2][2])(const mmi_pool_job *j) = { { name##_00, name##_01 }, \
		                                                               { name##_10, name##_11 } };
#define POOL(name, j) name##_table[(j)->narrow_src][(j)->narrow_dst](j)
#else
#define POOL_FNS(name) POOL_FN(name, 0, 0)
#define POOL(name, j) name##_00(j)
#endif
POOL_FNS(pool)
POOL_FNS(unpool)

void MMI_PRODUCT_NAME(mmi_pool)(const mmi_pool_job *j)
{
	POOL(pool, j);
}

void MMI_PRODUCT_NAME(mmi_unpool)(const mmi_pool_job *j)
{
	POOL(unpool, j);
}

void MMI_PRODUCT_NAME(mmi_epilogue_apply)(const float *sums, void *out, bool narrow, int64_t rows, int32_t cols,
                                          const mmi_epilogue *ep)
{
	for (int64_t r = 0; r < rows; r++)
		for (int col = 0; col < cols; col += W) {
			const int lanes = cols - col;
			const int64_t at = r * cols;
			finish(out, MMI_PAIRS && narrow, at, col, lanes, load_up_to(sums + at + col, lanes),
			       bias_of(ep, col, lanes), ep);
		}
}
