/* simd_grad.c - gradients to weights, in float32. */
#include "mmi_build.h"

#include "backend/cpu/simd_grad.inc.c"
