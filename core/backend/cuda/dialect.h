/* dialect.h - what kernel files include: CUDA under nvcc, the emulated device of the tests elsewhere.
 *
 * Kernels are written in what C11 and CUDA C++ have in common, and each takes exactly one struct by value whose
 * addresses come first: so a launch is a copy of bytes that can be queued, recorded and checked. Shared memory is
 * static, shuffles are of whole warps, blocks have MMI_BLOCK threads, and grids follow from shapes alone: the same bits
 * on every run. No atomics. */
#ifndef MMI_CUDA_DIALECT_H
#define MMI_CUDA_DIALECT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cuda/dialect_host.h"

/* MMI_KERNEL(k, k_args, n) defines mmi_kernel_k; the first n members of k_args are addresses of the device. */
#if defined(__CUDACC__)
#define MMI_UNROLL _Pragma("unroll") /* so that an array of a thread's own can be registers */
#define MMI_KERNEL(kernel, args_type, pointers)           \
	extern "C" const mmi_cuda_kernel mmi_kernel_##kernel; \
	extern "C" const mmi_cuda_kernel mmi_kernel_##kernel = { (const void *)kernel, #kernel, sizeof(args_type) }
#else
#include "emu_device.h"
#define MMI_UNROLL
#define MMI_KERNEL(kernel, args_type, pointers) EMU_KERNEL(kernel, args_type, pointers)
#endif

#endif
