/* build.c - the table of operations a plugin records its networks with (mm_host_graph), and the core's own additions.
 */
#include "mmi_build.h"

#include "engine/graph.h"
#include "engine/op.h"

#include <stdio.h>

static mm_tensor failf(mmi_graph *g, mm_status code, const char *format, ...)
{
	char text[MM_ERROR_TEXT];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return mmi_graph_fail(g, code, text);
}

static mm_shape shape_of(mm_graph *g, mm_tensor x)
{
	const mmi_node *node = mmi_graph_node(g, x);
	return node ? node->shape : (mm_shape){ 0, { 0 } };
}

static mm_tensor named_param(mmi_graph *g, const char *name, const char *suffix, mm_shape shape, int32_t init,
                             int32_t fan_in)
{
	char full[64];
	int length = snprintf(full, sizeof full, "%s.%s", name, suffix);
	if (length < 0 || (size_t)length >= sizeof full)
		return failf(g, MM_EARG, "layer name \"%s\" is too long; at most 56 characters", name);
	return mmi_param(g, full, shape, init, fan_in);
}

/* A bias starts like its weights, except that xavier leaves it at PyTorch's default too. */
static mm_tensor named_bias(mmi_graph *g, const char *name, int32_t out, int32_t init, int32_t fan_in)
{
	return named_param(g, name, "bias", mmi_shape(1, out), init == MM_INIT_XAVIER_NORMAL ? MM_INIT_DEFAULT : init,
	                   fan_in);
}

static mm_tensor linear(mm_graph *g, mm_tensor x, const char *name, int32_t out, int32_t bias, int32_t init)
{
	const mmi_node *node = mmi_graph_node(g, x);
	if (!node)
		return mmi_op(g, MMI_OP_LINEAR, 1, &x, NULL);
	int64_t in = mmi_shape_count(&node->shape);
	if (out <= 0 || in <= 0 || in > INT32_MAX)
		return failf(g, MM_ESHAPE, "linear \"%s\": %lld inputs and %d outputs; both must be positive", name,
		             (long long)in, out);
	mm_tensor args[3] = { x, named_param(g, name, "weight", mmi_shape(2, (int)in, out), init, (int32_t)in), MMI_NONE };
	if (bias)
		args[2] = named_bias(g, name, out, init, (int32_t)in);
	return mmi_op(g, MMI_OP_LINEAR, bias ? 3 : 2, args, NULL);
}

static bool conv_ok(mmi_graph *g, mm_tensor x, const char *name, const mm_conv *c)
{
	const mmi_node *node = mmi_graph_node(g, x);
	if (!node) {
		mmi_op(g, MMI_OP_CONV, 1, &x, NULL); /* reports an unknown tensor, keeps a reported failure */
		return false;
	}
	if (node->shape.rank != 3) {
		char text[64];
		failf(g, MM_ESHAPE, "convolution \"%s\": input has shape %s; expected [h,w,c]", name,
		      mmi_shape_text(&node->shape, text));
		return false;
	}
	if (c->out_channels <= 0 || c->kernel_h <= 0 || c->kernel_w <= 0 || c->stride_h <= 0 || c->stride_w <= 0 ||
	    c->pad_h < 0 || c->pad_w < 0 || c->output_pad_h < 0 || c->output_pad_w < 0) {
		failf(g, MM_EARG,
		      "convolution \"%s\": channels %d, kernel %dx%d, stride %dx%d, padding %dx%d; the first three must be "
		      "positive, paddings not negative",
		      name, c->out_channels, c->kernel_h, c->kernel_w, c->stride_h, c->stride_w, c->pad_h, c->pad_w);
		return false;
	}
	return true;
}

static mmi_attr conv_attr(const mm_conv *c)
{
	return (mmi_attr){
		.kh = c->kernel_h, .kw = c->kernel_w, .sh = c->stride_h, .sw = c->stride_w, .ph = c->pad_h, .pw = c->pad_w
	};
}

