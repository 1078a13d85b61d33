/* simd_winograd.inc.c - convolutions by Winograd's algorithm (Lavin and Gray 2016): input tiles and weights are
 * transformed, which turns the convolution into a matrix product for each of 16 to 81 points, with a fifth to a half of
 * the work. */
#define MMI_EVEN_ROWS 1
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"
#include "backend/cpu/simd_wino_gather.h"

/* ------------------------------------------------------------------ products */

/* The tiles of a block that have a point. */
typedef struct wino_part {
	int64_t at;
	int n_tiles, rows, more; /* of the register: so many, of so many rows each, the first ones of one more */
} wino_part;

static wino_part part_of(const mmi_wino_job *j, const wino_layout *l, bool tall, bool broad)
{
	wino_part p;
	const int count = point_part(j, l, tall, broad, &p.at);
	p.n_tiles = (int)tile_count(count);
	p.rows = count ? count / p.n_tiles : 0;
	p.more = count ? count % p.n_tiles : 0;
	return p;
}

/* What is multiplied at a time: channels c0.. of some groups, whose weights of a point lie u_group apart. */
typedef struct wino_factors {
	const element *u;
	int64_t u_plane, u_group;
	int n_groups, c0, count;
	bool first; /* of the block: starts the sums */
} wino_factors;

static void multiply_point(const mmi_wino_job *j, const wino_layout *l, const wino_part *part, int point,
                           const wino_factors *f)
{
	tile t = { .a_row = l->v_row,
		       .n_seg = f->n_groups,
		       .seg_len = f->count,
		       .seg_stride = l->v_group,
		       .c_stride = l->m_row,
		       .end = f->first ? END_RAW : END_ADD };
	const int64_t channels = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE;
	const int64_t taken = (f->count + PER_LANE - 1) / PER_LANE * PER_LANE;
	for (int col = 0; col < l->m_plane; col += 2 * W) {
		const int nv = l->m_plane - col > W ? 2 : 1;
		t.b = f->u + point * f->u_plane + (int64_t)col * channels + (int64_t)f->c0 * nv * W;
		t.b_gap = f->u_group - taken * nv * W;
		t.a = l->v + part->at * l->v_row + point * l->v_plane;
		float *sums = l->m + part->at * l->m_row + point * l->m_plane + col;
		for (int i = 0; i < part->n_tiles; i++) {
			const int rows = part->rows + (i < part->more);
			t.c = sums;
			even_tiles[rows - 1][nv - 1](&t);
			t.a += rows * l->v_row;
			sums += rows * l->m_row;
		}
	}
}

static void multiply_points(const mmi_wino_job *j, const wino_layout *l, const wino_factors *f)
{
	const wino_part parts[2][2] = { { part_of(j, l, false, false), part_of(j, l, false, true) },
		                            { part_of(j, l, true, false), part_of(j, l, true, true) } };
	for (int y = 0; y < l->high; y++)
		for (int x = 0; x < l->wide; x++)
			multiply_point(j, l, &parts[y == l->high - 1][x == l->wide - 1], y * l->wide + x, f);
}

static void gather_groups(const mmi_wino_job *j, const wino_layout *l, int group, const wino_factors *f)
{
	wino_source x = x_source(j, l, group, f->c0, f->count);
	for (int i = 0; i < j->together; i++, x.group++)
		gather(j, l, &x, l->v + i * l->v_group);
}

static void multiply_groups(const mmi_wino_job *j, const wino_layout *l, int group)
{
	const int64_t plane = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE * l->m_plane;
	wino_factors f = { .u_plane = plane, .u_group = l->points * plane, .n_groups = j->together };
	f.u = (const element *)j->u + group * f.u_group;
	for (f.c0 = 0; f.c0 < j->c; f.c0 += j->c_block) {
		f.count = j->c - f.c0 < j->c_block ? j->c - f.c0 : j->c_block;
		f.first = group == 0 && f.c0 == 0;
		gather_groups(j, l, group, &f);
		multiply_points(j, l, &f);
	}
}

/* ------------------------------------------------------------------ output */

/* The outputs of tiles of one kind side by side. */
typedef struct outputs {
	int32_t at, count;          /* tiles in the block */
	int32_t points_down, wide;  /* of a tile: points of a column, outputs of a row */
	int32_t rows, columns;      /* outputs in the map, of all tiles */
	int64_t first, row, column; /* the first one's place in the map, from row to row, from column to column */
	int64_t next;               /* to the same place of the strip behind */
	bool whole;                 /* all rows are in the map */
} outputs;

