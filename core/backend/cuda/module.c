/* module.c - the module's entry: is there a driver, a card that this build has code for, and what else is missing? */
#include "mmi_build.h"

#include "backend/cuda/module.h"

#include "backend/cuda/device.h"

#include <string.h>

#ifndef MMI_CUDA_OLDEST
#define MMI_CUDA_OLDEST 80 /* compute capability times ten of the oldest card that there is code for */
#endif

static mm_status check_layout(const mmi_backend_layout *theirs, mm_error *e)
{
	const mmi_backend_layout ours = MMI_BACKEND_LAYOUT;
	if (strcmp(theirs->version, ours.version))
		return mmi_fail(e, MM_EABI, "backend-cuda.so is of mmcore %s, this is %s; install both from one build",
		                ours.version, theirs->version);
	if (theirs->exec != ours.exec || theirs->node != ours.node || theirs->backend != ours.backend ||
	    theirs->device != ours.device || theirs->device_ops != ours.device_ops || theirs->row_ops != ours.row_ops ||
	    theirs->comm != ours.comm || theirs->comm_ops != ours.comm_ops)
		return mmi_fail(e, MM_EABI, "backend-cuda.so is of another build of mmcore %s; install both from one build",
		                ours.version);
	return MM_OK;
}

static mm_status no_driver(mm_error *e)
{
	int runtime = 0, driver = 0;
	cudaRuntimeGetVersion(&runtime);
	cudaDriverGetVersion(&driver);
	if (driver == 0)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "no NVIDIA driver on this machine; install one for CUDA %d.%d or newer, or set device = cpu",
		                runtime / 1000, runtime % 1000 / 10);
	return mmi_fail(e, MM_EUNSUPPORTED,
	                "the driver is for CUDA %d.%d, this build needs %d.%d; install a newer driver, build with "
	                "--with-cuda=<an older toolkit>, or set device = cpu",
	                driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
}

/* number: in, of all that one would like; out, of those there are. */
static mm_status check_card(int *number, mm_error *e)
{
	struct cudaDeviceProp p;
	int n = 0;
	const cudaError_t status = cudaGetDeviceCount(&n);
	if (status == cudaErrorInsufficientDriver)
		return no_driver(e);
	if (status == cudaErrorNoDevice || (status == cudaSuccess && n == 0))
		return mmi_fail(e, MM_EUNSUPPORTED, "the driver finds no NVIDIA GPU on this machine; set device = cpu");
	if (status != cudaSuccess)
		return mmi_fail(e, MM_EUNSUPPORTED, "the driver answers \"%s\" (CUDA error %d); set device = cpu",
		                cudaGetErrorString(status), (int)status);
	*number %= n;
	if (cudaSetDevice(*number) != cudaSuccess || cudaGetDeviceProperties(&p, *number) != cudaSuccess)
		return mmi_fail(e, MM_EUNSUPPORTED, "the GPU does not answer; set device = cpu");
	if (10 * p.major + p.minor < MMI_CUDA_OLDEST)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "%s has compute capability %d.%d, this build needs %d.%d; configure with CUDA_ARCHS=%d%d, or "
		                "set device = cpu",
		                p.name, p.major, p.minor, MMI_CUDA_OLDEST / 10, MMI_CUDA_OLDEST % 10, p.major, p.minor);
	return MM_OK;
}

__attribute__((visibility("default"))) mm_status mmi_backend_open_1(const mmi_backend_request *r, mmi_device *out,
                                                                    mm_error *e)
{
	mmi_cuda_config config = { .precision = r->precision, .vec = r->vec };
	MMI_TRY(check_layout(&r->layout, e));
	config.number = (int)(r->card & INT32_MAX);
	MMI_TRY(check_card(&config.number, e));
	return mmi_cuda_create(&config, out, e);
}
