/* simd_patch.c - products of patches with packed weights, in float32. */
#include "mmi_build.h"

#include "backend/cpu/simd_patch.inc.c"
