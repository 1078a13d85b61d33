/* eval_matching.c - what the judge's matcher says: how well it finds what belongs together, and how well the modalities
 * of tuples, samples and translations fit. */
#include "mmi_build.h"

#include "eval/eval_work.h"

#include "engine/streams.h"
#include "engine/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------ cosines */

static double cosine(const float *a, const float *b)
{
	double sum = 0;
	for (uint32_t k = 0; k < MMI_MATCHER_DIM; k++)
		sum += (double)a[k] * (double)b[k];
	return sum;
}

static void pair_text(const mmi_eval_work *w, uint32_t a, uint32_t b, char *text, size_t size)
{
	snprintf(text, size, "%.24s with %.24s", w->model->modalities[a].name, w->model->modalities[b].name);
}

void mmi_cosines_add(mmi_cosines *t, uint32_t n, const float *const *a, const float *const *b, const uint32_t *partner,
                     uint32_t rows)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = i + 1; k < n; k++)
			for (uint32_t r = 0; r < rows; r++)
				t->sum[i][k] += cosine(a[i] + (size_t)r * MMI_MATCHER_DIM,
				                       b[k] + (size_t)(partner ? partner[r] : r) * MMI_MATCHER_DIM);
	t->rows += rows;
}

mm_status mmi_cosines_report(mmi_eval_work *w, const char *name, const mmi_cosines *t, const char *const *variant,
                             const bool *has, int variants, mm_error *e)
{
	char of[64];
	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = i + 1; k < w->n; k++) {
			pair_text(w, i, k, of, sizeof of);
			for (int v = 0; v < variants; v++)
				if (!has || has[v])
					MMI_TRY(mmi_report_add(w->out, name, of, variant[v], t[v].sum[i][k] / (double)t[v].rows, e));
		}
	for (int v = 0; v < variants; v++) {
		double sum = 0;
		for (uint32_t i = 0; i < w->n; i++)
			for (uint32_t k = i + 1; k < w->n; k++)
				sum += t[v].sum[i][k];
		if (!has || has[v])
			MMI_TRY(
				mmi_report_add(w->out, name, "mean", variant[v], 2 * sum / ((double)t[v].rows * w->n * (w->n - 1)), e));
	}
	return MM_OK;
}

/* ------------------------------------------------------------ the matcher on these tuples */

/* As with classifiers: a matcher for other data finds these worse than its own. The area, unlike recall, does not
 * depend on how many tuples there are; what chance explains is bounded by the spread of numbers in 0..1. */
static mm_status compare_matcher(const mmi_eval_work *w, uint32_t from, uint32_t to, const mmi_recall *here,
                                 mm_error *e)
{
	const double p = w->judge->matcher->recall[from][to].area;
	if (!(here->area < p - 0.03 - 4 * sqrt(p * (1 - p) / here->queries)))
		return MM_OK;
	return mmi_fail(
		e, MM_ESHAPE,
		"the judge's matcher tells [%s] of these data from others by [%s] with an area of %.3f under the ROC "
		"curve, but had %.3f on its own: it was made for other data; make one with these settings (mmcore judge)",
		w->model->modalities[to].name, w->model->modalities[from].name, here->area, p);
}

static mm_status add_recall(mmi_eval_work *w, uint32_t from, uint32_t to, const mmi_recall *here, mm_error *e)
{
	static const char name[] = "judge's recall";
	const mmi_recall *trained = &w->judge->matcher->recall[from][to];
	const char *a = w->model->modalities[from].name, *b = w->model->modalities[to].name;
	char of[64];
	for (int k = 0; k < MMI_RECALLS; k++) {
		snprintf(of, sizeof of, "%.20s given %.20s, at %u", b, a, mmi_recall_at[k]);
		MMI_TRY(mmi_report_add(w->out, name, of, "when trained", trained->at[k], e));
		MMI_TRY(mmi_report_add(w->out, name, of, "these tuples", here->at[k], e));
		MMI_TRY(mmi_report_add(w->out, name, of, "chance", here->chance[k], e));
	}
	snprintf(of, sizeof of, "%.20s given %.20s, ROC area", b, a);
	MMI_TRY(mmi_report_add(w->out, name, of, "when trained", trained->area, e));
	MMI_TRY(mmi_report_add(w->out, name, of, "these tuples", here->area, e));
	return mmi_report_add(w->out, name, of, "chance", 0.5, e);
}

static mm_status tick(void *ctx, mm_error *e)
{
	return mmi_eval_tick(ctx, "matching the data", e);
}

mm_status mmi_eval_check_matcher(mmi_eval_work *w, mm_error *e)
{
	mmi_matcher *m = w->judge->matcher;
	MMI_TRY(mmi_matcher_embed(m, w->tuples, w->n_tuples, tick, w, &w->real, e));
	for (uint32_t from = 0; from < w->n; from++)
		for (uint32_t to = 0; to < w->n; to++) {
			mmi_recall here;
			if (from == to)
				continue;
			MMI_TRY(mmi_embedded_recall(&w->real, from, to, m->pool, &here, e));
			MMI_TRY(compare_matcher(w, from, to, &here, e));
			MMI_TRY(add_recall(w, from, to, &here, e));
		}
	return MM_OK;
}

/* ------------------------------------------------------------ the ends of the scale */

/* Each tuple's partner is the next in a permutation's circle, so nobody is its own. */
static void make_partners(const mmi_eval_work *w, uint32_t *order, uint32_t *partner)
{
	mmi_rng_permutation((mmi_rng){ .key = mmi_rng_key(w->r->seed, MMI_STREAM_EVAL_SHUFFLED) }, w->n_tuples, order);
	for (uint32_t i = 0; i < w->n_tuples; i++)
		partner[order[i]] = order[(i + 1) % w->n_tuples];
}

