/* map.c - operations on each element alone, what is resampled by whole cells, and gradients of losses: one kernel that
 * runs a small program, with what is joined to it. */
#include "mmi_build.h"

#include "backend/cuda/map.h"
#include "backend/cuda/kernels.h"

#include <limits.h>

extern const mmi_cuda_kernel mmi_kernel_map;

/* ------------------------------------------------------------ places */

static bool in_groups(int64_t n)
{
	return n % MMI_MAP_GROUP == 0;
}

static mmi_map_place own(bool narrow)
{
	return (mmi_map_place){ .how = MMI_MAP_OWN, .run = MMI_MAP_ROW, .narrow = narrow, .divisor = 1 };
}

/* Element i reads i / divide * inner + i % inner. */
static mmi_map_place at(int64_t divide, int64_t inner, bool narrow)
{
	const bool row = in_groups(inner), same = inner == 1 && in_groups(divide);
	return (mmi_map_place){ .how = MMI_MAP_AT,
		                    .run = row    ? MMI_MAP_ROW
		                           : same ? MMI_MAP_SAME
		                                  : MMI_MAP_EACH,
		                    .narrow = narrow,
		                    .divide = divide,
		                    .inner = inner,
		                    .divisor = 1 };
}

/* The domain is [h][w][c], the array a map with factor times as many cells on a side, or as few. */
static mmi_map_place resampled(mmi_map_how how, const mm_shape *domain, int32_t factor, bool narrow)
{
	return (mmi_map_place){ .how = (int32_t)how,
		                    .run = in_groups(domain->dim[2]) ? MMI_MAP_ROW : MMI_MAP_EACH,
		                    .narrow = narrow,
		                    .h = domain->dim[0],
		                    .w = domain->dim[1],
		                    .c = domain->dim[2],
		                    .factor = factor,
		                    .divisor = 1 };
}

static bool averages(mmi_opcode op)
{
	return op == MMI_OP_AVG_POOL || op == MMI_OP_AVG_POOL_BWD;
}

/* What `op` makes of an array of the shape `in`, for a program over op's own map. */
static mmi_map_place through(const mmi_node *op, const mm_shape *in, bool narrow)
{
	const int32_t factor = mmi_resampled(op, in);
	const bool larger = op->op == MMI_OP_UPSAMPLE_BWD || op->op == MMI_OP_AVG_POOL;
	mmi_map_place p = resampled(larger ? MMI_MAP_LARGER : MMI_MAP_SMALLER, &op->shape, factor, narrow);
	p.divisor = averages(op->op) ? (double)factor * factor : 1;
	return p;
}

/* ------------------------------------------------------------ building */

void mmi_walk_begin(mmi_walk *p, int64_t n)
{
	*p = (mmi_walk){ .args = { .n = n } };
}

static int32_t add_in(mmi_walk *p, const void *const *from, mmi_map_place place)
{
	p->in[p->n_in] = from;
	p->args.from[p->n_in] = place;
	return (int32_t)p->n_in++;
}

int32_t mmi_walk_in(mmi_walk *p, const void *const *from, bool narrow)
{
	return add_in(p, from, own(narrow));
}

int32_t mmi_walk_bias(mmi_walk *p, const void *const *from, int64_t entries)
{
	return add_in(p, from, at(INT64_MAX, entries, false));
}

void mmi_walk_step(mmi_walk *p, mmi_map_code code, int32_t operand, float a, float b)
{
	p->args.step[p->args.n_steps++] = (mmi_map_step){ .code = (int32_t)code, .operand = operand, .a = a, .b = b };
}

void mmi_walk_act(mmi_walk *p, mmi_map_code code, int32_t operand, int32_t act, float alpha)
{
	mmi_walk_step(p, code, operand, alpha, 0);
	p->args.step[p->args.n_steps - 1].act = act;
}

static void add_out(mmi_walk *p, void *const *to, mmi_map_place place)
{
	if (!*to)
		return;
	p->out[p->n_out] = to;
	p->args.to[p->n_out] = place;
	mmi_walk_step(p, MMI_MAP_STORE, (int32_t)p->n_out++, 0, 0);
}

void mmi_walk_store(mmi_walk *p, void *const *to, bool narrow)
{
	add_out(p, to, own(narrow));
}

void mmi_walk_signs(mmi_walk *p, void *const *to)
{
	add_out(p, to, (mmi_map_place){ .how = MMI_MAP_SIGNS });
}

void mmi_walk_run(mmi_walk *p, const mmi_device *d)
{
	mmi_map_args *a = &p->args;
	for (uint32_t k = 0; k < p->n_in; k++)
		a->in[k] = *p->in[k];
	for (uint32_t k = 0; k < p->n_out; k++)
		a->out[k] = *p->out[k];
	a->small = a->n <= INT32_MAX;
	const int64_t groups = (a->n + MMI_MAP_GROUP - 1) / MMI_MAP_GROUP;
	mmi_cuda_launch(d, &mmi_kernel_map, (mmi_grid){ .x = mmi_cuda_blocks(groups) }, a);
}

/* ------------------------------------------------------------ programs of operations */

