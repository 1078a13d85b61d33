/* simd_tile.h - the register tile of all matrix products: up to TILE_ROWS rows times one or two vectors of columns.
 * Elements of the left side are broadcast, the right side is packed; one fused multiply-add per vector and step. */
#ifndef MMI_CPU_SIMD_TILE_H
#define MMI_CPU_SIMD_TILE_H

#include "backend/cpu/simd_element.h"

/* How a tile's sums are stored. The frequent epilogues are applied while the sums are still in registers. */
enum { END_RAW, END_ADD /* to what c holds */, END_BIAS, END_BIAS_RELU, END_BIAS_MASK /* times relu' of a mask */ };

typedef struct tile {
	const element *a; /* (row r, segment s, k) is a[a_off[r] + s * seg_stride + k], of even tiles a[r * a_row + ..] */
	const int32_t *a_off;
	int64_t a_row;
	int32_t n_seg, seg_len;
	int64_t seg_stride;
	const element *b; /* [seg, k][NV * W]; by twos [seg, k / 2][NV * W][2], an odd k's partner zero */
	int64_t b_gap;    /* numbers between segments of b */
	void *c;
	int32_t end;
	bool narrow;          /* c and mask are in bfloat16, with MMI_PAIRS; other than with END_RAW and END_ADD */
	int64_t c_stride;     /* END_RAW, END_ADD: row r at c + r * c_stride */
	const int32_t *c_off; /* else: at c + c_off[r], whole vectors */
	const void *mask;     /* laid out as c */
	const float *bias;    /* [NV * W] */
} tile;

typedef void (*tile_fn)(const tile *t);

MMI_INLINE void store_rows(const int rows, const int nv, const bool add, const tile *t, const vf acc[TILE_ROWS][2])
{
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		MMI_UNROLL
		for (int v = 0; v < nv; v++) {
			float *c = (float *)t->c + r * t->c_stride + v * W;
			store(c, add ? acc[r][v] + load(c) : acc[r][v]);
		}
	}
}

/* The epilogue that registers can have, else END_RAW. */
static inline int32_t register_end(const mmi_epilogue *ep, bool narrow, int lanes_left, int nv)
{
	if (lanes_left < nv * W || (ep->mask && ep->narrow_mask != narrow))
		return END_RAW;
	if (ep->mask)
		return ep->act == MM_ACT_NONE && ep->mask_act == MM_ACT_RELU ? END_BIAS_MASK : END_RAW;
	return ep->act == MM_ACT_NONE ? END_BIAS : ep->act == MM_ACT_RELU ? END_BIAS_RELU : END_RAW;
}

/* One vector of it: a sum with its bias. */
MMI_INLINE vf ended(const int end, const bool narrow, vf x, const void *mask, int64_t at)
{
	const vf zero = splat(0.0f);
	if (end == END_BIAS_RELU)
		return vmax(zero, x); /* a NaN stays one */
	if (end == END_BIAS_MASK)
		return (vf)((vi)x & (vi)(load_map(narrow, mask, at) > zero));
	return x;
}

MMI_INLINE void finish_rows(const int rows, const int nv, const int end, const bool narrow, const tile *t,
                            const vf acc[TILE_ROWS][2])
{
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		vf x[2];
		MMI_UNROLL
		for (int v = 0; v < nv; v++)
			x[v] = ended(end, narrow, acc[r][v] + load(t->bias + v * W), t->mask, t->c_off[r] + v * W);
		if (narrow && nv > 1) {
			store_both_bf16((uint16_t *)t->c + t->c_off[r], x[0], x[1]);
			continue;
		}
		MMI_UNROLL
		for (int v = 0; v < nv; v++)
			store_map(narrow, t->c, t->c_off[r] + v * W, x[v]);
	}
}

MMI_INLINE void finish_either(const int rows, const int nv, const int end, const tile *t, const vf acc[TILE_ROWS][2])
{
	if (MMI_PAIRS && t->narrow)
		finish_rows(rows, nv, end, true, t, acc);
	else
		finish_rows(rows, nv, end, false, t, acc);
}

