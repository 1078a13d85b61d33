/* isa.h - the instruction sets that the CPU's inner loops are compiled for, each with what is compiled for it. */
#ifndef MMI_CPU_ISA_H
#define MMI_CPU_ISA_H

#include "backend/cpu/kernels.h"
#include "backend/cpu/simd.h"
#include "backend/cpu/vec.h"

typedef struct mmi_isa {
	const char *name;        /* "generic", "avx2" (with FMA), "avx512" (F, VL, DQ) */
	bool (*supported)(void); /* by this processor */
	const mmi_vec *vec;
	const mmi_simd *simd;
	mmi_kernel_list *kernels; /* one for each operation */
} mmi_isa;

/* What this build contains, each set after those that it includes; then an entry without a name. */
extern const mmi_isa mmi_isas[];

/* The best set that this processor supports; the environment's MMCORE_ISA=generic|avx2|avx512 lowers it (never raises
 * it; other values are ignored). Pure while the environment does not change. */
const mmi_isa *mmi_isa_get(void);

#endif
