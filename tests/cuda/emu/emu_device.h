/* emu_device.h - the device side of CUDA, one thread at a time on the processor: builtins, shared memory, barriers,
 * shuffles. */
#ifndef EMU_DEVICE_H
#define EMU_DEVICE_H

#include <stddef.h>
#include <stdint.h>

typedef struct emu_uint3 {
	unsigned x, y, z;
} emu_uint3;
extern emu_uint3 emu_thread_idx, emu_block_idx, emu_block_dim, emu_grid_dim; /* of the thread that runs */

#define threadIdx emu_thread_idx
#define blockIdx emu_block_idx
#define blockDim emu_block_dim
#define gridDim emu_grid_dim
#define __global__
#define __device__ __attribute__((unused))
#define __forceinline__ inline __attribute__((always_inline))
/* One block runs at a time, so a static variable is its shared memory; all of them lie in one section, which is filled
 * with NaN between blocks. */
#define __shared__ static __attribute__((section("emu_shared")))

void emu_barrier(int line);
double emu_shuffle_xor(unsigned mask, double value, int lane_mask, int line);
#define __syncthreads() emu_barrier(__LINE__)
/* Of float and double: a float comes back as it was. */
#define __shfl_xor_sync(mask, value, lane_mask) \
	((__typeof__(value))emu_shuffle_xor(mask, (double)(value), lane_mask, __LINE__))

typedef struct emu_kernel {
	const void *function;
	void (*call)(const void *args);
	const char *name;
	size_t args_bytes;
	unsigned pointers; /* leading members that are addresses */
} emu_kernel;

/* A kernel's entry in the list that cudaLaunchKernel looks it up in. */
#define EMU_KERNEL(kernel, args_type, n)                                                                        \
	static void emu_call_##kernel(const void *args)                                                             \
	{                                                                                                           \
		kernel(*(const args_type *)args);                                                                       \
	}                                                                                                           \
	static const emu_kernel emu_entry_##kernel = { (const void *)(uintptr_t)kernel, emu_call_##kernel, #kernel, \
		                                           sizeof(args_type), n };                                      \
	static const emu_kernel *const emu_listed_##kernel __attribute__((used, section("emu_kernels"))) =          \
		&emu_entry_##kernel;                                                                                    \
	extern const mmi_cuda_kernel mmi_kernel_##kernel;                                                           \
	const mmi_cuda_kernel mmi_kernel_##kernel = { (const void *)(uintptr_t)kernel, #kernel, sizeof(args_type) }

#endif
