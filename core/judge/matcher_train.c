/* matcher_train.c - trains the towers: embeddings forward, the contrastive loss of the whole batch, then its gradient
 * to each embedding back through each tower, in chunks and lanes as the learner's losses. */
#include "mmi_build.h"

#include "judge/matcher.h"
#include "data/batches.h"
#include "engine/row_ops.h"
#include "engine/trainer.h"

#include <math.h>
#include <string.h>

typedef struct training training;

typedef struct trainer_tower { /* from a sample and the gradient to its embedding to those of the parameters */
	mmi_network net;
	mm_tensor x, grad;
	const training *training;
	uint32_t number; /* of its modality */
} trainer_tower;

struct training {
	mmi_matcher *m;
	const mmi_matching *how;
	trainer_tower tower[MMI_MAX_MODALITIES];
	mmi_trainer trainer;
	mmi_lanes *lanes; /* the trainer's */
	mmi_pass pass;
	uint32_t chunks;                          /* of a batch */
	mmi_doubles room;                         /* for the contrastive loss to work in */
	mmi_mirror told;                          /* doubles [2]: the loss, and of how many pairs */
	mmi_floats embedding[MMI_MAX_MODALITIES]; /* [batch, whole chunks][dim] */
	mmi_floats grad[MMI_MAX_MODALITIES];      /* the same */
	float *const *x;                          /* [modality][batch, whole chunks][floats] */
	float *padded[MMI_MAX_MODALITIES];        /* the same, where a batch is not whole chunks */
};

/* ------------------------------------------------------------ networks */

/* The loss is sum_k grad_k embedding_k: its gradient is what the chain rule sends back. */
static mm_status open_tower(training *t, uint32_t i, mm_error *e)
{
	const mmi_modality *modality = t->m->tower[i].modality;
	trainer_tower *w = &t->tower[i];
	w->training = t;
	w->number = i;
	MMI_TRY(mmi_network_open(&w->net, e));
	mmi_graph *g = w->net.graph;
	mmi_graph_scope(g, t->m->params, "%s", modality->name);
	w->x = mmi_input(g, modality->name, modality->info.shape);
	w->grad = mmi_input(g, "grad", mmi_shape(1, (int)MMI_MATCHER_DIM));
	mm_tensor out = mmi_matcher_record(g, w->x);
	const mmi_grad_request r = { .loss = mmi_sum_all(g, mmi_graph_ops.mul(g, out, w->grad), 1),
		                         .seed = mmi_const(g, mmi_shape(0), 1),
		                         .stores = &t->m->params,
		                         .n_stores = 1 };
	return mmi_trainer_compile(&w->net, &r, MMI_NONE, MMI_MATCHER_CHUNK, t->m->pool, e);
}

static mm_status open_trainer(training *t, mm_error *e)
{
	const mmi_device *d = t->m->params->device;
	const uint32_t chunks = (t->how->batch + MMI_MATCHER_CHUNK - 1) / MMI_MATCHER_CHUNK;
	const size_t rows = (size_t)chunks * MMI_MATCHER_CHUNK,
				 floats = rows * MMI_MATCHER_DIM; /* rows behind the batch have no gradient */
	for (uint32_t i = 0; i < t->m->n; i++) {
		MMI_TRY(open_tower(t, i, e));
		t->embedding[i] = mmi_floats_alloc(d, floats);
		t->grad[i] = mmi_floats_alloc(d, floats);
		if (rows > t->how->batch)
			t->padded[i] = mmi_alloc(rows * (size_t)t->m->tower[i].modality->count, sizeof(float));
		if (!t->embedding[i].at || !t->grad[i].at || (rows > t->how->batch && !t->padded[i]))
			return mmi_fail(e, MM_ENOMEM, "out of memory for training with batches of %u", t->how->batch);
	}
	t->chunks = chunks;
	t->lanes = &t->trainer.lanes;
	t->room.at = d->ops->alloc(d, mmi_contrast_room(t->how->batch, MMI_MATCHER_DIM) * sizeof(double));
	if (!t->room.at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a contrastive loss of %u rows", t->how->batch);
	MMI_TRY(mmi_mirror_create(d, 2 * sizeof(double), &t->told, e));
	MMI_TRY(mmi_pass_create(d, t->m->pool, MMI_MATCHER_CHUNK, t->m->n * (uint32_t)rows, &t->pass, e));
	return mmi_trainer_create(t->m->params, t->m->pool, t->m->n * chunks, t->how->rate, &t->trainer, e);
}

static void close_trainer(training *t)
{
	const mmi_device *d = t->m->params->device;
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_network_clear(&t->tower[i].net);
		mmi_floats_release(d, &t->embedding[i]);
		mmi_floats_release(d, &t->grad[i]);
		mmi_free(t->padded[i]);
	}
	d->ops->release(d, t->room.at);
	mmi_mirror_clear(d, &t->told);
	mmi_pass_clear(&t->pass);
	mmi_trainer_clear(&t->trainer);
}

/* ------------------------------------------------------------ a step */

