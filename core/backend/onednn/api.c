/* api.c - see api.h. */
#include "mmi_build.h"

#include "backend/onednn/api.h"

/* ------------------------------------------------------------ what differs between versions 2 and 3 */

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t own_layout;
#define GIVEN(tensor, own) ((tensor).ndims ? (own) : NULL)

static dnnl_status_t layout_make(own_layout *own, const mmi_dnnl_tensor *t)
{
	return dnnl_memory_desc_create_with_tag(own, t->ndims, t->dims, t->type, t->tag);
}

static void layout_free(own_layout *own)
{
	dnnl_memory_desc_destroy(*own);
}

static dnnl_status_t describe_linear(const mmi_dnnl_op *op, const own_layout l[MMI_DNNL_ROLES], dnnl_prop_kind_t kind,
                                     dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                                     const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
	if (op->direction == MMI_DNNL_FORWARD)
		return dnnl_inner_product_forward_primitive_desc_create(out, engine, kind, l[MMI_DNNL_X], l[MMI_DNNL_WEIGHTS],
		                                                        GIVEN(op->tensor[MMI_DNNL_BIAS], l[MMI_DNNL_BIAS]),
		                                                        l[MMI_DNNL_Y], attr);
	if (op->direction == MMI_DNNL_BACKWARD_X)
		return dnnl_inner_product_backward_data_primitive_desc_create(out, engine, l[MMI_DNNL_X], l[MMI_DNNL_WEIGHTS],
		                                                              l[MMI_DNNL_Y], hint, attr);
	return dnnl_inner_product_backward_weights_primitive_desc_create(out, engine, l[MMI_DNNL_X], l[MMI_DNNL_WEIGHTS],
	                                                                 NULL, l[MMI_DNNL_Y], hint, attr);
}

static dnnl_status_t describe_conv(const mmi_dnnl_op *op, const own_layout l[MMI_DNNL_ROLES], dnnl_prop_kind_t kind,
                                   dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                                   const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
	static const dnnl_dims_t dense = { 0 };
	if (op->direction == MMI_DNNL_FORWARD)
		return dnnl_convolution_forward_primitive_desc_create(
			out, engine, kind, dnnl_convolution_direct, l[MMI_DNNL_X], l[MMI_DNNL_WEIGHTS],
			GIVEN(op->tensor[MMI_DNNL_BIAS], l[MMI_DNNL_BIAS]), l[MMI_DNNL_Y], op->strides, dense, op->padding,
			op->padding, attr);
	if (op->direction == MMI_DNNL_BACKWARD_X)
		return dnnl_convolution_backward_data_primitive_desc_create(out, engine, dnnl_convolution_direct, l[MMI_DNNL_X],
		                                                            l[MMI_DNNL_WEIGHTS], l[MMI_DNNL_Y], op->strides,
		                                                            dense, op->padding, op->padding, hint, attr);
	return dnnl_convolution_backward_weights_primitive_desc_create(
		out, engine, dnnl_convolution_direct, l[MMI_DNNL_X], l[MMI_DNNL_WEIGHTS], NULL, l[MMI_DNNL_Y], op->strides,
		dense, op->padding, op->padding, hint, attr);
}

static dnnl_status_t append_act(dnnl_post_ops_t ops, const mmi_dnnl_op *op)
{
	return dnnl_post_ops_append_eltwise(ops, op->act, op->alpha, 0);
}

/* Of a blocked layout. */
static bool read_blocks(mmi_dnnl_layout l, int *ndims, const dnnl_dim_t **strides, int *n, const dnnl_dim_t **sizes,
                        const dnnl_dim_t **dims)
{
	dnnl_format_kind_t kind;
	return dnnl_memory_desc_query(l, dnnl_query_format_kind, &kind) == dnnl_success && kind == dnnl_blocked &&
	       dnnl_memory_desc_query(l, dnnl_query_ndims_s32, ndims) == dnnl_success &&
	       dnnl_memory_desc_query(l, dnnl_query_strides, (void *)strides) == dnnl_success &&
	       dnnl_memory_desc_query(l, dnnl_query_inner_nblks_s32, n) == dnnl_success &&
	       dnnl_memory_desc_query(l, dnnl_query_inner_blks, (void *)sizes) == dnnl_success &&
	       dnnl_memory_desc_query(l, dnnl_query_inner_idxs, (void *)dims) == dnnl_success;
}
#else
typedef dnnl_memory_desc_t own_layout;
#define GIVEN(tensor, own) ((tensor).ndims ? &(own) : NULL)

