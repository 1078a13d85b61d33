/* cuda_rig.h - the CUDA backend on the emulated device, as a device for tests. */
#ifndef CUDA_RIG_H
#define CUDA_RIG_H

#include "engine/device.h"

/* Made once a program, never closed. Products of floats in float32. */
const mmi_device *cuda_device(void);
/* The same with tensor cores: products in TF32. */
const mmi_device *cuda_device_tf32(void);
/* The same with maps in bfloat16. */
const mmi_device *cuda_device_bf16(void);
/* The same as the first, but what it allocates is NaN instead of zeros: nothing may be read before it is written. */
const mmi_device *cuda_device_poisoned(void);
const mmi_device *cuda_device_bf16_poisoned(void);

#endif
