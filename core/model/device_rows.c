/* device_rows.c - rows on a model's device. */
#include "mmi_build.h"

#include "model/device_rows.h"

static size_t z_dim(const mmi_model *m)
{
	return (size_t)mmi_model_z_dim(m);
}

static size_t w_dim(const mmi_model *m)
{
	return (size_t)mmi_model_w_dim(m);
}

static bool allocate(const mmi_model *m, size_t n, mmi_floats *out)
{
	*out = n ? mmi_floats_alloc(m->device, n) : (mmi_floats){ NULL };
	return !n || out->at;
}

mm_status mmi_device_latents_create(const mmi_model *m, size_t rows, mmi_device_latents *out, mm_error *e)
{
	*out = (mmi_device_latents){ .z = { NULL } };
	bool ok = allocate(m, rows * z_dim(m), &out->z);
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = allocate(m, rows * w_dim(m), &out->w[i]) && ok;
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %zu latents", rows);
}

void mmi_device_latents_clear(const mmi_model *m, mmi_device_latents *l)
{
	mmi_floats_release(m->device, &l->z);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_floats_release(m->device, &l->w[i]);
}

mmi_device_latents mmi_device_latents_at(const mmi_model *m, const mmi_device_latents *l, size_t row)
{
	mmi_device_latents view = { .z = mmi_floats_at(l->z, row * z_dim(m)) };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		view.w[i] = mmi_floats_at(l->w[i], row * w_dim(m));
	return view;
}
