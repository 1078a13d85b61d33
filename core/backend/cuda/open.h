/* open.h - the CUDA backend, opened when it is asked for. */
#ifndef MMI_CUDA_OPEN_H
#define MMI_CUDA_OPEN_H

#include "engine/device.h"

/* Of operands of products: floats; floats that tensor cores read 10 bits of; bfloat16, as all maps of programs are
 * then.
 */
typedef enum mmi_cuda_precision { MMI_CUDA_FLOAT32, MMI_CUDA_TF32, MMI_CUDA_BFLOAT16 } mmi_cuda_precision;

/* The card of this number, counted on from the first where there are not so many (CUDA_VISIBLE_DEVICES says which there
 * are). The module is looked for in $MMCORE_BACKENDS, else where it is installed; it is never unloaded. Messages say
 * what is missing and what to do. */
mm_status mmi_cuda_open(mmi_cuda_precision precision, uint32_t card, mmi_device *out, mm_error *e);

#endif
