/* eval_latents.c - the class read linearly off the latents that each modality's encoder infers. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "eval/eval_work.h"
#include "eval/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PENALTY 1e-3

enum { MEAN, SAMPLE, KINDS };
static const char *const kinds[KINDS] = { "mean", "sample" };

/* Latents of one part of the data. With independent generators there is no z: w_m takes its place. */
typedef struct mmi_codes {
	uint32_t rows, d;
	int32_t *label;
	float *z[KINDS][MMI_MAX_MODALITIES]; /* [rows][d] */
} mmi_codes;

typedef struct mmi_reading {
	const mmi_codes *train, *test;
	uint32_t classes;
	mm_error error[KINDS * MMI_MAX_MODALITIES];
	double accuracy[KINDS * MMI_MAX_MODALITIES];
} mmi_reading;

static void codes_clear(mmi_codes *c)
{
	mmi_free(c->label);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		for (int k = 0; k < KINDS; k++)
			mmi_free(c->z[k][m]);
	*c = (mmi_codes){ 0 };
}

static mm_status codes_create(const mmi_eval_work *w, uint32_t rows, mmi_codes *c, mm_error *e)
{
	int32_t z = mmi_model_z_dim(w->model);
	*c = (mmi_codes){ .rows = rows, .d = (uint32_t)(z ? z : mmi_model_w_dim(w->model)) };
	bool ok = (c->label = mmi_alloc(rows, sizeof *c->label));
	for (uint32_t m = 0; m < w->n; m++)
		for (int k = 0; k < KINDS; k++)
			ok = ok && (c->z[k][m] = mmi_alloc((size_t)rows * c->d, sizeof(float)));
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the latents of %u tuples", rows);
}

/* q(z | x_m), as for a translation from x_m alone: its location, and a draw; `rows` of them behind the first `first` of
 * c. */
static void infer_from(mmi_eval_work *w, const mmi_experts *experts, uint32_t *expert, uint32_t m, uint32_t iteration,
                       uint32_t first, uint32_t rows, mmi_codes *c)
{
	for (uint32_t r = 0; r < w->block; r++) {
		expert[r] = m;
		for (uint32_t i = 0; i < w->n; i++)
			w->observed[i][r] = i == m;
	}
	mmi_start_args args = {
		.iteration = iteration, .chain = m, .expert = expert, .observed = (const float *const *)w->observed
	};
	for (int k = 0; k < KINDS; k++) {
		args.temperature = k == MEAN ? 0 : 1;
		mmi_sampler_start(w->sampler, &args, experts, mmi_whole(w->block), &w->z);
		memcpy(c->z[k][m] + (size_t)first * c->d, w->z.z ? w->z.z : w->z.w[m], (size_t)rows * c->d * sizeof(float));
	}
}

static mm_status infer(mmi_eval_work *w, mmi_tuples *tuples, const mmi_experts *experts, uint32_t *expert,
                       uint32_t number, mmi_codes *c, mm_error *e)
{
	for (uint32_t first = 0, block = 0; first < c->rows; first += w->block, block++) {
		uint32_t rows = mmi_eval_rows(w, first, c->rows);
		MMI_TRY(mmi_eval_read(w, tuples, first, rows, e));
		memcpy(c->label + first, w->label, rows * sizeof *w->label);
		mmi_sampler_encode(w->sampler, (const float *const *)w->data, w->block, experts);
		for (uint32_t m = 0; m < w->n; m++)
			infer_from(w, experts, expert, m, number + block, first, rows, c);
		MMI_TRY(mmi_eval_tick(w, "latents", e));
	}
	return MM_OK;
}

static mm_status infer_both(mmi_eval_work *w, mmi_tuples *train, mmi_codes *seen, mmi_codes *unseen, mm_error *e)
{
	mmi_experts experts = { { NULL }, { NULL }, { NULL }, { NULL } };
	uint32_t *expert = mmi_alloc(w->block, sizeof *expert);
	mm_status status = expert ? mmi_experts_create(w->model, w->block, &experts, e)
	                          : mmi_fail(e, MM_ENOMEM, "out of memory for latents");
	if (status == MM_OK)
		status = infer(w, train, &experts, expert, MMI_ITERATION_EVAL_TRAINED, seen, e);
	if (status == MM_OK)
		status = infer(w, w->tuples, &experts, expert, MMI_ITERATION_EVAL_TESTED, unseen, e);
	mmi_experts_clear(&experts);
	mmi_free(expert);
	return status;
}

/* A task is one regression. */
static void read_one(void *ctx, uint32_t task, uint32_t worker)
{
	mmi_reading *r = ctx;
	uint32_t m = task / KINDS, k = task % KINDS;
	mmi_probe p = { 0 };
	(void)worker;
	if (mmi_probe_fit(r->train->z[k][m], r->train->label, r->train->rows, r->train->d, r->classes, PENALTY, &p,
	                  &r->error[task]) == MM_OK)
		r->accuracy[task] = mmi_probe_accuracy(&p, r->test->z[k][m], r->test->label, r->test->rows);
	mmi_probe_clear(&p);
}

