/* plan.c - which nodes run, what is fused, and which tensors share the arena's bytes. */
#include "mmi_build.h"

#include "engine/plan.h"
#include "engine/device.h"
#include "engine/fold.h"
#include "engine/join.h"
#include "engine/narrow.h"
#include "engine/op.h"
#include "engine/order.h"

#include <stdlib.h>

/* When a slot is written first and read last, in calls. Inputs and constants live through the whole run. */
typedef struct mmi_slot {
	size_t bytes, offset;
	ptrdiff_t first, last;
} mmi_slot;

void mmi_plan_destroy(mmi_plan *p)
{
	if (!p)
		return;
	mmi_free(p->nodes);
	mmi_free(p->needed);
	mmi_free(p->output);
	mmi_free(p->consumers);
	mmi_free(p->narrow);
	mmi_free(p->rounded);
	mmi_free(p->root);
	mmi_free(p->calls);
	mmi_free(p->stored);
	mmi_free(p->absorbed);
	mmi_free(p->by_signs);
	mmi_free(p->factor);
	mmi_free(p->signs);
	mmi_free(p->slot);
	mmi_free(p->slot_offset);
	mmi_free(p);
}

/* What is read where a node has x as an input. */
static mm_tensor stored_of(const mmi_plan *p, mm_tensor x)
{
	return p->absorbed[x] ? p->nodes[x].in[0] : x;
}

void mmi_plan_exec(const mmi_plan *p, mm_tensor id, mmi_exec *x)
{
	const mmi_node *node = &p->nodes[id];
	*x = (mmi_exec){ .device = p->device, .node = node, .n = p->n, .n_in = node->n_in };
	x->narrow_out = p->narrow[p->root[id]];
	x->factor = p->factor[id];
	for (uint32_t i = 0; i < node->n_in; i++) {
		const mm_tensor from = stored_of(p, node->in[i]);
		x->in_node[i] = &p->nodes[from];
		x->through[i] = from == node->in[i] ? NULL : &p->nodes[node->in[i]];
		x->narrow_in[i] = p->narrow[p->root[from]];
		x->signs_in[i] = i == 1 && p->by_signs[id];
		if (x->in_node[i]->op == MMI_OP_PARAM && !x->packs)
			x->packs = x->in_node[i]->params->packs;
	}
}

static void exec_joined(const mmi_plan *p, const mmi_plan_call *call, uint32_t i, mmi_joined *j)
{
	const mmi_node *node = &p->nodes[call->joined[i]];
	const uint32_t value = call->value[i];
	*j = (mmi_joined){ .node = node, .value = value, .narrow_out = p->narrow[p->root[call->joined[i]]] };
	if (node->n_in < 2)
		return;
	const mm_tensor other = node->in[1 - value], from = stored_of(p, other);
	j->in_node = &p->nodes[from];
	j->through = from == other ? NULL : &p->nodes[other];
	j->narrow_in = p->narrow[p->root[from]];
	j->signs_in = p->by_signs[call->joined[i]];
}

void mmi_plan_exec_call(const mmi_plan *p, const mmi_plan_call *call, mmi_exec *x, mmi_joined *joined)
{
	mmi_plan_exec(p, call->node, x);
	x->act = call->act;
	x->act_alpha = call->act_alpha;
	x->mask_act = call->mask_act;
	x->mask_alpha = call->mask_alpha;
	x->narrow_out = p->narrow[p->root[mmi_plan_value(call, 0)]];
	x->narrow_mask = call->mask != MMI_NONE && p->narrow[p->root[call->mask]];
	x->n_joined = call->n_joined;
	x->joined = call->n_joined ? joined : NULL;
	for (uint32_t i = 0; i < call->n_joined; i++)
		exec_joined(p, call, i, &joined[i]);
}

static mmi_read read_of(const mmi_plan *p, mm_tensor node, int32_t by, uint32_t k)
{
	const mm_tensor x = p->nodes[node].in[k], from = stored_of(p, x);
	return (mmi_read){ from, from == x ? MMI_NONE : x, k == 1 && p->by_signs[node], by, k };
}

