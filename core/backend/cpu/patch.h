/* patch.h - convolutions as products of patches with weights: which pixels each output row reads.
 *
 * With channels last, the part of a patch that lies in one row of the (zero-padded) map is contiguous. A patch is thus
 * kernel_h segments of kernel_w * channels floats, a fixed stride apart. The gradient to x of a convolution with stride
 * s falls into s * s phases (output pixels of equal residue), each a convolution of dy with stride 1 and a part of the
 * flipped kernel. A linear layer is a 1x1 convolution of a 1x1 map. */
#ifndef MMI_CPU_PATCH_H
#define MMI_CPU_PATCH_H

#include "backend/cpu/call.h"

/* One axis of one phase: outputs first_dst + i * dst_step, each from `taps` inputs from first_src + i * src_step on. */
typedef struct mmi_axis {
	int32_t taps, count, first_dst, dst_step, first_src, src_step;
} mmi_axis;
/* Of a gradient to x: outputs y with (y + p) % s == phase; they read dy[(y + p) / s - t] times kernel element
 * phase + s * t. k, s, p: kernel, stride, padding; size: of x. */
mmi_axis mmi_backward_axis(int32_t k, int32_t s, int32_t p, int32_t size, int32_t phase);

typedef struct mmi_patch_phase {
	mmi_axis y, x;
	int32_t n_seg, seg_len;
	int64_t rows;               /* output pixels of one sample */
	int32_t *src_off, *dst_off; /* of the pixels of a group of samples */
	int64_t b_offset;           /* of its packed weights */
} mmi_patch_phase;

typedef struct mmi_patch_plan {
	int32_t h, w, c; /* the source of patches */
	int32_t dst_h, dst_w, cols;
	int32_t top, left, full_h, full_w; /* zero padding around the source */
	bool copy;                         /* false: the source needs no padding and is read in place */
	int32_t group;                     /* samples taken at a time */
	int32_t n_phases;
	mmi_patch_phase *phases;
	int32_t *offsets;
} mmi_patch_plan;

/* What decides how weights are packed; also the argument of mmi_patch_pack. Without gaps, which would not compare. */
typedef struct mmi_patch_packing {
	const mmi_bf16 *bf16; /* NULL: in float32 */
	mmi_conv_shape shape;
	int32_t bwd_x, narrow, width;
	int32_t pairs; /* in bfloat16, by twos */
} mmi_patch_packing;

/* Patches are read `whole` floats at a time, and may so run over a segment's end. */
enum { MMI_PATCH_COPY = INT32_MAX /* the source is always copied */ };
mm_status mmi_patch_plan_make(mmi_patch_plan *p, const mmi_conv_shape *s, bool bwd_x, int64_t n, int32_t whole,
                              mm_error *e);
void mmi_patch_plan_release(mmi_patch_plan *p);
/* Floats that mmi_patch_source needs; 0 where nothing is copied. */
size_t mmi_patch_scratch(const mmi_patch_plan *p, int32_t width);
/* The padded copy of `samples` samples in scratch, or src itself. `bf16`, or NULL: the source is narrow, and copied. */
const float *mmi_patch_source(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, int64_t samples,
                              int32_t width, float *scratch);
/* The same in bfloat16, for plans that always copy; `width` numbers behind the last are zero. src: floats, which are
 * rounded, or narrow. */
size_t mmi_patch_scratch_bf16(const mmi_patch_plan *p, int32_t width); /* in floats */
const uint16_t *mmi_patch_source_bf16(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, bool narrow,
                                      int64_t samples, int32_t width, void *scratch);

/* Sets the phases' b_offset and returns the number of all packed weights. */
int64_t mmi_patch_pack_layout(mmi_patch_plan *p, const mmi_patch_packing *k);
void mmi_patch_pack(const float *weights, void *data, const void *packing);
void mmi_patch_pack_bf16(const float *weights, void *data, const void *packing); /* with `pairs` set */

#endif
