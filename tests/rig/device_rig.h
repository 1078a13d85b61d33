/* device_rig.h - the host as a device for tests, with any backend's kernels. */
#ifndef DEVICE_RIG_H
#define DEVICE_RIG_H

#include "backend/cpu/device.h"

/* Made anew by every call, so that it follows MMCORE_ISA; one for each backend, never freed. */
static inline const mmi_device *device_of(const mmi_backend *backend)
{
	static mmi_device devices[3];
	mmi_device *d = &devices[backend == &mmi_backend_cpu ? 0 : backend == &mmi_backend_ref32 ? 1 : 2];
	*d = mmi_host_device(backend);
	return d;
}

static inline const mmi_device *cpu_device(void)
{
	return device_of(&mmi_backend_cpu);
}

#endif
