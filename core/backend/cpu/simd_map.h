/* simd_map.h - maps of floats, or of numbers in bfloat16 (narrow): what is computed of their elements is in floats. All
 * places count elements. */
#ifndef MMI_CPU_SIMD_MAP_H
#define MMI_CPU_SIMD_MAP_H

#include "backend/cpu/simd_bf16.h"

MMI_INLINE vf load_map(const bool narrow, const void *map, int64_t i)
{
	return narrow ? load_bf16((const uint16_t *)map + i) : load((const float *)map + i);
}

MMI_INLINE void store_map(const bool narrow, void *map, int64_t i, vf x)
{
	if (narrow)
		store_bf16((uint16_t *)map + i, x);
	else
		store((float *)map + i, x);
}

/* The first n lanes, if n < W; the rest zero. */
MMI_INLINE vf load_map_up_to(const bool narrow, const void *map, int64_t i, int n)
{
	if (n >= W)
		return load_map(narrow, map, i);
	return narrow ? load_part_bf16((const uint16_t *)map + i, n) : load_part((const float *)map + i, n);
}

MMI_INLINE void store_map_up_to(const bool narrow, void *map, int64_t i, vf x, int n)
{
	if (n >= W)
		store_map(narrow, map, i, x);
	else if (narrow)
		store_part_bf16((uint16_t *)map + i, x, n);
	else
		store_part((float *)map + i, x, n);
}

#endif