static mm_status add(mmi_eval_work *w, const mmi_reading *r, mm_error *e)
{
	static const char name[] = "latent accuracy";
	double sum[KINDS] = { 0 };
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t k = 0; k < KINDS; k++) {
			uint32_t task = m * KINDS + k;
			if (r->error[task].code)
				return mmi_fail(e, r->error[task].code, "%s", r->error[task].message);
			MMI_TRY(mmi_report_add(w->out, name, w->model->modalities[m].name, kinds[k], r->accuracy[task], e));
			sum[k] += r->accuracy[task] / w->n;
		}
	for (uint32_t k = 0; k < KINDS; k++)
		MMI_TRY(mmi_report_add(w->out, name, "mean", kinds[k], sum[k], e));
	return MM_OK;
}

static uint32_t classes_of(const mmi_codes *a, const mmi_codes *b)
{
	int32_t top = -1;
	for (uint32_t i = 0; i < a->rows; i++)
		top = a->label[i] > top ? a->label[i] : top;
	int32_t trained = top;
	for (uint32_t i = 0; i < b->rows; i++)
		top = b->label[i] > top ? b->label[i] : top;
	return trained < 0 ? 0 : (uint32_t)top + 1;
}

static bool has_class(const mmi_codes *c, int32_t label)
{
	for (uint32_t i = 0; i < c->rows; i++)
		if (c->label[i] == label)
			return true;
	return false;
}

/* What the probe has never seen it cannot tell: says which classes of the test tuples these are. */
static mm_status tell_unseen(mmi_eval_work *w, const mmi_codes *seen, const mmi_codes *unseen, uint32_t classes,
                             mm_error *e)
{
	char text[120] = "";
	size_t used = 0;
	uint32_t n = 0;
	for (uint32_t c = 0; c < classes; c++)
		if (has_class(unseen, (int32_t)c) && !has_class(seen, (int32_t)c) && ++n <= 10)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%u", n > 1 ? ", " : "", c);
	if (!n)
		return MM_OK;
	mmi_logf(w->r->setup.log, MM_LOG_WARNING,
	         "latent accuracy: %u classes of the %s tuples (%s%s) are not among the %u training tuples the probe "
	         "is fitted to, so it cannot tell them; raise --probe",
	         n, mmi_part_name(w->r->part), text, n > 10 ? ", ..." : "", seen->rows);
	return mmi_report_fact(w->out, "probe lacks", e, "%u classes: %s%s", n, text, n > 10 ? ", ..." : "");
}

static mm_status read_codes(mmi_eval_work *w, const mmi_codes *seen, const mmi_codes *unseen, mm_error *e)
{
	mmi_reading *r = mmi_alloc(1, sizeof *r);
	if (!r)
		return mmi_fail(e, MM_ENOMEM, "out of memory for latents");
	r->train = seen;
	r->test = unseen;
	r->classes = classes_of(seen, unseen);
	mm_status status;
	if (r->classes < 2) {
		status = mmi_report_lack(w->out, "latent accuracy", "the training tuples have no labels, or one class only", e);
	} else {
		mmi_pool_run(w->saved.setup.pool, w->n * KINDS, read_one, r);
		status = add(w, r, e);
		if (status == MM_OK)
			status = tell_unseen(w, seen, unseen, r->classes, e);
	}
	mmi_free(r);
	return status;
}

uint64_t mmi_eval_latents_blocks(const mmi_eval_work *w)
{
	return mmi_eval_blocks(w, w->r->probe) + mmi_eval_blocks(w, w->n_tuples);
}

mm_status mmi_eval_latents(mmi_eval_work *w, mm_error *e)
{
	const mmi_setup *s = &w->saved.setup;
	mmi_tuples *train = NULL;
	mmi_codes seen = { 0 }, unseen = { 0 };
	MMI_TRY(mmi_setup_tuples(s, MMI_PART_TRAIN, w->r->setup.log, &train, e));
	mm_status status = mmi_tuples_pick(train, w->r->probe, w->r->seed, e);
	const uint32_t rows = mmi_tuples_count(train);
	if (status == MM_OK)
		status = codes_create(w, rows, &seen, e);
	if (status == MM_OK)
		status = codes_create(w, w->n_tuples, &unseen, e);
	if (status == MM_OK)
		status = infer_both(w, train, &seen, &unseen, e);
	if (status == MM_OK)
		status = mmi_report_fact(w->out, "probe tuples", e, "%u", rows);
	if (status == MM_OK)
		status = read_codes(w, &seen, &unseen, e);
	codes_clear(&seen);
	codes_clear(&unseen);
	mmi_tuples_close(train);
	return status;
}
