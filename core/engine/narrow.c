/* narrow.c - the choice between float and bfloat16. */
#include "mmi_build.h"

#include "engine/narrow.h"
#include "engine/device.h"
#include "engine/op.h"

/* What an operation means for the choice. */
enum {
	HANDS_ON = 1, /* of numbers it makes numbers */
	ASKS = 2,     /* its result is wanted in floats: so are its inputs */
	SUMS = 4,     /* yields numbers: sums over maps */
	EXACT = 8,    /* its inputs are wanted in floats */
	PRODUCT = 16  /* reads its maps in bfloat16 */
};

static const uint8_t roles[MMI_OP_COUNT] = {
	[MMI_OP_LINEAR] = PRODUCT,
	[MMI_OP_LINEAR_BWD_X] = PRODUCT,
	[MMI_OP_LINEAR_BWD_W] = PRODUCT,
	[MMI_OP_CONV] = PRODUCT,
	[MMI_OP_CONV_BWD_X] = PRODUCT,
	[MMI_OP_CONV_BWD_W] = PRODUCT,
	[MMI_OP_ADD] = HANDS_ON | ASKS,
	[MMI_OP_MUL] = HANDS_ON | ASKS,
	[MMI_OP_AFFINE] = HANDS_ON | ASKS,
	[MMI_OP_ACT] = HANDS_ON | ASKS,
	[MMI_OP_ACT_BWD] = HANDS_ON | ASKS,
	[MMI_OP_CLAMP] = HANDS_ON | ASKS,
	[MMI_OP_CLAMP_BWD] = HANDS_ON | ASKS,
	[MMI_OP_LOG] = HANDS_ON | ASKS,
	[MMI_OP_LOG_BWD] = HANDS_ON | ASKS,
	[MMI_OP_SOFTMAX] = HANDS_ON | ASKS,
	[MMI_OP_SOFTMAX_BWD] = HANDS_ON | ASKS,
	[MMI_OP_LSE] = SUMS | EXACT,
	[MMI_OP_LSE_BWD] = HANDS_ON | ASKS,
	[MMI_OP_CONCAT] = HANDS_ON | ASKS,
	[MMI_OP_SLICE] = HANDS_ON | ASKS,
	[MMI_OP_SLICE_BWD] = HANDS_ON | ASKS,
	[MMI_OP_RESHAPE] = HANDS_ON | ASKS,
	[MMI_OP_SUM] = HANDS_ON,
	[MMI_OP_SUM_BWD] = HANDS_ON,
	[MMI_OP_SUM_ALL] = SUMS,
	[MMI_OP_NLL_GAUSSIAN] = SUMS,
	[MMI_OP_NLL_LAPLACE] = SUMS,
	[MMI_OP_NLL_BERNOULLI] = SUMS,
	[MMI_OP_NLL_CATEGORICAL] = SUMS,
	[MMI_OP_LOGPDF_NORMAL] = SUMS | EXACT,
	[MMI_OP_LOGPDF_LAPLACE] = SUMS | EXACT,
};

typedef struct choice {
	const mmi_plan *p;
	bool *numbers, *wanted;
} choice;

static int64_t count(const mmi_plan *p, mm_tensor id)
{
	return mmi_shape_count(&p->nodes[id].shape);
}

/* A number that is read for many elements, such as a loss's seed, makes no number of them. */
static bool makes_numbers(const choice *c, const mmi_node *node)
{
	const bool joins = node->op == MMI_OP_CONCAT || node->op == MMI_OP_SLICE_BWD;
	if (roles[node->op] & SUMS)
		return true;
	for (uint32_t k = 0; k < node->n_in && (roles[node->op] & HANDS_ON); k++)
		if (c->numbers[node->in[k]] && (joins || count(c->p, node->in[k]) >= mmi_shape_count(&node->shape)))
			return true;
	return false;
}

static void find_numbers(choice *c)
{
	for (size_t i = 0; i < c->p->n_nodes; i++)
		c->numbers[i] = c->p->needed[i] && makes_numbers(c, &c->p->nodes[i]);
}

