/* nets.h - the networks a view brings: two families, chosen by the key `net`. */
#ifndef MNIST_NETS_H
#define MNIST_NETS_H

#include "mnist.h"

/* A network being recorded. */
typedef struct mnist_builder {
	const mm_host_graph *ops;
	mm_graph *g;
	const mm_instance *i;
} mnist_builder;

struct mnist_net {
	int default_output; /* MNIST_OUTPUT_... */
	void (*encoder)(const mnist_builder *b, mm_encoder_io *io);
	/* up to the last convolution; the output's activation follows */
	mm_tensor (*decoder)(const mnist_builder *b, const mm_decoder_io *io);
};

extern const char *const mnist_net_names[];      /* "conv", "resnet", NULL */
extern const mnist_net *const mnist_net_table[]; /* in the same order */
extern const mnist_net mnist_net_conv, mnist_net_resnet;

mm_status mnist_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status mnist_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status mnist_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
/* The judge of evaluation, the same for every setting. */
mm_status mnist_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

/* Square kernels, PyTorch's initial values. */
mm_tensor mnist_conv(const mnist_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride,
                     int32_t pad, int32_t bias);
mm_tensor mnist_conv_transposed(const mnist_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                                int32_t stride, int32_t pad);
mm_tensor mnist_linear(const mnist_builder *b, mm_tensor x, const char *name, int32_t features);
mm_tensor mnist_relu(const mnist_builder *b, mm_tensor x);
mm_tensor mnist_flatten(const mnist_builder *b, mm_tensor x, int32_t features);
mm_tensor mnist_view(const mnist_builder *b, mm_tensor x, int32_t side, int32_t channels); /* [side, side, channels] */
/* [w, z], or z alone. */
mm_tensor mnist_latent(const mnist_builder *b, const mm_decoder_io *io);

#endif
