/* learner.c - the learner's parts: made once, so that an iteration allocates nothing. */
#include "mmi_build.h"

#include "learn/learner.h"
#include "learn/objectives/objective.h"
#include "learn/snapshot.h"
#include "model/rows.h"

static mm_status allocate_latents(mmi_learner *l, mm_error *e)
{
	size_t b = l->span.rows;
	MMI_TRY(mmi_latents_create(l->model, b * l->n_chains, &l->z, e));
	MMI_TRY(mmi_latents_create(l->model, b * l->n_chains, &l->z_start, e));
	MMI_TRY(mmi_latents_create(l->model, b, &l->z_prior, e));
	l->n_eps = l->settings->warmup || l->settings->elbo_updates ? l->settings->elbo->draws(l->model) : 0;
	for (uint32_t i = 0; i < l->n_eps; i++)
		MMI_TRY(mmi_latents_create(l->model, b, &l->eps[i], e));
	if (l->settings->x_start == MMI_START_BUFFER)
		MMI_TRY(mmi_latents_create(l->model, l->settings->x_buffer, &l->buffer_z, e));
	if (l->settings->x_start == MMI_START_BUFFER && mmi_reduce_shared(&l->reduce))
		MMI_TRY(mmi_latents_create(l->model, l->span.of, &l->all_z, e));
	return mmi_experts_create(l->model, b, &l->experts, e);
}

bool mmi_learner_aligns(const mmi_learner *l)
{
	return l->settings->contrast_factor > 0 && l->model->n_modalities > 1;
}

static mm_status allocate(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	MMI_TRY(allocate_latents(l, e));
	MMI_TRY(mmi_rows_create(l->model, l->span.rows, l->generated, e));
	MMI_TRY(mmi_rows_create(l->model, l->span.rows, l->revised, e));
	if (l->masked)
		MMI_TRY(mmi_rows_create(l->model, l->span.rows, l->imputed, e));
	if (s->x_start == MMI_START_BUFFER)
		MMI_TRY(mmi_rows_create(l->model, s->x_buffer, l->buffer, e));
	if (mmi_reduce_shared(&l->reduce) && (s->x_start == MMI_START_BUFFER || s->swap_factor > 0))
		MMI_TRY(mmi_rows_create(l->model, l->span.of, l->all_x, e));
	MMI_TRY(mmi_given_create(l->model, l->span, s->translation_share, &l->given, e));
	if (s->swap_factor > 0)
		MMI_TRY(mmi_swaps_create(l->model, l->span, &l->swaps, e));
	if (l->model->match)
		MMI_TRY(mmi_match_create(l->model, &l->reduce, &l->match, e));
	if (mmi_learner_aligns(l))
		MMI_TRY(mmi_alignment_create(l->model, &l->reduce, &l->alignment, e));
	return mmi_masks_create(l->model, s, l->span.rows, l->n_chains, &l->masks, e);
}

static mm_status create_optimisers(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	/* The generator's pass has all chains on data and the generated samples; the energy's data, revised and swapped
	 * ones. */
	uint32_t rows = (l->n_chains > 2 ? l->n_chains + 1 : 3) * l->span.rows,
			 chunks = (l->n_chains + 1) * l->reduce.share.chunks.of;
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
	return mmi_pass_create(l->model->device, l->pool, &l->reduce, l->chunk, rows, &l->pass, e);
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
		MMI_TRY(mmi_loss_elbo(l->model, &place, s->elbo, s->beta, mmi_learner_aligns(l) ? s->contrast_factor : 0,
		                      &l->generator_lanes, &l->inference_lanes, &l->elbo, e));
	if (mmi_learner_aligns(l))
		MMI_TRY(mmi_loss_locations(l->model, &place, &l->inference_lanes, &l->locations, e));
	return MM_OK;
}

/* Sheets and validation have more rows than a part of a batch. */
static mm_status create_sampler(mmi_learner *l, mm_error *e)
{
	const mmi_settings *s = l->settings;
	const uint32_t rows[] = { l->n_chains * l->span.rows, s->batch, mmi_whole_chunks(s->grid_columns, l->chunk) };
	mmi_sampler_config config = { l->chunk, 0, s->seed, mmi_settings_guides(s) };
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		config.max_rows = rows[i] > config.max_rows ? rows[i] : config.max_rows;
	return mmi_sampler_create(l->model, l->pool, &config, &l->sampler, e);
}

static mm_status create_parts(mmi_learner *l, const mmi_comm *comm, mm_error *e)
{
	const mmi_settings *s = l->settings;
	MMI_TRY(mmi_reduce_create(comm, s->batch, l->chunk, l->n_chains, &l->reduce, e));
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
	mmi_sampler_destroy(l->sampler);
	mmi_masks_clear(&l->masks);
	mmi_swaps_clear(&l->swaps);
	mmi_match_clear(&l->match);
	mmi_alignment_clear(&l->alignment);
	mmi_latents_clear(&l->z);
	mmi_latents_clear(&l->z_start);
	mmi_latents_clear(&l->z_prior);
	mmi_given_clear(&l->given);
	mmi_latents_clear(&l->buffer_z);
	mmi_experts_clear(&l->experts);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_latents_clear(&l->eps[m]);
	mmi_rows_clear(l->generated);
	mmi_rows_clear(l->revised);
	mmi_rows_clear(l->imputed);
	mmi_rows_clear(l->buffer);
	mmi_rows_clear(l->all_x);
	mmi_latents_clear(&l->all_z);
	mmi_reduce_clear(&l->reduce);
	mmi_mirror_clear(l->model->device, &l->snapshot);
	mmi_free(l);
}
