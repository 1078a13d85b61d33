/* test_networks.c - what a plugin records: the same each time, complete, finite, and able to learn. */
#include "mmi_build.h"

#include "base/finite.h"
#include "engine/trainer.h"
#include "model/model.h"
#include "run/setup.h"
#include "validate/tests.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- one branch on its own */

enum { ENCODER, DECODER, FEATURES, CLASSIFIER, BRANCHES, LATENT = 8, ROWS = 3, OUTPUTS = 4 };

static const char *const callbacks[BRANCHES] = { "build_encoder", "build_decoder", "build_features",
	                                             "classifier build" };

typedef struct branch {
	mmi_device device;
	mmi_graph *graph;
	mmi_params *params;
	int kind;
	mm_tensor in, w; /* the sample, or z; w: MMI_NONE */
	mm_tensor out[OUTPUTS];
	const char *name[OUTPUTS];
	uint32_t n_out;
} branch;

static void give(branch *b, const char *name, mm_tensor x)
{
	b->name[b->n_out] = name;
	b->out[b->n_out++] = x;
}

static mm_status record_encoder(const mmi_modality *m, branch *b, int32_t latent, int32_t private, mm_error *e)
{
	mm_encoder_io io;
	b->in = mmi_input(b->graph, "x", m->info.shape);
	MMI_TRY(mmi_modality_build_encoder(m, b->graph, b->in, latent, private, &io, e));
	give(b, "z_loc", io.z_loc);
	give(b, "z_raw", io.z_raw);
	if (private > 0) {
		give(b, "w_loc", io.w_loc);
		give(b, "w_raw", io.w_raw);
	}
	return MM_OK;
}

static mm_status record_decoder(const mmi_modality *m, branch *b, int32_t latent, int32_t private, mm_error *e)
{
	mm_tensor out;
	b->in = mmi_input(b->graph, "z", mmi_shape(1, (int)latent));
	b->w = private > 0 ? mmi_input(b->graph, "w", mmi_shape(1, (int)private)) : MMI_NONE;
	MMI_TRY(mmi_modality_build_decoder(m, b->graph, b->in, b->w, &out, e));
	give(b, "out", out);
	return MM_OK;
}

static mm_status record_features(const mmi_modality *m, branch *b, mm_error *e)
{
	mm_tensor out;
	b->in = mmi_input(b->graph, "x", m->info.shape);
	MMI_TRY(mmi_modality_build_features(m, b->graph, b->in, &out, e));
	give(b, "features", out);
	return MM_OK;
}

static mm_status record_classifier(const mmi_modality *m, branch *b, mm_error *e)
{
	mm_tensor logits, features;
	b->in = mmi_input(b->graph, "x", m->info.shape);
	MMI_TRY(mmi_modality_build_classifier(m, b->graph, b->in, &logits, &features, e));
	give(b, "logits", logits);
	give(b, "features", features);
	return MM_OK;
}

static mm_status record(const mmi_modality *m, branch *b, int32_t latent, int32_t private, mm_error *e)
{
	switch (b->kind) {
	case ENCODER:
		return record_encoder(m, b, latent, private, e);
	case DECODER:
		return record_decoder(m, b, latent, private, e);
	case FEATURES:
		return record_features(m, b, e);
	default:
		return record_classifier(m, b, e);
	}
}

static void close_branch(branch *b)
{
	mmi_graph_destroy(b->graph);
	mmi_params_destroy(b->params);
	b->graph = NULL;
	b->params = NULL;
}

/* limit: of operations, 0 for none. Close also after a failure. The branch stays where it is meanwhile. */
static mm_status open_branch(mmi_subject *s, int kind, int32_t latent, int32_t private, size_t limit, branch *b,
                             mm_error *e)
{
	*b = (branch){ .device = mmi_setup_host(), .kind = kind, .w = MMI_NONE };
	MMI_TRY(mmi_params_create(&b->device, "test", &b->params, e));
	MMI_TRY(mmi_graph_create(&b->graph, e));
	b->graph->limit = limit;
	mmi_graph_scope(b->graph, b->params, "%s", s->m.name);
	return record(&s->m, b, latent, private, e);
}

static bool has(const mmi_subject *s, int kind)
{
	return kind != CLASSIFIER || s->m.classifier;
}

mm_status mmi_test_build(mmi_subject *s, mm_error *e)
{
	for (int kind = ENCODER; kind < CLASSIFIER; kind++) {
		branch b;
		mm_status status = open_branch(s, kind, LATENT, 0, 0, &b, e);
		close_branch(&b);
		MMI_TRY(status);
	}
	return MM_OK;
}

