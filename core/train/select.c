/* select.c - how well any modality is told from any other, on tuples held out. */
#include "mmi_build.h"

#include "train/select.h"

#include "engine/row_ops.h"
#include "engine/streams.h"
#include "model/rows.h"

#include <math.h>
#include <string.h>

struct mmi_select {
	mmi_learner *learner;
	uint32_t count, block;            /* tuples; rows of a block */
	float *x[MMI_MAX_MODALITIES];     /* [count, whole blocks][floats] */
	float *has[MMI_MAX_MODALITIES];   /* [count, whole blocks]: 1 where the tuple has the modality */
	float *told[MMI_MAX_MODALITIES];  /* [block]: whose likelihood counts */
	float *none[MMI_MAX_MODALITIES];  /* [block]: 0 */
	float *given[MMI_MAX_MODALITIES]; /* [block]: what the latents are inferred from */
	uint32_t *expert;                 /* [block] */
	mmi_experts experts;              /* of a block */
	mmi_latents z;
};

/* ------------------------------------------------------------ the tuples */

static mm_status allocate(mmi_select *s, mm_error *e)
{
	const mmi_model *m = s->learner->model;
	size_t rows = mmi_whole_chunks(s->count, s->block);
	bool ok = (s->expert = mmi_alloc(s->block, sizeof *s->expert));
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		ok = (s->has[i] = mmi_alloc(rows, sizeof(float))) && (s->told[i] = mmi_alloc(s->block, sizeof(float))) && ok;
		ok = (s->given[i] = mmi_alloc(s->block, sizeof(float))) && ok;
		ok = (s->none[i] = mmi_alloc(s->block, sizeof(float))) && ok;
	}
	if (!ok)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu validation tuples", rows);
	MMI_TRY(mmi_rows_create(m, rows, s->x, e));
	MMI_TRY(mmi_experts_create(m, s->block, &s->experts, e));
	return mmi_latents_create(m, s->block, &s->z, e);
}

/* Rows behind the last tuple stay zero and count for nothing. */
static mm_status read_tuples(mmi_select *s, mmi_tuples *tuples, mm_error *e)
{
	const mmi_model *m = s->learner->model;
	for (uint32_t r = 0; r < s->count; r++) {
		float *at[MMI_MAX_MODALITIES];
		for (uint32_t i = 0; i < m->n_modalities; i++)
			s->has[i][r] = mmi_tuples_has(tuples, r, i);
		mmi_rows_at(m, s->x, r, at);
		MMI_TRY(mmi_tuples_read(tuples, r, at, e));
	}
	return MM_OK;
}

mm_status mmi_select_create(mmi_learner *l, mmi_tuples *tuples, mmi_select **out, mm_error *e)
{
	if (mmi_tuples_count(tuples) > MMI_SELECT_TUPLES)
		MMI_TRY(mmi_tuples_pick(tuples, MMI_SELECT_TUPLES, l->settings->seed, e));
	mmi_select *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for validation");
	s->learner = l;
	s->block = l->settings->batch; /* rows that the learner's sampler was made for */
	s->count = mmi_tuples_count(tuples);
	mm_status status = allocate(s, e);
	if (status == MM_OK)
		status = read_tuples(s, tuples, e);
	if (status == MM_OK)
		*out = s;
	else
		mmi_select_destroy(s);
	return status;
}

void mmi_select_destroy(mmi_select *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_free(s->x[i]);
		mmi_free(s->has[i]);
		mmi_free(s->told[i]);
		mmi_free(s->given[i]);
		mmi_free(s->none[i]);
	}
	mmi_free(s->expert);
	mmi_experts_clear(&s->experts);
	mmi_latents_clear(&s->z);
	mmi_free(s);
}

/* ------------------------------------------------------------ the figure */

typedef struct sum {
	double nll, pairs;
} sum;

/* Which modalities are to be told from one, row by row; those of a row that lacks it count for nothing, but their
 * latents are inferred all the same and must be finite. Returns how many there are in all. */
static double choose(mmi_select *s, uint32_t first, uint32_t given)
{
	uint32_t n = s->learner->model->n_modalities;
	double pairs = 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t r = 0; r < s->block; r++) {
			bool told = s->has[given][first + r] > 0 && s->has[i][first + r] > 0 && (i != given || n == 1);
			s->told[i][r] = told ? 1.0f : 0.0f;
			s->given[i][r] = i == given ? 1.0f : 0.0f;
			pairs += told;
		}
	return pairs;
}

/* With nothing observed U is that of the prior alone. */
static double minus_log_prior(mmi_select *s, const float *const *x)
{
	const mmi_model *m = s->learner->model;
	if (!mmi_model_learns_prior(m))
		return mmi_latents_minus_log_prior(&s->z, m, s->block);
	return mmi_sampler_potential(s->learner->sampler, (const float *const *)s->none, x, s->block, 1, &s->z);
}

/* U of the latents is -log p0 of them and the likelihoods that count. */
static double told_nll(mmi_select *s, const float *const *x)
{
	const double prior = minus_log_prior(s, x);
	return mmi_sampler_potential(s->learner->sampler, (const float *const *)s->told, x, s->block, 1, &s->z) - prior;
}

static void add_block(mmi_select *s, uint32_t first, sum *to)
{
	const mmi_model *m = s->learner->model;
	const float *x[MMI_MAX_MODALITIES];
	for (uint32_t i = 0; i < m->n_modalities; i++)
		x[i] = s->x[i] + first * (size_t)m->modalities[i].count;
	mmi_sampler_encode(s->learner->sampler, x, s->block, &s->experts);
	for (uint32_t given = 0; given < m->n_modalities; given++) {
		mmi_start_args start = { .iteration = first,
			                     .chain = given,
			                     .expert = s->expert,
			                     .observed = (const float *const *)s->given,
			                     .temperature = 1 };
		for (uint32_t r = 0; r < s->block; r++)
			s->expert[r] = given;
		to->pairs += choose(s, first, given);
		mmi_sampler_start(s->learner->sampler, &start, &s->experts, mmi_whole(s->block), &s->z);
		to->nll += told_nll(s, x);
	}
}

double mmi_select_nll(mmi_select *s)
{
	mmi_learner *l = s->learner;
	sum all = { 0, 0 };
	mmi_learner_exchange_average(l);
	mmi_sampler_reseed(l->sampler, MMI_RESEED_SELECT);
	for (uint32_t first = 0; first < s->count; first += s->block)
		add_block(s, first, &all);
	mmi_sampler_reseed(l->sampler, (uint64_t)l->state.rollbacks);
	mmi_learner_exchange_average(l);
	return all.pairs > 0 ? all.nll / all.pairs : NAN;
}
