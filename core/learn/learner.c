/* learner.c - the learner's parts: made once, so that an iteration allocates nothing. */
#include "mmi_build.h"

#include "learn/learner.h"
#include "learn/objectives/objective.h"
#include "learn/snapshot.h"
#include "model/rows.h"

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static mm_status allocate_latents(mmi_learner *l, mm_error *e)
{
	const mmi_model *m = l->model;
	const size_t b = l->span.rows, all = b * l->n_chains;
	MMI_TRY(mmi_device_latents_create(m, all, &l->z, e));
	MMI_TRY(mmi_device_latents_create(m, all, &l->z_start, e));
	MMI_TRY(mmi_device_latents_create(m, b, &l->z_prior, e));
	l->n_eps = l->settings->warmup || l->settings->elbo_updates ? l->settings->elbo->draws(m) : 0;
	for (uint32_t i = 0; i < l->n_eps; i++)
		MMI_TRY(mmi_device_latents_create(m, b * l->draws, &l->eps[i], e));
	l->prior.at = m->device->ops->alloc(m->device, all / l->chunk * sizeof *l->prior.at);
	if (!l->prior.at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu latents", all);
	return mmi_device_experts_create(m, b, &l->experts, e);
}

static mm_status create_mirror(const mmi_learner *l, size_t rows, size_t count, mmi_mirror *copy, mmi_floats *at,
                               mm_error *e)
{
	if (!count)
		return MM_OK;
	MMI_TRY(mmi_mirror_create(l->model->device, rows * count * sizeof(float), copy, e));
	at->at = copy->device;
	return MM_OK;
}

/* Persistent chains, which checkpoints have as well. */
static mm_status allocate_buffer(mmi_learner *l, mm_error *e)
{
	const mmi_model *m = l->model;
	const size_t n = l->settings->x_buffer, z = (size_t)mmi_model_z_dim(m), w = (size_t)mmi_model_w_dim(m);
	if (l->settings->x_start != MMI_START_BUFFER)
		return MM_OK;
	MMI_TRY(mmi_mirror_create_again(m->device, 2 * l->span.of * sizeof(uint32_t), &l->buffer_rows, e));
	MMI_TRY(create_mirror(l, n, z, &l->buffer_z_copy, &l->buffer_z.z, e));
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		MMI_TRY(create_mirror(l, n, (size_t)m->modalities[i].count, &l->buffer_x_copy[i], &l->buffer.x[i], e));
		MMI_TRY(create_mirror(l, n, w, &l->buffer_w_copy[i], &l->buffer_z.w[i], e));
	}
	return MM_OK;
}

bool mmi_learner_aligns(const mmi_learner *l)
{
	return l->settings->contrast_factor > 0 && l->model->n_modalities > 1;
}

static mm_status allocate(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	MMI_TRY(mmi_readings_create(l->model->device, &l->readings, e));
	MMI_TRY(allocate_latents(l, e));
	MMI_TRY(allocate_buffer(l, e));
	MMI_TRY(mmi_device_rows_create(l->model, l->span.rows, &l->generated, e));
	MMI_TRY(mmi_device_rows_create(l->model, l->span.rows, &l->revised, e));
	if (!l->model->device->ops->direct) {
		MMI_TRY(mmi_device_rows_create(l->model, l->span.rows, &l->x_room, e));
		MMI_TRY(mmi_device_rows_create(l->model, l->span.rows, &l->seen_room, e));
	}
	if (l->masked)
		MMI_TRY(mmi_device_rows_create(l->model, l->span.rows, &l->imputed, e));
	if (s->x_start == MMI_START_BUFFER || s->swap_factor > 0)
		MMI_TRY(mmi_all_rows_create(&l->reduce, l->model, s->x_start == MMI_START_BUFFER, &l->all, e));
	MMI_TRY(mmi_given_create(l->model, l->span, s->translation_share, &l->given, e));
	if (s->swap_factor > 0)
		MMI_TRY(mmi_swaps_create(l->model, &l->reduce, &l->swaps, e));
	if (l->model->match)
		MMI_TRY(mmi_match_create(l->model, &l->reduce, &l->match, e));
	if (mmi_learner_aligns(l))
		MMI_TRY(mmi_alignment_create(l->model, &l->reduce, &l->alignment, e));
	return mmi_masks_create(l->model, s, l->span.rows, l->n_chains, &l->masks, e);
}

