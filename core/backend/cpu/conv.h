/* conv.h - the fast kernels of linear layers, convolutions, pooling and upsampling. */
#ifndef MMI_CPU_CONV_H
#define MMI_CPU_CONV_H

#include "engine/kernel.h"

/* Kernels of an operation, the preferred first, NULL-terminated; NULL for operations of other files. The first whose
 * accepts() says yes is to be taken; for each operation listed here the last one accepts everything. */
const mmi_kernel *const *mmi_cpu_conv_kernels(mmi_opcode op);

#endif