static void embed_chunk(void *ctx, uint32_t task, uint32_t worker)
{
	training *t = ctx;
	const uint32_t i = task / t->chunks;
	const size_t row = (size_t)(task % t->chunks) * MMI_MATCHER_CHUNK;
	mmi_tower *w = &t->m->tower[i];
	mmi_program *p = w->net.programs[worker];
	mmi_program_feed(p, w->x, MMI_MATCHER_CHUNK, t->x[i] + row * (size_t)w->modality->count);
	mmi_program_run(p);
	mmi_floats_copy(t->m->params->device, mmi_floats_at(t->embedding[i], row * MMI_MATCHER_DIM),
	                mmi_program_data(p, w->out), (size_t)MMI_MATCHER_CHUNK * MMI_MATCHER_DIM);
}

/* The mean over all pairs of modalities, and its gradient to every embedding. */
static double loss_of_pairs(training *t)
{
	const mmi_device *d = t->m->params->device;
	const uint32_t n = t->m->n;
	mmi_contrast c = { .rows = t->how->batch,
		               .stride = MMI_MATCHER_DIM,
		               .dim = MMI_MATCHER_DIM,
		               .temperature = t->how->temperature,
		               .weight = 2.0 / (n * (n - 1.0)),
		               .room = t->room,
		               .told = { t->told.device } };
	d->ops->zero(d, t->told.device, t->told.bytes);
	for (uint32_t i = 0; i < n; i++)
		mmi_floats_zero(d, t->grad[i], (size_t)t->how->batch * MMI_MATCHER_DIM);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = i + 1; j < n; j++) {
			const uint32_t pair[2] = { i, j };
			for (int side = 0; side < 2; side++) {
				c.x[side] = t->embedding[pair[side]];
				c.grad[side] = t->grad[pair[side]];
			}
			d->rows->contrast(d, &c);
		}
	mmi_mirror_pull(d, &t->told, t->told.bytes);
	return *(const double *)t->told.host;
}

static void bind_tower(const void *ctx, mmi_program *p, size_t row, int64_t n)
{
	const trainer_tower *w = ctx;
	const training *t = w->training;
	mmi_program_feed(p, w->x, n, t->x[w->number] + row * (size_t)t->m->tower[w->number].modality->count);
	mmi_program_bind(p, w->grad, mmi_floats_at(t->grad[w->number], row * MMI_MATCHER_DIM));
}

static void backward(training *t)
{
	mmi_pass_rows rows[MMI_MAX_MODALITIES];
	for (uint32_t i = 0; i < t->m->n; i++)
		rows[i] = (mmi_pass_rows){ .net = &t->tower[i].net,
			                       .value = MMI_NONE,
			                       .seed = MMI_NONE,
			                       .l2 = MMI_NONE,
			                       .lanes = &t->lanes,
			                       .n_lanes = 1,
			                       .bind = bind_tower,
			                       .ctx = &t->tower[i],
			                       .rows = t->chunks * MMI_MATCHER_CHUNK };
	mmi_pass_run(&t->pass, rows, t->m->n);
}

static mm_status step(training *t, double schedule, double *loss, mm_error *e)
{
	mmi_pool_run(t->m->pool, t->chunks * t->m->n, embed_chunk, t);
	*loss = loss_of_pairs(t);
	backward(t);
	return mmi_trainer_step(&t->trainer, *loss, schedule, "matcher", e);
}

static void take_rows(training *t, const mmi_batch *batch)
{
	t->x = t->padded[0] ? t->padded : batch->x;
	for (uint32_t i = 0; i < t->m->n && t->padded[i]; i++)
		memcpy(t->padded[i], batch->x[i], batch->size * (size_t)t->m->tower[i].modality->count * sizeof(float));
}

static mm_status train(training *t, mmi_batches *batches, const mmi_matching_hooks *h, mm_error *e)
{
	uint64_t total = mmi_batches_per_epoch(batches) * t->how->epochs;
	for (uint64_t i = 0; i < total; i++) {
		const mmi_batch *batch;
		double loss;
		MMI_TRY(mmi_batches_next(batches, &batch, e));
		take_rows(t, batch);
		MMI_TRY(step(t, 0.5 * (1 + cos(M_PI * (double)i / (double)total)), &loss, e));
		MMI_TRY(h->step(h->ctx, i + 1, total, loss, e));
	}
	return MM_OK;
}

mm_status mmi_matcher_train(mmi_matcher *m, mmi_tuples *tuples, const mmi_matching *how, uint64_t seed,
                            const mmi_matching_hooks *h, mm_error *e)
{
	training t = { .m = m, .how = how };
	mmi_batches *batches = NULL;
	if (mmi_tuples_count(tuples) < how->batch)
		return mmi_fail(e, MM_ECONFIG, "the matcher's batch is %u, but there are only %u complete training tuples",
		                how->batch, mmi_tuples_count(tuples));
	mm_status status = open_trainer(&t, e);
	if (status == MM_OK)
		status = mmi_batches_create(tuples, mmi_whole(how->batch), seed, 0, false, &batches, e);
	if (status == MM_OK)
		status = train(&t, batches, h, e);
	mmi_batches_destroy(batches);
	close_trainer(&t);
	return status;
}
