/* eval_samples.c - samples from the prior: do their modalities agree and fit, and how far are they from the data. */
#include "mmi_build.h"

#include "eval/coherence.h"
#include "eval/eval_work.h"
#include "eval/frechet.h"
#include "eval/linalg.h"
#include "eval/pca.h"
#include "mcmc/generate.h"
#include "model/rows.h"

#include <math.h>
#include <string.h>

#define COMPONENTS 64u
#define FIT_ROWS 1000u                /* samples the components are fitted to ... */
#define FIT_FLOATS ((size_t)16 << 20) /* ... unless they are larger than this together */

enum { CLASSIFIER, MATCHER, PIXELS, SPACES }; /* feature spaces */

/* Gaussian fits: the data and both variants of samples, in all spaces. */
typedef struct gauss_fits {
	mmi_gauss data[SPACES], samples[SPACES][MMI_VARIANTS];
	mmi_pca pca;
} gauss_fits;

typedef struct mmi_samples {
	mmi_eval_work *w;
	bool frechet, aligned;
	gauss_fits fit[MMI_MAX_MODALITIES];
	uint64_t agree[MMI_VARIANTS];
	mmi_cosines alignment[MMI_VARIANTS];
} mmi_samples;

static void fits_clear(gauss_fits *f)
{
	for (int s = 0; s < SPACES; s++) {
		mmi_gauss_clear(&f->data[s]);
		for (int v = 0; v < MMI_VARIANTS; v++)
			mmi_gauss_clear(&f->samples[s][v]);
	}
	mmi_pca_clear(&f->pca);
}

/* ------------------------------------------------------------ fits */

static mm_status fit_components(mmi_eval_work *w, uint32_t m, mmi_pca *out, mm_error *e)
{
	size_t floats = (size_t)w->model->modalities[m].count, most = FIT_FLOATS / floats;
	uint32_t rows = w->n_tuples < FIT_ROWS ? w->n_tuples : FIT_ROWS;
	rows = rows > most ? (uint32_t)(most < 2 ? 2 : most) : rows;
	float *x = mmi_alloc(rows * floats, sizeof *x);
	mm_status status = x ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the components of %u samples", rows);
	for (uint32_t r = 0; r < rows && status == MM_OK; r++) {
		float *at[MMI_MAX_MODALITIES] = { NULL };
		at[m] = x + r * floats;
		status = mmi_tuples_read(w->tuples, r, at, e);
	}
	if (status == MM_OK)
		mmi_judge_as_saved(&w->model->modalities[m], x, rows);
	if (status == MM_OK)
		status = mmi_pca_fit(x, rows, (uint32_t)floats, COMPONENTS, out, e);
	mmi_free(x);
	return status;
}

static mm_status open_space(gauss_fits *f, int space, uint32_t d, mm_error *e)
{
	MMI_TRY(mmi_gauss_create(d, &f->data[space], e));
	for (int v = 0; v < MMI_VARIANTS; v++)
		MMI_TRY(mmi_gauss_create(d, &f->samples[space][v], e));
	return MM_OK;
}

static mm_status open_fits(mmi_samples *s, mm_error *e)
{
	mmi_eval_work *w = s->w;
	for (uint32_t m = 0; m < w->n && s->frechet; m++) {
		if (w->class_of[m])
			MMI_TRY(open_space(&s->fit[m], CLASSIFIER, w->judge->member[m].n_features, e));
		if (w->embedding[m])
			MMI_TRY(open_space(&s->fit[m], MATCHER, MMI_MATCHER_DIM, e));
		MMI_TRY(fit_components(w, m, &s->fit[m].pca, e));
		MMI_TRY(open_space(&s->fit[m], PIXELS, s->fit[m].pca.k, e));
	}
	return MM_OK;
}

/* A task is a modality: its rows go into its fits in order. */
typedef struct mmi_add_job {
	mmi_samples *s;
	float *const *x;
	uint32_t rows;
	int variant; /* or -1: data */
	float *const *projected;
} mmi_add_job;