static void step(mmi_walk *m, mmi_map_code code)
{
	mmi_walk_step(m, code, MMI_MAP_NONE, 0, 0);
}

static void with(mmi_walk *m, mmi_map_code code, int32_t operand)
{
	mmi_walk_step(m, code, operand, 0, 0);
}

static void affine_step(mmi_walk *m, float a, float b)
{
	mmi_walk_step(m, MMI_MAP_AFFINE, MMI_MAP_NONE, a, b);
}

/* The value is in[from] - in[less]. */
static void difference(mmi_walk *m, int32_t from, int32_t less)
{
	with(m, MMI_MAP_LOAD, from);
	mmi_walk_step(m, MMI_MAP_ADD, less, 1, -1);
}

static void load(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
}

static void add(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_walk_step(m, MMI_MAP_ADD, 1, a->a, a->b);
}

static void mul(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	with(m, MMI_MAP_MUL, 1);
}

/* Also SUM_BWD and SUM_ALL_BWD, which differ in what is read. */
static void affine(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	affine_step(m, a->a, a->b);
}

static void scale(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	affine_step(m, a->a, 0);
}

static void act(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_walk_act(m, MMI_MAP_ACT, MMI_MAP_NONE, a->act, a->a);
}

static void act_bwd(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_walk_act(m, MMI_MAP_SLOPE, 1, a->act, a->a);
}

static void clamp(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_walk_step(m, MMI_MAP_CLAMP, MMI_MAP_NONE, a->a, a->b);
}

static void clamp_bwd(mmi_walk *m, const mmi_attr *a)
{
	with(m, MMI_MAP_LOAD, 0);
	mmi_walk_step(m, MMI_MAP_WITHIN, 1, a->a, a->b);
}

static void logarithm(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	step(m, MMI_MAP_LOG);
}

static void log_bwd(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 0);
	with(m, MMI_MAP_DIV, 1);
}

static void lse_bwd(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	difference(m, 1, 2);
	step(m, MMI_MAP_EXP);
	with(m, MMI_MAP_MUL, 0);
}

static void gaussian_bwd(mmi_walk *m, const mmi_attr *a)
{
	difference(m, 2, 1);
	affine_step(m, (float)(1 / ((double)a->a * (double)a->a)), 0);
	with(m, MMI_MAP_MUL, 0);
}

static void laplace_bwd(mmi_walk *m, const mmi_attr *a)
{
	difference(m, 2, 1);
	step(m, MMI_MAP_SIGN);
	affine_step(m, 1 / a->a, 0);
	with(m, MMI_MAP_MUL, 0);
}

static void bernoulli_bwd(mmi_walk *m, const mmi_attr *a)
{
	(void)a;
	with(m, MMI_MAP_LOAD, 2);
	mmi_walk_act(m, MMI_MAP_ACT, MMI_MAP_NONE, MM_ACT_SIGMOID, 0);
	mmi_walk_step(m, MMI_MAP_ADD, 1, 1, -1);
	with(m, MMI_MAP_MUL, 0);
}

/* By which of z, loc and scale: -d / s^2, d / s^2, ((d / s)^2 - 1) / s. */
static void normal_bwd(mmi_walk *m, const mmi_attr *a)
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
static void laplace_density_bwd(mmi_walk *m, const mmi_attr *a)
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

