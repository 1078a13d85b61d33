/* program.c - an instance of a plan: arena, prepared kernels, bound pointers. Running it is a loop over function calls.
 */
#include "mmi_build.h"

#include "engine/program.h"
#include "engine/op.h"
#include "engine/plan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Parameters of one store as this program sees them. */
typedef struct mmi_program_store {
	const mmi_params *params;
	double *copy; /* ref64 only */
	char *grads;  /* bound flat gradient array */
} mmi_program_store;

/* A place that must follow when an input is bound to other memory. */
typedef struct mmi_use {
	mm_tensor input;
	const void **slot;
} mmi_use;

struct mmi_program {
	mmi_plan *plan;
	mmi_exec *execs;    /* plan->n_calls */
	mmi_joined *joined; /* of all of them */
	size_t n_prepared;
	char *arena;
	void *scratch;
	size_t scratch_bytes;
	mmi_program_store *stores;
	size_t n_stores;
	mmi_use *uses;
	size_t n_uses;
	const void **bound; /* per node: caller's memory of a bound input */
	uint64_t key;       /* of all addresses that are bound; 0: one has changed */
};

static mmi_program_store *store_of(const mmi_program *p, const mmi_params *params)
{
	for (size_t i = 0; i < p->n_stores; i++)
		if (p->stores[i].params == params)
			return &p->stores[i];
	return NULL;
}

static mm_status add_store(mmi_program *p, const mmi_params *params, mm_error *e)
{
	if (store_of(p, params))
		return MM_OK;
	if (!params->final)
		return mmi_fail(e, MM_ESTATE, "model \"%s\" has no parameter storage yet", params->name);
	mmi_program_store *grown = mmi_grow(p->stores, p->n_stores, p->n_stores + 1, sizeof *grown);
	if (!grown)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program's parameters");
	p->stores = grown;
	mmi_program_store *s = &p->stores[p->n_stores++];
	*s = (mmi_program_store){ .params = params };
	if (p->plan->device->backend->element_size == sizeof(double)) {
		s->copy = mmi_alloc(params->count, sizeof *s->copy);
		if (!s->copy)
			return mmi_fail(e, MM_ENOMEM, "out of memory for a double copy of \"%s\"", params->name);
	}
	return MM_OK;
}

static mm_status collect_stores(mmi_program *p, mm_error *e)
{
	const mmi_plan *plan = p->plan;
	for (size_t i = 0; i < plan->n_nodes; i++)
		if (plan->needed[i] && plan->nodes[i].params)
			MMI_TRY(add_store(p, plan->nodes[i].params, e));
	return MM_OK;
}

static void *param_pointer(const mmi_program *p, const mmi_node *node)
{
	const mmi_program_store *s = store_of(p, node->params);
	size_t offset = node->params->info[node->param].offset;
	return s->copy ? (void *)(s->copy + offset) : (void *)(node->params->value.at + offset);
}

static void *grad_pointer(const mmi_program *p, const mmi_node *node)
{
	const mmi_program_store *s = store_of(p, node->params);
	return s->grads ? s->grads + node->params->info[node->param].offset * p->plan->device->backend->element_size : NULL;
}

static void *of_slot(const mmi_program *p, size_t slot)
{
	return slot == MMI_NO_SLOT ? NULL : p->arena + p->plan->slot_offset[slot];
}

static void *storage(const mmi_program *p, mm_tensor id)
{
	mm_tensor root = p->plan->root[id];
	const mmi_node *node = &p->plan->nodes[root];
	if (p->bound[root])
		return (void *)(uintptr_t)p->bound[root]; /* bound inputs are only read */
	if (node->op == MMI_OP_PARAM)
		return param_pointer(p, node);
	if (mmi_ops[node->op]->param_grad)
		return grad_pointer(p, node);
	return of_slot(p, p->plan->slot[root]);
}

static void add_use(mmi_program *p, mm_tensor x, const void **slot)
{
	mm_tensor root = p->plan->root[x];
	if (p->plan->nodes[root].op == MMI_OP_INPUT)
		p->uses[p->n_uses++] = (mmi_use){ root, slot };
}

