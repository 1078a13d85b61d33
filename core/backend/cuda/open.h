/* open.h - the CUDA backend, opened when it is asked for. */
#ifndef MMI_CUDA_OPEN_H
#define MMI_CUDA_OPEN_H

#include "engine/device.h"

/* The first card (CUDA_VISIBLE_DEVICES says which that is). The module is looked for in $MMCORE_BACKENDS, else where it
 * is installed; it is never unloaded. Messages say what is missing and what to do. */
mm_status mmi_cuda_open(bool tensor_cores, mmi_device *out, mm_error *e);

#endif
