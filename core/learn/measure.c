/* measure.c - what an iteration tells of its chains. */
#include "mmi_build.h"

#include "learn/measure.h"
#include "model/rows.h"

#include <math.h>

mmi_measures mmi_measures_none(bool warm)
{
	return (mmi_measures){ .warm = warm,
		                   .chains = !warm,
		                   .elbo = NAN,
		                   .contrast = NAN,
		                   .nll_end = NAN,
		                   .u_end = NAN,
		                   .loss_generator = NAN,
		                   .loss_inference = NAN,
		                   .e_data = NAN,
		                   .e_revised = NAN,
		                   .gap = NAN,
		                   .swap_rank = NAN,
		                   .norm_generator = NAN,
		                   .norm_inference = NAN,
		                   .norm_energy = NAN };
}

void mmi_measure_posterior(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	m->u_start = s->z_steps ? stats->energy / (s->batch * l->n_chains) : NAN;
	m->z_drift = sqrt(stats->drift2 / stats->elements);
	m->z_noise = sqrt(stats->noise2 / stats->elements);
	m->z_move = sqrt(stats->move2 / stats->elements);
}

/* A step of length 0 finds it. */
void mmi_measure_posterior_end(mmi_learner *l, const mmi_batch *batch, mmi_posterior_args args, mmi_measures *m)
{
	size_t rows = (size_t)l->span.rows * l->n_chains;
	mmi_chain_stats stats;
	args.steps = 1;
	args.step = args.noise = 0;
	mmi_sampler_posterior(l->sampler, &args, mmi_rows_read(batch->x), l->span, l->n_chains, &l->z, NULL, &stats);
	m->u_end = stats.energy / (double)rows;
	m->nll_end = (stats.energy - mmi_latents_minus_log_prior(&l->z, l->model, rows)) / (double)rows;
}

void mmi_measure_data(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	m->x_step = l->state.x_step;
	m->e_generated = s->x_steps ? stats->energy / s->batch : NAN;
	m->x_drift = sqrt(stats->drift2 / stats->elements);
	m->x_noise = sqrt(stats->noise2 / stats->elements);
	m->x_move = sqrt(stats->move2 / stats->elements);
}
