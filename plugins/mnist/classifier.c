/* classifier.c - the judge of evaluation: a small convnet, the same for all settings, so that runs can be compared. */
#include "mmi_build.h"

#include "nets.h"

enum { CHANNELS = 32, HIDDEN = 128 };

mm_status mnist_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const mma_net b = mma_network(&i->plugin->host, g);
	(void)e;
	mm_tensor h = mma_relu(&b, mma_conv(&b, io->x, "conv1", CHANNELS, mma_square(4, 2, 1))); /* [14, 14, 32] */
	h = mma_relu(&b, mma_conv(&b, h, "conv2", 2 * CHANNELS, mma_square(4, 2, 1)));           /* [7, 7, 64] */
	h = mma_relu(&b, mma_conv(&b, h, "conv3", 4 * CHANNELS, mma_square(3, 2, 1)));           /* [4, 4, 128] */
	h = mma_flat(&b, h);
	io->features = mma_relu(&b, mma_linear(&b, h, "hidden", HIDDEN));
	io->logits = mma_linear(&b, io->features, "logits", io->n_classes);
	return MM_OK;
}
