/* iterate.c - one iteration of the learner, to be read beside the paper.
 *
 * alpha is the energy model E, omega the generator p(x | z), phi the inference model q(z | X); B samples a batch, M
 * modalities. Chains: the paper's Eqs. 3 and 8 in the listing's parametrisation (s, n). Losses: Eqs. 10 to 14. Readings
 * where equations, algorithm and listing disagree are in docs/ARCHITECTURE.md. */
#include "mmi_build.h"

#include "learn/learner.h"
#include "learn/snapshot.h"
#include "learn/starts.h"
#include "model/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN_DRAWS 255u /* number of the draws that translations start from */
#define ELBO_DRAWS 256u /* numbers of draws beside the chains' own starts */

/* ------------------------------------------------------------ chains */

static const mmi_mask *data_mask(const mmi_learner *l)
{
	return &l->masks.data;
}

/* z_0 ~ q_e(z | x_e), w_0 ~ q_m(w | x_m): from every expert e, or from one drawn per sample. */
static void start_posterior(mmi_learner *l, const mmi_batch *batch, uint32_t t)
{
	uint32_t b = l->settings->batch;
	mmi_sampler_encode(l->sampler, (const float *const *)batch->x, b, &l->experts);
	for (uint32_t c = 0; c < l->n_chains; c++) {
		mmi_latents chain = mmi_latents_at(&l->z, l->model, (size_t)c * b);
		mmi_start_args start = { .iteration = t, .chain = c, .expert = l->masks.expert + (size_t)c * b, .own = l->masks.own,
		                         .observed = (const float *const *)l->masks.there, .temperature = 1 };
		mmi_sampler_start(l->sampler, &start, &l->experts, b, &chain);
	}
	mmi_latents_copy(&l->z_start, &l->z, l->model, (size_t)l->n_chains * b);
}

/* U where the posterior chains ended, with the parameters that moved them: a step of length 0 finds it. */
static void measure_end(mmi_learner *l, const mmi_batch *batch, mmi_posterior_args args, mmi_measures *m)
{
	size_t rows = (size_t)l->settings->batch * l->n_chains;
	mmi_chain_stats stats;
	args.steps = 1;
	args.step = args.noise = 0;
	mmi_sampler_posterior(l->sampler, &args, (const float *const *)batch->x, l->settings->batch, l->n_chains, &l->z, NULL, &stats);
	m->u_end = stats.energy / (double)rows;
	m->nll_end = (stats.energy - mmi_latents_minus_log_prior(&l->z, l->model, rows)) / (double)rows;
}

/* z <- z - s^2/2 dU/dz + n xi, and w likewise, with U(z, W) = sum_m NLL_m(x_m | z, w_m) - log p0(z) - sum_m log p0(w_m). */
static void posterior_chain(mmi_learner *l, const mmi_batch *batch, uint32_t t, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	mmi_chain_stats stats;
	mmi_posterior_args args = mmi_settings_posterior(s, l->model->n_modalities);
	args.iteration = t;
	if (l->masked) {
		args.observed = (const float *const *)l->masks.observed;
		args.held = (const uint8_t *const *)l->masks.held_w;
	}
	mmi_sampler_posterior(l->sampler, &args, (const float *const *)batch->x, s->batch, l->n_chains, &l->z, &l->z_start, &stats);
	m->u_start = s->z_steps ? stats.energy / (s->batch * l->n_chains) : NAN;
	m->z_drift = sqrt(stats.drift2 / stats.elements);
	m->z_noise = sqrt(stats.noise2 / stats.elements);
	m->z_move = sqrt(stats.move2 / stats.elements);
	measure_end(l, batch, args, m);
}

/* z' ~ p0(z), w' ~ p0(w), or of an expert for the rows that are translations; x_0 = mean of
 * p(x | z', w'), with what was given, or where other chains start. */
static void generate(mmi_learner *l, const mmi_batch *batch, uint32_t t)
{
	const mmi_settings *s = l->settings;
	mmi_sampler_prior(l->sampler, s->batch, 0, t, &l->z_prior);
	mmi_given_start(&l->given, l->model, l->sampler, &l->experts, (const float *const *)l->masks.there, s->batch, GIVEN_DRAWS, t, &l->z_prior);
	mmi_sampler_decode(l->sampler, &l->z_prior, s->batch, l->generated);
	mmi_given_fill(&l->given, l->model, (const float *const *)batch->x, l->generated);
	mmi_start_data_chain(l, t);
	mmi_rows_copy(l->model, s->batch, l->revised, l->generated);
}