static mmi_gauss *gauss_of(const mmi_add_job *j, uint32_t m, int space)
{
	gauss_fits *f = &j->s->fit[m];
	return j->variant < 0 ? &f->data[space] : &f->samples[space][j->variant];
}

static void add_pixels(void *ctx, uint32_t m, uint32_t worker)
{
	const mmi_add_job *j = ctx;
	(void)worker;
	mmi_pca_project(&j->s->fit[m].pca, j->x[m], j->rows, j->projected[m]);
	mmi_gauss_add(gauss_of(j, m, PIXELS), j->projected[m], j->rows);
}

/* Classes into class_of, embeddings into embedding, features into the fits. x becomes what a saved file would hold. */
static void take(mmi_samples *s, float *const *x, uint32_t rows, int variant, float *const *projected)
{
	mmi_eval_work *w = s->w;
	mmi_add_job j = { s, x, rows, variant, projected };
	for (uint32_t m = 0; m < w->n; m++) {
		mmi_eval_judge(w, m, x[m], rows, w->features);
		if (s->frechet && w->class_of[m])
			mmi_gauss_add(gauss_of(&j, m, CLASSIFIER), w->features, rows);
		if (w->embedding[m] && (s->frechet || s->aligned))
			mmi_eval_embed(w, m, x[m], rows);
		if (w->embedding[m] && s->frechet)
			mmi_gauss_add(gauss_of(&j, m, MATCHER), w->embedding[m], rows);
	}
	if (s->aligned && variant >= 0)
		mmi_cosines_add(&s->alignment[variant], w->n, (const float *const *)w->embedding,
		                (const float *const *)w->embedding, NULL, rows);
	if (s->frechet)
		mmi_pool_run(w->saved.setup.pool, w->n, add_pixels, &j);
}

/* ------------------------------------------------------------ samples */

/* One block: the generator's samples, and those of all energy chains, from the same draws of the prior. */
static void draw(mmi_eval_work *w, uint32_t block)
{
	const mmi_chains chains = w->sample;
	mmi_generate(w->model, w->sampler, &chains, block, mmi_whole(w->block), &w->z, w->x[MMI_GENERATOR],
	             w->variants > 1 ? w->x[MMI_REVISED] : NULL);
}

static mm_status run_samples(mmi_samples *s, float *const *projected, mm_error *e)
{
	mmi_eval_work *w = s->w;
	for (uint32_t first = 0, block = 0; first < w->count; first += w->block, block++) {
		uint32_t rows = mmi_eval_rows(w, first, w->count);
		draw(w, block);
		for (int v = 0; v < w->variants; v++) {
			MMI_TRY(mmi_rows_check(w->model, rows, w->x[v], "samples", e));
			take(s, w->x[v], rows, v, projected);
			if (w->judged > 1 && w->judge)
				s->agree[v] += mmi_coherence_agree((const int32_t *const *)w->class_of, w->n, rows);
		}
		MMI_TRY(mmi_eval_tick(w, "samples", e));
	}
	return MM_OK;
}

static mm_status run_data(mmi_samples *s, float *const *projected, mm_error *e)
{
	mmi_eval_work *w = s->w;
	for (uint32_t first = 0; first < w->n_tuples && s->frechet; first += w->block) {
		uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
		take(s, w->data, rows, -1, projected);
		MMI_TRY(mmi_eval_tick(w, "features of the data", e));
	}
	return MM_OK;
}

/* ------------------------------------------------------------ figures */

static mm_status add_coherence(mmi_samples *s, mm_error *e)
{
	static const char name[] = "unconditional coherence";
	mmi_eval_work *w = s->w;
	if (!w->judge || w->judged < 2)
		return mmi_report_lack(w->out, name,
		                       w->judge && w->judged ? "classes can be read in one modality only" : w->no_judge, e);
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, "all modalities agree", mmi_eval_variants[v],
		                       (double)s->agree[v] / w->count, e));
	return MM_OK;
}

