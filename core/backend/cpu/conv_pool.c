/* conv_pool.c - average pooling, nearest upsampling and their gradients. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"

typedef struct pool_state {
	mmi_pool_job job; /* all but the maps */
	void (*run)(const mmi_pool_job *j);
	mmi_epilogue_fn *epilogue;
	bool in_floats, finished; /* results go to scratch first; need no epilogue */
} pool_state;

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

/* In bfloat16 cells do not add up, and are rounded once: by the epilogue, where there is one. */
static bool in_floats(const mmi_exec *x, const mmi_pool_job *j, bool finished)
{
	return x->narrow_out && !(finished && j->k == j->s && j->p == 0);
}

static void pool_release(mmi_exec *x)
{
	mmi_free(x->state);
	x->state = NULL;
}

static mm_status pool_prepare(mmi_exec *x, mm_error *e)
{
	const mmi_simd *simd = mmi_simd_of(x);
	const mmi_bf16 *bf16 = x->narrow_in[0] || x->narrow_out ? mmi_bf16_of(x) : NULL;
	const bool down = x->node->op == MMI_OP_AVG_POOL || x->node->op == MMI_OP_UPSAMPLE_BWD;
	pool_state *s = x->state = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a pooling's state");
	s->job = pool_of(x);
	s->run = bf16 ? (down ? bf16->pool : bf16->unpool) : (down ? simd->pool : simd->unpool);
	s->epilogue = bf16 ? bf16->epilogue : simd->epilogue;
	s->finished = x->act == MM_ACT_NONE && x->mask_act == MM_ACT_NONE;
	s->in_floats = in_floats(x, &s->job, s->finished);
	s->job.narrow_src = x->narrow_in[0];
	s->job.narrow_dst = x->narrow_out && !s->in_floats;
	x->scratch_bytes = s->in_floats ? (size_t)mmi_shape_count(&x->node->shape) * sizeof(float) : 0;
	return MM_OK;
}

static void pool_run(mmi_exec *x)
{
	const pool_state *s = x->state;
	const int64_t in = mmi_shape_count(&x->in_node[0]->shape), out = mmi_shape_count(&x->node->shape);
	mmi_epilogue ep = mmi_epilogue_of(x);
	mmi_pool_job j = s->job;
	for (int64_t i = 0; i < x->n; i++) {
		void *to = mmi_map_to(x->out, x->narrow_out, i * out);
		j.src = mmi_map_at(x->in[0], x->narrow_in[0], i * in);
		j.dst = s->in_floats ? x->scratch : to;
		s->run(&j);
		if (s->in_floats || !s->finished)
			s->epilogue(j.dst, to, x->narrow_out, out / j.c, j.c, &ep);
		mmi_epilogue_on(&ep, out);
	}
}

const mmi_kernel mmi_kernel_pool = {
	.name = "pool/vector",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW,
	.prepare = pool_prepare,
	.run = pool_run,
	.release = pool_release,
};
