/* simd.h - the table of inner loops that are compiled once per instruction set.
 *
 * The files simd_*.c hold the loops. They are compiled several times with MMI_ISA set to avx512, avx2 or generic and
 * the compiler flags of that set; everything else (shapes, packing, choice of kernel) is compiled once and reaches the
 * loops through this table. All sizes and strides are in floats unless a name says otherwise. */
#ifndef MMI_CPU_SIMD_H
#define MMI_CPU_SIMD_H

#include "base/base.h"
#include "engine/kernel.h"

/* What happens to a result before it is stored: + bias[column], activation, times act'(mask). */
typedef struct mmi_epilogue {
	const float *bias; /* one per column, or NULL */
	int32_t act;       /* MM_ACT_... */
	float act_alpha;
	int32_t mask_act;
	float mask_alpha;
	const void *mask; /* laid out as the output, or NULL */
	bool narrow_mask; /* it is in bfloat16 */
} mmi_epilogue;

/* The place of a map's element. */
static inline const void *mmi_map_at(const void *map, bool narrow, int64_t i)
{
	return (const char *)map + i * (int64_t)(narrow ? sizeof(uint16_t) : sizeof(float));
}

static inline void *mmi_map_to(void *map, bool narrow, int64_t i)
{
	return (char *)map + i * (int64_t)(narrow ? sizeof(uint16_t) : sizeof(float));
}

static inline void mmi_epilogue_on(mmi_epilogue *ep, int64_t elements)
{
	if (ep->mask)
		ep->mask = mmi_map_at(ep->mask, ep->narrow_mask, elements);
}

/* A product of patches with packed weights: for each row r and column j
 *   dst[dst_off[r] + j] = epilogue(sum_s sum_k src[src_off[r] + s * seg_stride + k] * b[s, k, j]).
 * Convolutions, their gradients to x and linear layers all have this form: channels last makes each kernel row of a
 * patch one contiguous segment. */
typedef struct mmi_patch_job {
	const void *src; /* floats, or numbers in bfloat16, as b; offsets and strides count these */
	const int32_t *src_off, *dst_off;
	void *dst;
	bool narrow_dst; /* in bfloat16, as b */
	int64_t rows;
	int32_t line, line_step; /* of so many rows each source lies so far behind that of the row before; 0: not known */
	int32_t n_seg, seg_len;
	int64_t seg_stride;
	const void *b; /* wide: panels of 2 vectors of columns, [panel][seg, k][column]; the last may have 1 vector; in
	                  bfloat16 [panel][seg, k / 2][column][2], with zeros beside the last of an odd number.
	                  narrow: [column][seg][k padded to whole vectors] */
	int32_t cols;  /* narrow: at most MMI_NARROW_COLS */
	mmi_epilogue ep;
} mmi_patch_job;

/* The gradient to weights: for each segment s, row m < seg_len and column j
 *   out[(s * seg_len + m) * cols + j] += sum_r src[src_off[r] + s * seg_stride + m] * dy[r * dy_stride + j]. */
typedef struct mmi_grad_job {
	const void *src; /* floats; or pairs in bfloat16, of two rows at a time, as dy */
	const int32_t *src_off;
	const void *dy; /* readable up to the next whole vector after each row */
	int64_t dy_stride;
	int64_t rows;
	int32_t n_seg, seg_len;
	int64_t seg_stride;
	float *out;
	int32_t cols;
} mmi_grad_job;

/* How outputs along an axis fall into tiles: so many of `size` outputs, behind them others of one fewer. */
typedef struct mmi_wino_axis {
	int32_t size, full, less;
} mmi_wino_axis;

/* Winograd F(m x n, 3x3) and F(m x n, 2x2): a product for each of the (m + taps - 1) (n + taps - 1) points over
 * transformed tiles of m x n outputs; tiles of one output fewer in a direction have a point fewer there. Stride 2 falls
 * into parts with stride 1: of the source (a convolution; their products add up, one group each) or of the output (its
 * gradient to x; one job each). One job is a block of tiles of consecutive numbers (kind of tile, sample, row, column).
 */
