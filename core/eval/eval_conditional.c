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

/* Reads a variant of a block's translations off x, which it may change. */
typedef mm_status taker(void *ctx, int variant, float *const *x, mm_error *e);

typedef struct translation { /* of one block */
	int32_t expert;
	uint32_t z_steps, number;
	taker *take;
	void *ctx;
} translation;

/* From the data into x: decoded from what is observed, with the guide's candidates and steps (of none: none). */
static void decode(mmi_eval_work *w, const translation *t, const mmi_guide_args *guide, float *const *x)
{
	mmi_translate_args args = { .number = t->number,
		                        .expert = t->expert,
		                        .temperature = w->translate.temperature,
		                        .posterior = w->translate.posterior,
		                        .guide = *guide };
	args.posterior.steps = t->z_steps;
	mmi_rows_copy(w->model, w->block, x, w->data);
	mmi_translate(w->translator, &args, x, (const float *const *)w->observed, mmi_whole(w->block), NULL);
}

/* The data chain from the first buffer into the second; it leaves the observed alone. */
static void move(mmi_eval_work *w, const translation *t, const mmi_chains *chains)
{
	mmi_chain_stats stats;
	mmi_revise_args revise = chains->revise;
	revise.iteration = t->number;
	revise.held = (const uint8_t *const *)w->held;
	mmi_rows_copy(w->model, w->block, w->x[1], w->x[0]);
	mmi_sampler_revise(w->sampler, &revise, w->x[1], (const float *const *)w->x[0], mmi_whole(w->block), &stats);
}

static mm_status hand_over(mmi_eval_work *w, const translation *t, int variant, int buffer, mm_error *e)
{
	MMI_TRY(mmi_rows_check(w->model, w->block, w->x[buffer], "translations", e));
	return t->take(t->ctx, variant, w->x[buffer], e);
}

/* All variants, from the same draws. */
static mm_status translate(mmi_eval_work *w, const translation *t, mm_error *e)
{
	const mmi_guide_args none = { .candidates = 1 }, *guide = &w->translate.guide;
	const bool guided = mmi_guide_acts(guide), chain = w->translate.revise.steps > 0;
	const mmi_chains unguided = guided ? mmi_chains_unguided(&w->translate) : w->translate;
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t r = 0; r < w->block; r++)
			w->held[m][r] = w->observed[m][r] > 0;
	decode(w, t, &none, w->x[0]);
	if (chain)
		move(w, t, &unguided);
	if (chain && !guided)
		mmi_eval_count_moved(w);
	MMI_TRY(hand_over(w, t, MMI_GENERATOR, 0, e));
	if (chain)
		MMI_TRY(hand_over(w, t, guided ? MMI_DATA_CHAIN : MMI_REVISED, 1, e));
	if (!guided)
		return MM_OK;
	decode(w, t, guide, w->x[0]);
	if (!chain)
		return hand_over(w, t, MMI_REVISED, 0, e);
	move(w, t, &w->translate);
	mmi_eval_count_moved(w);
	MMI_TRY(hand_over(w, t, MMI_GUIDED, 0, e));
	return hand_over(w, t, MMI_REVISED, 1, e);
}

