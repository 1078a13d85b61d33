/* simd_winograd_bf16.c - Winograd's convolutions: tiles and weights are transformed in float32, rounded to bfloat16 and
 * multiplied; the sums and what follows them are in float32. */
#include "mmi_build.h"

#define MMI_PAIRS 1
#include "backend/cpu/simd_wino_pack.inc.c"
#include "backend/cpu/simd_winograd.inc.c"
