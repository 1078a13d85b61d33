/* first_run.c - which modality's network gives what is not finite before anything was learned. */
#include "mmi_build.h"

#include "learn/learner.h"

#include "plugin/contract.h"

typedef struct trial {
	mmi_learner *l;
	mmi_mirror broken; /* a word */
	mmi_floats energy;
	uint32_t rows;
} trial;

/* Whether all of n floats of the device are; where there are none, they are. */
static bool all_finite(const trial *t, mmi_floats x, size_t n)
{
	const mmi_device *d = t->l->model->device;
	d->ops->zero(d, t->broken.device, t->broken.bytes);
	if (x.at)
		d->rows->check(d, x, n, (mmi_words){ t->broken.device });
	mmi_mirror_pull(d, &t->broken, t->broken.bytes);
	return !*(const uint32_t *)t->broken.host;
}

static mm_status blame(const mmi_modality *m, const char *callback, const char *of, mm_error *e)
{
	return mmi_contract_blame(m, callback, MM_ENUMERIC, e,
	                          "its network gives numbers that are not finite of %s with the parameters it began "
	                          "with; it may scale too much or take the exponential of something large",
	                          of);
}

static mm_status try_encoders(const trial *t, mm_error *e)
{
	mmi_learner *l = t->l;
	const size_t z = t->rows * (size_t)mmi_model_z_dim(l->model), w = t->rows * (size_t)mmi_model_w_dim(l->model);
	const mmi_device_experts *x = &l->experts;
	mmi_run_encode(l->sampler, &l->x, t->rows, &l->experts);
	for (uint32_t m = 0; m < l->model->n_modalities; m++)
		if (!all_finite(t, x->loc[m], z) || !all_finite(t, x->scale[m], z) || !all_finite(t, x->w_loc[m], w) ||
		    !all_finite(t, x->w_scale[m], w))
			return blame(&l->model->modalities[m], "build_encoder", "a batch of data", e);
	return MM_OK;
}

static mm_status try_decoders(const trial *t, mm_error *e)
{
	mmi_learner *l = t->l;
	mmi_run_prior(l->sampler, l->span, 0, 0, &l->z_prior);
	mmi_run_decode(l->sampler, &l->z_prior, t->rows, &l->generated);
	for (uint32_t m = 0; m < l->model->n_modalities; m++)
		if (!all_finite(t, l->generated.x[m], t->rows * (size_t)l->model->modalities[m].count))
			return blame(&l->model->modalities[m], "build_decoder", "latents from the prior", e);
	return MM_OK;
}

/* All modalities' features meet in one number, so none can be named alone. */
static mm_status try_energy(const trial *t, mm_error *e)
{
	mmi_learner *l = t->l;
	mmi_run_energies(l->sampler, &l->x, t->rows, &(mmi_device_energies){ .term[MMI_TERM_TEXTURE] = t->energy });
	return all_finite(t, t->energy, t->rows)
	           ? MM_OK
	           : mmi_fail(
					 e, MM_ENUMERIC,
					 "the energy of a batch of data is not finite with the parameters it began with: build_features "
					 "of a modality's plugin may scale too much or take the exponential of something large");
}

static mm_status try_all(const trial *t, bool chains, mm_error *e)
{
	const mmi_learner *l = t->l;
	if (l->inference.t == 0)
		MMI_TRY(try_encoders(t, e));
	if (l->generator.t == 0)
		MMI_TRY(try_decoders(t, e));
	return chains && l->energy.t == 0 ? try_energy(t, e) : MM_OK;
}

mm_status mmi_learner_try_networks(mmi_learner *l, bool chains, const mmi_batch *batch, mm_error *e)
{
	const mmi_device *d = l->model->device;
	trial t = { .l = l, .rows = l->span.rows, .energy = mmi_floats_alloc(d, l->span.rows) };
	mm_status status = mmi_mirror_create(d, sizeof(uint32_t), &t.broken, e);
	if (status == MM_OK && !t.energy.at)
		status = mmi_fail(e, MM_ENOMEM, "out of memory for the energies of a batch");
	mmi_learner_take(l, batch);
	if (status == MM_OK)
		status = try_all(&t, chains, e);
	mmi_mirror_clear(d, &t.broken);
	mmi_floats_release(d, &t.energy);
	return status;
}
