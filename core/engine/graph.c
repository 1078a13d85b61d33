/* graph.c - recording of nodes: storage, scopes, sticky errors, and the checks every operation shares. */
#include "mmi_build.h"

#include "engine/graph.h"
#include "engine/op.h"
#include "engine/params.h"

#include <stdio.h>
#include <string.h>

mm_status mmi_graph_create(mmi_graph **out, mm_error *e)
{
	mmi_graph *g = mmi_alloc(1, sizeof *g);
	if (!g)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a graph");
	g->error.struct_size = sizeof g->error;
	*out = g;
	return MM_OK;
}

void mmi_graph_destroy(mmi_graph *g)
{
	if (!g)
		return;
	mmi_free(g->nodes);
	mmi_free(g);
}

void mmi_graph_scope(mmi_graph *g, mmi_params *store, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(g->scope, sizeof g->scope, format, ap);
	va_end(ap);
	g->params = store;
}

mm_status mmi_graph_check(const mmi_graph *g, mm_error *e)
{
	if (g->error.code == MM_OK)
		return MM_OK;
	return mmi_fail(e, g->error.code, "%s", g->error.message);
}

const mmi_node *mmi_graph_node(const mmi_graph *g, mm_tensor x)
{
	return x >= 0 && (size_t)x < g->n ? &g->nodes[x] : NULL;
}

/* Keeps only the first failure: later ones are its consequences. */
static mm_tensor sticky(mmi_graph *g, const mm_error *e)
{
	if (g->error.code == MM_OK)
		g->error = *e;
	return MMI_NONE;
}

static mm_tensor append(mmi_graph *g, const mmi_node *node)
{
	mm_error e = MM_ERROR_INIT;
	if (g->limit && g->n >= g->limit) {
		mmi_fail(&e, MM_ENOMEM, "no more than %zu operations", g->limit);
		return sticky(g, &e);
	}
	if (g->n == g->capacity) {
		size_t capacity = g->capacity ? 2 * g->capacity : 64;
		mmi_node *grown = mmi_grow(g->nodes, g->n, capacity, sizeof *grown);
		if (!grown) {
			mmi_fail(&e, MM_ENOMEM, "out of memory for a graph of %zu operations", capacity);
			return sticky(g, &e);
		}
		g->nodes = grown;
		g->capacity = capacity;
	}
	g->nodes[g->n] = *node;
	return (mm_tensor)g->n++;
}

/* Fills node's inputs. False: an input is missing (already reported) or unknown (reported here). */
static bool take_inputs(mmi_graph *g, mmi_node *node, uint32_t n_in, const mm_tensor *in)
{
	mm_error e = MM_ERROR_INIT;
	if (n_in > MMI_MAX_IN) {
		mmi_fail(&e, MM_EARG, "%s got %u inputs; at most %d are possible", mmi_ops[node->op]->name, n_in, MMI_MAX_IN);
		sticky(g, &e);
		return false;
	}
	node->n_in = n_in;
	for (uint32_t i = 0; i < n_in; i++) {
		if (in[i] == MMI_NONE && g->error.code != MM_OK)
			return false;
		if (!mmi_graph_node(g, in[i])) {
			mmi_fail(&e, MM_EARG, "%s: input %u is tensor %d, which this graph does not have (it has %zu)",
			         mmi_ops[node->op]->name, i, in[i], g->n);
			sticky(g, &e);
			return false;
		}
		node->in[i] = in[i];
	}
	return true;
}

mm_tensor mmi_op(mmi_graph *g, mmi_opcode op, uint32_t n_in, const mm_tensor *in, const mmi_attr *attr)
{
	mm_error e = MM_ERROR_INIT;
	mmi_node node = { .op = op, .batched = true };
	if (attr)
		node.attr = *attr;
	if (!take_inputs(g, &node, n_in, in))
		return MMI_NONE;
	if (mmi_ops[op]->infer(g, &node, &e) != MM_OK) {
		mmi_fail_prefix(&e, "%s", mmi_ops[op]->name);
		return sticky(g, &e);
	}
	return append(g, &node);
}

mm_tensor mmi_op_shaped(mmi_graph *g, mmi_opcode op, uint32_t n_in, const mm_tensor *in, const mmi_attr *attr,
                        const mm_shape *shape)
{
	mmi_node node = { .op = op, .batched = !mmi_ops[op]->param_grad, .shape = *shape };
	if (attr)
		node.attr = *attr;
	if (!take_inputs(g, &node, n_in, in))
		return MMI_NONE;
	return append(g, &node);
}

mm_tensor mmi_input(mmi_graph *g, const char *name, mm_shape shape)
{
	mmi_node node = { .op = MMI_OP_INPUT, .batched = true, .shape = shape };
	snprintf(node.name, sizeof node.name, "%s", name);
	return append(g, &node);
}

mm_tensor mmi_const(mmi_graph *g, mm_shape shape, float value)
{
	mmi_node node = { .op = MMI_OP_CONST, .batched = true, .shape = shape, .attr.a = value };
	return append(g, &node);
}

mm_tensor mmi_param(mmi_graph *g, const char *name, mm_shape shape, int32_t init, int32_t fan_in)
{
	mm_error e = MM_ERROR_INIT;
	char full[96];
	mmi_node node = { .op = MMI_OP_PARAM, .shape = shape, .params = g->params };

	if (!g->params) {
		mmi_fail(&e, MM_ESTATE, "parameter \"%s\" declared outside a model", name);
		return sticky(g, &e);
	}
	int length = snprintf(full, sizeof full, "%s%s%s", g->scope, g->scope[0] ? "." : "", name);
	if (length < 0 || (size_t)length >= sizeof full) {
		mmi_fail(&e, MM_EARG, "parameter name \"%s.%s\" has %d characters; at most %zu are possible", g->scope, name,
		         length, sizeof full - 1);
		return sticky(g, &e);
	}
	if (mmi_params_declare(g->params, full, shape, init, fan_in, &node.param, &e) != MM_OK)
		return sticky(g, &e);
	/* One node per tensor keeps gradients of shared weights in one place. */
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].op == MMI_OP_PARAM && g->nodes[i].params == node.params && g->nodes[i].param == node.param)
			return (mm_tensor)i;
	return append(g, &node);
}

mm_tensor mmi_graph_fail(mmi_graph *g, mm_status code, const char *message)
{
	mm_error e = MM_ERROR_INIT;
	mmi_fail(&e, code > MM_OK && code <= MM_EINTERNAL ? code : MM_EINTERNAL, "%s",
	         message ? message : "no reason given");
	return sticky(g, &e);
}
