/* iterate.c - one iteration of the learner, to be read beside the paper.
 *
 * alpha is the energy model E, omega the generator p(x | z), phi the inference model q(z | X); B samples a batch, M
 * modalities. Numbers of equations are the paper's. Where equations, algorithm and listing disagree:
 * docs/ARCHITECTURE.md, "How the paper was read". What is not in the paper is in files of its own (terms/, course.c,
 * guard.c, measure.c). */
#include "mmi_build.h"

#include "engine/streams.h"
#include "learn/course.h"
#include "learn/measure.h"
#include "learn/snapshot.h"
#include "learn/terms/starts.h"
#include "learn/terms/terms.h"
#include "model/rows.h"

/* ------------------------------------------------------------ chains */

/* Eq. 9: z_0 ~ q_e(z | x_e), w_0 ~ q_m(w | x_m), from every expert e, or from one drawn per sample. */
static void start_posterior(mmi_learner *l, uint32_t t)
{
	uint32_t b = l->span.rows;
	mmi_run_encode(l->sampler, &l->x, b, &l->experts);
	for (uint32_t c = 0; c < l->n_chains; c++) {
		const mmi_device_latents chain = mmi_device_latents_at(l->model, &l->z, (size_t)c * b);
		const mmi_start_args start = { .iteration = t, .chain = c, .own = l->masks.own, .temperature = 1 };
		const mmi_parts parts = mmi_masks_start(&l->masks, c);
		mmi_run_start(l->sampler, &start, &parts, &l->experts, l->span, &chain);
	}
	mmi_device_latents_copy(l->model, (size_t)l->n_chains * b, &l->z_start, &l->z);
}

/* Eqs. 7, 8: z <- z - s^2/2 dU/dz + n xi, and w likewise (Eq. 16), U(z, W) = sum_m NLL_m(x_m | z, w_m) - log p0(z) -
 * sum_m log p0(w_m). */
static void posterior_chain(mmi_learner *l, uint32_t t)
{
	mmi_posterior_args args = mmi_settings_posterior(l->settings, l->model->n_modalities);
	const mmi_parts parts = l->masked ? mmi_masks_moved(&l->masks) : (mmi_parts){ .expert = { NULL } };
	args.iteration = t;
	mmi_run_posterior(l->sampler, &args, &parts, &l->x, l->span, l->n_chains, &l->z, &l->z_start, NULL);
	mmi_measure_posterior(l);
	mmi_measure_posterior_end(l);
}

/* Eq. 9: z' ~ p0(z), w' ~ p0(w); x_0 = mean of p(x | z', w'). Translations have z' of an expert, and what was given;
 * x_start may have the chains start elsewhere. */
static void generate(mmi_learner *l, uint32_t t)
{
	const mmi_given_batch of = { .span = l->span,
		                         .observed = mmi_rows_read(l->masks.there),
		                         .there = mmi_masks_start(&l->masks, 0),
		                         .draw = MMI_DRAWS_GIVEN,
		                         .iteration = t };
	mmi_run_prior(l->sampler, l->span, 0, t, &l->z_prior);
	mmi_given_start(&l->given, l->model, l->sampler, &l->experts, &of, &l->z_prior);
	mmi_run_decode(l->sampler, &l->z_prior, l->span.rows, &l->generated);
	mmi_given_fill(&l->given, l->model, &l->x, &l->generated);
	mmi_start_data_chain(l, t);
	mmi_device_rows_copy(l->model, l->span.rows, &l->revised, &l->generated);
}

/* Eq. 3: x <- x - s^2/2 dE/dx + n xi. */
static void data_chain(mmi_learner *l, uint32_t t)
{
	mmi_revise_args args = mmi_settings_revise(l->settings, l->state.x_step, -1);
	args.iteration = t;
	const mmi_parts held = mmi_given_parts(&l->given, l->model);
	mmi_run_revise(l->sampler, &args, &held, &l->revised, &l->generated, l->span, NULL);
	mmi_measure_data(l);
}

/* ------------------------------------------------------------ updates */

static mmi_segment rows_of(const mmi_learner *l, mmi_loss *loss, const mmi_device_rows *x, uint32_t chains, float seed)
{
	const uint32_t b = l->span.rows;
	return (mmi_segment){ .loss = loss, .x = x, .rows = b * chains, .x_rows = b, .seed = seed };
}

/* Eq. 11: min over omega of mean NLL(X | z revised) + s_factor mean NLL(X revised | z'). */
static void tell_generator(const mmi_learner *l, const double *sums, mmi_measures *m)
{
	m->loss_generator = mmi_pairs_loss(l, sums, l->span.of * l->n_chains, l->settings->s_factor);
}

