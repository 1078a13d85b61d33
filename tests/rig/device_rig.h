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

/* With MMI_TEST_BF16 the products of all that a test computes have operands in bfloat16. */
static inline const mmi_device *cpu_device(void)
{
#if defined(MMI_TEST_BF16)
	static mmi_device device;
	device = mmi_cpu_device_bf16();
	return &device;
#else
	return device_of(&mmi_backend_cpu);
#endif
}

/* What a test that is built for several devices runs on. */
#if defined(MMI_TEST_CUDA)
#include "../cuda/cuda_rig.h"
enum { TESTED_THREADS = 1 }; /* one drives a GPU */
static inline const mmi_device *tested_device(void)
{
#if defined(MMI_TEST_BF16)
	return cuda_device_bf16();
#else
	return cuda_device();
#endif
}
#else
enum { TESTED_THREADS = 2 };
static inline const mmi_device *tested_device(void)
{
	return cpu_device();
}
#endif

/* n floats of the device into new memory of the host, which mmi_free frees. */
static inline float *device_floats(const mmi_device *d, mmi_floats x, size_t n)
{
	float *host = mmi_alloc(n, sizeof *host);
	if (host) {
		d->ops->download(d, host, x.at, n * sizeof *host);
		d->ops->wait(d, NULL);
	}
	return host;
}

#endif
