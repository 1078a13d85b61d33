/* nets.c - the build callbacks. */
#include "mmi_build.h"

#include "nets.h"

const char *const mnist_net_names[] = { "conv", "resnet", NULL };
const mnist_net *const mnist_net_table[] = { &mnist_net_conv, &mnist_net_resnet };

mm_status mnist_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(&i->plugin->host, g);
	(void)e;
	io->w_loc = io->w_raw = MM_NO_TENSOR;
	mnist_net_table[i->net]->encoder(i, &b, io);
	return MM_OK;
}

mm_status mnist_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(&i->plugin->host, g);
	(void)e;
	mm_tensor mean = mnist_net_table[i->net]->decoder(i, &b, io);
	io->out = i->output == MNIST_OUTPUT_TANH ? b.ops->activation(g, mean, MM_ACT_TANH, 0.0f) : mean;
	return MM_OK;
}

/* The energy's trunk starts with this convolution; its first block has no input ReLU, so none follows here. */
mm_status mnist_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mma_net b = mma_network(&i->plugin->host, g);
	(void)e;
	io->features = com_energy_map(&b, io->x, i->energy_channels, i->energy_stride, i->energy_bias);
	return MM_OK;
}
