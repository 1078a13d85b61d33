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

mm_status mmi_device_rows_create(const mmi_model *m, size_t rows, mmi_device_rows *out, mm_error *e)
{
	*out = (mmi_device_rows){ { { NULL } } };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		if (!allocate(m, rows * (size_t)m->modalities[i].count, &out->x[i]))
			return mmi_fail(e, MM_ENOMEM, "out of memory for %zu samples of [%s]", rows, m->modalities[i].name);
	return MM_OK;
}

void mmi_device_rows_clear(const mmi_model *m, mmi_device_rows *x)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_floats_release(m->device, &x->x[i]);
}

mm_status mmi_device_experts_create(const mmi_model *m, size_t rows, mmi_device_experts *out, mm_error *e)
{
	*out = (mmi_device_experts){ .loc = { { NULL } } };
	bool ok = true;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		ok = allocate(m, rows * z_dim(m), &out->loc[i]) && allocate(m, rows * z_dim(m), &out->scale[i]) && ok;
		ok = allocate(m, rows * w_dim(m), &out->w_loc[i]) && allocate(m, rows * w_dim(m), &out->w_scale[i]) && ok;
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the encodings of %zu samples", rows);
}

void mmi_device_experts_clear(const mmi_model *m, mmi_device_experts *x)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_floats *all[] = { &x->loc[i], &x->scale[i], &x->w_loc[i], &x->w_scale[i] };
		for (size_t k = 0; k < MMI_COUNT(all); k++)
			mmi_floats_release(m->device, all[k]);
	}
}

static void copy(const mmi_model *m, mmi_floats to, mmi_floats from, size_t n)
{
	if (from.at && n)
		mmi_floats_copy(m->device, to, from, n);
}

void mmi_device_rows_copy(const mmi_model *m, size_t rows, const mmi_device_rows *to, const mmi_device_rows *from)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		copy(m, to->x[i], from->x[i], rows * (size_t)m->modalities[i].count);
}

void mmi_device_latents_copy(const mmi_model *m, size_t rows, const mmi_device_latents *to,
                             const mmi_device_latents *from)
{
	copy(m, to->z, from->z, rows * z_dim(m));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		copy(m, to->w[i], from->w[i], rows * w_dim(m));
}

static void pick(const mmi_model *m, const mmi_pick *which, mmi_floats to, mmi_floats from, size_t count)
{
	mmi_pick a = *which;
	a.out = to;
	a.from = from;
	a.count = count;
	if (from.at && a.rows)
		m->device->rows->pick(m->device, &a);
}

void mmi_device_rows_pick(const mmi_model *m, const mmi_pick *which, const mmi_device_rows *to,
                          const mmi_device_rows *from)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		pick(m, which, to->x[i], from->x[i], (size_t)m->modalities[i].count);
}

void mmi_device_latents_pick(const mmi_model *m, const mmi_pick *which, const mmi_device_latents *to,
                             const mmi_device_latents *from)
{
	pick(m, which, to->z, from->z, z_dim(m));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		pick(m, which, to->w[i], from->w[i], w_dim(m));
}

mmi_device_latents mmi_device_latents_at(const mmi_model *m, const mmi_device_latents *l, size_t row)
{
	mmi_device_latents view = { .z = mmi_floats_at(l->z, row * z_dim(m)) };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		view.w[i] = mmi_floats_at(l->w[i], row * w_dim(m));
	return view;
}