static void find_wanted(choice *c)
{
	for (size_t i = c->p->n_nodes; i-- > 0;) {
		const mmi_node *node = &c->p->nodes[i];
		const bool asks = (c->numbers[i] || c->wanted[i]) && (roles[node->op] & ASKS);
		for (uint32_t k = 0; k < node->n_in; k++)
			if (c->p->needed[i] && (asks || (roles[node->op] & EXACT)))
				c->wanted[node->in[k]] = true;
	}
}

static bool stays_float(const choice *c, size_t i)
{
	const mmi_node *node = &c->p->nodes[i];
	return mmi_ops[node->op]->leaf || mmi_ops[node->op]->param_grad || !node->batched || c->p->output[i] ||
	       c->numbers[i] || c->wanted[i] || mmi_shape_count(&node->shape) == 1;
}

/* Of what is needed. */
static mm_status choose(mmi_plan *p, mm_error *e)
{
	choice c = { p, mmi_alloc(p->n_nodes, sizeof *c.numbers), mmi_alloc(p->n_nodes, sizeof *c.wanted) };
	if (c.numbers && c.wanted) {
		find_numbers(&c);
		find_wanted(&c);
		for (size_t i = 0; i < p->n_nodes; i++)
			p->narrow[i] = p->needed[i];
		for (size_t i = 0; i < p->n_nodes; i++)
			if (stays_float(&c, i))
				p->narrow[p->root[i]] = false;
	}
	const bool done = c.numbers && c.wanted;
	mmi_free(c.numbers);
	mmi_free(c.wanted);
	return done ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a program of %zu operations", p->n_nodes);
}

mm_status mmi_narrow_choose(mmi_plan *p, mm_error *e)
{
	return p->device->backend->narrow ? choose(p, e) : MM_OK;
}

/* What is small gains nothing; and gradients to latents, sums of parts that cancel, are. */
static void keep_small(mmi_plan *p)
{
	enum { SMALL = 1024 };
	for (size_t i = 0; i < p->n_nodes; i++)
		if (count(p, (mm_tensor)i) < SMALL)
			p->narrow[p->root[i]] = false;
}

mm_status mmi_narrow_choose_among(mmi_plan *p, mm_error *e)
{
	mmi_read reads[MMI_MOST_READS];
	if (!p->device->narrow)
		return MM_OK;
	MMI_TRY(choose(p, e));
	keep_small(p);
	for (size_t i = 0; i < p->n_calls; i++) {
		const mmi_plan_call *call = &p->calls[i];
		if (call->kernel->flags & MMI_KERNEL_NARROW)
			continue;
		const uint32_t n = mmi_plan_reads(p, call, reads);
		p->narrow[p->root[call->out]] = false;
		for (uint32_t r = 0; r < n; r++)
			p->narrow[p->root[reads[r].tensor]] = false;
	}
	return MM_OK;
}

bool mmi_narrow_rounds(const mmi_plan *p, mm_tensor id, uint32_t k)
{
	const mmi_node *node = &p->nodes[id];
	const bool operand = k == 0 || (k == 1 && mmi_ops[node->op]->param_grad); /* the others are parameters */
	return p->device->backend->narrow && (roles[node->op] & PRODUCT) && operand && !p->narrow[p->root[node->in[k]]];
}

/* a x + b, with a = 1 and b = 0. */
mm_tensor mmi_narrow_copy(mmi_plan *p, mm_tensor x)
{
	if (p->rounded[x] != MMI_NONE)
		return p->rounded[x];
	const mm_tensor copy = (mm_tensor)p->n_nodes++;
	p->nodes[copy] = (mmi_node){
		.op = MMI_OP_AFFINE, .n_in = 1, .in = { x }, .shape = p->nodes[x].shape, .batched = true, .attr = { .a = 1 }
	};
	p->needed[copy] = p->narrow[copy] = true;
	p->consumers[copy] = 1;
	p->rounded[x] = copy;
	return copy;
}
