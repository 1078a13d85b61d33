/* net_conv.c - net = conv: convolutions along the caption for a CPU, scaled by `width`. A caption is a map of height 1;
 * its words are first and last seen through one linear layer each. */
#include "mmi_build.h"

#include "nets.h"

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	const int32_t w = i->width;
	mm_tensor h = mma_map(b, io->x, 1, i->length, txt_features(i));
	h = txt_each(b, h, "word", 2 * w);
	h = mma_relu(b, mma_conv(b, h, "conv1", 2 * w, mma_along(3, 1, 1)));
	h = mma_relu(b, mma_conv(b, h, "conv2", 2 * w, mma_along(4, 2, 1)));
	h = mma_relu(b, mma_conv(b, h, "conv3", 4 * w, mma_along(4, 2, 1))); /* [1, length / 4, 4w] */
	h = mma_relu(b, mma_linear(b, mma_flat(b, h), "hidden", 8 * w));
	mma_experts(b, h, io);
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	const int32_t w = i->width, quarter = i->length / 4, features = txt_features(i);
	const mm_shape shape = { 2, { i->length, features, 0, 0 } };
	mm_tensor h = mma_relu(b, mma_linear(b, mma_latent(b, io), "hidden", 8 * w));
	h = mma_relu(b, mma_linear(b, h, "spread", quarter * 4 * w));
	h = mma_map(b, h, 1, quarter, 4 * w);
	h = mma_relu(b, mma_conv_transposed(b, h, "conv1", 2 * w, mma_along(4, 2, 1)));
	h = mma_relu(b, mma_conv_transposed(b, h, "conv2", 2 * w, mma_along(4, 2, 1)));
	h = mma_relu(b, mma_conv(b, h, "conv3", 2 * w, mma_along(3, 1, 1)));
	return b->ops->reshape(b->g, txt_each(b, h, "word", features), &shape);
}

const txt_net txt_net_conv = { encoder, decoder };
