/* bf16.h - one number in bfloat16, the upper half of a float. */
#ifndef MMI_CPU_BF16_H
#define MMI_CPU_BF16_H

#include <stdint.h>

typedef union mmi_float_bits {
	float x;
	uint32_t u;
} mmi_float_bits;

/* To the nearest, to even at a tie; what is not a number stays none. */
static inline uint16_t mmi_to_bf16(float x)
{
	const mmi_float_bits bits = { .x = x };
	return (uint16_t)(x != x ? bits.u >> 16 | 0x40 : (bits.u + 0x7fff + (bits.u >> 16 & 1)) >> 16);
}

static inline float mmi_of_bf16(uint16_t x)
{
	const mmi_float_bits bits = { .u = (uint32_t)x << 16 };
	return bits.x;
}

#endif
