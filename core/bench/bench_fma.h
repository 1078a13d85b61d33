/* bench_fma.h - the processor's multiply-add rate, measured with each instruction set the kernels are compiled for. */
#ifndef MMI_BENCH_FMA_H
#define MMI_BENCH_FMA_H

#include <stdint.h>

/* Does `rounds` rounds of independent multiply-adds in registers; returns how many floating-point operations those were
 * (a multiply-add counts as two). The result depends on *value, so that nothing is optimised away. */
typedef double mmi_bench_fma(uint64_t rounds, float *value);

mmi_bench_fma mmi_bench_fma_generic, mmi_bench_fma_avx2, mmi_bench_fma_avx512;

#endif
