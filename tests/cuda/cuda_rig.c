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

static mmi_device made(mmi_cuda_precision precision)
{
	const mmi_cuda_config config = { .precision = precision, .vec = mmi_cpu_device().vec };
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
		d = made(MMI_CUDA_FLOAT32);
	return &d;
}

const mmi_device *cuda_device_tf32(void)
{
	static mmi_device d;
	if (!d.ops)
		d = made(MMI_CUDA_TF32);
	return &d;
}

const mmi_device *cuda_device_bf16(void)
{
	static mmi_device d;
	if (!d.ops)
		d = made(MMI_CUDA_BFLOAT16);
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

typedef struct poisoned {
	mmi_device_ops ops;
	mmi_device d;
} poisoned;

static const mmi_device *poisoned_of(poisoned *p, mmi_cuda_precision precision)
{
	if (!p->d.ops) {
		p->d = made(precision);
		p->ops = *p->d.ops;
		p->ops.alloc = poisoned_alloc;
		p->d.ops = &p->ops;
	}
	return &p->d;
}

const mmi_device *cuda_device_poisoned(void)
{
	static poisoned p;
	return poisoned_of(&p, MMI_CUDA_FLOAT32);
}

const mmi_device *cuda_device_bf16_poisoned(void)
{
	static poisoned p;
	return poisoned_of(&p, MMI_CUDA_BFLOAT16);
}
