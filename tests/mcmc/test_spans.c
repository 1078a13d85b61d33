/* test_spans.c - draws are numbered by the row in the whole batch: a batch computed as one span has the bits of the
 * same batch computed as two halves, whatever is drawn. */
#include "mmi_build.h"

#include "../rig/comm_rig.h"
#include "../rig/device_rig.h"
#include "../rig/learner_rig.h"
#include "../rig/rows_rig.h"

#include "learn/terms/terms.h"
#include "mcmc/generate.h"
#include "model/rows.h"
#include "mcmc/translate.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

enum { B = 16, CHAINS = RIG_MODALITIES, MOST = 16, T = 5 };

/* ------------------------------------------------------------ what a span came to */

typedef struct planes { /* each of the rows of a span */
	uint32_t n;
	struct {
		void *rows;
		size_t bytes; /* of a row */
	} at[MOST];
} planes;

static void keep(planes *p, mmi_span span, const void *rows, size_t bytes)
{
	assert_true(p->n < MOST);
	p->at[p->n].bytes = bytes;
	p->at[p->n].rows = mmi_alloc(span.rows, bytes);
	assert_non_null(p->at[p->n].rows);
	memcpy(p->at[p->n++].rows, rows, span.rows * bytes);
}

static void keep_samples(planes *p, const learner_rig *r, mmi_span span, float *const *x)
{
	for (uint32_t m = 0; m < r->n_modalities; m++)
		keep(p, span, x[m], (size_t)r->modality[m].count * sizeof(float));
}

static void keep_latents(planes *p, const learner_rig *r, mmi_span span, const mmi_latents *z)
{
	keep(p, span, z->z, (size_t)mmi_model_z_dim(r->model) * sizeof(float));
	for (uint32_t m = 0; m < r->n_modalities; m++)
		keep(p, span, z->w[m], (size_t)mmi_model_w_dim(r->model) * sizeof(float));
}

static void clear(planes *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		mmi_free(p->at[i].rows);
}

typedef struct world {
	learner_rig rig;
	mmi_sampler *sampler;
	mmi_latents z, start; /* [CHAINS * B] */
	mmi_experts experts;
	float *x[MMI_MAX_MODALITIES], *y[MMI_MAX_MODALITIES]; /* [B] */
	float *given[MMI_MAX_MODALITIES];                     /* the batch's rows of the span: of the rig, not owned */
	const float *observed[MMI_MAX_MODALITIES];            /* and who is there */
	uint32_t expert[B];
} world;

typedef void compute(world *w, mmi_span span, planes *out);

/* A batch in which modalities are missing, from the span's first row on. */
static void give(world *w, mmi_span span)
{
	const mmi_batch *batch = rig_batch(&w->rig, T);
	for (uint32_t m = 0; m < w->rig.n_modalities; m++) {
		w->given[m] = batch->x[m] + span.first * (size_t)w->rig.modality[m].count;
		w->observed[m] = batch->observed[m] + span.first;
	}
}

static void check(compute *call, const char *const *sets)
{
	mm_error e = MM_ERROR_INIT;
	world w = { 0 };
	rig_open(&w.rig, sets);
	rig_run(&w.rig, 2); /* parameters that have learned: an energy of 0 would move nothing */
	w.rig.lacking = true;
	w.sampler = w.rig.learner->sampler;
	assert_int_equal(mmi_latents_create(w.rig.model, CHAINS * B, &w.z, &e), MM_OK);
	assert_int_equal(mmi_latents_create(w.rig.model, CHAINS * B, &w.start, &e), MM_OK);
	assert_int_equal(mmi_experts_create(w.rig.model, B, &w.experts, &e), MM_OK);
	assert_int_equal(mmi_rows_create(w.rig.model, B, w.x, &e), MM_OK);
	assert_int_equal(mmi_rows_create(w.rig.model, B, w.y, &e), MM_OK);
	planes whole = { 0 };
	call(&w, mmi_whole(B), &whole);
	assert_true(whole.n > 0);
	for (uint32_t first = 0; first < B; first += B / 2) {
		const mmi_span half = { .first = first, .rows = B / 2, .of = B };
		planes part = { 0 };
		call(&w, half, &part);
		assert_int_equal(part.n, whole.n);
		for (uint32_t i = 0; i < part.n; i++)
			if (memcmp(part.at[i].rows, (char *)whole.at[i].rows + first * part.at[i].bytes,
			           half.rows * part.at[i].bytes))
				fail_msg("array %u differs in the half from row %u on", i, first);
		clear(&part);
	}
	clear(&whole);
	mmi_latents_clear(&w.z);
	mmi_latents_clear(&w.start);
	mmi_experts_clear(&w.experts);
	mmi_rows_clear(w.x);
	mmi_rows_clear(w.y);
	rig_close(&w.rig);
}