uint32_t mmi_plan_reads(const mmi_plan *p, const mmi_plan_call *call, mmi_read out[MMI_MOST_READS])
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->nodes[call->node].n_in; k++)
		out[n++] = read_of(p, call->node, 0, k);
	for (uint32_t i = 0; i < call->n_joined; i++)
		if (p->nodes[call->joined[i]].n_in > 1)
			out[n++] = read_of(p, call->joined[i], (int32_t)i + 1, 1u - call->value[i]);
	if (call->mask != MMI_NONE)
		out[n++] = (mmi_read){ call->mask, MMI_NONE, false, -1, 0 };
	return n;
}

const void **mmi_plan_read_at(mmi_exec *x, const mmi_read *r)
{
	return r->by < 0 ? &x->mask : r->by == 0 ? &x->in[r->k] : &x->joined[r->by - 1].in;
}

mm_tensor mmi_plan_value(const mmi_plan_call *call, uint32_t i)
{
	if (i > 0)
		return call->joined[i - 1];
	return call->n_joined > 0 ? call->node : call->out;
}

void **mmi_plan_value_at(mmi_exec *x, uint32_t i)
{
	return i > 0 ? &x->joined[i - 1].out : &x->out;
}

void **mmi_plan_signs_at(mmi_exec *x, uint32_t i)
{
	return i > 0 ? &x->joined[i - 1].signs : &x->signs;
}

size_t mmi_plan_signs_bytes(const mmi_plan *p, mm_tensor root)
{
	return ((size_t)p->n * (size_t)mmi_shape_count(&p->nodes[root].shape) + 7) / 8;
}

static mm_status allocate(mmi_plan *p, const mmi_program_spec *spec, mm_error *e)
{
	const size_t count = spec->graph->n, n = spec->device->backend->narrow ? 2 * count : count;
	p->n_nodes = count;
	p->n = spec->n;
	p->device = spec->device;
	p->nodes = mmi_alloc(n, sizeof *p->nodes);
	p->needed = mmi_alloc(n, sizeof *p->needed);
	p->output = mmi_alloc(n, sizeof *p->output);
	p->consumers = mmi_alloc(n, sizeof *p->consumers);
	p->narrow = mmi_alloc(n, sizeof *p->narrow);
	p->rounded = mmi_alloc(n, sizeof *p->rounded);
	p->root = mmi_alloc(n, sizeof *p->root);
	p->calls = mmi_alloc(n, sizeof *p->calls);
	p->stored = mmi_alloc(n, sizeof *p->stored);
	p->absorbed = mmi_alloc(n, sizeof *p->absorbed);
	p->by_signs = mmi_alloc(n, sizeof *p->by_signs);
	p->factor = mmi_alloc(n, sizeof *p->factor);
	p->signs = mmi_alloc(n, sizeof *p->signs);
	p->slot = mmi_alloc(n, sizeof *p->slot);
	p->slot_offset = mmi_alloc(2 * n, sizeof *p->slot_offset);
	if (!p->nodes || !p->needed || !p->output || !p->consumers || !p->narrow || !p->rounded || !p->root || !p->calls ||
	    !p->stored || !p->absorbed || !p->by_signs || !p->factor || !p->signs || !p->slot || !p->slot_offset)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program of %zu operations", count);
	for (size_t i = 0; i < n; i++) {
		if (i < count)
			p->nodes[i] = spec->graph->nodes[i];
		p->root[i] = (mm_tensor)i;
		p->slot[i] = p->signs[i] = MMI_NO_SLOT;
		p->stored[i] = true;
		p->rounded[i] = MMI_NONE;
	}
	return MM_OK;
}

/* Views share what they are of. */
static void find_roots(mmi_plan *p)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		if (p->needed[i] && mmi_ops[p->nodes[i].op]->view)
			p->root[i] = p->root[p->nodes[i].in[0]];
}

static mm_status mark_needed(mmi_plan *p, const mmi_program_spec *spec, mm_error *e)
{
	for (uint32_t i = 0; i < spec->n_outputs; i++) {
		mm_tensor id = spec->outputs[i];
		if (id < 0 || (size_t)id >= p->n_nodes)
			return mmi_fail(e, MM_EARG, "program output %u is tensor %d, which the graph does not have", i, id);
		p->needed[id] = p->output[id] = true;
	}
	for (size_t i = p->n_nodes; i-- > 0;)
		for (uint32_t k = 0; p->needed[i] && k < p->nodes[i].n_in; k++) {
			p->needed[p->nodes[i].in[k]] = true;
			p->consumers[p->nodes[i].in[k]]++;
		}
	return MM_OK;
}