typedef struct mmi_wino_job {
	const void *src;             /* [n, h, w, c] */
	void *dst;                   /* [n, dst_h, dst_w, cols] */
	bool narrow_src, narrow_dst; /* in bfloat16, which products in it have, and gradients */
	int32_t h, w, c, dst_h, dst_w, cols;
	int32_t taps;               /* 2 or 3, on both axes */
	int32_t src_step;           /* pixels between neighbours of a group */
	int32_t n_groups, together; /* groups whose products are added in one go */
	struct {
		int32_t y, x; /* source pixel that the first tap of output 0 reads; may lie outside */
	} group[4];
	int32_t dst_y, dst_x, dst_step, rows, columns; /* outputs: first pixel, distance, number */
	mmi_wino_axis y, x;                            /* the last tiles may reach beyond */
	int64_t n;                                     /* samples */
	int64_t first_tile;
	int32_t n_tiles; /* at most max_tiles */
	int32_t max_tiles;
	int32_t c_block; /* input channels at a time; whole vectors, in bfloat16 pairs of them: may exceed c */
	const void *u;   /* packed weights, [group][point] times panels as in mmi_patch_job */
	float *scratch;  /* max_tiles times the mmi_wino_row of together c_blocks and that of cols in whole vectors */
	mmi_epilogue ep;
} mmi_wino_job;

/* Kernels to points for one panel of columns: G g G^T of each, G's rows given, computed in double. */
typedef struct mmi_wino_pack_job {
	const float *w;          /* weights of the panel's first column */
	int64_t tap[3][3];       /* floats from there to each tap, */
	int64_t channel, column; /* to the next channel, to the next column */
	int32_t channels;
	int32_t columns; /* that are there from this one on; lanes beyond are zeros */
	int32_t vectors; /* of the panel, 1 or 2 */
	int32_t taps, high, wide;
	double rows_high[9][3], rows_wide[9][3];
	void *out;     /* [point] at plane: [channel][lane], in bfloat16 [channel / 2][lane][channel % 2] */
	int64_t plane; /* of as many numbers */
} mmi_wino_pack_job;

/* Floats from tile to tile of so many channels: of all points, and some more, by which tiles start in different cache
 * sets.
 */
static inline int64_t mmi_wino_row(int64_t points, int64_t channels)
{
	return points * channels + 16;
}

/* The gradient to weights of one part (group) of such a convolution: sums[point][channel][column] += the products of a
 * block of transformed tiles of src and of dy, which stands in the tiles' place of `dst`: [n, dst_h, dst_w, cols]. */
typedef struct mmi_wino_grad_job {
	mmi_wino_job tiles;
	int32_t group;
	const int32_t *src_off; /* of each tile of a block: its number times the mmi_wino_row of c_block */
	const void *dy;
	bool narrow_dy; /* in bfloat16, as src may be */
	float *sums;
	float *out; /* [taps, taps] of [c, cols], so many floats from tap to tap: */
	int64_t out_row, out_column;
} mmi_wino_grad_job;

/* The same along rows, for kernels one row high: 8 products over tiles of 9 - taps outputs. One job is a block of tiles
 * of consecutive numbers (sample, row, tile of the row). */
enum {
	MMI_LINE_POINTS = 8,
	MMI_LINE_CHANNELS = 64, /* that lie together */
	MMI_LINE_STRIDE = 80    /* from point to point: so that they start in different cache sets */
};
typedef struct mmi_line_job {
	const float *src; /* [n, h, w, c] */
	float *dst;       /* [n, dst_h, dst_w, cols] */
	int32_t h, w, c, dst_h, dst_w, cols;
	int32_t taps; /* 2 to 5 */
	int32_t src_step, n_groups;
	struct {
		int32_t y, x; /* source pixel that the first tap of output 0 reads; may lie outside */
	} group[2];
	int32_t dst_x, dst_step, rows, columns; /* outputs: first column, distance along the row, number */
	int64_t first_tile;
	int32_t n_tiles;
	float *v;           /* transformed input [tile][group][channel / 64][point][channel % 64 of MMI_LINE_STRIDE] */
	const float *zeros; /* c floats and a vector, read in place of pixels outside */
	const float *u;     /* transformed kernels [vector of columns][group][channel][point][lane] */
	mmi_epilogue ep;
	const float *dy; /* for gradients to weights: [n, rows, columns, cols], and its transform */
	float *e;        /* [tile][point][cols in whole vectors] */
} mmi_line_job;