mm_status mmi_test_classifier(mmi_subject *s, mm_error *e)
{
	branch b;
	if (!s->m.classifier)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_CLASSIFIER ", or no classes");
	mm_status status = open_branch(s, CLASSIFIER, LATENT, 0, 0, &b, e);
	close_branch(&b);
	return status;
}

/* ---------------------------------------------------------------- the same each time */

static bool same_attributes(const mmi_attr *a, const mmi_attr *b)
{
	return a->kh == b->kh && a->kw == b->kw && a->sh == b->sh && a->sw == b->sw && a->ph == b->ph && a->pw == b->pw &&
	       a->axis == b->axis && a->begin == b->begin && a->count == b->count && a->act == b->act &&
	       a->flag == b->flag && !memcmp(&a->a, &b->a, sizeof a->a) && !memcmp(&a->b, &b->b, sizeof a->b);
}

static bool same_node(const mmi_node *a, const mmi_node *b)
{
	if (a->op != b->op || a->n_in != b->n_in || !mmi_shape_equal(&a->shape, &b->shape) ||
	    memcmp(a->in, b->in, a->n_in * sizeof *a->in) != 0 || !same_attributes(&a->attr, &b->attr))
		return false;
	return !a->params || !strcmp(a->params->info[a->param].name, b->params->info[b->param].name);
}

static mm_status compare_graphs(int kind, const mmi_graph *a, const mmi_graph *b, mm_error *e)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!same_node(&a->nodes[i], &b->nodes[i]))
			return mmi_subject_blame(e, "%s records another network the second time: operation %zu is not the same",
			                         callbacks[kind], i);
	return a->n == b->n ? MM_OK
	                    : mmi_subject_blame(e, "%s records %zu operations the second time, it were %zu",
	                                        callbacks[kind], b->n, a->n);
}

mm_status mmi_test_build_twice(mmi_subject *s, mm_error *e)
{
	for (int kind = ENCODER; kind < BRANCHES; kind++) {
		branch a, b;
		if (!has(s, kind))
			continue;
		mm_status status = open_branch(s, kind, LATENT, 0, 0, &a, e);
		mm_status again = open_branch(s, kind, LATENT, 0, 0, &b, e);
		if (status == MM_OK && again == MM_OK)
			status = compare_graphs(kind, a.graph, b.graph, e);
		close_branch(&a);
		close_branch(&b);
		MMI_TRY(status == MM_OK ? again : status);
	}
	return MM_OK;
}

/* What is called afterwards, so that it could use a graph it has kept. */
static void use_all(mmi_subject *s)
{
	mm_error ignored = MM_ERROR_INIT;
	mm_dataset *d;
	mmi_guarded *x;
	if (mmi_subject_sample_block(s, "the room for a sample", &x, &ignored) != MM_OK)
		return;
	mmi_subject_invent(s, 0, (float *)(void *)x->at);
	mmi_modality_render(&s->m, (const float *)(const void *)x->at, "rendered", &ignored);
	if (mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &d, &ignored) != MM_OK)
		return;
	for (uint64_t i = 0; i < 8 && i < mmi_modality_count(&s->m, d); i++)
		mmi_subject_read(s, d, i, x, &ignored);
	mmi_modality_close(&s->m, d);
}

mm_status mmi_test_build_only(mmi_subject *s, mm_error *e)
{
	branch b[CLASSIFIER];
	size_t n[CLASSIFIER] = { 0 };
	mm_status status = MM_OK;
	memset(b, 0, sizeof b);
	for (int kind = ENCODER; kind < CLASSIFIER && status == MM_OK; kind++) {
		status = open_branch(s, kind, LATENT, 0, 0, &b[kind], e);
		n[kind] = status == MM_OK ? b[kind].graph->n : 0;
	}
	if (status == MM_OK)
		use_all(s);
	for (int kind = ENCODER; kind < CLASSIFIER; kind++) {
		if (status == MM_OK && (b[kind].graph->n != n[kind] || b[kind].graph->error.code != MM_OK))
			status = mmi_subject_blame(e, "a graph of %s was used after the callback had come back", callbacks[kind]);
		close_branch(&b[kind]);
	}
	return status;
}