static bool is_leaf(const mmi_node *node)
{
	return mmi_ops[node->op]->leaf;
}

/* The call that yields x, if everything between it and its only reader can be fused into it; else NULL. Views on the
 * way share storage and do not matter. */
static mmi_plan_call *producer(mmi_plan *p, mm_tensor x, uint32_t flag)
{
	while (p->consumers[x] == 1 && !p->output[x] && mmi_ops[p->nodes[x].op]->view)
		x = p->nodes[x].in[0];
	if (p->consumers[x] != 1 || p->output[x])
		return NULL;
	for (size_t i = p->n_calls; i-- > 0;)
		if (p->calls[i].out == x)
			return (p->calls[i].kernel->flags & flag) ? &p->calls[i] : NULL;
	return NULL;
}

static bool fuse_act(mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	mmi_plan_call *call = node->op == MMI_OP_ACT ? producer(p, node->in[0], MMI_KERNEL_ACT) : NULL;
	if (!call || call->act != MM_ACT_NONE || call->mask != MMI_NONE)
		return false;
	call->act = node->attr.act;
	call->act_alpha = node->attr.a;
	call->out = id;
	return true;
}

static size_t call_of(const mmi_plan *p, mm_tensor out)
{
	for (size_t i = p->n_calls; i-- > 0;)
		if (p->calls[i].out == out)
			return i;
	return 0;
}

/* dy * act'(y) moves into the call that yields dy, provided y exists by then. */
static bool fuse_mask(mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	mmi_plan_call *call = node->op == MMI_OP_ACT_BWD ? producer(p, node->in[0], MMI_KERNEL_MASK) : NULL;
	if (!call || call->mask != MMI_NONE)
		return false;
	mm_tensor y = p->root[node->in[1]];
	if (!is_leaf(&p->nodes[y]) && call_of(p, y) >= (size_t)(call - p->calls))
		return false;
	call->mask_act = node->attr.act;
	call->mask_alpha = node->attr.a;
	call->mask = y;
	call->out = id;
	return true;
}

static mm_status add_call(mmi_plan *p, mm_tensor id, mm_error *e)
{
	mmi_exec x;
	mmi_plan_exec(p, id, &x);
	const mmi_kernel *kernel = p->device->backend->select(&x);
	if (!kernel)
		return mmi_fail(e, MM_EUNSUPPORTED, "backend %s has no kernel for %s", p->device->backend->name,
		                mmi_ops[p->nodes[id].op]->name);
	p->calls[p->n_calls++] = (mmi_plan_call){ .node = id, .out = id, .kernel = kernel, .mask = MMI_NONE };
	return MM_OK;
}

/* Copies in bfloat16 of the operands that a product needs them of, unless an earlier one has made them. */
static mm_status round_operands(mmi_plan *p, mm_tensor id, bool joins, mm_error *e)
{
	for (uint32_t k = 0; k < p->nodes[id].n_in; k++)
		if (mmi_narrow_rounds(p, id, k)) {
			const size_t before = p->n_nodes;
			const mm_tensor copy = mmi_narrow_copy(p, p->nodes[id].in[k]);
			p->nodes[id].in[k] = copy;
			if (p->n_nodes > before && !(joins && mmi_join(p, copy)))
				MMI_TRY(add_call(p, copy, e));
		}
	return MM_OK;
}

static bool fuse(mmi_plan *p, mm_tensor id, bool joins)
{
	return joins ? mmi_join(p, id) : fuse_act(p, id) || fuse_mask(p, id);
}

static mm_status list_calls(mmi_plan *p, bool fusion, bool joins, mm_error *e)
{
	const size_t n = p->n_nodes;
	for (size_t i = 0; i < n; i++) {
		mm_tensor id = (mm_tensor)i;
		const mmi_node *node = &p->nodes[i];
		if (!p->needed[i] || is_leaf(node))
			continue;
		if (mmi_ops[node->op]->view)
			continue;
		if (fusion && fuse(p, id, joins)) {
			p->n_fused++;
			continue;
		}
		MMI_TRY(round_operands(p, id, joins, e));
		MMI_TRY(add_call(p, id, e));
	}
	return MM_OK;
}

