/* net_resnet.c - net = resnet: the encoder and decoder of MMVAE+ and CMVAE for CUB (nf = 64, at most 256 channels, down to
 * 2 x 2); one more pair of block and pooling for each doubling of the size. */
#include "config.h"

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

static mm_tensor leaky(const img_builder *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_LEAKY_RELU, 0.2f);
}

/* conv with the parameter name "PREFIX.NAME" */
static mm_tensor conv(const img_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t out, int32_t kernel, int32_t bias)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return img_conv(b, x, full, out, kernel, 1, kernel / 2, bias);
}

static mm_tensor linear(const img_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t features)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return img_linear(b, x, full, features);
}

/* shortcut(x) + 0.1 h, both convolutions after an activation; the shortcut is 1x1 without bias where channels change. */
static mm_tensor residual(const img_builder *b, mm_tensor x, const char *prefix, int32_t number, int32_t in, int32_t out)
{
	char block[32];
	snprintf(block, sizeof(block), "%sres%d", prefix, (int)number);
	mm_tensor h = conv(b, leaky(b, x), block, "conv1", in < out ? in : out, 3, 1);
	h = conv(b, leaky(b, h), block, "conv2", out, 3, 1);
	mm_tensor shortcut = in == out ? x : conv(b, x, block, "shortcut", out, 1, 0);
	return b->ops->axpby(b->g, 1.0f, shortcut, 0.1f, h);
}

/* One complete encoder: z and w have nothing in common but the picture. */
static void branch(const img_builder *b, mm_tensor x, const char *latent, int32_t dim, mm_tensor *loc, mm_tensor *raw)
{
	const int32_t n = stages(b->i);
	char prefix[8];
	snprintf(prefix, sizeof(prefix), "%s.", latent);
	mm_tensor h = conv(b, x, latent, "conv", NARROW, 3, 1);
	h = residual(b, h, prefix, 1, NARROW, NARROW);
	for (int32_t k = 0; k < n; k++) {
		h = b->ops->avg_pool(b->g, h, 3, 2, 1, 1); /* divides by 9 at borders too */
		h = residual(b, h, prefix, k + 2, channels(k), channels(k + 1));
	}
	h = img_flatten(b, h, MAP * MAP * WIDE);
	*loc = linear(b, h, latent, "loc", dim);
	*raw = linear(b, h, latent, "raw", dim);
}

static void encoder(const img_builder *b, mm_encoder_io *io)
{
	branch(b, io->x, "z", io->latent_dim, &io->z_loc, &io->z_raw);
	if (io->private_dim > 0)
		branch(b, io->x, "w", io->private_dim, &io->w_loc, &io->w_raw);
}

static mm_tensor decoder(const img_builder *b, const mm_decoder_io *io)
{
	const int32_t n = stages(b->i);
	mm_tensor h = img_linear(b, img_latent(b, io), "linear", MAP * MAP * WIDE);
	h = img_view(b, h, MAP, WIDE);
	for (int32_t k = 0; k < n; k++) {
		h = residual(b, h, "", k + 1, channels(n - k), channels(n - k - 1));
		h = b->ops->upsample_nearest(b->g, h, 2);
	}
	h = residual(b, h, "", n + 1, NARROW, NARROW);
	return img_conv(b, leaky(b, h), "conv", 3, 3, 1, 1, 1);
}

const img_net img_net_resnet = { IMG_OUTPUT_LINEAR, encoder, decoder };