mm_status mmi_test_latents(mmi_subject *s, mm_error *e)
{
	static const int32_t sizes[][2] = { { 1, 0 }, { 2, 0 }, { 33, 0 }, { 8, 4 }, { 1, 1 } };
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		for (int kind = ENCODER; kind <= DECODER; kind++) {
			branch b;
			mm_status status = open_branch(s, kind, sizes[i][0], sizes[i][1], 0, &b, e);
			close_branch(&b);
			if (status == MM_EUNSUPPORTED && sizes[i][1])
				return mmi_subject_warn(s, e, "no private latents: %.400s", e->message);
			MMI_TRY(status);
		}
	return MM_OK;
}

mm_status mmi_test_graph_fails(mmi_subject *s, mm_error *e)
{
	for (int kind = ENCODER; kind < BRANCHES; kind++) {
		mm_status status = has(s, kind) ? MM_ENOMEM : MM_OK;
		for (size_t limit = 1; limit < 1000 && status == MM_ENOMEM; limit++) {
			branch b;
			mm_error answer = MM_ERROR_INIT;
			status = open_branch(s, kind, LATENT, 0, limit, &b, &answer);
			if (status == MM_OK && b.graph->error.code != MM_OK)
				status = MM_EABI; /* cannot be: the host looks at the graph */
			if (status != MM_OK && status != b.graph->error.code)
				mmi_fail(e, status, "%s", answer.message);
			close_branch(&b);
		}
		if (status != MM_OK && status != MM_ENOMEM)
			return mmi_fail_prefix(e, "when an operation fails, %s answers with another error", callbacks[kind]);
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- numbers */

static void fill_latent(mmi_subject *s, int which, float *z, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float sum = 0;
		for (int k = 0; k < 12; k++) /* nearly normal */
			sum += (float)(mmi_subject_word(s) >> 8) * 0x1p-24f - 0.5f;
		z[i] = which == 0 ? sum : which == 1 ? -4 : 4;
	}
}

/* Rows: a random sample (or latent), all at the lower end, all at the upper. */
static mm_status feed(mmi_subject *s, const branch *b, mmi_program *p, mm_error *e)
{
	const size_t count = (size_t)mmi_shape_count(&mmi_graph_node(b->graph, b->in)->shape);
	float *x = mmi_alloc(ROWS * count, sizeof *x);
	if (!x)
		return mmi_fail(e, MM_ENOMEM, "out of memory for samples");
	for (int row = 0; row < ROWS; row++) {
		if (b->kind == DECODER)
			fill_latent(s, row, x + (size_t)row * count, count);
		else
			mmi_subject_invent(s, row, x + (size_t)row * count);
	}
	mmi_program_write(p, b->in, ROWS, x);
	mmi_free(x);
	return MM_OK;
}

static mm_status check_finite(const branch *b, const mmi_program *p, mm_tensor x, const char *what, mm_error *e)
{
	static const char *const rows[ROWS] = { "a random input", "an input of lowest values",
		                                    "an input of highest values" };
	const size_t count = (size_t)mmi_shape_count(&mmi_graph_node(b->graph, x)->shape);
	float *values = mmi_alloc(ROWS * count, sizeof *values);
	if (!values)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a network's values");
	mmi_program_read(p, x, ROWS, values);
	const size_t bad = mmi_find_nonfinite(values, ROWS * count);
	const float value = bad < ROWS * count ? values[bad] : 0;
	mmi_free(values);
	if (bad == ROWS * count)
		return MM_OK;
	return mmi_subject_blame(e, "%s: %s is %g for %s", callbacks[b->kind], what, (double)value, rows[bad / count]);
}

static mm_status run_forward(mmi_subject *s, branch *b, mm_error *e)
{
	mmi_program *p;
	const mmi_program_spec spec = {
		.graph = b->graph, .device = &b->device, .n = ROWS, .outputs = b->out, .n_outputs = b->n_out
	};
	MMI_TRY(mmi_params_finalise(b->params, s->seed, e));
	MMI_TRY(mmi_program_create(&spec, &p, e));
	mm_status status = feed(s, b, p, e);
	if (status == MM_OK)
		mmi_program_run(p);
	for (uint32_t i = 0; i < b->n_out && status == MM_OK; i++)
		status = check_finite(b, p, b->out[i], b->name[i], e);
	mmi_program_destroy(p);
	return status;
}

static mm_status each_branch(mmi_subject *s, mm_status (*look)(mmi_subject *, branch *, mm_error *), mm_error *e)
{
	for (int kind = ENCODER; kind < BRANCHES; kind++) {
		branch b;
		if (!has(s, kind))
			continue;
		mm_status status = open_branch(s, kind, LATENT, 0, 0, &b, e);
		if (status == MM_OK)
			status = look(s, &b, e);
		close_branch(&b);
		MMI_TRY(status);
	}
	return MM_OK;
}

mm_status mmi_test_finite(mmi_subject *s, mm_error *e)
{
	return each_branch(s, run_forward, e);
}

/* The sum of all outputs: its gradient reaches all that any of them depends on. */
static mm_tensor sum_of_outputs(branch *b)
{
	mm_tensor sum = mmi_sum_all(b->graph, b->out[0], 1);
	for (uint32_t i = 1; i < b->n_out; i++)
		sum = mmi_graph_ops.add(b->graph, sum, mmi_sum_all(b->graph, b->out[i], 1));
	return sum;
}

static mm_status run_gradient(mmi_subject *s, branch *b, mmi_grad_request *r, mm_error *e)
{
	mmi_program *p;
	const float ones[ROWS] = { 1, 1, 1 };
	mm_tensor *outputs = mmi_alloc(r->n_param_grads + 1, sizeof *outputs);
	mmi_floats flat = mmi_floats_alloc(&b->device, b->params->count ? b->params->count : 1);
	mm_status status = outputs && flat.at ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for gradients");
	if (status == MM_OK) {
		memcpy(outputs, r->param_grads, r->n_param_grads * sizeof *outputs);
		outputs[r->n_param_grads] = r->grads[0];
		const mmi_program_spec spec = {
			.graph = b->graph, .device = &b->device, .n = ROWS, .outputs = outputs, .n_outputs = r->n_param_grads + 1
		};
		status = mmi_program_create(&spec, &p, e);
	}
	if (status == MM_OK) {
		status = feed(s, b, p, e);
		mmi_program_write(p, r->seed, ROWS, ones);
		mmi_program_bind_grads(p, b->params, flat);
		if (status == MM_OK)
			mmi_program_run(p);
		if (status == MM_OK)
			status = check_finite(b, p, r->grads[0], "the gradient to its input", e);
		if (status == MM_OK && !mmi_finite(flat.at, b->params->count))
			status = mmi_subject_blame(e, "%s: the gradient to its parameters is not finite", callbacks[b->kind]);
		mmi_program_destroy(p);
	}
	mmi_floats_release(&b->device, &flat);
	mmi_free(outputs);
	return status;
}

static mm_status look_at_gradient(mmi_subject *s, branch *b, mm_error *e)
{
	mm_tensor grad = MMI_NONE;
	mmi_grad_request r = {
		.loss = sum_of_outputs(b), .wrt = &b->in, .n_wrt = 1, .grads = &grad, .stores = &b->params, .n_stores = 1
	};
	r.seed = mmi_input(b->graph, "seed", mmi_shape(0));
	MMI_TRY(mmi_params_finalise(b->params, s->seed, e));
	MMI_TRY(mmi_graph_check(b->graph, e));
	MMI_TRY(mmi_graph_grad(b->graph, &r, e));
	mm_status status = grad == MMI_NONE ? mmi_subject_blame(e, "%s: nothing depends on its input", callbacks[b->kind])
	                                    : run_gradient(s, b, &r, e);
	mmi_free(r.param_grads);
	return status;
}

mm_status mmi_test_gradient(mmi_subject *s, mm_error *e)
{
	return each_branch(s, look_at_gradient, e);
}

/* ---------------------------------------------------------------- learning */

enum { BATCH = 32, STEPS = 30 };

typedef struct lesson {
	mmi_device device;
	mmi_pool *pool;
	mmi_model *model;
	mmi_network net;
	mm_tensor x, eps, seed, loss;
	mmi_trainer generator, inference;
} lesson;

/* -ELBO of one modality: the likelihood at loc + scale eps, and the divergence at the same place. */
static mm_status record_elbo(lesson *l, mm_error *e)
{
	mmi_graph *g = l->net.graph;
	const mm_host_graph *ops = &mmi_graph_ops;
	mmi_expert q;
	mm_tensor decoded;
	l->x = mmi_input(g, "x", l->model->modalities[0].info.shape);
	l->eps = mmi_input(g, "eps", mmi_shape(1, LATENT));
	l->seed = mmi_input(g, "seed", mmi_shape(0));
	MMI_TRY(mmi_model_encode(l->model, 0, g, l->x, &q, e));
	const mm_tensor z = ops->add(g, q.loc, ops->mul(g, q.scale, l->eps));
	MMI_TRY(mmi_model_decode(l->model, 0, g, z, MMI_NONE, &decoded, e));
	const mm_tensor kl = ops->axpby(g, 1, mmi_model_log_density(l->model, g, z, q.loc, q.scale), -1,
	                                mmi_model_log_prior(l->model, g, z));
	l->loss = ops->add(g, mmi_model_nll(l->model, 0, g, l->x, decoded), kl);
	return mmi_graph_check(g, e);
}

static mm_status open_lesson(mmi_subject *s, lesson *l, mm_error *e)
{
	const mmi_model_config config = {
		.latent_dim = LATENT, .nef = 4, .blocks = 1, .shortcut_kernel = 1, .seed = s->seed
	};
	l->device = mmi_setup_host();
	MMI_TRY(mmi_pool_create(1, &l->pool, e));
	MMI_TRY(mmi_model_create(&l->device, &s->m, 1, &config, &l->model, e));
	MMI_TRY(mmi_network_open(&l->net, e));
	MMI_TRY(record_elbo(l, e));
	mmi_params *const stores[] = { l->model->generator, l->model->inference };
	const mmi_grad_request r = { .loss = l->loss, .seed = l->seed, .stores = stores, .n_stores = 2 };
	MMI_TRY(mmi_trainer_compile(&l->net, &r, l->loss, BATCH, l->pool, e));
	MMI_TRY(mmi_trainer_create(l->model->generator, l->pool, 1, 1e-3, &l->generator, e));
	return mmi_trainer_create(l->model->inference, l->pool, 1, 1e-3, &l->inference, e);
}

static void close_lesson(lesson *l)
{
	mmi_trainer_clear(&l->generator);
	mmi_trainer_clear(&l->inference);
	mmi_network_clear(&l->net);
	mmi_model_destroy(l->model);
	mmi_pool_destroy(l->pool);
}

static mm_status fill_batch(mmi_subject *s, const lesson *l, mm_error *e)
{
	const size_t count = (size_t)s->m.count;
	float eps[BATCH * LATENT], seed[BATCH];
	float *x = mmi_alloc(BATCH * count, sizeof *x);
	if (!x)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a batch");
	mm_status status = MM_OK;
	for (uint64_t i = 0; i < BATCH && status == MM_OK; i++)
		status = mmi_modality_read(&s->m, s->train, i % s->n_train, "of a batch", x + (size_t)i * count, e);
	for (int i = 0; i < BATCH; i++)
		seed[i] = 1.0f / BATCH;
	fill_latent(s, 0, eps, BATCH * LATENT);
	mmi_program_write(l->net.programs[0], l->x, BATCH, x);
	mmi_program_write(l->net.programs[0], l->eps, BATCH, eps);
	mmi_program_write(l->net.programs[0], l->seed, BATCH, seed);
	mmi_free(x);
	return status;
}

static mm_status step(lesson *l, double *loss, mm_error *e)
{
	mmi_program *p = l->net.programs[0];
	float values[BATCH];
	mmi_lanes_zero(&l->generator.lanes, 0);
	mmi_lanes_zero(&l->inference.lanes, 0);
	mmi_program_bind_grads(p, l->model->generator, l->generator.lanes.lane[0]);
	mmi_program_bind_grads(p, l->model->inference, l->inference.lanes.lane[0]);
	mmi_program_run(p);
	mmi_program_read(p, l->loss, BATCH, values);
	*loss = 0;
	for (int i = 0; i < BATCH; i++)
		*loss += (double)values[i] / BATCH;
	MMI_TRY(mmi_trainer_step(&l->generator, *loss, 1, "decoder", e));
	return mmi_trainer_step(&l->inference, *loss, 1, "encoder", e);
}

mm_status mmi_test_learns(mmi_subject *s, mm_error *e)
{
	lesson l = { 0 };
	double first = 0, last = 0;
	const double until = mmi_subject_clock() + s->request->limit / 2;
	mm_status status = open_lesson(s, &l, e);
	if (status == MM_OK)
		status = fill_batch(s, &l, e);
	int done = 0;
	for (; done < STEPS && status == MM_OK && mmi_subject_clock() < until; done++) {
		status = step(&l, &last, e);
		if (done == 0)
			first = last;
	}
	close_lesson(&l);
	MMI_TRY(status);
	if (done < 5)
		return mmi_subject_warn(s, e, "%d steps of training took %g seconds", done, s->request->limit / 2);
	return last < first
	           ? MM_OK
	           : mmi_subject_blame(e, "%d steps of training do not lower the loss of a batch: %g before, %g afterwards",
	                               done, first, last);
}
