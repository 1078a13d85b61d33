/* nets.h - the networks of pictures: two families, chosen by the key `net`; their depth follows the size. */
#ifndef IMG_NETS_H
#define IMG_NETS_H

#include "img.h"
#include "layers.h"

typedef struct img_net {
	int default_output; /* IMG_OUTPUT_... */
	void (*encoder)(const mm_instance *i, const mma_net *b, mm_encoder_io *io);
	/* up to the last convolution; the output's activation follows */
	mm_tensor (*decoder)(const mm_instance *i, const mma_net *b, const mm_decoder_io *io);
} img_net;

extern const char *const img_net_names[];    /* "conv", "resnet", NULL */
extern const img_net *const img_net_table[]; /* in the same order */
extern const img_net img_net_conv, img_net_resnet;

mm_status img_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status img_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status img_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
mm_status img_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

#endif