/* Every target that was not given counts under `source`. */
static void count(mmi_eval_work *w, mmi_confusion *c, float *const *x, uint32_t source, uint32_t rows)
{
	for (uint32_t t = 0; t < w->n; t++) {
		if (!w->class_of[t] || !memchr(w->held[t], 0, rows))
			continue;
		for (uint32_t r = 0; r < rows; r++)
			w->counted[r] = !w->held[t][r];
		mmi_eval_judge(w, t, x[t], rows, NULL);
		mmi_confusion_add(c, source, t, w->class_of[t], w->label, w->counted, rows);
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
	double share[MMI_VARIANTS], mean[MMI_VARIANTS];
	char of[80];
	for (uint32_t s = 0; s < w->n; s++)
		for (uint32_t t = 0; t < w->n; t++) {
			if (s == t || !w->class_of[t])
				continue;
			snprintf(of, sizeof of, "%.30s -> %.30s", w->model->modalities[s].name, w->model->modalities[t].name);
			for (int v = 0; v < MMI_VARIANTS; v++)
				share[v] = mmi_confusion_share(&c[v], s, t);
			MMI_TRY(mmi_eval_add_row(w, name, of, w->translated, share, e));
		}
	for (int v = 0; v < MMI_VARIANTS; v++)
		mean[v] = mmi_confusion_mean(&c[v], w->n);
	return mmi_eval_add_row(w, name, "mean", w->translated, mean, e);
}

/* What is asked of the translations: their classes, how they fit, and how far they are from the data. */
typedef struct matrix {
	mmi_eval_work *w;
	bool classes, fits, frechet;
	mmi_confusion confusion[MMI_VARIANTS];
	mmi_fits fit[MMI_VARIANTS];
	mmi_pair_fits pairs;
	uint32_t source, first, rows; /* of the block at hand */
} matrix;

static mm_status take_pairs(void *ctx, int variant, float *const *x, mm_error *e)
{
	matrix *a = ctx;
	if (a->classes)
		count(a->w, &a->confusion[variant], x, a->source, a->rows);
	if (a->frechet)
		mmi_pair_fits_add(a->w, &a->pairs, variant, x, a->source, a->rows);
	return a->fits ? mmi_eval_fit(a->w, &a->fit[variant], x, a->source, a->first, a->rows, e) : MM_OK;
}

static mm_status run_block(matrix *x, uint32_t z_steps, uint32_t block, mm_error *e)
{
	mmi_eval_work *w = x->w;
	MMI_TRY(mmi_eval_read(w, w->tuples, x->first, x->rows, e));
	for (x->source = 0; x->source < w->n; x->source++) {
		/* The same draws with and without the posterior chain: what differs is the chain. */
		const translation t = { (int32_t)x->source, z_steps, mmi_iteration_of_eval(x->source, block), take_pairs, x };
		for (uint32_t m = 0; m < w->n; m++)
			for (uint32_t r = 0; r < w->block; r++)
				w->observed[m][r] = m == x->source;
		MMI_TRY(translate(w, &t, e));
		MMI_TRY(mmi_eval_tick(w, z_steps ? "translations, z revised" : "translations", e));
	}
	return MM_OK;
}

static mm_status report_matrix(matrix *x, bool z_revised, mm_error *e)
{
	const char *suffix = z_revised ? ", z revised" : "";
	if (x->classes)
		MMI_TRY(add_matrix(x->w, z_revised ? with_chain : alone, x->confusion, e));
	if (x->frechet)
		MMI_TRY(mmi_pair_fits_report(x->w, suffix, &x->pairs, e));
	MMI_TRY(mmi_eval_add_taken_back(x->w, z_revised ? "translations, z revised" : "translations", &x->w->translate, e));
	return x->fits ? mmi_eval_add_fits(x->w, suffix, x->fit, e) : MM_OK;
}

static mm_status run_matrix(matrix *x, uint32_t z_steps, mm_error *e)
{
	mmi_eval_work *w = x->w;
	mm_status status = MM_OK;
	w->moved = w->back = 0;
	memset(x->confusion, 0, sizeof x->confusion);
	memset(x->fit, 0, sizeof x->fit);
	if (x->frechet)
		status = mmi_pair_fits_create(w, &x->pairs, e);
	for (uint32_t block = 0; status == MM_OK && block * w->block < w->n_tuples; block++) {
		x->first = block * w->block;
		x->rows = mmi_eval_rows(w, x->first, w->n_tuples);
		status = run_block(x, z_steps, block, e);
	}
	if (status == MM_OK)
		status = report_matrix(x, z_steps > 0, e);
	mmi_pair_fits_clear(&x->pairs);
	return status;
}

uint64_t mmi_eval_conditional_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->n_tuples) * w->n * (w->translate.posterior.steps ? 2 : 1);
}

mm_status mmi_eval_conditional(mmi_eval_work *w, mm_error *e)
{
	static const char no_frechet[] = "conditional Frechet";
	char why[200];
	bool lacks = true;
	matrix *x = mmi_alloc(1, sizeof *x); /* all pairs of fits are in it */
	if (!x)
		return mmi_fail(e, MM_ENOMEM, "out of memory for translations");
	*x = (matrix){ .w = w, .fits = mmi_eval_aligns(w), .frechet = mmi_eval_wants(w->r, "cfrechet") && w->n > 1 };
	mm_status status = MM_OK;
	if (mmi_eval_wants(w->r, "conditional"))
		status = lack(w, alone, &lacks, e);
	x->classes = !lacks;
	if (x->frechet && mmi_spaces_lack(w, why)) {
		x->frechet = false;
		if (status == MM_OK)
			status = mmi_report_lack(w->out, no_frechet, why, e);
	}
	const bool any = x->classes || x->fits || x->frechet;
	if (status == MM_OK && any)
		status = run_matrix(x, 0, e);
	if (status == MM_OK && any && w->translate.posterior.steps)
		status = run_matrix(x, w->translate.posterior.steps, e);
	mmi_free(x);
	return status;
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

typedef struct by_count {
	mmi_eval_work *w;
	mmi_confusion c[MMI_VARIANTS];
	uint32_t given, rows;
} by_count;

static mm_status take_given(void *ctx, int variant, float *const *x, mm_error *e)
{
	by_count *g = ctx;
	(void)e;
	count(g->w, &g->c[variant], x, g->given, g->rows);
	return MM_OK;
}

static mm_status run_given(mmi_eval_work *w, uint32_t k, uint32_t z_steps, mm_error *e)
{
	by_count g = { .w = w, .given = k };
	double share[MMI_VARIANTS];
	const char *name = z_steps ? by_number_with_chain : by_number;
	char of[64];
	for (uint32_t first = 0, block = 0; first < w->n_tuples; first += w->block, block++) {
		/* The same draws with and without the posterior chain, as above. */
		const translation t = { -1, z_steps, mmi_iteration_of_eval(MMI_MAX_MODALITIES + k, block), take_given, &g };
		g.rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, g.rows, e));
		choose(w, k, first);
		MMI_TRY(translate(w, &t, e));
		MMI_TRY(mmi_eval_tick(w, name, e));
	}
	snprintf(of, sizeof of, "%u given", k);
	for (int v = 0; v < MMI_VARIANTS; v++)
		share[v] = mmi_confusion_row(&g.c[v], k, w->n);
	return mmi_eval_add_row(w, name, of, w->translated, share, e);
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
