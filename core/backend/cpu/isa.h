/* isa.h - the instruction sets that the CPU's inner loops are compiled for, each with what is compiled for it. */
#ifndef MMI_CPU_ISA_H
#define MMI_CPU_ISA_H

#include "backend/cpu/kernels.h"
#include "backend/cpu/simd.h"
#include "backend/cpu/vec.h"

typedef struct mmi_isa {
	const char
		*name; /* "blas" (generic, with products by OpenBLAS), "generic", "avx2" (with FMA), "avx512" (F, VL, DQ) */
	bool (*supported)(void);  /* by this processor */
	bool (*on_request)(void); /* the same where it is asked for by its name; NULL: no other */
	const mmi_vec *vec;
	const mmi_simd *simd;
	mmi_kernel_list *kernels;    /* one for each operation */
	const mmi_bf16 *bf16;        /* what computes products; NULL: float32 */
	const char *text;            /* for checkpoints and messages, unless it is the name */
	const char *(*blas)(void);   /* version of OpenBLAS, if that computes products; else NULL */
	const char *(*onednn)(void); /* the same of oneDNN */
} mmi_isa;

/* What this build contains, each set after those that it includes, and first what is taken on request only; then an
 * entry without a name. */
extern const mmi_isa mmi_isas[];

/* The same with products in bfloat16: of the processor's own ("avx512bf16"), of oneDNN ("onednn": where there is AMX,
 * or on request), else emulated, at half the speed of float32 or less. */
extern const mmi_isa mmi_isas_bf16[];

/* The best set that this processor supports; the environment's MMCORE_ISA=generic|blas|avx2|avx512|avx512bf16|onednn
 * lowers it (other values, and sets that are not supported, are ignored). Pure while the environment and installed
 * modules do not change. */
const mmi_isa *mmi_isa_get(void);
const mmi_isa *mmi_isa_get_bf16(void);
/* The last of a list that is supported, or the one called `wanted` (may be NULL). */
const mmi_isa *mmi_isa_best(const mmi_isa *isas, const char *wanted);
/* MM_OK, or why oneDNN does not compute products in bfloat16 although the processor has AMX, or although it was asked
 * for. */
mm_status mmi_isa_wants_onednn(mm_error *e);
/* Whether this processor, as it is used, multiplies numbers in bfloat16 by itself. */
bool mmi_isa_has_bf16(const mmi_isa *isa);

#endif
