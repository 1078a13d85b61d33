/* nets.c - the build callbacks, and the layer of all networks. */
#include "mmi_build.h"

#include "nets.h"

const char *const txt_net_names[] = { "conv", "paper", NULL };
const txt_net *const txt_net_table[] = { &txt_net_conv, &txt_net_paper };

mm_tensor txt_each(const mma_net *b, mm_tensor x, const char *name, int32_t channels)
{
	return mma_conv(b, x, name, channels, mma_square(1, 1, 0));
}

mm_status txt_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	txt_net_table[i->net]->encoder(i, &b, io);
	return MM_OK;
}

mm_status txt_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	io->out = txt_net_table[i->net]->decoder(i, &b, io);
	return MM_OK;
}

/* The paper's Table 6: the flat caption through Linear, ReLU, Linear. */
mm_status txt_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	mm_tensor h = mma_relu(&b, mma_linear(&b, mma_flat(&b, io->x), "features1", i->energy_width));
	io->features = mma_linear(&b, h, "features2", i->energy_width);
	return MM_OK;
}
