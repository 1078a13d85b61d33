/* simd_tile.h - the register tile of all matrix products: up to TILE_ROWS rows times one or two vectors of columns.
 * Elements of the left side are broadcast, the right side is packed; one fused multiply-add per vector and step. */
#ifndef MMI_CPU_SIMD_TILE_H
#define MMI_CPU_SIMD_TILE_H

#include "backend/cpu/simd_vec.h"

typedef struct tile {
	const float *a;          /* element (row r, segment s, k) is a[off[r] + s * seg_stride + k] */
	const int32_t *off;
	int32_t n_seg, seg_len;
	int64_t seg_stride;
	const float *b;          /* [seg, k][NV * W] */
	float *c;                /* row r at c + r * c_stride */
	int64_t c_stride;
	bool add;                /* to what c holds */
} tile;

typedef void (*tile_fn)(const tile *t);

MMI_INLINE void tile_body(const int rows, const int nv, const tile *t)
{
	const float *a[TILE_ROWS];
	vf acc[TILE_ROWS][2];
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		a[r] = t->a + t->off[r];
		acc[r][0] = t->add ? load(t->c + r * t->c_stride) : splat(0.0f);
		acc[r][1] = nv > 1 && t->add ? load(t->c + r * t->c_stride + W) : splat(0.0f);
	}
	const float *b = t->b;
	const int64_t len = t->seg_len;
	int64_t shift = 0;
	for (int s = 0; s < t->n_seg; s++, shift += t->seg_stride) {
		for (int64_t k = shift; k < shift + len; k++, b += nv * W) {
			vf b0 = load(b), b1 = nv > 1 ? load(b + W) : b0;
			MMI_UNROLL
			for (int r = 0; r < rows; r++) {
				vf x = splat(a[r][k]);
				acc[r][0] += x * b0;
				if (nv > 1)
					acc[r][1] += x * b1;
			}
		}
	}
	MMI_UNROLL
	for (int r = 0; r < rows; r++) {
		store(t->c + r * t->c_stride, acc[r][0]);
		if (nv > 1)
			store(t->c + r * t->c_stride + W, acc[r][1]);
	}
}

#define TILE_FN(rows)                                                         \
	static void tile_##rows##_1(const tile *t) { tile_body(rows, 1, t); }     \
	static void tile_##rows##_2(const tile *t) { tile_body(rows, 2, t); }
#define TILE_ENTRY(rows) { tile_##rows##_1, tile_##rows##_2 },
TILE_LIST(TILE_FN)

/* tile_table[rows - 1][vectors - 1] */
static const tile_fn tile_table[TILE_ROWS][2] = { TILE_LIST(TILE_ENTRY) };

#endif
