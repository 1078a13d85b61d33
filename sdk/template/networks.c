/* networks.c - what is learned. The networks of mmcore/author.h fit pictures, spectrograms, series and vectors; record
 * your own with mma_conv, mma_linear and the operations of mm_host_graph. */
#include "modality.h"

/* From a sample to q(z | x). */
mm_status build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	(void)e;
	return mma_encoder(&i->host, g, io, i->width);
}

/* From z to the sample's mean; tanh, since samples are within -1..1. */
mm_status build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	(void)e;
	return mma_decoder(&i->host, g, io, &shape, i->width, MM_ACT_TANH);
}

/* From a sample to what the energy sees of it. */
mm_status build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)e;
	return mma_features(&i->host, g, io, i->width);
}

/* For `mmcore judge` and `eval`: from a sample to its class. */
mm_status build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	(void)e;
	return mma_classifier(&i->host, g, io, i->width);
}
