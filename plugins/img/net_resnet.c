/* net_resnet.c - net = resnet: the encoder and decoder of MMVAE+ and CMVAE for CUB (nf = 64, at most 256 channels, down
 * to 2 x 2); one more pair of block and pooling for each doubling of the size. */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

enum { MAP = 2, NARROW = 64, WIDE = 256 };

static int32_t stages(const mm_instance *i)
{
	int32_t n = 0;
	while (i->fit.size >> n > MAP)
		n++;
	return n;
}

/* Channels after `k` halvings. */
static int32_t channels(int32_t k)
{
	return k >= 2 ? WIDE : NARROW << k;
}

/* One complete encoder: z and w have nothing in common but the picture. */
static void branch(const mm_instance *i, const mma_net *b, mm_tensor x, const char *latent, int32_t dim, mm_tensor *loc,
                   mm_tensor *raw)
{
	const int32_t n = stages(i);
	char prefix[8];
	snprintf(prefix, sizeof(prefix), "%s.", latent);
	mm_tensor h = com_conv_in(b, x, latent, "conv", NARROW, 3, 1);
	h = com_residual(b, h, prefix, 1, NARROW, NARROW);
	for (int32_t k = 0; k < n; k++) {
		h = b->ops->avg_pool(b->g, h, 3, 2, 1, 1); /* divides by 9 at borders too */
		h = com_residual(b, h, prefix, k + 2, channels(k), channels(k + 1));
	}
	h = mma_flat(b, h);
	*loc = com_linear_in(b, h, latent, "loc", dim);
	*raw = com_linear_in(b, h, latent, "raw", dim);
}

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	branch(i, b, io->x, "z", io->latent_dim, &io->z_loc, &io->z_raw);
	if (io->private_dim > 0)
		branch(i, b, io->x, "w", io->private_dim, &io->w_loc, &io->w_raw);
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	const int32_t n = stages(i);
	mm_tensor h = mma_linear(b, mma_latent(b, io), "linear", MAP * MAP * WIDE);
	h = mma_map(b, h, MAP, MAP, WIDE);
	for (int32_t k = 0; k < n; k++)
		h = com_residual_up(b, h, k > 0 ? 2 : 1, "", k + 1, channels(n - k), channels(n - k - 1));
	h = com_residual_up(b, h, n > 0 ? 2 : 1, "", n + 1, NARROW, NARROW);
	return mma_conv(b, com_leaky(b, h), "conv", 3, mma_square(3, 1, 1));
}

const img_net img_net_resnet = { IMG_OUTPUT_LINEAR, encoder, decoder };