/* What translations hold of the data chain's tuples. */
static const uint8_t *const *held_x(const mmi_learner *l)
{
	return l->given.rows ? (const uint8_t *const *)l->given.held : NULL;
}

/* x_step = auto(d): s such that the first step's drift s^2/2 dE/dx has rms d; averaged over the first iterations, then held. */
static void calibrate(mmi_learner *l)
{
	mmi_chain_stats stats;
	mmi_revise_args still = { .steps = 1, .step = 0, .noise = 0, .held = held_x(l) };
	if (!(l->settings->x_drift > 0) || l->state.x_step_n >= MMI_CALIBRATE)
		return;
	mmi_sampler_revise(l->sampler, &still, l->revised, (const float *const *)l->generated, l->settings->batch, &stats);
	double rms = sqrt(stats.grad2 / stats.elements);
	l->state.x_step_sum += sqrt(2 * l->settings->x_drift / (rms > 1e-20 ? rms : 1e-20));
	l->state.x_step_n++;
	l->state.x_step = l->state.x_step_sum / (double)l->state.x_step_n;
}

/* x <- x - s^2/2 dE/dx + n xi, from the generator's samples. */
static void data_chain(mmi_learner *l, uint32_t t, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	mmi_chain_stats stats;
	mmi_revise_args args = mmi_settings_revise(s, l->state.x_step, -1);
	args.iteration = t;
	args.held = held_x(l);
	mmi_sampler_revise(l->sampler, &args, l->revised, (const float *const *)l->generated, s->batch, &stats);
	m->x_step = l->state.x_step;
	m->e_generated = s->x_steps ? stats.energy / s->batch : NAN;
	m->x_drift = sqrt(stats.drift2 / stats.elements);
	m->x_noise = sqrt(stats.noise2 / stats.elements);
	m->x_move = sqrt(stats.move2 / stats.elements);
}

/* Incomplete tuples, completed: decoded from the revised z, then moved by the energy chain with what is there held. */
static void impute(mmi_learner *l, const mmi_batch *batch, uint32_t t)
{
	const mmi_settings *s = l->settings;
	mmi_chain_stats stats;
	mmi_revise_args args = { .steps = s->x_steps, .iteration = t, .step = l->state.x_step, .noise = s->x_noise, .clamp = s->clamp,
	                         .move_max = s->x_move_max, .first = s->batch, .held = (const uint8_t *const *)l->masks.held_x };
	mmi_sampler_decode(l->sampler, &l->z, s->batch, l->imputed);
	for (uint32_t m = 0; m < l->model->n_modalities; m++) {
		size_t count = (size_t)l->model->modalities[m].count;
		for (uint32_t b = 0; b < s->batch; b++)
			if (l->masks.held_x[m][b])
				memcpy(l->imputed[m] + b * count, batch->x[m] + b * count, count * sizeof(float));
	}
	/* The data chain is over: its starts make room for these. */
	mmi_rows_copy(l->model, s->batch, l->generated, l->imputed);
	mmi_sampler_revise(l->sampler, &args, l->imputed, (const float *const *)l->generated, s->batch, &stats);
}

/* ------------------------------------------------------------ updates */

/* Terms with X revised and the z' it was made from: none where the data chain did not start at the generator's samples. */
static bool pairs(const mmi_learner *l, double factor)
{
	return factor > 0 && l->settings->x_start != MMI_START_NOISE;
}

static double schedule(const mmi_learner *l)
{
	return l->clock < 0 ? mmi_settings_schedule(l->settings, (uint64_t)l->state.iteration)
	                    : mmi_settings_schedule_at(l->settings, l->clock);
}

/* Gradients of segments into lanes, checked, then one step of Adam. */
static mm_status update(mmi_learner *l, mmi_segment *segments, uint32_t n, mmi_optimiser *o, mmi_lanes *lanes, double *norm, mm_error *e)
{
	mmi_pass_run(&l->pass, segments, n);
	*norm = mmi_lanes_reduce(lanes, l->pool);
	if (!isfinite(*norm))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the gradient of the %s model is not finite", (long long)l->state.iteration + 1,
		                o->params->name);
	return mmi_optimiser_step(o, l->pool, lanes->lane[0], *norm, schedule(l), e);
}

/* Phases end after a number of iterations, or that share of a time budget. */
static bool before(const mmi_learner *l, uint64_t iterations)
{
	if (l->clock < 0)
		return (uint64_t)l->state.iteration < iterations;
	return l->clock * (double)l->settings->iterations < (double)iterations;
}

/* What the encoders learn from. */
static const float *const *seen(const mmi_batch *batch)
{
	return (const float *const *)(batch->seen ? batch->seen : batch->x);
}

