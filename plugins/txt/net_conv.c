/* net_conv.c - net = conv: convolutions along the caption for a CPU, scaled by `width`. A caption is a map of height 1;
 * its words are first and last seen through one linear layer each. */
#include "mmi_build.h"

#include "nets.h"

static const com_kernel near = { 1, 3, 1, 1, 0, 1 }, halve = { 1, 4, 1, 2, 0, 1 }; /* transposed, the latter doubles */

static void encoder(const com_builder *b, mm_encoder_io *io)
{
	const int32_t w = b->i->width;
	mm_tensor h = com_map(b, io->x, 1, b->i->length, txt_features(b->i));
	h = txt_each(b, h, "word", 2 * w);
	h = com_relu(b, com_conv_by(b, h, "conv1", 2 * w, &near, 1));
	h = com_relu(b, com_conv_by(b, h, "conv2", 2 * w, &halve, 1));
	h = com_relu(b, com_conv_by(b, h, "conv3", 4 * w, &halve, 1)); /* [1, length / 4, 4w] */
	h = com_relu(b, com_linear(b, com_flatten(b, h), "hidden", 8 * w));
	com_experts(b, h, io);
}

static mm_tensor decoder(const com_builder *b, const mm_decoder_io *io)
{
	const int32_t w = b->i->width, quarter = b->i->length / 4, features = txt_features(b->i);
	const mm_shape shape = { 2, { b->i->length, features, 0, 0 } };
	mm_tensor h = com_relu(b, com_linear(b, com_latent(b, io), "hidden", 8 * w));
	h = com_relu(b, com_linear(b, h, "spread", quarter * 4 * w));
	h = com_map(b, h, 1, quarter, 4 * w);
	h = com_relu(b, com_conv_transposed_by(b, h, "conv1", 2 * w, &halve));
	h = com_relu(b, com_conv_transposed_by(b, h, "conv2", 2 * w, &halve));
	h = com_relu(b, com_conv_by(b, h, "conv3", 2 * w, &near, 1));
	return b->ops->reshape(b->g, txt_each(b, h, "word", features), &shape);
}

const txt_net txt_net_conv = { encoder, decoder };