static dnnl_status_t layout_make(own_layout *own, const mmi_dnnl_tensor *t)
{
	return dnnl_memory_desc_init_by_tag(own, t->ndims, t->dims, t->type, t->tag);
}

static void layout_free(own_layout *own)
{
	(void)own;
}

static dnnl_status_t describe_linear(const mmi_dnnl_op *op, const own_layout l[MMI_DNNL_ROLES], dnnl_prop_kind_t kind,
                                     dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                                     const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
	dnnl_inner_product_desc_t d;
	if (op->direction == MMI_DNNL_FORWARD)
		MMI_DNNL_TRY(dnnl_inner_product_forward_desc_init(&d, kind, &l[MMI_DNNL_X], &l[MMI_DNNL_WEIGHTS],
		                                                  GIVEN(op->tensor[MMI_DNNL_BIAS], l[MMI_DNNL_BIAS]),
		                                                  &l[MMI_DNNL_Y]));
	else if (op->direction == MMI_DNNL_BACKWARD_X)
		MMI_DNNL_TRY(
			dnnl_inner_product_backward_data_desc_init(&d, &l[MMI_DNNL_X], &l[MMI_DNNL_WEIGHTS], &l[MMI_DNNL_Y]));
	else
		MMI_DNNL_TRY(dnnl_inner_product_backward_weights_desc_init(&d, &l[MMI_DNNL_X], &l[MMI_DNNL_WEIGHTS], NULL,
		                                                           &l[MMI_DNNL_Y]));
	return dnnl_primitive_desc_create(out, &d, attr, engine, hint);
}

static dnnl_status_t describe_conv(const mmi_dnnl_op *op, const own_layout l[MMI_DNNL_ROLES], dnnl_prop_kind_t kind,
                                   dnnl_engine_t engine, const_dnnl_primitive_attr_t attr,
                                   const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
	dnnl_convolution_desc_t d;
	if (op->direction == MMI_DNNL_FORWARD)
		MMI_DNNL_TRY(dnnl_convolution_forward_desc_init(
			&d, kind, dnnl_convolution_direct, &l[MMI_DNNL_X], &l[MMI_DNNL_WEIGHTS],
			GIVEN(op->tensor[MMI_DNNL_BIAS], l[MMI_DNNL_BIAS]), &l[MMI_DNNL_Y], op->strides, op->padding, op->padding));
	else if (op->direction == MMI_DNNL_BACKWARD_X)
		MMI_DNNL_TRY(dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &l[MMI_DNNL_X],
		                                                      &l[MMI_DNNL_WEIGHTS], &l[MMI_DNNL_Y], op->strides,
		                                                      op->padding, op->padding));
	else
		MMI_DNNL_TRY(dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &l[MMI_DNNL_X],
		                                                         &l[MMI_DNNL_WEIGHTS], NULL, &l[MMI_DNNL_Y],
		                                                         op->strides, op->padding, op->padding));
	return dnnl_primitive_desc_create(out, &d, attr, engine, hint);
}

static dnnl_status_t append_act(dnnl_post_ops_t ops, const mmi_dnnl_op *op)
{
	return dnnl_post_ops_append_eltwise(ops, 1, op->act, op->alpha, 0);
}

static bool read_blocks(mmi_dnnl_layout l, int *ndims, const dnnl_dim_t **strides, int *n, const dnnl_dim_t **sizes,
                        const dnnl_dim_t **dims)
{
	const dnnl_blocking_desc_t *b = &l->format_desc.blocking;
	*ndims = l->ndims;
	*strides = b->strides;
	*n = b->inner_nblks;
	*sizes = b->inner_blks;
	*dims = b->inner_idxs;
	return l->format_kind == dnnl_blocked;
}
#endif

/* ------------------------------------------------------------ descriptions */

static dnnl_status_t describe(const mmi_dnnl_op *op, dnnl_prop_kind_t kind, dnnl_engine_t engine,
                              const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint,
                              dnnl_primitive_desc_t *out)
{
	own_layout l[MMI_DNNL_ROLES];
	int made = 0;
	dnnl_status_t status = dnnl_success;
	while (status == dnnl_success && made < MMI_DNNL_ROLES && op->tensor[made].ndims) {
		status = layout_make(&l[made], &op->tensor[made]);
		made += status == dnnl_success;
	}
	if (status == dnnl_success)
		status = (op->linear ? describe_linear : describe_conv)(op, l, kind, engine, attr, hint, out);
	while (made)
		layout_free(&l[--made]);
	return status;
}