static const char *const sets[] = { "data.incomplete=keep", "learner.private_dim=3", "learner.experts=all",
	                                "learner.x_steps=2",    "learner.z_steps=2",     NULL };

/* ------------------------------------------------------------ draws */

static void draw_priors(world *w, mmi_span span, planes *out)
{
	mmi_sampler_prior(w->sampler, span, 1, T, &w->z);
	keep_latents(out, &w->rig, span, &w->z);
	mmi_sampler_standard(w->sampler, span, 2, T, &w->z);
	keep_latents(out, &w->rig, span, &w->z);
}

static void priors(void **state)
{
	(void)state;
	check(draw_priors, sets);
}

static void draw_noise(world *w, mmi_span span, planes *out)
{
	mmi_sampler_noise(w->sampler, span, T, w->x);
	keep_samples(out, &w->rig, span, w->x);
}

static void noise_that_data_chains_start_from(void **state)
{
	(void)state;
	check(draw_noise, sets);
}

static mmi_start_args start_args(world *w, mmi_span span, uint32_t chain)
{
	give(w, span);
	mmi_sampler_encode(w->sampler, mmi_rows_read(w->given), span.rows, &w->experts);
	mmi_sampler_pick(w->sampler, span, T + chain, w->observed, w->expert);
	return (mmi_start_args){
		.iteration = T, .chain = chain, .expert = w->expert, .observed = w->observed, .temperature = 1
	};
}

static void draw_starts(world *w, mmi_span span, planes *out)
{
	const mmi_start_args a = start_args(w, span, 3);
	keep(out, span, w->expert, sizeof *w->expert);
	mmi_sampler_start(w->sampler, &a, &w->experts, span, &w->z);
	keep_latents(out, &w->rig, span, &w->z);
}

static void experts_and_starts_of_posterior_chains(void **state)
{
	(void)state;
	check(draw_starts, sets);
}

static mmi_guide_args guide_args(world *w, bool given)
{
	return (mmi_guide_args){ .candidates = 4,
		                     .steps = 2,
		                     .iteration = T,
		                     .step = 0.1,
		                     .noise = 0.1,
		                     .weight = 3,
		                     .x = given ? mmi_rows_read(w->given) : NULL,
		                     .observed = given ? w->observed : NULL };
}

static void choose(world *w, mmi_span span, planes *out)
{
	const mmi_start_args start = start_args(w, span, 3);
	const mmi_guide_args given = guide_args(w, true), free_draws = guide_args(w, false);
	mmi_sampler_choose_prior(w->sampler, &free_draws, span, &w->z);
	keep_latents(out, &w->rig, span, &w->z);
	mmi_sampler_choose_start(w->sampler, &given, &start, &w->experts, span, &w->z);
	keep_latents(out, &w->rig, span, &w->z);
}

static void choices_among_draws(void **state)
{
	(void)state;
	check(choose, sets);
}

/* ------------------------------------------------------------ chains */

