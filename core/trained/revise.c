/* revise.c - a trained model's chains on rows of the caller's. */
#include "mmi_build.h"

#include "trained/revise.h"

#include "base/finite.h"
#include "engine/streams.h"
#include "model/rows.h"

#include <string.h>

/* A block's rows: whole chunks, those behind the last are zeros or what they held. */
typedef struct work {
	const mmi_saved *saved;
	const mmi_revise_request *request;
	float *x[MMI_MAX_MODALITIES], *start[MMI_MAX_MODALITIES], *observed[MMI_MAX_MODALITIES];
	uint8_t *held[MMI_MAX_MODALITIES];
	mmi_latents latents;
} work;

static mm_status create(const mmi_saved *s, const mmi_revise_request *r, work *w, mm_error *e)
{
	*w = (work){ .saved = s, .request = r };
	const uint32_t rows = mmi_whole_chunks(MMI_REVISE_ROWS, mmi_sampler_chunk(s->sampler));
	MMI_TRY(mmi_rows_create(s->model, rows, w->x, e));
	MMI_TRY(mmi_rows_create(s->model, rows, w->start, e));
	MMI_TRY(mmi_latents_create(s->model, rows, &w->latents, e));
	for (uint32_t m = 0; m < s->model->n_modalities; m++) {
		w->observed[m] = mmi_alloc(rows, sizeof(float));
		w->held[m] = mmi_alloc(rows, 1);
		if (!w->observed[m] || !w->held[m])
			return mmi_fail(e, MM_ENOMEM, "out of memory for %u rows", rows);
	}
	return MM_OK;
}

static void clear(work *w)
{
	mmi_latents_clear(&w->latents);
	mmi_rows_clear(w->x);
	mmi_rows_clear(w->start);
	mmi_rows_clear(w->observed);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		mmi_free(w->held[m]);
}

/* Rows first to first + n - 1 of the caller's are moved; `rows` of the block are computed. */
typedef struct block {
	uint32_t first, n, rows, number;
} block;

typedef mm_status block_work(work *w, const void *ctx, block b, mm_error *e);

static mm_status each_block(const mmi_saved *s, const mmi_revise_request *r, block_work *run, const void *ctx,
                            mm_error *e)
{
	work w;
	mm_status status = create(s, r, &w, e);
	for (uint32_t first = 0, number = 0; status == MM_OK && first < r->n; first += MMI_REVISE_ROWS, number++) {
		block b = { .first = first, .n = r->n - first < MMI_REVISE_ROWS ? r->n - first : MMI_REVISE_ROWS };
		b.rows = mmi_whole_chunks(b.n, mmi_sampler_chunk(s->sampler));
		b.number = mmi_iteration_of_block(r->number, number);
		status = mmi_hooks_stop(&r->hooks) ? mmi_fail(e, MM_ECANCELLED, "interrupted after %u of %u rows", first, r->n)
		                                   : run(&w, ctx, b, e);
		if (status == MM_OK)
			mmi_hooks_step(&r->hooks, first + b.n, r->n);
	}
	clear(&w);
	return status;
}

static size_t floats(const work *w, uint32_t m)
{
	return (size_t)w->saved->model->modalities[m].count;
}

/* ---------------------------------------------------------------- tuples */

typedef struct tuples {
	float *const *x;
	const uint8_t *const *held;
} tuples;

static mm_status move_tuples(work *w, const void *ctx, block b, mm_error *e)
{
	const tuples *t = ctx;
	const mmi_model *model = w->saved->model;
	mmi_revise_args args = w->request->chains->revise;
	mmi_chain_stats stats;
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		memcpy(w->x[m], t->x[m] + b.first * floats(w, m), b.n * floats(w, m) * sizeof(float));
		for (uint32_t r = 0; r < b.n; r++)
			w->held[m][r] = t->held && t->held[m] && t->held[m][b.first + r];
	}
	mmi_rows_copy(model, b.rows, w->start, w->x);
	args.iteration = b.number;
	args.held = (const uint8_t *const *)w->held;
	mmi_sampler_revise(w->saved->sampler, &args, w->x, mmi_rows_read(w->start), mmi_whole(b.rows), &stats);
	MMI_TRY(mmi_rows_check(model, b.n, w->x, "revised samples", e));
	for (uint32_t m = 0; m < model->n_modalities; m++)
		memcpy(t->x[m] + b.first * floats(w, m), w->x[m], b.n * floats(w, m) * sizeof(float));
	return MM_OK;
}