static mm_status create_optimisers(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	/* The generator's pass has all chains on data and the generated samples, or all draws of an ELBO; the energy's
	 * data, revised and swapped ones, or latents of all experts and of the prior. */
	const uint32_t latents = s->model.latent_energy ? l->model->n_modalities + 1 : 0,
				   batches = most(most(l->n_chains + 1, l->draws), latents), rows = most(batches, 3) * l->span.rows,
				   chunks = batches * l->reduce.share.chunks.of;
	mmi_adam_config generator = s->generator;
	generator.ema = s->ema;
	MMI_TRY(mmi_optimiser_create(l->model->generator, &generator, &l->generator, e));
	MMI_TRY(mmi_optimiser_create(l->model->inference, &s->inference, &l->inference, e));
	MMI_TRY(mmi_optimiser_create(l->model->energy, &s->energy, &l->energy, e));
	MMI_TRY(mmi_lanes_create(l->model->generator, chunks, &l->reduce.share, &l->generator_lanes, e));
	MMI_TRY(mmi_lanes_create(l->model->inference, chunks, &l->reduce.share, &l->inference_lanes, e));
	MMI_TRY(mmi_lanes_create(l->model->energy, chunks, &l->reduce.share, &l->energy_lanes, e));
	if (l->model->match) {
		const mmi_share *share = &l->reduce.share;
		MMI_TRY(mmi_optimiser_create(l->model->match, &s->match, &l->match_optimiser, e));
		MMI_TRY(mmi_lanes_create(l->model->match, share->chunks.of, share, &l->match_lanes, e));
	}
	return mmi_pass_create(l->model->device, l->pool, l->chunk, rows, &l->pass, e);
}

/* With weights of draws an ELBO is compiled masked: they are what experts' shares are then. */
static mm_status create_elbo(mmi_learner *l, const mmi_loss_place *place, mm_error *e)
{
	const mmi_settings *s = l->settings;
	const bool weighted = l->draws > 1 || s->dreg;
	const mmi_elbo_form form = { .objective = s->elbo,
		                         .beta = s->beta,
		                         .pull_factor = mmi_learner_aligns(l) ? s->contrast_factor / l->draws : 0,
		                         .dreg = s->dreg };
	mmi_loss_place at = *place;
	at.masked = at.masked || weighted;
	MMI_TRY(mmi_loss_elbo(l->model, &at, &form, &l->generator_lanes, &l->inference_lanes, &l->elbo, e));
	return weighted ? mmi_importance_create(l->model, &at, &form, l->draws, l->span.rows, &l->importance, e) : MM_OK;
}

static mm_status create_losses(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	mmi_loss_place place = { l->chunk, l->pool, l->masked };
	MMI_TRY(mmi_loss_generator(l->model, &place, &l->generator_lanes, &l->generator_loss, e));
	MMI_TRY(mmi_loss_inference(l->model, &place, l->n_chains, s->inference_target, s->separate_inference,
	                           &l->inference_lanes, &l->inference_data, e));
	MMI_TRY(mmi_loss_inference(l->model, &place, 1, s->inference_target, false, &l->inference_lanes,
	                           &l->inference_generated, e));
	MMI_TRY(mmi_loss_energy(l->model, &place, &l->energy_lanes, &l->energy_loss, e));
	if (l->model->match)
		MMI_TRY(mmi_loss_match(l->model, &place, &l->match_lanes, &l->match_loss, e));
	if (l->n_eps)
		MMI_TRY(create_elbo(l, &place, e));
	if (s->model.latent_energy)
		MMI_TRY(mmi_latent_prior_create(l->model, &place, l->span.rows, &l->energy_lanes, &l->latent_prior, e));
	if (mmi_learner_aligns(l))
		MMI_TRY(mmi_loss_locations(l->model, &place, &l->inference_lanes, &l->locations, e));
	return MM_OK;
}

/* Sheets and validation have more rows than a part of a batch. */
static mm_status create_sampler(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	const uint32_t rows[] = { l->n_chains * l->span.rows, s->batch, mmi_whole_chunks(s->grid_columns, l->chunk) };
	const uint32_t nets = MMI_NET_MODEL | mmi_recipe_nets(&s->sample) | mmi_recipe_nets(&s->translate);
	mmi_sampler_config config = { .chunk = l->chunk, .seed = s->seed, .nets = nets };
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		config.max_rows = rows[i] > config.max_rows ? rows[i] : config.max_rows;
	return mmi_sampler_create(l->model, l->pool, &config, &l->sampler, e);
}

static mm_status create_parts(mmi_learner *l, const mmi_comm *comm, mm_error *e)
{
	const mmi_settings *s = l->settings;
	const uint32_t latents = s->model.latent_energy ? l->model->n_modalities : 0;
	MMI_TRY(mmi_reduce_create(comm, s->batch, l->chunk, most(most(l->n_chains, l->draws), latents), &l->reduce, e));
	l->span = l->reduce.span;
	MMI_TRY(allocate(l, e));
	MMI_TRY(create_sampler(l, e));
	MMI_TRY(create_optimisers(l, e));
	MMI_TRY(create_losses(l, e));
	return mmi_snapshot_create(l, e);
}

