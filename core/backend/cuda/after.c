/* after.c - the pass behind a product. */
#include "mmi_build.h"

#include "backend/cuda/after.h"
#include "backend/cuda/scratch.h"

/* Value i of a call: what its operation yields, then what the joined ones do. */
static void *const *value_at(const mmi_exec *x, uint32_t i)
{
	return i > 0 ? &x->joined[i - 1].out : &x->out;
}

static bool value_narrow(const mmi_exec *x, uint32_t i)
{
	return i > 0 ? x->joined[i - 1].narrow_out : x->narrow_out;
}

static void *const *signs_at(const mmi_exec *x, uint32_t i)
{
	return i > 0 ? &x->joined[i - 1].signs : &x->signs;
}

bool mmi_after_relu(const mmi_exec *x)
{
	const mmi_joined *first = x->n_joined > 0 ? &x->joined[0] : NULL;
	return first && first->node->op == MMI_OP_ACT && first->node->attr.act == MM_ACT_RELU && !x->out && !x->signs &&
	       !first->signs;
}

bool mmi_after_direct(const mmi_exec *x, bool relu, bool narrow)
{
	return *value_at(x, relu) && value_narrow(x, relu) == narrow;
}

static size_t bytes_of(const mmi_exec *x, bool narrow)
{
	return (size_t)(x->n * mmi_shape_count(&x->node->shape)) * (narrow ? sizeof(uint16_t) : sizeof(float));
}

/* In the place of the last value, if that is as large; or aside. */
static void place_raw(mmi_exec *x, bool narrow, mmi_after *a)
{
	const mmi_node *last = x->n_joined > 0 ? x->joined[x->n_joined - 1].node : x->node;
	if (*value_at(x, x->n_joined) && value_narrow(x, x->n_joined) == narrow &&
	    mmi_shape_count(&last->shape) == mmi_shape_count(&x->node->shape)) {
		a->at = value_at(x, x->n_joined);
		return;
	}
	a->at = &a->raw;
	a->room = mmi_scratch_take(x, bytes_of(x, narrow));
}

static void plan_pass(const mmi_exec *x, const mmi_product *p, bool direct, mmi_after *a)
{
	const uint32_t done = p->relu;
	const mm_shape *s = &x->node->shape;
	mmi_walk *pass = &a->pass;
	mmi_walk_step(pass, MMI_MAP_LOAD, mmi_walk_in(pass, (const void *const *)a->at, p->narrow), 0, 0);
	if (x->factor != 0 && !p->factor)
		mmi_walk_step(pass, MMI_MAP_AFFINE, MMI_MAP_NONE, x->factor, 0);
	if (x->n_in > 2 && !p->bias)
		mmi_walk_step(pass, MMI_MAP_ADD, mmi_walk_bias(pass, &x->in[2], s->rank ? s->dim[s->rank - 1] : 1), 1, 1);
	if (!direct)
		mmi_walk_store(pass, value_at(x, done), value_narrow(x, done));
	mmi_walk_signs(pass, signs_at(x, done));
	mmi_walk_joined(pass, x, done);
}

void mmi_after_prepare(mmi_exec *x, const mmi_product *p, mmi_after *a)
{
	const uint32_t done = p->relu;
	const bool whole = (x->factor == 0 || p->factor) && (x->n_in < 3 || p->bias);
	const bool direct = whole && mmi_after_direct(x, p->relu, p->narrow);
	a->needed = !direct || x->n_joined > done || *signs_at(x, done);
	a->bytes = (double)(a->needed + !direct) * (double)bytes_of(x, p->narrow);
	mmi_walk_begin(&a->pass, x->n * mmi_shape_count(&x->node->shape));
	if (direct)
		a->at = value_at(x, done);
	else
		place_raw(x, p->narrow, a);
	if (a->needed)
		plan_pass(x, p, direct, a);
}

void *mmi_after_raw(const mmi_exec *x, mmi_after *a)
{
	if (a->at == &a->raw)
		a->raw = mmi_scratch_at(x, a->room);
	return *a->at;
}

void mmi_after_run(const mmi_exec *x, mmi_after *a)
{
	if (a->needed)
		mmi_walk_run(&a->pass, x->device);
}
