/* simd_wino_gather.h - pixels of Winograd's tiles to points, down the columns of a strip and then along its rows. */
#ifndef MMI_CPU_SIMD_WINO_GATHER_H
#define MMI_CPU_SIMD_WINO_GATHER_H

#include "backend/cpu/simd_wino_tiles.h"

/* Tiles of one kind side by side, and the pixels that they read. Rows outside the map are ones inside with a mask of
 * zeros. */
typedef struct strip {
	int32_t at, count;           /* in the block */
	int32_t wide;                /* columns from tile to tile */
	int32_t points_down;         /* points of a column */
	int32_t columns, first, end; /* of pixels, and those of them in the map: first..end-1 */
	int64_t start, step;         /* from a row's pointer to its column `first`, from column to column */
	int64_t next;                /* to the same place of the strip behind, which is fetched ahead */
	bool inside;                 /* all rows */
	bool tall, broad;
	int32_t mask[MAX_SPAN];
	const void *row[MAX_SPAN];
} strip;

typedef void (*down_fn)(const strip *s, int64_t c, int lanes, int64_t ahead, half_points half);
typedef void (*along_fn)(const strip *s, const wino_layout *l, const half_points half[PER_LANE], element *v);

/* What is gathered: x, or tiles of dy. */
enum { MAP_KINDS = 1 + MMI_READS_NARROW };
typedef struct wino_source {
	down_fn down[2];      /* [tall] */
	along_fn along[2];    /* [broad] */
	int group, c0, count; /* channels */
} wino_source;

/* Pixel i along an axis of `size`, or the nearest one with a mask of zeros. */
MMI_INLINE int32_t clamped(int32_t i, int32_t size, int32_t *mask)
{
	*mask = i >= 0 && i < size ? -1 : 0;
	return i < 0 ? 0 : i < size ? i : size - 1;
}

/* Steps to reach 0 from -x. */
MMI_INLINE int64_t steps_to(int64_t x, int32_t step)
{
	return x > 0 ? (x + step - 1) / step : 0;
}

static strip strip_of(const mmi_wino_job *j, const wino_layout *l, const wino_run *r, const position *p, int group)
{
	const int32_t y0 = j->group[group].y + p->y * j->src_step, x0 = j->group[group].x + p->x * j->src_step;
	const int32_t rows = r->grid->high + j->taps - 1;
	const int64_t sample = p->sample * j->h * j->w * j->c;
	strip s = { .at = r->at,
		        .count = tiles_aside(j, r),
		        .wide = r->grid->wide,
		        .points_down = l->high - !r->tall,
		        .inside = true,
		        .tall = r->tall,
		        .broad = r->broad };
	s.columns = s.count * s.wide + j->taps - 1;
	s.first = (int32_t)smaller(steps_to(-x0, j->src_step), s.columns);
	s.end = (int32_t)smaller(larger(steps_to((int64_t)j->w - x0, j->src_step), s.first), s.columns);
	s.step = (int64_t)j->src_step * j->c;
	s.start = (int64_t)x0 * j->c + s.first * s.step;
	for (int32_t y = 0; y < rows; y++) {
		const int64_t row = clamped(y0 + y * j->src_step, j->h, &s.mask[y]);
		s.row[y] = mmi_map_at(j->src, j->narrow_src, sample + row * j->w * j->c);
		s.inside = s.inside && s.mask[y];
	}
	return s;
}

/* Pixels along an axis that points are made of: x's where `size` is 0, or `size` of dy's. */
MMI_INLINE int pixels_of(const int points, const int size, const bool last)
{
	return (size ? size : points) - !last;
}

MMI_INLINE void to_points(const int points, const int size, const bool last, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	if (size)
		transform_kernel(points, size, last, d, out);
	else
		transform_in(points, last, d, out);
}

/* W channels from c on, of which so many are there, of the columns inside; those at `ahead` are fetched. */
MMI_INLINE void columns_down(const int points, const int size, const bool last, const bool narrow, const bool inside,
                             const bool whole, const strip *s, int64_t c, int lanes, int64_t ahead, half_points half)
{
	const int64_t bytes = narrow ? sizeof(uint16_t) : sizeof(float);
	int64_t at = s->start + c;
	for (int x = s->first; x < s->end; x++, at += s->step) {
		vf d[MAX_SPAN], out[MAX_SPAN];
		MMI_UNROLL
		for (int y = 0; y < pixels_of(points, size, last); y++) {
			d[y] = whole ? load_map(narrow, s->row[y], at) : load_map_up_to(narrow, s->row[y], at, lanes);
			prefetch_to_read(s->row[y], bytes, at + ahead);
			if (!inside)
				d[y] = (vf)((vi)d[y] & s->mask[y]);
		}
		to_points(points, size, last, d, out);
		MMI_UNROLL
		for (int i = 0; i < points - !last; i++)
			half[i * STRIP_COLUMNS + x] = out[i];
	}
}

MMI_INLINE void clear_columns(const int points, int first, int end, half_points half)
{
	for (int x = first; x < end; x++) {
		MMI_UNROLL
		for (int i = 0; i < points; i++)
			half[i * STRIP_COLUMNS + x] = splat(0.0f);
	}
}

/* Of all columns. */
MMI_INLINE void pixels_down(const int points, const int size, const bool last, const bool narrow, const strip *s,
                            int64_t c, int lanes, int64_t ahead, half_points half)
{
	clear_columns(points - !last, 0, s->first, half);
	clear_columns(points - !last, s->end, s->columns, half);
	if (lanes < W)
		columns_down(points, size, last, narrow, false, false, s, c, lanes, ahead, half);
	else if (s->inside)
		columns_down(points, size, last, narrow, true, true, s, c, lanes, ahead, half);
	else
		columns_down(points, size, last, narrow, false, true, s, c, lanes, ahead, half);
}