mm_status mmi_learner_create(const mmi_settings *settings, mmi_model *model, mmi_pool *pool, const mmi_comm *comm,
                             mmi_learner **out, mm_error *e)
{
	mmi_learner *l = mmi_alloc(1, sizeof *l);
	if (!l)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a learner");
	l->settings = settings;
	l->model = model;
	l->pool = pool;
	l->chunk = mmi_chunk_for(settings->batch, settings->chunk);
	l->n_chains = settings->experts_all ? model->n_modalities : 1;
	l->draws = settings->warmup || settings->elbo_updates ? settings->draws : 1;
	l->masked = settings->hide > 0 || settings->keep_incomplete || settings->separate_inference ||
	            (settings->private_own && settings->model.private_dim);
	l->state.x_step = settings->x_step;
	l->clock = -1;
	mm_status status = create_parts(l, comm, e);
	if (status != MM_OK) {
		mmi_learner_destroy(l);
		return status;
	}
	*out = l;
	return MM_OK;
}

void mmi_learner_exchange_average(mmi_learner *l)
{
	const mmi_device *d = l->model->device;
	if (!l->generator.ema.at)
		return;
	d->rows->exchange(d, l->generator.params->raw, l->generator.ema, l->generator.params->count);
	mmi_params_update(l->generator.params, 0);
}

void mmi_learner_take(mmi_learner *l, const mmi_batch *batch)
{
	const mmi_device *d = l->model->device;
	for (uint32_t i = 0; i < l->model->n_modalities; i++) {
		const size_t n = l->span.rows * (size_t)l->model->modalities[i].count;
		const bool varied = batch->seen && batch->seen[i] != batch->x[i];
		l->x.x[i] = mmi_floats_write(d, batch->x[i], n, l->x_room.x[i]);
		l->seen.x[i] = varied ? mmi_floats_write(d, batch->seen[i], n, l->seen_room.x[i]) : l->x.x[i];
	}
}

static void clear_buffer(mmi_learner *l)
{
	const mmi_device *d = l->model->device;
	mmi_mirror_clear(d, &l->buffer_rows);
	mmi_mirror_clear(d, &l->buffer_z_copy);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_mirror_clear(d, &l->buffer_x_copy[i]);
		mmi_mirror_clear(d, &l->buffer_w_copy[i]);
	}
}

static void clear_rows(mmi_learner *l)
{
	const mmi_model *m = l->model;
	mmi_device_latents *const latents[] = { &l->z, &l->z_start, &l->z_prior };
	mmi_device_rows *const rows[] = { &l->generated, &l->revised, &l->imputed, &l->x_room, &l->seen_room };
	for (size_t i = 0; i < MMI_COUNT(latents); i++)
		mmi_device_latents_clear(m, latents[i]);
	for (size_t i = 0; i < MMI_COUNT(l->eps); i++)
		mmi_device_latents_clear(m, &l->eps[i]);
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		mmi_device_rows_clear(m, rows[i]);
	mmi_device_experts_clear(m, &l->experts);
	m->device->ops->release(m->device, l->prior.at);
	clear_buffer(l);
	mmi_all_rows_clear(m, &l->all);
	mmi_masks_clear(m, &l->masks);
	mmi_swaps_clear(m, &l->swaps);
	mmi_match_clear(m, &l->match);
	mmi_alignment_clear(m, &l->alignment);
	mmi_importance_clear(m, &l->importance);
	mmi_latent_prior_clear(m, &l->latent_prior);
	mmi_given_clear(m, &l->given);
}

void mmi_learner_destroy(mmi_learner *l)
{
	if (!l)
		return;
	mmi_loss_clear(&l->generator_loss);
	mmi_loss_clear(&l->inference_data);
	mmi_loss_clear(&l->inference_generated);
	mmi_loss_clear(&l->energy_loss);
	mmi_loss_clear(&l->elbo);
	mmi_loss_clear(&l->locations);
	mmi_loss_clear(&l->match_loss);
	mmi_pass_clear(&l->pass);
	mmi_lanes_clear(&l->generator_lanes);
	mmi_lanes_clear(&l->inference_lanes);
	mmi_lanes_clear(&l->energy_lanes);
	mmi_lanes_clear(&l->match_lanes);
	mmi_optimiser_clear(&l->generator);
	mmi_optimiser_clear(&l->inference);
	mmi_optimiser_clear(&l->energy);
	mmi_optimiser_clear(&l->match_optimiser);
	mmi_readings_clear(&l->readings);
	mmi_sampler_destroy(l->sampler);
	clear_rows(l);
	mmi_reduce_clear(&l->reduce);
	mmi_mirror_clear(l->model->device, &l->snapshot);
	mmi_free(l);
}
