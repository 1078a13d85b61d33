/* optimiser.c - Adam. */
#include "mmi_build.h"

#include "engine/optimiser.h"
#include "engine/row_ops.h"

#include <math.h>

static mm_status allocate(mmi_optimiser *o, mm_error *e)
{
	const mmi_device *d = o->params->device;
	const size_t bytes = o->params->count * sizeof(float);
	MMI_TRY(mmi_mirror_create(d, bytes, &o->m_copy, e));
	MMI_TRY(mmi_mirror_create(d, bytes, &o->v_copy, e));
	if (o->config.amsgrad)
		MMI_TRY(mmi_mirror_create(d, bytes, &o->v_max_copy, e));
	if (o->config.ema > 0)
		MMI_TRY(mmi_mirror_create(d, bytes, &o->ema_copy, e));
	o->m.at = o->m_copy.device;
	o->v.at = o->v_copy.device;
	o->ema.at = o->ema_copy.device;
	o->v_max.at = o->v_max_copy.device;
	MMI_TRY(mmi_mirror_create(d, sizeof(float), &o->scale, e));
	return mmi_mirror_create(d, sizeof(uint32_t), &o->broken, e);
}

mm_status mmi_optimiser_create(mmi_params *params, const mmi_adam_config *config, mmi_optimiser *out, mm_error *e)
{
	mmi_optimiser o = { .params = params, .config = *config, .rate_factor = 1 };
	mm_status status = allocate(&o, e);
	if (status != MM_OK) {
		mmi_optimiser_clear(&o);
		return mmi_fail_prefix(e, "the optimiser of \"%s\"", params->name);
	}
	if (o.ema.at) /* of a model that no update reaches: the first one leaves nothing of this */
		mmi_floats_copy(params->device, o.ema, params->raw, params->count);
	*out = o;
	return MM_OK;
}

void mmi_optimiser_clear(mmi_optimiser *o)
{
	mmi_mirror *const all[] = { &o->m_copy, &o->v_copy, &o->v_max_copy, &o->ema_copy, &o->broken, &o->scale };
	for (size_t i = 0; o->params && i < MMI_COUNT(all); i++)
		mmi_mirror_clear(o->params->device, all[i]);
	*o = (mmi_optimiser){ 0 };
}

void mmi_optimiser_fetch(const mmi_optimiser *o)
{
	const mmi_mirror *const all[] = { &o->m_copy, &o->v_copy, &o->v_max_copy, &o->ema_copy };
	mmi_params_fetch(o->params);
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		mmi_mirror_pull(o->params->device, all[i], all[i]->bytes);
}

void mmi_optimiser_push(const mmi_optimiser *o)
{
	const mmi_mirror *const all[] = { &o->m_copy, &o->v_copy, &o->v_max_copy, &o->ema_copy };
	mmi_params_push(o->params);
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		mmi_mirror_push(o->params->device, all[i]);
}

typedef struct mmi_adam_job {
	const mmi_device *device;
	mmi_adam_rows rows; /* of all parameters */
} mmi_adam_job;

static void adam_block(void *ctx, uint32_t block, uint32_t worker)
{
	const mmi_adam_job *j = ctx;
	const mmi_adam_rows *all = &j->rows;
	const size_t share = mmi_device_share(j->device, all->n), offset = (size_t)block * share, left = all->n - offset;
	mmi_adam_rows a = *all;
	(void)worker;
	a.n = left < share ? left : share;
	a.raw = mmi_floats_at(a.raw, offset);
	a.m = mmi_floats_at(a.m, offset);
	a.v = mmi_floats_at(a.v, offset);
	a.ema = mmi_floats_at(a.ema, offset);
	a.v_max = mmi_floats_at(a.v_max, offset);
	a.grad = mmi_floats_at(a.grad, offset);
	j->device->rows->adam(j->device, &a);
}

void mmi_optimiser_clip(const mmi_optimiser *o, mmi_doubles squares, uint32_t n, mmi_doubles norm)
{
	const mmi_device *d = o->params->device;
	const mmi_norm a = {
		.squares = squares, .n = n, .clip = o->config.clip, .norm = norm, .scale = { o->scale.device }
	};
	d->rows->norm(d, &a);
}

void mmi_optimiser_queue(mmi_optimiser *o, mmi_pool *pool, mmi_floats grad, double schedule, mmi_words guard)
{
	const mmi_adam_config *c = &o->config;
	const mmi_device *d = o->params->device;
	const mmi_words broken = { o->broken.device };
	mmi_adam_job j = { d,
		               { .raw = o->params->raw,
		                 .m = o->m,
		                 .v = o->v,
		                 .ema = o->ema,
		                 .v_max = o->v_max,
		                 .grad = grad,
		                 .scale = { o->scale.device },
		                 .guard = guard,
		                 .n = o->params->count,
		                 .broken = broken } };
	/* As an ordinary mean at first, so that it does not remember the initial values. */
	j.rows.keep = (float)fmin(c->ema, (double)o->t / (double)(o->t + 1));
	o->t++;
	j.rows.adam = (mmi_adam){
		.rate = (float)(c->rate * o->rate_factor * schedule),
		.beta1 = (float)c->beta1,
		.beta2 = (float)c->beta2,
		.eps = (float)c->eps,
		.weight_decay = (float)c->weight_decay,
		.correction1 = (float)(1 - pow(c->beta1, (double)o->t)),
		.correction2 = (float)(1 - pow(c->beta2, (double)o->t)),
	};
	d->ops->zero(d, broken.at, sizeof *broken.at);
	const size_t share = mmi_device_share(d, o->params->count);
	mmi_pool_run(pool, (uint32_t)((o->params->count + share - 1) / share), adam_block, &j);
	mmi_params_update(o->params, 1);
	d->rows->check(d, o->params->vectors, o->params->n_vectors, broken);
}

mm_status mmi_optimiser_failed(const mmi_optimiser *o, int64_t t, mm_error *e)
{
	return mmi_fail(e, MM_ENUMERIC,
	                "update %lld gives the %s model, or what its optimiser remembers, values that are not finite",
	                (long long)t, o->params->name);
}

mm_status mmi_optimiser_step(mmi_optimiser *o, mmi_pool *pool, mmi_floats grad, double norm, double schedule,
                             mm_error *e)
{
	const mmi_device *d = o->params->device;
	const double clip = o->config.clip;
	*(float *)o->scale.host = clip > 0 && norm > clip ? (float)(clip / norm) : 1.0f;
	mmi_mirror_push(d, &o->scale);
	mmi_optimiser_queue(o, pool, grad, schedule, (mmi_words){ NULL });
	mmi_mirror_pull(d, &o->broken, o->broken.bytes);
	return *(const uint32_t *)o->broken.host ? mmi_optimiser_failed(o, o->t, e) : MM_OK;
}
