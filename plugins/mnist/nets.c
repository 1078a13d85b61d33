/* nets.c - the build callbacks and the layers both families use. */
#include "config.h"

#include "nets.h"

const char *const mnist_net_names[] = { "conv", "resnet", NULL };
const mnist_net *const mnist_net_table[] = { &mnist_net_conv, &mnist_net_resnet };

mm_tensor mnist_conv(const mnist_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride,
                     int32_t pad, int32_t bias)
{
	mm_conv c = {
		.struct_size = MM_SIZE_THROUGH(mm_conv, init),
		.out_channels = channels,
		.kernel_h = kernel, .kernel_w = kernel,
		.stride_h = stride, .stride_w = stride,
		.pad_h = pad, .pad_w = pad,
		.bias = bias,
		.init = MM_INIT_DEFAULT,
	};
	return b->ops->conv2d(b->g, x, name, &c);
}

mm_tensor mnist_conv_transposed(const mnist_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                                int32_t stride, int32_t pad)
{
	mm_conv c = {
		.struct_size = MM_SIZE_THROUGH(mm_conv, init),
		.out_channels = channels,
		.kernel_h = kernel, .kernel_w = kernel,
		.stride_h = stride, .stride_w = stride,
		.pad_h = pad, .pad_w = pad,
		.bias = 1,
		.init = MM_INIT_DEFAULT,
	};
	return b->ops->conv2d_transposed(b->g, x, name, &c);
}

mm_tensor mnist_linear(const mnist_builder *b, mm_tensor x, const char *name, int32_t features)
{
	return b->ops->linear(b->g, x, name, features, 1, MM_INIT_DEFAULT);
}

mm_tensor mnist_relu(const mnist_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_RELU, 0.0f);
}

mm_tensor mnist_flatten(const mnist_builder *b, mm_tensor x, int32_t features)
{
	const mm_shape shape = { 1, { features, 0, 0, 0 } };
	return b->ops->reshape(b->g, x, &shape);
}

mm_tensor mnist_view(const mnist_builder *b, mm_tensor x, int32_t side, int32_t channels)
{
	const mm_shape shape = { 3, { side, side, channels, 0 } };
	return b->ops->reshape(b->g, x, &shape);
}

mm_tensor mnist_latent(const mnist_builder *b, const mm_decoder_io *io)
{
	const mm_tensor both[] = { io->w, io->z };
	return io->w == MM_NO_TENSOR ? io->z : b->ops->concat(b->g, both, 2, 0);
}

static mnist_builder builder(const mm_instance *i, mm_graph *g)
{
	return (mnist_builder){ i->plugin->host.graph, g, i };
}

/* A call that fails leaves MM_NO_TENSOR, and the host reports it after the callback: no result needs a test here. */

mm_status mnist_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mnist_builder b = builder(i, g);
	(void)e;
	io->w_loc = io->w_raw = MM_NO_TENSOR;
	i->net->encoder(&b, io);
	return MM_OK;
}

mm_status mnist_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mnist_builder b = builder(i, g);
	(void)e;
	mm_tensor mean = i->net->decoder(&b, io);
	io->out = i->output == MNIST_OUTPUT_TANH ? b.ops->activation(g, mean, MM_ACT_TANH, 0.0f) : mean;
	return MM_OK;
}

/* The energy's trunk starts with this convolution; its first block has no input ReLU, so none follows here. */
mm_status mnist_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mnist_builder b = builder(i, g);
	(void)e;
	/* An even kernel for an even stride: every pixel is read by as many windows as its neighbours. */
	io->features = mnist_conv(&b, io->x, "features", i->energy_channels, i->energy_stride == 2 ? 4 : 3, i->energy_stride, 1, i->energy_bias);
	return MM_OK;
}
