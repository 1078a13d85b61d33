/* op_infer.c - shape rules: what an operation's output looks like, or why its inputs do not fit. */
#include "mmi_build.h"

#include "engine/op_rules.h"

static const mmi_node *input(const mmi_graph *g, const mmi_node *node, uint32_t i)
{
	return &g->nodes[node->in[i]];
}

static const mm_shape *shape(const mmi_graph *g, const mmi_node *node, uint32_t i)
{
	return &g->nodes[node->in[i]].shape;
}

static mm_status misfit(const mm_shape *found, const char *expected, mm_error *e)
{
	char text[64];
	return mmi_fail(e, MM_ESHAPE, "input has shape %s; expected %s", mmi_shape_text(found, text), expected);
}

static mm_status unequal(const mm_shape *a, const mm_shape *b, mm_error *e)
{
	char x[64], y[64];
	return mmi_fail(e, MM_ESHAPE, "inputs have shapes %s and %s; they must agree", mmi_shape_text(a, x), mmi_shape_text(b, y));
}

mm_status mmi_infer_linear(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0), *w = shape(g, node, 1);
	if (w->rank != 2 || mmi_shape_count(x) != w->dim[0])
		return unequal(x, w, e);
	node->shape = mmi_shape(1, w->dim[1]);
	return MM_OK;
}

mm_status mmi_infer_conv(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0), *w = shape(g, node, 1);
	const mmi_attr *a = &node->attr;
	if (x->rank != 3 || w->rank != 4 || x->dim[2] != w->dim[2])
		return unequal(x, w, e);
	int32_t h = (x->dim[0] + 2 * a->ph - a->kh), v = (x->dim[1] + 2 * a->pw - a->kw);
	if (h < 0 || v < 0)
		return mmi_fail(e, MM_ESHAPE, "a kernel of %dx%d does not fit a map of %dx%d padded by %dx%d", a->kh, a->kw, x->dim[0],
		                x->dim[1], a->ph, a->pw);
	node->shape = mmi_shape(3, h / a->sh + 1, v / a->sw + 1, w->dim[3]);
	return MM_OK;
}

mm_status mmi_infer_avg_pool(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0);
	const mmi_attr *a = &node->attr;
	if (x->rank != 3)
		return misfit(x, "[h,w,c]", e);
	/* More padding than half the kernel would leave cells that see no input and, uncounted, divide by zero. */
	if (a->kh < 1 || a->sh < 1 || a->ph < 0 || 2 * a->ph > a->kh)
		return mmi_fail(e, MM_EARG, "kernel %d, stride %d, padding %d; expected positive kernel and stride, padding at most half the kernel",
		                a->kh, a->sh, a->ph);
	int32_t h = x->dim[0] + 2 * a->ph - a->kh, w = x->dim[1] + 2 * a->pw - a->kw;
	if (h < 0 || w < 0)
		return misfit(x, "a map at least as large as the pooling window", e);
	node->shape = mmi_shape(3, h / a->sh + 1, w / a->sw + 1, x->dim[2]);
	return MM_OK;
}

mm_status mmi_infer_upsample(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0);
	int32_t f = node->attr.kh;
	if (x->rank != 3 || f < 1)
		return misfit(x, "[h,w,c] and a factor of at least 1", e);
	node->shape = mmi_shape(3, f * x->dim[0], f * x->dim[1], x->dim[2]);
	return MM_OK;
}

mm_status mmi_infer_binary(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0), *y = shape(g, node, 1);
	if (y->rank != 0 && !mmi_shape_equal(x, y))
		return unequal(x, y, e);
	node->shape = *x;
	return MM_OK;
}

mm_status mmi_infer_same(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	(void)e;
	node->shape = *shape(g, node, 0);
	return MM_OK;
}

mm_status mmi_infer_act(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (node->attr.act <= MM_ACT_NONE || node->attr.act > MM_ACT_EXP)
		return mmi_fail(e, MM_EARG, "unknown activation %d", node->attr.act);
	if (node->attr.act == MM_ACT_LEAKY_RELU && !(node->attr.a > 0))
		return mmi_fail(e, MM_EARG, "leaky ReLU with slope %g; expected a positive slope", (double)node->attr.a);
	return mmi_infer_same(g, node, e);
}

