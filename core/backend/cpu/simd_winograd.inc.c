/* simd_winograd.inc.c - convolutions by Winograd's algorithm (Lavin and Gray 2016): input tiles and weights are
 * transformed, which turns the convolution into a matrix product for each of 16 to 81 points, with a fifth to a half of
 * the work. */
#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_tile.h"
#include "backend/cpu/simd_wino_tiles.h"

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

static void multiply_point(const mmi_wino_job *j, const wino_layout *l, const int32_t row_off[TILE_ROWS],
                           const wino_part *part, int point, const wino_factors *f)
{
	tile t = { .a_off = row_off,
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
		t.c = l->m + part->at * l->m_row + point * l->m_plane + col;
		for (int i = 0; i < part->n_tiles; i++) {
			const int rows = part->rows + (i < part->more);
			tile_table[rows - 1][nv - 1](&t);
			t.a += rows * l->v_row;
			t.c += rows * l->m_row;
		}
	}
}

static void multiply_points(const mmi_wino_job *j, const wino_layout *l, const wino_factors *f)
{
	int32_t row_off[TILE_ROWS];
	for (int r = 0; r < TILE_ROWS; r++)
		row_off[r] = (int32_t)(r * l->v_row);
	const wino_part parts[2][2] = { { part_of(j, l, false, false), part_of(j, l, false, true) },
		                            { part_of(j, l, true, false), part_of(j, l, true, true) } };
	for (int y = 0; y < l->high; y++)
		for (int x = 0; x < l->wide; x++)
			multiply_point(j, l, row_off, &parts[y == l->high - 1][x == l->wide - 1], y * l->wide + x, f);
}

static void multiply_groups(const mmi_wino_job *j, const wino_layout *l, int group)
{
	const int64_t plane = (j->c + PER_LANE - 1) / PER_LANE * PER_LANE * l->m_plane;
	wino_factors f = { .u_plane = plane, .u_group = l->points * plane, .n_groups = j->together };
	f.u = (const element *)j->u + group * f.u_group;
	for (f.c0 = 0; f.c0 < j->c; f.c0 += j->c_block) {
		f.count = j->c - f.c0 < j->c_block ? j->c - f.c0 : j->c_block;
		f.first = group == 0 && f.c0 == 0;
		for (int i = 0; i < j->together; i++)
			gather(j, l, group + i, i, f.c0, f.count);
		multiply_points(j, l, &f);
	}
}

/* ------------------------------------------------------------------ output */

/* Where the outputs of a tile go: W columns of pixels first + y * row + x * column, of which so many are there. */
typedef struct outputs {
	int64_t first, row, column;
	int64_t ahead; /* from first to that of the next tile */
	int rows, columns, col;
} outputs;

/* W columns of the products of all points to outputs along each column. */
MMI_INLINE void columns_out(const int points, const int taps, const bool last, int columns, const float *m,
                            int64_t plane, int64_t row, vf half[MAX_SPAN][MAX_SPAN])
{
	const int rows = last ? points : points - 1;
	for (int x = 0; x < columns; x++, m += plane) {
		vf d[MAX_SPAN], y[MAX_SPAN];
		MMI_UNROLL
		for (int i = 0; i < rows; i++)
			d[i] = load(m + i * row);
		transform_out(points, taps, last, d, y);
		MMI_UNROLL
		for (int i = 0; i < rows - taps + 1; i++)
			half[i][x] = y[i];
	}
}

/* And along each row, stored as soon as they are there, at least `floor`. */
MMI_INLINE void rows_out(const int points, const int taps, const bool last, const vf half[MAX_SPAN][MAX_SPAN],
                         float *dst, const outputs *o, vf bias, vf floor, const float *mask)
{
	const int wide = points - taps + last;
	for (int i = 0; i < o->rows; i++) {
		vf out[MAX_SPAN];
		transform_out(points, taps, last, half[i], out);
		MMI_UNROLL
		for (int x = 0; x < wide; x++) {
			const int64_t at = o->first + i * o->row + x * o->column;
			if (x >= o->columns)
				break;
			prefetch_to_write(dst, at + o->ahead);
			if (mask)
				prefetch_to_read(mask, at + o->ahead);
			vf y = vmax(floor, out[x] + bias); /* a NaN stays one */
			if (mask)
				y = (vf)((vi)y & (vi)(load(mask + at) > splat(0.0f)));
			store(dst + at, y);
		}
	}
}

typedef void (*columns_out_fn)(int columns, const float *m, int64_t plane, int64_t row, vf half[MAX_SPAN][MAX_SPAN]);
typedef void (*rows_out_fn)(const vf half[MAX_SPAN][MAX_SPAN], float *dst, const outputs *o, vf bias, vf floor,
                            const float *mask);

