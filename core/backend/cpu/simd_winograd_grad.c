/* simd_winograd_grad.c - gradients to the weights of convolutions by Winograd's algorithm: that of a tile of outputs is
 * a convolution of the pixels it reads with what is to be there, which takes the same points. The sums over all tiles
 * of a point are one matrix product. */
#include "mmi_build.h"

#define MMI_READS_NARROW 1
#include "backend/cpu/simd_wino_gather.h"

/* ------------------------------------------------------------------ tiles of dy to points */

#define DY_FNS(points, taps) \
	STRIP_FNS(dy_##taps, points, points + 1 - taps, 0) STRIP_FNS(dy_##taps, points, points + 1 - taps, 1)
#define DY_DOWN(points, taps) DOWN_ENTRY(dy_##taps, points),
#define DY_ALONG(points, taps) ALONG_ENTRY(dy_##taps, points),
BOTH_TAPS(DY_FNS)
static const down_fn dy_down[][MAX_SPAN][MAP_KINDS][2] = BY_TAPS(DY_DOWN);
static const along_fn dy_along[][MAX_SPAN][2] = BY_TAPS(DY_ALONG);

/* Pixels of dy, as a map whose tiles are what they are a convolution's outputs of. */
static mmi_wino_job dy_job(const mmi_wino_grad_job *g)
{
	mmi_wino_job j = g->tiles;
	j.src = g->dy;
	j.narrow_src = g->narrow_dy;
	j.h = j.dst_h;
	j.w = j.dst_w;
	j.c = j.cols;
	j.taps = 1;
	j.src_step = 1;
	j.group[0].y = j.group[0].x = 0;
	return j;
}

static void gather_dy(const mmi_wino_grad_job *g, const wino_layout *l)
{
	const mmi_wino_job j = dy_job(g);
	wino_source dy = { .count = j.c };
	wino_layout to = *l;
	memcpy(dy.down, dy_down[g->tiles.taps - 2][j.y.size - MIN_SIZE(g->tiles.taps)][g->narrow_dy], sizeof dy.down);
	memcpy(dy.along, dy_along[g->tiles.taps - 2][j.x.size - MIN_SIZE(g->tiles.taps)], sizeof dy.along);
	to.v_row = l->m_row;
	to.v_plane = l->m_plane;
	gather(&j, &to, &dy, l->m);
}

/* ------------------------------------------------------------------ products */

static void add_products(const mmi_wino_grad_job *g, const wino_layout *l, int c0, int count)
{
	const mmi_wino_job *j = &g->tiles;
	mmi_grad_job p = { .src_off = g->src_off, .dy_stride = l->m_row, .n_seg = 1, .seg_len = count, .cols = j->cols };
	for (int point = 0; point < l->points; point++) {
		int64_t at;
		p.rows = point_part(j, l, point / l->wide == l->high - 1, point % l->wide == l->wide - 1, &at);
		p.src = l->v + at * l->v_row + point * l->v_plane;
		p.dy = l->m + at * l->m_row + point * l->m_plane;
		p.out = g->sums + ((int64_t)point * j->c + c0) * j->cols;
		if (p.rows)
			MMI_NAME(mmi_grad_wide)(&p);
	}
}

void MMI_NAME(mmi_winograd_grad)(const mmi_wino_grad_job *g)
{
	const mmi_wino_job *j = &g->tiles;
	const wino_layout l = layout_of(j);
	gather_dy(g, &l);
	for (int c0 = 0; c0 < j->c; c0 += j->c_block) {
		const int count = j->c - c0 < j->c_block ? j->c - c0 : j->c_block;
		const wino_source x = x_source(j, &l, g->group, c0, count);
		gather(j, &l, &x, l.v);
		add_products(g, &l, c0, count);
	}
}

/* ------------------------------------------------------------------ sums to taps */

/* W sums of each point to the taps along each column, and along each row. */
MMI_INLINE void column_taps(const int points, const int size, int columns, const float *m, int64_t plane, int lanes,
                            vf half[3][MAX_SPAN])
{
	for (int x = 0; x < columns; x++) {
		vf d[MAX_SPAN], y[MAX_SPAN];
		MMI_UNROLL
		for (int i = 0; i < points; i++)
			d[i] = load_up_to(m + (i * columns + x) * plane, lanes);
		transform_out(points, size, true, d, y);
		MMI_UNROLL
		for (int i = 0; i < points + 1 - size; i++)
			half[i][x] = y[i];
	}
}

MMI_INLINE void row_taps(const int points, const int size, const mmi_wino_grad_job *g, const vf half[3][MAX_SPAN],
                         float *out, int lanes)
{
	const int taps = points + 1 - size;
	MMI_UNROLL
	for (int i = 0; i < taps; i++) {
		vf y[MAX_SPAN];
		transform_out(points, size, true, half[i], y);
		MMI_UNROLL
		for (int x = 0; x < taps; x++) {
			float *at = out + i * g->out_row + x * g->out_column;
			store_up_to(at, load_up_to(at, lanes) + y[x], lanes);
		}
	}
}

typedef void (*column_taps_fn)(int columns, const float *m, int64_t plane, int lanes, vf half[3][MAX_SPAN]);
typedef void (*row_taps_fn)(const mmi_wino_grad_job *g, const vf half[3][MAX_SPAN], float *out, int lanes);

#define TAPS(points, taps)                                                                                     \
	static void column_taps_##points##_##taps(int columns, const float *m, int64_t plane, int lanes,           \
	                                          vf half[3][MAX_SPAN])                                            \
	{                                                                                                          \
		column_taps(points, points + 1 - taps, columns, m, plane, lanes, half);                                \
	}                                                                                                          \
	static void row_taps_##points##_##taps(const mmi_wino_grad_job *g, const vf half[3][MAX_SPAN], float *out, \
	                                       int lanes)                                                          \
	{                                                                                                          \
		row_taps(points, points + 1 - taps, g, half, out, lanes);                                              \
	}
#define COLUMN_TAPS(points, taps) column_taps_##points##_##taps,
#define ROW_TAPS(points, taps) row_taps_##points##_##taps,
BOTH_TAPS(TAPS)
static const column_taps_fn column_taps_table[][MAX_SPAN] = BY_TAPS(COLUMN_TAPS);
static const row_taps_fn row_taps_table[][MAX_SPAN] = BY_TAPS(ROW_TAPS);

void MMI_NAME(mmi_winograd_taps)(const mmi_wino_grad_job *g)
{
	const mmi_wino_job *j = &g->tiles;
	const wino_layout l = layout_of(j);
	const column_taps_fn along_columns = column_taps_table[j->taps - 2][j->y.size - MIN_SIZE(j->taps)];
	const row_taps_fn along_rows = row_taps_table[j->taps - 2][j->x.size - MIN_SIZE(j->taps)];
	const int64_t plane = (int64_t)j->c * j->cols;
	vf half[3][MAX_SPAN];
	for (int64_t i = 0; i < plane; i += W) {
		const int lanes = plane - i < W ? (int)(plane - i) : W;
		along_columns(l.wide, g->sums + i, plane, lanes, half);
		along_rows(g, (const vf(*)[MAX_SPAN])half, g->out + i, lanes);
	}
}
