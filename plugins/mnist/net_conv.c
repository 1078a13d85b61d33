/* net_conv.c - net = conv: small convolutions for a CPU, scaled by `width` (32: encoder 32-64, decoder 128-64-32). */
#include "mmi_build.h"

#include "nets.h"

enum { MAP = MNIST_SIDE / 4 }; /* 7 */

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	const mm_tensor h = mma_trunk(b, io->x, i->width); /* [7, 7, 2w], flat */
	mma_experts(b, mma_relu(b, mma_linear(b, h, "hidden", 8 * i->width)), io);
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	const int32_t w = i->width;
	mm_tensor h = mma_relu(b, mma_linear(b, mma_latent(b, io), "hidden", MAP * MAP * 4 * w));
	h = mma_map(b, h, MAP, MAP, 4 * w);                                              /* [7, 7, 4w] */
	h = mma_relu(b, mma_conv_transposed(b, h, "conv1", 2 * w, mma_square(4, 2, 1))); /* [14, 14, 2w] */
	h = mma_relu(b, mma_conv_transposed(b, h, "conv2", w, mma_square(4, 2, 1)));     /* [28, 28, w] */
	return mma_conv(b, h, "conv3", 3, mma_square(3, 1, 1));
}

const mnist_net mnist_net_conv = { MNIST_OUTPUT_TANH, encoder, decoder };
