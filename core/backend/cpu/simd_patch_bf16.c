/* simd_patch_bf16.c - products of patches with packed weights: operands in bfloat16, sums in float32. */
#include "mmi_build.h"

#define MMI_PAIRS 1
#include "backend/cpu/simd_patch.inc.c"
