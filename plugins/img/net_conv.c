/* net_conv.c - net = conv: strided convolutions for a CPU down to 4 x 4, scaled by `width` (w, 2w, then 4w channels).
 */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

enum { MAP = 4 };

/* How often the side is halved. */
static int32_t stages(const mm_instance *i)
{
	int32_t n = 0;
	while (i->fit.size >> n > MAP)
		n++;
	return n;
}

/* Channels of the map that is halved `stage` + 1 times. */
static int32_t channels(const mm_instance *i, int32_t stage)
{
	return i->width << (stage < 2 ? stage : 2);
}

static void encoder(const com_builder *b, mm_encoder_io *io)
{
	const int32_t n = stages(b->i);
	mm_tensor h = io->x;
	char name[16];
	for (int32_t k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "conv%d", (int)k + 1);
		h = com_relu(b, com_conv(b, h, name, channels(b->i, k), 4, 2, 1, 1));
	}
	h = com_flatten(b, h);
	h = com_relu(b, com_linear(b, h, "hidden", 8 * b->i->width));
	com_experts(b, h, io);
}

static mm_tensor decoder(const com_builder *b, const mm_decoder_io *io)
{
	const int32_t n = stages(b->i), wide = channels(b->i, n - 1);
	mm_tensor h = com_relu(b, com_linear(b, com_latent(b, io), "hidden", MAP * MAP * wide));
	char name[16];
	h = com_map(b, h, MAP, MAP, wide);
	for (int32_t k = 0; k < n; k++) {
		int32_t left = n - 2 - k; /* the last doubling keeps the channels */
		snprintf(name, sizeof(name), "conv%d", (int)k + 1);
		h = com_relu(b, com_conv_transposed(b, h, name, channels(b->i, left > 0 ? left : 0), 4, 2, 1));
	}
	snprintf(name, sizeof(name), "conv%d", (int)n + 1);
	return com_conv(b, h, name, 3, 3, 1, 1, 1);
}

const img_net img_net_conv = { IMG_OUTPUT_TANH, encoder, decoder };
