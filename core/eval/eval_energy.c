/* eval_energy.c - the energy as a score: does it tell tuples that fit from tuples that do not. */
#include "mmi_build.h"

#include "eval/auc.h"
#include "eval/exchange.h"

#include <stdio.h>
#include <string.h>

static const char name[] = "energy as detector";

/* Energies of the tuples as they are, and with each modality exchanged; [MMI_KINDS] each, those there are. */
typedef struct mmi_scores {
	uint32_t kinds;
	float *plain[MMI_KINDS], *swapped[MMI_MAX_MODALITIES][MMI_KINDS], *other[MMI_KINDS];
	uint32_t n_swapped[MMI_MAX_MODALITIES], n_other;
	float *block[MMI_KINDS]; /* of the rows in work */
} mmi_scores;

static void scores_clear(mmi_scores *s)
{
	mmi_kinds_clear(s->plain);
	mmi_kinds_clear(s->other);
	mmi_kinds_clear(s->block);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_kinds_clear(s->swapped[m]);
}

static mm_status scores_create(const mmi_eval_work *w, mmi_scores *s, mm_error *e)
{
	s->kinds = mmi_eval_kinds(w);
	s->n_other = w->other_tuples ? mmi_tuples_count(w->other_tuples) : 0;
	MMI_TRY(mmi_kinds_create(s->kinds, w->n_tuples, s->plain, e));
	MMI_TRY(mmi_kinds_create(s->kinds, w->block, s->block, e));
	if (s->n_other)
		MMI_TRY(mmi_kinds_create(s->kinds, s->n_other, s->other, e));
	for (uint32_t m = 0; m < w->n; m++)
		MMI_TRY(mmi_kinds_create(s->kinds, w->n_tuples, s->swapped[m], e));
	return MM_OK;
}

/* Energies of a block's rows x into s->block. */
static void score(mmi_eval_work *w, mmi_scores *s, const float *const *x)
{
	mmi_kinds_run(w->sampler, x, w->block, s->block);
}

/* Copies rows of each kind. */
static void keep_rows(const mmi_scores *s, float *const to[MMI_KINDS], uint32_t first, uint32_t rows)
{
	for (int k = 0; k < MMI_KINDS; k++)
		if (s->block[k])
			memcpy(to[k] + first, s->block[k], rows * sizeof(float));
}

static void keep_swapped(const mmi_eval_work *w, mmi_scores *s, uint32_t m, uint32_t rows)
{
	for (uint32_t r = 0; r < rows; r++) {
		if (!w->counted[r])
			continue;
		for (int k = 0; k < MMI_KINDS; k++)
			if (s->block[k])
				s->swapped[m][k][s->n_swapped[m]] = s->block[k][r];
		s->n_swapped[m]++;
	}
}

static mm_status score_block(mmi_eval_work *w, uint32_t first, uint32_t rows, mmi_scores *s, mm_error *e)
{
	const float *x[MMI_MAX_MODALITIES];
	memcpy(x, w->data, sizeof x);
	score(w, s, x);
	keep_rows(s, s->plain, first, rows);
	for (uint32_t m = 0; m < w->n; m++) {
		float *exchanged = w->x[0][m];
		memcpy(exchanged, w->data[m], (size_t)w->block * (size_t)w->model->modalities[m].count * sizeof(float));
		MMI_TRY(mmi_eval_exchange(w, first, rows, m, false, exchanged, e));
		x[m] = exchanged;
		score(w, s, x);
		x[m] = w->data[m];
		keep_swapped(w, s, m, rows);
	}
	return MM_OK;
}

/* ------------------------------------------------------------ another data set */

static mm_status score_other(mmi_eval_work *w, mmi_scores *s, mm_error *e)
{
	for (uint32_t first = 0; first < s->n_other; first += w->block) {
		uint32_t rows = mmi_eval_rows(w, first, s->n_other);
		MMI_TRY(mmi_eval_read(w, w->other_tuples, first, rows, e));
		score(w, s, (const float *const *)w->data);
		keep_rows(s, s->other, first, rows);
		MMI_TRY(mmi_eval_tick(w, "energy of the other data", e));
	}
	return MM_OK;
}

static mm_status same_shapes(const mmi_eval_work *w, const mmi_setup *other, mm_error *e)
{
	char found[64], needed[64];
	for (uint32_t m = 0; m < w->n; m++) {
		const mmi_modality *a = &w->model->modalities[m], *b = &other->modalities[m];
		if (!mmi_shape_equal(&a->info.shape, &b->info.shape))
			return mmi_fail(e, MM_ECONFIG, "[%s] of the other data has shape %s; the model needs %s", a->name,
			                mmi_shape_text(&b->info.shape, found), mmi_shape_text(&a->info.shape, needed));
	}
	return MM_OK;
}

