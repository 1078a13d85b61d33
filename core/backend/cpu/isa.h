/* isa.h - which instruction set the CPU kernels use. */
#ifndef MMI_CPU_ISA_H
#define MMI_CPU_ISA_H

enum { MMI_ISA_GENERIC = 0, MMI_ISA_AVX2 = 1 /* with FMA */, MMI_ISA_AVX512 = 2 /* F, VL, DQ */, MMI_ISA_COUNT = 3 };

/* The best set that this processor has and this build contains; the environment's MMCORE_ISA=generic|avx2|avx512 lowers
 * it (never raises it; other values are ignored). Pure while the environment does not change. */
int mmi_cpu_isa(void);
/* "generic", "avx2", "avx512". */
const char *mmi_cpu_isa_name(int isa);

#endif
