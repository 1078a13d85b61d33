/* simd_grad_bf16.c - gradients to weights: operands in bfloat16, by pairs of pixels, sums in float32. */
#include "mmi_build.h"

#define MMI_PAIRS 1
#include "backend/cpu/simd_grad.inc.c"