static mm_status open_other(const mmi_eval_work *w, mmi_setup *out, mm_error *e)
{
	mmi_setup_request request = w->r->setup;
	mmi_checkpoint *ck;
	const char **sets = mmi_alloc(request.n_sets + w->r->n_other + 1, sizeof *sets);
	if (!sets)
		return mmi_fail(e, MM_ENOMEM, "out of memory for settings");
	for (size_t i = 0; i < request.n_sets; i++)
		sets[i] = request.sets[i];
	for (size_t i = 0; i < w->r->n_other; i++)
		sets[request.n_sets++] = w->r->other[i];
	request.sets = sets;
	mm_status status = mmi_checkpoint_open(w->checkpoint, &ck, e);
	if (status == MM_OK) {
		status = mmi_setup_reopen(ck, &request, out, e);
		mmi_checkpoint_close(ck);
	}
	mmi_free(sets);
	return status;
}

mm_status mmi_eval_open_other(mmi_eval_work *w, mm_error *e)
{
	const mmi_setup *s = &w->other;
	MMI_TRY(open_other(w, &w->other, e));
	MMI_TRY(same_shapes(w, s, e));
	MMI_TRY(mmi_tuples_open(s->modalities, s->n_modalities, w->r->part, s->settings.holdout, s->settings.seed,
	                        w->r->setup.log, &w->other_tuples, e));
	return mmi_tuples_pick(w->other_tuples, w->r->count, w->r->seed, e);
}

/* ------------------------------------------------------------ figures */

/* "ROC area" is that of the joint energy, or of the only term there is. */
static const char *variant_of(const mmi_scores *s, int kind)
{
	return !(s->kinds >> MMI_KIND_JOINT & 1) || kind == MMI_KIND_JOINT ? "ROC area" : mmi_kind_names[kind];
}

/* The area for tuples as they are against `n` energies, by each kind of energy. */
static mm_status add_area(mmi_eval_work *w, const mmi_scores *s, const char *of, float *const against[MMI_KINDS],
                          uint32_t n, double area[MMI_KINDS], mm_error *e)
{
	for (int k = 0; k < MMI_KINDS; k++)
		if (s->plain[k]) {
			MMI_TRY(mmi_auc(s->plain[k], w->n_tuples, against[k], n, &area[k], e));
			MMI_TRY(mmi_report_add(w->out, name, of, variant_of(s, k), area[k], e));
		}
	return MM_OK;
}

static mm_status add_swapped(mmi_eval_work *w, const mmi_scores *s, mm_error *e)
{
	double sum[MMI_KINDS] = { 0 }, area[MMI_KINDS] = { 0 };
	char of[64];
	uint32_t least = UINT32_MAX;
	for (uint32_t m = 0; m < w->n; m++)
		least = s->n_swapped[m] < least ? s->n_swapped[m] : least;
	if (!least)
		return mmi_report_lack(
			w->out, name, "no tuple has a partner of another class: the tuples have no labels, or one class only", e);
	for (uint32_t m = 0; m < w->n; m++) {
		snprintf(of, sizeof of, "%s of another class", w->model->modalities[m].name);
		MMI_TRY(add_area(w, s, of, s->swapped[m], s->n_swapped[m], area, e));
		for (int k = 0; k < MMI_KINDS; k++)
			sum[k] += area[k] / w->n;
	}
	for (int k = 0; k < MMI_KINDS; k++)
		if (s->plain[k])
			MMI_TRY(mmi_report_add(w->out, name, "mean", variant_of(s, k), sum[k], e));
	return MM_OK;
}

static mm_status add_all(mmi_eval_work *w, mmi_scores *s, mm_error *e)
{
	double area[MMI_KINDS];
	for (uint32_t first = 0; first < w->n_tuples; first += w->block) {
		uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
		MMI_TRY(score_block(w, first, rows, s, e));
		MMI_TRY(mmi_eval_tick(w, "energy of the data", e));
	}
	MMI_TRY(add_swapped(w, s, e));
	MMI_TRY(score_other(w, s, e));
	return s->n_other ? add_area(w, s, "other data set", s->other, s->n_other, area, e) : MM_OK;
}

uint64_t mmi_eval_energy_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->n_tuples) +
	       (w->other_tuples ? mmi_eval_blocks(w, mmi_tuples_count(w->other_tuples)) : 0);
}

mm_status mmi_eval_energy(mmi_eval_work *w, mm_error *e)
{
	mmi_scores s = { .kinds = 0 };
	if (!w->saved.has_energy)
		return mmi_report_lack(w->out, name, "the energy model was not trained: a warm-up, or a baseline", e);
	mm_status status = scores_create(w, &s, e);
	if (status == MM_OK)
		status = add_all(w, &s, e);
	scores_clear(&s);
	return status;
}
