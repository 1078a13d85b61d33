/* measure.c - what an iteration tells of its chains. */
#include "mmi_build.h"

#include "learn/measure.h"
#include "learn/terms/terms.h"
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
		                   .match = NAN,
		                   .match_first = NAN,
		                   .match_tau = NAN,
		                   .norm_generator = NAN,
		                   .norm_inference = NAN,
		                   .norm_energy = NAN,
		                   .norm_match = NAN };
}

void mmi_measure_posterior(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	m->u_start = s->z_steps ? stats->energy / (l->span.of * l->n_chains) : NAN;
	m->z_drift = sqrt(stats->drift2 / stats->elements);
	m->z_noise = sqrt(stats->noise2 / stats->elements);
	m->z_move = sqrt(stats->move2 / stats->elements);
}

/* Chains of all ranks. */
static double rows_of(const mmi_learner *l)
{
	return (double)l->span.of * l->n_chains;
}

/* Of `dim` floats a row: chunk by chunk into the parts. */
static void add_minus_log_prior(const mmi_learner *l, mmi_floats z, size_t dim)
{
	const size_t chunk = l->chunk * dim;
	const uint32_t chunks = l->n_chains * l->reduce.share.chunks.rows;
	const float *at = mmi_floats_read(l->model->device, z, chunks * chunk, l->z_room);
	for (uint32_t c = 0; at && c < chunks; c++)
		l->reduce.parts[c] += mmi_minus_log_prior(l->model, at + c * chunk, chunk);
}

static double minus_log_prior(const mmi_learner *l)
{
	double sum;
	for (uint32_t c = 0; c < l->n_chains * l->reduce.share.chunks.rows; c++)
		l->reduce.parts[c] = 0;
	add_minus_log_prior(l, l->z.z, (size_t)mmi_model_z_dim(l->model));
	for (uint32_t i = 0; i < l->model->n_modalities; i++)
		add_minus_log_prior(l, l->z.w[i], (size_t)mmi_model_w_dim(l->model));
	mmi_reduce_chunks(&l->reduce, l->reduce.parts, l->n_chains, 1, &sum);
	return sum / rows_of(l);
}

/* The generator's loss on the data is U without the prior, where nothing changes the generator before its first update
 * and each chain is moved by all that counts in the loss. */
static bool told_by_update(const mmi_settings *s)
{
	return !s->elbo_updates && s->generator_updates && !s->separate_inference;
}

void mmi_measure_posterior_end(mmi_learner *l, mmi_measures *m)
{
	const mmi_parts parts = l->masked ? mmi_masks_moved(&l->masks) : (mmi_parts){ .expert = { NULL } };
	mmi_chain_stats stats = { 0 };
	if (told_by_update(l->settings))
		return;
	stats.energy = mmi_run_potential(l->sampler, &parts, &l->x, l->span.rows, l->n_chains, &l->z);
	mmi_reduce_chain(&l->reduce, l->sampler, l->n_chains, &stats);
	m->u_end = stats.energy / rows_of(l);
	m->nll_end = m->u_end - minus_log_prior(l);
}

void mmi_measure_generator(const mmi_learner *l, double nll, mmi_measures *m)
{
	if (!told_by_update(l->settings))
		return;
	m->nll_end = nll;
	m->u_end = nll + minus_log_prior(l);
}

void mmi_measure_data(const mmi_learner *l, const mmi_chain_stats *stats, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	m->x_step = l->state.x_step;
	m->e_generated = s->x_steps ? stats->energy / l->span.of : NAN;
	m->x_drift = sqrt(stats->drift2 / stats->elements);
	m->x_noise = sqrt(stats->noise2 / stats->elements);
	m->x_move = sqrt(stats->move2 / stats->elements);
}

void mmi_measure_energy(const mmi_learner *l, const mmi_terms *t, mmi_measures *m)
{
	const bool swaps = t->n > 2;
	const double *told = l->swaps.told.host;
	m->e_data = swaps ? told[0] : t->at[0].sum / mmi_complete_count(l);
	m->e_revised = t->at[1].sum / l->span.of;
	m->gap = m->e_data - m->e_revised;
	m->swap_rank = swaps ? told[1] : NAN;
}
