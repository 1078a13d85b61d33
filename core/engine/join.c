/* join.c - the choice of what is computed in one call. */
#include "mmi_build.h"

#include "engine/join.h"
#include "engine/device.h"
#include "engine/op.h"

#include <string.h>

/* Which of its inputs can be what a call has computed so far. */
enum { FIRST = 1, SECOND = 2 };

static const uint8_t values[MMI_OP_COUNT] = {
	[MMI_OP_ADD] = FIRST | SECOND, [MMI_OP_MUL] = FIRST | SECOND, [MMI_OP_AFFINE] = FIRST,       [MMI_OP_ACT] = FIRST,
	[MMI_OP_ACT_BWD] = FIRST,      [MMI_OP_CLAMP] = FIRST,        [MMI_OP_CLAMP_BWD] = FIRST,    [MMI_OP_LOG] = FIRST,
	[MMI_OP_LOG_BWD] = FIRST,      [MMI_OP_UPSAMPLE] = FIRST,     [MMI_OP_AVG_POOL_BWD] = FIRST,
};

/* ------------------------------------------------------------ resampling */

static bool resamples(const mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	return node->n_in == 1 && mmi_resampled(node, &p->nodes[node->in[0]].shape) > 0;
}

/* Of a value its kernel can still hold: one cell becomes several. */
static bool spreads(const mmi_plan *p, mm_tensor id)
{
	const mmi_opcode op = p->nodes[id].op;
	return (op == MMI_OP_UPSAMPLE || op == MMI_OP_AVG_POOL_BWD) && resamples(p, id);
}

/* ------------------------------------------------------------ factors */

/* Whether operand k of a node can be had without its factor, which then multiplies the result. */
static bool takes_factor(const mmi_node *node, uint32_t k)
{
	switch (node->op) {
	case MMI_OP_LINEAR:
	case MMI_OP_LINEAR_BWD_X:
	case MMI_OP_CONV:
	case MMI_OP_CONV_BWD_X:
		return node->n_in == 2 && k == 0;
	case MMI_OP_LINEAR_BWD_W:
	case MMI_OP_CONV_BWD_W:
	case MMI_OP_BIAS_BWD:
		return true;
	default:
		return false;
	}
}

/* Only of what is stored anyway: a factor behind a call that nobody else reads costs nothing where it is. */
static bool is_factor(const mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	return p->needed[id] && !p->output[id] && node->op == MMI_OP_AFFINE && node->attr.b == 0 && node->attr.a != 0 &&
	       p->consumers[node->in[0]] > 1;
}

static void take_factors(mmi_plan *p, const bool *taken)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		for (uint32_t k = 0; p->needed[i] && k < p->nodes[i].n_in; k++) {
			const mm_tensor from = p->nodes[i].in[k];
			if (!taken[from])
				continue;
			p->factor[i] = (p->factor[i] != 0 ? p->factor[i] : 1) * p->nodes[from].attr.a;
			p->nodes[i].in[k] = p->nodes[from].in[0];
			p->consumers[p->nodes[from].in[0]]++;
		}
	for (size_t i = 0; i < p->n_nodes; i++)
		if (taken[i]) {
			p->needed[i] = false;
			p->consumers[p->nodes[i].in[0]]--;
		}
}

mm_status mmi_join_factors(mmi_plan *p, mm_error *e)
{
	bool *taken = mmi_alloc(p->n_nodes, sizeof *taken);
	if (!taken)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a program of %zu operations", p->n_nodes);
	for (size_t i = 0; i < p->n_nodes; i++)
		taken[i] = is_factor(p, (mm_tensor)i);
	for (size_t i = 0; i < p->n_nodes; i++)
		for (uint32_t k = 0; p->needed[i] && k < p->nodes[i].n_in; k++)
			if (!takes_factor(&p->nodes[i], k))
				taken[p->nodes[i].in[k]] = false;
	take_factors(p, taken);
	mmi_free(taken);
	return MM_OK;
}

/* ------------------------------------------------------------ who yields what */

enum { NOWHERE = -1 };

