/* simd_pool_bf16.c - pooling, upsampling and the epilogue, of maps in bfloat16 as well. */
#include "mmi_build.h"

#define MMI_PAIRS 1
#include "backend/cpu/simd_pool.inc.c"
