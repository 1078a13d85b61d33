/* cuda_rig.c - devices for tests. */
#include "mmi_build.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "backend/cpu/device.h"
#include "backend/cuda/device.h"
#include "cuda_rig.h"

static mmi_device made(bool tensor_cores)
{
	const mmi_cuda_config config = { .tensor_cores = tensor_cores, .vec = mmi_cpu_device().vec };
	mm_error e = MM_ERROR_INIT;
	mmi_device d;
	if (mmi_cuda_create(&config, &d, &e) != MM_OK)
		fail_msg("%s", e.message);
	return d;
}

const mmi_device *cuda_device(void)
{
	static mmi_device d;
	if (!d.ops)
		d = made(false);
	return &d;
}

const mmi_device *cuda_device_tf32(void)
{
	static mmi_device d;
	if (!d.ops)
		d = made(true);
	return &d;
}

static void *poisoned_alloc(const mmi_device *d, size_t bytes)
{
	void *p = cuda_device()->ops->alloc(d, bytes), *nan = mmi_alloc(bytes + 1, 1);
	assert_non_null(p);
	assert_non_null(nan);
	memset(nan, 0xFF, bytes);
	d->ops->upload(d, p, nan, bytes);
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
	mmi_free(nan);
	return p;
}

const mmi_device *cuda_device_poisoned(void)
{
	static mmi_device_ops ops;
	static mmi_device d;
	if (!d.ops) {
		d = made(false);
		ops = *d.ops;
		ops.alloc = poisoned_alloc;
		d.ops = &ops;
	}
	return &d;
}
