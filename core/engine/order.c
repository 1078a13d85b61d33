/* order.c - calls in the order of a depth-first walk from what is wanted. */
#include "mmi_build.h"

#include "engine/order.h"
#include "engine/op.h"

#include <string.h>

enum { NOBODY = -1 };

/* Of a call. */
enum { NEW, BEGUN, PLACED };

/* A call whose inputs are being looked after. */
typedef struct visit {
	int32_t call;
	uint32_t next; /* input */
} visit;

typedef struct walk {
	const mmi_plan *p;
	int32_t *producer; /* per root: the call that yields it, or NOBODY */
	uint8_t *state;    /* per call */
	visit *stack;
	size_t depth;
	mmi_plan_call *order;
	size_t n;
} walk;

static bool is_param_grad(const mmi_plan *p, size_t call)
{
	return mmi_ops[p->nodes[p->calls[call].node].op]->param_grad;
}

static void enter(walk *w, int32_t call)
{
	w->state[call] = BEGUN;
	w->stack[w->depth++] = (visit){ call, 0 };
}

/* The next call, not begun yet, that yields what this one reads. */
static int32_t next_input(const walk *w, visit *v)
{
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(w->p, &w->p->calls[v->call], reads);
	while (v->next < n) {
		const int32_t from = w->producer[w->p->root[reads[v->next++].tensor]];
		if (from != NOBODY && w->state[from] == NEW)
			return from;
	}
	return NOBODY;
}

static bool is_ready(const walk *w, size_t call)
{
	mmi_read reads[MMI_MOST_READS];
	const uint32_t n = mmi_plan_reads(w->p, &w->p->calls[call], reads);
	for (uint32_t r = 0; r < n; r++) {
		const int32_t from = w->producer[w->p->root[reads[r].tensor]];
		if (from != NOBODY && w->state[from] != PLACED)
			return false;
	}
	return true;
}

static void place(walk *w, size_t call)
{
	w->state[call] = PLACED;
	w->order[w->n++] = w->p->calls[call];
}

/* Numbers, such as a loss, as soon as they can be computed: they need no room, and what they are of does. */
static void place_numbers(walk *w)
{
	for (size_t c = 0; c < w->p->n_calls; c++) {
		const mm_shape *shape = &w->p->nodes[w->p->calls[c].out].shape;
		if (w->state[c] == NEW && mmi_shape_count(shape) == 1 && !is_param_grad(w->p, c) && is_ready(w, c))
			place(w, c);
	}
}

/* A call behind all that it needs. */
static void visit_call(walk *w, size_t call)
{
	if (w->state[call] != NEW)
		return;
	enter(w, (int32_t)call);
	while (w->depth > 0) {
		visit *v = &w->stack[w->depth - 1];
		const int32_t from = next_input(w, v);
		if (from != NOBODY) {
			enter(w, from);
			continue;
		}
		place(w, (size_t)v->call);
		w->depth--;
		place_numbers(w);
	}
}

/* Gradients to parameters first, for they read most; then from the last result on, which mostly is a gradient, too. */
static void visit_all(walk *w)
{
	for (size_t c = 0; c < w->p->n_calls; c++)
		if (is_param_grad(w->p, c))
			visit_call(w, c);
	for (size_t c = w->p->n_calls; c-- > 0;)
		visit_call(w, c);
}

static void find_producers(walk *w)
{
	for (size_t i = 0; i < w->p->n_nodes; i++)
		w->producer[i] = NOBODY;
	for (size_t c = 0; c < w->p->n_calls; c++)
		w->producer[w->p->root[w->p->calls[c].out]] = (int32_t)c;
}

mm_status mmi_order_calls(mmi_plan *p, mm_error *e)
{
	walk w = { .p = p,
		       .producer = mmi_alloc(p->n_nodes, sizeof *w.producer),
		       .state = mmi_alloc(p->n_calls, sizeof *w.state),
		       .stack = mmi_alloc(p->n_calls, sizeof *w.stack),
		       .order = mmi_alloc(p->n_calls, sizeof *w.order) };
	const bool has = w.producer && w.state && w.stack && w.order;
	if (has) {
		find_producers(&w);
		visit_all(&w);
		memcpy(p->calls, w.order, p->n_calls * sizeof *p->calls);
	}
	mmi_free(w.producer);
	mmi_free(w.state);
	mmi_free(w.stack);
	mmi_free(w.order);
	return has ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the order of %zu calls", p->n_calls);
}