typedef void (*along_out_fn)(const outputs *o, const wino_layout *l, const float *m, half_points half);
typedef void (*down_out_fn)(const outputs *o, const half_points half, void *dst, vf bias, vf floor, const void *mask,
                            int64_t ahead);

static int64_t output_of(const mmi_wino_job *j, const position *p)
{
	const int64_t y = p->sample * j->dst_h + j->dst_y + (int64_t)p->y * j->dst_step;
	return (y * j->dst_w + j->dst_x + (int64_t)p->x * j->dst_step) * j->cols;
}

static outputs outputs_of(const mmi_wino_job *j, const wino_layout *l, const wino_run *r, const position *p)
{
	outputs o = { .at = r->at, .count = tiles_aside(j, r), .points_down = l->high - !r->tall, .wide = r->grid->wide };
	o.rows = (int32_t)smaller(j->rows - p->y, r->grid->high);
	o.columns = (int32_t)smaller(j->columns - p->x, o.count * o.wide);
	o.column = (int64_t)j->dst_step * j->cols;
	o.row = o.column * j->dst_w;
	o.first = output_of(j, p);
	o.whole = o.rows == r->grid->high;
	return o;
}

/* W columns of the products of all points to outputs along each row of points. */
MMI_INLINE void products_along(const int points, const int taps, const bool last, const outputs *o,
                               const wino_layout *l, const float *m, half_points half)
{
	const int64_t plane = l->m_plane, row = l->wide * plane, wide = o->wide, rows = o->points_down;
	for (int64_t first = 0; first < o->count * wide; first += wide, m += l->m_row) {
		const float *from = m;
		vf *to = half + first;
		for (int64_t i = 0; i < rows; i++, from += row, to += STRIP_COLUMNS) {
			vf d[MAX_SPAN], y[MAX_SPAN];
			MMI_UNROLL
			for (int x = 0; x < points - !last; x++)
				d[x] = load(from + x * plane);
			transform_out(points, taps, last, d, y);
			MMI_UNROLL
			for (int x = 0; x < points - taps + last; x++)
				to[x] = y[x];
		}
	}
}

/* And down each column, at least `floor`. */
MMI_INLINE void products_down(const int points, const int taps, const bool last, const bool narrow, const bool masked,
                              const outputs *o, const half_points half, void *dst, vf bias, vf floor, const void *mask,
                              int64_t ahead)
{
	const int64_t bytes = narrow ? sizeof(uint16_t) : sizeof(float);
	const int64_t row = o->row, column = o->column;
	int64_t at = o->first, soon = at + ahead;
	for (int64_t x = 0, columns = o->columns; x < columns; x++, at += column, soon += column) {
		vf d[MAX_SPAN], out[MAX_SPAN];
		MMI_UNROLL
		for (int i = 0; i < points - !last; i++)
			d[i] = half[i * STRIP_COLUMNS + x];
		transform_out(points, taps, last, d, out);
		MMI_UNROLL
		for (int i = 0; i < points - taps + last; i++) {
			vf y = vmax(floor, out[i] + bias); /* a NaN stays one */
			if (masked)
				y = (vf)((vi)y & (vi)(load_map(narrow, mask, at + i * row) > splat(0.0f)));
			store_map(narrow, dst, at + i * row, y);
			prefetch_to_write(dst, bytes, soon + i * row);
			if (masked)
				prefetch_to_read(mask, bytes, soon + i * row);
		}
	}
}

#define ALONG_OUT_FN(points, taps, last)                                                                     \
	static void along_out_##points##_##taps##_##last(const outputs *o, const wino_layout *l, const float *m, \
	                                                 half_points half)                                       \
	{                                                                                                        \
		products_along(points, taps, last, o, l, m, half);                                                   \
	}
#define DOWN_OUT_FN(points, taps, last, narrow)                                                                     \
	static void down_out_##points##_##taps##_##last##_##narrow(const outputs *o, const half_points half, void *dst, \
	                                                           vf bias, vf floor, const void *mask, int64_t ahead)  \
	{                                                                                                               \
		if (mask)                                                                                                   \
			products_down(points, taps, last, narrow, true, o, half, dst, bias, floor, mask, ahead);                \
		else                                                                                                        \
			products_down(points, taps, last, narrow, false, o, half, dst, bias, floor, NULL, ahead);               \
	}
#define DOWN_OUT_PAIR(points, taps, narrow)                                              \
	{                                                                                    \
		down_out_##points##_##taps##_0_##narrow, down_out_##points##_##taps##_1_##narrow \
	}
