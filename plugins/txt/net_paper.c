/* net_paper.c - net = paper: the caption networks of MMVAE+ and CMVAE for CUB without their batch normalisation, which
 * would tie the samples of a batch together inside the chains. A caption is a picture of length x 128 with one channel.
 */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

enum { EMBEDDED = 128 };

static const mma_kernel square4 = { 4, 4, 2, 2, 1, 1 }, square3 = { 3, 3, 1, 1, 1, 1 }, row4 = { 1, 4, 1, 2, 0, 1 };

static mm_tensor conv(const mma_net *b, mm_tensor x, const char *branch, int number, int32_t channels, mma_kernel k)
{
	char name[24];
	snprintf(name, sizeof(name), "%s.conv%d", branch, number);
	return mma_relu(b, mma_conv(b, x, name, channels, k));
}

static mm_tensor transposed(const mma_net *b, mm_tensor x, const char *branch, int number, int32_t channels,
                            mma_kernel k)
{
	char name[24];
	snprintf(name, sizeof(name), "%s.conv%d", branch, number);
	return mma_relu(b, mma_conv_transposed(b, x, name, channels, k));
}

/* ---------------------------------------------------------------- encoder */

/* [length, 128, 1] -> [length / 8, 16, 128] */
static mm_tensor shared_form(const mma_net *b, mm_tensor x, const char *branch)
{
	x = conv(b, x, branch, 1, 32, square4);
	x = conv(b, x, branch, 2, 64, square4);
	return conv(b, x, branch, 3, 128, square4);
}

static mm_tensor z_head(const mm_instance *i, const mma_net *b, mm_tensor x, const char *name, int32_t dim)
{
	const mma_kernel whole = { i->length / 8, 4, 1, 1, 0, 0 };
	return mma_flat(b, mma_conv(b, x, name, dim, whole));
}

static void encoder(const mm_instance *i, const mma_net *b, mm_encoder_io *io)
{
	mm_tensor words = txt_each(b, mma_map(b, io->x, 1, i->length, txt_features(i)), "word", EMBEDDED);
	words = mma_map(b, words, i->length, EMBEDDED, 1);
	mm_tensor h = shared_form(b, words, "z");
	h = conv(b, h, "z", 4, 256, row4);
	h = conv(b, h, "z", 5, 512, row4); /* [length / 8, 4, 512] */
	io->z_loc = z_head(i, b, h, "z.loc", io->latent_dim);
	io->z_raw = z_head(i, b, h, "z.raw", io->latent_dim);
	if (io->private_dim > 0) {
		h = mma_flat(b, shared_form(b, words, "w"));
		io->w_loc = mma_linear(b, h, "w.loc", io->private_dim);
		io->w_raw = mma_linear(b, h, "w.raw", io->private_dim);
	}
}

/* ---------------------------------------------------------------- decoder */

static mm_tensor vector_to_map(const mm_instance *i, const mma_net *b, mm_tensor x, const char *branch)
{
	const mma_kernel whole = { i->length / 8, 4, 1, 1, 0, 0 };
	const mm_shape s = b->ops->shape(b->g, x);
	return transposed(b, mma_map(b, x, 1, 1, s.dim[0]), branch, 1, 512, whole); /* [length / 8, 4, 512] */
}

static mm_tensor decoder(const mm_instance *i, const mma_net *b, const mm_decoder_io *io)
{
	const mm_shape shape = { 2, { i->length, txt_features(i), 0, 0 } };
	mm_tensor h = vector_to_map(i, b, io->z, "z");
	h = transposed(b, h, "z", 2, 256, row4);
	h = transposed(b, h, "z", 3, 256, square3);
	h = transposed(b, h, "z", 4, 128, row4); /* [length / 8, 16, 128] */
	if (io->w != MM_NO_TENSOR) {
		mm_tensor both[2] = { vector_to_map(i, b, io->w, "w"), h };
		both[0] = transposed(b, both[0], "w", 2, 256, row4);
		both[0] = transposed(b, both[0], "w", 3, 128, row4);
		h = b->ops->concat(b->g, both, 2, 2);
	}
	h = transposed(b, h, "both", 1, 128, square3);
	h = transposed(b, h, "both", 2, 64, square4);
	h = transposed(b, h, "both", 3, 32, square4);
	h = transposed(b, h, "both", 4, 1, square4); /* [length, 128, 1] */
	h = txt_each(b, mma_map(b, h, 1, i->length, EMBEDDED), "word", txt_features(i));
	return b->ops->reshape(b->g, h, &shape);
}

const txt_net txt_net_paper = { encoder, decoder };