/* The contrastive loss between the experts and its gradient to their locations, 0 before it starts; NULL if there is none. */
static const float *const *contrast(mmi_learner *l, const mmi_batch *batch, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	if (!mmi_learner_aligns(l))
		return NULL;
	if (before(l, s->contrast_start)) {
		mmi_alignment_none(&l->alignment, s->batch);
		return (const float *const *)l->alignment.grad;
	}
	mmi_sampler_encode(l->sampler, seen(batch), s->batch, &l->experts);
	mmi_alignment_make(&l->alignment, l->experts.loc, batch->observed, s->batch, s->contrast_temperature);
	if (isnan(m->contrast)) /* no update before this one has found it */
		m->contrast = l->alignment.loss;
	return (const float *const *)l->alignment.grad;
}

/* The same as a further segment of an update of the inference model: 1, or 0 if there is none. */
static uint32_t align(mmi_learner *l, const mmi_batch *batch, mmi_segment *out, mmi_measures *m)
{
	const mmi_settings *s = l->settings;
	if (before(l, s->contrast_start) || !contrast(l, batch, m))
		return 0;
	*out = (mmi_segment){ .loss = &l->locations, .x = seen(batch), .rows = s->batch, .x_rows = s->batch,
	                      .seed = (float)s->contrast_factor };
	for (uint32_t i = 0; i < l->model->n_modalities; i++)
		out->z[i].z = l->alignment.grad[i];
	return 1;
}

/* min over omega of mean NLL(X | z revised) + s_factor mean NLL(X revised | z prior). */
static mm_status update_generator(mmi_learner *l, const mmi_batch *batch, uint32_t number, mmi_measures *m, mm_error *e)
{
	(void)number;
	const mmi_settings *s = l->settings;
	uint32_t b = s->batch, chains = b * l->n_chains, n = pairs(l, s->s_factor) ? 2 : 1;
	mmi_segment terms[2] = {
		{ .loss = &l->generator_loss, .x = (const float *const *)batch->x, .z = { l->z }, .mask = data_mask(l), .rows = chains, .x_rows = b,
		  .seed = 1.0f / (float)chains },
		{ .loss = &l->generator_loss, .x = (const float *const *)l->revised, .z = { l->z_prior }, .mask = &l->masks.generated, .rows = b,
		  .x_rows = b, .seed = (float)(s->s_factor / b) },
	};
	m->culprit = 0;
	MMI_TRY(update(l, terms, n, &l->generator, &l->generator_lanes, &m->norm_generator, e));
	m->loss_generator = terms[0].sum / chains + s->s_factor * terms[1].sum / b;
	return MM_OK;
}

/* min over phi of -mean log q(z revised | X) - i_factor mean log q(z prior | X revised). */
static mm_status update_inference(mmi_learner *l, const mmi_batch *batch, uint32_t number, mmi_measures *m, mm_error *e)
{
	(void)number;
	const mmi_settings *s = l->settings;
	uint32_t b = s->batch, n = pairs(l, s->i_factor) ? 2 : 1;
	mmi_segment terms[3] = {
		{ .loss = &l->inference_data, .x = seen(batch), .mask = data_mask(l), .rows = b, .x_rows = b, .seed = 1.0f / (float)b },
		{ .loss = &l->inference_generated, .x = (const float *const *)l->revised, .z = { l->z_prior }, .mask = &l->masks.generated, .rows = b,
		  .x_rows = b, .seed = (float)(s->i_factor / b) },
	};
	for (uint32_t c = 0; c < l->n_chains; c++)
		terms[0].z[c] = mmi_latents_at(&l->z, l->model, (size_t)c * b);
	n += align(l, batch, &terms[n], m);
	m->culprit = 1;
	MMI_TRY(update(l, terms, n, &l->inference, &l->inference_lanes, &m->norm_inference, e));
	m->loss_inference = terms[0].sum / b + s->i_factor * terms[1].sum / b;
	return MM_OK;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* An energy loss far beyond its running median has left the regime in which its gradient means something. */
static mm_status guard_gap(mmi_learner *l, double gap, mm_error *e)
{
	mmi_learner_state *st = &l->state;
	double sorted[MMI_GAPS];
	size_t n = st->n_gaps < MMI_GAPS ? (size_t)st->n_gaps : MMI_GAPS;
	if (!isfinite(gap))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the energy loss is not finite", (long long)st->iteration + 1);
	memcpy(sorted, st->gaps, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_size);
	/* Half a window first: the loss starts at zero and any ratio to that would be large. */
	if (n > MMI_GAPS / 2 && fabs(gap) > l->settings->gap_limit * sorted[n / 2])
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the energy loss is %g, more than %g times its running median %g",
		                (long long)st->iteration + 1, gap, l->settings->gap_limit, sorted[n / 2]);
	st->gaps[st->n_gaps++ % MMI_GAPS] = fabs(gap);
	return MM_OK;
}

