/* net_resnet.c - net = resnet: the encoder and decoder of MMVAE+ for PolyMNIST (nf = 64, s0 = 7). */
#include "config.h"

#include "nets.h"

#include <stdio.h>

enum { MAP = 7, WIDE = 256 }; /* the smallest map: [7, 7, 256] */

static mm_tensor leaky(const mnist_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_LEAKY_RELU, 0.2f);
}

/* conv with the parameter name "PREFIX.NAME" */
static mm_tensor conv(const mnist_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t channels, int32_t kernel,
                      int32_t bias)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return mnist_conv(b, x, full, channels, kernel, 1, kernel / 2, bias);
}

static mm_tensor linear(const mnist_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t features)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return mnist_linear(b, x, full, features);
}

/* shortcut(x) + 0.1 h, both convolutions after an activation; the shortcut is 1x1 without bias where channels change. */
static mm_tensor residual(const mnist_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t in, int32_t out)
{
	char block[32];
	snprintf(block, sizeof(block), "%s%s", prefix, name);
	mm_tensor h = conv(b, leaky(b, x), block, "conv1", in < out ? in : out, 3, 1);
	h = conv(b, leaky(b, h), block, "conv2", out, 3, 1);
	mm_tensor shortcut = in == out ? x : conv(b, x, block, "shortcut", out, 1, 0);
	return b->ops->axpby(b->g, 1.0f, shortcut, 0.1f, h);
}

static mm_tensor pool(const mnist_builder *b, mm_tensor x)
{
	return b->ops->avg_pool(b->g, x, 3, 2, 1, 1); /* divides by 9 at borders too */
}

/* One complete encoder: z and w have nothing in common but the picture. */
static void branch(const mnist_builder *b, mm_tensor x, const char *latent, int32_t dim, mm_tensor *loc, mm_tensor *raw)
{
	char prefix[8];
	snprintf(prefix, sizeof(prefix), "%s.", latent);
	mm_tensor h = conv(b, x, latent, "conv", 64, 3, 1);           /* [28, 28, 64] */
	h = pool(b, residual(b, h, prefix, "res1", 64, 64));          /* [14, 14, 64] */
	h = pool(b, residual(b, h, prefix, "res2", 64, 128));         /* [7, 7, 128] */
	h = residual(b, h, prefix, "res3", 128, WIDE);                /* [7, 7, 256] */
	h = mnist_flatten(b, h, MAP * MAP * WIDE);
	*loc = linear(b, h, latent, "loc", dim);
	*raw = linear(b, h, latent, "raw", dim);
}

static void encoder(const mnist_builder *b, mm_encoder_io *io)
{
	branch(b, io->x, "z", io->latent_dim, &io->z_loc, &io->z_raw);
	if (io->private_dim > 0)
		branch(b, io->x, "w", io->private_dim, &io->w_loc, &io->w_raw);
}

static mm_tensor upsample(const mnist_builder *b, mm_tensor x)
{
	return b->ops->upsample_nearest(b->g, x, 2);
}

static mm_tensor decoder(const mnist_builder *b, const mm_decoder_io *io)
{
	mm_tensor h = mnist_linear(b, mnist_latent(b, io), "linear", MAP * MAP * WIDE);
	h = mnist_view(b, h, MAP, WIDE);                              /* [7, 7, 256] */
	h = upsample(b, residual(b, h, "", "res1", WIDE, 128));       /* [14, 14, 128] */
	h = upsample(b, residual(b, h, "", "res2", 128, 64));         /* [28, 28, 64] */
	h = residual(b, h, "", "res3", 64, 64);
	return mnist_conv(b, leaky(b, h), "conv", 3, 3, 1, 1, 1);
}

const mnist_net mnist_net_resnet = { MNIST_OUTPUT_LINEAR, encoder, decoder };
