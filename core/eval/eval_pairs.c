/* eval_pairs.c - conditional Frechet distances: of what is made of a target from one source, to the data of the target
 * (the paper's Tables 1, 3 and 8, in features of our own). Translations are made once, for all that is measured of
 * them (eval_conditional.c). */
#include "mmi_build.h"

#include "eval/eval_work.h"

#include <stdio.h>

mm_status mmi_pair_fits_create(mmi_eval_work *w, mmi_pair_fits *out, mm_error *e)
{
	MMI_TRY(mmi_spaces_open(w, e));
	out->open = true;
	for (int v = 0; v < MMI_VARIANTS; v++)
		for (uint32_t s = 0; s < w->n; s++)
			for (uint32_t t = 0; t < w->n; t++)
				if (s != t && w->translated[v])
					MMI_TRY(mmi_sample_fits_create(&w->spaces, t, &out->fit[v][s][t], e));
	return MM_OK;
}

void mmi_pair_fits_clear(mmi_pair_fits *f)
{
	for (int v = 0; v < MMI_VARIANTS; v++)
		for (uint32_t s = 0; s < MMI_MAX_MODALITIES; s++)
			for (uint32_t t = 0; t < MMI_MAX_MODALITIES; t++)
				mmi_sample_fits_clear(&f->fit[v][s][t]);
	f->open = false;
}

void mmi_pair_fits_add(mmi_eval_work *w, mmi_pair_fits *f, int variant, float *const *x, uint32_t source, uint32_t rows)
{
	for (uint32_t t = 0; t < w->n; t++) {
		mmi_sample_fits *to = &f->fit[variant][source][t];
		if (t == source)
			continue;
		mmi_eval_judge(w, t, x[t], rows, w->features);
		if (w->embedding[t])
			mmi_eval_embed(w, t, x[t], rows);
		mmi_sample_fits_add_judged(w, to, t, rows);
		mmi_sample_fits_add_components(w, to, t, x[t], rows);
	}
}

static mm_status add_pair(mmi_eval_work *w, const char *name, const mmi_pair_fits *f, uint32_t s, uint32_t t, int space,
                          double sum[MMI_VARIANTS], mm_error *e)
{
	double distance[MMI_VARIANTS] = { 0 };
	char of[80];
	for (int v = 0; v < MMI_VARIANTS; v++) {
		if (!w->translated[v])
			continue;
		MMI_TRY(mmi_frechet(&f->fit[v][s][t].at[space], &w->spaces.data[t][space], &distance[v], e));
		sum[v] += distance[v];
	}
	snprintf(of, sizeof of, "%.30s -> %.30s", w->model->modalities[s].name, w->model->modalities[t].name);
	return mmi_eval_add_row(w, name, of, w->translated, distance, e);
}

static mm_status add_space(mmi_eval_work *w, const char *name, const mmi_pair_fits *f, int space, mm_error *e)
{
	double sum[MMI_VARIANTS] = { 0 };
	uint32_t n = 0;
	for (uint32_t s = 0; s < w->n; s++)
		for (uint32_t t = 0; t < w->n; t++)
			if (s != t && w->spaces.data[t][space].d) {
				MMI_TRY(add_pair(w, name, f, s, t, space, sum, e));
				n++;
			}
	for (int v = 0; v < MMI_VARIANTS && n; v++)
		sum[v] /= n;
	return n ? mmi_eval_add_row(w, name, "mean", w->translated, sum, e) : MM_OK;
}

mm_status mmi_pair_fits_report(mmi_eval_work *w, const char *suffix, const mmi_pair_fits *f, mm_error *e)
{
	static const char *const spaces[MMI_SPACES] = { "", ", matcher", ", pca" };
	char name[48];
	for (int k = 0; k < MMI_SPACES; k++) {
		snprintf(name, sizeof name, "conditional Frechet%s%s", spaces[k], suffix);
		MMI_TRY(add_space(w, name, f, k, e));
	}
	return MM_OK;
}
