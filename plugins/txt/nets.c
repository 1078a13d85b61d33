/* nets.c - the build callbacks, and the layer of all networks. */
#include "mmi_build.h"

#include "nets.h"

const char *const txt_net_names[] = { "conv", "paper", NULL };
const txt_net *const txt_net_table[] = { &txt_net_conv, &txt_net_paper };

mm_tensor txt_each(const com_builder *b, mm_tensor x, const char *name, int32_t channels)
{
	return com_conv(b, x, name, channels, 1, 1, 0, 1);
}

mm_status txt_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	(void)e;
	i->net->encoder(&b, io);
	return MM_OK;
}

mm_status txt_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	(void)e;
	io->out = i->net->decoder(&b, io);
	return MM_OK;
}

/* The paper's Table 6: the flat caption through Linear, ReLU, Linear. */
mm_status txt_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	(void)e;
	mm_tensor h = com_relu(&b, com_linear(&b, com_flatten(&b, io->x), "features1", i->energy_width));
	io->features = com_linear(&b, h, "features2", i->energy_width);
	return MM_OK;
}
