/* nets.c - the networks: strided convolutions for a CPU until the shorter side is 4, scaled by `width` (w, 2w, then 4w
 * channels); and the judge of evaluation, the same for all settings of a shape, so that runs can be compared. */
#include "mmi_build.h"

#include "audio.h"
#include "layers.h"

#include <stdio.h>

enum { MAP = 4, JUDGE_WIDTH = 32, JUDGE_HIDDEN = 128 };

static com_builder builder(const mm_instance *i, mm_graph *g)
{
	return (com_builder){ i->host->graph, g, i };
}

/* How often both sides are halved. */
static int32_t stages(const mm_instance *i)
{
	const int32_t side = i->mel.bands < i->mel.frames ? i->mel.bands : i->mel.frames;
	int32_t n = 0;
	while (side >> n > MAP)
		n++;
	return n;
}

/* Channels of the map that is halved `stage` + 1 times. */
static int32_t channels(int32_t width, int32_t stage)
{
	return width << (stage < 2 ? stage : 2);
}

static mm_tensor halve(const com_builder *b, mm_tensor x, int32_t width)
{
	char name[16];
	for (int32_t k = 0; k < stages(b->i); k++) {
		snprintf(name, sizeof(name), "conv%d", (int)k + 1);
		x = com_relu(b, com_conv(b, x, name, channels(width, k), 4, 2, 1, 1));
	}
	return com_flatten(b, x);
}

mm_status audio_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const com_builder b = builder(i, g);
	(void)e;
	io->w_loc = io->w_raw = MM_NO_TENSOR;
	const mm_tensor h = halve(&b, io->x, i->width);
	com_experts(&b, com_relu(&b, com_linear(&b, h, "hidden", 8 * i->width)), io);
	return MM_OK;
}

mm_status audio_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const com_builder b = builder(i, g);
	const int32_t n = stages(i), wide = channels(i->width, n - 1), high = i->mel.bands >> n, long_ = i->mel.frames >> n;
	char name[16];
	(void)e;
	mm_tensor h = com_relu(&b, com_linear(&b, com_latent(&b, io), "hidden", high * long_ * wide));
	h = com_map(&b, h, high, long_, wide);
	for (int32_t k = 0; k < n; k++) {
		const int32_t left = n - 2 - k; /* the last doubling keeps the channels */
		snprintf(name, sizeof(name), "conv%d", (int)k + 1);
		h = com_relu(&b, com_conv_transposed(&b, h, name, channels(i->width, left > 0 ? left : 0), 4, 2, 1));
	}
	h = com_conv(&b, h, "out", 1, 3, 1, 1, 1);
	io->out = b.ops->activation(g, h, MM_ACT_TANH, 0);
	return MM_OK;
}

/* A convolution whose map is energy_stride times smaller: the trunk is affordable at 14 to 16 a side. An even kernel
 * for an even stride: every value is read by as many windows as its neighbours. */
mm_status audio_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const com_builder b = builder(i, g);
	const int32_t stride = i->energy_stride, kernel = stride > 1 ? stride + 2 : 3;
	(void)e;
	io->features = com_conv(&b, io->x, "features", i->energy_channels, kernel, stride, 1, 0);
	return MM_OK;
}

static mm_status build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const com_builder b = builder(i, g);
	(void)e;
	const mm_tensor h = halve(&b, io->x, JUDGE_WIDTH);
	io->features = com_relu(&b, com_linear(&b, h, "hidden", JUDGE_HIDDEN));
	io->logits = com_linear(&b, io->features, "logits", io->n_classes);
	return MM_OK;
}

const mm_modality_classifier audio_classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "hidden128",
	.build = build_classifier,
};
