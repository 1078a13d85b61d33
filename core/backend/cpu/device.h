/* device.h - the host as a device. */
#ifndef MMI_CPU_DEVICE_H
#define MMI_CPU_DEVICE_H

#include "engine/device.h"

/* The environment's MMCORE_ISA is read here, once. */
mmi_device mmi_cpu_device(void);
/* The same with operands of products in bfloat16. */
mmi_device mmi_cpu_device_bf16(void);
/* Whether it has bfloat16 that the processor does not: it is slower than float32 then. */
bool mmi_cpu_device_emulates(const mmi_device *d);
/* The same with another backend's kernels, for tests: those of the reference, say. */
mmi_device mmi_host_device(const mmi_backend *backend);

#endif
