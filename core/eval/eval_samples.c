/* eval_samples.c - samples from the prior: do their modalities agree and fit, and how far are they from the data. */
#include "mmi_build.h"

#include "eval/coherence.h"
#include "eval/eval_work.h"
#include "mcmc/generate.h"
#include "model/rows.h"

typedef struct mmi_samples {
	mmi_eval_work *w;
	bool frechet, aligned;
	mmi_sample_fits fit[MMI_VARIANTS][MMI_MAX_MODALITIES];
	uint64_t agree[MMI_VARIANTS];
	mmi_cosines alignment[MMI_VARIANTS];
} mmi_samples;

static mm_status open_fits(mmi_samples *s, mm_error *e)
{
	mmi_eval_work *w = s->w;
	if (!s->frechet)
		return MM_OK;
	MMI_TRY(mmi_spaces_open(w, e));
	for (int v = 0; v < MMI_VARIANTS; v++)
		for (uint32_t m = 0; m < w->n && w->sampled[v]; m++)
			MMI_TRY(mmi_sample_fits_create(&w->spaces, m, &s->fit[v][m], e));
	return MM_OK;
}

/* ------------------------------------------------------------ what is read off a block */

/* A task is a modality: its rows go into its fits in order. */
typedef struct mmi_add_job {
	mmi_samples *s;
	float *const *x;
	uint32_t rows;
	int variant;
} mmi_add_job;

static void add_components(void *ctx, uint32_t m, uint32_t worker)
{
	const mmi_add_job *j = ctx;
	(void)worker;
	mmi_sample_fits_add_components(j->s->w, &j->s->fit[j->variant][m], m, j->x[m], j->rows);
}

/* Classes into class_of, embeddings into embedding, features into the fits. x becomes what a saved file would hold. */
static mm_status take(mmi_samples *s, float *const *x, uint32_t rows, int variant, mm_error *e)
{
	mmi_eval_work *w = s->w;
	mmi_add_job j = { s, x, rows, variant };
	MMI_TRY(mmi_rows_check(w->model, rows, x, "samples", e));
	for (uint32_t m = 0; m < w->n; m++) {
		mmi_eval_judge(w, m, x[m], rows, w->features);
		if (w->embedding[m] && (s->frechet || s->aligned))
			mmi_eval_embed(w, m, x[m], rows);
		if (s->frechet)
			mmi_sample_fits_add_judged(w, &s->fit[variant][m], m, rows);
	}
	if (s->aligned)
		mmi_cosines_add(&s->alignment[variant], w->n, (const float *const *)w->embedding,
		                (const float *const *)w->embedding, NULL, rows);
	if (s->frechet)
		mmi_pool_run(w->saved.setup.pool, w->n, add_components, &j);
	if (w->judged > 1 && w->judge)
		s->agree[variant] += mmi_coherence_agree((const int32_t *const *)w->class_of, w->n, rows);
	return MM_OK;
}

/* ------------------------------------------------------------ samples */

/* Samples of the generator into the first buffer, and by the rest of the recipe into the second. */
static void draw(mmi_eval_work *w, const mmi_chains *chains, uint32_t block, bool moved)
{
	mmi_generate(w->model, w->sampler, chains, block, mmi_whole(w->block), &w->z, w->x[0], moved ? w->x[1] : NULL);
}

/* From guided latents, then by the data chain, as mmi_generate makes them in one. */
static mm_status take_guided(mmi_samples *s, uint32_t block, uint32_t rows, mm_error *e)
{
	mmi_eval_work *w = s->w;
	mmi_chains guide = w->sample;
	mmi_revise_args revise = w->sample.revise;
	mmi_chain_stats stats;
	guide.revise.steps = 0;
	draw(w, &guide, block, true);
	if (revise.steps) {
		revise.iteration = block;
		mmi_rows_copy(w->model, w->block, w->x[0], w->x[1]);
		mmi_sampler_revise(w->sampler, &revise, w->x[1], (const float *const *)w->x[0], mmi_whole(w->block), &stats);
		mmi_eval_count_moved(w);
		MMI_TRY(take(s, w->x[0], rows, MMI_GUIDED, e));
	}
	return take(s, w->x[1], rows, MMI_REVISED, e);
}

