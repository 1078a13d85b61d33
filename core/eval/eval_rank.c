/* eval_rank.c - paired rank: how often a tuple has less energy than itself with one modality exchanged. By each term of
 * the joint energy, and by the same networks with the parameters that they began with: other classes differ in their
 * low-order statistics, so an energy that has learned nothing is not at one half. An exchange within a class leaves
 * nothing to see but what was learned by heart. */
#include "mmi_build.h"

#include "eval/exchange.h"

#include <stdio.h>
#include <string.h>

static const char name[] = "paired rank";

enum { TRAINED, UNTRAINED, STATES };
enum { OTHER, SAME, EXCHANGES };

typedef struct ranks {
	mmi_eval_work *w;
	uint32_t kinds;
	mmi_model *model; /* untrained */
	mmi_sampler *sampler[STATES];
	float *plain[STATES][MMI_KINDS], *exchanged[MMI_KINDS]; /* [block] */
	double below[STATES][EXCHANGES][MMI_MAX_MODALITIES][MMI_KINDS];
	double n[EXCHANGES][MMI_MAX_MODALITIES];
} ranks;

static mm_status open_ranks(ranks *k, mm_error *e)
{
	mmi_eval_work *w = k->w;
	const mmi_sampler_config config = { mmi_sampler_chunk(w->sampler), w->block, w->r->seed, MMI_NET_ENERGY };
	k->sampler[TRAINED] = w->sampler;
	MMI_TRY(mmi_model_create(w->model->device, w->model->modalities, w->n, &w->model->config, &k->model, e));
	MMI_TRY(mmi_sampler_create(k->model, w->saved.setup.pool, &config, &k->sampler[UNTRAINED], e));
	for (int s = 0; s < STATES; s++)
		MMI_TRY(mmi_kinds_create(k->kinds, w->block, k->plain[s], e));
	return mmi_kinds_create(k->kinds, w->block, k->exchanged, e);
}

static void close_ranks(ranks *k)
{
	mmi_sampler_destroy(k->sampler[UNTRAINED]);
	mmi_model_destroy(k->model);
	for (int s = 0; s < STATES; s++)
		mmi_kinds_clear(k->plain[s]);
	mmi_kinds_clear(k->exchanged);
}

/* Equal energies count half. */
static void count(ranks *k, int state, int exchange, uint32_t m, uint32_t rows)
{
	for (int kind = 0; kind < MMI_KINDS; kind++)
		for (uint32_t r = 0; k->exchanged[kind] && r < rows; r++) {
			const float here = k->plain[state][kind][r], there = k->exchanged[kind][r];
			if (k->w->counted[r])
				k->below[state][exchange][m][kind] += here < there ? 1 : here > there ? 0 : 0.5;
		}
}

static mm_status rank_block(ranks *k, uint32_t first, uint32_t rows, mm_error *e)
{
	mmi_eval_work *w = k->w;
	const float *x[MMI_MAX_MODALITIES];
	memcpy(x, w->data, sizeof x);
	for (int s = 0; s < STATES; s++)
		mmi_kinds_run(k->sampler[s], x, w->block, k->plain[s]);
	for (uint32_t m = 0; m < w->n; m++)
		for (int exchange = 0; exchange < EXCHANGES; exchange++) {
			float *other = w->x[0][m];
			memcpy(other, w->data[m], (size_t)w->block * (size_t)w->model->modalities[m].count * sizeof(float));
			MMI_TRY(mmi_eval_exchange(w, first, rows, m, exchange == SAME, other, e));
			for (uint32_t r = 0; r < rows; r++)
				k->n[exchange][m] += w->counted[r];
			x[m] = other;
			for (int s = 0; s < STATES; s++) {
				mmi_kinds_run(k->sampler[s], x, w->block, k->exchanged);
				count(k, s, exchange, m, rows);
			}
			x[m] = w->data[m];
		}
	return MM_OK;
}

/* One row of the table. */
static mm_status add_row(ranks *k, const char *of, const double below[STATES][MMI_KINDS], mm_error *e)
{
	for (int s = 0; s < STATES; s++)
		for (int kind = 0; kind < MMI_KINDS; kind++) {
			char variant[32];
			if (!(k->kinds >> kind & 1))
				continue;
			snprintf(variant, sizeof variant, "%s%s", mmi_kind_names[kind], s == UNTRAINED ? ", untrained" : "");
			MMI_TRY(mmi_report_add(k->w->out, name, of, variant, below[s][kind], e));
		}
	return MM_OK;
}

static mm_status add_exchange(ranks *k, int exchange, mm_error *e)
{
	static const char *const texts[EXCHANGES] = { "of another class", "of the same class" };
	const mmi_eval_work *w = k->w;
	double share[STATES][MMI_KINDS], mean[STATES][MMI_KINDS] = { { 0 } };
	char of[64];
	for (uint32_t m = 0; m < w->n; m++)
		if (k->n[exchange][m] < 1)
			return mmi_report_lack(w->out, name,
			                       exchange == SAME
			                           ? "no tuple has a partner of the same class"
			                           : "no tuple has a partner of another class: the tuples have no labels, or one "
			                             "class only",
			                       e);
	for (uint32_t m = 0; m < w->n; m++) {
		for (int s = 0; s < STATES; s++)
			for (int kind = 0; kind < MMI_KINDS; kind++) {
				share[s][kind] = k->below[s][exchange][m][kind] / k->n[exchange][m];
				mean[s][kind] += share[s][kind] / w->n;
			}
		snprintf(of, sizeof of, "%.40s %s", w->model->modalities[m].name, texts[exchange]);
		MMI_TRY(add_row(k, of, (const double(*)[MMI_KINDS])share, e));
	}
	snprintf(of, sizeof of, "mean %s", texts[exchange]);
	return add_row(k, of, (const double(*)[MMI_KINDS])mean, e);
}

static mm_status run(ranks *k, mm_error *e)
{
	mmi_eval_work *w = k->w;
	MMI_TRY(open_ranks(k, e));
	for (uint32_t first = 0; first < w->n_tuples; first += w->block) {
		uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
		MMI_TRY(rank_block(k, first, rows, e));
		MMI_TRY(mmi_eval_tick(w, "ranks of exchanged tuples", e));
	}
	MMI_TRY(add_exchange(k, OTHER, e));
	return add_exchange(k, SAME, e);
}

uint64_t mmi_eval_rank_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->n_tuples);
}

mm_status mmi_eval_rank(mmi_eval_work *w, mm_error *e)
{
	ranks k = { .w = w, .kinds = mmi_eval_kinds(w) };
	if (!k.kinds)
		return mmi_report_lack(w->out, name, "there is no energy that was trained: a warm-up, or a baseline", e);
	mm_status status = run(&k, e);
	close_ranks(&k);
	return status;
}
