/* eval_cost.c - what a batch of samples costs: by the generator alone, and with the energy's chains. */
#include "mmi_build.h"

#include "bench/bench_timer.h"
#include "eval/eval_work.h"
#include "model/rows.h"

#include <stdio.h>

#define BATCH 64u
#define REPEATS 3u

typedef struct mmi_cost_job {
	mmi_eval_work *w;
	uint32_t rows;
	bool revise;
} mmi_cost_job;

static mm_status sample(void *ctx, mm_error *e)
{
	mmi_cost_job *j = ctx;
	mmi_eval_work *w = j->w;
	mmi_chain_stats stats;
	(void)e;
	if (j->revise && w->sample.revise.from_noise) {
		mmi_sampler_noise(w->sampler, mmi_whole(j->rows), 0, w->x[0]);
		mmi_sampler_revise(w->sampler, &w->sample.revise, w->x[0], NULL, mmi_whole(j->rows), &stats);
		return MM_OK;
	}
	if (j->revise)
		mmi_sampler_choose_prior(w->sampler, &w->sample.guide, mmi_whole(j->rows), &w->z);
	else
		mmi_sampler_prior(w->sampler, mmi_whole(j->rows), 0, 0, &w->z);
	if (j->revise && w->sample.guide.steps)
		mmi_sampler_guide(w->sampler, &w->sample.guide, mmi_whole(j->rows), &w->z, NULL, &stats);
	mmi_sampler_decode(w->sampler, &w->z, j->rows, w->x[0]);
	if (j->revise && w->sample.revise.steps) {
		mmi_rows_copy(w->model, j->rows, w->x[1], w->x[0]);
		mmi_sampler_revise(w->sampler, &w->sample.revise, w->x[0], mmi_rows_read(w->x[1]), mmi_whole(j->rows), &stats);
	}
	return MM_OK;
}

static double parameters(const mmi_params *p)
{
	double sum = 0;
	for (size_t i = 0; i < p->n; i++)
		sum += (double)p->info[i].count;
	return sum;
}

/* Whether choice and guide of samples go by a term. */
static bool guides(const mmi_eval_work *w, mmi_term term)
{
	const uint32_t terms = w->sample.guide.terms;
	return mmi_model_has_term(w->model, term) && (!terms || terms >> term & 1);
}

/* Whether a bound of the data chain does. */
static bool bounds(const mmi_eval_work *w, mmi_term term)
{
	const mmi_revise_args *a = &w->sample.revise;
	return a->steps && a->rise_max > 0 && mmi_model_has_term(w->model, term) && a->rise_terms >> term & 1;
}

/* Network evaluations a sample: one by the generator, but where the chain starts at noise, one by the energy at each
 * step; a candidate and a step of the guide run the generator and one network for each term they go by; a
 * bound runs those of its terms at both ends. */
static double evaluations(const mmi_eval_work *w, bool revise)
{
	if (revise && w->sample.revise.from_noise)
		return w->sample.revise.steps;
	double guide = 1, bound = 0, candidates = w->sample.guide.candidates > 1 ? w->sample.guide.candidates : 0;
	for (int k = 0; k < MMI_TERMS; k++) {
		guide += guides(w, (mmi_term)k);
		bound += 2 * bounds(w, (mmi_term)k);
	}
	return 1 + (revise ? w->sample.revise.steps + bound + guide * (candidates + w->sample.guide.steps) : 0);
}

/* Of the models that take part. */
static double parameters_in_use(const mmi_eval_work *w, bool revise)
{
	if (revise && w->sample.revise.from_noise)
		return parameters(w->model->energy);
	const bool guided = revise && mmi_guide_acts(&w->sample.guide);
	bool used[MMI_TERMS];
	for (int k = 0; k < MMI_TERMS; k++)
		used[k] = (guided && guides(w, (mmi_term)k)) || (revise && bounds(w, (mmi_term)k));
	used[MMI_TERM_TEXTURE] = used[MMI_TERM_TEXTURE] || (revise && w->sample.revise.steps);
	return parameters(w->model->generator) + (used[MMI_TERM_TEXTURE] ? parameters(w->model->energy) : 0) +
	       (used[MMI_TERM_MATCH] ? parameters(w->model->match) : 0) +
	       (used[MMI_TERM_AGREEMENT] ? parameters(w->model->inference) : 0);
}

uint64_t mmi_eval_cost_blocks(const mmi_eval_work *w)
{
	(void)w;
	return 1;
}

/* Generator alone, and all that the recipe has. */
static mm_status add_two(mmi_eval_work *w, const char *name, const char *of, double generator, double revised,
                         mm_error *e)
{
	const bool has[MMI_VARIANTS] = { [MMI_GENERATOR] = true, [MMI_REVISED] = w->sampled[MMI_REVISED] };
	const double value[MMI_VARIANTS] = { [MMI_GENERATOR] = generator, [MMI_REVISED] = revised };
	return mmi_eval_add_row(w, name, of, has, value, e);
}

mm_status mmi_eval_cost(mmi_eval_work *w, mm_error *e)
{
	char name[48];
	mmi_bench_figure f[2] = { { .median = 0 } };
	uint32_t chunk = mmi_sampler_chunk(w->sampler), rows = mmi_whole_chunks(BATCH, chunk);
	rows = rows < w->block ? rows : w->block;
	snprintf(name, sizeof name, "cost of %u samples", rows);
	for (int revise = 0; revise < (w->sampled[MMI_REVISED] ? 2 : 1); revise++) {
		mmi_cost_job j = { w, rows, revise };
		mmi_bench_reset_peak();
		MMI_TRY(mmi_bench_time("sample", REPEATS, sample, &j, &f[revise], e));
	}
	MMI_TRY(add_two(w, name, "seconds", f[0].median, f[1].median, e));
	MMI_TRY(add_two(w, name, "network evaluations a sample", evaluations(w, false), evaluations(w, true), e));
	MMI_TRY(add_two(w, name, "parameters", parameters_in_use(w, false), parameters_in_use(w, true), e));
	MMI_TRY(add_two(w, name, "peak memory of the process, MB", f[0].peak / 1e6, f[1].peak / 1e6, e));
	return mmi_eval_tick(w, "cost", e);
}
