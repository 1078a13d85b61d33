/* eval_energy.c - the energy as a score: does it tell tuples that fit from tuples that do not. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "engine/vec.h"
#include "eval/auc.h"
#include "eval/eval_work.h"

#include <stdio.h>
#include <string.h>

#define ATTEMPTS 200u /* draws of a partner before a tuple is left as it is */

static const char name[] = "energy as detector";

/* The joint energy, and where the experts' agreement is part of it, the energy model alone. */
enum { JOINT, ALONE, KINDS };
static const char *const kinds[KINDS] = { "ROC area", "energy model alone" };

/* Energies of the tuples as they are, and with each modality exchanged. */
typedef struct mmi_scores {
	float *plain[KINDS], *swapped[KINDS][MMI_MAX_MODALITIES], *other[KINDS];
	uint32_t n_swapped[MMI_MAX_MODALITIES], n_other;
	float *block[KINDS]; /* of the rows in work */
	int kinds;
} mmi_scores;

static void scores_clear(mmi_scores *s)
{
	for (int k = 0; k < KINDS; k++) {
		mmi_free(s->plain[k]);
		mmi_free(s->other[k]);
		mmi_free(s->block[k]);
		for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
			mmi_free(s->swapped[k][m]);
	}
}

static mm_status scores_create(const mmi_eval_work *w, mmi_scores *s, mm_error *e)
{
	bool ok = true;
	s->kinds = w->model->config.agreement > 0 ? KINDS : 1;
	s->n_other = w->other_tuples ? mmi_tuples_count(w->other_tuples) : 0;
	for (int k = 0; k < s->kinds; k++) {
		ok = ok && (s->plain[k] = mmi_alloc(w->n_tuples, sizeof(float))) &&
		     (s->block[k] = mmi_alloc(w->block, sizeof(float)));
		ok = ok && (!s->n_other || (s->other[k] = mmi_alloc(s->n_other, sizeof(float))));
		for (uint32_t m = 0; m < w->n; m++)
			ok = ok && (s->swapped[k][m] = mmi_alloc(w->n_tuples, sizeof(float)));
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %u energies", w->n_tuples);
}

/* Energies of a block's rows x into s->block. */
static void score(mmi_eval_work *w, mmi_scores *s, const float *const *x)
{
	mmi_sampler_energies(w->sampler, x, w->block, s->block[JOINT], s->block[ALONE]);
}

/* Any tuple of the evaluated ones with another class; false when none was met. */
static bool partner(const mmi_eval_work *w, uint64_t key, uint32_t tuple, uint32_t m, uint32_t *out)
{
	int32_t label = mmi_tuples_label(w->tuples, tuple);
	for (uint32_t a = 0; a < ATTEMPTS && label >= 0; a++) {
		uint32_t i = mmi_rng_below((mmi_rng){ .key = key, .sample = tuple, .step = a, .iteration = m }, w->n_tuples);
		int32_t theirs = mmi_tuples_label(w->tuples, i);
		if (theirs >= 0 && theirs != label) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* Reads modality m of partners over `to`; rows without one are told in w->counted. */
static mm_status exchange(mmi_eval_work *w, uint32_t first, uint32_t rows, uint32_t m, float *to, mm_error *e)
{
	uint64_t key = mmi_rng_key(w->r->seed, MMI_STREAM_EVAL_SWAP);
	for (uint32_t r = 0; r < rows; r++) {
		float *at[MMI_MAX_MODALITIES] = { NULL };
		uint32_t i;
		w->counted[r] = partner(w, key, first + r, m, &i);
		at[m] = to + r * (size_t)w->model->modalities[m].count;
		if (w->counted[r])
			MMI_TRY(mmi_tuples_read(w->tuples, i, at, e));
	}
	return MM_OK;
}

static void keep_swapped(const mmi_eval_work *w, mmi_scores *s, uint32_t m, uint32_t rows)
{
	for (uint32_t r = 0; r < rows; r++) {
		if (!w->counted[r])
			continue;
		for (int k = 0; k < s->kinds; k++)
			s->swapped[k][m][s->n_swapped[m]] = s->block[k][r];
		s->n_swapped[m]++;
	}
}

static mm_status score_block(mmi_eval_work *w, uint32_t first, uint32_t rows, mmi_scores *s, mm_error *e)
{
	const float *x[MMI_MAX_MODALITIES];
	memcpy(x, w->data, sizeof x);
	score(w, s, x);
	for (int k = 0; k < s->kinds; k++)
		memcpy(s->plain[k] + first, s->block[k], rows * sizeof(float));
	for (uint32_t m = 0; m < w->n; m++) {
		float *exchanged = w->x[MMI_GENERATOR][m];
		memcpy(exchanged, w->data[m], (size_t)w->block * (size_t)w->model->modalities[m].count * sizeof(float));
		MMI_TRY(exchange(w, first, rows, m, exchanged, e));
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
		for (int k = 0; k < s->kinds; k++)
			memcpy(s->other[k] + first, s->block[k], rows * sizeof(float));
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

/* The area for tuples as they are against `n` energies, by each kind of energy. */
static mm_status add_area(mmi_eval_work *w, const mmi_scores *s, const char *of, float *const against[KINDS],
                          uint32_t n, double area[KINDS], mm_error *e)
{
	for (int k = 0; k < s->kinds; k++) {
		MMI_TRY(mmi_auc(s->plain[k], w->n_tuples, against[k], n, &area[k], e));
		MMI_TRY(mmi_report_add(w->out, name, of, kinds[k], area[k], e));
	}
	return MM_OK;
}

static mm_status add_swapped(mmi_eval_work *w, const mmi_scores *s, mm_error *e)
{
	double sum[KINDS] = { 0 }, area[KINDS];
	char of[64];
	uint32_t least = UINT32_MAX;
	for (uint32_t m = 0; m < w->n; m++)
		least = s->n_swapped[m] < least ? s->n_swapped[m] : least;
	if (!least)
		return mmi_report_lack(
			w->out, name, "no tuple has a partner of another class: the tuples have no labels, or one class only", e);
	for (uint32_t m = 0; m < w->n; m++) {
		float *const against[KINDS] = { s->swapped[JOINT][m], s->swapped[ALONE][m] };
		snprintf(of, sizeof of, "%s of another class", w->model->modalities[m].name);
		MMI_TRY(add_area(w, s, of, against, s->n_swapped[m], area, e));
		for (int k = 0; k < s->kinds; k++)
			sum[k] += area[k] / w->n;
	}
	for (int k = 0; k < s->kinds; k++)
		MMI_TRY(mmi_report_add(w->out, name, "mean", kinds[k], sum[k], e));
	return MM_OK;
}

static mm_status add_all(mmi_eval_work *w, mmi_scores *s, mm_error *e)
{
	double area[KINDS];
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
