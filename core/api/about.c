/* about.c - what a model holds. */
#include "mmi_build.h"

#include "api/api.h"

#include <stdlib.h>
#include <string.h>

static mm_status need_model(const mm_model *m, mm_error *e)
{
	return m ? MM_OK : mmi_fail(e, MM_EARG, "model is NULL");
}

static mm_status describe(const mm_model *m, mm_model_about *out, mm_error *e)
{
	MMI_TRY(need_model(m, e));
	const mmi_model *model = m->saved.model;
	const mm_model_about about = { .struct_size = sizeof about,
		                           .n_modalities = model->n_modalities,
		                           .latent_dim = mmi_model_z_dim(model),
		                           .private_dim = mmi_model_w_dim(model),
		                           .has_energy = m->saved.has_energy,
		                           .threads = mmi_pool_threads(m->saved.setup.pool),
		                           .iteration = m->saved.iteration,
		                           .seed = m->saved.setup.settings.seed };
	return mmi_give_struct(&about, sizeof about, out, "about", e);
}

mm_status mm_model_describe(const mm_model *model, mm_model_about *out, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	return mmi_visit_tell(describe(model, out, &own), &own, e);
}

static mm_status modality(const mm_model *m, uint32_t i, mm_modality_about *out, mm_error *e)
{
	MMI_TRY(need_model(m, e));
	if (i >= m->saved.model->n_modalities)
		return mmi_fail(e, MM_EARG, "there is no modality %u; they are 0 to %u", i, m->saved.model->n_modalities - 1);
	return mmi_give_struct(&m->about[i], sizeof m->about[i], out, "about", e);
}

mm_status mm_model_modality(const mm_model *model, uint32_t i, mm_modality_about *out, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	return mmi_visit_tell(modality(model, i, out, &own), &own, e);
}

int32_t mm_model_find(const mm_model *model, const char *name)
{
	for (uint32_t i = 0; model && name && i < model->saved.model->n_modalities; i++)
		if (!strcmp(model->about[i].name, name))
			return (int32_t)i;
	return -1;
}

const char *mm_model_meta(const mm_model *model, const char *key)
{
	for (size_t i = 0; model && key && i < model->n_meta; i++)
		if (!strcmp(model->meta[i].key, key))
			return model->meta[i].value;
	return NULL;
}

const char *mm_model_meta_key(const mm_model *model, size_t i)
{
	return model && i < model->n_meta ? model->meta[i].key : NULL;
}
