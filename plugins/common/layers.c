/* layers.c - layers that networks of several plugins are made of. */
#include "mmi_build.h"

#include "layers.h"

#include <stdio.h>

static mm_conv describe(int32_t channels, const com_kernel *k, int32_t bias)
{
	return (mm_conv){
		.struct_size = MM_SIZE_THROUGH(mm_conv, init),
		.out_channels = channels,
		.kernel_h = k->h,
		.kernel_w = k->w,
		.stride_h = k->stride_h,
		.stride_w = k->stride_w,
		.pad_h = k->pad_h,
		.pad_w = k->pad_w,
		.bias = bias,
		.init = MM_INIT_DEFAULT,
	};
}

mm_tensor com_conv_by(const com_builder *b, mm_tensor x, const char *name, int32_t channels, const com_kernel *k,
                      int32_t bias)
{
	mm_conv c = describe(channels, k, bias);
	return b->ops->conv2d(b->g, x, name, &c);
}

mm_tensor com_conv_transposed_by(const com_builder *b, mm_tensor x, const char *name, int32_t channels,
                                 const com_kernel *k)
{
	mm_conv c = describe(channels, k, 1);
	return b->ops->conv2d_transposed(b->g, x, name, &c);
}

mm_tensor com_conv(const com_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                   int32_t stride, int32_t pad, int32_t bias)
{
	const com_kernel k = { kernel, kernel, stride, stride, pad, pad };
	return com_conv_by(b, x, name, channels, &k, bias);
}

mm_tensor com_conv_transposed(const com_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                              int32_t stride, int32_t pad)
{
	const com_kernel k = { kernel, kernel, stride, stride, pad, pad };
	return com_conv_transposed_by(b, x, name, channels, &k);
}

mm_tensor com_linear(const com_builder *b, mm_tensor x, const char *name, int32_t features)
{
	return b->ops->linear(b->g, x, name, features, 1, MM_INIT_DEFAULT);
}

mm_tensor com_relu(const com_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_RELU, 0);
}

mm_tensor com_flatten(const com_builder *b, mm_tensor x)
{
	const mm_shape s = b->ops->shape(b->g, x);
	mm_shape flat = { 1, { 1, 0, 0, 0 } };
	for (uint32_t k = 0; k < s.rank; k++)
		flat.dim[0] *= s.dim[k];
	return b->ops->reshape(b->g, x, &flat);
}

mm_tensor com_map(const com_builder *b, mm_tensor x, int32_t height, int32_t width, int32_t channels)
{
	const mm_shape map = { 3, { height, width, channels, 0 } };
	return b->ops->reshape(b->g, x, &map);
}

mm_tensor com_latent(const com_builder *b, const mm_decoder_io *io)
{
	const mm_tensor both[2] = { io->w, io->z };
	return io->w == MM_NO_TENSOR ? io->z : b->ops->concat(b->g, both, 2, 0);
}

void com_experts(const com_builder *b, mm_tensor x, mm_encoder_io *io)
{
	io->z_loc = com_linear(b, x, "z_loc", io->latent_dim);
	io->z_raw = com_linear(b, x, "z_raw", io->latent_dim);
	if (io->private_dim > 0) {
		io->w_loc = com_linear(b, x, "w_loc", io->private_dim);
		io->w_raw = com_linear(b, x, "w_raw", io->private_dim);
	}
}

/* ---------------------------------------------------------------- residual networks */

mm_tensor com_conv_in(const com_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t channels,
                      int32_t kernel, int32_t bias)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return com_conv(b, x, full, channels, kernel, 1, kernel / 2, bias);
}

mm_tensor com_linear_in(const com_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t features)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return com_linear(b, x, full, features);
}

mm_tensor com_leaky(const com_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_LEAKY_RELU, 0.2f);
}

mm_tensor com_residual(const com_builder *b, mm_tensor x, const char *prefix, int32_t number, int32_t in, int32_t out)
{
	char block[32];
	snprintf(block, sizeof(block), "%sres%d", prefix, (int)number);
	mm_tensor h = com_conv_in(b, com_leaky(b, x), block, "conv1", in < out ? in : out, 3, 1);
	h = com_conv_in(b, com_leaky(b, h), block, "conv2", out, 3, 1);
	mm_tensor shortcut = in == out ? x : com_conv_in(b, x, block, "shortcut", out, 1, 0);
	return b->ops->axpby(b->g, 1.0f, shortcut, 0.1f, h);
}
