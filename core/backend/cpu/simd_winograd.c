/* simd_winograd.c - Winograd's convolutions in float32. */
#include "mmi_build.h"

#include "backend/cpu/simd_wino_pack.inc.c"
#include "backend/cpu/simd_winograd.inc.c"
