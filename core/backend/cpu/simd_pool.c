/* simd_pool.c - pooling, upsampling and the epilogue in float32. */
#include "mmi_build.h"

#include "backend/cpu/simd_pool.inc.c"
