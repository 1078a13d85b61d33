/* nets.c - the build callbacks. */
#include "mmi_build.h"

#include "nets.h"

const char *const img_net_names[] = { "conv", "resnet", NULL };
const img_net *const img_net_table[] = { &img_net_conv, &img_net_resnet };

mm_status img_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	img_net_table[i->net]->encoder(i, &b, io);
	return MM_OK;
}

mm_status img_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	mm_tensor out = img_net_table[i->net]->decoder(i, &b, io);
	io->out = i->output == IMG_OUTPUT_TANH ? b.ops->activation(g, out, MM_ACT_TANH, 0) : out;
	return MM_OK;
}

mm_status img_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	io->features = com_energy_map(&b, io->x, i->energy_channels, i->energy_stride, i->energy_bias);
	return MM_OK;
}

/* The judge of evaluation follows from the size alone, whatever `net` says, so that runs can be compared. */
mm_status img_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	(void)e;
	return mma_classifier(i->host, g, io, 32);
}