/* Where the call reads and writes. */
static void point(mmi_program *p, const mmi_plan_call *call, mmi_exec *x)
{
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(p->plan, call, reads);
	for (uint32_t r = 0; r < n; r++) {
		const void **at = mmi_plan_read_at(x, &reads[r]);
		const mm_tensor from = reads[r].tensor;
		*at = reads[r].signs ? of_slot(p, p->plan->signs[p->plan->root[from]]) : storage(p, from);
		if (!reads[r].signs)
			add_use(p, from, at);
	}
	for (uint32_t i = 0; i <= call->n_joined; i++) {
		const mm_tensor value = mmi_plan_value(call, i), root = p->plan->root[value];
		*mmi_plan_value_at(x, i) = p->plan->stored[root] ? storage(p, value) : NULL;
		*mmi_plan_signs_at(x, i) = of_slot(p, p->plan->signs[root]);
	}
}

static mm_status prepare_call(mmi_program *p, size_t c, mmi_joined *joined, mm_error *e)
{
	const mmi_plan_call *call = &p->plan->calls[c];
	mmi_exec *x = &p->execs[c];

	mmi_plan_exec_call(p->plan, call, x, joined);
	point(p, call, x);
	if (call->kernel->prepare && call->kernel->prepare(x, e) != MM_OK)
		return mmi_fail_prefix(e, "%s (%s)", mmi_ops[p->plan->nodes[call->node].op]->name, call->kernel->name);
	p->n_prepared = c + 1;
	if (x->scratch_bytes > p->scratch_bytes)
		p->scratch_bytes = x->scratch_bytes;
	return MM_OK;
}

static size_t sample_bytes(const mmi_program *p, mm_tensor id)
{
	return (size_t)mmi_shape_count(&p->plan->nodes[id].shape) * p->plan->device->backend->element_size;
}

static mm_status fill_const(mmi_program *p, mm_tensor id, mm_error *e)
{
	const float a = p->plan->nodes[id].attr.a;
	const size_t size = p->plan->device->backend->element_size, bytes = sample_bytes(p, id) * (size_t)p->plan->n;
	float *f = mmi_alloc(bytes, 1);
	double *d = (void *)f;
	if (!f)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program's constants");
	for (size_t i = 0; i < bytes / size; i++)
		if (size == sizeof(double))
			d[i] = (double)a;
		else
			f[i] = a;
	p->plan->device->ops->upload(p->plan->device, storage(p, id), f, bytes);
	mm_status status = p->plan->device->ops->wait(p->plan->device, e);
	mmi_free(f);
	return status;
}

static mm_status allocate(mmi_program *p, mm_error *e)
{
	size_t n_uses = 0, n_joined = 0;
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		n_uses += p->plan->nodes[p->plan->calls[c].node].n_in + p->plan->calls[c].n_joined + 1;
		n_joined += p->plan->calls[c].n_joined;
	}
	p->joined = mmi_alloc(n_joined + 1, sizeof *p->joined);
	p->execs = mmi_alloc(p->plan->n_calls, sizeof *p->execs);
	p->arena = p->plan->device->ops->alloc(p->plan->device, p->plan->arena_bytes);
	p->uses = mmi_alloc(n_uses, sizeof *p->uses);
	p->bound = mmi_alloc(p->plan->n_nodes, sizeof *p->bound);
	if (!p->execs || !p->joined || !p->arena || !p->uses || !p->bound)
		return mmi_fail(e, MM_ENOMEM, "out of memory: %.0f MB for the maps of a network; a smaller [run] %s needs less",
		                (double)p->plan->arena_bytes / 1e6, p->plan->device->ops->direct ? "chunk" : "device_chunk");
	return MM_OK;
}

static mm_status prepare(mmi_program *p, mm_error *e)
{
	MMI_TRY(allocate(p, e));
	MMI_TRY(collect_stores(p, e));
	mmi_joined *joined = p->joined;
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		MMI_TRY(prepare_call(p, c, joined, e));
		joined += p->plan->calls[c].n_joined;
	}
	p->scratch = p->plan->device->ops->alloc(p->plan->device, p->scratch_bytes);
	if (!p->scratch)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu bytes of scratch", p->scratch_bytes);
	for (size_t c = 0; c < p->plan->n_calls; c++)
		p->execs[c].scratch = p->scratch;
	for (size_t i = 0; i < p->plan->n_nodes; i++)
		if (p->plan->needed[i] && p->plan->nodes[i].op == MMI_OP_CONST)
			MMI_TRY(fill_const(p, (mm_tensor)i, e));
	mmi_program_load_params(p);
	return MM_OK;
}

