/* grad.c - reverse-mode differentiation: walks the graph from the loss back and lets each operation's rule record its
 * gradients. Only nodes that lead to something wanted are visited, so a chain's program computes nothing else. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

struct mmi_grad_ctx {
	mmi_graph *g;
	size_t n;               /* nodes before differentiation */
	bool *wanted;           /* does this node lead to a wanted input or parameter? */
	mm_tensor *adjoint;     /* gradient so far */
	mm_tensor *param_grads; /* recorded parameter gradients, room for capacity */
	uint32_t n_param_grads, capacity;
};

mmi_graph *mmi_grad_graph(mmi_grad_ctx *c)
{
	return c->g;
}

mmi_node mmi_grad_node(mmi_grad_ctx *c, mm_tensor id)
{
	return c->g->nodes[id];
}

bool mmi_grad_wanted(const mmi_grad_ctx *c, mm_tensor x)
{
	return x >= 0 && (size_t)x < c->n && c->wanted[x];
}

void mmi_grad_add(mmi_grad_ctx *c, mm_tensor x, mm_tensor contribution)
{
	if (!mmi_grad_wanted(c, x) || contribution == MMI_NONE)
		return;
	if (c->adjoint[x] != MMI_NONE) {
		mm_tensor both[2] = { c->adjoint[x], contribution };
		contribution = mmi_op(c->g, MMI_OP_ADD, 2, both, &(mmi_attr){ .a = 1, .b = 1 });
	}
	c->adjoint[x] = contribution;
}

void mmi_grad_emit(mmi_grad_ctx *c, mm_tensor x, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                   const mmi_attr *attr)
{
	if (!mmi_grad_wanted(c, x))
		return;
	mm_shape shape = c->g->nodes[x].shape;
	mmi_grad_add(c, x, mmi_op_shaped(c->g, op, n_in, in, attr, &shape));
}

/* Every use of a parameter adds into the same buffer, so uses need no ADD between them. */
void mmi_grad_emit_param(mmi_grad_ctx *c, mm_tensor x, mmi_opcode op, uint32_t n_in, const mm_tensor *in,
                         const mmi_attr *attr)
{
	if (!mmi_grad_wanted(c, x))
		return;
	mmi_node param = c->g->nodes[x];
	mm_tensor id = mmi_op_shaped(c->g, op, n_in, in, attr, &param.shape);
	if (id == MMI_NONE)
		return;
	c->g->nodes[id].params = param.params;
	c->g->nodes[id].param = param.param;
	if (c->n_param_grads == c->capacity) {
		uint32_t capacity = c->capacity ? 2 * c->capacity : 64;
		mm_tensor *grown = mmi_grow(c->param_grads, c->n_param_grads, capacity, sizeof *grown);
		if (!grown) {
			mmi_graph_fail(c->g, MM_ENOMEM, "out of memory for parameter gradients");
			return;
		}
		c->param_grads = grown;
		c->capacity = capacity;
	}
	c->param_grads[c->n_param_grads++] = id;
}

static bool trained(const mmi_grad_request *r, const mmi_node *node)
{
	for (uint32_t i = 0; i < r->n_stores; i++)
		if (node->op == MMI_OP_PARAM && node->params == r->stores[i])
			return true;
	return false;
}

static void mark_wanted(mmi_grad_ctx *c, const mmi_grad_request *r)
{
	for (uint32_t i = 0; i < r->n_wrt; i++)
		if (r->wrt[i] >= 0 && (size_t)r->wrt[i] < c->n)
			c->wanted[r->wrt[i]] = true;
	for (size_t i = 0; i < c->n; i++) {
		const mmi_node *node = &c->g->nodes[i];
		if (trained(r, node))
			c->wanted[i] = true;
		for (uint32_t k = 0; k < node->n_in && !c->wanted[i]; k++)
			c->wanted[i] = c->wanted[node->in[k]];
	}
}

static mm_status walk_back(mmi_grad_ctx *c, const mmi_grad_request *r, mm_error *e)
{
	c->adjoint[r->loss] = r->seed;
	for (mm_tensor id = r->loss; id >= 0; id--) {
		mmi_opcode op = c->g->nodes[id].op;
		if (c->adjoint[id] == MMI_NONE || !c->wanted[id] || c->g->nodes[id].n_in == 0)
			continue;
		if (!mmi_ops[op]->grad)
			return mmi_fail(e, MM_EUNSUPPORTED, "%s has no gradient rule", mmi_ops[op]->name);
		mmi_ops[op]->grad(c, id, c->adjoint[id]);
	}
	return mmi_graph_check(c->g, e);
}

static mm_status check_request(const mmi_graph *g, const mmi_grad_request *r, mm_error *e)
{
	const mmi_node *loss = mmi_graph_node(g, r->loss), *seed = mmi_graph_node(g, r->seed);
	MMI_TRY(mmi_graph_check(g, e));
	if (!loss || !seed || loss->shape.rank != 0 || seed->shape.rank != 0)
		return mmi_fail(e, MM_ESHAPE, "a gradient needs a loss and a seed that are one number per sample");
	return MM_OK;
}

mm_status mmi_graph_grad(mmi_graph *g, mmi_grad_request *r, mm_error *e)
{
	mmi_grad_ctx c = { .g = g, .n = g->n };
	MMI_TRY(check_request(g, r, e));
	c.wanted = mmi_alloc(g->n, sizeof *c.wanted);
	c.adjoint = mmi_alloc(g->n, sizeof *c.adjoint);
	mm_status status = MM_ENOMEM;
	if (!c.wanted || !c.adjoint) {
		mmi_fail(e, MM_ENOMEM, "out of memory for gradients");
		goto done;
	}
	for (size_t i = 0; i < g->n; i++)
		c.adjoint[i] = MMI_NONE;
	mark_wanted(&c, r);
	MMI_TRY_GOTO(walk_back(&c, r, e), done);
	for (uint32_t i = 0; i < r->n_wrt; i++)
		r->grads[i] = c.adjoint[r->wrt[i]];
	r->param_grads = c.param_grads;
	r->n_param_grads = c.n_param_grads;
	c.param_grads = NULL;
done:
	mmi_free(c.param_grads);
	mmi_free(c.wanted);
	mmi_free(c.adjoint);
	return status;
}
