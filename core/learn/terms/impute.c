/* impute.c - what the energy's data term makes of tuples that lack something: it never sees zeros for what is missing.
 */
#include "mmi_build.h"

#include "learn/terms/terms.h"
#include "model/rows.h"

#include <string.h>

static bool imputes(const mmi_learner *l)
{
	return l->masked && l->settings->impute && l->masks.n_whole < l->span.of;
}

static bool skips(const mmi_learner *l)
{
	return l->masked && !l->settings->impute;
}

void mmi_impute(mmi_learner *l, const mmi_batch *batch, uint32_t t)
{
	const mmi_settings *s = l->settings;
	mmi_chain_stats stats;
	mmi_revise_args args = { .steps = s->x_steps,
		                     .iteration = t,
		                     .step = l->state.x_step,
		                     .noise = s->x_noise,
		                     .clamp = s->clamp,
		                     .move_max = s->x_move_max,
		                     .number = l->span.of,
		                     .held = mmi_held_read(l->masks.held_x) };
	if (!imputes(l))
		return;
	mmi_sampler_decode(l->sampler, &l->z, l->span.rows, l->imputed);
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		size_t count = (size_t)l->model->modalities[m].count;
		for (uint32_t b = 0; b < l->span.rows; b++)
			if (l->masks.held_x[m][b])
				memcpy(l->imputed[m] + b * count, batch->x[m] + b * count, count * sizeof(float));
	}
	/* The data chain is over: its starts make room for these. */
	mmi_rows_copy(l->model, l->span.rows, l->generated, l->imputed);
	mmi_sampler_revise(l->sampler, &args, l->imputed, mmi_rows_read(l->generated), l->span, &stats);
}

uint32_t mmi_complete_count(const mmi_learner *l)
{
	return skips(l) ? l->masks.n_whole : l->span.of;
}

mmi_segment mmi_complete_tuples(mmi_learner *l, const mmi_batch *batch)
{
	return (mmi_segment){ .loss = &l->energy_loss,
		                  .x = mmi_rows_read(imputes(l) ? l->imputed : batch->x),
		                  .rows = l->span.rows,
		                  .x_rows = l->span.rows,
		                  .row_seed = skips(l) ? l->masks.whole : NULL };
}