static void space_text(const mmi_samples *s, uint32_t m, int space, char *text, size_t size)
{
	if (space == PIXELS)
		snprintf(text, size, "%s pca%u", s->w->model->modalities[m].name, s->fit[m].pca.k);
	else if (space == MATCHER)
		snprintf(text, size, "%s matcher%d", s->w->model->modalities[m].name, MMI_MATCHER_DIM);
	else
		snprintf(text, size, "%s %s", s->w->model->modalities[m].name,
		         s->w->model->modalities[m].classifier->features_name);
}

static mm_status add_space(mmi_samples *s, int space, const char *mean_of, mm_error *e)
{
	static const char name[] = "Frechet distance";
	mmi_eval_work *w = s->w;
	double sum[MMI_VARIANTS] = { 0 };
	uint32_t n = 0;
	for (uint32_t m = 0; m < w->n; m++) {
		char of[64];
		if (!s->fit[m].data[space].d)
			continue;
		space_text(s, m, space, of, sizeof of);
		for (int v = 0; v < w->variants; v++) {
			double distance;
			MMI_TRY(mmi_frechet(&s->fit[m].samples[space][v], &s->fit[m].data[space], &distance, e));
			MMI_TRY(mmi_report_add(w->out, name, of, mmi_eval_variants[v], distance, e));
			sum[v] += distance;
		}
		n++;
	}
	for (int v = 0; v < w->variants && n; v++)
		MMI_TRY(mmi_report_add(w->out, name, mean_of, mmi_eval_variants[v], sum[v] / n, e));
	return MM_OK;
}

static mm_status add_frechet(mmi_samples *s, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	if (!mmi_linalg_available())
		mmi_linalg_eigen(NULL, 0, false, NULL, &why);
	if (!s->frechet)
		return mmi_report_lack(s->w->out, "Frechet distance",
		                       why.code ? why.message : "fewer than two samples or tuples", e);
	MMI_TRY(add_space(s, CLASSIFIER, "mean, classifier features", e));
	MMI_TRY(add_space(s, MATCHER, "mean, matcher's embeddings", e));
	return add_space(s, PIXELS, "mean, components of raw values", e);
}

uint64_t mmi_eval_samples_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->count) + (mmi_eval_wants(w->r, "frechet") ? mmi_eval_blocks(w, w->n_tuples) : 0);
}

mm_status mmi_eval_samples(mmi_eval_work *w, mm_error *e)
{
	const bool coherence = mmi_eval_wants(w->r, "coherence"), frechet = mmi_eval_wants(w->r, "frechet");
	mmi_samples s = { .w = w,
		              .frechet = frechet && mmi_linalg_available() && w->n_tuples > 1 && w->count > 1,
		              .aligned = mmi_eval_aligns(w) };
	if (!coherence && !frechet && !s.aligned)
		return MM_OK; /* why there is no alignment is said with that of the data */
	float *projected[MMI_MAX_MODALITIES] = { NULL };
	mm_status status = open_fits(&s, e);
	for (uint32_t m = 0; m < w->n && status == MM_OK; m++)
		if (!(projected[m] = mmi_alloc((size_t)w->block * COMPONENTS, sizeof(float))))
			status = mmi_fail(e, MM_ENOMEM, "out of memory for projections");
	if (status == MM_OK)
		status = run_data(&s, projected, e);
	if (status == MM_OK)
		status = run_samples(&s, projected, e);
	if (status == MM_OK && coherence)
		status = add_coherence(&s, e);
	if (status == MM_OK && frechet)
		status = add_frechet(&s, e);
	if (status == MM_OK && s.aligned)
		status = mmi_cosines_report(w, "alignment of samples", s.alignment, mmi_eval_variants, w->variants, e);
	for (uint32_t m = 0; m < w->n; m++) {
		fits_clear(&s.fit[m]);
		mmi_free(projected[m]);
	}
	return status;
}