static void posterior_chains(world *w, mmi_span span, planes *out)
{
	const mmi_posterior_args args = { .steps = 3, .iteration = T, .step = 0.1, .noise = 0.1, .grad_scale = 1 };
	mmi_chain_stats stats;
	for (uint32_t c = 0; c < CHAINS; c++) {
		const mmi_start_args a = start_args(w, span, c);
		mmi_latents chain = mmi_latents_at(&w->z, w->rig.model, (size_t)c * span.rows);
		mmi_sampler_start(w->sampler, &a, &w->experts, span, &chain);
	}
	mmi_latents_copy(&w->start, &w->z, w->rig.model, CHAINS * span.rows);
	mmi_sampler_posterior(w->sampler, &args, mmi_rows_read(w->given), span, CHAINS, &w->z, &w->start, &stats);
	for (uint32_t c = 0; c < CHAINS; c++) {
		const mmi_latents chain = mmi_latents_at(&w->z, w->rig.model, (size_t)c * span.rows);
		keep_latents(out, &w->rig, span, &chain);
	}
}

static void chains_of_z_from_all_experts(void **state)
{
	(void)state;
	check(posterior_chains, sets);
}

static void guide(world *w, mmi_span span, planes *out)
{
	mmi_chain_stats stats;
	give(w, span);
	for (int given = 0; given < 2; given++) {
		const mmi_guide_args args = guide_args(w, given);
		mmi_sampler_prior(w->sampler, span, 0, T, &w->z);
		mmi_sampler_guide(w->sampler, &args, span, &w->z, NULL, &stats);
		keep_latents(out, &w->rig, span, &w->z);
	}
}

static void chains_of_z_that_the_energy_guides(void **state)
{
	(void)state;
	check(guide, sets);
}

/* number: as imputation has it. */
static void data_chains(world *w, mmi_span span, planes *out)
{
	mmi_chain_stats stats;
	for (uint32_t number = 0; number <= span.of; number += span.of) {
		const mmi_revise_args args = {
			.steps = 3, .iteration = T, .step = 0.1, .noise = 0.01, .clamp = true, .move_max = 0.05, .number = number
		};
		give(w, span);
		mmi_rows_copy(w->rig.model, span.rows, w->x, w->given);
		mmi_sampler_revise(w->sampler, &args, w->x, mmi_rows_read(w->given), span, &stats);
		keep_samples(out, &w->rig, span, w->x);
	}
}

static void chains_of_x(void **state)
{
	(void)state;
	check(data_chains, sets);
}

/* ------------------------------------------------------------ samples and translations */

static const mmi_chains recipe = {
	.temperature = 1,
	.guide = { .candidates = 3, .steps = 2, .step = 0.1, .noise = 0.1, .weight = 2 },
	.revise = { .steps = 2, .step = 0.1, .noise = 0.01, .clamp = true },
};

static void generate(world *w, mmi_span span, planes *out)
{
	mmi_chains from_noise = recipe;
	from_noise.revise.from_noise = true;
	mmi_generate(w->rig.model, w->sampler, &recipe, T, span, &w->z, w->x, w->y);
	keep_samples(out, &w->rig, span, w->x);
	keep_samples(out, &w->rig, span, w->y);
	mmi_generate(w->rig.model, w->sampler, &from_noise, T, span, &w->z, w->x, w->y);
	keep_samples(out, &w->rig, span, w->y);
}

static void samples(void **state)
{
	(void)state;
	check(generate, sets);
}

static void translate(world *w, mmi_span span, planes *out)
{
	const mmi_translate_args args = {
		.number = T,
		.expert = -1,
		.temperature = 1,
		.posterior = { .steps = 2, .step = 0.1, .noise = 0.1, .grad_scale = 1 },
		.guide = recipe.guide,
		.revise = recipe.revise,
	};
	mm_error e = MM_ERROR_INIT;
	mmi_translator *t;
	assert_int_equal(mmi_translator_create(w->rig.model, w->sampler, span.rows, &t, &e), MM_OK);
	give(w, span);
	mmi_rows_copy(w->rig.model, span.rows, w->x, w->given);
	mmi_translate(t, &args, w->x, w->observed, span, &w->z);
	keep_samples(out, &w->rig, span, w->x);
	keep_latents(out, &w->rig, span, &w->z);
	mmi_translator_destroy(t);
}

