/* modality.h - what the files of this plugin share: one instance, and the functions that its descriptor names. */
#pragma once

#include <mmcore/author.h>

enum { SIDE = 16, CLASSES = 10, TRAIN = 5000, TEST = 500 };

static const mm_shape shape = { 3, { SIDE, SIDE, 1, 0 } };

/* One modality of a run: the host, then its settings. */
struct mm_instance {
	mma_host host;
	int32_t width;
	double noise;
};

/* data.c */
void draw_bar(int32_t split, uint32_t index, double noise, float *out);
mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e);

/* networks.c */
mm_status build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
mm_status build_classifier(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e);

/* render.c */
mm_status render(mm_instance *i, const float *x, const char *path, mm_error *e);
mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e);
mm_status picture_size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e);
mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e);
