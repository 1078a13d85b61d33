/* open.c - finds and opens backend-cuda.so. */
#include "mmi_build.h"

#include "backend/cuda/open.h"

#include "backend/cpu/device.h"
#include "backend/cuda/module.h"
#include "base/module.h"

#include <string.h>

mm_status mmi_cuda_open(mmi_cuda_precision precision, uint32_t card, mmi_device *out, mm_error *e)
{
	static const mmi_module module = {
		.file = "backend-cuda.so",
		.entry = MMI_BACKEND_ENTRY,
		.asked = "there is",
		.absent = "configure with --with-cuda (needs the CUDA Toolkit and cuDNN 9.8 or newer), or set device = cpu",
		.wanting = "install what is missing (the CUDA runtime, cuBLAS, cuDNN 9.8 or newer), or set device = cpu",
	};
	const mmi_backend_request r = { MMI_BACKEND_LAYOUT, precision, card, mmi_cpu_device().vec };
	mmi_backend_open *open;
	void *entry;
	MMI_TRY(mmi_module_open(&module, &entry, e));
	memcpy(&open, &entry, sizeof open);
	return open(&r, out, e);
}
