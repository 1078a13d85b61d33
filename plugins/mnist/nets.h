/* nets.h - the networks a view brings: two families, chosen by the key `net`. */
#ifndef MNIST_NETS_H
#define MNIST_NETS_H

#include "layers.h"
#include "mnist.h"

typedef struct mnist_net {
	int default_output; /* MNIST_OUTPUT_... */
	void (*encoder)(const mm_instance *i, const mma_net *b, mm_encoder_io *io);
	/* up to the last convolution; the output's activation follows */
	mm_tensor (*decoder)(const mm_instance *i, const mma_net *b, const mm_decoder_io *io);
} mnist_net;

extern const char *const mnist_net_names[];      /* "conv", "resnet", NULL */
extern const mnist_net *const mnist_net_table[]; /* in the same order */
extern const mnist_net mnist_net_conv, mnist_net_resnet;

mm_status mnist_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status mnist_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status mnist_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
/* The judge of evaluation, the same for every setting. */
mm_status mnist_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

#endif
