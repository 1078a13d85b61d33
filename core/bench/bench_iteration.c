/* bench_iteration.c - one cooperative training iteration of an INI, and its chains timed apart. */
#include "mmi_build.h"

#include "bench/bench_timer.h"

#include "learn/learner.h"

#include <string.h>

typedef struct mmi_iteration_work {
	mmi_setup setup;
	mmi_tuples *tuples;
	mmi_model *model;
	mmi_learner *learner;
	mmi_batches *batches;
	const mmi_batch *batch;
} mmi_iteration_work;

/* The request with chains in every iteration: those without are another piece of work. */
static mm_status open_setup(const mmi_bench_request *r, mmi_setup *out, mm_error *e)
{
	char threads[32];
	mmi_setup_request request = r->setup;
	const char **sets = mmi_alloc(request.n_sets + 2, sizeof *sets);
	if (!sets)
		return mmi_fail(e, MM_ENOMEM, "out of memory for settings");
	for (size_t i = 0; i < request.n_sets; i++)
		sets[i] = request.sets[i];
	sets[request.n_sets++] = "learner.warmup=0";
	if (r->threads) {
		snprintf(threads, sizeof threads, "run.threads=%u", r->threads);
		sets[request.n_sets++] = threads;
	}
	request.sets = sets;
	mm_status status = mmi_setup_open(&request, out, e);
	mmi_free(sets);
	return status;
}

static mm_status open_work(const mmi_bench_request *r, mmi_iteration_work *w, mm_error *e)
{
	const mmi_settings *s = &w->setup.settings;
	MMI_TRY(open_setup(r, &w->setup, e));
	MMI_TRY(mmi_tuples_open(w->setup.modalities, w->setup.n_modalities, MMI_PART_TRAIN, s->holdout, s->seed,
	                        r->setup.log, &w->tuples, e));
	if (mmi_tuples_count(w->tuples) < s->batch)
		return mmi_fail(e, MM_ECONFIG, "[learner] batch = %u, but there are only %u training tuples", s->batch,
		                mmi_tuples_count(w->tuples));
	MMI_TRY(mmi_model_create(&w->setup.device, w->setup.modalities, w->setup.n_modalities, &s->model, &w->model, e));
	MMI_TRY(mmi_learner_create(s, w->model, w->setup.pool, &w->setup.comm, &w->learner, e));
	return mmi_batches_create(w->tuples, w->learner->span, s->seed, 0, true, &w->batches, e);
}

static void close_work(mmi_iteration_work *w)
{
	mmi_batches_destroy(w->batches);
	mmi_learner_destroy(w->learner);
	mmi_model_destroy(w->model);
	mmi_tuples_close(w->tuples);
	mmi_setup_close(&w->setup);
}

/* A device that only queued the work has done it when this returns. */
static mm_status settle(const mmi_iteration_work *w, mm_error *e)
{
	const mmi_device *d = &w->setup.device;
	return d->ops->wait(d, e);
}

static mm_status iterate(void *ctx, mm_error *e)
{
	mmi_iteration_work *w = ctx;
	mmi_measures measures;
	MMI_TRY(mmi_batches_next(w->batches, &w->batch, e));
	MMI_TRY(mmi_learner_iterate(w->learner, w->batch, &measures, e));
	/* Measuring x_step takes an extra step in a run's first iterations only. */
	w->learner->state.x_step_n = MMI_CALIBRATE;
	return settle(w, e);
}

/* ------------------------------------------------------------ stages */

static mm_status wait_for_data(void *ctx, mm_error *e)
{
	mmi_iteration_work *w = ctx;
	MMI_TRY(mmi_batches_next(w->batches, &w->batch, e));
	mmi_learner_take(w->learner, w->batch);
	return settle(w, e);
}

/* No modality is missing, none is held. */
static const mmi_parts all = { .expert = { NULL } };

static mm_status encode(void *ctx, mm_error *e)
{
	const mmi_iteration_work *w = ctx;
	mmi_learner *l = w->learner;
	mmi_run_encode(l->sampler, &l->x, l->span.rows, &l->experts);
	return settle(w, e);
}

static mm_status posterior_chain(void *ctx, mm_error *e)
{
	const mmi_iteration_work *w = ctx;
	mmi_learner *l = w->learner;
	mmi_chain_stats stats;
	const mmi_posterior_args args = mmi_settings_posterior(l->settings, l->model->n_modalities);
	mmi_run_posterior(l->sampler, &args, &all, &l->x, l->span, l->n_chains, &l->z, &l->z_start, &stats);
	return settle(w, e);
}

static mm_status decode(void *ctx, mm_error *e)
{
	const mmi_iteration_work *w = ctx;
	mmi_learner *l = w->learner;
	mmi_run_decode(l->sampler, &l->z_prior, l->span.rows, &l->generated);
	return settle(w, e);
}

static mm_status data_chain(void *ctx, mm_error *e)
{
	const mmi_iteration_work *w = ctx;
	mmi_learner *l = w->learner;
	mmi_chain_stats stats;
	const mmi_settings *s = l->settings;
	const mmi_revise_args args = {
		.steps = s->x_steps, .step = l->state.x_step, .noise = s->x_noise, .move_max = s->x_move_max, .clamp = s->clamp
	};
	mmi_run_revise(l->sampler, &args, &all, &l->revised, &l->generated, l->span, &stats);
	return settle(w, e);
}

/* What the stages leave of the iteration are the updates of the three models. */
static mm_status time_stages(mmi_iteration_work *w, uint32_t repeat, mmi_bench_figure *f, mm_error *e)
{
	static const struct {
		const char *name;
		mmi_bench_task *task;
	} stages[] = {
		{ "encode", encode },
		{ "z chain", posterior_chain },
		{ "generate", decode },
		{ "x chain", data_chain },
	};
	double rest = f->median;
	MMI_TRY(wait_for_data(w, e));
	for (size_t i = 0; i < MMI_COUNT(stages); i++) {
		mmi_bench_figure stage;
		MMI_TRY(mmi_bench_time(stages[i].name, repeat, stages[i].task, w, &stage, e));
		f->stage[f->n_stages++] = (mmi_bench_stage){ stages[i].name, stage.median };
		rest -= stage.median;
	}
	f->stage[f->n_stages++] = (mmi_bench_stage){ "updates", rest };
	return MM_OK;
}

mm_status mmi_bench_iteration(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e)
{
	mmi_iteration_work w = { .learner = NULL };
	mmi_bench_reset_peak();
	mm_status status = open_work(r, &w, e);
	if (status == MM_OK)
		status = mmi_bench_time(mmi_bench_name(MMI_BENCH_ITERATION), r->repeat, iterate, &w, out, e);
	if (status == MM_OK) {
		out->threads = w.setup.settings.threads;
		status = time_stages(&w, r->repeat, out, e);
	}
	close_work(&w);
	return status;
}
