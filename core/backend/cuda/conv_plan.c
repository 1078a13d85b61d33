/* conv_plan.c - the choice of an engine, and running it. */
#include "mmi_build.h"

#include "backend/cuda/conv_graph.h"

#include <string.h>

enum { MOST_CONFIGS = 64, MOST_NOTES = 32 };

typedef cudnnBackendDescriptor_t descriptor;

static void release_parts(mmi_conv_plan *p, size_t from)
{
	while (p->n_parts > from)
		cudnnBackendDestroyDescriptor(p->parts[--p->n_parts]);
}

static void plan_destroy(mmi_conv_plan *p)
{
	if (!p)
		return;
	release_parts(p, 0);
	mmi_free(p->parts);
	mmi_free(p);
}

void mmi_conv_plans_destroy(mmi_conv_plan *first)
{
	while (first) {
		mmi_conv_plan *next = first->next;
		plan_destroy(first);
		first = next;
	}
}

/* ------------------------------------------------------------ engines */

/* Whether an engine has one of the numerical notes that are not wanted. */
static cudnnStatus_t is_wanted(descriptor engine, bool tensor_cores, bool *wanted)
{
	cudnnBackendNumericalNote_t note[MOST_NOTES];
	cudnnBackendBehaviorNote_t behavior[MOST_NOTES];
	int64_t n = 0, n_behavior = 0;
	CUDNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, MOST_NOTES,
	                                   &n, note));
	CUDNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, MOST_NOTES,
	                                   &n_behavior, behavior));
	*wanted = true;
	for (int64_t i = 0; i < n; i++)
		if (note[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
		    (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && !tensor_cores))
			*wanted = false;
	for (int64_t i = 0; i < n_behavior; i++)
		if (behavior[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION)
			*wanted = false;
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t look_at(mmi_conv_plan *p, const mmi_conv_query *q, descriptor config, bool *wanted)
{
	descriptor engine;
	int64_t n = 0;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
	CUDNN_TRY(
		cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine));
	return is_wanted(engine, q->tensor_cores, wanted);
}

/* A plan of this configuration, if it comes about within the workspace. */
static cudnnStatus_t try_config(mmi_conv_plan *p, const mmi_conv_query *q, descriptor config)
{
	descriptor plan;
	int64_t n = 0;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan));
	CUDNN_TRY(mmi_conv_set_part(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
	if (q->handle)
		CUDNN_TRY(cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &q->handle));
	else
		CUDNN_TRY(mmi_conv_set_part(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, q->card));
	CUDNN_TRY(cudnnBackendFinalize(plan));
	CUDNN_TRY(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
	                                   &p->workspace));
	if (p->workspace > q->workspace)
		return CUDNN_STATUS_NOT_SUPPORTED;
	p->plan = plan;
	return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t ask(mmi_conv_plan *p, const mmi_conv_query *q, descriptor graph, cudnnBackendHeurMode_t mode,
                         descriptor *config, int64_t *n)
{
	descriptor heuristic;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristic));
	CUDNN_TRY(mmi_conv_set_part(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph));
	CUDNN_TRY(cudnnBackendSetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
	if (q->card)
		CUDNN_TRY(mmi_conv_set_part(heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, q->card));
	CUDNN_TRY(cudnnBackendFinalize(heuristic));
	for (int i = 0; i < MOST_CONFIGS; i++)
		CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config[i]));
	return cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
	                                MOST_CONFIGS, n, config);
}

/* The first of this list that is wanted and comes about. */
static cudnnStatus_t choose(mmi_conv_plan *p, const mmi_conv_query *q, descriptor graph, cudnnBackendHeurMode_t mode)
{
	descriptor config[MOST_CONFIGS];
	int64_t n = 0;
	CUDNN_TRY(ask(p, q, graph, mode, config, &n));
	for (int64_t i = 0; i < n && !p->plan; i++) {
		const size_t before = p->n_parts;
		bool wanted = false;
		if (look_at(p, q, config[i], &wanted) == CUDNN_STATUS_SUCCESS && wanted)
			try_config(p, q, config[i]);
		if (!p->plan)
			release_parts(p, before);
	}
	return p->plan ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

static cudnnStatus_t make(mmi_conv_plan *p, const mmi_conv_query *q)
{
	descriptor graph;
	CUDNN_TRY(mmi_conv_graph(p, q->handle, &graph));
	const size_t before = p->n_parts;
	if (choose(p, q, graph, CUDNN_HEUR_MODE_A) == CUDNN_STATUS_SUCCESS)
		return CUDNN_STATUS_SUCCESS;
	release_parts(p, before);
	return choose(p, q, graph, CUDNN_HEUR_MODE_FALLBACK);
}

mm_status mmi_conv_plan_make(const mmi_conv_query *q, const mmi_conv_shape *s, mmi_conv_plan **out, mm_error *e)
{
	mmi_conv_plan *p = mmi_alloc(1, sizeof *p);
	char reason[160] = "";
	if (!p)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's plan");
	p->shape = *s;
	const cudnnStatus_t status = make(p, q);
	if (status == CUDNN_STATUS_SUCCESS) {
		*out = p;
		return MM_OK;
	}
	cudnnGetLastErrorString(reason, sizeof reason);
	plan_destroy(p);
	return mmi_fail(e, MM_EUNSUPPORTED,
	                "cuDNN has no deterministic engine for %lldx%lldx%lldx%lld -> %lld, kernel %lldx%lld: %s (%s)",
	                (long long)s->n, (long long)s->h, (long long)s->w, (long long)s->in, (long long)s->out,
	                (long long)s->kh, (long long)s->kw, cudnnGetErrorString(status), reason);
}

mm_status mmi_conv_plan_get(mmi_cuda *c, const mmi_conv_shape *s, const mmi_conv_plan **out, mm_error *e)
{
	const mmi_conv_query q = { .handle = c->cudnn, .tensor_cores = c->tensor_cores, .workspace = MMI_CONV_WORKSPACE };
	mmi_conv_plan *made;
	for (const mmi_conv_plan *p = c->plans; p; p = p->next)
		if (!memcmp(&p->shape, s, sizeof *s)) {
			*out = p;
			return MM_OK;
		}
	MMI_TRY(mmi_conv_plan_make(&q, s, &made, e));
	made->next = c->plans;
	c->plans = made;
	*out = made;
	return MM_OK;
}
