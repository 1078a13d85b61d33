/* eval_cost.c - what a batch of samples costs: by the generator alone, and with the energy's chains. */
#include "mmi_build.h"

#include "bench/bench_timer.h"
#include "eval/eval_work.h"

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
		mmi_sampler_noise(w->sampler, mmi_whole(j->rows), 0, w->x[MMI_GENERATOR]);
		mmi_sampler_revise(w->sampler, &w->sample.revise, w->x[MMI_GENERATOR], NULL, mmi_whole(j->rows), &stats);
		return MM_OK;
	}
	if (j->revise)
		mmi_sampler_choose_prior(w->sampler, &w->sample.guide, mmi_whole(j->rows), &w->z);
	else
		mmi_sampler_prior(w->sampler, mmi_whole(j->rows), 0, 0, &w->z);
	if (j->revise && w->sample.guide.steps)
		mmi_sampler_guide(w->sampler, &w->sample.guide, mmi_whole(j->rows), &w->z, NULL, &stats);
	mmi_sampler_decode(w->sampler, &w->z, j->rows, w->x[MMI_GENERATOR]);
	if (j->revise && w->sample.revise.steps)
		mmi_sampler_revise(w->sampler, &w->sample.revise, w->x[MMI_GENERATOR], NULL, mmi_whole(j->rows), &stats);
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

/* Network evaluations a sample: one by the generator, but where the chain starts at noise, one by the energy at each
 * step; a candidate and a step of the guide run the generator and one network for each term they go by. */
static double evaluations(const mmi_eval_work *w, bool revise)
{
	if (revise && w->sample.revise.from_noise)
		return w->sample.revise.steps;
	double guide = 1, candidates = w->sample.guide.candidates > 1 ? w->sample.guide.candidates : 0;
	for (int k = 0; k < MMI_TERMS; k++)
		guide += guides(w, (mmi_term)k);
	return 1 + (revise ? w->sample.revise.steps + guide * (candidates + w->sample.guide.steps) : 0);
}

/* Of the models that take part. */
static double parameters_in_use(const mmi_eval_work *w, bool revise)
{
	if (revise && w->sample.revise.from_noise)
		return parameters(w->model->energy);
	const bool guided = revise && mmi_guide_acts(&w->sample.guide),
			   energy = revise && (w->sample.revise.steps || (guided && guides(w, MMI_TERM_TEXTURE)));
	return parameters(w->model->generator) + (energy ? parameters(w->model->energy) : 0) +
	       (guided && guides(w, MMI_TERM_MATCH) ? parameters(w->model->match) : 0) +
	       (guided && guides(w, MMI_TERM_AGREEMENT) ? parameters(w->model->inference) : 0);
}

uint64_t mmi_eval_cost_blocks(const mmi_eval_work *w)
{
	(void)w;
	return 1;
}

mm_status mmi_eval_cost(mmi_eval_work *w, mm_error *e)
{
	char name[48];
	mmi_bench_figure f[MMI_VARIANTS];
	uint32_t chunk = mmi_sampler_chunk(w->sampler), rows = mmi_whole_chunks(BATCH, chunk);
	rows = rows < w->block ? rows : w->block;
	snprintf(name, sizeof name, "cost of %u samples", rows);
	for (int v = 0; v < w->variants; v++) {
		mmi_cost_job j = { w, rows, v == MMI_REVISED };
		mmi_bench_reset_peak();
		MMI_TRY(mmi_bench_time("sample", REPEATS, sample, &j, &f[v], e));
	}
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, "seconds", mmi_eval_variants[v], f[v].median, e));
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, "network evaluations a sample", mmi_eval_variants[v],
		                       evaluations(w, v == MMI_REVISED), e));
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, "parameters", mmi_eval_variants[v], parameters_in_use(w, v == MMI_REVISED),
		                       e));
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(
			mmi_report_add(w->out, name, "peak memory of the process, MB", mmi_eval_variants[v], f[v].peak / 1e6, e));
	return mmi_eval_tick(w, "cost", e);
}
