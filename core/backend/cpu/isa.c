/* isa.c - which instruction set the CPU kernels use. */
#include "mmi_build.h"

#include "backend/cpu/isa.h"

#include <stdlib.h>
#include <string.h>

#define ISA(set, test)                                                                     \
	{                                                                                      \
		.name = #set, .supported = (test), .vec = &mmi_vec_##set, .simd = &mmi_simd_##set, \
		.kernels = mmi_kernels_##set                                                       \
	}

static bool always(void)
{
	return true;
}

#if HAVE_X86_KERNELS
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq");
}
#endif

const mmi_isa mmi_isas[] = {
#if HAVE_OPENBLAS /* on request only */
	{ .name = "blas",
	  .supported = always,
	  .vec = &mmi_vec_generic,
	  .simd = &mmi_simd_generic,
	  .kernels = mmi_kernels_generic,
	  .blas = mmi_blas_text },
#endif
	ISA(generic, always),
#if HAVE_X86_KERNELS
	ISA(avx2, has_avx2),
	ISA(avx512, has_avx512),
#endif
	{ 0 },
};

const mmi_isa *mmi_isa_get(void)
{
	const char *wanted = getenv("MMCORE_ISA");
	const mmi_isa *best = mmi_isas;
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		if (!isa->supported())
			continue;
		best = isa;
		if (wanted && strcmp(wanted, isa->name) == 0)
			break;
	}
	return best;
}
