/* fold.c - convolutions of upsampled maps. */
#include "mmi_build.h"

#include "engine/fold.h"

static bool is_three(const mmi_plan *p, const mmi_node *node)
{
	const mmi_attr *a = &node->attr;
	return a->kh == 3 && a->kw == 3 && a->sh == 1 && a->sw == 1 && a->ph == 1 && a->pw == 1 && !a->flag &&
	       p->nodes[node->in[1]].op == MMI_OP_PARAM;
}

static void drop(mmi_plan *p, mm_tensor x)
{
	if (--p->consumers[x] > 0 || p->output[x])
		return;
	p->needed[x] = false;
	for (uint32_t k = 0; k < p->nodes[x].n_in; k++)
		p->consumers[p->nodes[x].in[k]]--;
}

/* Of an upsampled map. */
static void fold_forward(mmi_plan *p, mmi_node *conv)
{
	const mm_tensor large = conv->in[0];
	if (p->nodes[large].op != MMI_OP_UPSAMPLE || p->nodes[large].attr.kh != 2 || !is_three(p, conv))
		return;
	conv->in[0] = p->nodes[large].in[0];
	conv->attr.flag = 1;
	p->consumers[conv->in[0]]++;
	drop(p, large);
}

/* The gradient to the larger map, which only the one to the smaller map is made of. */
static void fold_backward(mmi_plan *p, mmi_node *sum)
{
	const mm_tensor large = sum->in[0];
	const mmi_node conv = p->nodes[large];
	if (conv.op != MMI_OP_CONV_BWD_X || sum->attr.kh != 2 || p->consumers[large] != 1 || p->output[large] ||
	    conv.n_in != 2 || !is_three(p, &conv))
		return;
	sum->op = conv.op;
	sum->attr = conv.attr;
	sum->attr.flag = 1;
	sum->n_in = conv.n_in;
	for (uint32_t k = 0; k < conv.n_in; k++)
		sum->in[k] = conv.in[k];
	p->needed[large] = false;
}

void mmi_fold_upsampling(mmi_plan *p)
{
	for (size_t i = 0; i < p->n_nodes; i++) {
		mmi_node *node = &p->nodes[i];
		if (p->needed[i] && node->op == MMI_OP_CONV)
			fold_forward(p, node);
		else if (p->needed[i] && node->op == MMI_OP_UPSAMPLE_BWD)
			fold_backward(p, node);
	}
}
