/* elementwise.h - the fast kernels of element-wise operations, losses, reductions and moves. */
#ifndef MMI_CPU_ELEMENTWISE_H
#define MMI_CPU_ELEMENTWISE_H

#include "engine/kernel.h"

/* The kernel of an operation for this processor; NULL for operations of other files. */
const mmi_kernel *mmi_cpu_elementwise_kernel(mmi_opcode op);

/* The same sources, compiled once per instruction set. Entries without a run function are operations of other files. */
extern const mmi_kernel mmi_elementwise_generic[MMI_OP_COUNT];
extern const mmi_kernel mmi_elementwise_avx2[MMI_OP_COUNT];
extern const mmi_kernel mmi_elementwise_avx512[MMI_OP_COUNT];

#endif
