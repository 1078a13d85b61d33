/* map.c - operations on each element alone, and gradients of losses: one kernel that runs a small program. */
#include "mmi_build.h"

#include "backend/cuda/map.h"
#include "backend/cuda/kernels.h"

#define EVERY INT64_MAX /* divides every index to 0 */

extern const mmi_cuda_kernel mmi_kernel_map;

mmi_map_args mmi_map_begin(int64_t n)
{
	mmi_map_args m = { .n = n };
	for (int k = 0; k < MMI_MAP_INPUTS; k++)
		m.index[k] = (mmi_map_index){ 1, 1 };
	return m;
}

void mmi_map_add(mmi_map_args *m, mmi_map_code code, int32_t operand, float a, float b)
{
	m->step[m->n_steps++] = (mmi_map_step){ .code = (int32_t)code, .operand = operand, .a = a, .b = b };
}

static void add_act(mmi_map_args *m, mmi_map_code code, int32_t operand, int32_t act, float alpha)
{
	mmi_map_add(m, code, operand, alpha, 0);
	m->step[m->n_steps - 1].act = act;
}

mmi_map_index mmi_map_each(int64_t entries)
{
	return (mmi_map_index){ EVERY, entries };
}

void mmi_map_narrow(mmi_map_args *m, int k, bool narrow)
{
	m->narrow |= (uint32_t)narrow << k;
}

bool mmi_map_fused(mmi_map_args *m, const mmi_exec *x)
{
	const bool acts = x->act != MM_ACT_NONE, masks = x->mask_act != MM_ACT_NONE;
	if (acts)
		add_act(m, MMI_MAP_ACT, MMI_MAP_NONE, x->act, x->act_alpha);
	if (masks)
		add_act(m, MMI_MAP_SLOPE, MMI_MAP_MASK, x->mask_act, x->mask_alpha);
	mmi_map_narrow(m, MMI_MAP_MASK, masks && x->narrow_mask);
	return acts || masks;
}

double mmi_map_bytes(const mmi_map_args *m)
{
	return 2 * (double)m->n * (m->narrow >> MMI_MAP_OUT & 1u ? sizeof(uint16_t) : sizeof(float));
}

void mmi_map_launch(const mmi_device *d, const mmi_map_args *m)
{
	mmi_cuda_launch(d, &mmi_kernel_map, (mmi_grid){ .x = mmi_cuda_blocks(m->n) }, m);
}

/* ------------------------------------------------------------ programs of operations */

typedef mmi_map_args map;

static void step(map *m, mmi_map_code code)
{
	mmi_map_add(m, code, MMI_MAP_NONE, 0, 0);
}

static void with(map *m, mmi_map_code code, int32_t operand)
{
	mmi_map_add(m, code, operand, 0, 0);
}

static void affine_step(map *m, float a, float b)
{
	mmi_map_add(m, MMI_MAP_AFFINE, MMI_MAP_NONE, a, b);
}

/* The value is in[from] - in[less]. */
static void difference(map *m, int32_t from, int32_t less)
{
	with(m, MMI_MAP_LOAD, from);
	mmi_map_add(m, MMI_MAP_ADD, less, 1, -1);
}

static void add(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_map_add(m, MMI_MAP_ADD, 1, a->a, a->b);
}

static void mul(map *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	with(m, MMI_MAP_MUL, 1);
}

/* Also SUM_BWD and SUM_ALL_BWD, which differ in what is read. */
static void affine(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	affine_step(m, a->a, a->b);
}

static void scale(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	affine_step(m, a->a, 0);
}

static void act(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	add_act(m, MMI_MAP_ACT, MMI_MAP_NONE, a->act, a->a);
}

static void act_bwd(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	add_act(m, MMI_MAP_SLOPE, 1, a->act, a->a);
}

static void clamp(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_map_add(m, MMI_MAP_CLAMP, MMI_MAP_NONE, a->a, a->b);
}

static void clamp_bwd(map *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_map_add(m, MMI_MAP_WITHIN, 1, a->a, a->b);
}

static void logarithm(map *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	step(m, MMI_MAP_LOG);
}

static void log_bwd(map *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	with(m, MMI_MAP_DIV, 1);
}

static void lse_bwd(map *m, const mmi_attr *a)
{
	(void)a;
	difference(m, 1, 2);
	step(m, MMI_MAP_EXP);
	with(m, MMI_MAP_MUL, 0);
}

static void gaussian_bwd(map *m, const mmi_attr *a)
{
	difference(m, 2, 1);
	affine_step(m, (float)(1 / ((double)a->a * (double)a->a)), 0);
	with(m, MMI_MAP_MUL, 0);
}

static void laplace_bwd(map *m, const mmi_attr *a)
{
	difference(m, 2, 1);
	step(m, MMI_MAP_SIGN);
	affine_step(m, 1 / a->a, 0);
	with(m, MMI_MAP_MUL, 0);
}

static void bernoulli_bwd(map *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 2);
	add_act(m, MMI_MAP_ACT, MMI_MAP_NONE, MM_ACT_SIGMOID, 0);
	mmi_map_add(m, MMI_MAP_ADD, 1, 1, -1);
	with(m, MMI_MAP_MUL, 0);
}

