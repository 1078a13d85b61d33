/* latents.c - rows of latents in memory. */
#include "mmi_build.h"

#include "model/latents.h"

#include <math.h>
#include <string.h>

static bool allocate(float **out, size_t rows, int32_t dim)
{
	*out = dim ? mmi_alloc(rows * (size_t)dim, sizeof **out) : NULL;
	return !dim || *out;
}

mm_status mmi_latents_create(const mmi_model *m, size_t rows, mmi_latents *out, mm_error *e)
{
	mmi_latents l = { .z = NULL };
	bool ok = allocate(&l.z, rows, mmi_model_z_dim(m));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = allocate(&l.w[i], rows, mmi_model_w_dim(m)) && ok;
	if (!ok) {
		mmi_latents_clear(&l);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu latents", rows);
	}
	*out = l;
	return MM_OK;
}

void mmi_latents_clear(mmi_latents *l)
{
	mmi_free(l->z);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_free(l->w[i]);
	*l = (mmi_latents){ .z = NULL };
}

mmi_latents mmi_latents_at(const mmi_latents *l, const mmi_model *m, size_t row)
{
	mmi_latents view = { .z = l->z ? l->z + row * (size_t)mmi_model_z_dim(m) : NULL };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		view.w[i] = l->w[i] ? l->w[i] + row * (size_t)mmi_model_w_dim(m) : NULL;
	return view;
}

void mmi_latents_copy(mmi_latents *to, const mmi_latents *from, const mmi_model *m, size_t rows)
{
	if (from->z)
		memcpy(to->z, from->z, rows * (size_t)mmi_model_z_dim(m) * sizeof *to->z);
	for (uint32_t i = 0; i < m->n_modalities && from->w[i]; i++)
		memcpy(to->w[i], from->w[i], rows * (size_t)mmi_model_w_dim(m) * sizeof *to->w[i]);
}

static double minus_log_prior(const mmi_model *m, const float *z, size_t n)
{
	const bool laplace = m->config.prior == MMI_PRIOR_LAPLACE;
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += laplace ? fabs((double)z[i]) : 0.5 * (double)z[i] * (double)z[i];
	return sum + (double)n * (laplace ? 0.69314718055994531 : 0.91893853320467274);
}

double mmi_latents_minus_log_prior(const mmi_latents *l, const mmi_model *m, size_t rows)
{
	double sum = l->z ? minus_log_prior(m, l->z, rows * (size_t)mmi_model_z_dim(m)) : 0;
	for (uint32_t i = 0; i < m->n_modalities && l->w[i]; i++)
		sum += minus_log_prior(m, l->w[i], rows * (size_t)mmi_model_w_dim(m));
	return sum;
}

mm_status mmi_experts_create(const mmi_model *m, size_t rows, mmi_experts *out, mm_error *e)
{
	mmi_experts x = { .loc = { NULL } };
	bool ok = true;
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		ok = allocate(&x.loc[i], rows, mmi_model_z_dim(m)) && allocate(&x.scale[i], rows, mmi_model_z_dim(m)) && ok;
		ok = allocate(&x.w_loc[i], rows, mmi_model_w_dim(m)) && allocate(&x.w_scale[i], rows, mmi_model_w_dim(m)) && ok;
	}
	if (!ok) {
		mmi_experts_clear(&x);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the encodings of %zu samples", rows);
	}
	*out = x;
	return MM_OK;
}

void mmi_experts_clear(mmi_experts *x)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		float *all[] = { x->loc[i], x->scale[i], x->w_loc[i], x->w_scale[i] };
		for (size_t k = 0; k < MMI_COUNT(all); k++)
			mmi_free(all[k]);
	}
	*x = (mmi_experts){ .loc = { NULL } };
}
