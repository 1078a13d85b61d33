/* isa.h - which instruction set the CPU kernels use. */
#ifndef MMI_CPU_ISA_H
#define MMI_CPU_ISA_H

/* Whether this build contains more than the generic kernels (config.h has X86_KERNELS then). */
#if defined(X86_KERNELS)
#define HAVE_X86_KERNELS 1
#else
#define HAVE_X86_KERNELS 0
#endif

enum { MMI_ISA_GENERIC = 0, MMI_ISA_AVX2 = 1 /* with FMA */, MMI_ISA_AVX512 = 2 /* F, VL, DQ */, MMI_ISA_COUNT = 3 };

/* The best set that this processor has and this build contains; the environment's MMCORE_ISA=generic|avx2|avx512 lowers
 * it (never raises it; other values are ignored). Pure while the environment does not change. */
int mmi_cpu_isa(void);
/* "generic", "avx2", "avx512". */
const char *mmi_cpu_isa_name(int isa);

#endif
