/* simd_element.h - what matrix products multiply: floats, or with MMI_PAIRS numbers in bfloat16, two at a step.
 * STORE_BOTH stores PER_LANE vectors. */
#ifndef MMI_CPU_SIMD_ELEMENT_H
#define MMI_CPU_SIMD_ELEMENT_H

#include "backend/cpu/simd_map.h"

#ifndef MMI_PAIRS
#define MMI_PAIRS 0
#endif
/* Whether maps in bfloat16 are read, beside those in floats. */
#ifndef MMI_READS_NARROW
#define MMI_READS_NARROW MMI_PAIRS
#endif

#if MMI_PAIRS
typedef uint16_t element;
typedef vp elements; /* W times PER_LANE */
#define PER_LANE 2
#define LOAD_ELEMENTS load_pairs
#define SPLAT_ELEMENT(p) splat_pair(p)
#define ADD_PRODUCT(sum, x, y) sum = add_pairs(sum, x, y)
#define STORE_BOTH store_both_bf16
#define MMI_PRODUCT_NAME(name) MMI_NAME(name##_bf16)
#else
typedef float element;
typedef vf elements;
#define PER_LANE 1
#define LOAD_ELEMENTS load
#define SPLAT_ELEMENT(p) splat(*(p))
#define ADD_PRODUCT(sum, x, y) sum += (x) * (y)
#define STORE_BOTH(p, x, none) store(p, x)
#define MMI_PRODUCT_NAME(name) MMI_NAME(name)
#endif

#endif