static bool skip_incomplete(const mmi_learner *l)
{
	return l->masked && !l->settings->impute;
}

/* The data term's tuples: never with zeros for what is missing. */
static const float *const *complete_tuples(const mmi_learner *l, const mmi_batch *batch)
{
	bool imputed = l->masked && l->settings->impute && l->masks.n_whole < l->settings->batch;
	return (const float *const *)(imputed ? l->imputed : batch->x);
}

/* Tuples with one modality swapped are further negatives; rows of data and of swapped tuples get factors. */
static void add_swaps(mmi_learner *l, mmi_segment terms[3], double of_data, uint32_t number)
{
	const mmi_settings *s = l->settings;
	mmi_swaps_make(&l->swaps, l->sampler, l->model, terms[0].x, terms[0].row_seed, s->batch, s->swap_factor, s->swap_margin,
	               (uint32_t)l->state.iteration, number);
	terms[2] = terms[0];
	terms[2].x = (const float *const *)l->swaps.x;
	terms[2].seed = (float)-of_data;
	terms[2].row_seed = l->swaps.seed_swapped;
	terms[0].row_seed = l->swaps.seed_data;
}

/* min over alpha of (mean E(X) - mean E(X revised)) / T, T = (n / s)^2: the maximum-likelihood gradient of exp(-E / T). */
static mm_status update_energy(mmi_learner *l, const mmi_batch *batch, uint32_t number, mmi_measures *m, mm_error *e)
{
	const mmi_settings *s = l->settings;
	uint32_t b = s->batch, n_data = skip_incomplete(l) ? l->masks.n_whole : b;
	double ratio = s->x_noise > 0 ? s->x_noise / l->state.x_step : 1, unit = 1 / (ratio * ratio);
	double of_data = n_data ? unit / n_data : 0, of_revised = unit / b;
	mmi_segment terms[3] = {
		{ .loss = &l->energy_loss, .x = complete_tuples(l, batch), .rows = b, .x_rows = b, .seed = (float)of_data,
		  .l2 = (float)(s->energy_l2 * of_data), .row_seed = skip_incomplete(l) ? l->masks.whole : NULL },
		{ .loss = &l->energy_loss, .x = (const float *const *)l->revised, .rows = b, .x_rows = b, .seed = (float)-of_revised,
		  .l2 = (float)(s->energy_l2 * of_revised) },
	};
	if (!n_data)
		return MM_OK; /* nothing to compare the revised tuples with */
	bool swaps = s->swap_factor > 0;
	if (swaps)
		add_swaps(l, terms, of_data, number);
	m->culprit = 2;
	mmi_pass_run(&l->pass, terms, swaps ? 3 : 2);
	m->e_data = swaps ? l->swaps.mean_data : terms[0].sum / n_data;
	m->e_revised = terms[1].sum / b;
	m->gap = m->e_data - m->e_revised;
	m->swap_rank = swaps ? l->swaps.rank : NAN;
	MMI_TRY(guard_gap(l, m->gap, e));
	m->norm_energy = mmi_lanes_reduce(&l->energy_lanes, l->pool);
	if (!isfinite(m->norm_energy))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the gradient of the energy model is not finite", (long long)l->state.iteration + 1);
	return mmi_optimiser_step(&l->energy, l->pool, l->energy_lanes.lane[0], m->norm_energy, schedule(l), e);
}

/* One update of generator and inference by the ELBO. first: number of its draws. */
static mm_status update_elbo(mmi_learner *l, const mmi_batch *batch, uint32_t first, mmi_measures *m, mm_error *e)
{
	uint32_t b = l->settings->batch, t = (uint32_t)l->state.iteration;
	mmi_segment term = { .loss = &l->elbo, .x = (const float *const *)batch->x, .seen = seen(batch), .pull = contrast(l, batch, m),
	                     .mask = data_mask(l), .rows = b, .x_rows = b, .seed = 1.0f / (float)b };
	for (uint32_t i = 0; i < l->n_eps; i++) {
		mmi_sampler_standard(l->sampler, b, first + i, t, &l->eps[i]);
		term.z[i] = l->eps[i];
	}
	mmi_pass_run(&l->pass, &term, 1);
	m->elbo = term.sum / b;
	m->norm_generator = mmi_lanes_reduce(&l->generator_lanes, l->pool);
	m->norm_inference = mmi_lanes_reduce(&l->inference_lanes, l->pool);
	m->culprit = isfinite(m->norm_generator) ? 1 : 0;
	if (!isfinite(m->norm_generator) || !isfinite(m->norm_inference) || !isfinite(m->elbo))
		return mmi_fail(e, MM_ENUMERIC, "iteration %lld: the ELBO or its gradient is not finite", (long long)l->state.iteration + 1);
	m->culprit = 0;
	MMI_TRY(mmi_optimiser_step(&l->generator, l->pool, l->generator_lanes.lane[0], m->norm_generator, schedule(l), e));
	m->culprit = 1;
	return mmi_optimiser_step(&l->inference, l->pool, l->inference_lanes.lane[0], m->norm_inference, schedule(l), e);
}

