/* net_conv.c - net = conv: strided convolutions for a CPU down to 4 x 4, scaled by `width` (w, 2w, then 4w channels).
 */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	mma_experts(b, mma_relu(b, mma_linear(b, mma_trunk(b, io->x, i->width), "hidden", 8 * i->width)), io);
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	const mm_shape shape = { 3, { i->fit.size, i->fit.size, 3, 0 } };
	const int32_t n = mma_halvings(i->fit.size);
	char name[16];
	snprintf(name, sizeof(name), "conv%d", (int)n + 1);
	return mma_conv(b, mma_double(b, mma_latent(b, io), &shape, i->width, n, n), name, 3, mma_square(3, 1, 1));
}

const img_net img_net_conv = { IMG_OUTPUT_TANH, encoder, decoder };
