/* conv_graph.c - one convolution as a graph of cuDNN's: tensors, the operation, a bias and ReLU behind it. */
#include "mmi_build.h"

#include "backend/cuda/conv_graph.h"

typedef cudnnBackendDescriptor_t descriptor;

cudnnStatus_t mmi_conv_part(mmi_conv_plan *p, cudnnBackendDescriptorType_t type, descriptor *out)
{
	if (p->n_parts == p->parts_capacity) {
		const size_t capacity = p->parts_capacity ? 2 * p->parts_capacity : 32;
		descriptor *grown = mmi_grow(p->parts, p->n_parts, capacity, sizeof *grown);
		if (!grown)
			return CUDNN_STATUS_ALLOC_FAILED;
		p->parts = grown;
		p->parts_capacity = capacity;
	}
	CUDNN_TRY(cudnnBackendCreateDescriptor(type, out));
	p->parts[p->n_parts++] = *out;
	return CUDNN_STATUS_SUCCESS;
}

/* ------------------------------------------------------------ attributes */

static cudnnStatus_t set_numbers(descriptor d, cudnnBackendAttributeName_t name, int64_t n, const int64_t *v)
{
	return cudnnBackendSetAttribute(d, name, CUDNN_TYPE_INT64, n, v);
}

cudnnStatus_t mmi_conv_set_part(descriptor d, cudnnBackendAttributeName_t name, descriptor part)
{
	return cudnnBackendSetAttribute(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part);
}

static cudnnStatus_t set_type(descriptor d, cudnnBackendAttributeName_t name, cudnnDataType_t type)
{
	return cudnnBackendSetAttribute(d, name, CUDNN_TYPE_DATA_TYPE, 1, &type);
}

static cudnnStatus_t set_number(descriptor d, cudnnBackendAttributeName_t name, float value)
{
	return cudnnBackendSetAttribute(d, name, CUDNN_TYPE_FLOAT, 1, &value);
}

/* ------------------------------------------------------------ tensors */

/* [n,c,h,w] in cuDNN's order of dimensions, channels last in memory. Inner: lives inside the plan only. */
typedef struct tensor_spec {
	char id;
	int64_t n, c, h, w;
	bool inner;
} tensor_spec;

static cudnnStatus_t make_tensor(mmi_conv_plan *p, const tensor_spec *t, descriptor *out)
{
	const int64_t dim[4] = { t->n, t->c, t->h, t->w }, stride[4] = { t->h * t->w * t->c, 1, t->w * t->c, t->c };
	const int64_t id = t->id, alignment = 16;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_TENSOR_DESCRIPTOR, out));
	CUDNN_TRY(set_type(*out, CUDNN_ATTR_TENSOR_DATA_TYPE,
	                   p->shape.narrow && !t->inner ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_TENSOR_DIMENSIONS, 4, dim));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_TENSOR_STRIDES, 4, stride));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_TENSOR_UNIQUE_ID, 1, &id));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 1, &alignment));
	CUDNN_TRY(cudnnBackendSetAttribute(*out, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t->inner));
	return cudnnBackendFinalize(*out);
}

static cudnnStatus_t make_window(mmi_conv_plan *p, descriptor *out)
{
	const mmi_conv_shape *s = &p->shape;
	const int64_t axes = 2, pad[2] = { s->ph, s->pw }, stride[2] = { s->sh, s->sw }, one[2] = { 1, 1 };
	const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 1, &axes));
	CUDNN_TRY(set_type(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT));
	CUDNN_TRY(cudnnBackendSetAttribute(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 2, pad));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 2, pad));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, 2, one));
	CUDNN_TRY(set_numbers(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 2, stride));
	return cudnnBackendFinalize(*out);
}

/* ------------------------------------------------------------ operations */

/* Names of one kind of convolution. */
typedef struct conv_names {
	cudnnBackendDescriptorType_t type;
	cudnnBackendAttributeName_t x, weights, y, window, alpha, beta;
} conv_names;

static const conv_names names[] = {
	[MMI_CONV_FORWARD] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
	                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
	                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
	                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
	                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
	                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA },
	[MMI_CONV_TO_X] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
	                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
	                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
	                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
	                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
	                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA },
	[MMI_CONV_TO_WEIGHTS] = { CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
	                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA },
};

