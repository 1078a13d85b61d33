/* net_resnet.c - net = resnet: the encoder and decoder of MMVAE+ for PolyMNIST (nf = 64, s0 = 7). */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

enum { MAP = 7, WIDE = 256 }; /* the smallest map: [7, 7, 256] */

static mm_tensor pool(const mma_net *b, mm_tensor x)
{
	return b->ops->avg_pool(b->g, x, 3, 2, 1, 1); /* divides by 9 at borders too */
}

/* One complete encoder: z and w have nothing in common but the picture. */
static void branch(const mma_net *b, mm_tensor x, const char *latent, int32_t dim, mm_tensor *loc, mm_tensor *raw)
{
	char prefix[8];
	snprintf(prefix, sizeof(prefix), "%s.", latent);
	mm_tensor h = com_conv_in(b, x, latent, "conv", 64, 3, 1); /* [28, 28, 64] */
	h = pool(b, com_residual(b, h, prefix, 1, 64, 64));        /* [14, 14, 64] */
	h = pool(b, com_residual(b, h, prefix, 2, 64, 128));       /* [7, 7, 128] */
	h = com_residual(b, h, prefix, 3, 128, WIDE);              /* [7, 7, 256] */
	h = mma_flat(b, h);
	*loc = com_linear_in(b, h, latent, "loc", dim);
	*raw = com_linear_in(b, h, latent, "raw", dim);
}

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	(void)i;
	branch(b, io->x, "z", io->latent_dim, &io->z_loc, &io->z_raw);
	if (io->private_dim > 0)
		branch(b, io->x, "w", io->private_dim, &io->w_loc, &io->w_raw);
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	(void)i;
	mm_tensor h = mma_linear(b, mma_latent(b, io), "linear", MAP * MAP * WIDE);
	h = mma_map(b, h, MAP, MAP, WIDE);            /* [7, 7, 256] */
	h = com_residual(b, h, "", 1, WIDE, 128);     /* [7, 7, 128] */
	h = com_residual_up(b, h, 2, "", 2, 128, 64); /* [14, 14, 64] */
	h = com_residual_up(b, h, 2, "", 3, 64, 64);  /* [28, 28, 64] */
	return mma_conv(b, com_leaky(b, h), "conv", 3, mma_square(3, 1, 1));
}

const mnist_net mnist_net_resnet = { MNIST_OUTPUT_LINEAR, encoder, decoder };
