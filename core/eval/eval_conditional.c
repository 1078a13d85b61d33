/* eval_conditional.c - from given modalities to the others: does the result show the tuple's class, and fit what was
 * given. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "engine/vec.h"
#include "eval/coherence.h"
#include "eval/eval_work.h"
#include "model/rows.h"

#include <string.h>

static const char alone[] = "conditional coherence", with_chain[] = "conditional coherence, z revised";
static const char by_number[] = "coherence by given", by_number_with_chain[] = "coherence by given, z revised";

/* x[GENERATOR] decoded from what is observed; x[REVISED] the same, from the same draws, with the energy: where it
 * guides z, z moves on before it is decoded; then the data chain, which leaves the observed alone. */
static mm_status translate(mmi_eval_work *w, int32_t expert, uint32_t z_steps, uint32_t number, mm_error *e)
{
	mmi_chain_stats stats;
	mmi_translate_args args = {
		.number = number, .expert = expert, .temperature = w->translate.temperature, .posterior = w->translate.posterior
	};
	args.posterior.steps = z_steps;
	mmi_rows_copy(w->model, w->block, w->x[MMI_GENERATOR], w->data);
	mmi_translate(w->translator, &args, w->x[MMI_GENERATOR], (const float *const *)w->observed, mmi_whole(w->block),
	              NULL);
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t r = 0; r < w->block; r++)
			w->held[m][r] = w->observed[m][r] > 0;
	mmi_revise_args revise = w->translate.revise;
	revise.iteration = number;
	revise.held = (const uint8_t *const *)w->held;
	const bool guided = mmi_guide_acts(&w->translate.guide);
	if (guided) {
		args.guide = w->translate.guide;
		args.revise = revise;
		mmi_rows_copy(w->model, w->block, w->x[MMI_REVISED], w->data);
		mmi_translate(w->translator, &args, w->x[MMI_REVISED], (const float *const *)w->observed, mmi_whole(w->block),
		              NULL);
	} else if (w->variants > 1) {
		mmi_rows_copy(w->model, w->block, w->x[MMI_REVISED], w->x[MMI_GENERATOR]);
	}
	if (revise.steps && !guided)
		mmi_sampler_revise(w->sampler, &revise, w->x[MMI_REVISED], (const float *const *)w->x[MMI_GENERATOR],
		                   mmi_whole(w->block), &stats);
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_rows_check(w->model, w->block, w->x[v], "translations", e));
	return MM_OK;
}

/* Every target that was not given counts under `source`. */
static void count(mmi_eval_work *w, mmi_confusion *c, uint32_t source, uint32_t rows)
{
	for (int v = w->variants - 1; v >= 0; v--)
		for (uint32_t t = 0; t < w->n; t++) {
			if (!w->class_of[t] || !memchr(w->held[t], 0, rows))
				continue;
			for (uint32_t r = 0; r < rows; r++)
				w->counted[r] = !w->held[t][r];
			mmi_eval_judge(w, t, w->x[v][t], rows, NULL);
			mmi_confusion_add(&c[v], source, t, w->class_of[t], w->label, w->counted, rows);
		}
}

static mm_status lack(mmi_eval_work *w, const char *name, bool *lacks, mm_error *e)
{
	bool labels = false;
	for (uint32_t i = 0; i < w->n_tuples && !labels; i++)
		labels = mmi_tuples_label(w->tuples, i) >= 0;
	const char *why = !w->judge || !w->judged ? w->no_judge
	                  : !labels               ? "the tuples have no labels"
	                  : w->n < 2              ? "there is one modality only"
	                                          : NULL;
	*lacks = why;
	return why ? mmi_report_lack(w->out, name, why, e) : MM_OK;
}

/* ------------------------------------------------------------ from one */

static mm_status add_matrix(mmi_eval_work *w, const char *name, const mmi_confusion *c, mm_error *e)
{
	char of[80];
	for (uint32_t s = 0; s < w->n; s++)
		for (uint32_t t = 0; t < w->n; t++) {
			if (s == t || !w->class_of[t])
				continue;
			snprintf(of, sizeof of, "%.30s -> %.30s", w->model->modalities[s].name, w->model->modalities[t].name);
			for (int v = 0; v < w->variants; v++)
				MMI_TRY(mmi_report_add(w->out, name, of, mmi_eval_variants[v], mmi_confusion_share(&c[v], s, t), e));
		}
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, "mean", mmi_eval_variants[v], mmi_confusion_mean(&c[v], w->n), e));
	return MM_OK;
}

/* What is asked of the translations: their classes, and how they fit. */
typedef struct matrix {
	bool classes, fits;
	mmi_confusion confusion[MMI_VARIANTS];
	mmi_fits fit[MMI_VARIANTS];
} matrix;

