/* classifier.c - the judge of evaluation: a small convnet, the same for all settings, so that runs can be compared. */
#include "mmi_build.h"

#include "nets.h"

enum { CHANNELS = 32, HIDDEN = 128 };

mm_status mnist_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const com_builder b = { i->plugin->host.graph, g, i };
	(void)e;
	mm_tensor h = com_relu(&b, com_conv(&b, io->x, "conv1", CHANNELS, 4, 2, 1, 1)); /* [14, 14, 32] */
	h = com_relu(&b, com_conv(&b, h, "conv2", 2 * CHANNELS, 4, 2, 1, 1));           /* [7, 7, 64] */
	h = com_relu(&b, com_conv(&b, h, "conv3", 4 * CHANNELS, 3, 2, 1, 1));           /* [4, 4, 128] */
	h = com_flatten(&b, h);
	io->features = com_relu(&b, com_linear(&b, h, "hidden", HIDDEN));
	io->logits = com_linear(&b, io->features, "logits", io->n_classes);
	return MM_OK;
}