/* Pooling windows of one sample; also upsampling (k == s). */
typedef struct mmi_pool_job {
	const void *src;
	void *dst;
	bool narrow_src, narrow_dst; /* in bfloat16; dst only where windows do not overlap */
	int32_t h, w, oh, ow, c;     /* of the pooling: [h, w, c] -> [oh, ow, c] */
	int32_t k, s, p;
	bool count_pad; /* divide by k * k, else by the number of cells inside */
	bool average;   /* else plain sums */
} mmi_pool_job;

/* Of results so far, which may lie where they are to go; that is in bfloat16 if narrow. */
typedef void mmi_epilogue_fn(const float *sums, void *out, bool narrow, int64_t rows, int32_t cols,
                             const mmi_epilogue *ep);

#define MMI_NARROW_COLS 4

typedef struct mmi_simd {
	int32_t width; /* floats in a vector */
	void (*patch_wide)(const mmi_patch_job *j);
	void (*patch_narrow)(const mmi_patch_job *j);
	void (*grad_wide)(const mmi_grad_job *j);
	void (*grad_narrow)(const mmi_grad_job *j);
	void (*winograd)(const mmi_wino_job *j);
	void (*winograd_pack)(const mmi_wino_pack_job *j);
	void (*winograd_grad)(const mmi_wino_grad_job *j);
	void (*winograd_taps)(const mmi_wino_grad_job *j); /* out += what the sums of all blocks say of each tap */
	void (*line_gather)(const mmi_line_job *j);        /* src to v */
	void (*line_product)(const mmi_line_job *j);       /* v times u to dst */
	void (*line_gather_dy)(const mmi_line_job *j);     /* dy to e */
	void (*pool)(const mmi_pool_job *j);               /* src [h, w, c], dst [oh, ow, c] */
	void (*unpool)(const mmi_pool_job *j);             /* src [oh, ow, c], dst [h, w, c]: the transpose of pool */
	mmi_epilogue_fn *epilogue;
	/* sums[j] += sum over rows of x[r, j]; blocked, rounded once per 256 rows. */
	void (*column_sums)(const float *x, int64_t rows, int32_t cols, double *sums);
	/* The processor's peak, for measuring: `rounds` rounds of independent multiply-adds in registers. Returns how many
	 * floating-point operations those were, a multiply-add counted as two. The result depends on *value, so that
	 * nothing is optimised away. */
	double (*fma)(uint64_t rounds, float *value);
} mmi_simd;

/* The same in bfloat16: operands of products are rounded to it, sums are floats. Maps are either. */
typedef struct mmi_bf16 {
	void (*round)(const float *x, uint16_t *out, size_t n); /* to the nearest */
	void (*widen)(const uint16_t *x, float *out, size_t n);
	void (*add)(const uint16_t *x, const uint16_t *y, uint16_t *out, size_t n, float a, float b); /* a x + b y */
	void (*pair)(const float *x, const float *y, uint32_t *out, size_t n); /* x[i] below y[i]; y NULL: zeros */
	void (*pair_narrow)(const uint16_t *x, const uint16_t *y, uint32_t *out, size_t n);
	void (*patch_wide)(const mmi_patch_job *j);
	void (*patch_narrow)(const mmi_patch_job *j);
	void (*grad_wide)(const mmi_grad_job *j);
	void (*winograd)(const mmi_wino_job *j);
	void (*winograd_pack)(const mmi_wino_pack_job *j);
	void (*pool)(const mmi_pool_job *j);
	void (*unpool)(const mmi_pool_job *j);
	mmi_epilogue_fn *epilogue;
	double (*fma)(uint64_t rounds, float *value); /* as above, of pairs */
} mmi_bf16;

extern const mmi_bf16 mmi_bf16_generic, mmi_bf16_avx2, mmi_bf16_avx512, mmi_bf16_avx512bf16;
extern const mmi_simd mmi_simd_generic, mmi_simd_avx2, mmi_simd_avx512;
/* The table of the instruction set that the call's device was made with; in bare tests, of mmi_isa_get(). */
const mmi_simd *mmi_simd_of(const mmi_exec *x);
/* NULL: products in float32. */
const mmi_bf16 *mmi_bf16_of(const mmi_exec *x);

#endif
