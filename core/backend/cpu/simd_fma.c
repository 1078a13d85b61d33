/* simd_fma.c - multiply-adds in registers: what the processor can do at best. */
#include "mmi_build.h"

#include "backend/cpu/simd_table.h"

/* Independent chains: enough to hide the latency of two units, few enough for 16 registers. */
#define CHAINS 12

double MMI_NAME(mmi_fma)(uint64_t rounds, float *value)
{
	/* x tends to term / (1 - factor) = 1 from wherever it starts: numbers stay normal, which denormal ones are not, and
	 * far slower. The value changes nothing, but the compiler cannot know. */
	const vf factor = splat(0.999f), term = splat(1e-3f + 1e-30f * *value);
	vf x[CHAINS], sum = splat(0.0f);
	MMI_UNROLL
	for (int i = 0; i < CHAINS; i++)
		x[i] = splat((float)i);
	for (uint64_t r = 0; r < rounds; r++) {
		MMI_UNROLL
		for (int i = 0; i < CHAINS; i++)
			x[i] = x[i] * factor + term;
	}
	MMI_UNROLL
	for (int i = 0; i < CHAINS; i++)
		sum += x[i];
	*value = sum[0] / CHAINS;
	return 2.0 * CHAINS * W * (double)rounds;
}