static void (*const programs[MMI_OP_COUNT])(mmi_walk *m, const mmi_attr *a) = {
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
	[MMI_OP_UPSAMPLE] = load,
	[MMI_OP_UPSAMPLE_BWD] = load,
	[MMI_OP_AVG_POOL] = load,
	[MMI_OP_AVG_POOL_BWD] = load,
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
static mmi_map_place along_axis(const mm_shape *out, int32_t axis, bool narrow)
{
	const int64_t inner = product(out, (uint32_t)axis + 1, out->rank);
	return at(out->dim[axis] * inner, inner, narrow);
}

/* An input of the output's shape, one number a row of the last axis, or one a sample. */
static mmi_map_place place_of(const mmi_node *node, const mmi_node *in, bool narrow)
{
	const int64_t count = mmi_shape_count(&node->shape), each = mmi_shape_count(&in->shape);
	if (mmi_resampled(node, &in->shape))
		return through(node, &in->shape, narrow);
	if (!in->batched)
		return at(INT64_MAX, each, narrow);
	if (node->op == MMI_OP_SUM_BWD)
		return along_axis(&node->shape, node->attr.axis, narrow);
	return each == count ? own(narrow) : at(count / each, 1, narrow);
}

static mmi_map_place input_of(const mmi_exec *x, uint32_t k)
{
	if (x->signs_in[k])
		return (mmi_map_place){ .how = MMI_MAP_SIGNS };
	if (x->through[k])
		return through(x->through[k], &x->in_node[k]->shape, x->narrow_in[k]);
	return place_of(x->node, x->in_node[k], x->narrow_in[k]);
}

/* ------------------------------------------------------------ what is joined */

static void join_add(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	const mmi_attr *a = &j->node->attr;
	mmi_walk_step(p, MMI_MAP_ADD, other, j->value ? a->b : a->a, j->value ? a->a : a->b);
}

static void join_mul(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	(void)j;
	mmi_walk_step(p, MMI_MAP_MUL, other, 0, 0);
}

static void join_affine(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_step(p, MMI_MAP_AFFINE, other, j->node->attr.a, j->node->attr.b);
}

static void join_act(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_act(p, MMI_MAP_ACT, other, j->node->attr.act, j->node->attr.a);
}

static void join_act_bwd(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_act(p, MMI_MAP_SLOPE, other, j->node->attr.act, j->node->attr.a);
}

static void join_clamp(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_step(p, MMI_MAP_CLAMP, other, j->node->attr.a, j->node->attr.b);
}

static void join_clamp_bwd(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_step(p, MMI_MAP_WITHIN, other, j->node->attr.a, j->node->attr.b);
}

static void join_log(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	(void)j;
	mmi_walk_step(p, MMI_MAP_LOG, other, 0, 0);
}

static void join_log_bwd(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	(void)j;
	mmi_walk_step(p, MMI_MAP_DIV, other, 0, 0);
}

/* The value stays as it is; it is written more than once. */
static void join_upsample(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	(void)p;
	(void)j;
	(void)other;
}

static void join_avg_pool_bwd(mmi_walk *p, const mmi_joined *j, int32_t other)
{
	mmi_walk_step(p, MMI_MAP_PART, other, (float)(j->node->attr.kh * j->node->attr.kh), 0);
}

static void (*const joins[MMI_OP_COUNT])(mmi_walk *p, const mmi_joined *j, int32_t other) = {
	[MMI_OP_ADD] = join_add,
	[MMI_OP_MUL] = join_mul,
	[MMI_OP_AFFINE] = join_affine,
	[MMI_OP_ACT] = join_act,
	[MMI_OP_ACT_BWD] = join_act_bwd,
	[MMI_OP_CLAMP] = join_clamp,
	[MMI_OP_CLAMP_BWD] = join_clamp_bwd,
	[MMI_OP_LOG] = join_log,
	[MMI_OP_LOG_BWD] = join_log_bwd,
	[MMI_OP_UPSAMPLE] = join_upsample,
	[MMI_OP_AVG_POOL_BWD] = join_avg_pool_bwd,
};

static mmi_map_place other_of(const mmi_joined *j)
{
	if (j->signs_in)
		return (mmi_map_place){ .how = MMI_MAP_SIGNS };
	if (j->through)
		return through(j->through, &j->in_node->shape, j->narrow_in);
	return place_of(j->node, j->in_node, j->narrow_in);
}

/* Where the joined operation's value goes: it may have more cells than the program has elements. */
static mmi_map_place out_of(const mmi_joined *j)
{
	const mm_shape *s = &j->node->shape;
	const mmi_opcode op = j->node->op;
	if (op != MMI_OP_UPSAMPLE && op != MMI_OP_AVG_POOL_BWD)
		return own(j->narrow_out);
	const int32_t k = j->node->attr.kh;
	const mm_shape domain = mmi_shape(3, s->dim[0] / k, s->dim[1] / k, s->dim[2]);
	return resampled(MMI_MAP_LARGER, &domain, k, j->narrow_out);
}

void mmi_walk_joined(mmi_walk *p, const mmi_exec *x, uint32_t first)
{
	for (uint32_t i = first; i < x->n_joined; i++) {
		const mmi_joined *j = &x->joined[i];
		const int32_t other = j->in_node ? add_in(p, &j->in, other_of(j)) : MMI_MAP_NONE;
		joins[j->node->op](p, j, other);
		add_out(p, &j->out, out_of(j));
		mmi_walk_signs(p, &j->signs);
	}
}

/* ------------------------------------------------------------ calls */

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	mmi_walk *p = mmi_alloc(1, sizeof *p);
	if (!p)
		return mmi_fail(e, MM_ENOMEM, "out of memory for an element-wise call");
	mmi_walk_begin(p, x->n * mmi_shape_count(&x->node->shape));
	for (uint32_t k = 0; k < x->n_in; k++)
		add_in(p, &x->in[k], input_of(x, k));
	programs[x->node->op](p, &x->node->attr);
	mmi_walk_store(p, &x->out, x->narrow_out);
	mmi_walk_signs(p, &x->signs);
	mmi_walk_joined(p, x, 0);
	x->state = p;
	return MM_OK;
}

static void run(mmi_exec *x)
{
	mmi_walk_run(x->state, x->device);
}

static void release(mmi_exec *x)
{
	mmi_free(x->state);
	x->state = NULL;
}

/* Pooling with overlap or padding is not. */
static bool accepts(const mmi_exec *x)
{
	const bool pools = averages(x->node->op);
	return programs[x->node->op] && (!pools || mmi_resampled(x->node, &x->in_node[0]->shape));
}

const mmi_kernel mmi_cuda_map = {
	.name = "map/cuda",
	.flags = MMI_KERNEL_INPLACE | MMI_KERNEL_JOIN | MMI_KERNEL_READ,
	.accepts = accepts,
	.prepare = prepare,
	.run = run,
	.release = release,
};