static mm_status update_elbo_beside(mmi_learner *l, const mmi_batch *batch, uint32_t number, mmi_measures *m, mm_error *e)
{
	return update_elbo(l, batch, ELBO_DRAWS + number * l->n_eps, m, e);
}

/* ------------------------------------------------------------ iterations */

/* Updates of one kind, numbered; the first one's figures stay. */
static mm_status repeat(mm_status (*make)(mmi_learner *, const mmi_batch *, uint32_t, mmi_measures *, mm_error *), uint32_t n,
                        mmi_learner *l, const mmi_batch *batch, mmi_measures *m, mm_error *e)
{
	for (uint32_t i = 0; i < n; i++) {
		mmi_measures now = *m;
		mm_status status = make(l, batch, i, &now, e);
		if (!i)
			*m = now;
		m->culprit = now.culprit;
		MMI_TRY(status);
	}
	return MM_OK;
}

static mm_status cooperate(mmi_learner *l, const mmi_batch *batch, mmi_measures *m, mm_error *e)
{
	const mmi_settings *s = l->settings;
	uint32_t t = (uint32_t)l->state.iteration;

	/* Chains first, all with the parameters of step t. */
	mmi_masks_fill(&l->masks, l->sampler, batch->observed, t);
	start_posterior(l, batch, t);
	posterior_chain(l, batch, t, m);
	generate(l, batch, t);
	calibrate(l);
	data_chain(l, t, m);
	if (l->masked && s->impute && l->masks.n_whole < s->batch)
		impute(l, batch, t);

	/* Then each model learns from what the chains revised; z, z' and both X are constants. */
	MMI_TRY(repeat(update_elbo_beside, s->elbo_updates, l, batch, m, e));
	MMI_TRY(repeat(update_generator, s->generator_updates, l, batch, m, e));
	MMI_TRY(repeat(update_inference, s->inference_updates, l, batch, m, e));
	if (s->refresh_negatives) {
		/* What the experts say is by now of other inputs or other parameters. */
		if (l->given.rows)
			mmi_sampler_encode(l->sampler, (const float *const *)batch->x, s->batch, &l->experts);
		generate(l, batch, t);
		data_chain(l, t, m);
	}
	MMI_TRY(repeat(update_energy, s->energy_updates, l, batch, m, e));
	mmi_keep_data_chain(l);
	return MM_OK;
}

/* An ELBO on the same networks gives the chains a start worth revising; a baseline goes on with it, as do the iterations between
 * those with chains. */
static mm_status learn_elbo(mmi_learner *l, const mmi_batch *batch, mmi_measures *m, mm_error *e)
{
	mmi_masks_fill(&l->masks, l->sampler, batch->observed, (uint32_t)l->state.iteration);
	return update_elbo(l, batch, 0, m, e);
}

/* What an update measures is no number until it was made: there may be none. */
static mmi_measures unmeasured(bool warm, bool chains)
{
	return (mmi_measures){ .warm = warm, .chains = chains, .elbo = NAN, .contrast = NAN, .nll_end = NAN, .u_end = NAN,
	                       .loss_generator = NAN, .loss_inference = NAN, .e_data = NAN, .e_revised = NAN, .gap = NAN, .swap_rank = NAN,
	                       .norm_generator = NAN, .norm_inference = NAN, .norm_energy = NAN };
}

mm_status mmi_learner_iterate(mmi_learner *l, const mmi_batch *batch, mmi_measures *out, mm_error *e)
{
	const bool warm = before(l, l->settings->warmup);
	*out = unmeasured(warm, !warm);
	if (l->state.iteration % l->settings->snapshot_interval == 0)
		mmi_snapshot_take(l);
	MMI_TRY(out->chains ? cooperate(l, batch, out, e) : learn_elbo(l, batch, out, e));
	l->state.iteration++;
	return MM_OK;
}