static void translations(void **state)
{
	(void)state;
	check(translate, sets);
}

/* ------------------------------------------------------------ what the learner draws beside them */

static void fill_masks(world *w, mmi_span span, planes *out)
{
	mm_error e = MM_ERROR_INIT;
	mmi_masks k;
	mmi_reduce part = reduce_alone(span.rows);
	part.span = span;
	give(w, span);
	assert_int_equal(mmi_masks_create(w->rig.model, &w->rig.settings, span.rows, CHAINS, &k, &e), MM_OK);
	mmi_masks_fill(w->rig.model, &k, w->sampler, &part, w->observed, T);
	for (uint32_t c = 0; c < CHAINS; c++)
		keep(out, span, k.expert + (size_t)c * span.rows, sizeof *k.expert);
	for (uint32_t m = 0; m < w->rig.n_modalities; m++)
		keep(out, span, k.subset[m], sizeof(float));
	mmi_masks_clear(w->rig.model, &k);
}

static void masks(void **state)
{
	(void)state;
	check(fill_masks, sets);
}

static void draw_swaps(world *w, mmi_span span, planes *out)
{
	static const float whole[B] = { 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1 };
	mm_error e = MM_ERROR_INIT;
	mmi_swaps k;
	const mmi_reduce of = { .span = span, .share = { comm_alone(), mmi_whole(1) } };
	assert_int_equal(mmi_swaps_create(w->rig.model, &of, &k, &e), MM_OK);
	float *made[MMI_MAX_MODALITIES];
	const mmi_device_rows x = on_device(mmi_rows_read(rig_batch(&w->rig, T)->x), w->rig.n_modalities);
	mmi_swaps_draw(&k, w->sampler, w->rig.model, &x, whole, span, T, 1);
	keep_samples(out, &w->rig, span, on_host(&k.x, made));
	mmi_swaps_clear(w->rig.model, &k);
}

static void swapped_tuples(void **state)
{
	(void)state;
	check(draw_swaps, sets);
}

/* The first three quarters of the batch, so that the second half has some that start from the prior. */
static void start_given(world *w, mmi_span span, planes *out)
{
	mm_error e = MM_ERROR_INIT;
	mmi_given g;
	assert_int_equal(mmi_given_create(w->rig.model, span, 0.75, &g, &e), MM_OK);
	give(w, span);
	mmi_sampler_encode(w->sampler, mmi_rows_read(w->given), span.rows, &w->experts);
	mmi_sampler_prior(w->sampler, span, 0, T, &w->z);
	const mmi_device_experts experts = experts_on_device(&w->experts);
	const mmi_device_latents z = latents_on_device(&w->z);
	const mmi_device_rows data = on_device(mmi_rows_read(w->given), w->rig.n_modalities),
						  x = on_device(mmi_rows_read(w->x), w->rig.n_modalities),
						  there = on_device(w->observed, w->rig.n_modalities);
	mmi_given_batch of = { .span = span, .observed = w->observed, .draw = 9, .iteration = T };
	memcpy(of.there.observed, there.x, sizeof there.x);
	mmi_given_start(&g, w->rig.model, w->sampler, &experts, &of, &z);
	mmi_sampler_decode(w->sampler, &w->z, span.rows, w->x);
	mmi_given_fill(&g, w->rig.model, &data, &x);
	keep_latents(out, &w->rig, span, &w->z);
	keep_samples(out, &w->rig, span, w->x);
	for (uint32_t m = 0; m < w->rig.n_modalities; m++)
		keep(out, span, mmi_given_parts(&g, w->rig.model).held[m].at, 1);
	mmi_given_clear(w->rig.model, &g);
}

static void translations_that_data_chains_start_from(void **state)
{
	(void)state;
	check(start_given, sets);
}

/* ------------------------------------------------------------ a chunk */

static void assert_near(double a, double b)
{
	assert_true(fabs(a - b) <= 1e-9 * (1 + fabs(a)));
}

