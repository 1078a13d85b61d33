/* saved.c - a trained model out of a checkpoint. */
#include "mmi_build.h"

#include "run/saved.h"

static mm_status restore_model(mmi_saved *s, const mmi_checkpoint *ck, mm_error *e)
{
	/* With a moving average, that is the generator; what was trained on goes unread. */
	static const char *const others[] = { "adam_",     "rate_factor.", "state.",          "buffer.",
		                                  "modality.", "snapshot.",    MMI_FITTED_PREFIX, "generator." };
	bool average = s->setup.settings.ema > 0;
	mmi_params *const stores[] = { s->model->generator, s->model->inference, s->model->energy, s->model->match };
	const int models = s->model->match ? 4 : 3;
	size_t capacity = 8, n = 0, n_names = 0;
	int64_t energy_updates = 0, match_updates = 0;
	for (int i = 0; i < models; i++)
		capacity += stores[i]->n + 1;
	mmi_tensor_item *items = mmi_alloc(capacity, sizeof *items);
	char **names = mmi_alloc(capacity, sizeof *names);
	mm_status status =
		items && names ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's list of tensors");

	for (int i = 0; status == MM_OK && i < models; i++) {
		mmi_params *p = stores[i];
		for (size_t k = 0; k < p->n; k++) {
			names[n_names] = mmi_format("%s%s.%s", average && i == 0 ? "ema." : "", p->name, p->info[k].name);
			items[n++] = mmi_item_f32(names[n_names] ? names[n_names] : "", p->info[k].shape,
			                          (float *)p->raw_copy.host + p->info[k].offset);
			n_names++;
		}
		if (!p->n_vectors)
			continue;
		names[n_names] = mmi_format("spectral.%s", p->name);
		items[n++] = mmi_item_f32_flat(names[n_names] ? names[n_names] : "", p->n_vectors, p->vectors_copy.host);
		n_names++;
	}
	if (status == MM_OK) {
		items[n++] = mmi_item_counter("state.iteration", &s->iteration);
		items[n++] = mmi_item_within(mmi_item_double("state.x_step", &s->x_step), 0, MMI_STEP_MAX);
		items[n++] = mmi_item_counter("adam_t.energy", &energy_updates);
		if (s->model->match)
			items[n++] = mmi_item_counter("adam_t.match", &match_updates);
		status = mmi_checkpoint_load_part(ck, items, n, others, MMI_COUNT(others) - !average, e);
	}
	s->has_energy = energy_updates > 0 && s->setup.settings.cooperative; /* a baseline's is of latents at most */
	s->has_match = match_updates > 0;
	for (int i = 0; status == MM_OK && i < models; i++) {
		mmi_params_push(stores[i]);
		mmi_params_update(stores[i], 0);
	}
	for (size_t i = 0; names && i < n_names; i++)
		mmi_free(names[i]);
	mmi_free(names);
	mmi_free(items);
	return status;
}

mm_status mmi_saved_sampler(const mmi_saved *s, uint32_t chunk, uint32_t max_rows, mmi_sampler **out, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	const mmi_sampler_config config = { .chunk = chunk,
		                                .max_rows = mmi_whole_chunks(max_rows, chunk),
		                                .seed = set->seed };
	MMI_TRY(mmi_sampler_create(s->model, s->setup.pool, &config, out, e));
	if (s->has_fitted)
		mmi_sampler_use_prior(*out, &s->fitted.prior);
	return MM_OK;
}

static mm_status open_model(mmi_saved *s, const mmi_checkpoint *ck, uint32_t max_rows, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	mmi_model_config model = set->model;
	model.fusion = set->fusion;
	MMI_TRY(mmi_model_create_blank(&s->setup.device, s->setup.modalities, s->setup.n_modalities, &model, &s->model, e));
	MMI_TRY(restore_model(s, ck, e));
	s->has_fitted = set->sample.prior == MMI_SAMPLES_OF_FITTED ||
	                (set->sample.prior == MMI_SAMPLES_OF_EITHER && mmi_fitted_there(ck));
	if (s->has_fitted)
		MMI_TRY(mmi_fitted_read(ck, s->model, &s->fitted, e));
	return max_rows ? mmi_saved_sampler(s, set->chunk, max_rows, &s->sampler, e) : MM_OK;
}

/* Filled in place: the model keeps a pointer to the modalities in out->setup. */
mm_status mmi_saved_open_checkpoint(const mmi_checkpoint *ck, const mmi_setup_request *request, uint32_t max_rows,
                                    mmi_saved *out, mm_error *e)
{
	*out = (mmi_saved){ .iteration = 0 };
	mm_status status = mmi_setup_reopen(ck, request, &out->setup, e);
	if (status == MM_OK)
		status = open_model(out, ck, max_rows, e);
	if (status != MM_OK)
		mmi_saved_close(out);
	return status;
}

mm_status mmi_saved_open(const char *path, const mmi_setup_request *request, uint32_t max_rows, mmi_saved *out,
                         mm_error *e)
{
	mmi_checkpoint *ck;
	char *file;
	*out = (mmi_saved){ .iteration = 0 };
	MMI_TRY(mmi_checkpoint_resolve(path, &file, e));
	mm_status status = mmi_checkpoint_open(file, &ck, e);
	mmi_free(file);
	MMI_TRY(status);
	status = mmi_saved_open_checkpoint(ck, request, max_rows, out, e);
	mmi_checkpoint_close(ck);
	return status;
}

void mmi_saved_close(mmi_saved *s)
{
	mmi_fitted_clear(&s->fitted);
	mmi_sampler_destroy(s->sampler);
	mmi_model_destroy(s->model);
	mmi_setup_close(&s->setup);
	*s = (mmi_saved){ .iteration = 0 };
}

mmi_chains mmi_saved_chains(const mmi_saved *s, const mmi_recipe *recipe, const mmi_recipe_change *change)
{
	mmi_recipe r = mmi_recipe_changed(recipe, change);
	if (!s->has_energy)
		r = mmi_recipe_without_energy(&r);
	const mmi_settings *set = &s->setup.settings;
	return mmi_settings_chains(set, (uint32_t)s->setup.n_modalities, &r, mmi_settings_x_step(set, s->x_step));
}