/* W times PER_LANE channels of all tiles, to v. */
MMI_INLINE void pixels_along(const int points, const int size, const bool last, const strip *s, const wino_layout *l,
                             const half_points half[PER_LANE], element *v)
{
	const int64_t plane = l->v_plane, row = l->wide * plane, wide = s->wide, rows = s->points_down;
	for (int64_t first = 0; first < s->count * wide; first += wide, v += l->v_row) {
		const vf *from[] = { half[0] + first, half[PER_LANE - 1] + first };
		element *to = v;
		for (int64_t i = 0; i < rows; i++, to += row) {
			vf d[MAX_SPAN], out[PER_LANE][MAX_SPAN];
			MMI_UNROLL
			for (int k = 0; k < PER_LANE; k++) {
				MMI_UNROLL
				for (int x = 0; x < pixels_of(points, size, last); x++)
					d[x] = from[k][x];
				to_points(points, size, last, d, out[k]);
				from[k] += STRIP_COLUMNS;
			}
			MMI_UNROLL
			for (int x = 0; x < points - !last; x++)
				STORE_BOTH(to + x * plane, out[0][x], out[PER_LANE - 1][x]);
		}
	}
}

#define DOWN_FN(name, points, size, last, narrow)                                                             \
	static void name##_down_##points##_##last##_##narrow(const strip *s, int64_t c, int lanes, int64_t ahead, \
	                                                     half_points half)                                    \
	{                                                                                                         \
		pixels_down(points, size, last, narrow, s, c, lanes, ahead, half);                                    \
	}
#define ALONG_FN(name, points, size, last)                                                                             \
	static void name##_along_##points##_##last(const strip *s, const wino_layout *l, const half_points half[PER_LANE], \
	                                           element *v)                                                             \
	{                                                                                                                  \
		pixels_along(points, size, last, s, l, half, v);                                                               \
	}
#define DOWN_PAIR(name, points, narrow)                                      \
	{                                                                        \
		name##_down_##points##_0_##narrow, name##_down_##points##_1_##narrow \
	}
#if MMI_READS_NARROW
#define DOWN_FNS(name, points, size, last) DOWN_FN(name, points, size, last, 0) DOWN_FN(name, points, size, last, 1)
#define DOWN_ENTRY(name, points)                               \
	{                                                          \
		DOWN_PAIR(name, points, 0), DOWN_PAIR(name, points, 1) \
	}
#else
#define DOWN_FNS(name, points, size, last) DOWN_FN(name, points, size, last, 0)
#define DOWN_ENTRY(name, points)   \
	{                              \
		DOWN_PAIR(name, points, 0) \
	}
#endif
#define STRIP_FNS(name, points, size, last) DOWN_FNS(name, points, size, last) ALONG_FN(name, points, size, last)
#define X_FNS(points) STRIP_FNS(x, points, 0, 0) STRIP_FNS(x, points, 0, 1)
#define ALONG_ENTRY(name, points)                            \
	{                                                        \
		name##_along_##points##_0, name##_along_##points##_1 \
	}
#define X_DOWN(points) DOWN_ENTRY(x, points),
#define X_ALONG(points) ALONG_ENTRY(x, points),
SPANS(X_FNS)
static const down_fn x_down[][MAP_KINDS][2] = { SPANS(X_DOWN) };
static const along_fn x_along[][2] = { SPANS(X_ALONG) };

static wino_source x_source(const mmi_wino_job *j, const wino_layout *l, int group, int c0, int count)
{
	wino_source x = { .group = group, .c0 = c0, .count = count };
	memcpy(x.down, x_down[l->high - MIN_SPAN][MMI_READS_NARROW && j->narrow_src], sizeof x.down);
	memcpy(x.along, x_along[l->wide - MIN_SPAN], sizeof x.along);
	return x;
}

static void gather_strip(const wino_layout *l, const strip *s, const wino_source *from, element *to)
{
	enum { STEP = W * PER_LANE };
	half_points half[PER_LANE];
	for (int c = 0; c < from->count; c += STEP) {
		const int64_t ahead = c + STEP < from->count ? STEP : s->next - c;
		for (int k = 0; k < PER_LANE; k++) {
			const int lanes = from->count - c - k * W;
			if (lanes > 0)
				from->down[s->tall](s, from->c0 + c + k * W, lanes, ahead, half[k]);
			else
				clear_columns(s->points_down, 0, s->columns, half[k]);
		}
		from->along[s->broad](s, l, (const half_points *)half, to + s->at * l->v_row + c);
	}
}

static int64_t pixel_of(const mmi_wino_job *j, const position *p)
{
	return ((p->sample * j->h + (int64_t)p->y * j->src_step) * j->w + (int64_t)p->x * j->src_step) * j->c;
}

static void gather_run(const mmi_wino_job *j, const wino_layout *l, wino_run r, const wino_source *from, element *to)
{
	position p = position_of(&r);
	while (r.count) {
		strip s = strip_of(j, l, &r, &p, from->group);
		s.next = -pixel_of(j, &p);
		run_on(&r, s.count);
		p = position_of(&r);
		s.next += pixel_of(j, &p);
		gather_strip(l, &s, from, to);
	}
}

/* To the points of l's tiles, from `to` on. */
static inline void gather(const mmi_wino_job *j, const wino_layout *l, const wino_source *from, element *to)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		const wino_run r = run_of(j, l, kind);
		if (r.count)
			gather_run(j, l, r, from, to);
	}
}

#endif
