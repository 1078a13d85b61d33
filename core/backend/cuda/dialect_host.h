/* dialect_host.h - kernels as the host sees them. */
#ifndef MMI_CUDA_DIALECT_HOST_H
#define MMI_CUDA_DIALECT_HOST_H

#include <stddef.h>

enum { MMI_BLOCK = 256, MMI_WARP = 32, MMI_WARPS = MMI_BLOCK / MMI_WARP };

typedef struct mmi_cuda_kernel {
	const void *function; /* for cudaLaunchKernel */
	const char *name;
	size_t args_bytes;
} mmi_cuda_kernel;

#endif
