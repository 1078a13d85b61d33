/* device.h - the host as a device. */
#ifndef MMI_CPU_DEVICE_H
#define MMI_CPU_DEVICE_H

#include "engine/device.h"

/* The environment's MMCORE_ISA is read here, once. */
mmi_device mmi_cpu_device(void);
/* The same with another backend's kernels, for tests: those of the reference, say. */
mmi_device mmi_host_device(const mmi_backend *backend);

#endif
