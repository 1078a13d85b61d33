/* emu_launch.c - copies and launches, checked as they are queued; what the device says of itself. */
#define _GNU_SOURCE
#include "emu_internal.h"

#include <cuda_runtime_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ copies */

typedef struct copy_ctx {
	void *to;
	const void *from;
	size_t bytes;
	int value;
} copy_ctx;

static void run_copy(const void *ctx)
{
	const copy_ctx *c = ctx;
	memmove(c->to, c->from, c->bytes);
}

static void run_fill(const void *ctx)
{
	const copy_ctx *c = ctx;
	memset(c->to, c->value, c->bytes);
}

static bool fits(const void *p, size_t bytes, bool device, const char *side)
{
	const bool ok = device ? emu_is_device(p, bytes) : emu_is_pinned(p, bytes);
	if (!ok)
		emu_violate("cudaMemcpyAsync: %s %p of %zu bytes is not %s", side, p, bytes,
		            device ? "in one allocation of the device" : "pinned host memory");
	return ok;
}

/* A copy to the host fills its target with NaN when it is queued, so that what was not waited for cannot look right. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s)
{
	const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
	const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
	if (!fits(to, bytes, to_device, "destination") || !fits(from, bytes, from_device, "source"))
		return cudaErrorInvalidValue;
	if (!to_device && s && !emu_is_capturing(s))
		memset(to, 0xFF, bytes);
	emu_counter()->up += !from_device;
	emu_counter()->down += !to_device;
	return (cudaError_t)emu_enqueue(s, run_copy, &(copy_ctx){ to, from, bytes, 0 }, sizeof(copy_ctx));
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t s)
{
	if (!fits(to, bytes, true, "destination"))
		return cudaErrorInvalidValue;
	return (cudaError_t)emu_enqueue(s, run_fill, &(copy_ctx){ to, NULL, bytes, value }, sizeof(copy_ctx));
}

/* ------------------------------------------------------------ launches */

extern const emu_kernel *const __start_emu_kernels[], *const __stop_emu_kernels[];

typedef struct launch_ctx {
	const emu_kernel *kernel;
	emu_uint3 grid, block;
	_Alignas(16) char args[4096]; /* what a launch may have */
} launch_ctx;

static void run_launch(const void *ctx)
{
	const launch_ctx *l = ctx;
	emu_counter()->launches++;
	if (!emu_is_hollow())
		emu_run_grid(l->kernel, l->grid, l->block, l->args);
}

/* Addresses are of live device memory, or NULL. */
static bool check_args(const emu_kernel *k, const char *args)
{
	for (size_t at = 0; at < k->pointers * sizeof(uintptr_t); at += sizeof(uintptr_t)) {
		uintptr_t word;
		memcpy(&word, args + at, sizeof word);
		if (word && !emu_is_device((void *)word, 1)) {
			emu_violate("%s: argument at byte %zu is %p, %s", k->name, at, (void *)word,
			            emu_in_arena((void *)word) ? "which is no live device memory" : "no address of the device");
			return false;
		}
	}
	return true;
}

static const emu_kernel *find(const void *function)
{
	for (const emu_kernel *const *at = __start_emu_kernels; at < __stop_emu_kernels; at++)
		if ((*at)->function == function)
			return *at;
	return NULL;
}

static cudaError_t launch(const void *function, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t s)
{
	const emu_kernel *k = find(function);
	const unsigned long threads = (unsigned long)block.x * block.y * block.z;
	if (!k || shared || !grid.x || !grid.y || !grid.z || grid.x > 2147483647 || grid.y > 65535 || grid.z > 65535 ||
	    !threads || threads > 1024 || block.z > 64 || k->args_bytes > sizeof((launch_ctx *)0)->args) {
		emu_violate("a launch of %s with grid %u %u %u, block %u %u %u", k ? k->name : "an unknown kernel", grid.x,
		            grid.y, grid.z, block.x, block.y, block.z);
		return cudaErrorInvalidConfiguration;
	}
	launch_ctx l = { .kernel = k, .grid = { grid.x, grid.y, grid.z }, .block = { block.x, block.y, block.z } };
	memcpy(l.args, args[0], k->args_bytes);
	if (!check_args(k, l.args))
		return cudaErrorIllegalAddress;
	return (cudaError_t)emu_enqueue(s, run_launch, &l, offsetof(launch_ctx, args) + k->args_bytes);
}

cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t s)
{
	emu_enter();
	const cudaError_t status = launch(function, grid, block, args, shared, s);
	emu_leave();
	return status;
}

/* ------------------------------------------------------------ the device itself */

/* EMU_DRIVER: the version that a driver gives, 0 for none; EMU_DEVICES: how many; EMU_GRAPHS: 0 for a device that
 * records nothing. */
int emu_of_environment(const char *name, int otherwise)
{
	const char *value = getenv(name);
	return value ? atoi(value) : otherwise;
}

cudaError_t cudaDriverGetVersion(int *version)
{
	*version = emu_of_environment("EMU_DRIVER", 13000);
	return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
	*version = 13000;
	return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *n)
{
	*n = 0;
	if (emu_of_environment("EMU_DRIVER", 13000) < 13000)
		return cudaErrorInsufficientDriver;
	*n = emu_of_environment("EMU_DEVICES", 1);
	return *n ? cudaSuccess : cudaErrorNoDevice;
}

static int current;

cudaError_t cudaSetDevice(int device)
{
	if (device < 0 || device >= emu_of_environment("EMU_DEVICES", 1))
		return cudaErrorInvalidDevice;
	current = device;
	return cudaSuccess;
}

static int device_set(void)
{
	return current;
}

__attribute__((visibility("default"))) const emu_offer emu_offered = {
	emu_enqueue_when, emu_is_device, emu_is_capturing, emu_violate, device_set,
};

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
	*p = (struct cudaDeviceProp){ .name = "emulated", .major = 9, .multiProcessorCount = 2 };
	p->uuid.bytes[0] = (char)device;
	return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t e)
{
	switch ((int)e) {
	case cudaErrorMemoryAllocation:
		return "out of memory";
	case cudaErrorInsufficientDriver:
		return "CUDA driver version is insufficient for CUDA runtime version";
	default:
		return "an error of the emulated device";
	}
}
