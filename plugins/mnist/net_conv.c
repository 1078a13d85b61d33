/* net_conv.c - net = conv: small convolutions for a CPU, scaled by `width` (32: encoder 32-64, decoder 128-64-32). */
#include "mmi_build.h"

#include "nets.h"

enum { MAP = MNIST_SIDE / 4 }; /* 7 */

static void encoder(const com_builder *b, mm_encoder_io *io)
{
	const int32_t w = b->i->width;
	mm_tensor h = com_relu(b, com_conv(b, io->x, "conv1", w, 4, 2, 1, 1)); /* [14, 14, w] */
	h = com_relu(b, com_conv(b, h, "conv2", 2 * w, 4, 2, 1, 1));           /* [7, 7, 2w] */
	h = com_flatten(b, h);
	h = com_relu(b, com_linear(b, h, "hidden", 8 * w));
	com_experts(b, h, io);
}

static mm_tensor decoder(const com_builder *b, const mm_decoder_io *io)
{
	const int32_t w = b->i->width;
	mm_tensor h = com_relu(b, com_linear(b, com_latent(b, io), "hidden", MAP * MAP * 4 * w));
	h = com_map(b, h, MAP, MAP, 4 * w);                                  /* [7, 7, 4w] */
	h = com_relu(b, com_conv_transposed(b, h, "conv1", 2 * w, 4, 2, 1)); /* [14, 14, 2w] */
	h = com_relu(b, com_conv_transposed(b, h, "conv2", w, 4, 2, 1));     /* [28, 28, w] */
	return com_conv(b, h, "conv3", 3, 3, 1, 1, 1);
}

const mnist_net mnist_net_conv = { MNIST_OUTPUT_TANH, encoder, decoder };
