/* nets.h - the networks of captions: two families, chosen by the key `net`. Shapes are those of one sample. */
#ifndef TXT_NETS_H
#define TXT_NETS_H

#include "txt.h"

typedef struct txt_net {
	void (*encoder)(const mm_instance *i, const mma_net *b, mm_encoder_io *io);
	mm_tensor (*decoder)(const mm_instance *i, const mma_net *b, const mm_decoder_io *io); /* [length, features] */
} txt_net;

extern const char *const txt_net_names[];    /* "conv", "paper", NULL */
extern const txt_net *const txt_net_table[]; /* in the same order */
extern const txt_net txt_net_conv, txt_net_paper;

mm_status txt_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status txt_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status txt_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
/* classifier.c */
mm_status txt_build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

/* The same linear layer at every position of a map. */
mm_tensor txt_each(const mma_net *b, mm_tensor x, const char *name, int32_t channels);

#endif
