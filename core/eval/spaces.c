/* spaces.c - feature spaces of Frechet distances. */
#include "mmi_build.h"

#include "eval/eval_work.h"
#include "eval/linalg.h"

#include <stdio.h>

#define FIT_ROWS 1000u                /* samples the components are fitted to ... */
#define FIT_FLOATS ((size_t)16 << 20) /* ... unless they are larger than this together */

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
		status = mmi_pca_fit(x, rows, (uint32_t)floats, MMI_COMPONENT_COUNT, out, e);
	mmi_free(x);
	return status;
}

static mm_status create(const mmi_eval_work *w, mmi_spaces *s, mm_error *e)
{
	for (uint32_t m = 0; m < w->n; m++) {
		if (w->class_of[m])
			MMI_TRY(mmi_gauss_create(w->judge->member[m].n_features, &s->data[m][MMI_CLASSIFIER], e));
		if (w->embedding[m])
			MMI_TRY(mmi_gauss_create(MMI_MATCHER_DIM, &s->data[m][MMI_MATCHER], e));
		MMI_TRY(mmi_gauss_create(s->components[m].k, &s->data[m][MMI_COMPONENTS], e));
		if (!(s->projected[m] = mmi_alloc((size_t)w->block * MMI_COMPONENT_COUNT, sizeof(float))))
			return mmi_fail(e, MM_ENOMEM, "out of memory for projections");
	}
	return MM_OK;
}

void mmi_sample_fits_add_judged(mmi_eval_work *w, mmi_sample_fits *f, uint32_t m, uint32_t rows)
{
	if (f->at[MMI_CLASSIFIER].d)
		mmi_gauss_add(&f->at[MMI_CLASSIFIER], w->features, rows);
	if (f->at[MMI_MATCHER].d)
		mmi_gauss_add(&f->at[MMI_MATCHER], w->embedding[m], rows);
}

void mmi_sample_fits_add_components(mmi_eval_work *w, mmi_sample_fits *f, uint32_t m, const float *x, uint32_t rows)
{
	mmi_pca_project(&w->spaces.components[m], x, rows, w->spaces.projected[m]);
	mmi_gauss_add(&f->at[MMI_COMPONENTS], w->spaces.projected[m], rows);
}

/* The fits of the data are those of a modality's samples; a task is a modality. */
typedef struct data_job {
	mmi_eval_work *w;
	mmi_sample_fits fits[MMI_MAX_MODALITIES];
	uint32_t rows;
} data_job;

static void add_data(void *ctx, uint32_t m, uint32_t worker)
{
	data_job *j = ctx;
	(void)worker;
	mmi_sample_fits_add_components(j->w, &j->fits[m], m, j->w->data[m], j->rows);
}

static mm_status fit_data(mmi_eval_work *w, data_job *j, mm_error *e)
{
	for (uint32_t first = 0; first < w->n_tuples; first += w->block) {
		j->rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, j->rows, e));
		for (uint32_t m = 0; m < w->n; m++) {
			mmi_eval_judge(w, m, w->data[m], j->rows, w->features);
			if (w->embedding[m])
				mmi_eval_embed(w, m, w->data[m], j->rows);
			mmi_sample_fits_add_judged(w, &j->fits[m], m, j->rows);
		}
		mmi_pool_run(w->saved.setup.pool, w->n, add_data, j);
		MMI_TRY(mmi_eval_tick(w, "features of the data", e));
	}
	return MM_OK;
}

const char *mmi_spaces_lack(const mmi_eval_work *w, char text[200])
{
	mm_error why = MM_ERROR_INIT;
	if (!mmi_linalg_available())
		mmi_linalg_eigen(NULL, 0, false, NULL, &why);
	else if (w->n_tuples > 1 && w->count > 1)
		return NULL;
	snprintf(text, 200, "%.190s", why.code ? why.message : "fewer than two samples or tuples");
	return text;
}

mm_status mmi_spaces_open(mmi_eval_work *w, mm_error *e)
{
	data_job j = { .w = w };
	if (w->spaces.open)
		return MM_OK;
	for (uint32_t m = 0; m < w->n; m++)
		MMI_TRY(fit_components(w, m, &w->spaces.components[m], e));
	MMI_TRY(create(w, &w->spaces, e));
	for (uint32_t m = 0; m < w->n; m++)
		for (int s = 0; s < MMI_SPACES; s++)
			j.fits[m].at[s] = w->spaces.data[m][s];
	mm_status status = fit_data(w, &j, e);
	for (uint32_t m = 0; m < w->n; m++)
		for (int s = 0; s < MMI_SPACES; s++)
			w->spaces.data[m][s] = j.fits[m].at[s];
	w->spaces.open = status == MM_OK;
	return status;
}

void mmi_spaces_close(mmi_spaces *s)
{
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		mmi_pca_clear(&s->components[m]);
		mmi_free(s->projected[m]);
		for (int k = 0; k < MMI_SPACES; k++)
			mmi_gauss_clear(&s->data[m][k]);
	}
	*s = (mmi_spaces){ .open = false };
}

mm_status mmi_sample_fits_create(const mmi_spaces *s, uint32_t m, mmi_sample_fits *out, mm_error *e)
{
	for (int k = 0; k < MMI_SPACES; k++)
		if (s->data[m][k].d)
			MMI_TRY(mmi_gauss_create(s->data[m][k].d, &out->at[k], e));
	return MM_OK;
}

void mmi_sample_fits_clear(mmi_sample_fits *f)
{
	for (int k = 0; k < MMI_SPACES; k++)
		mmi_gauss_clear(&f->at[k]);
}

void mmi_space_text(const mmi_eval_work *w, uint32_t m, int space, char *text, size_t size)
{
	const mmi_modality *modality = &w->model->modalities[m];
	if (space == MMI_COMPONENTS)
		snprintf(text, size, "%s pca%u", modality->name, w->spaces.components[m].k);
	else if (space == MMI_MATCHER)
		snprintf(text, size, "%s matcher%d", modality->name, MMI_MATCHER_DIM);
	else
		snprintf(text, size, "%s %s", modality->name, modality->classifier->features_name);
}