/* The call that yields what x has the storage of, and as which of its values; NOWHERE: it is a leaf. */
static ptrdiff_t producer(const mmi_plan *p, mm_tensor x, uint32_t *as)
{
	const mm_tensor root = p->root[x];
	for (size_t c = p->n_calls; c-- > 0;)
		for (uint32_t i = 0; i <= p->calls[c].n_joined; i++)
			if (p->root[mmi_plan_value(&p->calls[c], i)] == root) {
				*as = i;
				return (ptrdiff_t)c;
			}
	return NOWHERE;
}

static mm_tensor source_of(const mmi_plan *p, mm_tensor x)
{
	return p->absorbed[x] ? p->nodes[x].in[0] : x;
}

static void remove_call(mmi_plan *p, size_t c)
{
	memmove(&p->calls[c], &p->calls[c + 1], (p->n_calls - c - 1) * sizeof *p->calls);
	p->n_calls--;
}

static void drop_last(mmi_plan_call *call)
{
	call->out = --call->n_joined > 0 ? call->joined[call->n_joined - 1] : call->node;
}

/* ------------------------------------------------------------ reading through, and signs */

/* An operand that is resampled for this operation alone is read through what resamples it. */
static void absorb(mmi_plan *p, mm_tensor id, uint32_t k)
{
	const mm_tensor x = p->nodes[id].in[k];
	uint32_t as;
	if (p->absorbed[x] || p->consumers[x] != 1 || p->output[x] || !resamples(p, x) ||
	    !mmi_shape_equal(&p->nodes[x].shape, &p->nodes[id].shape))
		return;
	const ptrdiff_t c = producer(p, x, &as);
	if (c == NOWHERE || as != p->calls[c].n_joined || mmi_plan_value(&p->calls[c], as) != x)
		return;
	if (as == 0 && p->absorbed[p->nodes[x].in[0]])
		return;
	if (as == 0)
		remove_call(p, (size_t)c);
	else
		drop_last(&p->calls[c]);
	p->absorbed[x] = true;
}

/* A ReLU that the product in front of it computes as well; signs would take a pass. */
static bool is_free(const mmi_plan *p, const mmi_plan_call *call, uint32_t as)
{
	const mmi_node *node = &p->nodes[mmi_plan_value(call, as)];
	return (call->kernel->flags & MMI_KERNEL_RELU) && as == 1 && p->nodes[call->node].n_in > 2 &&
	       node->op == MMI_OP_ACT && node->attr.act == MM_ACT_RELU;
}

static void read_signs(mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	const bool slopes = node->attr.act == MM_ACT_RELU || node->attr.act == MM_ACT_LEAKY_RELU;
	uint32_t as;
	if (node->op != MMI_OP_ACT_BWD || !slopes)
		return;
	const ptrdiff_t c = producer(p, node->in[1], &as);
	if (c == NOWHERE || p->output[p->root[node->in[1]]] || is_free(p, &p->calls[c], as))
		return;
	const uint32_t flag = as > 0 ? MMI_KERNEL_JOIN : MMI_KERNEL_READ;
	p->by_signs[id] = (p->calls[c].kernel->flags & flag) && !spreads(p, mmi_plan_value(&p->calls[c], as));
}

/* ------------------------------------------------------------ joining */

/* The last call that yields what the node reads beside the value; NOWHERE: leaves do. */
static ptrdiff_t last_needed(const mmi_plan *p, mm_tensor id, uint32_t value)
{
	ptrdiff_t last = NOWHERE;
	for (uint32_t k = 0; k < p->nodes[id].n_in; k++) {
		uint32_t as;
		const ptrdiff_t c = k == value ? NOWHERE : producer(p, source_of(p, p->nodes[id].in[k]), &as);
		last = c > last ? c : last;
	}
	return last;
}

static bool needs(const mmi_plan *p, mm_tensor id, uint32_t value, ptrdiff_t c)
{
	for (uint32_t k = 0; k < p->nodes[id].n_in; k++) {
		uint32_t as;
		if (k != value && producer(p, source_of(p, p->nodes[id].in[k]), &as) == c)
			return true;
	}
	return false;
}