/* One block in all variants, from the same draws of the prior. */
static mm_status run_block(mmi_samples *s, uint32_t block, uint32_t rows, mm_error *e)
{
	mmi_eval_work *w = s->w;
	const bool guided = mmi_guide_acts(&w->sample.guide) && !w->sample.revise.from_noise;
	const int moved = guided ? MMI_DATA_CHAIN : MMI_REVISED;
	const mmi_chains chains = guided ? mmi_chains_unguided(&w->sample) : w->sample;
	draw(w, &chains, block, w->sampled[moved]);
	if (!guided && w->sample.revise.steps)
		mmi_eval_count_moved(w);
	MMI_TRY(take(s, w->x[0], rows, MMI_GENERATOR, e));
	if (w->sampled[moved])
		MMI_TRY(take(s, w->x[1], rows, moved, e));
	return guided ? take_guided(s, block, rows, e) : MM_OK;
}

static mm_status run_samples(mmi_samples *s, mm_error *e)
{
	mmi_eval_work *w = s->w;
	w->moved = w->back = 0;
	for (uint32_t first = 0, block = 0; first < w->count; first += w->block, block++) {
		MMI_TRY(run_block(s, block, mmi_eval_rows(w, first, w->count), e));
		MMI_TRY(mmi_eval_tick(w, "samples", e));
	}
	return MM_OK;
}

/* ------------------------------------------------------------ figures */

static mm_status add_coherence(mmi_samples *s, mm_error *e)
{
	static const char name[] = "unconditional coherence";
	mmi_eval_work *w = s->w;
	double share[MMI_VARIANTS];
	if (!w->judge || w->judged < 2)
		return mmi_report_lack(w->out, name,
		                       w->judge && w->judged ? "classes can be read in one modality only" : w->no_judge, e);
	for (int v = 0; v < MMI_VARIANTS; v++)
		share[v] = (double)s->agree[v] / w->count;
	return mmi_eval_add_row(w, name, "all modalities agree", w->sampled, share, e);
}

static mm_status add_space(mmi_samples *s, int space, const char *mean_of, mm_error *e)
{
	static const char name[] = "Frechet distance";
	mmi_eval_work *w = s->w;
	double distance[MMI_VARIANTS], mean[MMI_VARIANTS] = { 0 };
	uint32_t n = 0;
	for (uint32_t m = 0; m < w->n; m++)
		n += w->spaces.data[m][space].d > 0;
	for (uint32_t m = 0; m < w->n; m++) {
		char of[64];
		if (!w->spaces.data[m][space].d)
			continue;
		mmi_space_text(w, m, space, of, sizeof of);
		for (int v = 0; v < MMI_VARIANTS; v++) {
			if (!w->sampled[v])
				continue;
			MMI_TRY(mmi_frechet(&s->fit[v][m].at[space], &w->spaces.data[m][space], &distance[v], e));
			mean[v] += distance[v] / n;
		}
		MMI_TRY(mmi_eval_add_row(w, name, of, w->sampled, distance, e));
	}
	return n ? mmi_eval_add_row(w, name, mean_of, w->sampled, mean, e) : MM_OK;
}

static mm_status add_frechet(mmi_samples *s, mm_error *e)
{
	char why[200];
	if (!s->frechet)
		return mmi_report_lack(s->w->out, "Frechet distance", mmi_spaces_lack(s->w, why), e);
	MMI_TRY(add_space(s, MMI_CLASSIFIER, "mean, classifier features", e));
	MMI_TRY(add_space(s, MMI_MATCHER, "mean, matcher's embeddings", e));
	return add_space(s, MMI_COMPONENTS, "mean, components of raw values", e);
}

uint64_t mmi_eval_samples_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->count) + (mmi_eval_wants(w->r, "frechet") ? mmi_eval_blocks(w, w->n_tuples) : 0);
}

mm_status mmi_eval_samples(mmi_eval_work *w, mm_error *e)
{
	char why[200];
	const bool coherence = mmi_eval_wants(w->r, "coherence"), frechet = mmi_eval_wants(w->r, "frechet");
	mmi_samples s = { .w = w, .frechet = frechet && !mmi_spaces_lack(w, why), .aligned = mmi_eval_aligns(w) };
	if (!coherence && !frechet && !s.aligned)
		return MM_OK; /* why there is no alignment is said with that of the data */
	mm_status status = open_fits(&s, e);
	if (status == MM_OK)
		status = run_samples(&s, e);
	if (status == MM_OK && coherence)
		status = add_coherence(&s, e);
	if (status == MM_OK && frechet)
		status = add_frechet(&s, e);
	if (status == MM_OK)
		status = mmi_eval_add_taken_back(w, "samples", &w->sample, e);
	if (status == MM_OK && s.aligned)
		status =
			mmi_cosines_report(w, "alignment of samples", s.alignment, mmi_eval_variants, w->sampled, MMI_VARIANTS, e);
	for (int v = 0; v < MMI_VARIANTS; v++)
		for (uint32_t m = 0; m < w->n; m++)
			mmi_sample_fits_clear(&s.fit[v][m]);
	return status;
}