#if MMI_PAIRS
#define DOWN_OUT_FNS(points, taps, last) DOWN_OUT_FN(points, taps, last, 0) DOWN_OUT_FN(points, taps, last, 1)
#define DOWN_OUT(points, taps) { DOWN_OUT_PAIR(points, taps, 0), DOWN_OUT_PAIR(points, taps, 1) },
#else
#define DOWN_OUT_FNS(points, taps, last) DOWN_OUT_FN(points, taps, last, 0)
#define DOWN_OUT(points, taps) { DOWN_OUT_PAIR(points, taps, 0) },
#endif
#define AXIS_OUT(points, taps, last) ALONG_OUT_FN(points, taps, last) DOWN_OUT_FNS(points, taps, last)
#define BOTH_OUT(points, taps) AXIS_OUT(points, taps, 0) AXIS_OUT(points, taps, 1)
#define ALONG_OUT(points, taps) { along_out_##points##_##taps##_0, along_out_##points##_##taps##_1 },
BOTH_TAPS(BOTH_OUT)
static const along_out_fn along_out_table[][MAX_SPAN][2] = BY_TAPS(ALONG_OUT);
static const down_out_fn down_out_table[][MAX_SPAN][MAP_KINDS][2] = BY_TAPS(DOWN_OUT);

/* From what is stored to what is fetched: the W columns behind, or of few outputs those of the strip behind. */
static int64_t fetched_ahead(const outputs *o, int col, int cols)
{
	enum { FEW = 48 };
	if (o->rows * o->columns < FEW)
		return o->next;
	return col + W < cols ? W : o->next - col;
}

/* What is no whole vector or lies outside in part, or has another epilogue, goes through a buffer. */
static void scatter_rest(const mmi_wino_job *j, const outputs *o, down_out_fn down, const half_points half, int col)
{
	float values[MAX_SPAN][STRIP_COLUMNS * W];
	const outputs near = { .row = STRIP_COLUMNS * W, .column = W, .columns = o->columns };
	const vf bias = bias_of(&j->ep, col, j->cols - col);
	down(&near, half, values, splat(0.0f), splat(-INFINITY), NULL, 0);
	for (int y = 0; y < o->rows; y++)
		for (int x = 0; x < o->columns; x++)
			finish(j->dst, MMI_PAIRS && j->narrow_dst, o->first + y * o->row + x * o->column, col, j->cols - col,
			       load(&values[y][x * W]), bias, &j->ep);
}

/* For tiles of one kind: to points, to the map, to a buffer of floats. */
typedef struct out_fns {
	along_out_fn along;
	down_out_fn down, near;
} out_fns;

static out_fns out_fns_of(const mmi_wino_job *j, int kind)
{
	const down_out_fn(*down)[2] = down_out_table[j->taps - 2][j->y.size - MIN_SIZE(j->taps)];
	return (out_fns){ along_out_table[j->taps - 2][j->x.size - MIN_SIZE(j->taps)][is_broad(kind)],
		              down[MMI_PAIRS && j->narrow_dst][is_tall(kind)], down[0][is_tall(kind)] };
}

static void scatter_strip(const mmi_wino_job *j, const wino_layout *l, const outputs *o, const out_fns *fns)
{
	const bool narrow = MMI_PAIRS && j->narrow_dst;
	const int end = o->whole ? register_end(&j->ep, narrow, j->cols, 1) : END_RAW;
	const vf floor = splat(end == END_BIAS_RELU ? 0.0f : -INFINITY);
	half_points half;
	for (int col = 0; col < j->cols; col += W) {
		fns->along(o, l, l->m + o->at * l->m_row + col, half);
		if (end == END_RAW || j->cols - col < W)
			scatter_rest(j, o, fns->near, half, col);
		else
			fns->down(o, half, mmi_map_to(j->dst, narrow, col), bias_of(&j->ep, col, W), floor,
			          end == END_BIAS_MASK ? mmi_map_at(j->ep.mask, narrow, col) : NULL,
			          fetched_ahead(o, col, j->cols));
	}
}

static void scatter(const mmi_wino_job *j, const wino_layout *l)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const out_fns fns = out_fns_of(j, kind);
		wino_run r = run_of(j, l, kind);
		if (!r.count)
			continue;
		position p = position_of(&r);
		while (r.count) {
			outputs o = outputs_of(j, l, &r, &p);
			run_on(&r, o.count);
			p = position_of(&r);
			o.next = output_of(j, &p) - o.first;
			scatter_strip(j, l, &o, &fns);
		}
	}
}

void MMI_PRODUCT_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int group = 0; group < j->n_groups; group += j->together)
		multiply_groups(j, &l, group);
	scatter(j, &l);
}