/* The forward call that a gradient belongs to, all of it in bfloat16. */
static dnnl_status_t describe_hint(const mmi_dnnl_op *op, dnnl_engine_t engine, dnnl_primitive_desc_t *out)
{
	mmi_dnnl_op forward = *op;
	if (op->direction == MMI_DNNL_FORWARD)
		return dnnl_success;
	forward.direction = MMI_DNNL_FORWARD;
	for (int i = 0; i < MMI_DNNL_BIAS; i++)
		forward.tensor[i].type = dnnl_bf16;
	return describe(&forward, dnnl_forward_training, engine, NULL, NULL, out);
}

static dnnl_status_t set_attributes(const mmi_dnnl_op *op, dnnl_primitive_attr_t attr, dnnl_post_ops_t ops)
{
	MMI_DNNL_TRY(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
	if (op->act == dnnl_alg_kind_undef)
		return dnnl_success;
	MMI_DNNL_TRY(append_act(ops, op));
	return dnnl_primitive_attr_set_post_ops(attr, ops);
}

dnnl_status_t mmi_dnnl_describe(const mmi_dnnl_op *op, dnnl_engine_t engine, dnnl_primitive_desc_t *out)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_post_ops_t ops = NULL;
	dnnl_primitive_desc_t hint = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(&attr);
	if (status == dnnl_success)
		status = dnnl_post_ops_create(&ops);
	if (status == dnnl_success)
		status = set_attributes(op, attr, ops);
	if (status == dnnl_success)
		status = describe_hint(op, engine, &hint);
	if (status == dnnl_success)
		status = describe(op, dnnl_forward_inference, engine, attr, hint, out);
	dnnl_primitive_desc_destroy(hint);
	dnnl_post_ops_destroy(ops);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

/* What oneDNN calls a tensor, and its gradient. */
static const struct names {
	dnnl_query_t layout, of_gradient;
	int argument, gradient;
} names[MMI_DNNL_ROLES] = {
	[MMI_DNNL_X] = { dnnl_query_src_md, dnnl_query_diff_src_md, DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC },
	[MMI_DNNL_WEIGHTS] = { dnnl_query_weights_md, dnnl_query_diff_weights_md, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_WEIGHTS },
	[MMI_DNNL_Y] = { dnnl_query_dst_md, dnnl_query_diff_dst_md, DNNL_ARG_DST, DNNL_ARG_DIFF_DST },
	[MMI_DNNL_BIAS] = { dnnl_query_weights_md, dnnl_query_diff_weights_md, DNNL_ARG_BIAS, DNNL_ARG_DIFF_BIAS },
};

static bool is_gradient(const mmi_dnnl_op *op, mmi_dnnl_role role)
{
	static const bool is[][MMI_DNNL_ROLES] = {
		[MMI_DNNL_FORWARD] = { false },
		[MMI_DNNL_BACKWARD_X] = { [MMI_DNNL_X] = true, [MMI_DNNL_Y] = true },
		[MMI_DNNL_BACKWARD_WEIGHTS] = { [MMI_DNNL_WEIGHTS] = true, [MMI_DNNL_Y] = true, [MMI_DNNL_BIAS] = true },
	};
	return is[op->direction][role];
}

mmi_dnnl_layout mmi_dnnl_layout_of(const_dnnl_primitive_desc_t d, const mmi_dnnl_op *op, mmi_dnnl_role role)
{
	const dnnl_query_t what = is_gradient(op, role) ? names[role].of_gradient : names[role].layout;
	return dnnl_primitive_desc_query_md(d, what, role == MMI_DNNL_BIAS);
}

int mmi_dnnl_argument(const mmi_dnnl_op *op, mmi_dnnl_role role)
{
	return is_gradient(op, role) ? names[role].gradient : names[role].argument;
}

bool mmi_dnnl_blocks_of(mmi_dnnl_layout layout, mmi_dnnl_blocks *out)
{
	int ndims, n;
	const dnnl_dim_t *strides, *sizes, *dims;
	if (!layout || !read_blocks(layout, &ndims, &strides, &n, &sizes, &dims) || ndims > MMI_DNNL_DIMS ||
	    n > MMI_DNNL_BLOCKS)
		return false;
	*out = (mmi_dnnl_blocks){ .n = n };
	for (int i = 0; i < ndims; i++)
		out->stride[i] = strides[i];
	for (int i = 0; i < n; i++) {
		out->size[i] = sizes[i];
		out->dim[i] = dims[i];
	}
	return true;
}
