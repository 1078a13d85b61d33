/* classifier.c - the judge of evaluation: which words there are, wherever they stand, and nothing of the settings of
 * the networks, so that runs can be compared. */
#include "mmi_build.h"

#include "nets.h"

enum { WORD = 128, HIDDEN = 128 };

mm_status txt_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const mma_net b = mma_network(i->host, g);
	(void)e;
	mm_tensor h = mma_map(&b, io->x, 1, i->length, txt_features(i));
	h = b.ops->sum(g, b.ops->sum(g, mma_relu(&b, txt_each(&b, h, "word", WORD)), 0), 0);
	io->features = mma_relu(&b, mma_linear(&b, h, "hidden", HIDDEN));
	io->logits = mma_linear(&b, io->features, "logits", io->n_classes);
	return MM_OK;
}
