/* isa.c - which instruction set the CPU kernels use. */
#include "mmi_build.h"

#include "backend/cpu/isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const isa_names[MMI_ISA_COUNT] = { "generic", "avx2", "avx512" };

static int best_isa(void)
{
#if HAVE_X86_KERNELS
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
		return MMI_ISA_AVX512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return MMI_ISA_AVX2;
#endif
	return MMI_ISA_GENERIC;
}

int mmi_cpu_isa(void)
{
	const char *wanted = getenv("MMCORE_ISA");
	int best = best_isa();
	for (int isa = 0; wanted && isa < best; isa++)
		if (strcmp(wanted, isa_names[isa]) == 0)
			return isa;
	return best;
}

const char *mmi_cpu_isa_name(int isa)
{
	return isa_names[isa];
}