mm_status mmi_revise_tuples(const mmi_saved *s, const mmi_revise_request *r, const uint8_t *const *held,
                            float *const *x, mm_error *e)
{
	const tuples t = { x, held };
	MMI_TRY(mmi_sampler_prepare(s->sampler, mmi_revise_nets(&r->chains->revise), e));
	return each_block(s, r, move_tuples, &t, e);
}

/* ---------------------------------------------------------------- latents */

typedef struct latents {
	const mmi_inputs *in;
	const mmi_latents *at;
	float *const *x;
} latents;

static void take_latents(work *w, const mmi_latents *from, block b)
{
	const mmi_latents view = mmi_latents_at(from, w->saved->model, b.first);
	mmi_latents_copy(&w->latents, &view, w->saved->model, b.n);
}

static mm_status return_latents(const work *w, const mmi_latents *to, block b, mm_error *e)
{
	const mmi_model *model = w->saved->model;
	mmi_latents view = mmi_latents_at(to, model, b.first);
	bool finite = mmi_finite(w->latents.z, b.n * (size_t)mmi_model_z_dim(model));
	for (uint32_t m = 0; m < model->n_modalities; m++)
		finite = mmi_finite(w->latents.w[m], b.n * (size_t)mmi_model_w_dim(model)) && finite;
	if (!finite)
		return mmi_fail(e, MM_ENUMERIC,
		                "revised latents are not finite numbers: the model has diverged, or the steps of its chains "
		                "are too large");
	mmi_latents_copy(&view, &w->latents, model, b.n);
	return MM_OK;
}

/* What is given, and marks of it: a row behind the last is given nothing, which moves it by its prior alone. */
static void take_given(work *w, const mmi_inputs *in, block b)
{
	for (uint32_t m = 0; m < w->saved->model->n_modalities; m++) {
		if (in->given[m])
			memcpy(w->x[m], in->x[m] + b.first * floats(w, m), b.n * floats(w, m) * sizeof(float));
		for (uint32_t r = 0; r < b.rows; r++) {
			bool given = r < b.n && in->given[m] && !(in->lacking[m] && in->lacking[m][b.first + r]);
			w->observed[m][r] = given ? 1.0f : 0.0f;
			w->held[m][r] = !given;
			if (!given)
				memset(w->x[m] + r * floats(w, m), 0, floats(w, m) * sizeof(float));
		}
	}
}

static mm_status move_latents(work *w, const void *ctx, block b, mm_error *e)
{
	const latents *l = ctx;
	const float *const *observed = mmi_rows_read(w->observed), *const *x = mmi_rows_read(w->x);
	mmi_posterior_args posterior = w->request->chains->posterior;
	mmi_guide_args guide = w->request->chains->guide;
	mmi_chain_stats stats;
	take_latents(w, l->at, b);
	take_given(w, l->in, b);
	posterior.iteration = guide.iteration = b.number;
	posterior.observed = guide.observed = observed;
	posterior.held = guide.held = (const uint8_t *const *)w->held;
	guide.x = x;
	mmi_sampler_posterior(w->saved->sampler, &posterior, x, mmi_whole(b.rows), 1, &w->latents, NULL, &stats);
	if (guide.steps)
		mmi_sampler_guide(w->saved->sampler, &guide, mmi_whole(b.rows), &w->latents, NULL, &stats);
	return return_latents(w, l->at, b, e);
}

mm_status mmi_revise_latents(const mmi_saved *s, const mmi_revise_request *r, const mmi_inputs *in,
                             const mmi_latents *at, mm_error *e)
{
	const latents l = { .in = in, .at = at };
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_POSTERIOR | mmi_chains_nets(r->chains), e));
	return each_block(s, r, move_latents, &l, e);
}

static mm_status decode(work *w, const void *ctx, block b, mm_error *e)
{
	const latents *l = ctx;
	take_latents(w, l->at, b);
	mmi_sampler_decode(w->saved->sampler, &w->latents, b.rows, w->x);
	MMI_TRY(mmi_rows_check(w->saved->model, b.n, w->x, "decoded samples", e));
	for (uint32_t m = 0; m < w->saved->model->n_modalities; m++)
		if (l->x[m])
			memcpy(l->x[m] + b.first * floats(w, m), w->x[m], b.n * floats(w, m) * sizeof(float));
	return MM_OK;
}

mm_status mmi_revise_decode(const mmi_saved *s, const mmi_revise_request *r, const mmi_latents *at, float *const *x,
                            mm_error *e)
{
	const latents l = { .at = at, .x = x };
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_DECODE, e));
	return each_block(s, r, decode, &l, e);
}
