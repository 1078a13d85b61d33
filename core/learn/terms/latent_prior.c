/* latent_prior.c - the energy of latents learns. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

mm_status mmi_latent_prior_create(const mmi_model *m, const mmi_loss_place *p, uint32_t rows, mmi_lanes *energy,
                                  mmi_latent_prior *out, mm_error *e)
{
	const uint32_t n = m->n_modalities;
	const size_t all = n * (size_t)rows;
	*out = (mmi_latent_prior){ .n = n, .rows = rows };
	out->told = mmi_floats_alloc(m->device, all * (size_t)mmi_model_z_dim(m));
	out->share = mmi_floats_alloc(m->device, all);
	if (!out->told.at || !out->share.at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the latents of %u samples", rows);
	MMI_TRY(mmi_mirror_create(m->device, all * sizeof(uint32_t), &out->expert, e));
	for (size_t i = 0; i < all; i++)
		((uint32_t *)out->expert.host)[i] = (uint32_t)(i / rows);
	mmi_mirror_push(m->device, &out->expert);
	MMI_TRY(mmi_device_experts_create(m, rows, &out->experts, e));
	return mmi_loss_latent_energy(m, p, energy, &out->loss, e);
}

void mmi_latent_prior_clear(const mmi_model *m, mmi_latent_prior *k)
{
	mmi_loss_clear(&k->loss);
	mmi_device_experts_clear(m, &k->experts);
	mmi_mirror_clear(m->device, &k->expert);
	mmi_floats_release(m->device, &k->told);
	mmi_floats_release(m->device, &k->share);
	*k = (mmi_latent_prior){ .n = 0 };
}

/* Draws of the ELBO's numbers, from the experts as it meets them. */
void mmi_latent_prior_draw(mmi_learner *l)
{
	const mmi_latent_prior *k = &l->latent_prior;
	const uint32_t t = (uint32_t)l->state.iteration;
	const size_t z = (size_t)mmi_model_z_dim(l->model);
	if (!k->n)
		return;
	mmi_run_encode(l->sampler, &l->seen, k->rows, &k->experts);
	for (uint32_t i = 0; i < k->n; i++) {
		const mmi_start_args start = { .iteration = t, .chain = i, .single = true, .temperature = 1 };
		const mmi_parts whose = { .expert = { (uint32_t *)k->expert.device + (size_t)i * k->rows } };
		const mmi_device_latents to = { .z = mmi_floats_at(k->told, (size_t)i * k->rows * z) };
		mmi_run_start(l->sampler, &start, &whose, &k->experts, l->span, &to);
	}
	mmi_run_prior(l->sampler, l->span, 0, t, &l->z_prior);
}

/* As energies, -f: the data's beside the chain's, and how far they are apart. */
static void tell_energies(const mmi_learner *l, const double *sums, mmi_measures *m)
{
	m->e_data = -sums[0] / l->span.of;
	m->e_revised = -sums[2] / l->span.of;
	m->gap = m->e_data - m->e_revised;
}

/* What each expert has in the mixture, of every row. */
static mmi_floats shares(mmi_learner *l)
{
	const mmi_latent_prior *k = &l->latent_prior;
	for (uint32_t i = 0; i < k->n; i++) {
		const mmi_floats of = { mmi_masks_on_device(&l->masks, l->masks.share[i]) };
		mmi_floats_copy(l->model->device, mmi_floats_at(k->share, (size_t)i * k->rows), of, k->rows);
	}
	return k->share;
}

void mmi_update_latent_prior(mmi_learner *l)
{
	const mmi_latent_prior *k = &l->latent_prior;
	mmi_terms t = { .n = 2 };
	if (!k->n)
		return;
	t.at[0] = (mmi_segment){ .loss = &l->latent_prior.loss,
		                     .z = { { .z = k->told } },
		                     .rows = k->n * k->rows,
		                     .x_rows = k->rows,
		                     .seed = -1.0f / (float)l->span.of,
		                     .row_seed = shares(l) };
	t.at[1] = (mmi_segment){ .loss = &l->latent_prior.loss,
		                     .z = { l->z_prior },
		                     .rows = k->rows,
		                     .x_rows = k->rows,
		                     .seed = 1.0f / (float)l->span.of };
	mmi_model_update(l, &t, NULL, tell_energies);
}
