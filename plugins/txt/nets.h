/* nets.h - the networks of captions: two families, chosen by the key `net`. Shapes are those of one sample. */
#ifndef TXT_NETS_H
#define TXT_NETS_H

#include "txt.h"

/* A network being recorded. */
typedef struct txt_builder {
	const mm_host_graph *ops;
	mm_graph *g;
	const mm_instance *i;
} txt_builder;

struct txt_net {
	void (*encoder)(const txt_builder *b, mm_encoder_io *io);
	mm_tensor (*decoder)(const txt_builder *b, const mm_decoder_io *io); /* [length, features] */
};

extern const char *const txt_net_names[];    /* "conv", "paper", NULL */
extern const txt_net *const txt_net_table[]; /* in the same order */
extern const txt_net txt_net_conv, txt_net_paper;

mm_status txt_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status txt_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status txt_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
/* classifier.c */
mm_status txt_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

/* A kernel of h x w with its strides and pads, biases and PyTorch's initial values. */
typedef struct txt_kernel {
	int32_t h, w, stride_h, stride_w, pad_h, pad_w;
} txt_kernel;

mm_tensor txt_conv(const txt_builder *b, mm_tensor x, const char *name, int32_t channels, txt_kernel k);
mm_tensor txt_conv_transposed(const txt_builder *b, mm_tensor x, const char *name, int32_t channels, txt_kernel k);
/* The same linear layer at every position of a map. */
mm_tensor txt_each(const txt_builder *b, mm_tensor x, const char *name, int32_t channels);
mm_tensor txt_linear(const txt_builder *b, mm_tensor x, const char *name, int32_t features);
mm_tensor txt_relu(const txt_builder *b, mm_tensor x);
mm_tensor txt_flatten(const txt_builder *b, mm_tensor x);
mm_tensor txt_map(const txt_builder *b, mm_tensor x, int32_t height, int32_t width, int32_t channels);
/* [w, z], or z alone. */
mm_tensor txt_latent(const txt_builder *b, const mm_decoder_io *io);

#endif