static void update_generator(mmi_learner *l, const mmi_batch *batch, uint32_t number)
{
	(void)batch, (void)number;
	mmi_terms t = { .n = 1 };
	t.at[0] = rows_of(l, &l->generator_loss, &l->x, l->n_chains, 1.0f / (float)(l->span.of * l->n_chains));
	t.at[0].z[0] = l->z;
	t.at[0].mask = &l->masks.data;
	mmi_term_pairs(l, &l->generator_loss, l->settings->s_factor, &t);
	mmi_model_update(l, &t, NULL, tell_generator);
	mmi_measure_generator(l, &t.at[0]);
}

/* Eq. 12: min over phi of -mean log q(z revised | X) - i_factor mean log q(z' | X revised). */
static void tell_inference(const mmi_learner *l, const double *sums, mmi_measures *m)
{
	m->loss_inference = mmi_pairs_loss(l, sums, l->span.of, l->settings->i_factor);
}

static void update_inference(mmi_learner *l, const mmi_batch *batch, uint32_t number)
{
	(void)number;
	mmi_terms t = { .n = 1 };
	t.at[0] = rows_of(l, &l->inference_data, &l->seen, 1, 1.0f / (float)l->span.of);
	t.at[0].mask = &l->masks.data;
	for (uint32_t c = 0; c < l->n_chains; c++)
		t.at[0].z[c] = mmi_device_latents_at(l->model, &l->z, (size_t)c * l->span.rows);
	mmi_term_pairs(l, &l->inference_generated, l->settings->i_factor, &t);
	mmi_term_alignment(l, batch, &t);
	mmi_model_update(l, &t, NULL, tell_inference);
}

/* Eqs. 10, 20: min over alpha of (mean E(X) - mean E(X revised)) / T, T = (n / s)^2: the maximum-likelihood gradient of
 * exp(-E / T). */
static void update_energy(mmi_learner *l, const mmi_batch *batch, uint32_t number)
{
	(void)batch;
	const mmi_settings *s = l->settings;
	uint32_t n_data = mmi_complete_count(l);
	double ratio = s->x_noise > 0 ? s->x_noise / l->state.x_step : 1, unit = 1 / (ratio * ratio);
	double of_data = n_data ? unit / n_data : 0, of_revised = unit / l->span.of;
	mmi_terms t = { .n = 2 };
	t.at[0] = mmi_complete_tuples(l);
	t.at[0].seed = (float)of_data;
	t.at[0].l2 = (float)(s->energy_l2 * of_data);
	t.at[1] = rows_of(l, &l->energy_loss, &l->revised, 1, (float)-of_revised);
	t.at[1].l2 = (float)(s->energy_l2 * of_revised);
	if (!n_data)
		return; /* nothing to compare the revised tuples with */
	if (number)
		mmi_continue_data_chain(l, number);
	mmi_term_swaps(l, number, &t);
	mmi_model_update(l, &t, mmi_measure_energy, NULL);
}

/* ------------------------------------------------------------ iterations */

/* The paper's algorithm: chains first, all with the parameters of step t; then each model learns from what the chains
 * revised. z, z' and both X are constants. */
static void cooperate(mmi_learner *l, const mmi_batch *batch)
{
	const mmi_settings *s = l->settings;
	uint32_t t = (uint32_t)l->state.iteration;

	mmi_masks_fill(l->model, &l->masks, l->sampler, &l->reduce, batch->observed, t);
	start_posterior(l, t);
	posterior_chain(l, t);
	generate(l, t);
	mmi_course_calibrate(l);
	data_chain(l, t);
	mmi_impute(l, t);

	mmi_updates(mmi_update_elbo_beside, s->elbo_updates, l, batch);
	mmi_updates(update_generator, s->generator_updates, l, batch);
	mmi_updates(update_inference, s->inference_updates, l, batch);
	if (s->refresh_negatives) {
		mmi_refresh_given(l);
		generate(l, t);
		data_chain(l, t);
	}
	mmi_updates(update_energy, s->energy_updates, l, batch);
	mmi_keep_data_chain(l);
}

mm_status mmi_learner_iterate(mmi_learner *l, const mmi_batch *batch, mmi_measures *out, mm_error *e)
{
	mmi_learner_take(l, batch);
	mmi_readings_begin(l);
	*out = mmi_measures_none(mmi_course_before(l, l->settings->warmup));
	if (l->state.iteration % l->settings->snapshot_interval == 0)
		mmi_snapshot_take(l);
	if (out->chains)
		cooperate(l, batch);
	else
		mmi_update_elbo(l, batch);
	if (mmi_match_due(l, out->chains))
		mmi_update_match(l, batch);
	MMI_TRY(mmi_reduce_status(&l->reduce, mmi_readings_end(l, out, e), e));
	mmi_course_adapt(l, out);
	l->state.iteration++;
	return MM_OK;
}
