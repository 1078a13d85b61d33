/* nets.c - the build callbacks. */
#include "mmi_build.h"

#include "nets.h"

const char *const img_net_names[] = { "conv", "resnet", NULL };
const img_net *const img_net_table[] = { &img_net_conv, &img_net_resnet };

mm_status img_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	(void)e;
	i->net->encoder(&b, io);
	return MM_OK;
}

mm_status img_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	(void)e;
	mm_tensor out = i->net->decoder(&b, io);
	io->out = i->output == IMG_OUTPUT_TANH ? b.ops->activation(g, out, MM_ACT_TANH, 0) : out;
	return MM_OK;
}

/* A convolution whose map is energy_stride times smaller; large pictures need that to keep the trunk affordable. */
mm_status img_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	const int32_t stride = i->energy_stride, kernel = stride > 1 ? stride + 2 : 3;
	(void)e;
	io->features = com_conv(&b, io->x, "features", i->energy_channels, kernel, stride, 1, i->energy_bias);
	return MM_OK;
}
