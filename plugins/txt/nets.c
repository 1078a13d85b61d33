/* nets.c - the build callbacks and the layers both families use. */
#include "config.h"

#include "nets.h"

const char *const txt_net_names[] = { "conv", "paper", NULL };
const txt_net *const txt_net_table[] = { &txt_net_conv, &txt_net_paper };

static mm_conv describe(int32_t channels, const txt_kernel *k)
{
	return (mm_conv){
		.struct_size = MM_SIZE_THROUGH(mm_conv, init),
		.out_channels = channels,
		.kernel_h = k->h, .kernel_w = k->w,
		.stride_h = k->stride_h, .stride_w = k->stride_w,
		.pad_h = k->pad_h, .pad_w = k->pad_w,
		.bias = 1,
		.init = MM_INIT_DEFAULT,
	};
}

mm_tensor txt_conv(const txt_builder *b, mm_tensor x, const char *name, int32_t channels, txt_kernel k)
{
	mm_conv c = describe(channels, &k);
	return b->ops->conv2d(b->g, x, name, &c);
}

mm_tensor txt_conv_transposed(const txt_builder *b, mm_tensor x, const char *name, int32_t channels, txt_kernel k)
{
	mm_conv c = describe(channels, &k);
	return b->ops->conv2d_transposed(b->g, x, name, &c);
}

mm_tensor txt_each(const txt_builder *b, mm_tensor x, const char *name, int32_t channels)
{
	return txt_conv(b, x, name, channels, (txt_kernel){ 1, 1, 1, 1, 0, 0 });
}

mm_tensor txt_linear(const txt_builder *b, mm_tensor x, const char *name, int32_t features)
{
	return b->ops->linear(b->g, x, name, features, 1, MM_INIT_DEFAULT);
}

mm_tensor txt_relu(const txt_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_RELU, 0);
}

mm_tensor txt_flatten(const txt_builder *b, mm_tensor x)
{
	const mm_shape s = b->ops->shape(b->g, x);
	mm_shape flat = { 1, { 1, 0, 0, 0 } };
	for (uint32_t k = 0; k < s.rank; k++)
		flat.dim[0] *= s.dim[k];
	return b->ops->reshape(b->g, x, &flat);
}

mm_tensor txt_map(const txt_builder *b, mm_tensor x, int32_t height, int32_t width, int32_t channels)
{
	const mm_shape map = { 3, { height, width, channels, 0 } };
	return b->ops->reshape(b->g, x, &map);
}

mm_tensor txt_latent(const txt_builder *b, const mm_decoder_io *io)
{
	const mm_tensor both[2] = { io->w, io->z };
	return io->w == MM_NO_TENSOR ? io->z : b->ops->concat(b->g, both, 2, 0);
}

mm_status txt_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const txt_builder b = { i->host->graph, g, i };
	(void)e;
	i->net->encoder(&b, io);
	return MM_OK;
}

mm_status txt_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const txt_builder b = { i->host->graph, g, i };
	(void)e;
	io->out = i->net->decoder(&b, io);
	return MM_OK;
}

/* The paper's Table 6: the flat caption through Linear, ReLU, Linear. */
mm_status txt_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const txt_builder b = { i->host->graph, g, i };
	(void)e;
	mm_tensor h = txt_relu(&b, txt_linear(&b, txt_flatten(&b, io->x), "features1", i->energy_width));
	io->features = txt_linear(&b, h, "features2", i->energy_width);
	return MM_OK;
}
