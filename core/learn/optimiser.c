/* optimiser.c - Adam. */
#include "mmi_build.h"

#include "learn/optimiser.h"
#include "base/finite.h"
#include "engine/vec.h"

#include <math.h>
#include <stdatomic.h>

#define BLOCK 16384 /* floats: a task's share */

mm_status mmi_optimiser_create(mmi_params *params, const mmi_adam_config *config, mmi_optimiser *out, mm_error *e)
{
	mmi_optimiser o = { .params = params, .config = *config, .rate_factor = 1 };
	o.m = mmi_alloc(params->count, sizeof *o.m);
	o.v = mmi_alloc(params->count, sizeof *o.v);
	o.ema = config->ema > 0 ? mmi_alloc(params->count, sizeof *o.ema) : NULL;
	if (!o.m || !o.v || (config->ema > 0 && !o.ema)) {
		mmi_optimiser_clear(&o);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the optimiser of \"%s\"", params->name);
	}
	*out = o;
	return MM_OK;
}

void mmi_optimiser_clear(mmi_optimiser *o)
{
	mmi_free(o->m);
	mmi_free(o->v);
	mmi_free(o->ema);
	*o = (mmi_optimiser){ 0 };
}

typedef struct mmi_adam_job {
	mmi_optimiser *o;
	const float *grad;
	mmi_adam args;
	float keep; /* of the moving average */
	atomic_bool broken;
} mmi_adam_job;

static void average(const mmi_adam_job *j, size_t offset, size_t n)
{
	const float *raw = j->o->params->raw.at + offset;
	float *ema = j->o->ema + offset;
	for (size_t i = 0; i < n; i++)
		ema[i] = j->keep * ema[i] + (1 - j->keep) * raw[i];
}

static void adam_block(void *ctx, uint32_t block, uint32_t worker)
{
	mmi_adam_job *j = ctx;
	const mmi_optimiser *o = j->o;
	size_t offset = (size_t)block * BLOCK, left = o->params->count - offset, n = left < BLOCK ? left : BLOCK;
	(void)worker;
	float *raw = o->params->raw.at + offset;
	o->params->device->vec->adam(raw, o->m + offset, o->v + offset, j->grad + offset, n, &j->args);
	if (o->ema)
		average(j, offset, n);
	/* While they are in the cache. A finite gradient is no promise: its square may overflow, or the rate be absurd. */
	if (!mmi_finite(raw, n) || !mmi_finite(o->m + offset, n) || !mmi_finite(o->v + offset, n) ||
	    (o->ema && !mmi_finite(o->ema + offset, n)))
		atomic_store_explicit(&j->broken, true, memory_order_relaxed);
}

mm_status mmi_optimiser_step(mmi_optimiser *o, mmi_pool *pool, const float *grad, double norm, double schedule, mm_error *e)
{
	const mmi_adam_config *c = &o->config;
	mmi_adam_job j = { .o = o, .grad = grad };
	/* As an ordinary mean at first, so that it does not remember the initial values. */
	j.keep = (float)fmin(c->ema, (double)o->t / (double)(o->t + 1));
	o->t++;
	j.args = (mmi_adam){
		.rate = (float)(c->rate * o->rate_factor * schedule),
		.beta1 = (float)c->beta1,
		.beta2 = (float)c->beta2,
		.eps = (float)c->eps,
		.weight_decay = (float)c->weight_decay,
		.correction1 = (float)(1 - pow(c->beta1, (double)o->t)),
		.correction2 = (float)(1 - pow(c->beta2, (double)o->t)),
		.grad_scale = c->clip > 0 && norm > c->clip ? (float)(c->clip / norm) : 1.0f,
	};
	mmi_pool_run(pool, (uint32_t)((o->params->count + BLOCK - 1) / BLOCK), adam_block, &j);
	if (!atomic_load_explicit(&j.broken, memory_order_relaxed))
		mmi_params_update(o->params, 1);
	if (atomic_load_explicit(&j.broken, memory_order_relaxed) || !mmi_finite(o->params->vectors.at, o->params->n_vectors))
		return mmi_fail(e, MM_ENUMERIC, "update %lld gives the %s model, or what its optimiser remembers, values that are not finite",
		                (long long)o->t, o->params->name);
	return MM_OK;
}