mm_status mmi_program_create(const mmi_program_spec *spec, mmi_program **out, mm_error *e)
{
	mmi_program *p = mmi_alloc(1, sizeof *p);
	if (!p)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program");
	mm_status status = mmi_plan_create(spec, &p->plan, e);
	if (status == MM_OK)
		status = prepare(p, e);
	if (status != MM_OK) {
		mmi_program_destroy(p);
		return status;
	}
	*out = p;
	return MM_OK;
}

void mmi_program_destroy(mmi_program *p)
{
	if (!p)
		return;
	if (p->plan)
		mmi_device_forget(p->plan->device, p);
	for (size_t c = 0; c < p->n_prepared; c++)
		if (p->plan->calls[c].kernel->release)
			p->plan->calls[c].kernel->release(&p->execs[c]);
	for (size_t i = 0; i < p->n_stores; i++)
		mmi_free(p->stores[i].copy);
	mmi_free(p->stores);
	mmi_free(p->execs);
	mmi_free(p->joined);
	if (p->plan) {
		p->plan->device->ops->release(p->plan->device, p->arena);
		p->plan->device->ops->release(p->plan->device, p->scratch);
	}
	mmi_free(p->uses);
	mmi_free(p->bound);
	mmi_plan_destroy(p->plan);
	mmi_free(p);
}

const mmi_device *mmi_program_device(const mmi_program *p)
{
	return p->plan->device;
}

mmi_floats mmi_program_data(const mmi_program *p, mm_tensor x)
{
	if (x < 0 || (size_t)x >= p->plan->n_nodes || !p->plan->needed[x])
		return (mmi_floats){ NULL };
	return (mmi_floats){ storage(p, x) };
}

void mmi_program_read(const mmi_program *p, mm_tensor x, int64_t n, void *to)
{
	const mmi_device *d = p->plan->device;
	d->ops->download(d, to, storage(p, x), sample_bytes(p, x) * (size_t)n);
	d->ops->wait(d, NULL); /* a failure sticks: whoever waits next is told */
}

/* data NULL: the program's own memory. */
static void bind(mmi_program *p, mm_tensor input, const void *data)
{
	if (p->bound[input] == data)
		return;
	p->bound[input] = data;
	p->key = 0;
	const void *at = storage(p, input);
	for (size_t i = 0; i < p->n_uses; i++)
		if (p->uses[i].input == input)
			*p->uses[i].slot = at;
}

void mmi_program_bind(mmi_program *p, mm_tensor input, mmi_floats data)
{
	bind(p, input, data.at);
}

void mmi_program_write(mmi_program *p, mm_tensor input, int64_t n, const void *from)
{
	const mmi_device *d = p->plan->device;
	bind(p, input, NULL);
	if (!mmi_program_data(p, input).at)
		return;
	d->ops->upload(d, storage(p, input), from, sample_bytes(p, input) * (size_t)n);
	d->ops->wait(d, NULL);
}

void mmi_program_feed(mmi_program *p, mm_tensor input, int64_t n, const float *host)
{
	if (p->plan->device->ops->direct)
		mmi_program_bind(p, input, mmi_floats_direct(host));
	else
		mmi_program_write(p, input, n, host);
}

void mmi_program_bind_grads(mmi_program *p, const mmi_params *params, mmi_floats flat)
{
	mmi_program_store *s = store_of(p, params);
	if (!s || s->grads == (char *)flat.at)
		return;
	s->grads = (char *)flat.at;
	p->key = 0;
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		const mmi_node *node = p->execs[c].node;
		if (mmi_ops[node->op]->param_grad && node->params == params)
			p->execs[c].out = grad_pointer(p, node);
	}
}

double *mmi_program_params(mmi_program *p, const mmi_params *params)
{
	mmi_program_store *s = store_of(p, params);
	return s ? s->copy : NULL;
}

void mmi_program_load_params(mmi_program *p)
{
	for (size_t i = 0; i < p->n_stores; i++)
		for (size_t k = 0; p->stores[i].copy && k < p->stores[i].params->count; k++)
			p->stores[i].copy[k] = (double)p->stores[i].params->value.at[k];
}

static void run_calls(void *ctx)
{
	mmi_program *p = ctx;
	for (size_t c = 0; c < p->plan->n_calls; c++)
		p->plan->calls[c].kernel->run(&p->execs[c]);
}

/* FNV-1a of all addresses that may have changed, never 0. */
static uint64_t key_of(const mmi_program *p)
{
	uint64_t key = 0xcbf29ce484222325u;
	for (size_t i = 0; i < p->n_uses; i++)
		key = (key ^ (uintptr_t)*p->uses[i].slot) * 0x100000001b3u;
	for (size_t i = 0; i < p->n_stores; i++)
		key = (key ^ (uintptr_t)p->stores[i].grads) * 0x100000001b3u;
	return key | 1;
}

