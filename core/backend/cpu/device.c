/* device.c - the host as a device: addresses are pointers, and what is queued is done at once. */
#include "mmi_build.h"

#include "backend/cpu/device.h"

#include "backend/cpu/isa.h"
#include "backend/cpu/rows.h"

#include <string.h>

static void *host_alloc(const mmi_device *d, size_t bytes)
{
	(void)d;
	return mmi_alloc(bytes, 1);
}

static void host_release(const mmi_device *d, void *p)
{
	(void)d;
	mmi_free(p);
}

static void host_copy(const mmi_device *d, void *to, const void *from, size_t bytes)
{
	(void)d;
	if (bytes && to != from)
		memcpy(to, from, bytes);
}

static void host_zero(const mmi_device *d, void *to, size_t bytes)
{
	(void)d;
	memset(to, 0, bytes);
}

static mm_status host_wait(const mmi_device *d, mm_error *e)
{
	(void)d;
	(void)e;
	return MM_OK;
}

static const mmi_device_ops host_ops = {
	.name = "cpu",
	.direct = true,
	.alloc = host_alloc,
	.release = host_release,
	.alloc_staging = host_alloc,
	.release_staging = host_release,
	.upload = host_copy,
	.download = host_copy,
	.copy = host_copy,
	.zero = host_zero,
	.wait = host_wait,
};

/* Libraries sum in an order that depends on the number of rows. */
static mmi_device host_device(const mmi_backend *backend, const mmi_isa *isa)
{
	return (mmi_device){ .ops = &host_ops,
		                 .backend = backend,
		                 .rows = &mmi_host_rows,
		                 .vec = isa->vec,
		                 .own = isa,
		                 .narrow = isa->bf16 != NULL,
		                 .text = isa->blas     ? isa->blas()
		                         : isa->onednn ? isa->onednn()
		                         : isa->text   ? isa->text
		                                       : isa->name,
		                 .few = isa->blas || isa->onednn ? 0 : 4 };
}

mmi_device mmi_host_device(const mmi_backend *backend)
{
	return host_device(backend, mmi_isa_get());
}

mmi_device mmi_cpu_device_bf16(void)
{
	return host_device(&mmi_backend_cpu, mmi_isa_get_bf16());
}

bool mmi_cpu_device_emulates(const mmi_device *d)
{
	const mmi_isa *isa = d->own;
	return isa->bf16 && !mmi_isa_has_bf16(isa);
}

mmi_device mmi_cpu_device(void)
{
	return mmi_host_device(&mmi_backend_cpu);
}
