/* map.h - programs for elements: built when a call is prepared. */
#ifndef MMI_CUDA_MAP_H
#define MMI_CUDA_MAP_H

#include "backend/cuda/cuda.h"

enum { MMI_MAP_OUT = MMI_MAP_INPUTS - 3, MMI_MAP_BIAS, MMI_MAP_MASK, MMI_MAP_NONE = -1 }; /* operands by role */

/* A program over n elements that does nothing yet; operands are indexed as the output is. */
mmi_map_args mmi_map_begin(int64_t n);
void mmi_map_add(mmi_map_args *m, mmi_map_code code, int32_t operand, float a, float b);
/* An operand with one number for each of the last axis's entries: a bias. */
mmi_map_index mmi_map_each(int64_t entries);
/* The activation and the mask that were fused into the call; true if there are any. */
bool mmi_map_fused(mmi_map_args *m, const mmi_exec *x);
/* Operand k, or the output where k is MMI_MAP_INPUTS, is in bfloat16. */
void mmi_map_narrow(mmi_map_args *m, int k, bool narrow);
/* Bytes of a pass in place behind a call: it reads and writes again what the call has written. */
double mmi_map_bytes(const mmi_map_args *m);
void mmi_map_launch(const mmi_device *d, const mmi_map_args *m);

#endif