static mm_tensor conv2d(mm_graph *g, mm_tensor x, const char *name, const mm_conv *c)
{
	if (!conv_ok(g, x, name, c))
		return MMI_NONE;
	int32_t in = shape_of(g, x).dim[2], fan_in = in * c->kernel_h * c->kernel_w;
	mmi_attr attr = conv_attr(c);
	mm_tensor args[3] = { x, MMI_NONE, MMI_NONE };
	args[1] =
		named_param(g, name, "weight", mmi_shape(4, c->kernel_h, c->kernel_w, in, c->out_channels), c->init, fan_in);
	if (c->bias)
		args[2] = named_bias(g, name, c->out_channels, c->init, fan_in);
	return mmi_op(g, MMI_OP_CONV, c->bias ? 3 : 2, args, &attr);
}

/* The transposed convolution is the gradient of a convolution from its output to its input: CONV_BWD_X. Its weight is
 * that convolution's, [kh,kw,out,in]; PyTorch's fan-in counts the output channels. */
static mm_tensor conv2d_transposed(mm_graph *g, mm_tensor x, const char *name, const mm_conv *c)
{
	if (!conv_ok(g, x, name, c))
		return MMI_NONE;
	mm_shape s = shape_of(g, x);
	int32_t fan_in = c->out_channels * c->kernel_h * c->kernel_w;
	mmi_attr attr = conv_attr(c);
	mm_shape out =
		mmi_shape(3, (s.dim[0] - 1) * c->stride_h - 2 * c->pad_h + c->kernel_h + c->output_pad_h,
	              (s.dim[1] - 1) * c->stride_w - 2 * c->pad_w + c->kernel_w + c->output_pad_w, c->out_channels);
	if (out.dim[0] <= 0 || out.dim[1] <= 0 || c->output_pad_h >= c->stride_h || c->output_pad_w >= c->stride_w)
		return failf(g, MM_ESHAPE,
		             "transposed convolution \"%s\": output would be %d x %d; output padding must be below the stride",
		             name, out.dim[0], out.dim[1]);
	mm_tensor args[3] = { x, MMI_NONE, MMI_NONE };
	args[1] = named_param(g, name, "weight", mmi_shape(4, c->kernel_h, c->kernel_w, c->out_channels, s.dim[2]), c->init,
	                      fan_in);
	if (c->bias)
		args[2] = named_bias(g, name, c->out_channels, c->init, fan_in);
	return mmi_op_shaped(g, MMI_OP_CONV_BWD_X, c->bias ? 3 : 2, args, &attr, &out);
}

static mm_tensor avg_pool(mm_graph *g, mm_tensor x, int32_t kernel, int32_t stride, int32_t pad, int32_t count_pad)
{
	mmi_attr attr = {
		.kh = kernel, .kw = kernel, .sh = stride, .sw = stride, .ph = pad, .pw = pad, .flag = count_pad != 0
	};
	return mmi_op(g, MMI_OP_AVG_POOL, 1, &x, &attr);
}

static mm_tensor upsample_nearest(mm_graph *g, mm_tensor x, int32_t factor)
{
	mmi_attr attr = { .kh = factor, .kw = factor };
	return mmi_op(g, MMI_OP_UPSAMPLE, 1, &x, &attr);
}

static mm_tensor axpby(mm_graph *g, float a, mm_tensor x, float b, mm_tensor y)
{
	mmi_attr attr = { .a = a, .b = b };
	mm_tensor args[2] = { x, y };
	return mmi_op(g, MMI_OP_ADD, 2, args, &attr);
}

static mm_tensor add(mm_graph *g, mm_tensor x, mm_tensor y)
{
	return axpby(g, 1, x, 1, y);
}

static mm_tensor mul(mm_graph *g, mm_tensor x, mm_tensor y)
{
	mm_tensor args[2] = { x, y };
	return mmi_op(g, MMI_OP_MUL, 2, args, NULL);
}

static mm_tensor affine(mm_graph *g, mm_tensor x, float scale, float shift)
{
	mmi_attr attr = { .a = scale, .b = shift };
	return mmi_op(g, MMI_OP_AFFINE, 1, &x, &attr);
}

static mm_tensor activation(mm_graph *g, mm_tensor x, int32_t kind, float alpha)
{
	mmi_attr attr = { .act = kind, .a = alpha };
	if (kind == MM_ACT_NONE)
		return x;
	return mmi_op(g, MMI_OP_ACT, 1, &x, &attr);
}

