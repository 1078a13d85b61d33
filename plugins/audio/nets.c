/* nets.c - the networks: strided convolutions for a CPU until the shorter side is 4, scaled by `width` (w, 2w, then 4w
 * channels); and the judge of evaluation, the same for all settings of a shape, so that runs can be compared. */
#include "mmi_build.h"

#include "audio.h"
#include "layers.h"

enum { JUDGE_WIDTH = 32, JUDGE_HIDDEN = 128 };

/* How often both sides are halved. */
static int32_t stages(const mm_instance *i)
{
	return mma_halvings(i->mel.bands < i->mel.frames ? i->mel.bands : i->mel.frames);
}

mm_status audio_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mma_net n = mma_network(i->host, g);
	(void)e;
	const mm_tensor h = mma_halve(&n, io->x, i->width, stages(i), stages(i));
	mma_experts(&n, mma_relu(&n, mma_linear(&n, h, "hidden", 8 * i->width)), io);
	return MM_OK;
}

mm_status audio_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mma_net n = mma_network(i->host, g);
	const mm_shape shape = { 3, { i->mel.bands, i->mel.frames, 1, 0 } };
	(void)e;
	const mm_tensor h = mma_double(&n, mma_latent(&n, io), &shape, i->width, stages(i), stages(i));
	io->out = n.ops->activation(g, mma_conv(&n, h, "out", 1, mma_square(3, 1, 1)), MM_ACT_TANH, 0);
	return MM_OK;
}

mm_status audio_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mma_net n = mma_network(i->host, g);
	(void)e;
	io->features = com_energy_map(&n, io->x, i->energy_channels, i->energy_stride, 0);
	return MM_OK;
}

static mm_status build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const mma_net n = mma_network(i->host, g);
	(void)e;
	const mm_tensor h = mma_halve(&n, io->x, JUDGE_WIDTH, stages(i), stages(i));
	io->features = mma_relu(&n, mma_linear(&n, h, "hidden", JUDGE_HIDDEN));
	io->logits = mma_linear(&n, io->features, "logits", io->n_classes);
	return MM_OK;
}

const mm_modality_classifier audio_classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "hidden128",
	.build = build_classifier,
};