/* By which of z, loc and scale: -d / s^2, d / s^2, ((d / s)^2 - 1) / s. */
static void normal_bwd(map *m, const mmi_attr *a)
{
	difference(m, 1, 2);
	with(m, MMI_MAP_DIV, 3);
	if (a->flag == 2) {
		step(m, MMI_MAP_SQUARE);
		affine_step(m, 1, -1);
	} else {
		affine_step(m, a->flag == 1 ? 1 : -1, 0);
	}
	with(m, MMI_MAP_DIV, 3);
	with(m, MMI_MAP_MUL, 0);
}

/* By which: -sign d / s, sign d / s, (|d| / s - 1) / s. */
static void laplace_density_bwd(map *m, const mmi_attr *a)
{
	difference(m, 1, 2);
	if (a->flag == 2) {
		step(m, MMI_MAP_ABS);
		with(m, MMI_MAP_DIV, 3);
		affine_step(m, 1, -1);
	} else {
		step(m, MMI_MAP_SIGN);
		affine_step(m, a->flag == 1 ? 1 : -1, 0);
	}
	with(m, MMI_MAP_DIV, 3);
	with(m, MMI_MAP_MUL, 0);
}

static void (*const programs[MMI_OP_COUNT])(map *m, const mmi_attr *a) = {
	[MMI_OP_ADD] = add,
	[MMI_OP_MUL] = mul,
	[MMI_OP_AFFINE] = affine,
	[MMI_OP_ACT] = act,
	[MMI_OP_ACT_BWD] = act_bwd,
	[MMI_OP_CLAMP] = clamp,
	[MMI_OP_CLAMP_BWD] = clamp_bwd,
	[MMI_OP_LOG] = logarithm,
	[MMI_OP_LOG_BWD] = log_bwd,
	[MMI_OP_LSE_BWD] = lse_bwd,
	[MMI_OP_SUM_BWD] = scale,
	[MMI_OP_SUM_ALL_BWD] = scale,
	[MMI_OP_NLL_GAUSSIAN_BWD] = gaussian_bwd,
	[MMI_OP_NLL_LAPLACE_BWD] = laplace_bwd,
	[MMI_OP_NLL_BERNOULLI_BWD] = bernoulli_bwd,
	[MMI_OP_LOGPDF_NORMAL_BWD] = normal_bwd,
	[MMI_OP_LOGPDF_LAPLACE_BWD] = laplace_density_bwd,
};

/* ------------------------------------------------------------ what is read where */

static int64_t product(const mm_shape *s, uint32_t from, uint32_t to)
{
	int64_t n = 1;
	for (uint32_t i = from; i < to; i++)
		n *= s->dim[i];
	return n;
}

/* Broadcast along the axis that a sum removed. */
static mmi_map_index along_axis(const mm_shape *out, int32_t axis)
{
	const int64_t inner = product(out, (uint32_t)axis + 1, out->rank);
	return (mmi_map_index){ out->dim[axis] * inner, inner };
}

/* An input of the output's shape, one number a row of the last axis, or one a sample. */
static mmi_map_index index_of(const mmi_exec *x, uint32_t k)
{
	const mm_shape *in = &x->in_node[k]->shape, *out = &x->node->shape;
	const int64_t count = mmi_shape_count(out), own = mmi_shape_count(in);
	if (!x->in_node[k]->batched)
		return mmi_map_each(own);
	if (x->node->op == MMI_OP_SUM_BWD)
		return along_axis(out, x->node->attr.axis);
	return own == count ? (mmi_map_index){ 1, 1 } : (mmi_map_index){ count / own, 1 };
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	mmi_map_args *m = mmi_alloc(1, sizeof *m);
	if (!m)
		return mmi_fail(e, MM_ENOMEM, "out of memory for an element-wise call");
	*m = mmi_map_begin(x->n * mmi_shape_count(&x->node->shape));
	for (uint32_t k = 0; k < x->n_in; k++) {
		m->index[k] = index_of(x, k);
		mmi_map_narrow(m, (int)k, x->narrow_in[k]);
	}
	mmi_map_narrow(m, MMI_MAP_INPUTS, x->narrow_out);
	programs[x->node->op](m, &x->node->attr);
	mmi_map_fused(m, x);
	x->state = m;
	return MM_OK;
}

static void run(mmi_exec *x)
{
	mmi_map_args *m = x->state;
	for (uint32_t k = 0; k < x->n_in; k++)
		m->in[k] = x->in[k];
	m->in[MMI_MAP_MASK] = x->mask;
	m->out = x->out;
	mmi_map_launch(x->device, m);
}

static void release(mmi_exec *x)
{
	mmi_free(x->state);
	x->state = NULL;
}

static bool accepts(const mmi_exec *x)
{
	return programs[x->node->op] != NULL;
}

const mmi_kernel mmi_cuda_map = {
	.name = "map/cuda",
	.flags = MMI_KERNEL_INPLACE | MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts,
	.prepare = prepare,
	.run = run,
	.release = release,
};