static mm_tensor clamp(mm_graph *g, mm_tensor x, float lo, float hi)
{
	mmi_attr attr = { .a = lo, .b = hi };
	return mmi_op(g, MMI_OP_CLAMP, 1, &x, &attr);
}

static mm_tensor softmax(mm_graph *g, mm_tensor x)
{
	return mmi_op(g, MMI_OP_SOFTMAX, 1, &x, NULL);
}

static mm_tensor log_sum_exp(mm_graph *g, mm_tensor x)
{
	return mmi_op(g, MMI_OP_LSE, 1, &x, NULL);
}

static mm_tensor concat(mm_graph *g, const mm_tensor *x, uint32_t n, uint32_t axis)
{
	mmi_attr attr = { .axis = (int32_t)axis };
	if (n == 0)
		return failf(g, MM_EARG, "concat of nothing; at least one tensor is needed");
	return n == 1 ? x[0] : mmi_op(g, MMI_OP_CONCAT, n, x, &attr);
}

static mm_tensor slice(mm_graph *g, mm_tensor x, uint32_t axis, int32_t begin, int32_t count)
{
	mmi_attr attr = { .axis = (int32_t)axis, .begin = begin, .count = count };
	return mmi_op(g, MMI_OP_SLICE, 1, &x, &attr);
}

static mm_tensor reshape(mm_graph *g, mm_tensor x, const mm_shape *shape)
{
	const mmi_node *node = mmi_graph_node(g, x);
	char from[64], to[64];
	if (!node)
		return mmi_op(g, MMI_OP_AFFINE, 1, &x, NULL);
	if (shape->rank > MM_MAX_RANK || mmi_shape_count(&node->shape) != mmi_shape_count(shape))
		return failf(g, MM_ESHAPE, "reshape: %s does not hold as many values as %s", mmi_shape_text(shape, to),
		             mmi_shape_text(&node->shape, from));
	return mmi_op_shaped(g, MMI_OP_RESHAPE, 1, &x, NULL, shape);
}

static mm_tensor sum_axis(mm_graph *g, mm_tensor x, uint32_t axis, bool mean)
{
	mm_shape s = shape_of(g, x);
	mmi_attr attr = { .axis = (int32_t)axis, .a = 1 };
	if (mean && axis < s.rank && s.dim[axis] > 0)
		attr.a = 1.0f / (float)s.dim[axis];
	return mmi_op(g, MMI_OP_SUM, 1, &x, &attr);
}

static mm_tensor sum(mm_graph *g, mm_tensor x, uint32_t axis)
{
	return sum_axis(g, x, axis, false);
}

static mm_tensor mean(mm_graph *g, mm_tensor x, uint32_t axis)
{
	return sum_axis(g, x, axis, true);
}

/* [h,w,c] -> [h*w,c] -> [c]: no kernel of its own. */
static mm_tensor global_avg_pool(mm_graph *g, mm_tensor x)
{
	mm_shape s = shape_of(g, x);
	if (mmi_graph_node(g, x) && s.rank != 3) {
		char text[64];
		return failf(g, MM_ESHAPE, "global_avg_pool: input has shape %s; expected [h,w,c]", mmi_shape_text(&s, text));
	}
	mm_shape flat = mmi_shape(2, s.dim[0] * s.dim[1], s.dim[2]);
	return mean(g, reshape(g, x, &flat), 0);
}

mm_tensor mmi_sum_all(mmi_graph *g, mm_tensor x, float scale)
{
	mmi_attr attr = { .a = scale };
	return mmi_op(g, MMI_OP_SUM_ALL, 1, &x, &attr);
}

const mm_host_graph mmi_graph_ops = {
	.struct_size = MM_SIZE_THROUGH(mm_host_graph, fail),
	.shape = shape_of,
	.linear = linear,
	.conv2d = conv2d,
	.conv2d_transposed = conv2d_transposed,
	.avg_pool = avg_pool,
	.global_avg_pool = global_avg_pool,
	.upsample_nearest = upsample_nearest,
	.add = add,
	.mul = mul,
	.affine = affine,
	.axpby = axpby,
	.activation = activation,
	.clamp = clamp,
	.softmax = softmax,
	.log_sum_exp = log_sum_exp,
	.concat = concat,
	.slice = slice,
	.reshape = reshape,
	.sum = sum,
	.mean = mean,
	.fail = mmi_graph_fail,
};