/* None: what is compared was embedded when the judge was checked. */
uint64_t mmi_eval_alignment_blocks(const mmi_eval_work *w)
{
	(void)w;
	return 0;
}

mm_status mmi_eval_alignment(mmi_eval_work *w, mm_error *e)
{
	static const char name[] = "alignment of data";
	static const char *const variant[] = { "real", "shuffled" };
	mmi_cosines t[2] = { { .rows = 0 } };
	if (!w->judge || !w->judge->matcher)
		return mmi_report_lack(w->out, name, w->no_matcher, e);
	uint32_t *order = mmi_alloc(2 * (size_t)w->n_tuples, sizeof *order), *partner = order ? order + w->n_tuples : NULL;
	if (!order)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u tuples", w->n_tuples);
	make_partners(w, order, partner);
	for (int v = 0; v < 2; v++)
		mmi_cosines_add(&t[v], w->n, (const float *const *)w->real.of, (const float *const *)w->real.of,
		                v ? partner : NULL, w->n_tuples);
	mmi_free(order);
	return mmi_cosines_report(w, name, t, variant, NULL, 2, e);
}

/* ------------------------------------------------------------ translations */

void mmi_eval_embed(mmi_eval_work *w, uint32_t m, float *x, uint32_t rows)
{
	mmi_judge_as_saved(&w->model->modalities[m], x, rows);
	mmi_matcher_run(w->judge->matcher, m, x, rows, w->embedding[m]);
}

/* The made samples look for what they were made from, among all real ones. */
static mm_status find_condition(mmi_eval_work *w, mmi_fits *f, uint32_t source, uint32_t target, uint32_t first,
                                uint32_t rows, mm_error *e)
{
	const uint32_t *kind = w->real.kind[source];
	const mmi_retrieval r = { .n = w->real.n,
		                      .d = MMI_MATCHER_DIM,
		                      .item = w->real.of[source],
		                      .item_kind = kind,
		                      .n_queries = rows,
		                      .query = w->embedding[target],
		                      .query_kind = kind + first,
		                      .answers = kind };
	mmi_recall found;
	MMI_TRY(mmi_retrieve(&r, w->saved.setup.pool, &found, e));
	for (int k = 0; k < MMI_RECALLS; k++)
		f->found[source][target][k] += found.at[k] * rows;
	return MM_OK;
}

mm_status mmi_eval_fit(mmi_eval_work *w, mmi_fits *f, float *const *x, uint32_t source, uint32_t first, uint32_t rows,
                       mm_error *e)
{
	const float *given = w->real.of[source] + (size_t)first * MMI_MATCHER_DIM;
	for (uint32_t t = 0; t < w->n; t++) {
		if (t == source)
			continue;
		mmi_eval_embed(w, t, x[t], rows);
		for (uint32_t r = 0; r < rows; r++)
			f->cosine[source][t] +=
				cosine(given + (size_t)r * MMI_MATCHER_DIM, w->embedding[t] + (size_t)r * MMI_MATCHER_DIM);
		MMI_TRY(find_condition(w, f, source, t, first, rows, e));
	}
	f->rows[source] += rows;
	return MM_OK;
}

static mm_status add_cosines(mmi_eval_work *w, const char *name, const mmi_fits *f, mm_error *e)
{
	double sum[MMI_VARIANTS] = { 0 }, mean[MMI_VARIANTS] = { 0 };
	char of[80];
	for (uint32_t s = 0; s < w->n; s++)
		for (uint32_t t = 0; t < w->n; t++) {
			if (s == t)
				continue;
			snprintf(of, sizeof of, "%.30s -> %.30s", w->model->modalities[s].name, w->model->modalities[t].name);
			for (int v = 0; v < MMI_VARIANTS; v++)
				if (w->translated[v])
					sum[v] += (mean[v] = f[v].cosine[s][t] / (double)f[v].rows[s]) / (w->n * (w->n - 1.0));
			MMI_TRY(mmi_eval_add_row(w, name, of, w->translated, mean, e));
		}
	return mmi_eval_add_row(w, name, "mean", w->translated, sum, e);
}

static mm_status add_found(mmi_eval_work *w, const char *name, const mmi_fits *f, mm_error *e)
{
	double share[MMI_VARIANTS];
	char of[64];
	for (uint32_t s = 0; s < w->n; s++)
		for (uint32_t t = 0; t < w->n; t++)
			for (int k = 0; k < MMI_RECALLS && s != t; k++) {
				snprintf(of, sizeof of, "%.20s by its %.20s, at %u", w->model->modalities[s].name,
				         w->model->modalities[t].name, mmi_recall_at[k]);
				for (int v = 0; v < MMI_VARIANTS; v++)
					share[v] = w->translated[v] ? f[v].found[s][t][k] / (double)f[v].rows[s] : 0;
				MMI_TRY(mmi_eval_add_row(w, name, of, w->translated, share, e));
			}
	return MM_OK;
}

mm_status mmi_eval_add_fits(mmi_eval_work *w, const char *suffix, const mmi_fits *f, mm_error *e)
{
	char name[48];
	snprintf(name, sizeof name, "alignment of translations%s", suffix);
	MMI_TRY(add_cosines(w, name, f, e));
	snprintf(name, sizeof name, "condition found%s", suffix);
	return add_found(w, name, f, e);
}
