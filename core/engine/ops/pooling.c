/* pooling.c - average pooling and nearest upsampling. */
#include "mmi_build.h"

#include "engine/ops/rules.h"

static mm_status infer_avg_pool(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0);
	const mmi_attr *a = &node->attr;
	if (x->rank != 3)
		return mmi_misfit(x, "[h,w,c]", e);
	/* More padding than half the kernel would leave cells that see no input and, uncounted, divide by zero. */
	if (a->kh < 1 || a->sh < 1 || a->ph < 0 || 2 * a->ph > a->kh)
		return mmi_fail(e, MM_EARG,
		                "kernel %d, stride %d, padding %d; expected positive kernel and stride, padding at most half "
		                "the kernel",
		                a->kh, a->sh, a->ph);
	int32_t h = x->dim[0] + 2 * a->ph - a->kh, w = x->dim[1] + 2 * a->pw - a->kw;
	if (h < 0 || w < 0)
		return mmi_misfit(x, "a map at least as large as the pooling window", e);
	node->shape = mmi_shape(3, h / a->sh + 1, w / a->sw + 1, x->dim[2]);
	return MM_OK;
}

static mm_status infer_upsample(const mmi_graph *g, mmi_node *node, mm_error *e)
{
	const mm_shape *x = mmi_in_shape(g, node, 0);
	int32_t f = node->attr.kh;
	if (x->rank != 3 || f < 1)
		return mmi_misfit(x, "[h,w,c] and a factor of at least 1", e);
	node->shape = mmi_shape(3, f * x->dim[0], f * x->dim[1], x->dim[2]);
	return MM_OK;
}

MMI_OP(AVG_POOL, .name = "avg_pool", .infer = infer_avg_pool, .grad = mmi_grad_dy, .backward = MMI_OP_AVG_POOL_BWD);
MMI_OP(AVG_POOL_BWD, .name = "avg_pool_bwd");
MMI_OP(UPSAMPLE, .name = "upsample", .infer = infer_upsample, .grad = mmi_grad_dy, .backward = MMI_OP_UPSAMPLE_BWD);
MMI_OP(UPSAMPLE_BWD, .name = "upsample_bwd");
