/* classifier.c - the judge of evaluation: a small convnet that follows from the size alone, whatever `net` says, so
 * that runs can be compared. */
#include "mmi_build.h"

#include "nets.h"

#include <stdio.h>

enum { MAP = 4, CHANNELS = 32, MOST = 128, HIDDEN = 128 };

mm_status img_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const com_builder b = { i->host->graph, g, i };
	int32_t channels = CHANNELS;
	mm_tensor h = io->x;
	char name[16];
	(void)e;
	for (int32_t side = i->fit.size, k = 1; side > MAP; side /= 2, k++) {
		snprintf(name, sizeof(name), "conv%d", (int)k);
		h = com_relu(&b, com_conv(&b, h, name, channels, 4, 2, 1, 1));
		channels = channels < MOST ? 2 * channels : MOST;
	}
	h = com_flatten(&b, h);
	io->features = com_relu(&b, com_linear(&b, h, "hidden", HIDDEN));
	io->logits = com_linear(&b, io->features, "logits", io->n_classes);
	return MM_OK;
}
