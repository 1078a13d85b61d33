/* open.c - finds and opens backend-cuda.so. */
#include "mmi_build.h"

#include "backend/cuda/open.h"

#include "backend/cpu/device.h"
#include "backend/cuda/module.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MMCORE_BACKENDDIR
#define MMCORE_BACKENDDIR "/usr/local/lib/mmcore/backends-1"
#endif

static mm_status find_entry(const char *path, mmi_backend_open **out, mm_error *e)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "%s; install what is missing (the CUDA runtime, cuBLAS, cuDNN 9.8 or newer), or set device = "
		                "cpu",
		                dlerror());
	void *entry = dlsym(module, MMI_BACKEND_ENTRY);
	if (!entry)
		return mmi_fail(e, MM_EABI, "%s has no %s; install it from this build of mmcore", path, MMI_BACKEND_ENTRY);
	memcpy(out, &entry, sizeof *out); /* ISO C has no conversion from object to function */
	return MM_OK;
}

static mm_status open_in(const char *folder, mmi_backend_open **out, mm_error *e)
{
	char *path = mmi_format("%s/backend-cuda.so", folder);
	mm_status status;
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	if (access(path, R_OK))
		status =
			mmi_fail(e, MM_EUNSUPPORTED,
		             "no backend-cuda.so in %s; configure with --with-cuda (needs the CUDA Toolkit and cuDNN 9.8 or "
		             "newer), or set device = cpu",
		             folder);
	else
		status = find_entry(path, out, e);
	mmi_free(path);
	return status;
}

mm_status mmi_cuda_open(bool tensor_cores, mmi_device *out, mm_error *e)
{
	const char *folder = secure_getenv("MMCORE_BACKENDS"); /* whose code is run */
	const mmi_backend_request r = { MMI_BACKEND_LAYOUT, tensor_cores, mmi_cpu_device().vec };
	mmi_backend_open *open = NULL;
	MMI_TRY(open_in(folder && *folder ? folder : MMCORE_BACKENDDIR, &open, e));
	return open(&r, out, e);
}
