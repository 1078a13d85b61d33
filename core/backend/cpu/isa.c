/* isa.c - which instruction set the CPU kernels use. */
#include "mmi_build.h"

#include "backend/cpu/isa.h"

#include "backend/cpu/amx.h"
#include "backend/onednn/open.h"

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
	return has_avx512() && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512bf16");
}

/* Without AMX oneDNN is no faster than our own kernels. */
static bool can_onednn(void)
{
	const mmi_onednn *found;
	return has_avx512bf16() && mmi_onednn_find("there is", &found, NULL) == MM_OK;
}

static bool has_amx(void)
{
	return mmi_amx_present() && can_onednn() && mmi_amx_permitted();
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
	{ .name = "onednn",
	  .supported = has_amx,
	  .on_request = can_onednn,
	  .vec = &mmi_vec_avx512,
	  .simd = &mmi_simd_avx512,
	  .kernels = mmi_kernels_avx512,
	  .bf16 = &mmi_bf16_avx512bf16,
	  .onednn = mmi_onednn_text },
#endif
	{ 0 },
};

bool mmi_isa_has_bf16(const mmi_isa *isa)
{
#if HAVE_AVX512BF16
	return isa->bf16 == &mmi_bf16_avx512bf16;
#else
	(void)isa;
	return false;
#endif
}

const mmi_isa *mmi_isa_best(const mmi_isa *isas, const char *wanted)
{
	const mmi_isa *best = isas;
	for (const mmi_isa *isa = isas; isa->name; isa++) {
		const bool asked = wanted && strcmp(wanted, isa->name) == 0;
		if (!(asked && isa->on_request ? isa->on_request() : isa->supported()))
			continue;
		best = isa;
		if (asked)
			break;
	}
	return best;
}

const mmi_isa *mmi_isa_get(void)
{
	return mmi_isa_best(mmi_isas, getenv("MMCORE_ISA"));
}

const mmi_isa *mmi_isa_get_bf16(void)
{
	return mmi_isa_best(mmi_isas_bf16, getenv("MMCORE_ISA"));
}

#if HAVE_AVX512BF16
mm_status mmi_isa_wants_onednn(mm_error *e)
{
	const char *wanted = getenv("MMCORE_ISA");
	const mmi_isa *best = mmi_isa_get_bf16();
	const mmi_onednn *found;
	const bool asked = wanted && strcmp(wanted, "onednn") == 0, lowered = wanted && strcmp(wanted, best->name) == 0;
	if (best->onednn || lowered || !(asked || mmi_amx_present()))
		return MM_OK;
	if (!has_avx512bf16())
		return mmi_fail(e, MM_EUNSUPPORTED, "MMCORE_ISA=onednn needs a processor with AVX512-BF16");
	MMI_TRY(
		mmi_onednn_find(asked ? "MMCORE_ISA=onednn, but there is" : "this processor has AMX, but there is", &found, e));
	return mmi_fail(
		e, MM_EUNSUPPORTED,
		"this processor has AMX, but the kernel does not let this process use it (Linux 5.16 or newer does)");
}
#else
mm_status mmi_isa_wants_onednn(mm_error *e)
{
	(void)e;
	return MM_OK;
}
#endif