#define AXIS_OUT(points, taps, last)                                                                                 \
	static void columns_out_##points##_##taps##_##last(int columns, const float *m, int64_t plane, int64_t row,      \
	                                                   vf half[MAX_SPAN][MAX_SPAN])                                  \
	{                                                                                                                \
		columns_out(points, taps, last, columns, m, plane, row, half);                                               \
	}                                                                                                                \
	static void rows_out_##points##_##taps##_##last(const vf half[MAX_SPAN][MAX_SPAN], float *dst, const outputs *o, \
	                                                vf bias, vf floor, const float *mask)                            \
	{                                                                                                                \
		rows_out(points, taps, last, half, dst, o, bias, floor, mask);                                               \
	}
#define BOTH_OUT(points, taps) AXIS_OUT(points, taps, 0) AXIS_OUT(points, taps, 1)
#define COLUMNS_OUT(points, taps) { columns_out_##points##_##taps##_0, columns_out_##points##_##taps##_1 },
#define ROWS_OUT(points, taps) { rows_out_##points##_##taps##_0, rows_out_##points##_##taps##_1 },
BOTH_TAPS(BOTH_OUT)
static const columns_out_fn columns_out_table[][MAX_SPAN][2] = BY_TAPS(COLUMNS_OUT);
static const rows_out_fn rows_out_table[][MAX_SPAN][2] = BY_TAPS(ROWS_OUT);

/* A run of tiles on its way out. */
typedef struct way_out {
	const mmi_wino_job *job;
	columns_out_fn columns_out;
	rows_out_fn rows_out;
	int32_t wide, columns; /* outputs and points along a row */
	int64_t plane, row;    /* from point to point, from row to row */
} way_out;

/* What is no whole vector, or has another epilogue, goes through a buffer. */
static void scatter_rest(const way_out *s, const vf half[MAX_SPAN][MAX_SPAN], const outputs *o, int lanes)
{
	float values[MAX_SPAN * MAX_SPAN * W];
	const mmi_epilogue *ep = &s->job->ep;
	const outputs near = { .row = s->wide * W, .column = W, .rows = o->rows, .columns = o->columns };
	const vf bias = bias_of(ep, o->col, lanes);
	s->rows_out(half, values, &near, splat(0.0f), splat(-INFINITY), NULL);
	for (int i = 0; i < o->rows; i++)
		for (int x = 0; x < o->columns; x++)
			finish(s->job->dst, o->first + i * o->row + x * o->column, o->col, lanes,
			       load(values + (i * s->wide + x) * W), bias, ep);
}

static void scatter_columns(const way_out *s, const float *m, outputs *o)
{
	const mmi_wino_job *j = s->job;
	const int end = register_end(&j->ep, j->cols, 1);
	const vf floor = splat(end == END_BIAS_RELU ? 0.0f : -INFINITY);
	vf half[MAX_SPAN][MAX_SPAN];
	for (o->col = 0; o->col < j->cols; o->col += W) {
		const int lanes = j->cols - o->col;
		s->columns_out(s->columns, m + o->col, s->plane, s->row, half);
		if (end == END_RAW || lanes < W)
			scatter_rest(s, (const vf(*)[MAX_SPAN])half, o, lanes);
		else
			s->rows_out((const vf(*)[MAX_SPAN])half, j->dst + o->col, o, bias_of(&j->ep, o->col, W), floor,
			            end == END_BIAS_MASK ? j->ep.mask + o->col : NULL);
	}
}

static int64_t first_output(const mmi_wino_job *j, position at)
{
	const int64_t y = at.sample * j->dst_h + j->dst_y + (int64_t)at.y * j->dst_step;
	return (y * j->dst_w + j->dst_x + (int64_t)at.x * j->dst_step) * j->cols;
}

static void scatter_run(const mmi_wino_job *j, const wino_layout *l, int kind, const wino_run *r)
{
	const wino_grid *g = r->grid;
	const way_out s = { .job = j,
		                .columns_out = columns_out_table[j->taps - 2][j->y.size - MIN_SIZE(j->taps)][is_tall(kind)],
		                .rows_out = rows_out_table[j->taps - 2][j->x.size - MIN_SIZE(j->taps)][is_broad(kind)],
		                .wide = g->wide,
		                .columns = g->wide + j->taps - 1,
		                .plane = l->m_plane,
		                .row = l->wide * l->m_plane };
	position at = position_of(r);
	outputs o = { .first = first_output(j, at), .column = (int64_t)j->dst_step * j->cols };
	o.row = o.column * j->dst_w;
	for (int t = 0; t < r->count; t++) {
		o.rows = (int)smaller(j->rows - at.y, g->high);
		o.columns = (int)smaller(j->columns - at.x, g->wide);
		advance(g, &at);
		o.ahead = first_output(j, at) - o.first;
		scatter_columns(&s, l->m + (r->at + t) * l->m_row, &o);
		o.first += o.ahead;
	}
}

static void scatter(const mmi_wino_job *j, const wino_layout *l)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			scatter_run(j, l, kind, &r);
	}
}

void MMI_PRODUCT_NAME(mmi_winograd)(const mmi_wino_job *j)
{
	const wino_layout l = layout_of(j);
	for (int group = 0; group < j->n_groups; group += j->together)
		multiply_groups(j, &l, group);
	scatter(j, &l);
}