static bool reads_of(const mmi_plan *p, const mmi_plan_call *call, const mmi_plan_call *from)
{
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(p, call, reads);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t v = 0; v <= from->n_joined; v++)
			if (p->root[reads[i].tensor] == p->root[mmi_plan_value(from, v)])
				return true;
	return false;
}

/* Puts a call off to the end of the list, unless somebody has read what it yields. */
static bool put_off(mmi_plan *p, size_t c)
{
	const mmi_plan_call call = p->calls[c];
	for (size_t later = c + 1; later < p->n_calls; later++)
		if (reads_of(p, &p->calls[later], &call))
			return false;
	remove_call(p, c);
	p->calls[p->n_calls++] = call;
	return true;
}

/* Whether the call has computed input k of the node last, element by element as the node wants it. */
static bool can_join(const mmi_plan *p, mm_tensor id, uint32_t k, ptrdiff_t c, uint32_t as)
{
	const mmi_node *node = &p->nodes[id], *in = &p->nodes[node->in[k]];
	if (c == NOWHERE || as != p->calls[c].n_joined || as == MMI_MOST_JOINED ||
	    !(p->calls[c].kernel->flags & MMI_KERNEL_JOIN) || spreads(p, mmi_plan_value(&p->calls[c], as)))
		return false;
	return spreads(p, id) || mmi_shape_count(&in->shape) == mmi_shape_count(&node->shape);
}

static void append(mmi_plan_call *call, mm_tensor id, uint32_t k)
{
	call->joined[call->n_joined] = id;
	call->value[call->n_joined++] = (uint8_t)k;
	call->out = id;
}

static bool join_to(mmi_plan *p, mm_tensor id, uint32_t k, ptrdiff_t c)
{
	if (needs(p, id, k, c))
		return false;
	if (last_needed(p, id, k) > c) {
		if (!put_off(p, (size_t)c))
			return false;
		c = (ptrdiff_t)p->n_calls - 1;
	}
	append(&p->calls[c], id, k);
	return true;
}

/* The candidate that comes last has all else in front of it; the other one may have to be put off. */
static bool join_any(mmi_plan *p, mm_tensor id)
{
	ptrdiff_t at[2] = { NOWHERE, NOWHERE };
	for (uint32_t k = 0; k < p->nodes[id].n_in && k < 2; k++) {
		uint32_t as = 0;
		const ptrdiff_t c = (values[p->nodes[id].op] >> k & 1) ? producer(p, p->nodes[id].in[k], &as) : NOWHERE;
		at[k] = can_join(p, id, k, c, as) ? c : NOWHERE;
	}
	const uint32_t first = at[1] > at[0];
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t k = first ^ i;
		if (at[k] != NOWHERE && join_to(p, id, k, at[k]))
			return true;
	}
	return false;
}

bool mmi_join(mmi_plan *p, mm_tensor id)
{
	const mmi_node *node = &p->nodes[id];
	if (!values[node->op])
		return false;
	if (node->op == MMI_OP_UPSAMPLE || node->op == MMI_OP_AVG_POOL_BWD)
		return spreads(p, id) && join_any(p, id);
	for (uint32_t k = 0; k < node->n_in; k++)
		absorb(p, id, k);
	read_signs(p, id);
	return join_any(p, id);
}

/* ------------------------------------------------------------ what is stored */

void mmi_join_store(mmi_plan *p)
{
	mmi_read reads[MMI_MOST_READS];
	for (size_t i = 0; i < p->n_nodes; i++)
		p->stored[i] = false;
	for (size_t i = 0; i < p->n_nodes; i++)
		if (p->output[i])
			p->stored[p->root[i]] = true;
	for (size_t c = 0; c < p->n_calls; c++) {
		const uint32_t n = mmi_plan_reads(p, &p->calls[c], reads);
		for (uint32_t r = 0; r < n; r++)
			if (!reads[r].signs)
				p->stored[p->root[reads[r].tensor]] = true;
	}
}