static void count_steps(void *ctx, uint32_t step, const mmi_program *p)
{
	(void)p;
	assert_int_equal(step, (*(uint32_t *)ctx)++);
}

static void revise_chunks_of_8(learner_rig *r, bool watched, float *const *x, mmi_chain_stats *stats)
{
	mm_error e = MM_ERROR_INIT;
	mmi_sampler *s;
	uint32_t steps = 0;
	const mmi_sampler_config config = { .chunk = 8, .max_rows = B, .seed = 5 };
	const mmi_batch *batch = rig_batch(r, T);
	uint8_t held[B];
	const uint8_t *all[MMI_MAX_MODALITIES] = { held };
	mmi_revise_args a = {
		.steps = 6, .iteration = T, .step = 0.3, .noise = 0.1, .clamp = true, .move_max = 0.2, .held = all
	};
	for (int i = 0; i < B; i++)
		held[i] = i % 3 == 0; /* of the first modality */
	assert_int_equal(mmi_sampler_create(r->model, r->pool, &config, &s, &e), MM_OK);
	if (watched) {
		mmi_sampler_expect_watch(s);
		a.watch = count_steps;
		a.watch_ctx = &steps;
	}
	assert_int_equal(mmi_sampler_prepare(s, MMI_NET_REVISE, &e), MM_OK);
	assert_int_equal(mmi_sampler_program_rows(s, MMI_SAMPLER_REVISE), watched || !tested_device()->few ? 8 : 4);
	for (uint32_t m = 0; m < r->n_modalities; m++)
		memcpy(x[m], batch->x[m], B * (size_t)r->modality[m].count * sizeof(float));
	mmi_sampler_revise(s, &a, x, (const float *const *)batch->x, mmi_whole(B), stats);
	assert_int_equal(steps, watched ? a.steps + 1 : 0);
	mmi_sampler_destroy(s);
}

/* A chunk's data chains run a few rows at a time, but where somebody watches them. */
static void data_chains_of_a_chunk_in_parts(void **state)
{
	mm_error e = MM_ERROR_INIT;
	learner_rig r = { 0 };
	float *x[2][MMI_MAX_MODALITIES] = { { NULL } };
	mmi_chain_stats stats[2];
	(void)state;
	rig_open(&r, (const char *const[]){ NULL });
	rig_run(&r, 2);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(mmi_rows_create(r.model, B, x[k], &e), MM_OK);
		revise_chunks_of_8(&r, k == 1, x[k], &stats[k]);
	}
	for (uint32_t m = 0; m < r.n_modalities; m++)
		assert_memory_equal(x[0][m], x[1][m], B * (size_t)r.modality[m].count * sizeof(float));
	assert_true(stats[0].move2 > 0 && stats[0].noise2 > 0);
	assert_near(stats[0].energy, stats[1].energy);
	assert_near(stats[0].grad2, stats[1].grad2);
	assert_near(stats[0].drift2, stats[1].drift2);
	assert_near(stats[0].noise2, stats[1].noise2);
	assert_near(stats[0].move2, stats[1].move2);
	assert_near(stats[0].elements, stats[1].elements);
	for (int k = 0; k < 2; k++)
		mmi_rows_clear(x[k]);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priors),
		cmocka_unit_test(noise_that_data_chains_start_from),
		cmocka_unit_test(experts_and_starts_of_posterior_chains),
		cmocka_unit_test(choices_among_draws),
		cmocka_unit_test(chains_of_z_from_all_experts),
		cmocka_unit_test(chains_of_z_that_the_energy_guides),
		cmocka_unit_test(chains_of_x),
		cmocka_unit_test(samples),
		cmocka_unit_test(translations),
		cmocka_unit_test(masks),
		cmocka_unit_test(swapped_tuples),
		cmocka_unit_test(translations_that_data_chains_start_from),
		cmocka_unit_test(data_chains_of_a_chunk_in_parts),
	};
	return cmocka_run_group_tests_name("halves of a batch have the bits of the whole", tests, NULL, NULL);
}
