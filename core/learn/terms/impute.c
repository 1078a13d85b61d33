/* impute.c - what the energy's data term makes of tuples that lack something: it never sees zeros for what is missing.
 */
#include "mmi_build.h"

#include "learn/terms/terms.h"

static bool imputes(const mmi_learner *l)
{
	return l->masked && l->settings->impute && l->masks.n_whole < l->span.of;
}

static bool skips(const mmi_learner *l)
{
	return l->masked && !l->settings->impute;
}

void mmi_impute(mmi_learner *l, uint32_t t)
{
	const mmi_settings *s = l->settings;
	const mmi_parts held = mmi_masks_imputed(&l->masks);
	mmi_revise_args args = { .steps = s->x_steps,
		                     .iteration = t,
		                     .step = l->state.x_step,
		                     .noise = s->x_noise,
		                     .clamp = s->clamp,
		                     .move_max = s->x_move_max,
		                     .number = l->span.of };
	if (!imputes(l))
		return;
	mmi_run_decode(l->sampler, &l->z, l->span.rows, &l->imputed);
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		const mmi_pick there = { .out = l->imputed.x[m],
			                     .from = l->x.x[m],
			                     .where = held.held[m],
			                     .rows = l->span.rows,
			                     .count = (size_t)l->model->modalities[m].count };
		l->model->device->rows->pick(l->model->device, &there);
	}
	/* The data chain is over: its starts make room for these. */
	mmi_device_rows_copy(l->model, l->span.rows, &l->generated, &l->imputed);
	mmi_run_revise(l->sampler, &args, &held, &l->imputed, &l->generated, l->span, NULL);
}

uint32_t mmi_complete_count(const mmi_learner *l)
{
	return skips(l) ? l->masks.n_whole : l->span.of;
}

mmi_segment mmi_complete_tuples(mmi_learner *l)
{
	return (mmi_segment){ .loss = &l->energy_loss,
		                  .x = imputes(l) ? &l->imputed : &l->x,
		                  .rows = l->span.rows,
		                  .x_rows = l->span.rows,
		                  .row_seed = { skips(l) ? mmi_masks_on_device(&l->masks, l->masks.whole) : NULL } };
}
