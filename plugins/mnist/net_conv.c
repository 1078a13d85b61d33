/* net_conv.c - net = conv: small convolutions for a CPU, scaled by `width` (32: encoder 32-64, decoder 128-64-32). */
#include "config.h"

#include "nets.h"

enum { MAP = MNIST_SIDE / 4 }; /* 7 */

static void encoder(const mnist_builder *b, mm_encoder_io *io)
{
	const int32_t w = b->i->width;
	mm_tensor h = mnist_relu(b, mnist_conv(b, io->x, "conv1", w, 4, 2, 1, 1));  /* [14, 14, w] */
	h = mnist_relu(b, mnist_conv(b, h, "conv2", 2 * w, 4, 2, 1, 1));            /* [7, 7, 2w] */
	h = mnist_flatten(b, h, MAP * MAP * 2 * w);
	h = mnist_relu(b, mnist_linear(b, h, "hidden", 8 * w));
	io->z_loc = mnist_linear(b, h, "z_loc", io->latent_dim);
	io->z_raw = mnist_linear(b, h, "z_raw", io->latent_dim);
	if (io->private_dim > 0) {
		io->w_loc = mnist_linear(b, h, "w_loc", io->private_dim);
		io->w_raw = mnist_linear(b, h, "w_raw", io->private_dim);
	}
}

static mm_tensor decoder(const mnist_builder *b, const mm_decoder_io *io)
{
	const int32_t w = b->i->width;
	mm_tensor h = mnist_relu(b, mnist_linear(b, mnist_latent(b, io), "hidden", MAP * MAP * 4 * w));
	h = mnist_view(b, h, MAP, 4 * w);                                                   /* [7, 7, 4w] */
	h = mnist_relu(b, mnist_conv_transposed(b, h, "conv1", 2 * w, 4, 2, 1));            /* [14, 14, 2w] */
	h = mnist_relu(b, mnist_conv_transposed(b, h, "conv2", w, 4, 2, 1));                /* [28, 28, w] */
	return mnist_conv(b, h, "conv3", 3, 3, 1, 1, 1);
}

const mnist_net mnist_net_conv = { MNIST_OUTPUT_TANH, encoder, decoder };