static mm_status run_block(mmi_eval_work *w, matrix *x, uint32_t z_steps, uint32_t first, uint32_t block, mm_error *e)
{
	uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
	MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
	for (uint32_t s = 0; s < w->n; s++) {
		for (uint32_t m = 0; m < w->n; m++)
			for (uint32_t r = 0; r < w->block; r++)
				w->observed[m][r] = m == s;
		/* The same draws with and without the posterior chain: what differs is the chain. */
		MMI_TRY(translate(w, (int32_t)s, z_steps, mmi_iteration_of_eval(s, block), e));
		if (x->classes)
			count(w, x->confusion, s, rows);
		for (int v = 0; v < w->variants && x->fits; v++)
			MMI_TRY(mmi_eval_fit(w, &x->fit[v], v, s, first, rows, e));
		MMI_TRY(mmi_eval_tick(w, z_steps ? "translations, z revised" : "translations", e));
	}
	return MM_OK;
}

static mm_status run_matrix(mmi_eval_work *w, matrix *x, uint32_t z_steps, mm_error *e)
{
	memset(x->confusion, 0, sizeof x->confusion);
	memset(x->fit, 0, sizeof x->fit);
	for (uint32_t first = 0, block = 0; first < w->n_tuples; first += w->block, block++)
		MMI_TRY(run_block(w, x, z_steps, first, block, e));
	if (x->classes)
		MMI_TRY(add_matrix(w, z_steps ? with_chain : alone, x->confusion, e));
	return x->fits ? mmi_eval_add_fits(w, z_steps ? ", z revised" : "", x->fit, e) : MM_OK;
}

uint64_t mmi_eval_conditional_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->n_tuples) * w->n * (w->translate.posterior.steps ? 2 : 1);
}

mm_status mmi_eval_conditional(mmi_eval_work *w, mm_error *e)
{
	matrix x = { .fits = mmi_eval_aligns(w) };
	bool lacks = true;
	if (mmi_eval_wants(w->r, "conditional"))
		MMI_TRY(lack(w, alone, &lacks, e));
	x.classes = !lacks;
	if (!x.classes && !x.fits)
		return MM_OK;
	MMI_TRY(run_matrix(w, &x, 0, e));
	return w->translate.posterior.steps ? run_matrix(w, &x, w->translate.posterior.steps, e) : MM_OK;
}

/* ------------------------------------------------------------ from several */

/* Each row gives k modalities of its own, uniformly among all sets of k. */
static void choose(mmi_eval_work *w, uint32_t k, uint32_t first)
{
	uint64_t key = mmi_rng_key(w->r->seed, MMI_STREAM_EVAL_GIVEN);
	for (uint32_t r = 0; r < w->block; r++) {
		uint32_t order[MMI_MAX_MODALITIES];
		mmi_rng_permutation((mmi_rng){ .key = key, .sample = first + r, .iteration = k }, w->n, order);
		for (uint32_t i = 0; i < w->n; i++)
			w->observed[order[i]][r] = i < k;
	}
}

static mm_status run_given(mmi_eval_work *w, uint32_t k, uint32_t z_steps, mm_error *e)
{
	mmi_confusion c[MMI_VARIANTS] = { { { { 0 } }, { { 0 } } } };
	const char *name = z_steps ? by_number_with_chain : by_number;
	char of[64];
	for (uint32_t first = 0, block = 0; first < w->n_tuples; first += w->block, block++) {
		uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
		choose(w, k, first);
		/* The same draws with and without the posterior chain, as above. */
		MMI_TRY(translate(w, -1, z_steps, mmi_iteration_of_eval(MMI_MAX_MODALITIES + k, block), e));
		count(w, c, k, rows);
		MMI_TRY(mmi_eval_tick(w, name, e));
	}
	snprintf(of, sizeof of, "%u given", k);
	for (int v = 0; v < w->variants; v++)
		MMI_TRY(mmi_report_add(w->out, name, of, mmi_eval_variants[v], mmi_confusion_row(&c[v], k, w->n), e));
	return MM_OK;
}

uint64_t mmi_eval_given_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->n_tuples) * (w->n - 1) * (w->translate.posterior.steps ? 2 : 1);
}

mm_status mmi_eval_given(mmi_eval_work *w, mm_error *e)
{
	bool lacks;
	MMI_TRY(lack(w, by_number, &lacks, e));
	for (uint32_t k = 1; k < w->n && !lacks; k++)
		MMI_TRY(run_given(w, k, 0, e));
	for (uint32_t k = 1; k < w->n && !lacks && w->translate.posterior.steps; k++)
		MMI_TRY(run_given(w, k, w->translate.posterior.steps, e));
	return MM_OK;
}
