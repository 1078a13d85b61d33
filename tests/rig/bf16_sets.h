/* bf16_sets.h - every set of instructions with products in bfloat16 that this processor has. */
#ifndef MMI_TEST_BF16_SETS_H
#define MMI_TEST_BF16_SETS_H

#include "engine/device.h"

/* Calls f with a device of each, the slowest first. */
void each_bf16_set(void (*f)(const mmi_device *d, void *ctx), void *ctx);

#endif
