/* rows_rig.h - rows of a direct device as the host has them, and the other way round: the same memory. */
#ifndef ROWS_RIG_H
#define ROWS_RIG_H

#include "model/device_rows.h"

static inline mmi_device_rows on_device(const float *const *x, uint32_t n)
{
	mmi_device_rows d = { { { NULL } } };
	for (uint32_t m = 0; m < n; m++)
		d.x[m] = mmi_floats_direct(x[m]);
	return d;
}

static inline float *const *on_host(const mmi_device_rows *x, float *out[MMI_MAX_MODALITIES])
{
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		out[m] = x->x[m].at;
	return out;
}

static inline mmi_device_latents latents_on_device(const mmi_latents *z)
{
	mmi_device_latents d = { .z = { z->z } };
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		d.w[m].at = z->w[m];
	return d;
}

static inline mmi_latents latents_on_host(const mmi_device_latents *z)
{
	mmi_latents h = { .z = z->z.at };
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		h.w[m] = z->w[m].at;
	return h;
}

static inline mmi_device_experts experts_on_device(const mmi_experts *x)
{
	mmi_device_experts d = { .loc = { { NULL } } };
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		d.loc[m].at = x->loc[m];
		d.scale[m].at = x->scale[m];
		d.w_loc[m].at = x->w_loc[m];
		d.w_scale[m].at = x->w_scale[m];
	}
	return d;
}

static inline mmi_experts experts_on_host(const mmi_device_experts *x)
{
	mmi_experts h = { .loc = { NULL } };
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		h.loc[m] = x->loc[m].at;
		h.scale[m] = x->scale[m].at;
		h.w_loc[m] = x->w_loc[m].at;
		h.w_scale[m] = x->w_scale[m].at;
	}
	return h;
}

#endif