void mmi_program_run(mmi_program *p)
{
	const mmi_device *d = p->plan->device;
	if (!d->ops->sequence) {
		run_calls(p);
		return;
	}
	if (!p->key)
		p->key = key_of(p);
	d->ops->sequence(d, p, p->key, run_calls, p);
}

/* Of this thread's processor time: other processes do not count. */
static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void mmi_program_profile(mmi_program *p, double *seconds)
{
	double before = seconds_now();
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		p->plan->calls[c].kernel->run(&p->execs[c]);
		double after = seconds_now();
		seconds[c] = after - before;
		before = after;
	}
}

static double call_flops(const mmi_plan *plan, size_t c)
{
	const mmi_graph nodes = { .nodes = plan->nodes, .n = plan->n_nodes };
	const mmi_node *node = &plan->nodes[plan->calls[c].node];
	double per_sample =
		mmi_ops[node->op]->flops ? mmi_ops[node->op]->flops(&nodes, node) : (double)mmi_shape_count(&node->shape);
	return per_sample * (double)plan->n;
}

static double tensor_bytes(const mmi_plan *plan, mm_tensor id)
{
	const mmi_node *node = &plan->nodes[id];
	const int64_t samples = node->batched ? plan->n : 1;
	return (double)(samples * mmi_shape_count(&node->shape)) * (double)mmi_plan_element_size(plan, plan->root[id]);
}

static double call_bytes(const mmi_program *p, size_t c)
{
	const mmi_plan *plan = p->plan;
	const mmi_plan_call *call = &plan->calls[c];
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(plan, call, reads);
	double bytes = call->kernel->again ? call->kernel->again(&p->execs[c]) : 0;
	for (uint32_t r = 0; r < n; r++)
		bytes +=
			reads[r].signs ? (double)mmi_plan_signs_bytes(plan, reads[r].tensor) : tensor_bytes(plan, reads[r].tensor);
	for (uint32_t i = 0; i <= call->n_joined; i++) {
		const mm_tensor value = mmi_plan_value(call, i), root = plan->root[value];
		bytes += plan->stored[root] ? tensor_bytes(plan, value) : 0;
		bytes += plan->signs[root] != MMI_NO_SLOT ? (double)mmi_plan_signs_bytes(plan, value) : 0;
	}
	return bytes;
}

mmi_program_stats mmi_program_info(const mmi_program *p)
{
	mmi_program_stats s = { p->plan->n_calls, p->plan->n_fused, p->plan->arena_bytes, p->scratch_bytes, 0, 0 };
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		s.flops += call_flops(p->plan, c);
		s.bytes += call_bytes(p, c);
	}
	return s;
}

mmi_call_info mmi_program_call(const mmi_program *p, size_t c)
{
	const mmi_plan_call *call = &p->plan->calls[c];
	const mmi_node *nodes = p->plan->nodes, *node = &nodes[call->node];
	mmi_call_info info = { .op = mmi_ops[node->op]->name,
		                   .kernel = call->kernel->name,
		                   .act = call->act != MM_ACT_NONE,
		                   .mask = call->mask != MMI_NONE,
		                   .flops = call_flops(p->plan, c),
		                   .bytes = call_bytes(p, c) };
	char from[64] = "", with[64] = "", to[64];
	if (node->n_in > 0)
		mmi_shape_text(&nodes[node->in[0]].shape, from);
	if (node->n_in > 1 && nodes[node->in[1]].op == MMI_OP_PARAM)
		mmi_shape_text(&nodes[node->in[1]].shape, with);
	snprintf(info.shapes, sizeof info.shapes, "%s%s%s -> %s", from, *with ? " x " : "", with,
	         mmi_shape_text(&node->shape, to));
	return info;
}

void mmi_program_describe(const mmi_program *p, void (*line)(void *ctx, const char *text), void *ctx)
{
	for (size_t c = 0; c < p->plan->n_calls; c++) {
		const mmi_call_info info = mmi_program_call(p, c);
		char text[320];
		snprintf(text, sizeof text, "%-22s %-28s %s%s%s", info.op, info.kernel, info.shapes, info.act ? " +act" : "",
		         info.mask ? " +mask" : "");
		line(ctx, text);
	}
}
