/* conv_pool.c - average pooling, nearest upsampling and their gradients. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"

/* The pooling [h, w, c] -> [oh, ow, c] that the operation is, or whose transpose it is. */
static mmi_pool_job pool_of(const mmi_exec *x)
{
	const mmi_opcode op = x->node->op;
	const bool average = op == MMI_OP_AVG_POOL || op == MMI_OP_AVG_POOL_BWD;
	const bool down = op == MMI_OP_AVG_POOL || op == MMI_OP_UPSAMPLE_BWD;
	const mm_shape *large = down ? &x->in_node[0]->shape : &x->node->shape;
	const mm_shape *small = down ? &x->node->shape : &x->in_node[0]->shape;
	const mmi_attr *a = &x->node->attr;
	return (mmi_pool_job){ .h = large->dim[0],
		                   .w = large->dim[1],
		                   .c = large->dim[2],
		                   .oh = small->dim[0],
		                   .ow = small->dim[1],
		                   .k = a->kh,
		                   .s = average ? a->sh : a->kh,
		                   .p = average ? a->ph : 0,
		                   .count_pad = a->flag != 0,
		                   .average = average };
}

static mm_status pool_prepare(mmi_exec *x, mm_error *e)
{
	(void)e;
	x->state = (void *)mmi_simd_of(x);
	return MM_OK;
}

static void pool_run(mmi_exec *x)
{
	const mmi_simd *simd = x->state;
	const bool down = x->node->op == MMI_OP_AVG_POOL || x->node->op == MMI_OP_UPSAMPLE_BWD;
	const int64_t in = mmi_shape_count(&x->in_node[0]->shape), out = mmi_shape_count(&x->node->shape);
	mmi_epilogue ep = mmi_epilogue_of(x);
	mmi_pool_job j = pool_of(x);
	j.src = x->in[0];
	j.dst = x->out;
	for (int64_t i = 0; i < x->n; i++, j.src += in, j.dst += out) {
		(down ? simd->pool : simd->unpool)(&j);
		if (ep.act != MM_ACT_NONE || ep.mask)
			simd->epilogue(j.dst, out / j.c, j.c, &ep);
		if (ep.mask)
			ep.mask += out;
	}
}

const mmi_kernel mmi_kernel_pool = {
	.name = "pool/vector",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.prepare = pool_prepare,
	.run = pool_run,
};
