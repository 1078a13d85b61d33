/* model.c - the three models: their parameter stores, declared by recording every network once. */
#include "mmi_build.h"

#include "model/model.h"

int32_t mmi_model_z_dim(const mmi_model *m)
{
	return m->config.independent ? 0 : m->config.latent_dim;
}

int32_t mmi_model_w_dim(const mmi_model *m)
{
	return m->config.independent ? m->config.latent_dim : m->config.private_dim;
}

static mm_status record_all(const mmi_model *m, mmi_graph *g, mm_error *e)
{
	mm_tensor x[MMI_MAX_MODALITIES], energy, decoded, unit;
	mmi_place place = mmi_model_place(m, g);
	mmi_expert expert;

	for (uint32_t i = 0; i < m->n_modalities; i++) {
		x[i] = mmi_input(g, m->modalities[i].name, m->modalities[i].info.shape);
		MMI_TRY(mmi_model_encode(m, i, g, x[i], &expert, e));
		if (m->config.private_dim)
			mmi_model_auxiliary_scale(m, i, g);
		MMI_TRY(mmi_model_decode(m, i, g, place.z, place.w[i], &decoded, e));
		if (m->match)
			MMI_TRY(mmi_model_embed(m, i, g, x[i], &unit, e));
	}
	if (m->config.subset_weights)
		mmi_model_subset_logits(m, g);
	if (m->match)
		mmi_model_match_scale(m, g);
	if (m->config.clusters)
		mmi_model_cluster_params(m, g);
	if (m->config.latent_energy)
		mmi_model_latent_energy(m, g, place.z);
	MMI_TRY(mmi_model_energy(m, g, x, &energy, e));
	return mmi_graph_check(g, e);
}

static mm_status declare(mmi_model *m, mm_error *e)
{
	mmi_graph *g = NULL;
	MMI_TRY(mmi_params_create(m->device, "generator", &m->generator, e));
	MMI_TRY(mmi_params_create(m->device, "inference", &m->inference, e));
	MMI_TRY(mmi_params_create(m->device, "energy", &m->energy, e));
	if (m->config.match && m->n_modalities > 1)
		MMI_TRY(mmi_params_create(m->device, "match", &m->match, e));
	MMI_TRY(mmi_graph_create(&g, e));
	mm_status status = record_all(m, g, e);
	mmi_graph_destroy(g);
	return status;
}

static mm_status finalise(mmi_model *m, bool blank, mm_error *e)
{
	mmi_params *const stores[] = { m->generator, m->inference, m->match, m->energy };
	if (m->config.spectral_norm)
		mmi_params_spectral(m->energy);
	for (size_t i = 0; i < MMI_COUNT(stores); i++)
		if (stores[i])
			MMI_TRY(blank ? mmi_params_allocate(stores[i], e) : mmi_params_finalise(stores[i], m->config.seed, e));
	return MM_OK;
}

static mm_status create(const mmi_device *device, const mmi_modality *modalities, size_t n,
                        const mmi_model_config *config, bool blank, mmi_model **out, mm_error *e)
{
	if (n < 1 || n > MMI_MAX_MODALITIES)
		return mmi_fail(e, MM_EARG, "a model of %zu modalities; between 1 and %d are possible", n, MMI_MAX_MODALITIES);
	mmi_model *m = mmi_alloc(1, sizeof *m);
	if (!m)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a model");
	*m = (mmi_model){ .config = *config, .device = device, .modalities = modalities, .n_modalities = (uint32_t)n };
	mm_status status = declare(m, e);
	if (status == MM_OK)
		status = finalise(m, blank, e);
	if (status != MM_OK) {
		mmi_model_destroy(m);
		return status;
	}
	*out = m;
	return MM_OK;
}

mm_status mmi_model_create(const mmi_device *device, const mmi_modality *modalities, size_t n,
                           const mmi_model_config *config, mmi_model **out, mm_error *e)
{
	return create(device, modalities, n, config, false, out, e);
}

mm_status mmi_model_create_blank(const mmi_device *device, const mmi_modality *modalities, size_t n,
                                 const mmi_model_config *config, mmi_model **out, mm_error *e)
{
	return create(device, modalities, n, config, true, out, e);
}

void mmi_model_destroy(mmi_model *m)
{
	if (!m)
		return;
	mmi_params_destroy(m->generator);
	mmi_params_destroy(m->inference);
	mmi_params_destroy(m->energy);
	mmi_params_destroy(m->match);
	mmi_free(m);
}
