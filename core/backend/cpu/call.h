/* call.h - what a call of a linear layer or a convolution, or of one of their gradients, asks for: its shapes, and what
 * is fused into it. */
#ifndef MMI_CPU_CALL_H
#define MMI_CPU_CALL_H

#include "backend/cpu/simd.h"
#include "engine/kernel.h"

/* The forward convolution [h, w, ci] -> [oh, ow, co] that an operation belongs to. */
typedef struct mmi_conv_shape {
	int32_t h, w, ci, oh, ow, co, kh, kw, sh, sw, ph, pw;
} mmi_conv_shape;
/* From any of LINEAR, CONV and their BWD_X and BWD_W. */
mmi_conv_shape mmi_conv_shape_of(const mmi_exec *x);
bool mmi_op_is_bwd_x(mmi_opcode op);

/* What x asks to be fused; `bias` is input 2 where there is one. */
mmi_epilogue mmi_epilogue_of(const mmi_exec *x);

/* The least multiple of `width` that is not below n. */
static inline int32_t mmi_round_up(int32_t n, int32_t width)
{
	return (n + width - 1) / width * width;
}

#endif
