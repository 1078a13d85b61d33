/* starts.c - other starts of the data chain. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "learn/terms/starts.h"

/* Of a row of the whole batch. The buffer's rows take turns, so that no row is in a batch twice. */
static uint32_t slot(const mmi_learner *l, uint32_t number)
{
	return (uint32_t)(((size_t)l->state.n_buffered + number) % l->settings->x_buffer);
}

static mmi_words words(const mmi_learner *l, size_t offset)
{
	return (mmi_words){ (uint32_t *)l->buffer_rows.device + offset };
}

/* Which rows go on from where chains before them ended: rows of the batch, and behind them their slots. */
static void resume(mmi_learner *l, uint32_t t)
{
	uint32_t *row = l->buffer_rows.host, *from = row + l->span.of, n = 0;
	for (uint32_t b = 0; b < l->span.rows; b++) {
		const uint32_t number = l->span.first + b;
		bool filled = l->state.n_buffered + number >= l->settings->x_buffer;
		if (!filled || mmi_sampler_chance(l->sampler, number, t) < l->settings->x_refresh)
			continue;
		row[n] = b;
		from[n++] = slot(l, number);
	}
	mmi_mirror_push(l->model->device, &l->buffer_rows);
	const mmi_pick which = { .to_row = words(l, 0), .from_row = words(l, l->span.of), .rows = n };
	mmi_device_rows_pick(l->model, &which, &l->generated, &l->buffer);
	mmi_device_latents_pick(l->model, &which, &l->z_prior, &l->buffer_z);
}

void mmi_start_data_chain(mmi_learner *l, uint32_t t)
{
	if (l->settings->x_start == MMI_START_BUFFER)
		resume(l, t);
	if (l->settings->x_start == MMI_START_NOISE)
		mmi_run_noise(l->sampler, l->span, t, &l->generated);
}

/* It is by now of other inputs or other parameters. */
void mmi_refresh_given(mmi_learner *l)
{
	if (l->given.rows)
		mmi_run_encode(l->sampler, &l->x, l->span.rows, &l->experts);
}

void mmi_continue_data_chain(mmi_learner *l, uint32_t number)
{
	mmi_revise_args args = mmi_settings_revise(l->settings, l->state.x_step, -1);
	args.iteration = (uint32_t)l->state.iteration;
	args.number = MMI_ROWS_FURTHER(number, l->span.of);
	const mmi_parts held = mmi_given_parts(&l->given, l->model);
	mmi_device_rows_copy(l->model, l->span.rows, &l->generated, &l->revised);
	mmi_run_revise(l->sampler, &args, &held, &l->revised, &l->generated, l->span, NULL);
}

/* Every rank keeps the rows of all: next time they may be another's. */
void mmi_keep_data_chain(mmi_learner *l)
{
	uint32_t *to = l->buffer_rows.host;
	if (l->settings->x_start != MMI_START_BUFFER)
		return;
	const mmi_device_rows x = mmi_reduce_samples(&l->reduce, l->model, &l->revised, &l->all);
	const mmi_device_latents z = mmi_reduce_latents(&l->reduce, l->model, &l->z_prior, &l->all);
	for (uint32_t b = 0; b < l->span.of; b++)
		to[b] = slot(l, b);
	mmi_mirror_push(l->model->device, &l->buffer_rows);
	const mmi_pick which = { .to_row = words(l, 0), .rows = l->span.of };
	mmi_device_rows_pick(l->model, &which, &l->buffer, &x);
	mmi_device_latents_pick(l->model, &which, &l->buffer_z, &z);
	l->state.n_buffered += l->span.of;
}
