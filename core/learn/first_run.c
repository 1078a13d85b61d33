/* first_run.c - which modality's network gives what is not finite before anything was learned. */
#include "mmi_build.h"

#include "learn/learner.h"

#include "plugin/contract.h"

#include <math.h>

static bool all_finite(const float *x, size_t n)
{
	bool all = true;
	for (size_t i = 0; x && i < n; i++)
		all &= isfinite(x[i]) != 0;
	return all;
}

static mm_status blame(const mmi_modality *m, const char *callback, const char *of, mm_error *e)
{
	return mmi_contract_blame(m, callback, MM_ENUMERIC, e,
	                          "its network gives numbers that are not finite of %s with the parameters it began "
	                          "with; it may scale too much or take the exponential of something large",
	                          of);
}

static mm_status try_encoders(mmi_learner *l, const mmi_batch *batch, mm_error *e)
{
	const size_t rows = batch->size, z = rows * (size_t)mmi_model_z_dim(l->model),
				 w = rows * (size_t)mmi_model_w_dim(l->model);
	const mmi_experts *x = &l->experts;
	mmi_sampler_encode(l->sampler, (const float *const *)batch->x, (uint32_t)rows, &l->experts);
	for (uint32_t m = 0; m < l->model->n_modalities; m++)
		if (!all_finite(x->loc[m], z) || !all_finite(x->scale[m], z) || !all_finite(x->w_loc[m], w) ||
		    !all_finite(x->w_scale[m], w))
			return blame(&l->model->modalities[m], "build_encoder", "a batch of data", e);
	return MM_OK;
}

static mm_status try_decoders(mmi_learner *l, uint32_t rows, mm_error *e)
{
	mmi_sampler_prior(l->sampler, mmi_whole(rows), 0, 0, &l->z_prior);
	mmi_sampler_decode(l->sampler, &l->z_prior, rows, l->generated);
	for (uint32_t m = 0; m < l->model->n_modalities; m++)
		if (!all_finite(l->generated[m], rows * (size_t)l->model->modalities[m].count))
			return blame(&l->model->modalities[m], "build_decoder", "latents from the prior", e);
	return MM_OK;
}

/* All modalities' features meet in one number, so none can be named alone. */
static mm_status try_energy(mmi_learner *l, const mmi_batch *batch, mm_error *e)
{
	float *energy = mmi_alloc(batch->size, sizeof *energy);
	if (!energy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the energies of a batch");
	mmi_sampler_energies(l->sampler, (const float *const *)batch->x, (uint32_t)batch->size,
	                     &(mmi_energies){ .term[MMI_TERM_TEXTURE] = energy });
	bool good = all_finite(energy, batch->size);
	mmi_free(energy);
	return good ? MM_OK
	            : mmi_fail(
					  e, MM_ENUMERIC,
					  "the energy of a batch of data is not finite with the parameters it began with: build_features "
					  "of a modality's plugin may scale too much or take the exponential of something large");
}

mm_status mmi_learner_try_networks(mmi_learner *l, bool chains, const mmi_batch *batch, mm_error *e)
{
	if (l->inference.t == 0)
		MMI_TRY(try_encoders(l, batch, e));
	if (l->generator.t == 0)
		MMI_TRY(try_decoders(l, (uint32_t)batch->size, e));
	return chains && l->energy.t == 0 ? try_energy(l, batch, e) : MM_OK;
}
