/* measure.c - what an iteration tells of its chains. */
#include "mmi_build.h"

#include "learn/measure.h"
#include "learn/guard.h"
#include "learn/terms/terms.h"

#include <math.h>
#include <stddef.h>

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

/* The last chains' sums, told in the end. */
static void take_chain(mmi_learner *l, uint32_t chains, mmi_teller *tell)
{
	const mmi_doubles at = mmi_readings_take(&l->readings, MMI_CHAIN_SUMS);
	mmi_reduce_chain(&l->reduce, l->model->device, l->sampler, chains, at);
	mmi_readings_tell(&l->readings, at, tell);
}

static const mmi_chain_stats *stats_at(const double *at)
{
	return (const mmi_chain_stats *)at;
}

static void tell_posterior(const mmi_learner *l, const double *at, mmi_measures *m)
{
	const mmi_chain_stats *stats = stats_at(at);
	m->u_start = l->settings->z_steps ? stats->energy / (l->span.of * l->n_chains) : NAN;
	m->z_drift = sqrt(stats->drift2 / stats->elements);
	m->z_noise = sqrt(stats->noise2 / stats->elements);
	m->z_move = sqrt(stats->move2 / stats->elements);
}

void mmi_measure_posterior(mmi_learner *l)
{
	take_chain(l, l->n_chains, tell_posterior);
}

/* Chains of all ranks. */
static double rows_of(const mmi_learner *l)
{
	return (double)l->span.of * l->n_chains;
}

/* Of `dim` floats a row. */
static void add_minus_log_prior(const mmi_learner *l, mmi_floats z, size_t dim)
{
	const mmi_device *d = l->model->device;
	const mmi_prior_sums a = { .x = z,
		                       .chunks = l->n_chains * l->reduce.share.chunks.rows,
		                       .count = l->chunk * dim,
		                       .laplace = l->model->config.prior == MMI_PRIOR_LAPLACE,
		                       .sums = l->prior };
	if (z.at)
		d->rows->prior(d, &a);
}

/* The sum of -log p0 over the chains' latents, to a place of the readings. */
static void sum_prior(mmi_learner *l, mmi_doubles out)
{
	const mmi_device *d = l->model->device;
	d->ops->zero(d, l->prior.at, (size_t)l->n_chains * l->reduce.share.chunks.rows * sizeof *l->prior.at);
	add_minus_log_prior(l, l->z.z, (size_t)mmi_model_z_dim(l->model));
	for (uint32_t i = 0; i < l->model->n_modalities; i++)
		add_minus_log_prior(l, l->z.w[i], (size_t)mmi_model_w_dim(l->model));
	mmi_reduce_chunks(&l->reduce, d, l->prior, l->n_chains, 1, out);
}

/* The generator's loss on the data is U without the prior, where nothing changes the generator before its first update
 * and each chain is moved by all that counts in the loss. */
static bool told_by_update(const mmi_settings *s)
{
	return !s->elbo_updates && s->generator_updates && !s->separate_inference;
}

/* U and, behind it, the prior's part. */
static void tell_posterior_end(const mmi_learner *l, const double *at, mmi_measures *m)
{
	m->u_end = stats_at(at)->energy / rows_of(l);
	m->nll_end = m->u_end - at[MMI_CHAIN_SUMS] / rows_of(l);
}

void mmi_measure_posterior_end(mmi_learner *l)
{
	const mmi_parts parts = l->masked ? mmi_masks_moved(&l->masks) : (mmi_parts){ .expert = { NULL } };
	if (told_by_update(l->settings))
		return;
	const mmi_doubles at = mmi_readings_take(&l->readings, MMI_CHAIN_SUMS + 1);
	mmi_run_potential(l->sampler, &parts, &l->x, l->span.rows, l->n_chains, &l->z, NULL);
	mmi_reduce_chain(&l->reduce, l->model->device, l->sampler, l->n_chains, at);
	sum_prior(l, (mmi_doubles){ at.at + MMI_CHAIN_SUMS });
	mmi_readings_tell(&l->readings, at, tell_posterior_end);
}

/* NLL of the data given the revised latents, and behind it the prior's part. */
static void tell_generator(const mmi_learner *l, const double *at, mmi_measures *m)
{
	m->nll_end = at[0] / (l->span.of * l->n_chains);
	m->u_end = m->nll_end + at[1] / rows_of(l);
}

void mmi_measure_generator(mmi_learner *l, const mmi_segment *data)
{
	if (!told_by_update(l->settings) || l->readings.further)
		return;
	const mmi_doubles at = mmi_readings_take(&l->readings, 3);
	mmi_segments_sum(&l->pass, &l->reduce, data, 1, at);
	sum_prior(l, (mmi_doubles){ at.at + 1 });
	mmi_readings_tell(&l->readings, at, tell_generator);
}

static void tell_data(const mmi_learner *l, const double *at, mmi_measures *m)
{
	const mmi_chain_stats *stats = stats_at(at);
	m->x_step = l->state.x_step;
	m->e_generated = l->settings->x_steps ? stats->energy / l->span.of : NAN;
	m->x_drift = sqrt(stats->drift2 / stats->elements);
	m->x_noise = sqrt(stats->noise2 / stats->elements);
	m->x_move = sqrt(stats->move2 / stats->elements);
}

void mmi_measure_data(mmi_learner *l)
{
	take_chain(l, 1, tell_data);
}

static void tell_energy(const mmi_learner *l, const double *at, mmi_measures *m)
{
	if (!(l->settings->swap_factor > 0))
		m->e_data = at[0] / mmi_complete_count(l);
	m->e_revised = at[2] / l->span.of;
}

void mmi_measure_energy(mmi_learner *l, const mmi_terms *t, mmi_doubles sums, mmi_doubles norms, uint32_t n, int first)
{
	mmi_readings *r = &l->readings;
	const bool swaps = t->n > 2;
	(void)norms, (void)n, (void)first;
	const mmi_doubles revised = { sums.at + 2 },
					  gap = swaps ? mmi_guard_gap(l, l->swaps.told, 1, revised, l->span.of)
	                              : mmi_guard_gap(l, sums, mmi_complete_count(l), revised, l->span.of);
	mmi_readings_tell(r, sums, tell_energy);
	mmi_readings_number(r, gap, offsetof(mmi_measures, gap));
	if (swaps) {
		mmi_readings_number(r, l->swaps.told, offsetof(mmi_measures, e_data));
		mmi_readings_number(r, (mmi_doubles){ l->swaps.told.at + 1 }, offsetof(mmi_measures, swap_rank));
	}
}
