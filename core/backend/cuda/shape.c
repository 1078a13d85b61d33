/* shape.c - operations that only move elements, and those of maps. */
#include "mmi_build.h"

#include "backend/cuda/kernels.h"

extern const mmi_cuda_kernel mmi_kernel_runs, mmi_kernel_avg_pool, mmi_kernel_avg_pool_bwd;

/* A shape seen as [outer][count][inner] around one axis. */
typedef struct axis_view {
	int64_t outer, count, inner;
} axis_view;

static axis_view view_axis(const mm_shape *s, int32_t axis)
{
	axis_view v = { 1, s->dim[axis], 1 };
	for (int32_t i = 0; i < (int32_t)s->rank; i++) {
		v.outer *= i < axis ? s->dim[i] : 1;
		v.inner *= i > axis ? s->dim[i] : 1;
	}
	return v;
}

static void copy_runs(const mmi_exec *x, const mmi_runs_args *a)
{
	mmi_cuda_launch(x->device, &mmi_kernel_runs, (mmi_grid){ .x = mmi_cuda_blocks(a->runs * a->run) }, a);
}

/* ------------------------------------------------------------ along an axis */

static void concat(mmi_exec *x)
{
	const axis_view whole = view_axis(&x->node->shape, x->node->attr.axis);
	int64_t begin = 0;
	for (uint32_t k = 0; k < x->n_in; k++) {
		const axis_view part = view_axis(&x->in_node[k]->shape, x->node->attr.axis);
		const int64_t run = part.count * part.inner;
		copy_runs(x, &(mmi_runs_args){ .from = x->in[k],
		                               .to = x->out,
		                               .narrow = mmi_cuda_narrow(x, k),
		                               .runs = x->n * part.outer,
		                               .run = run,
		                               .from_runs = part.outer * (x->in_node[k]->batched ? x->n : 1),
		                               .from_stride = run,
		                               .to_stride = whole.count * whole.inner,
		                               .to_begin = begin });
		begin += run;
	}
}

static void slice(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->in_node[0]->shape, a->axis);
	copy_runs(x, &(mmi_runs_args){ .from = x->in[0],
	                               .to = x->out,
	                               .narrow = mmi_cuda_narrow(x, 0),
	                               .runs = x->n * whole.outer,
	                               .run = a->count * whole.inner,
	                               .from_runs = whole.outer * (x->in_node[0]->batched ? x->n : 1),
	                               .from_stride = whole.count * whole.inner,
	                               .from_begin = a->begin * whole.inner,
	                               .to_stride = a->count * whole.inner });
}

static void slice_bwd(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->node->shape, a->axis);
	const int64_t run = view_axis(&x->in_node[0]->shape, a->axis).count * whole.inner;
	const size_t size = x->narrow_out ? sizeof(uint16_t) : sizeof(float);
	x->device->ops->zero(x->device, x->out, (size_t)(x->n * mmi_shape_count(&x->node->shape)) * size);
	copy_runs(x, &(mmi_runs_args){ .from = x->in[0],
	                               .to = x->out,
	                               .narrow = mmi_cuda_narrow(x, 0),
	                               .runs = x->n * whole.outer,
	                               .run = run,
	                               .from_runs = x->n * whole.outer,
	                               .from_stride = run,
	                               .to_stride = whole.count * whole.inner,
	                               .to_begin = a->begin * whole.inner });
}

static void reshape(mmi_exec *x)
{
	const int64_t count = mmi_shape_count(&x->node->shape);
	copy_runs(x, &(mmi_runs_args){ .from = x->in[0],
	                               .to = x->out,
	                               .narrow = mmi_cuda_narrow(x, 0),
	                               .runs = x->n,
	                               .run = count,
	                               .from_runs = x->in_node[0]->batched ? x->n : 1,
	                               .from_stride = count,
	                               .to_stride = count });
}

const mmi_kernel mmi_cuda_concat = { .name = "concat/cuda", .run = concat };
const mmi_kernel mmi_cuda_slice = { .name = "slice/cuda", .run = slice };
const mmi_kernel mmi_cuda_slice_bwd = { .name = "slice_bwd/cuda", .run = slice_bwd };
const mmi_kernel mmi_cuda_reshape = { .name = "reshape/cuda", .run = reshape };

/* ------------------------------------------------------------ maps */

/* big: the map that is pooled; with overlap or padding (map.c has the others). */
static void run_maps(const mmi_exec *x, const mmi_cuda_kernel *k, const mm_shape *big, const mm_shape *small)
{
	const mmi_attr *a = &x->node->attr;
	const mmi_pool_args args = { .in = x->in[0],
		                         .out = x->out,
		                         .narrow = mmi_cuda_narrow(x, 0),
		                         .n = x->n,
		                         .h = big->dim[0],
		                         .w = big->dim[1],
		                         .c = big->dim[2],
		                         .oh = small->dim[0],
		                         .ow = small->dim[1],
		                         .k = a->kh,
		                         .stride = a->sh,
		                         .pad = a->ph,
		                         .count_pad = a->flag };
	mmi_cuda_launch(x->device, k, (mmi_grid){ .x = mmi_cuda_blocks(x->n * mmi_shape_count(&x->node->shape)) }, &args);
}

static void avg_pool(mmi_exec *x)
{
	run_maps(x, &mmi_kernel_avg_pool, &x->in_node[0]->shape, &x->node->shape);
}

static void avg_pool_bwd(mmi_exec *x)
{
	run_maps(x, &mmi_kernel_avg_pool_bwd, &x->node->shape, &x->in_node[0]->shape);
}

const mmi_kernel mmi_cuda_avg_pool = { .name = "avg_pool/cuda", .run = avg_pool };
const mmi_kernel mmi_cuda_avg_pool_bwd = { .name = "avg_pool_bwd/cuda", .run = avg_pool_bwd };