mm_status mmi_infer_clamp(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (!(node->attr.a < node->attr.b))
		return mmi_fail(e, MM_EARG, "clamp to %g .. %g; the first must be smaller", (double)node->attr.a, (double)node->attr.b);
	return mmi_infer_same(g, node, e);
}

mm_status mmi_infer_last_axis(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (shape(g, node, 0)->rank < 1)
		return misfit(shape(g, node, 0), "at least one axis", e);
	return mmi_infer_same(g, node, e);
}

mm_status mmi_infer_lse(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	MMI_TRY(mmi_infer_last_axis(g, node, e));
	node->shape.rank--;
	node->shape.dim[node->shape.rank] = 0;
	return MM_OK;
}

mm_status mmi_infer_concat(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *first = shape(g, node, 0);
	uint32_t axis = (uint32_t)node->attr.axis;
	if (node->n_in < 1 || axis >= first->rank)
		return misfit(first, "an existing axis to join along", e);
	node->shape = *first;
	for (uint32_t i = 1; i < node->n_in; i++) {
		mm_shape other = *shape(g, node, i), like = *first;
		int32_t add = axis < other.rank ? other.dim[axis] : 0;
		like.dim[axis] = add;
		if (!mmi_shape_equal(&other, &like))
			return unequal(first, &other, e);
		node->shape.dim[axis] += add;
	}
	return MM_OK;
}

mm_status mmi_infer_slice(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0);
	const mmi_attr *a = &node->attr;
	if (a->axis < 0 || (uint32_t)a->axis >= x->rank || a->begin < 0 || a->count < 1 ||
	    a->begin > x->dim[a->axis] - a->count) {
		char text[64];
		return mmi_fail(e, MM_ESHAPE, "entries %d to %d of axis %d do not exist in shape %s", a->begin, a->begin + a->count - 1,
		                a->axis, mmi_shape_text(x, text));
	}
	node->shape = *x;
	node->shape.dim[a->axis] = a->count;
	return MM_OK;
}

mm_status mmi_infer_sum(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = shape(g, node, 0);
	uint32_t axis = (uint32_t)node->attr.axis;
	if (axis >= x->rank)
		return misfit(x, "an existing axis to sum over", e);
	node->shape = (mm_shape){ .rank = x->rank - 1 };
	for (uint32_t i = 0, o = 0; i < x->rank; i++)
		if (i != axis)
			node->shape.dim[o++] = x->dim[i];
	return MM_OK;
}

mm_status mmi_infer_scalar(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	(void)g, (void)e;
	node->shape = mmi_shape(0);
	return MM_OK;
}

mm_status mmi_infer_pair(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (!mmi_shape_equal(shape(g, node, 0), shape(g, node, 1)))
		return unequal(shape(g, node, 0), shape(g, node, 1), e);
	node->shape = mmi_shape(0);
	return MM_OK;
}

mm_status mmi_infer_categorical(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (shape(g, node, 0)->rank < 1)
		return misfit(shape(g, node, 0), "at least one axis", e);
	return mmi_infer_pair(g, node, e);
}

mm_status mmi_infer_logpdf(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	for (uint32_t i = 1; i < 3; i++)
		if (!mmi_shape_equal(shape(g, node, 0), shape(g, node, i)))
			return unequal(shape(g, node, 0), shape(g, node, i), e);
	node->shape = mmi_shape(0);
	return MM_OK;
}

mm_status mmi_infer_gather(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	if (node->n_in < 2 || input(g, node, 0)->shape.rank != 0)
		return misfit(shape(g, node, 0), "one index per sample and at least one expert", e);
	for (uint32_t i = 2; i < node->n_in; i++)
		if (!mmi_shape_equal(shape(g, node, 1), shape(g, node, i)))
			return unequal(shape(g, node, 1), shape(g, node, i), e);
	node->shape = *shape(g, node, 1);
	return MM_OK;
}
