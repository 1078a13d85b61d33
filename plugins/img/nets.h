/* nets.h - the networks of pictures: two families, chosen by the key `net`; their depth follows the size. */
#ifndef IMG_NETS_H
#define IMG_NETS_H

#include "img.h"

/* A network being recorded. */
typedef struct img_builder {
	const mm_host_graph *ops;
	mm_graph *g;
	const mm_instance *i;
} img_builder;

struct img_net {
	int default_output; /* IMG_OUTPUT_... */
	void (*encoder)(const img_builder *b, mm_encoder_io *io);
	/* up to the last convolution; the output's activation follows */
	mm_tensor (*decoder)(const img_builder *b, const mm_decoder_io *io);
};

extern const char *const img_net_names[];    /* "conv", "resnet", NULL */
extern const img_net *const img_net_table[]; /* in the same order */
extern const img_net img_net_conv, img_net_resnet;

mm_status img_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status img_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status img_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
/* classifier.c */
mm_status img_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

/* Square kernels, PyTorch's initial values. */
mm_tensor img_conv(const img_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride, int32_t pad,
                   int32_t bias);
mm_tensor img_conv_transposed(const img_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel, int32_t stride,
                              int32_t pad);
mm_tensor img_linear(const img_builder *b, mm_tensor x, const char *name, int32_t features);
mm_tensor img_relu(const img_builder *b, mm_tensor x);
mm_tensor img_flatten(const img_builder *b, mm_tensor x, int32_t features);
mm_tensor img_view(const img_builder *b, mm_tensor x, int32_t side, int32_t channels); /* [side, side, channels] */
/* [w, z], or z alone. */
mm_tensor img_latent(const img_builder *b, const mm_decoder_io *io);

#endif
