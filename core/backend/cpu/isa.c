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

#define ISA_BF16(set, of, test, says)                                                                                 \
	{                                                                                                                 \
		.name = #set, .supported = (test), .vec = &mmi_vec_##of, .simd = &mmi_simd_##of, .kernels = mmi_kernels_##of, \
		.bf16 = &mmi_bf16_##set, .text = says                                                                         \
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

#if HAVE_AVX512BF16
static bool has_avx512bf16(void)
{
	return has_avx512() && __builtin_cpu_supports("avx512bf16");
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

const mmi_isa mmi_isas_bf16[] = {
	ISA_BF16(generic, generic, always, "generic, bfloat16 emulated"),
#if HAVE_X86_KERNELS
	ISA_BF16(avx2, avx2, has_avx2, "avx2, bfloat16 emulated"),
	ISA_BF16(avx512, avx512, has_avx512, "avx512, bfloat16 emulated"),
#endif
#if HAVE_AVX512BF16
	ISA_BF16(avx512bf16, avx512, has_avx512bf16, "avx512bf16"),
#endif
	{ 0 },
};

bool mmi_isa_has_bf16(const mmi_isa *isa)
{
	return isa->bf16 && strcmp(isa->name, "avx512bf16") == 0;
}

static const mmi_isa *best_of(const mmi_isa *isas)
{
	const char *wanted = getenv("MMCORE_ISA");
	const mmi_isa *best = isas;
	for (const mmi_isa *isa = isas; isa->name; isa++) {
		if (!isa->supported())
			continue;
		best = isa;
		if (wanted && strcmp(wanted, isa->name) == 0)
			break;
	}
	return best;
}

const mmi_isa *mmi_isa_get(void)
{
	return best_of(mmi_isas);
}

const mmi_isa *mmi_isa_get_bf16(void)
{
	return best_of(mmi_isas_bf16);
}