static tensor_spec map_of_y(const mmi_conv_shape *s, char id, bool inner)
{
	return (tensor_spec){ id, s->n, s->out, s->oh, s->ow, inner };
}

/* y: what the operation yields or, in gradients, reads. */
static cudnnStatus_t make_conv(mmi_conv_plan *p, descriptor y, descriptor *out)
{
	const mmi_conv_shape *s = &p->shape;
	const conv_names *k = &names[s->kind];
	const tensor_spec x_spec = { MMI_CONV_ID_X, s->n, s->in, s->h, s->w, false };
	const tensor_spec weights_spec = { MMI_CONV_ID_WEIGHTS, s->out, s->in, s->kh, s->kw, false };
	descriptor x, weights, window;
	CUDNN_TRY(make_tensor(p, &x_spec, &x));
	CUDNN_TRY(make_tensor(p, &weights_spec, &weights));
	CUDNN_TRY(make_window(p, &window));
	CUDNN_TRY(mmi_conv_part(p, k->type, out));
	CUDNN_TRY(mmi_conv_set_part(*out, k->x, x));
	CUDNN_TRY(mmi_conv_set_part(*out, k->weights, weights));
	CUDNN_TRY(mmi_conv_set_part(*out, k->y, y));
	CUDNN_TRY(mmi_conv_set_part(*out, k->window, window));
	CUDNN_TRY(set_number(*out, k->alpha, 1));
	CUDNN_TRY(set_number(*out, k->beta, 0));
	return cudnnBackendFinalize(*out);
}

/* from, and `other` where there is one, through a point-wise operation to `to`. */
static cudnnStatus_t make_pointwise(mmi_conv_plan *p, cudnnPointwiseMode_t mode, descriptor from, descriptor other,
                                    descriptor to, descriptor *out)
{
	descriptor what;
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &what));
	CUDNN_TRY(cudnnBackendSetAttribute(what, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
	CUDNN_TRY(set_type(what, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT));
	CUDNN_TRY(cudnnBackendFinalize(what));
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, out));
	CUDNN_TRY(mmi_conv_set_part(*out, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, what));
	CUDNN_TRY(mmi_conv_set_part(*out, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from));
	if (other)
		CUDNN_TRY(mmi_conv_set_part(*out, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other));
	CUDNN_TRY(mmi_conv_set_part(*out, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to));
	return cudnnBackendFinalize(*out);
}

/* The convolution into ops[0], then a bias, then ReLU; the last of them yields y. */
static cudnnStatus_t make_operations(mmi_conv_plan *p, descriptor ops[3], int64_t *n)
{
	const mmi_conv_shape *s = &p->shape;
	const tensor_spec bias_spec = { MMI_CONV_ID_BIAS, 1, s->out, 1, 1, false };
	const bool biased = s->bias, rectified = s->relu;
	descriptor bias, at, next;
	tensor_spec spec = map_of_y(s, biased || rectified ? '1' : MMI_CONV_ID_Y, biased || rectified);
	CUDNN_TRY(make_tensor(p, &spec, &at));
	CUDNN_TRY(make_conv(p, at, &ops[(*n)++]));
	if (biased) {
		spec = map_of_y(s, rectified ? '2' : MMI_CONV_ID_Y, rectified);
		CUDNN_TRY(make_tensor(p, &bias_spec, &bias));
		CUDNN_TRY(make_tensor(p, &spec, &next));
		CUDNN_TRY(make_pointwise(p, CUDNN_POINTWISE_ADD, at, bias, next, &ops[(*n)++]));
		at = next;
	}
	if (rectified) {
		spec = map_of_y(s, MMI_CONV_ID_Y, false);
		CUDNN_TRY(make_tensor(p, &spec, &next));
		CUDNN_TRY(make_pointwise(p, CUDNN_POINTWISE_RELU_FWD, at, NULL, next, &ops[(*n)++]));
	}
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t mmi_conv_graph(mmi_conv_plan *p, cudnnHandle_t handle, descriptor *out)
{
	descriptor ops[3];
	int64_t n = 0;
	CUDNN_TRY(make_operations(p, ops, &n));
	CUDNN_TRY(mmi_conv_part(p, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, out));
	CUDNN_TRY(cudnnBackendSetAttribute(*out, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, ops));
	if (handle)
		CUDNN_TRY(cudnnBackendSetAttribute(*out, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
	return cudnnBackendFinalize(*out);
}