MMI_INLINE void end_tile(const int rows, const int nv, const tile *t, const vf acc[TILE_ROWS][2])
{
	switch (t->end) {
	case END_BIAS:
		finish_either(rows, nv, END_BIAS, t, acc);
		break;
	case END_BIAS_RELU:
		finish_either(rows, nv, END_BIAS_RELU, t, acc);
		break;
	case END_BIAS_MASK:
		finish_either(rows, nv, END_BIAS_MASK, t, acc);
		break;
	case END_ADD:
		store_rows(rows, nv, true, t, acc);
		break;
	default:
		store_rows(rows, nv, false, t, acc);
		break;
	}
}

/* Weights are read once a tile and mostly lie in the third-level cache: those of some 60 steps ahead are asked for now.
 */
MMI_INLINE void prefetch_weights(const element *b, const int vectors)
{
	enum { AHEAD = 8192, LINE = 64 };
	MMI_UNROLL
	for (int at = 0; at < vectors * (int)sizeof(vf); at += LINE)
		__builtin_prefetch((const void *)((intptr_t)b + AHEAD + at)); /* may lie behind the end */
}

/* Where rows lie evenly every third one has a pointer and the others are one and two strides behind it, which an
 * address can tell: there are registers for that. Else each row has one. */
enum { SHARE = 3 };

MMI_INLINE void tile_body(const int rows, const int nv, const bool even, const tile *t)
{
	const int share = even ? SHARE : 1;
	const element *a[TILE_ROWS];
	vf acc[TILE_ROWS][2];
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		if (r % share == 0)
			a[r / share] = t->a + (even ? r * t->a_row : t->a_off[r]);
		acc[r][0] = acc[r][1] = splat(0.0f);
	}
	const element *b = t->b;
	const int64_t len = t->seg_len, row = t->a_row;
	int64_t shift = 0;
	for (int s = 0; s < t->n_seg; s++, shift += t->seg_stride, b += s < t->n_seg ? t->b_gap : 0) {
		for (int64_t k = shift; k < shift + len; k += PER_LANE, b += nv * W * PER_LANE) {
			prefetch_weights(b, nv);
			elements b0 = LOAD_ELEMENTS(b), b1 = nv > 1 ? LOAD_ELEMENTS(b + W * PER_LANE) : b0;
			MMI_UNROLL
			for (int r = 0; r < rows; r++) {
				elements x = SPLAT_ELEMENT(a[r / share] + r % share * row + k);
				ADD_PRODUCT(acc[r][0], x, b0);
				if (nv > 1)
					ADD_PRODUCT(acc[r][1], x, b1);
			}
		}
	}
	end_tile(rows, nv, t, (const vf(*)[2])acc);
}

#define TILE_FN(name, even, rows)                \
	static void name##_##rows##_1(const tile *t) \
	{                                            \
		tile_body(rows, 1, even, t);             \
	}                                            \
	static void name##_##rows##_2(const tile *t) \
	{                                            \
		tile_body(rows, 2, even, t);             \
	}
#define EVEN_FN(rows) TILE_FN(even, true, rows)
#define EVEN_ENTRY(rows) { even_##rows##_1, even_##rows##_2 },
TILE_LIST(EVEN_FN)

/* [rows - 1][vectors - 1] */
static const tile_fn even_tiles[TILE_ROWS][2] = { TILE_LIST(EVEN_ENTRY) };

#if !MMI_EVEN_ROWS
#define UNEVEN_FN(rows) TILE_FN(uneven, false, rows)
#define UNEVEN_ENTRY(rows) { uneven_##rows##_1, uneven_##rows##_2 },
TILE_LIST(UNEVEN_FN)
static const tile_fn uneven_tiles[TILE_ROWS][2] = { TILE_LIST(UNEVEN_ENTRY) };
#endif

#endif
