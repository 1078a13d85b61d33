/* nets.c - the build callbacks and the layers both families use. */
#include "config.h"

#include "nets.h"

const char *const img_net_names[] = { "conv", "resnet", NULL };
const img_net *const img_net_table[] = { &img_net_conv, &img_net_resnet };

static mm_conv square(int32_t channels, int32_t kernel, int32_t stride, int32_t pad, int32_t bias)
{
	return (mm_conv){
		.struct_size = MM_SIZE_THROUGH(mm_conv, init),
		.out_channels = channels,
		.kernel_h = kernel, .kernel_w = kernel,
		.stride_h = stride, .stride_w = stride,
		.pad_h = pad, .pad_w = pad,
		.bias = bias,
		.init = MM_INIT_DEFAULT,
	};
}

mm_tensor img_conv(const img_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride, int32_t pad,
                   int32_t bias)
{
	mm_conv c = square(channels, kernel, stride, pad, bias);
	return b->ops->conv2d(b->g, x, name, &c);
}

mm_tensor img_conv_transposed(const img_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride,
                              int32_t pad)
{
	mm_conv c = square(channels, kernel, stride, pad, 1);
	return b->ops->conv2d_transposed(b->g, x, name, &c);
}

mm_tensor img_linear(const img_builder *b, mm_tensor x, const char *name, int32_t features)
{
	return b->ops->linear(b->g, x, name, features, 1, MM_INIT_DEFAULT);
}

mm_tensor img_relu(const img_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_RELU, 0);
}

mm_tensor img_flatten(const img_builder *b, mm_tensor x, int32_t features)
{
	mm_shape flat = { 1, { features, 0, 0, 0 } };
	return b->ops->reshape(b->g, x, &flat);
}

mm_tensor img_view(const img_builder *b, mm_tensor x, int32_t side, int32_t channels)
{
	mm_shape map = { 3, { side, side, channels, 0 } };
	return b->ops->reshape(b->g, x, &map);
}

mm_tensor img_latent(const img_builder *b, const mm_decoder_io *io)
{
	const mm_tensor both[2] = { io->w, io->z };
	return io->w == MM_NO_TENSOR ? io->z : b->ops->concat(b->g, both, 2, 0);
}

mm_status img_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const img_builder b = { i->host->graph, g, i };
	(void)e;
	i->net->encoder(&b, io);
	return MM_OK;
}

mm_status img_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const img_builder b = { i->host->graph, g, i };
	(void)e;
	mm_tensor out = i->net->decoder(&b, io);
	io->out = i->output == IMG_OUTPUT_TANH ? b.ops->activation(g, out, MM_ACT_TANH, 0) : out;
	return MM_OK;
}

/* A convolution whose map is energy_stride times smaller; large pictures need that to keep the trunk affordable. */
mm_status img_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const img_builder b = { i->host->graph, g, i };
	const int32_t stride = i->energy_stride, kernel = stride > 1 ? stride + 2 : 3;
	(void)e;
	io->features = img_conv(&b, io->x, "features", i->energy_channels, kernel, stride, 1, i->energy_bias);
	return MM_OK;
}