size_t mmi_plan_element_size(const mmi_plan *p, mm_tensor root)
{
	return p->narrow[root] ? sizeof(uint16_t) : p->device->backend->element_size;
}

static size_t bytes_of(const mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	size_t count = (size_t)mmi_shape_count(&node->shape) * (node->batched ? (size_t)p->n : 1);
	return (count * mmi_plan_element_size(p, p->root[id]) + 63) / 64 * 64;
}

/* Marks root's slot as read by call `at`. */
static void extend(const mmi_plan *p, mmi_slot *slots, mm_tensor id, ptrdiff_t at)
{
	size_t slot = p->slot[p->root[id]];
	if (slot != MMI_NO_SLOT && slots[slot].last < at)
		slots[slot].last = at;
}

static size_t new_slot(mmi_plan *p, mmi_slot *slots, size_t bytes, ptrdiff_t first, ptrdiff_t last)
{
	slots[p->n_slots] = (mmi_slot){ .bytes = bytes, .first = first, .last = last };
	return p->n_slots++;
}

/* For every slot the last call that reads any tensor in it, or its signs (the second half); needed before storage can
 * be taken over. */
static void last_readers(const mmi_plan *p, ptrdiff_t *last)
{
	mmi_read reads[MMI_MOST_READS];
	for (size_t i = 0; i < 2 * p->n_nodes; i++)
		last[i] = -1;
	for (size_t c = 0; c < p->n_calls; c++) {
		const uint32_t n = mmi_plan_reads(p, &p->calls[c], reads);
		for (uint32_t r = 0; r < n; r++)
			last[(reads[r].signs ? p->n_nodes : 0) + (size_t)p->root[reads[r].tensor]] = (ptrdiff_t)c;
	}
	for (size_t i = 0; i < p->n_nodes; i++)
		if (p->output[i])
			last[p->root[i]] = PTRDIFF_MAX;
}

/* Whether one of the call's reads of the storage is of other elements than those that it writes at the time. */
static bool read_elsewhere(const mmi_plan *p, const mmi_read *reads, uint32_t n, mm_tensor root)
{
	for (uint32_t r = 0; r < n; r++)
		if (p->root[reads[r].tensor] == root && reads[r].through != MMI_NONE)
			return true;
	return false;
}

/* What this call reads whose storage its last value may take over, or MMI_NONE. */
static mm_tensor reusable(const mmi_plan *p, const mmi_plan_call *call, const ptrdiff_t *last, size_t at)
{
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(p, call, reads);
	if (!(call->kernel->flags & MMI_KERNEL_INPLACE))
		return MMI_NONE;
	for (uint32_t r = 0; r < n && reads[r].by >= 0; r++) {
		mm_tensor root = p->root[reads[r].tensor];
		/* Of the very same size: in-place kernels count on element i of the output lying on element i of the input. */
		if (!is_leaf(&p->nodes[root]) && p->slot[root] != MMI_NO_SLOT && last[root] == (ptrdiff_t)at &&
		    !reads[r].signs && !read_elsewhere(p, reads, n, root) && p->nodes[root].batched &&
		    p->narrow[root] == p->narrow[p->root[call->out]] &&
		    mmi_shape_count(&p->nodes[root].shape) == mmi_shape_count(&p->nodes[call->out].shape))
			return root;
	}
	return MMI_NONE;
}

/* Of a call's value, and of its signs. */
static void assign_value(mmi_plan *p, mmi_slot *slots, mm_tensor id, const ptrdiff_t *last, size_t c, mm_tensor taken)
{
	const ptrdiff_t at = (ptrdiff_t)c, last_of_signs = last[p->n_nodes + (size_t)p->root[id]];
	if (p->stored[p->root[id]]) {
		p->slot[id] = taken != MMI_NONE ? p->slot[taken] : new_slot(p, slots, bytes_of(p, id), at, at);
		extend(p, slots, id, last[id]);
	}
	if (last_of_signs > at)
		p->signs[p->root[id]] = new_slot(p, slots, (mmi_plan_signs_bytes(p, id) + 63) / 64 * 64, at, last_of_signs);
}

static void assign_slots(mmi_plan *p, mmi_slot *slots, const ptrdiff_t *last)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		if (p->needed[i] && (p->nodes[i].op == MMI_OP_INPUT || p->nodes[i].op == MMI_OP_CONST))
			p->slot[i] = new_slot(p, slots, bytes_of(p, (mm_tensor)i), -1, PTRDIFF_MAX);
	for (size_t c = 0; c < p->n_calls; c++) {
		const mmi_plan_call *call = &p->calls[c];
		if (mmi_ops[p->nodes[call->node].op]->param_grad)
			continue;
		for (uint32_t i = 0; i < call->n_joined; i++)
			assign_value(p, slots, mmi_plan_value(call, i), last, c, MMI_NONE);
		assign_value(p, slots, call->out, last, c, reusable(p, call, last, c));
	}
}

static int larger_first(const void *a, const void *b)
{
	const mmi_slot *const *x = a, *const *y = b;
	if ((*x)->bytes != (*y)->bytes)
		return (*x)->bytes < (*y)->bytes ? 1 : -1;
	return *x < *y ? -1 : *x > *y; /* a total order: the same plan every time */
}

static bool overlap_in_time(const mmi_slot *a, const mmi_slot *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* Greedy by size: each slot goes to the lowest offset where it collides with no placed slot that lives at the same
 * time. */
static void place(mmi_slot **order, size_t n, size_t *total)
{
	for (size_t i = 0; i < n; i++) {
		size_t offset = 0;
		for (bool moved = true; moved;) {
			moved = false;
			for (size_t j = 0; j < i; j++)
				if (overlap_in_time(order[i], order[j]) && offset < order[j]->offset + order[j]->bytes &&
				    order[j]->offset < offset + order[i]->bytes) {
					offset = order[j]->offset + order[j]->bytes;
					moved = true;
				}
		}
		order[i]->offset = offset;
		if (offset + order[i]->bytes > *total)
			*total = offset + order[i]->bytes;
	}
}

static mm_status layout(mmi_plan *p, mm_error *e)
{
	mmi_slot *slots = mmi_alloc(2 * p->n_nodes, sizeof *slots);
	mmi_slot **order = mmi_alloc(2 * p->n_nodes, sizeof *order);
	ptrdiff_t *last = mmi_alloc(2 * p->n_nodes, sizeof *last);
	mm_status status = MM_OK;

	if (!slots || !order || !last) {
		status = mmi_fail(e, MM_ENOMEM, "out of memory while laying out a program");
		goto done;
	}
	last_readers(p, last);
	assign_slots(p, slots, last);
	for (size_t i = 0; i < p->n_slots; i++)
		order[i] = &slots[i];
	qsort(order, p->n_slots, sizeof *order, larger_first);
	place(order, p->n_slots, &p->arena_bytes);
	for (size_t i = 0; i < p->n_slots; i++)
		p->slot_offset[i] = slots[i].offset;
done:
	mmi_free(slots);
	mmi_free(order);
	mmi_free(last);
	return status;
}

mm_status mmi_plan_create(const mmi_program_spec *spec, mmi_plan **out, mm_error *e)
{
	MMI_TRY(mmi_graph_check(spec->graph, e));
	if (spec->n < 1)
		return mmi_fail(e, MM_EARG, "a program for %lld samples; at least one is needed", (long long)spec->n);
	mmi_plan *p = mmi_alloc(1, sizeof *p);
	if (!p)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program");
	mm_status status;
	MMI_TRY_GOTO(allocate(p, spec, e), failed);
	MMI_TRY_GOTO(mark_needed(p, spec, e), failed);
	find_roots(p);
	const bool joins = spec->device->backend->joins && !spec->no_fusion;
	if (joins) {
		mmi_fold_upsampling(p);
		MMI_TRY_GOTO(mmi_join_factors(p, e), failed);
	}
	MMI_TRY_GOTO(mmi_narrow_choose(p, e), failed);
	MMI_TRY_GOTO(list_calls(p, !spec->no_fusion, joins, e), failed);
	MMI_TRY_GOTO(mmi_narrow_choose_among(p, e), failed);
	if (joins)
		mmi_join_store(p);
	else
		MMI_TRY_GOTO(mmi_order_calls(p, e), failed);
	MMI_TRY_GOTO(layout(p, e), failed);
	*out = p;
	return MM_OK;
failed:
	mmi_plan_destroy(p);
	return status;
}
